/*
 * Log-linear histograms: every value lies within the bounds of its bucket.
 */
#include "types/agg.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool inside(const struct type *t, int64_t v)
{
	bool has_lo, has_hi;
	int64_t lo, hi;
	uint32_t i = hist_bucket(t, v);

	if (i >= hist_buckets(t))
		return false;
	hist_bounds(t, i, &has_lo, &lo, &has_hi, &hi);
	return (!has_lo || v >= lo) && (!has_hi || v < hi);
}

static void values_lie_in_their_buckets(void **state)
{
	static const int64_t terms[][4] = {
		{ 10, 0, 18, 10 }, { 10, 1, 5, 20 }, { 2, 0, 62, 2 },
		{ 2, 3, 5, 4 },	   { 7, 2, 9, 49 },
	};
	struct arena a = {};
	struct typetab tt;

	(void)state;
	typetab_init(&tt, &a);
	for (size_t k = 0; k < sizeof(terms) / sizeof(*terms); k++) {
		const int64_t *w = terms[k];
		const struct type *t = type_llhist(&tt, true, w[0], w[1], w[2], w[3]);

		for (int64_t v = -3; v < 100000; v++)
			assert_true(inside(t, v));
		for (int64_t v = 100000; v < INT64_MAX / 3; v += v / 3)
			for (int64_t d = -2; d <= 2; d++)
				assert_true(inside(t, v + d));
		assert_true(inside(t, INT64_MAX));
		assert_true(inside(t, INT64_MIN));
	}
	arena_free(&a);
}

/* Each row ends where the next one begins, from open to open. */
static void rows_join(void **state)
{
	struct arena a = {};
	struct typetab tt;
	bool has_lo, has_hi;
	int64_t lo, hi, end = 10;

	(void)state;
	typetab_init(&tt, &a);
	const struct type *t = type_llhist(&tt, true, 10, 1, 5, 20);
	uint32_t n = hist_buckets(t);

	assert_int_equal(n, 5 * 18 + 2);
	hist_bounds(t, 0, &has_lo, &lo, &has_hi, &hi);
	assert_false(has_lo);
	assert_int_equal(hi, end);
	for (uint32_t i = 1; i < n - 1; i++) {
		hist_bounds(t, i, &has_lo, &lo, &has_hi, &hi);
		assert_true(has_lo && has_hi);
		assert_int_equal(lo, end);
		end = hi;
	}
	hist_bounds(t, n - 1, &has_lo, &lo, &has_hi, &hi);
	assert_int_equal(lo, 1000000);
	assert_false(has_hi);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_lie_in_their_buckets),
		cmocka_unit_test(rows_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
