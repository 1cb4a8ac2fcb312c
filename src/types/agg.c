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
	case T_STDDEV: return 6;
	case T_HIST:
	case T_LHIST:
	case T_LLHIST: return hist_buckets(t) + 1;
	case T_TSERIES: return TSERIES_WORDS * (uint32_t)t->hist.max + 1;
	default: return 0;
	}
}

bool agg_is_long(const struct type *t)
{
	enum { FEW = 8 };

	return agg_words(t) > FEW;
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

uint32_t llhist_rows(const struct type *t)
{
	return (uint32_t)(t->hist.step - t->hist.step / t->hist.bits);
}

uint64_t llhist_power(const struct type *t, int64_t exp)
{
	uint64_t p = 1;

	for (int64_t i = 0; i < exp; i++)
		if (__builtin_mul_overflow(p, (uint64_t)t->hist.bits, &p))
			return UINT64_MAX;
	return p;
}

/* How many values a row has in the power that is base^exp. */
static uint64_t llhist_width(const struct type *t, int64_t exp)
{
	uint64_t p = llhist_power(t, exp);

	/* base divides steps: the order keeps it exact, and within 64 bits */
	return p / ((uint64_t)t->hist.step / (uint64_t)t->hist.bits);
}

uint32_t hist_buckets(const struct type *t)
{
	if (t->kind == T_LLHIST)
		return (uint32_t)(t->hist.max - t->hist.min + 1) * llhist_rows(t) + 2;
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

static uint32_t llhist_bucket(const struct type *t, int64_t v)
{
	uint32_t rows = llhist_rows(t);
	int64_t exp = t->hist.min;

	if (v < 0 || (uint64_t)v < llhist_power(t, exp))
		return 0;
	while (exp <= t->hist.max && (uint64_t)v >= llhist_power(t, exp + 1))
		exp++;
	if (exp > t->hist.max)
		return hist_buckets(t) - 1;
	return 1 + (uint32_t)(exp - t->hist.min) * rows +
	       (uint32_t)(((uint64_t)v - llhist_power(t, exp)) / llhist_width(t, exp));
}

/* Row i of all rows of all powers begins here; behind the last one the last power ends. */
static uint64_t llhist_begin(const struct type *t, uint32_t i)
{
	uint32_t rows = llhist_rows(t);
	int64_t exp = t->hist.min + i / rows;

	return llhist_power(t, exp) + i % rows * llhist_width(t, exp);
}

/* No value is beyond int64, so a row that reaches there has no end. */
static void llhist_bounds(const struct type *t, uint32_t i, bool *has_lo, int64_t *lo,
			  bool *has_hi, int64_t *hi)
{
	uint64_t end = llhist_begin(t, i);

	*has_lo = i > 0;
	*lo = i > 0 ? (int64_t)llhist_begin(t, i - 1) : 0;
	*has_hi = i + 1 < hist_buckets(t) && end <= INT64_MAX;
	*hi = *has_hi ? (int64_t)end : 0;
}

uint32_t hist_bucket(const struct type *t, int64_t v)
{
	if (t->kind == T_LLHIST)
		return llhist_bucket(t, v);
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
	if (t->kind == T_LLHIST) {
		llhist_bounds(t, i, has_lo, lo, has_hi, hi);
		return;
	}
	if (t->kind != T_HIST) {
		linear_bounds(t, i, has_lo, lo, has_hi, hi);
		return;
	}
	*has_lo = i > 0;
	*lo = i > 0 ? log2_end((unsigned)t->hist.bits, i - 1) : 0;
	*has_hi = true;
	*hi = log2_end((unsigned)t->hist.bits, i);
}
