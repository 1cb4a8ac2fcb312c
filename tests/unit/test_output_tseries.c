/*
 * Series over time: the graph to the letter, the times of JSON.
 */
#include "output/tseries.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NUMBER(n)                     \
	{                             \
		.kind = V_INT, .i = n \
	}

static const int64_t ten_o_clock = 1767348001ll * 1000000000; /* 2026-01-02 10:00:01 UTC */

static void shows(const struct value *items, size_t n, int64_t step, const char *expected)
{
	auto_sb struct sb sb = {};
	struct value v = { .kind = V_TSERIES,
			   .items = items,
			   .nitems = n,
			   .start = ten_o_clock,
			   .step = step };

	tseries_text(&v, &sb);
	assert_string_equal(sb_str(&sb), expected);
}

static void a_row_per_interval(void **state)
{
	const struct value items[] = { NUMBER(2), NUMBER(4), NUMBER(6), { .kind = V_NONE } };

	(void)state;
	shows(items, 4, 100000000,
	      "             2                                                   6\n"
	      "hh:mm:ss.ms  |___________________________________________________|\n"
	      "10:00:01.000 *                                                   | 2\n"
	      "10:00:01.100 |                         *                         | 4\n"
	      "10:00:01.200 |                                                   * 6\n"
	      "10:00:01.300 |                                                   | -\n"
	      "             v___________________________________________________v\n"
	      "             2                                                   6\n");
}

static void zero_is_marked_and_one_value_is_in_the_middle(void **state)
{
	const struct value around_zero[] = { NUMBER(-1), NUMBER(1) }, zero[] = { NUMBER(0) };

	(void)state;
	shows(around_zero, 2, 1000000000,
	      "         -1                                                  1\n"
	      "hh:mm:ss |___________________________________________________|\n"
	      "10:00:01 *                         .                         | -1\n"
	      "10:00:02 |                         .                         * 1\n"
	      "         v___________________________________________________v\n"
	      "         -1                                                  1\n");
	shows(zero, 1, 1000000000,
	      "         -1                                                  1\n"
	      "hh:mm:ss |___________________________________________________|\n"
	      "10:00:01 |                         *                         | 0\n"
	      "         v___________________________________________________v\n"
	      "         -1                                                  1\n");
}

static void nothing_is_said(void **state)
{
	(void)state;
	shows(NULL, 0, 1000000000, "<no data>\n");
}

static void json_times_are_utc(void **state)
{
	const struct value v = { .kind = V_TSERIES, .start = ten_o_clock, .step = 100000000 };
	auto_sb struct sb sb = {};

	(void)state;
	tseries_time(&v, 3, &sb);
	assert_string_equal(sb_str(&sb), "2026-01-02 10:00:01.300000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_per_interval),
		cmocka_unit_test(zero_is_marked_and_one_value_is_in_the_middle),
		cmocka_unit_test(nothing_is_said),
		cmocka_unit_test(json_times_are_utc),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
