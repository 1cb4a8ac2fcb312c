#include "session/aggregate.h"

static const uint64_t sign_bit = 1ull << 63;

void agg_fold(const struct type *t, uint64_t *acc, const uint64_t *words)
{
	uint32_t n = agg_words(t), set = agg_set_word(t);

	for (uint32_t i = 0; i < n; i++) {
		if (i == set)
			acc[i] |= words[i];
		else if (t->kind != T_MIN && t->kind != T_MAX)
			acc[i] += words[i];
		else if (words[i] > acc[i])
			acc[i] = words[i];
	}
}

bool agg_exists(const struct type *t, const uint64_t *words)
{
	uint32_t n = agg_words(t);

	if (words[agg_set_word(t)])
		return true;
	switch (t->kind) {
	case T_COUNT: return words[0] != 0;
	case T_AVG:
	case T_STATS:
	case T_STDDEV: return words[1] != 0;
	case T_HIST:
	case T_LHIST:
	case T_LLHIST: break;
	default: return false;
	}
	for (uint32_t i = 0; i < n; i++)
		if (words[i])
			return true;
	return false;
}

static void put_number(const struct type *t, uint64_t raw, struct value *out)
{
	out->kind = t->is_signed ? V_INT : V_UINT;
	out->u = raw;
}

/* The other direction of the bias that agg.h describes. */
static uint64_t unbias(const struct type *t, uint64_t biased)
{
	uint64_t v = t->kind == T_MIN ? ~biased : biased;

	return t->is_signed ? v ^ sign_bit : v;
}

static uint64_t average(const struct type *t, uint64_t total, uint64_t n)
{
	if (!n)
		return 0;
	return t->is_signed ? (uint64_t)((int64_t)total / (int64_t)n) : total / n;
}

/* By Newton's method, which needs no library; v is not negative. */
static long double square_root(long double v)
{
	enum { ROUNDS_MAX = 200 };
	long double x = v > 1 ? v : 1;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		long double next = (x + v / x) / 2;

		if (next >= x)
			break;
		x = next;
	}
	return v > 0 ? x : 0;
}

/*
 * sqrt(n * squares - total^2) / n: of the whole population.  The difference is exact as long as
 * n * squares fits 128 bits, so that a small spread around a large mean is not lost.
 */
static void put_deviation(const uint64_t *words, struct value *out)
{
	unsigned __int128 squares = words[2] + ((unsigned __int128)words[3] << 32) +
				    ((unsigned __int128)words[4] << 64);
	__int128 total = (int64_t)words[0];
	uint64_t n = words[1];
	unsigned __int128 whole;
	long double spread;

	if (__builtin_mul_overflow(squares, (unsigned __int128)n, &whole))
		spread = (long double)squares * n - (long double)total * (long double)total;
	else
		spread = (long double)(whole - (unsigned __int128)(total * total));
	out->kind = V_FLOAT;
	out->f = n ? (double)(square_root(spread) / n) : 0;
}

static void put_buckets(struct arena *a, const struct type *t, const uint64_t *words,
			struct value *out)
{
	uint32_t end = hist_buckets(t), first = 0;

	while (first < end && !words[first])
		first++;
	while (end > first && !words[end - 1])
		end--;

	struct value_bucket *buckets = arena_array(a, struct value_bucket, end - first);
	for (uint32_t i = first; i < end; i++) {
		struct value_bucket *b = &buckets[i - first];

		hist_bounds(t, i, &b->has_lo, &b->lo, &b->has_hi, &b->hi);
		b->n = words[i];
	}
	out->kind = V_HIST;
	out->log2 = t->kind == T_HIST;
	out->hist_bits = (int)t->hist.bits;
	out->hist_step = t->kind == T_LHIST ? t->hist.step : 1;
	out->buckets = buckets;
	out->nitems = end - first;
}

void agg_value(struct arena *a, const struct type *t, const uint64_t *words, struct value *out)
{
	*out = (struct value){};
	switch (t->kind) {
	case T_MIN:
	case T_MAX: put_number(t, words[1] & AGG_SEEN ? unbias(t, words[0]) : 0, out); break;
	case T_AVG: put_number(t, average(t, words[0], words[1]), out); break;
	case T_STATS:
		out->kind = V_STATS;
		out->is_signed = t->is_signed;
		out->total = (int64_t)words[0];
		out->n = words[1];
		break;
	case T_HIST:
	case T_LHIST:
	case T_LLHIST: put_buckets(a, t, words, out); break;
	case T_STDDEV: put_deviation(words, out); break;
	default: put_number(t, words[0], out);
	}
}
