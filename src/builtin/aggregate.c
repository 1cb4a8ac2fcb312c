/*
 * Aggregates: what each adds to its words (types/agg.h).  Words change by atomic instructions
 * only, so that user space may take them away at any time and nothing is counted twice or lost.
 */
#include "builtin/aggregate.h"

#include "builtin/builtin.h"
#include "script/lower.h"
#include "script/lower_float.h"

static void mark_set(struct unit *u, const struct type *agg, ref p)
{
	ir_store(&u->b, 8, p, (int32_t)agg_set_word(agg) * 8, ir_const(&u->b, 1));
}

static bool check_count(struct unit *u, struct expr *e)
{
	e->type = type_agg(u->c->tt, T_COUNT, false);
	return true;
}

static void update_count(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	(void)e, (void)agg;
	ir_atomic_add(&u->b, 8, p, 0, ir_const(&u->b, 1));
}

static bool check_agg(struct unit *u, struct expr *e, enum type_kind kind)
{
	const struct type *t = e->args[0]->type;

	e->type = t->kind == T_FLOAT
			  ? type_agg_float(u->c->tt, kind)
			  : type_agg(u->c->tt, kind, t->kind == T_INT && t->is_signed);
	return true;
}

static bool check_sum(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_SUM);
}

static void add_to_total(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	ref v = lower_scalar(u, e->args[0]);

	if (agg->is_float)
		lower_float_add_to(u, p, v);
	else
		ir_atomic_add(&u->b, 8, p, 0, v);
}

static void update_sum(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	add_to_total(u, e, agg, p);
	mark_set(u, agg, p);
}

static bool check_min(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_MIN);
}

static bool check_max(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_MAX);
}

void lower_store_greater(struct unit *u, ref p, ref v)
{
	enum { TRIES = 3 };
	struct irb *b = &u->b;
	blkid done = ir_block(b);
	ref old = ir_load(b, 8, p, 0);

	for (int i = 0; i < TRIES; i++) {
		blkid greater = ir_block(b), lost_race = ir_block(b);

		ir_br(b, ir_bin(b, OP_UGT, v, old), greater, done);
		ir_start(b, greater);
		ref was = ir_cmpxchg(b, 8, p, 0, old, v);
		ir_br(b, ir_bin(b, OP_EQ, was, old), done, lost_race);
		ir_start(b, lost_race);
		old = was;
	}
	ir_jmp(b, done);
	ir_start(b, done);
}

ref lower_biased(struct unit *u, ref v, bool is_signed, bool is_min)
{
	struct irb *b = &u->b;

	if (is_signed)
		v = ir_bin(b, OP_XOR, v, ir_const(b, INT64_MIN));
	return is_min ? ir_un(b, OP_NOT, v) : v;
}

static void update_extreme(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;
	ref v = lower_scalar(u, e->args[0]);

	if (!agg->is_float) {
		lower_store_greater(u, p,
				    lower_biased(u, v, agg->is_signed, agg->kind == T_MIN));
		mark_set(u, agg, p);
		return;
	}
	/* What is no number is neither the least nor the greatest. */
	blkid number = ir_block(b), done = ir_block(b);
	ir_br(b, float_is_nan(b, v), done, number);
	ir_start(b, number);
	lower_store_greater(u, p,
			    lower_biased(u, float_to_order(b, v), false, agg->kind == T_MIN));
	mark_set(u, agg, p);
	ir_jmp(b, done);
	ir_start(b, done);
}

static bool check_avg(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_AVG);
}

static bool check_stats(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_STATS);
}

static void update_avg(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;

	add_to_total(u, e, agg, p);
	ir_atomic_add(b, 8, p, 8, ir_const(b, 1));
}

static bool check_stddev(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_STDDEV);
}

/* The square of a 64-bit number has 128 bits; agg.h says how they are added up. */
static void add_square(struct unit *u, ref p, ref v)
{
	struct irb *b = &u->b;
	ref sign = ir_bin(b, OP_SAR, v, ir_const(b, 63)), half = ir_const(b, 32);
	ref abs = ir_bin(b, OP_SUB, ir_bin(b, OP_XOR, v, sign), sign);
	ref lo = ir_ext(b, false, 4, abs), hi = ir_bin(b, OP_SHR, abs, half);
	ref lo_lo = ir_bin(b, OP_MUL, lo, lo), lo_hi = ir_bin(b, OP_MUL, lo, hi);
	ref middle = ir_bin(b, OP_SHL, ir_ext(b, false, 4, lo_hi), ir_const(b, 1));
	ref carry = ir_bin(b, OP_SHL, ir_bin(b, OP_SHR, lo_hi, half), ir_const(b, 1));

	ir_atomic_add(b, 8, p, 16, ir_ext(b, false, 4, lo_lo));
	ir_atomic_add(b, 8, p, 24, ir_bin(b, OP_ADD, ir_bin(b, OP_SHR, lo_lo, half), middle));
	ir_atomic_add(b, 8, p, 32, ir_bin(b, OP_ADD, ir_bin(b, OP_MUL, hi, hi), carry));
}

static void update_stddev(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;
	ref v = lower_scalar(u, e->args[0]);

	(void)agg;
	ir_atomic_add(b, 8, p, 0, v);
	add_square(u, p, v);
	ir_atomic_add(b, 8, p, 8, ir_const(b, 1));
}

static bool check_hist(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	int64_t bits = e->nargs > 1 ? e->args[1]->const_value : 0;
	const struct type *t = e->args[0]->type;

	if (bits < 0 || bits > 5) {
		diag(c->dx, E0308_HIST, e->args[1]->span,
		     arena_printf(c->arena, "hist: bits %lld must be 0..5", (long long)bits));
		return false;
	}
	e->type = type_hist(c->tt, t->kind == T_FLOAT || (t->kind == T_INT && t->is_signed),
			    bits);
	return true;
}

static bool check_lhist(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	int64_t min = e->args[1]->const_value, max = e->args[2]->const_value;
	int64_t step = e->args[3]->const_value;
	const char *wrong = NULL;

	if (min < 0 || max < 0)
		wrong = "lhist() bounds must be non-negative";
	else if (step <= 0)
		wrong = "lhist() step must be >= 1";
	else if (min >= max)
		wrong = arena_printf(
			c->arena,
			"lhist() min must be less than max (provided min %lld and max %lld)",
			(long long)min, (long long)max);
	else if (step > max - min)
		wrong = "lhist() step must not be larger than the range";
	else if ((max - min) / step > 1000)
		wrong = arena_printf(
			c->arena, "lhist() too many buckets, must be <= 1000 (would need %lld)",
			(long long)((max - min) / step));
	if (wrong) {
		diag(c->dx, E0308_HIST, e->span, wrong);
		return false;
	}
	e->type = type_lhist(c->tt, true, min, max, step);
	return true;
}

/* What is wrong with a log-linear histogram, or NULL. */
static const char *llhist_problem(struct compiler *c, const struct type *t)
{
	const int64_t base = t->hist.bits, steps = t->hist.step;

	if (base < 2 || base > 100)
		return "llhist() base must be from 2 to 100";
	if (t->hist.min < 0 || t->hist.max < t->hist.min ||
	    llhist_power(t, t->hist.max) > INT64_MAX)
		return "llhist() powers must fit 64 bits, the lowest first";
	if (steps < base || steps > 1000 || steps % base)
		return "llhist() steps must be a multiple of the base, up to 1000";
	if (llhist_power(t, t->hist.min) % (uint64_t)(steps / base))
		return "llhist() steps must divide the power above the lowest one";
	if (hist_buckets(t) > HIST_BUCKETS_MAX)
		return arena_printf(c->arena,
				    "llhist() too many rows, must be <= %d (would be %u)",
				    HIST_BUCKETS_MAX, hist_buckets(t));
	return NULL;
}

/* llhist(n), or llhist(n, base, low, high, steps) in the terms of DTrace's llquantize(). */
static bool check_llhist(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	int64_t arg[] = { 10, 0, 18, 10 }; /* base, low, high, steps */
	struct type t = { .kind = T_LLHIST };

	for (unsigned i = 1; i < e->nargs; i++)
		arg[i - 1] = e->args[i]->const_value;
	t.hist.bits = arg[0];
	t.hist.min = arg[1];
	t.hist.max = arg[2];
	t.hist.step = arg[3];

	const char *wrong = llhist_problem(c, &t);
	if (wrong) {
		diag(c->dx, E0308_HIST, e->span, wrong);
		return false;
	}
	e->type = type_llhist(c->tt, true, arg[0], arg[1], arg[2], arg[3]);
	return true;
}

enum { BYTE_VALUES = 256, WORD_BYTES = 8 };

/* floor(log2) of a byte, in a map of its own; one for all programs. */
static uint32_t log2_table(struct unit *u)
{
	static const char name[] = "log2";
	struct plan *p = u->c->plan;

	for (uint32_t i = KMAP_FIRST_FREE; i < p->kmaps.len; i++)
		if (p->kmaps.data[i].name == name)
			return i;

	uint8_t *table = arena_array(p->arena, uint8_t, BYTE_VALUES);
	for (unsigned v = 2; v < BYTE_VALUES; v++)
		table[v] = (uint8_t)(table[v / 2] + 1);
	vec_push(p->arena, &p->kmaps,
		 (struct plan_kmap){
			 .name = name,
			 .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = BYTE_VALUES,
			 .max_entries = 1,
			 .init = table,
		 });
	return (uint32_t)p->kmaps.len - 1;
}

/*
 * floor(log2 v) of v > 0: its highest byte that is not 0 is looked up.  Values that are
 * measured are mostly of few bytes and of a like size, so the search is short and its branches
 * foreseen.
 */
static ref lower_log2(struct unit *u, ref v)
{
	struct irb *b = &u->b;
	ref bytes[WORD_BYTES], below[WORD_BYTES];
	blkid found = ir_block(b);

	for (int i = 0; i < WORD_BYTES; i++) {
		blkid next = 0;

		if (i < WORD_BYTES - 1) {
			blkid here = ir_block(b);

			next = ir_block(b);
			ir_br(b, ir_bin(b, OP_ULT, v, ir_const(b, 1ll << (8 * i + 8))), here,
			      next);
			ir_start(b, here);
		}
		below[i] = ir_const(b, 8 * i);
		bytes[i] = ir_bin(b, OP_SHR, v, below[i]);
		ir_jmp(b, found);
		if (next)
			ir_start(b, next);
	}
	ir_start(b, found);
	ref byte = ir_phi(b, WORD_BYTES, bytes), bits = ir_phi(b, WORD_BYTES, below);
	ref at = ir_bin(b, OP_ADD, ir_mapval(b, log2_table(u), 0), byte);
	return ir_bin(b, OP_ADD, ir_load(b, 1, at, 0), bits);
}

/* Joins the ways to a bucket number. */
struct buckets {
	blkid done;
	ref values[66]; /* llhist() has a way for each power, and two more */
	unsigned n;
};

static void bucket_is(struct unit *u, struct buckets *k, ref v)
{
	k->values[k->n++] = v;
	ir_jmp(&u->b, k->done);
}

static ref hist_bucket_of(struct unit *u, const struct type *agg, ref v)
{
	struct irb *b = &u->b;
	int64_t bits = agg->hist.bits;
	struct buckets k = { .done = ir_block(b) };
	blkid negative = ir_block(b), positive = ir_block(b), small = ir_block(b),
	      big = ir_block(b);

	ir_br(b, ir_bin(b, OP_SLT, v, ir_const(b, 0)), negative, positive);
	ir_start(b, negative);
	bucket_is(u, &k, ir_const(b, 0));

	ir_start(b, positive);
	ir_br(b, ir_bin(b, OP_ULT, v, ir_const(b, 1ll << bits)), small, big);
	ir_start(b, small);
	bucket_is(u, &k, ir_bin(b, OP_ADD, v, ir_const(b, 1)));

	ir_start(b, big);
	ref s = ir_bin(b, OP_SUB, lower_log2(u, v), ir_const(b, bits));
	ref sub = ir_bin(b, OP_AND, ir_bin(b, OP_SHR, v, s), ir_const(b, (1ll << bits) - 1));
	ref row = ir_bin(b, OP_SHL, ir_bin(b, OP_ADD, s, ir_const(b, 1)), ir_const(b, bits));
	bucket_is(u, &k, ir_bin(b, OP_ADD, ir_bin(b, OP_ADD, row, sub), ir_const(b, 1)));

	ir_start(b, k.done);
	return ir_phi(b, k.n, k.values);
}

static ref lhist_bucket_of(struct unit *u, const struct type *agg, ref v)
{
	struct irb *b = &u->b;
	struct buckets k = { .done = ir_block(b) };
	blkid below = ir_block(b), inside = ir_block(b), above = ir_block(b),
	      within = ir_block(b);

	ir_br(b, ir_bin(b, OP_SLT, v, ir_const(b, agg->hist.min)), below, inside);
	ir_start(b, below);
	bucket_is(u, &k, ir_const(b, 0));

	ir_start(b, inside);
	ir_br(b, ir_bin(b, OP_SGT, v, ir_const(b, agg->hist.max)), above, within);
	ir_start(b, above);
	bucket_is(u, &k, ir_const(b, 1 + (agg->hist.max - agg->hist.min) / agg->hist.step));

	ir_start(b, within);
	ref at = ir_bin(b, OP_SUB, v, ir_const(b, agg->hist.min));
	at = ir_bin(b, OP_UDIV, at, ir_const(b, agg->hist.step));
	bucket_is(u, &k, ir_bin(b, OP_ADD, at, ir_const(b, 1)));

	ir_start(b, k.done);
	return ir_phi(b, k.n, k.values);
}

/* Rows of one power, which v lies in. */
static void llhist_rows_of(struct unit *u, const struct type *agg, ref v, int64_t exp,
			   struct buckets *k)
{
	struct irb *b = &u->b;
	uint64_t power = llhist_power(agg, exp);
	uint64_t width = power / (uint64_t)(agg->hist.step / agg->hist.bits);
	int64_t before = 1 + (exp - agg->hist.min) * llhist_rows(agg);
	ref at = ir_bin(b, OP_SUB, v, ir_const(b, (int64_t)power));

	at = ir_bin(b, OP_UDIV, at, ir_const(b, (int64_t)width));
	bucket_is(u, k, ir_bin(b, OP_ADD, at, ir_const(b, before)));
}

/* From the greatest power down: the first one that is not above v. */
static ref llhist_bucket_of(struct unit *u, const struct type *agg, ref v)
{
	struct irb *b = &u->b;
	struct buckets k = { .done = ir_block(b) };
	uint64_t end = llhist_power(agg, agg->hist.max + 1);
	blkid below = ir_block(b), inside = ir_block(b), above = ir_block(b),
	      lower = ir_block(b);

	ir_br(b, ir_bin(b, OP_SLT, v, ir_const(b, (int64_t)llhist_power(agg, agg->hist.min))),
	      below, inside);
	ir_start(b, below);
	bucket_is(u, &k, ir_const(b, 0));
	ir_start(b, inside);
	ir_br(b, ir_bin(b, OP_UGE, v, ir_const(b, (int64_t)end)), above, lower);
	ir_start(b, above);
	bucket_is(u, &k, ir_const(b, hist_buckets(agg) - 1));

	for (int64_t exp = agg->hist.max; exp > agg->hist.min; exp--) {
		blkid here = ir_block(b);

		ir_start(b, lower);
		ref power = ir_const(b, (int64_t)llhist_power(agg, exp));
		lower = ir_block(b);
		ir_br(b, ir_bin(b, OP_UGE, v, power), here, lower);
		ir_start(b, here);
		llhist_rows_of(u, agg, v, exp, &k);
	}
	ir_start(b, lower);
	llhist_rows_of(u, agg, v, agg->hist.min, &k);
	ir_start(b, k.done);
	return ir_phi(b, k.n, k.values);
}

static ref bucket_of(struct unit *u, const struct type *agg, ref v)
{
	switch (agg->kind) {
	case T_HIST: return hist_bucket_of(u, agg, v);
	case T_LHIST: return lhist_bucket_of(u, agg, v);
	default: return llhist_bucket_of(u, agg, v);
	}
}

static void update_hist(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;
	ref v = lower_integer(u, e->args[0]);
	ref bucket = bucket_of(u, agg, v);
	blkid inside = ir_block(b), done = ir_block(b);

	/* Always true; said once more in the verifier's terms. */
	ir_br(b, ir_bin(b, OP_ULT, bucket, ir_const(b, hist_buckets(agg))), inside, done);
	ir_start(b, inside);
	ref at = ir_bin(b, OP_ADD, p, ir_bin(b, OP_SHL, bucket, ir_const(b, 3)));
	ir_atomic_add(b, 8, at, 0, ir_const(b, 1));
	ir_jmp(b, done);
	ir_start(b, done);
}

BUILTINS(aggregate) = {
	{ "count", "? count()", BI_AGG, check_count, .update = update_count,
	  .doc = "Counts how often it is called." },
	{ "sum", "? sum(real)", BI_AGG, check_sum, .update = update_sum, .doc = "Adds up." },
	{ "min", "? min(real)", BI_AGG, check_min, .update = update_extreme,
	  .doc = "Keeps the smallest." },
	{ "max", "? max(real)", BI_AGG, check_max, .update = update_extreme,
	  .doc = "Keeps the greatest." },
	{ "avg", "? avg(real)", BI_AGG, check_avg, .update = update_avg,
	  .doc = "The average." },
	{ "stats", "? stats(real)", BI_AGG, check_stats, .update = update_avg,
	  .doc = "Count, average and total." },
	{ "stddev", "? stddev(int)", BI_AGG, check_stddev, .update = update_stddev,
	  .doc = "The standard deviation, of all values as the whole population." },
	{ "llhist", "? llhist(real, [num, num, num, num])", BI_AGG, check_llhist,
	  .update = update_hist,
	  .doc = "A log-linear histogram: value, base, lowest and highest power, steps per power." },
	{ "hist", "? hist(real, [num])", BI_AGG, check_hist, .update = update_hist,
	  .doc = "A power-of-two histogram; 2^bits rows per power (0 to 5, default 0)." },
	{ "lhist", "? lhist(real, num, num, num)", BI_AGG, check_lhist, .update = update_hist,
	  .doc = "A linear histogram: value, min, max, step." },
	{ 0 },
};
