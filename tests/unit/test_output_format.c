#include "output/format.h"
#include "output_values.h"

static void check_format(const char *text, const struct value *args, size_t nargs,
			 const char *expected)
{
	auto_arena struct arena a = {};
	auto_sb struct sb sb = {};
	struct format f;

	format_parse(&a, text, strlen(text), &f);
	assert_int_equal(f.nconvs, nargs);
	format_run(&f, args, &sb);
	assert_string_equal(sb_str(&sb), expected);
}
#define assert_format(expected, text, ...)                                                 \
	check_format(text, (const struct value[]){ __VA_ARGS__ },                          \
		     sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value), \
		     expected)

static void golden_examples(void **state)
{
	(void)state;
	assert_format("a -1 0xff A|ab   |   cd|\n", "%s %d %p %c|%-5s|%5s|\n", VSTR("a"),
		      VINT(-1), VINT(255), VINT(65), VSTR("ab"), VSTR("cd"));
	assert_format("-15 ffffffff 4294967295 -1 -1 4464\n", "%d %x %u %ld %hhd %hd\n",
		      VINT(0xffffffff1), VINT(-1), VINT(-1), VINT(-1), VINT(511), VINT(70000));
	assert_format("    42|42    |000042|42|ff|10|FF\n", "%6d|%-6d|%06d|%lu|%lx|%o|%X\n",
		      VINT(42), VINT(42), VINT(42), VINT(42), VINT(255), VINT(8), VINT(255));
	assert_format("  abc|ab|   ab|\n", "%5s|%.2s|%5.2s|\n", VSTR("abc"), VSTR("abc"),
		      VSTR("abc"));
	assert_format("ab\\x0a|\\x61\\x62\\x0a|61 62 0a\n", "%r|%rx|%rh\n", VBUF("ab\n"),
		      VBUF("ab\n"), VBUF("ab\n"));
}

static void numbers_are_cut_to_their_length(void **state)
{
	(void)state;
	assert_format("705032704", "%d", VINT(5000000000));
	assert_format("5000000000 5000000000 5000000000", "%lld %ju %zd", VINT(5000000000),
		      VINT(5000000000), VINT(5000000000));
	assert_format("-1 65535 255", "%hd %hu %hhu", VINT(-1), VINT(-1), VINT(-1));
	assert_format("18446744073709551615 ffffffffffffffff", "%lu %lx", VINT(-1), VINT(-1));
	assert_format("-9223372036854775808", "%ld", VINT(INT64_MIN));
	assert_format("1777777777777777777777", "%lo", VINT(-1));
}

static void every_integer_kind_is_a_number(void **state)
{
	(void)state;
	assert_format("1 10 255 0x0", "%d %d %d %s", VBOOL(1),
		      V(V_ENUM, .i = 10, .text = "TCP_LISTEN"), VPTR(255), VPTR(0));
	assert_format("true TCP_LISTEN", "%s %s", VBOOL(1),
		      V(V_ENUM, .i = 10, .text = "TCP_LISTEN"));
	assert_format("7 7", "%i %u", VUINT(7), VUINT(7));
}

static void pointers_have_a_prefix_except_null(void **state)
{
	(void)state;
	assert_format("0x1f 0 0xffffffff81f0602a", "%p %p %p", VPTR(0x1f), VPTR(0),
		      VPTR(0xffffffff81f0602a));
	assert_format("  0x1|0x1  |0x001", "%5p|%-5p|%05p", VPTR(1), VPTR(1), VPTR(1));
}

static void flags_work_as_in_c(void **state)
{
	(void)state;
	assert_format("+5 -5 5", "%+d %+d %+u", VINT(5), VINT(-5), VINT(5));
	assert_format("5", "% d", VINT(5));
	assert_format("0xff 0XFF 010 0", "%#x %#X %#o %#x", VINT(255), VINT(255), VINT(8),
		      VINT(0));
	assert_format("-0042|00042|+0042", "%05d|%05d|%+05d", VINT(-42), VINT(42), VINT(42));
	assert_format("0x00ff|0xff  ", "%#06x|%-#06x", VINT(255), VINT(255));
	assert_format("42   |-42  ", "%-05d|%-5d", VINT(42), VINT(-42));
	assert_format("   ab|    A", "%05s|%05c", VSTR("ab"), VINT(65));
}

static void width_and_precision_apply_to_the_whole_text(void **state)
{
	struct value stack = VITEMS(V_STACK, VTEXT("f+1"));
	(void)state;

	assert_format("   (1, abc)|(1, abc)   |", "%11s|%-11s|", VTUPLE(VINT(1), VSTR("abc")),
		      VTUPLE(VINT(1), VSTR("abc")));
	assert_format("abc       |averylongc|", "%-10.10s|%-10.10s|", VSTR("abc"),
		      VSTR("averylongcommand"));
	assert_format("||", "%.0s||", VSTR("abc"));
	assert_format("a\nf+1\nb", "a%sb", stack);
	assert_format("     a\\x0a|", "%10r|", VBUF("a\n"));
	assert_format("  005|005|", "%05.3d|%.3d|%.0d", VINT(5), VINT(5), VINT(0));
	assert_format("0010|010|0|00010|0", "%#.4o|%#.2o|%#o|%#05o|%#.0o", VINT(8), VINT(8),
		      VINT(0), VINT(8), VINT(0));
	assert_format("abcd..", "%s", V(V_STRING, .text = "abcd", .len = 4, .truncated = true));
}

static void what_does_not_match_is_text(void **state)
{
	(void)state;
	check_format("%0-5d %!d %- +d %", NULL, 0, "%0-5d %!d %- +d %");
	check_format("%5", NULL, 0, "%5");
	check_format("%ll", NULL, 0, "%ll");
	check_format("%.s %5.", NULL, 0, "%.s %5.");
	check_format("", NULL, 0, "");
	assert_format("%!5", "%!%d", VINT(5));
	assert_format("%y5", "%y%d", VINT(5));
}

static void percent_signs_are_doubled(void **state)
{
	(void)state;
	check_format("%%", NULL, 0, "%");
	check_format("100%% of %%d", NULL, 0, "100% of %d");
	assert_format("5%", "%d%%", VINT(5));
	assert_format("%5%", "%%%d%%", VINT(5));
}

static void a_star_takes_no_argument(void **state)
{
	(void)state;
	assert_format("5 abc", "%*d %.*s", VINT(5), VSTR("abc"));
}

static void a_value_of_the_wrong_kind_is_shown_as_text(void **state)
{
	(void)state;
	assert_format("abc (1) [] |", "%d %x %c %u|", VSTR("abc"), VTUPLE(VINT(1)), V(V_ARRAY),
		      V(V_NONE));
	assert_format("5 (1)", "%rx %r", VINT(5), VTUPLE(VINT(1)));
	assert_format("5 abc", "%f %e", VINT(5), VSTR("abc"));
}

static void allocation_flags_have_names(void **state)
{
	(void)state;
	assert_format("GFP_KERNEL|__GFP_ZERO", "%gr", VUINT(0xdc0));
	assert_format("GFP_ATOMIC GFP_NOFS", "%gr %gr", VUINT(0x820), VUINT(0xc40));
	assert_format("GFP_TRANSHUGE GFP_TRANSHUGE_LIGHT", "%gr %gr", VUINT(0x1c24ca),
		      VUINT(0x1c20ca));
	assert_format("0 __GFP_COMP|0x40000000 0x200", "%gr %gr %gr", VUINT(0),
		      VUINT(0x40040000), VUINT(0x200));
	assert_format("                 GFP_USER", "%25gr", VUINT(0x100cc0));
}

static void pieces_know_where_they_came_from(void **state)
{
	auto_arena struct arena a = {};
	struct format f;
	(void)state;

	format_parse(&a, "ab %-5lld%%", 11, &f);
	assert_int_equal(f.npieces, 3);
	assert_int_equal(f.nconvs, 1);
	assert_int_equal(f.pieces[0].conv, 0);
	assert_int_equal(f.pieces[1].conv, 'd');
	assert_int_equal(f.pieces[1].off, 3);
	assert_int_equal(f.pieces[1].len, 6);
	assert_memory_equal(f.pieces[1].text, "%-5lld", 6);
	assert_true(f.pieces[1].left);
	assert_int_equal(f.pieces[1].width, 5);
	assert_int_equal(f.pieces[1].precision, -1);
	assert_int_equal(f.pieces[1].int_size, 8);
	assert_int_equal(f.pieces[2].len, 1);
}

static void a_huge_width_is_limited(void **state)
{
	auto_arena struct arena a = {};
	auto_sb struct sb sb = {};
	struct format f;
	(void)state;

	format_parse(&a, "%99999999999d", 13, &f);
	format_run(&f, &VINT(5), &sb);
	assert_int_equal(sb.len, FORMAT_WIDTH_MAX);
}

static void a_null_byte_in_a_format_is_text(void **state)
{
	auto_arena struct arena a = {};
	auto_sb struct sb sb = {};
	struct format f;
	(void)state;

	format_parse(&a, "a\0%\0", 4, &f);
	format_run(&f, NULL, &sb);
	assert_int_equal(sb.len, 4);
	assert_memory_equal(sb.s, "a\0%\0", 4);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Pieces cover the format without gaps, and running them is safe with values of any kind. */
static void any_text_is_a_format(void **state)
{
	static const char letters[] = "%%%%%-+ #0123*.hlLjztdiuoxXcpsrgnfab!";
	const struct value args[] = { VINT(-5),		VSTR("abc"),	  VBUF("\x01z"),
				      VPTR(UINT64_MAX), VTUPLE(VBOOL(1)), V(V_NONE),
				      VSTATS(3, -7) };
	const size_t nargs = sizeof(args) / sizeof(args[0]);
	uint32_t seed = 12345;
	(void)state;

	for (int round = 0; round < 50000; round++) {
		auto_arena struct arena a = {};
		auto_sb struct sb sb = {};
		struct value given[24];
		struct format f;
		char text[24];
		size_t len = next_random(&seed) % sizeof(text);
		size_t covered = 0, dropped = 0;

		for (size_t i = 0; i < len; i++)
			text[i] = letters[next_random(&seed) % (sizeof(letters) - 1)];
		for (size_t i = 0; i < 24; i++)
			given[i] = args[next_random(&seed) % nargs];
		format_parse(&a, text, len, &f);
		for (size_t i = 0; i < f.npieces; i++) {
			assert_true(f.pieces[i].off >= covered);
			assert_memory_equal(f.pieces[i].text, text + f.pieces[i].off,
					    f.pieces[i].len);
			dropped += f.pieces[i].off - covered;
			covered = f.pieces[i].off + f.pieces[i].len;
		}
		assert_int_equal(covered, len);
		assert_true(dropped <= len - f.npieces);
		format_run(&f, given, &sb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_examples),
		cmocka_unit_test(numbers_are_cut_to_their_length),
		cmocka_unit_test(every_integer_kind_is_a_number),
		cmocka_unit_test(pointers_have_a_prefix_except_null),
		cmocka_unit_test(flags_work_as_in_c),
		cmocka_unit_test(width_and_precision_apply_to_the_whole_text),
		cmocka_unit_test(what_does_not_match_is_text),
		cmocka_unit_test(percent_signs_are_doubled),
		cmocka_unit_test(a_star_takes_no_argument),
		cmocka_unit_test(a_value_of_the_wrong_kind_is_shown_as_text),
		cmocka_unit_test(allocation_flags_have_names),
		cmocka_unit_test(pieces_know_where_they_came_from),
		cmocka_unit_test(a_huge_width_is_limited),
		cmocka_unit_test(a_null_byte_in_a_format_is_text),
		cmocka_unit_test(any_text_is_a_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
