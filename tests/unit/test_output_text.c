#include "output_values.h"

#include <time.h>

static const struct sink *text(void)
{
	return sink_find("text");
}

static void scalars_have_the_text_form_of_their_type(void **state)
{
	(void)state;
	assert_value_text(VINT(-42), "-42");
	assert_value_text(VINT(INT64_MIN), "-9223372036854775808");
	assert_value_text(VUINT(UINT64_MAX), "18446744073709551615");
	assert_value_text(VBOOL(1), "true");
	assert_value_text(VBOOL(0), "false");
	assert_value_text(VPTR(0xffffffff81f0602a), "0xffffffff81f0602a");
	assert_value_text(VPTR(0), "0x0");
	assert_value_text(V(V_ENUM, .i = 10, .text = "TCP_LISTEN"), "TCP_LISTEN");
	assert_value_text(V(V_ENUM, .i = -3), "-3");
	assert_value_text(VSTR("a\tb"), "a\tb");
	assert_value_text(VTEXT("127.0.0.1"), "127.0.0.1");
	assert_value_text(VBUF("ab\n\\\xff"), "ab\\x0a\\\\xff");
}

static void a_cut_string_ends_with_the_trailer(void **state)
{
	(void)state;
	assert_value_text(V(V_STRING, .text = "abc", .len = 3, .truncated = true), "abc..");
}

static void composites_have_their_own_separators(void **state)
{
	static const char *const ab[] = { "a", "b" };
	static const char *const fields[] = { "x", "c", "y", "b" };
	static const char *const q[] = { "q" };
	(void)state;

	assert_value_text(VTUPLE(VINT(1), VSTR("a"), VINT(2)), "(1, a, 2)");
	assert_value_text(VTUPLE(VINT(5)), "(5)");
	assert_value_text(VITEMS(V_ARRAY, VINT(1), VINT(2), VINT(3)), "[1,2,3]");
	assert_value_text(V(V_ARRAY), "[]");
	assert_value_text(V(V_RECORD), "{}");

	struct value record = VITEMS(V_RECORD, VINT(1), VINT(2));
	record.names = ab;
	assert_value_text(record, "{ .a = 1, .b = 2 }");

	struct value inner = VITEMS(V_RECORD, VINT(0));
	inner.names = q;
	struct value outer = VITEMS(V_RECORD, VINT(0), VSTR(""),
				    VITEMS(V_ARRAY, VINT(0), VINT(0), VINT(0)), inner);
	outer.names = fields;
	assert_value_text(outer, "{ .x = 0, .c = , .y = [0,0,0], .b = { .q = 0 } }");
}

static void stats_show_count_average_and_total(void **state)
{
	(void)state;
	assert_value_text(VSTATS(2, 6), "{ .count = 2, .average = 3, .total = 6 }");
	assert_value_text(VSTATS(2, -3), "{ .count = 2, .average = -1, .total = -3 }");
	assert_value_text(V(V_STATS, .n = 2, .total = -2),
			  "{ .count = 2, .average = 9223372036854775807, "
			  ".total = 18446744073709551614 }");
	assert_value_text(VSTATS(0, 0), "{ .count = 0, .average = 0, .total = 0 }");
}

static void print_ends_the_value_with_a_newline(void **state)
{
	(void)state;
	assert_writes("(1, abc)\n", text()->value(out, &VTUPLE(VINT(1), VSTR("abc"))));
}

static void texts_are_written_as_they_are(void **state)
{
	(void)state;
	assert_writes("hi 5\n", text()->text(out, TEXT_PRINTF, "hi 5\n", 5));
	assert_writes("18:00:01\n", text()->text(out, TEXT_TIME, "18:00:01\n", 9));
	assert_writes("Linux\n", text()->text(out, TEXT_CAT, "Linux\n", 6));
	assert_writes("ls -l\n", text()->text(out, TEXT_JOIN, "ls -l", 5));
	assert_writes("hi\n\n", text()->text(out, TEXT_SYSTEM, "hi\n", 3));
}

static void maps_are_a_line_per_entry(void **state)
{
	const struct map_entry scalar[] = { { NULL, VINT(5) } };
	const struct map_entry keyed[] = {
		{ &VSTR("cat"), VINT(3) },
		{ &VTUPLE(VSTR("bash"), VUINT(12)), VINT(7) },
		{ &VTUPLE(VINT(1), VTUPLE(VINT(2), VSTR("x"))), VINT(3) },
		{ &VPTR(7), VPTR(5) },
		{ &VBUF("a\n"), VTUPLE(VINT(1), VSTR("abc")) },
		{ &VTUPLE(VSTR("a"), V(V_ENUM, .i = 1, .text = "ONE")), VBOOL(1) },
		{ &VTUPLE(VINT(5)), VSTATS(2, 6) },
	};
	(void)state;

	assert_writes("@x: 5\n", text()->map(out, MAP(MAP_PLAIN, "@x", false, scalar)));
	assert_writes("@m[cat]: 3\n"
		      "@m[bash, 12]: 7\n"
		      "@m[1, (2, x)]: 3\n"
		      "@m[0x7]: 0x5\n"
		      "@m[a\\x0a]: (1, abc)\n"
		      "@m[a, ONE]: true\n"
		      "@m[5]: { .count = 2, .average = 3, .total = 6 }\n",
		      text()->map(out, MAP(MAP_PLAIN, "@m", true, keyed)));
}

static void an_empty_map_is_nothing(void **state)
{
	(void)state;
	assert_writes("", text()->map(out, &(struct map_view){ .name = "@m", .keyed = true }));
	assert_writes("",
		      text()->map(out, &(struct map_view){ .name = "@h", .kind = MAP_HIST }));
}

static void histograms_end_with_an_empty_line(void **state)
{
	static const struct value_bucket four[] = { BUCKET(0, 5, 2) };
	const struct map_entry scalar[] = { { NULL, VHIST(four, .hist_step = 5) } };
	const struct map_entry keyed[] = {
		{ &VSTR("a"), VHIST(four, .hist_step = 5) },
		{ &VSTR("b"), VHIST(four, .hist_step = 5) },
	};
	(void)state;

#define ROW                         \
	"[0, 5)                 2 " \
	"|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
	assert_writes("@h:\n" ROW "\n", text()->map(out, MAP(MAP_HIST, "@h", false, scalar)));
	assert_writes("@h[a]:\n" ROW "\n@h[b]:\n" ROW "\n",
		      text()->map(out, MAP(MAP_HIST, "@h", true, keyed)));
}

static void stacks_begin_and_end_with_a_newline(void **state)
{
	struct value stack = VITEMS(V_STACK, VTEXT("tcp_sendmsg+0"), VTEXT("0x7f12ab34"));
	struct value perf = VITEMS(V_STACK, VTEXT("\tffffffff81f0602a run+106"));
	stack.indent = 8;
	const struct map_entry as_key[] = {
		{ &stack, VINT(42) },
		{ &VTUPLE(stack, VSTR("bash")), VINT(2) },
		{ &perf, VINT(1) },
	};
	const struct map_entry as_value[] = { { &VSTR("a"), stack } };
	(void)state;

#define FRAMES "\n        tcp_sendmsg+0\n        0x7f12ab34\n"
	assert_writes("@[" FRAMES "]: 42\n"
		      "@[" FRAMES ", bash]: 2\n"
		      "@[\n\tffffffff81f0602a run+106\n]: 1\n",
		      text()->map(out, MAP(MAP_PLAIN, "@", true, as_key)));
	assert_writes("@w[a]: " FRAMES "\n",
		      text()->map(out, MAP(MAP_PLAIN, "@w", true, as_value)));
	assert_writes(FRAMES "\n", text()->value(out, &stack));
}

static void notices_stay_apart_from_the_data(void **state)
{
	(void)state;
	assert_true(text()->notices_apart);
	assert_writes("Attached 1 probe\n", text()->attached(out, 1));
	assert_writes("Attached 3 probes\n", text()->attached(out, 3));
	assert_writes("Lost 5 events\n", text()->lost(out, 5));
	assert_writes("\n\n", text()->end(out));
}

static void problems_name_their_place_and_the_helper(void **state)
{
	const struct runtime_problem full = { .msg = "Map full",
					      .helper = "map_update_elem",
					      .retcode = -7,
					      .filename = "stdin",
					      .line = 1,
					      .col = 9,
					      .end_col = 14 };
	const struct runtime_problem nowhere = { .msg = "divided by zero" };
	(void)state;

	assert_writes("stdin:1:9-14: WARNING: Map full\n"
		      "Additional Info - helper: map_update_elem, retcode: -7\n",
		      text()->problem(out, &full));
	assert_writes("WARNING: divided by zero\n", text()->problem(out, &nowhere));
}

static void messages_end_with_one_newline(void **state)
{
	struct runtime_problem where = {
		.msg = "gone: 5", .filename = "x.bt", .line = 3, .col = 5, .end_col = 20
	};
	(void)state;

	assert_writes("x.bt:3:5-20: ERROR: gone: 5\n", text()->message(out, true, &where));
	where.msg = "gone: 5\n";
	assert_writes("x.bt:3:5-20: WARNING: gone: 5\n", text()->message(out, false, &where));
}

static void sinks_are_found_by_name(void **state)
{
	(void)state;
	assert_null(sink_find("yaml"));
	for (size_t i = 0; sink_names[i]; i++)
		assert_string_equal(sink_find(sink_names[i])->name, sink_names[i]);
	assert_string_equal(sink_names[0], "text");
}

static double seconds_for(const struct sink *sink, size_t n)
{
	auto_free struct map_entry *entries = calloc(n, sizeof(*entries));
	auto_free struct value *keys = calloc(n, sizeof(*keys));
	FILE *null = fopen("/dev/null", "w");
	struct timespec a, b;

	for (size_t i = 0; i < n; i++) {
		keys[i] = VUINT(i);
		entries[i] = (struct map_entry){ &keys[i], VINT((int64_t)i * 3) };
	}
	struct map_view m = { .name = "@m",
			      .keyed = true,
			      .nentries = n,
			      .entry = map_array_entry,
			      .arg = entries };
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	sink->map(null, &m);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	fclose(null);
	return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* Quadratic work would be 100 times the part's, and many seconds. */
static void a_million_entries_take_linear_time(void **state)
{
	(void)state;
	for (size_t i = 0; sink_names[i]; i++) {
		double part = seconds_for(sink_find(sink_names[i]), 100 * 1000);
		double whole = seconds_for(sink_find(sink_names[i]), 1000 * 1000);

		print_message("%s: %.3f s\n", sink_names[i], whole);
		assert_true(whole < 40 * part + 0.1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_have_the_text_form_of_their_type),
		cmocka_unit_test(a_cut_string_ends_with_the_trailer),
		cmocka_unit_test(composites_have_their_own_separators),
		cmocka_unit_test(stats_show_count_average_and_total),
		cmocka_unit_test(print_ends_the_value_with_a_newline),
		cmocka_unit_test(texts_are_written_as_they_are),
		cmocka_unit_test(maps_are_a_line_per_entry),
		cmocka_unit_test(an_empty_map_is_nothing),
		cmocka_unit_test(histograms_end_with_an_empty_line),
		cmocka_unit_test(stacks_begin_and_end_with_a_newline),
		cmocka_unit_test(notices_stay_apart_from_the_data),
		cmocka_unit_test(problems_name_their_place_and_the_helper),
		cmocka_unit_test(messages_end_with_one_newline),
		cmocka_unit_test(sinks_are_found_by_name),
		cmocka_unit_test(a_million_entries_take_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
