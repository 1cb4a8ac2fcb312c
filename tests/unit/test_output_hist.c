#include "output/hist.h"
#include "output_values.h"

static void check_hist(const struct value *v, const char *expected)
{
	auto_sb struct sb sb = {};

	hist_text(v, &sb);
	assert_string_equal(sb_str(&sb), expected);
}
#define assert_hist(v, expected) check_hist(&(v), (expected))

static void check_label(const struct value *v, struct value_bucket b, const char *expected)
{
	auto_sb struct sb sb = {};

	hist_label(v, &b, &sb);
	assert_string_equal(sb_str(&sb), expected);
}
#define assert_label(v, b, expected) check_label(&(v), (struct value_bucket)b, (expected))

static void power_of_two_rows(void **state)
{
	static const struct value_bucket b[] = { BUCKET_BELOW(0, 1), BUCKET(0, 1, 4),
						 BUCKET(1, 2, 0), BUCKET(2, 4, 9),
						 BUCKET(4, 8, 3) };
	(void)state;

	assert_hist(
		VHIST(b, .log2 = true),
		"(..., 0)               1 |@@@@@                                               |\n"
		"[0]                    4 |@@@@@@@@@@@@@@@@@@@@@@@                             |\n"
		"[1]                    0 |                                                    |\n"
		"[2, 4)                 9 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		"[4, 8)                 3 |@@@@@@@@@@@@@@@@@                                   |\n");
}

static void finer_rows(void **state)
{
	static const struct value_bucket b[] = { BUCKET(4, 5, 1), BUCKET(5, 6, 2),
						 BUCKET(6, 7, 0), BUCKET(7, 8, 0),
						 BUCKET(8, 10, 3) };
	(void)state;

	assert_hist(
		VHIST(b, .log2 = true, .hist_bits = 2),
		"[4]                    1 |@@@@@@@@@@@@@@@@@                                   |\n"
		"[5]                    2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@                  |\n"
		"[6]                    0 |                                                    |\n"
		"[7]                    0 |                                                    |\n"
		"[8, 10)                3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
}

static void linear_rows(void **state)
{
	static const struct value_bucket b[] = { BUCKET(0, 5, 2), BUCKET(5, 10, 0),
						 BUCKET(10, 15, 6), BUCKET_ABOVE(15, 1) };
	(void)state;

	assert_hist(
		VHIST(b, .hist_step = 5),
		"[0, 5)                 2 |@@@@@@@@@@@@@@@@@                                   |\n"
		"[5, 10)                0 |                                                    |\n"
		"[10, 15)               6 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		"[15, ...)              1 |@@@@@@@@                                            |\n");
}

static void rows_without_hits_are_not_shown(void **state)
{
	static const struct value_bucket b[] = { BUCKET(0, 5, 0), BUCKET(5, 10, 0) };
	(void)state;

	assert_hist(V(V_HIST, .log2 = true), "");
	assert_hist(VHIST(b, .hist_step = 5), "");
}

/* The rows are those of the undivided counts; nothing divides by the largest count of 0. */
static void counts_are_divided_before_the_bars(void **state)
{
	static const struct value_bucket ones[] = { BUCKET(2, 4, 1), BUCKET(4, 8, 0),
						    BUCKET(8, 16, 1) };
	static const struct value_bucket nines[] = { BUCKET(2, 4, 9), BUCKET(4, 8, 5) };
	(void)state;

	assert_hist(
		VHIST(ones, .log2 = true, .div = 2),
		"[2, 4)                 0 |                                                    |\n"
		"[4, 8)                 0 |                                                    |\n"
		"[8, 16)                0 |                                                    |\n");
	assert_hist(
		VHIST(nines, .log2 = true, .div = 2),
		"[2, 4)                 4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		"[4, 8)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n");
}

static void large_counts_and_long_labels_push_the_row(void **state)
{
	static const struct value_bucket b[] = { BUCKET(1000000000, 1000000005, 123456789) };
	(void)state;

	assert_hist(VHIST(b, .hist_step = 5),
		    "[1000000000, 1000000005)123456789 "
		    "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
}

/* The suffix follows the width of the bucket, so it comes later in finer histograms. */
static void power_of_two_labels_get_suffixes(void **state)
{
	const struct value coarse = V(V_HIST, .log2 = true);
	const struct value fine = V(V_HIST, .log2 = true, .hist_bits = 3);
	(void)state;

	assert_label(coarse, BUCKET(512, 1024, 1), "[512, 1K)");
	assert_label(coarse, BUCKET(1 << 19, 1 << 20, 1), "[512K, 1M)");
	assert_label(coarse, BUCKET(1LL << 29, 1LL << 30, 1), "[512M, 1G)");
	assert_label(coarse, BUCKET(1LL << 39, 1LL << 40, 1), "[512G, 1T)");
	assert_label(coarse, BUCKET(1LL << 49, 1LL << 50, 1), "[512T, 1P)");
	assert_label(coarse, BUCKET(1LL << 59, 1LL << 60, 1), "[512P, 1E)");
	assert_label(coarse, BUCKET(1LL << 62, INT64_MIN, 1), "[4E, 8E)");
	assert_label(coarse, BUCKET_ABOVE(1LL << 62, 1), "[4E, ...)");

	assert_label(fine, BUCKET(960, 1024, 1), "[960, 1024)");
	assert_label(fine, BUCKET(1024, 1152, 1), "[1024, 1152)");
	assert_label(fine, BUCKET(7680, 8192, 1), "[7680, 8K)");
	assert_label(fine, BUCKET(15 << 19, 16 << 19, 1), "[7680K, 8M)");
	assert_label(fine, BUCKET(15, 16, 1), "[15]");
}

static void linear_labels_get_suffixes_by_their_step(void **state)
{
	const struct value kilo = V(V_HIST, .hist_step = 1024);
	const struct value half = V(V_HIST, .hist_step = 512);
	const struct value mega = V(V_HIST, .hist_step = 1 << 20);
	const struct value one = V(V_HIST, .hist_step = 1);
	(void)state;

	assert_label(kilo, BUCKET(0, 1024, 1), "[0, 1K)");
	assert_label(kilo, BUCKET(1023 << 10, 1 << 20, 1), "[1023K, 1M)");
	assert_label(kilo, BUCKET(100, 1124, 1), "[100, 1124)");
	assert_label(kilo, BUCKET_ABOVE(10240, 1), "[10K, ...)");
	assert_label(kilo, BUCKET_BELOW(2048, 1), "(..., 2K)");
	assert_label(half, BUCKET(2048, 2560, 1), "[2048, 2560)");
	assert_label(mega, BUCKET(1 << 20, 2 << 20, 1), "[1M, 2M)");
	assert_label(one, BUCKET(3, 4, 1), "[3]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_of_two_rows),
		cmocka_unit_test(finer_rows),
		cmocka_unit_test(linear_rows),
		cmocka_unit_test(rows_without_hits_are_not_shown),
		cmocka_unit_test(counts_are_divided_before_the_bars),
		cmocka_unit_test(large_counts_and_long_labels_push_the_row),
		cmocka_unit_test(power_of_two_labels_get_suffixes),
		cmocka_unit_test(linear_labels_get_suffixes_by_their_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
