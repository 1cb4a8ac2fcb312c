/*
 * Aggregates read in expressions: the words of all CPUs, joined in the program.
 *
 * The loop over CPUs has a constant bound, which the kernel's verifier follows.
 */
#include "script/lower.h"
#include "script/lower_float.h"

/* What is kept while the CPUs are walked. */
struct sums {
	ref first, second; /* slots: total or greatest, and n */
};

static void join_cpu(struct unit *u, const struct type *agg, const struct sums *s, ref at)
{
	struct irb *b = &u->b;
	ref v = ir_load(b, 8, at, 0), have = ir_load(b, 8, s->first, 0);

	if (agg->kind == T_MIN || agg->kind == T_MAX) {
		blkid more = ir_block(b), done = ir_block(b);

		ir_br(b, ir_bin(b, OP_UGT, v, have), more, done);
		ir_start(b, more);
		ir_store(b, 8, s->first, 0, v);
		ir_jmp(b, done);
		ir_start(b, done);
	} else if (agg->is_float) {
		ir_store(b, 8, s->first, 0, float_add(b, have, v));
	} else {
		ir_store(b, 8, s->first, 0, ir_bin(b, OP_ADD, have, v));
	}
	ref n = ir_bin(b, OP_ADD, ir_load(b, 8, s->second, 0), ir_load(b, 8, at, 8));
	ir_store(b, 8, s->second, 0, n);
}

/* The aggregate's words of one CPU; 0 where there are none. */
static ref words_of(struct unit *u, const struct map_sym *m, ref key, ref cpu)
{
	struct irb *b = &u->b;
	const struct plan *p = u->c->plan;

	if (m->plan->store == STORE_STRIPE) {
		ref base = ir_mapval(b, KMAP_GLOBALS, p->stripes_off + m->plan->off);

		return ir_bin(b, OP_ADD, base,
			      ir_bin(b, OP_MUL, cpu, ir_const(b, p->stripe_size)));
	}
	return ir_call(b, BPF_FUNC_map_lookup_percpu_elem, 3, ir_map(b, m->plan->kmap), key,
		       cpu);
}

/* Signed numbers are divided as such: by hand, the instruction set has no signed division. */
static ref divide(struct unit *u, ref total, ref n, bool is_signed)
{
	struct irb *b = &u->b;

	if (!is_signed)
		return ir_bin(b, OP_UDIV, total, n);
	ref sign = ir_bin(b, OP_SAR, total, ir_const(b, 63));
	ref positive = ir_bin(b, OP_SUB, ir_bin(b, OP_XOR, total, sign), sign);
	ref q = ir_bin(b, OP_UDIV, positive, n);
	return ir_bin(b, OP_SUB, ir_bin(b, OP_XOR, q, sign), sign);
}

static ref unbiased(struct unit *u, const struct type *agg, ref v)
{
	struct irb *b = &u->b;

	if (agg->kind == T_MIN)
		v = ir_un(b, OP_NOT, v);
	if (agg->is_float)
		return float_from_order(b, v);
	return agg->is_signed ? ir_bin(b, OP_XOR, v, ir_const(b, INT64_MIN)) : v;
}

/* min and max of nothing are 0, not the bias. */
static ref extreme(struct unit *u, const struct type *agg, ref v, ref seen)
{
	struct irb *b = &u->b;
	blkid some = ir_block(b), none = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, seen, some, none);
	ir_start(b, some);
	meet_from(b, &m, unbiased(u, agg, v));
	ir_start(b, none);
	meet_from(b, &m, ir_const(b, 0));
	return meet_here(b, &m);
}

/* Of nothing it is 0, as for integers. */
static ref float_average(struct unit *u, ref total, ref n)
{
	struct irb *b = &u->b;
	blkid some = ir_block(b), none = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, n, some, none);
	ir_start(b, some);
	meet_from(b, &m, float_div(b, total, float_from_int(b, n, false)));
	ir_start(b, none);
	meet_from(b, &m, ir_const(b, 0));
	return meet_here(b, &m);
}

ref each_cpu(struct unit *u, struct counted *c)
{
	struct irb *b = &u->b;

	return counted_begin(b, c, OP_ULT, ir_const(b, 0), ir_const(b, u->c->opt->ncpus));
}

ref lower_agg_sum(struct unit *u, const struct map_sym *m, ref key)
{
	struct irb *b = &u->b;
	const struct type *agg = m->value;
	struct sums s = { ir_slot(b, 8), ir_slot(b, 8) };
	struct counted c;

	ir_store(b, 8, s.first, 0, ir_const(b, 0));
	ir_store(b, 8, s.second, 0, ir_const(b, 0));
	ref cpu = each_cpu(u, &c), at = words_of(u, m, key, cpu);
	if (m->plan->store != STORE_STRIPE) { /* the key may not exist */
		blkid found = ir_block(b);

		ir_br(b, at, found, c.next);
		ir_start(b, found);
	}
	join_cpu(u, agg, &s, at);
	counted_end(b, &c);

	ref first = ir_load(b, 8, s.first, 0), second = ir_load(b, 8, s.second, 0);
	if (agg->kind == T_AVG && agg->is_float)
		return float_average(u, first, second);
	if (agg->kind == T_AVG)
		return divide(u, first, second, agg->is_signed);
	if (agg->kind == T_MIN || agg->kind == T_MAX)
		return extreme(u, agg, first, second);
	return first;
}

ref lower_agg_read(struct unit *u, struct expr *e)
{
	const struct map_sym *m = e->map;

	return lower_agg_sum(u, m,
			     m->plan->store == STORE_STRIPE ? 0 : lower_key(u, m, e->key));
}

ref lower_agg_clear(struct unit *u, const struct map_sym *m)
{
	struct irb *b = &u->b;
	uint32_t n = agg_words(m->value);
	ref was = ir_slot(b, 8);
	struct counted c;

	ir_store(b, 8, was, 0, ir_const(b, 0));
	ref cpu = each_cpu(u, &c);
	ref at = words_of(u, m, 0, cpu), any = ir_load(b, 8, was, 0);
	for (uint32_t w = 0; w < n && !agg_is_long(m->value); w++)
		any = ir_bin(b, OP_OR, any, ir_load(b, 8, at, (int32_t)w * 8));
	ir_store(b, 8, was, 0, any);
	ir_zero(b, at, 0, n * 8);
	counted_end(b, &c);
	return ir_bin(b, OP_NE, ir_load(b, 8, was, 0), ir_const(b, 0));
}
