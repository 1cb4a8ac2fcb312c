#include "types/agg.h"

uint32_t agg_words(const struct type *t)
{
	switch (t->kind) {
	case T_COUNT:
	case T_SUM:
	case T_MIN:
	case T_MAX: return 2;
	case T_AVG:
	case T_STATS: return 3;
	case T_HIST:
	case T_LHIST: return hist_buckets(t) + 1;
	default: return 0;
	}
}

uint32_t agg_set_word(const struct type *t)
{
	uint32_t words = agg_words(t);

	return words ? words - 1 : 0;
}

/* Steps from min to v; the difference may exceed int64. */
static uint64_t steps(const struct type *t, int64_t v)
{
	return ((uint64_t)v - (uint64_t)t->hist.min) / (uint64_t)t->hist.step;
}

uint32_t hist_buckets(const struct type *t)
{
	if (t->kind == T_HIST)
		return (uint32_t)((64 - t->hist.bits) << t->hist.bits) + 1;

	uint64_t n = steps(t, t->hist.max);
	return n < HIST_BUCKETS_MAX - 2 ? (uint32_t)n + 2 : HIST_BUCKETS_MAX;
}

static uint32_t log2_bucket(unsigned bits, int64_t v)
{
	if (v < 0)
		return 0;
	if (v < (int64_t)1 << bits)
		return (uint32_t)v + 1;

	unsigned shift = 63 - (unsigned)__builtin_clzll((uint64_t)v) - bits;
	uint32_t low = (uint32_t)(v >> shift) & ((1u << bits) - 1);
	return ((shift + 1) << bits) + low + 1;
}

static uint32_t linear_bucket(const struct type *t, int64_t v)
{
	uint32_t last = hist_buckets(t) - 1;

	if (v < t->hist.min)
		return 0;
	if (v > t->hist.max)
		return last;

	uint64_t n = steps(t, v);
	return n < last ? (uint32_t)n + 1 : last;
}

uint32_t hist_bucket(const struct type *t, int64_t v)
{
	return t->kind == T_HIST ? log2_bucket((unsigned)t->hist.bits, v) : linear_bucket(t, v);
}

/* The first value behind bucket i of hist(); 2^63 wraps round. */
static int64_t log2_end(unsigned bits, uint32_t i)
{
	uint64_t one = (uint64_t)1 << bits;

	if (i <= 2 * one)
		return i;
	return (int64_t)((one + i % one) << ((i >> bits) - 1));
}

static void linear_bounds(const struct type *t, uint32_t i, bool *has_lo, int64_t *lo,
			  bool *has_hi, int64_t *hi)
{
	uint64_t min = (uint64_t)t->hist.min, step = (uint64_t)t->hist.step;

	*has_lo = i > 0;
	*lo = i > 0 ? (int64_t)(min + (i - 1) * step) : 0;
	*has_hi = i + 1 < hist_buckets(t);
	*hi = *has_hi ? (int64_t)(min + i * step) : 0;
}

void hist_bounds(const struct type *t, uint32_t i, bool *has_lo, int64_t *lo, bool *has_hi,
		 int64_t *hi)
{
	if (t->kind != T_HIST) {
		linear_bounds(t, i, has_lo, lo, has_hi, hi);
		return;
	}
	*has_lo = i > 0;
	*lo = i > 0 ? log2_end((unsigned)t->hist.bits, i - 1) : 0;
	*has_hi = true;
	*hi = log2_end((unsigned)t->hist.bits, i);
}
