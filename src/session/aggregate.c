#include "session/aggregate.h"

#include <string.h>
#include <time.h>

static const uint64_t sign_bit = 1ull << 63;

static double double_of(uint64_t word)
{
	double f;

	memcpy(&f, &word, sizeof(f));
	return f;
}

static uint64_t word_of(double f)
{
	uint64_t word;

	memcpy(&word, &f, sizeof(f));
	return word;
}

/* The value of one CPU's interval joins that of another CPU's. */
static void fold_interval(const struct type *t, uint64_t *acc, const uint64_t *words)
{
	switch ((enum tseries_fn)t->hist.bits) {
	case TSERIES_AVG:
	case TSERIES_SUM:
		acc[1] += words[1];
		acc[2] += words[2];
		return;
	case TSERIES_MAX:
	case TSERIES_MIN:
		if (words[1] > acc[1])
			acc[1] = words[1];
		return;
	case TSERIES_LAST: break;
	}
	if (words[2] > acc[2]) {
		acc[1] = words[1];
		acc[2] = words[2];
	}
}

static void fold_series(const struct type *t, uint64_t *acc, const uint64_t *words)
{
	uint32_t set = agg_set_word(t);

	for (uint32_t i = 0; i < set; i += TSERIES_WORDS) {
		if (words[i] == acc[i])
			fold_interval(t, acc + i, words + i);
		else if (words[i] > acc[i])
			memcpy(acc + i, words + i, TSERIES_WORDS * sizeof(*acc));
	}
	acc[set] |= words[set];
}

void agg_fold(const struct type *t, uint64_t *acc, const uint64_t *words)
{
	uint32_t n = agg_words(t), set = agg_set_word(t);

	if (t->kind == T_TSERIES) {
		fold_series(t, acc, words);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (i == set)
			acc[i] |= words[i];
		else if (t->is_float && i == 0 && t->kind != T_MIN && t->kind != T_MAX)
			acc[i] = word_of(double_of(acc[i]) + double_of(words[i]));
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
	case T_LLHIST:
	case T_TSERIES: break;
	default: return false;
	}
	for (uint32_t i = 0; i < n; i++)
		if (words[i])
			return true;
	return false;
}

static void put_number(const struct type *t, uint64_t raw, struct value *out)
{
	out->kind = t->is_float ? V_FLOAT : t->is_signed ? V_INT : V_UINT;
	out->u = raw;
	if (t->is_float && out->f != out->f)
		out->f = __builtin_nan("");
}

/* The other direction of the bias that agg.h describes. */
static uint64_t unbias(const struct type *t, uint64_t biased)
{
	uint64_t v = t->kind == T_MIN ? ~biased : biased;

	if (t->is_float)
		return v & sign_bit ? v ^ sign_bit : ~v;
	return t->is_signed ? v ^ sign_bit : v;
}

static uint64_t average(const struct type *t, uint64_t total, uint64_t n)
{
	if (!n)
		return 0;
	if (t->is_float)
		return word_of(double_of(total) / (double)n);
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
	out->rounded = true;
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

/* The set word keeps the newest interval above these two bits. */
enum { NEWEST_SHIFT = 2 };

uint64_t tseries_newest(const struct type *t, const uint64_t *words)
{
	uint64_t newest = words[agg_set_word(t)] >> NEWEST_SHIFT;

	for (uint32_t i = 0; i < agg_set_word(t); i += TSERIES_WORDS)
		if (words[i] > newest)
			newest = words[i];
	return newest;
}

void tseries_set_newest(const struct type *t, uint64_t *words, uint64_t newest)
{
	words[agg_set_word(t)] |= newest << NEWEST_SHIFT;
}

static void put_interval(const struct type *t, const uint64_t *slot, struct value *out)
{
	uint64_t v = slot[1];

	if (t->hist.bits == TSERIES_AVG)
		v = average(t, v, slot[2]);
	else if (t->hist.bits == TSERIES_MIN)
		v = ~v;
	if ((t->hist.bits == TSERIES_MIN || t->hist.bits == TSERIES_MAX) && t->is_signed)
		v ^= sign_bit;
	put_number(t, v, out);
}

enum { NSEC = 1000000000 };

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NSEC + now.tv_nsec;
}

/* How far CLOCK_TAI is ahead of the wall clock: whole seconds, read one after the other. */
static int64_t tai_ahead(void)
{
	int64_t wall = now_ns(CLOCK_REALTIME);

	return (now_ns(CLOCK_TAI) - wall) / NSEC * NSEC;
}

/* From the oldest interval that was seen to the newest; nothing when all are too old. */
static void put_series(struct arena *a, const struct type *t, const uint64_t *words,
		       struct value *out)
{
	uint64_t n = (uint64_t)t->hist.max, newest = tseries_newest(t, words),
		 first = newest + 1;
	uint64_t oldest = newest >= n ? newest - n + 1 : 0;

	out->kind = V_TSERIES;
	out->step = t->hist.step;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t k = words[i * TSERIES_WORDS];

		if (k && k >= oldest && k < first)
			first = k;
	}
	struct value *items = arena_array(a, struct value, newest + 1 - first);
	for (uint64_t k = first; k <= newest; k++) {
		const uint64_t *slot = words + k % n * TSERIES_WORDS;

		if (slot[0] == k)
			put_interval(t, slot, &items[k - first]);
	}
	out->items = items;
	out->nitems = newest + 1 - first;
	out->start = (int64_t)(first * (uint64_t)t->hist.step) - tai_ahead();
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
		out->is_float = t->is_float;
		out->total = (int64_t)words[0];
		out->n = words[1];
		break;
	case T_HIST:
	case T_LHIST:
	case T_LLHIST: put_buckets(a, t, words, out); break;
	case T_STDDEV: put_deviation(words, out); break;
	case T_TSERIES: put_series(a, t, words, out); break;
	default: put_number(t, words[0], out);
	}
}
