/*
 * Aggregates: what each adds to its words (types/agg.h).  Words change by atomic instructions
 * only, so that user space may take them away at any time and nothing is counted twice or lost.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

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

	e->type = type_agg(u->c->tt, kind, t->kind == T_INT && t->is_signed);
	return true;
}

static bool check_sum(struct unit *u, struct expr *e)
{
	return check_agg(u, e, T_SUM);
}

static void update_sum(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	ir_atomic_add(&u->b, 8, p, 0, lower_scalar(u, e->args[0]));
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

/* Stores v where it is greater; tried again should another one come between. */
static void store_greater(struct unit *u, ref p, ref v)
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

static void update_extreme(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;
	ref v = lower_scalar(u, e->args[0]);

	if (agg->is_signed)
		v = ir_bin(b, OP_XOR, v, ir_const(b, INT64_MIN));
	if (agg->kind == T_MIN)
		v = ir_un(b, OP_NOT, v);
	store_greater(u, p, v);
	mark_set(u, agg, p);
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

	(void)agg;
	ir_atomic_add(b, 8, p, 0, lower_scalar(u, e->args[0]));
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
	e->type = type_hist(c->tt, t->kind == T_INT && t->is_signed, bits);
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

/*
 * floor(log2 v) of v > 0: halving the width five times.  Each step moves the upper half down
 * when it is not empty, without a branch that the verifier would have to follow twice.
 */
static ref lower_log2(struct unit *u, ref v)
{
	struct irb *b = &u->b;
	ref log = ir_const(b, 0);

	for (int bits = 32; bits; bits /= 2) {
		ref upper = ir_bin(b, OP_UGT, v, ir_const(b, (int64_t)((1ull << bits) - 1)));
		ref by = ir_bin(b, OP_MUL, upper, ir_const(b, bits));

		v = ir_bin(b, OP_SHR, v, by);
		log = ir_bin(b, OP_ADD, log, by);
	}
	return log;
}

/* Joins the ways to a bucket number. */
struct buckets {
	blkid done;
	ref values[4];
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

static void update_hist(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;
	ref v = lower_scalar(u, e->args[0]);
	ref bucket =
		agg->kind == T_HIST ? hist_bucket_of(u, agg, v) : lhist_bucket_of(u, agg, v);
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
	{ "sum", "? sum(int)", BI_AGG, check_sum, .update = update_sum, .doc = "Adds up." },
	{ "min", "? min(int)", BI_AGG, check_min, .update = update_extreme,
	  .doc = "Keeps the smallest." },
	{ "max", "? max(int)", BI_AGG, check_max, .update = update_extreme,
	  .doc = "Keeps the greatest." },
	{ "avg", "? avg(int)", BI_AGG, check_avg, .update = update_avg, .doc = "The average." },
	{ "stats", "? stats(int)", BI_AGG, check_stats, .update = update_avg,
	  .doc = "Count, average and total." },
	{ "hist", "? hist(int, [num])", BI_AGG, check_hist, .update = update_hist,
	  .doc = "A power-of-two histogram; 2^bits rows per power (0 to 5, default 0)." },
	{ "lhist", "? lhist(int, num, num, num)", BI_AGG, check_lhist, .update = update_hist,
	  .doc = "A linear histogram: value, min, max, step." },
	{ 0 },
};
