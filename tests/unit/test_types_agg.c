#include "types/agg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct type hist(int64_t bits)
{
	return (struct type){ .kind = T_HIST, .hist = { .bits = bits } };
}

static struct type lhist(int64_t min, int64_t max, int64_t step)
{
	return (struct type){ .kind = T_LHIST,
			      .hist = { .min = min, .max = max, .step = step } };
}

static void test_words(void **state)
{
	static const struct {
		enum type_kind kind;
		uint32_t words;
	} cases[] = {
		{ T_COUNT, 2 }, { T_SUM, 2 },	{ T_MIN, 2 }, { T_MAX, 2 },
		{ T_AVG, 3 },	{ T_STATS, 3 }, { T_INT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct type t = { .kind = cases[i].kind };

		assert_int_equal(agg_words(&t), cases[i].words);
		if (cases[i].words)
			assert_int_equal(agg_set_word(&t), cases[i].words - 1);
	}
	struct type h = hist(0);
	assert_int_equal(agg_words(&h), hist_buckets(&h) + 1);
	assert_int_equal(agg_set_word(&h), hist_buckets(&h));
}

static void test_log2_buckets_by_hand(void **state)
{
	static const struct {
		int64_t v;
		uint32_t bucket;
	} cases[] = {
		{ -1, 0 }, { INT64_MIN, 0 }, { 0, 1 },	   { 1, 2 },	 { 2, 3 },
		{ 3, 3 },  { 4, 4 },	     { 1023, 11 }, { 1024, 12 }, { INT64_MAX, 64 },
	};
	struct type h0 = hist(0), h2 = hist(2);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hist_bucket(&h0, cases[i].v), cases[i].bucket);
	/* Two bits: 4 ... 7 alone, then in twos, in fours. */
	assert_int_equal(hist_bucket(&h2, 4), 5);
	assert_int_equal(hist_bucket(&h2, 7), 8);
	assert_int_equal(hist_bucket(&h2, 8), 9);
	assert_int_equal(hist_bucket(&h2, 9), 9);
	assert_int_equal(hist_bucket(&h2, 10), 10);
	assert_int_equal(hist_bucket(&h2, 16), 13);
}

/* Bounds and buckets are each other's inverse, the buckets leave no gap. */
static void test_log2_bounds_hold_their_values(void **state)
{
	(void)state;
	for (int bits = 0; bits <= 5; bits++) {
		struct type t = hist(bits);
		uint32_t n = hist_buckets(&t);
		bool has_lo, has_hi;
		int64_t lo, hi, last = 0;

		assert_true(n <= HIST_BUCKETS_MAX);
		assert_int_equal(hist_bucket(&t, INT64_MAX), n - 1);
		for (uint32_t i = 0; i < n; i++) {
			hist_bounds(&t, i, &has_lo, &lo, &has_hi, &hi);
			assert_int_equal(has_lo, i > 0);
			assert_true(has_hi);
			if (i > 0) {
				assert_true(lo == last);
				assert_int_equal(hist_bucket(&t, lo), i);
			}
			int64_t top = (int64_t)((uint64_t)hi - 1);
			assert_int_equal(hist_bucket(&t, top), i);
			last = hi;
		}
		assert_true((uint64_t)last == 1ull << 63);
	}
}

static void test_linear_buckets_by_hand(void **state)
{
	struct type t = lhist(0, 15, 5);

	(void)state;
	assert_int_equal(hist_buckets(&t), 5);
	assert_int_equal(hist_bucket(&t, -1), 0);
	assert_int_equal(hist_bucket(&t, 0), 1);
	assert_int_equal(hist_bucket(&t, 4), 1);
	assert_int_equal(hist_bucket(&t, 5), 2);
	assert_int_equal(hist_bucket(&t, 14), 3);
	assert_int_equal(hist_bucket(&t, 15), 4);
	assert_int_equal(hist_bucket(&t, 1000), 4);
}

static void assert_linear(struct type t)
{
	uint32_t n = hist_buckets(&t);
	bool has_lo, has_hi;
	int64_t lo, hi;

	for (uint32_t i = 0; i < n; i++) {
		hist_bounds(&t, i, &has_lo, &lo, &has_hi, &hi);
		assert_int_equal(has_lo, i > 0);
		assert_int_equal(has_hi, i < n - 1);
		if (has_lo)
			assert_int_equal(hist_bucket(&t, lo), i);
		if (has_hi)
			assert_int_equal(hist_bucket(&t, hi - 1), i);
	}
}

static void test_linear_bounds_hold_their_values(void **state)
{
	(void)state;
	assert_linear(lhist(0, 15, 5));
	assert_linear(lhist(0, 17, 5));
	assert_linear(lhist(-100, 100, 1));
	assert_linear(lhist(3, 4, 10));
	assert_linear(lhist(INT64_MIN + 1, INT64_MAX - 1, INT64_MAX / 100));
}

static void test_too_many_linear_buckets_are_cut(void **state)
{
	struct type t = lhist(INT64_MIN, INT64_MAX, 1);

	(void)state;
	assert_int_equal(hist_buckets(&t), HIST_BUCKETS_MAX);
	assert_int_equal(hist_bucket(&t, INT64_MAX), HIST_BUCKETS_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_log2_buckets_by_hand),
		cmocka_unit_test(test_log2_bounds_hold_their_values),
		cmocka_unit_test(test_linear_buckets_by_hand),
		cmocka_unit_test(test_linear_bounds_hold_their_values),
		cmocka_unit_test(test_too_many_linear_buckets_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
