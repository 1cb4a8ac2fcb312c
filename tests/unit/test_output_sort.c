#include "output/sort.h"
#include "output_values.h"

static int compare(void *arg, uint32_t a, uint32_t b)
{
	const struct map_entry *entries = arg;

	return map_compare_keys(entries[a].key, entries[b].key);
}

/* Puts the entries into the order of their ranks. */
static void sort(struct map_entry *entries, size_t n)
{
	struct map_rank ranks[8];
	struct map_entry sorted[8];

	for (size_t i = 0; i < n; i++)
		ranks[i] = map_rank(&entries[i], (uint32_t)i);
	map_sort(ranks, n, compare, entries);
	for (size_t i = 0; i < n; i++)
		sorted[i] = entries[ranks[i].index];
	memcpy(entries, sorted, n * sizeof(*entries));
}

/* Sorts the entries and compares the map's text. */
static void check_sorted(struct map_entry *entries, size_t n, const char *expected)
{
	struct map_view m = { .name = "@x",
			      .keyed = true,
			      .nentries = n,
			      .entry = map_array_entry,
			      .arg = entries };

	sort(entries, n);
	assert_writes(expected, sink_find("text")->map(out, &m));
}
#define assert_sorted(entries, expected) \
	check_sorted(entries, sizeof(entries) / sizeof((entries)[0]), expected)

static void numbers_go_up_by_value(void **state)
{
	struct map_entry sums[] = { { &VINT(3), VINT(-7) },
				    { &VINT(2), VINT(100) },
				    { &VINT(-1), VINT(5) } };
	struct map_entry unsigned_sums[] = { { &VINT(1), VUINT(UINT64_MAX) },
					     { &VINT(2), VUINT(4) } };
	struct map_entry enums[] = { { &VINT(1), V(V_ENUM, .i = 2, .text = "A") },
				     { &VINT(2), V(V_ENUM, .i = 1, .text = "B") } };
	(void)state;

	assert_sorted(sums, "@x[3]: -7\n@x[-1]: 5\n@x[2]: 100\n");
	assert_sorted(unsigned_sums, "@x[2]: 4\n@x[1]: 18446744073709551615\n");
	assert_sorted(enums, "@x[2]: B\n@x[1]: A\n");
}

static void stats_go_up_by_average(void **state)
{
	struct map_entry e[] = { { &VSTR("high"), VSTATS(1, 9) },
				 { &VSTR("low"), VSTATS(10, -20) },
				 { &VSTR("mid"), VSTATS(10, 20) } };
	(void)state;

	assert_sorted(e, "@x[low]: { .count = 10, .average = -2, .total = -20 }\n"
			 "@x[mid]: { .count = 10, .average = 2, .total = 20 }\n"
			 "@x[high]: { .count = 1, .average = 9, .total = 9 }\n");
}

static void histograms_go_up_by_total_count(void **state)
{
	static const struct value_bucket many[] = { BUCKET(0, 1, 2), BUCKET(1, 2, 2) };
	static const struct value_bucket few[] = { BUCKET(0, 1, 3) };
	struct map_entry e[] = { { &VSTR("a"), VHIST(many, .log2 = true) },
				 { &VSTR("b"), VHIST(few, .log2 = true) } };
	(void)state;

	sort(e, 2);
	assert_string_equal(e[0].key->text, "b");
	assert_string_equal(e[1].key->text, "a");
}

static void the_rest_goes_up_by_key(void **state)
{
	struct map_entry ints[] = { { &VINT(4), VSTR("b") },
				    { &VINT(-5), VSTR("c") },
				    { &VINT(2), VSTR("a") } };
	struct map_entry strings[] = { { &VSTR("b"), VTEXT("1") },
				       { &VSTR("ab"), VTEXT("2") },
				       { &VSTR("a"), VTEXT("3") },
				       { &VSTR("Z"), VTEXT("4") },
				       { &VSTR("\xff"), VTEXT("5") } };
	struct map_entry tuples[] = { { &VTUPLE(VINT(2), VSTR("a")), VBOOL(0) },
				      { &VTUPLE(VINT(1), VSTR("b")), VBOOL(1) },
				      { &VTUPLE(VINT(1), VSTR("a")), VBOOL(1) } };
	(void)state;

	assert_sorted(ints, "@x[-5]: c\n@x[2]: a\n@x[4]: b\n");
	assert_sorted(strings, "@x[Z]: 4\n@x[a]: 3\n@x[ab]: 2\n@x[b]: 1\n@x[\xff]: 5\n");
	assert_sorted(tuples, "@x[1, a]: true\n@x[1, b]: true\n@x[2, a]: false\n");
}

static void equal_values_are_ordered_by_key(void **state)
{
	struct map_entry e[] = { { &VSTR("c"), VINT(1) },
				 { &VSTR("a"), VINT(1) },
				 { &VSTR("b"), VINT(0) } };
	struct map_entry stacks[] = { { &VITEMS(V_STACK, VTEXT("b")), VINT(1) },
				      { &VITEMS(V_STACK, VTEXT("a")), VINT(1) } };
	struct map_entry pointers[] = { { &VPTR(UINT64_MAX), VINT(1) }, { &VPTR(7), VINT(1) } };
	(void)state;

	assert_sorted(e, "@x[b]: 0\n@x[a]: 1\n@x[c]: 1\n");
	assert_sorted(stacks, "@x[\na\n]: 1\n@x[\nb\n]: 1\n");
	assert_sorted(pointers, "@x[0x7]: 1\n@x[0xffffffffffffffff]: 1\n");
}

static void other_fields_of_a_key_only_settle_ties(void **state)
{
	struct map_entry e[] = { { &VTUPLE(VPTR(1), VINT(2)), VSTR("c") },
				 { &VTUPLE(VPTR(9), VINT(1)), VSTR("b") },
				 { &VTUPLE(VPTR(8), VINT(1)), VSTR("a") } };
	(void)state;

	assert_sorted(e, "@x[0x8, 1]: a\n@x[0x9, 1]: b\n@x[0x1, 2]: c\n");
}

/* Long keys that begin alike have one rank, and are told apart all the same. */
static void long_keys_are_compared_whole(void **state)
{
	struct map_entry e[] = { { &VSTR("/usr/lib/b"), VINT(1) },
				 { &VSTR("/usr/lib/a"), VINT(1) },
				 { &VSTR("/usr/lib"), VINT(1) } };
	(void)state;

	assert_sorted(e, "@x[/usr/lib]: 1\n@x[/usr/lib/a]: 1\n@x[/usr/lib/b]: 1\n");
}

static void division_goes_toward_zero(void **state)
{
	static const struct value_bucket b[] = { BUCKET(0, 1, 9) };
	struct map_entry e[] = { { NULL, VINT(-7) },	    { NULL, VUINT(7) },
				 { NULL, VSTATS(2, -14) },  { NULL, VSTR("7") },
				 { NULL, VINT(INT64_MIN) }, { NULL, VHIST(b, .log2 = true) },
				 { NULL, VHIST(b) } };
	(void)state;

	for (int i = 0; i < 7; i++)
		map_divide(&e[i].value, 2);
	assert_int_equal(e[0].value.i, -3);
	assert_int_equal(e[1].value.u, 3);
	assert_value_text(e[2].value, "{ .count = 2, .average = -3, .total = -14 }");
	assert_value_text(e[3].value, "7");
	assert_int_equal(e[4].value.i, INT64_MIN / 2);
	assert_int_equal(hist_count(&e[5].value, 0), 4);
	assert_int_equal(hist_count(&e[6].value, 0), 9);
}

static void division_by_zero_or_one_changes_nothing(void **state)
{
	struct map_entry e[] = { { NULL, VINT(-7) } };
	(void)state;

	map_divide(&e[0].value, 0);
	map_divide(&e[0].value, 1);
	assert_int_equal(e[0].value.i, -7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_go_up_by_value),
		cmocka_unit_test(stats_go_up_by_average),
		cmocka_unit_test(histograms_go_up_by_total_count),
		cmocka_unit_test(the_rest_goes_up_by_key),
		cmocka_unit_test(equal_values_are_ordered_by_key),
		cmocka_unit_test(other_fields_of_a_key_only_settle_ties),
		cmocka_unit_test(long_keys_are_compared_whole),
		cmocka_unit_test(division_goes_toward_zero),
		cmocka_unit_test(division_by_zero_or_one_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
