/*
 * Flame graphs: folded stacks in, one SVG file out.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "output/flame.h"
#include "output/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct flame_options plain = {};

static char *draw_bytes(const char *text, size_t len, struct flame_result *res)
{
	struct sb out = {};

	flame_draw(text, len, &plain, &out, res);
	return sb_steal(&out);
}

static char *draw(const char *text, struct flame_result *res)
{
	return draw_bytes(text, strlen(text), res);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

#define assert_has(text, word) assert_non_null(strstr((text), (word)))

static void neighbours_share_their_frames(void **state)
{
	struct flame_result res;
	auto_free char *svg = draw("main;b;x 1\nmain;a 2\nmain;b 3\nother 4\n", &res);
	(void)state;

	assert_int_equal(res.total, 10);
	assert_int_equal(res.stacks, 4);
	assert_int_equal(count(svg, "<g class=\"f\""), 6);
	assert_has(svg, "<title>all (10 samples, 100.00%)</title><rect x=\"10.0000\" y=\"111\" "
			"width=\"1180.0000\"");
	assert_has(svg, "data-d=\"1\"><title>main (6 samples, 60.00%)</title>"
			"<rect x=\"10.0000\" y=\"94\" width=\"708.0000\"");
	assert_has(svg, "data-d=\"2\"><title>b (4 samples, 40.00%)</title>"
			"<rect x=\"246.0000\" y=\"77\" width=\"472.0000\"");
	assert_has(svg, "data-d=\"3\"><title>x (1 samples, 10.00%)</title>"
			"<rect x=\"600.0000\" y=\"60\" width=\"118.0000\"");
	assert_has(svg, "<title>other (4 samples, 40.00%)</title><rect x=\"718.0000\"");
}

static void a_name_that_begins_like_another_is_another(void **state)
{
	struct flame_result res;
	auto_free char *svg = draw("a;x 1\nab;x 1\na-b;x 1\na;y 1\n", &res);
	(void)state;

	assert_int_equal(count(svg, "<title>a (2 samples, 50.00%)"), 1);
	assert_int_equal(count(svg, "<g class=\"f\""), 1 + 3 + 4);
}

static void names_are_escaped(void **state)
{
	struct flame_result res;
	auto_free char *svg =
		draw("a<b>&\"c\";]]>;</title><script>alert(1)</script> 1\n", &res);
	(void)state;

	assert_has(svg, "<title>a&lt;b&gt;&amp;&quot;c&quot; (1 samples");
	assert_has(svg, "<title>]]&gt; (1 samples");
	assert_int_equal(count(svg, "<script>"), 1);
}

static void what_xml_forbids_is_replaced(void **state)
{
	struct flame_result res;
	auto_free char *svg = draw("a\x01z\xff\xc3\xa4\xef\xbf\xbf\xed\xa0\x80"
				   "b 1\n",
				   &res);
	const char r[] = "\xef\xbf\xbd";
	auto_sb struct sb want = {};
	(void)state;

	sb_printf(&want, "<title>a%sz%s\xc3\xa4%s%s%s%sb (1", r, r, r, r, r, r);
	assert_has(svg, sb_str(&want));
}

static void lines_that_are_none_are_counted(void **state)
{
	struct flame_result res;
	auto_free char *svg = draw("a;b 5\n"
				   "\n"
				   "a;b\n"    /* no count */
				   "a;b x\n"  /* none either */
				   " 7\n"     /* no frames */
				   "a;b -1\n" /* no amount */
				   "a;b 99999999999999999999\n"
				   "a 18446744073709551615\n" /* the sum */
				   "a;b c 6.9\r\n"
				   "a;b",
				   &res);
	(void)state;

	assert_int_equal(res.total, 11);
	assert_int_equal(res.stacks, 2);
	assert_int_equal(res.bad_lines, 7);
	assert_int_equal(res.bad_line, 3);
	assert_has(svg, "<title>b c (6 samples");
}

static void the_largest_count_is_drawn(void **state)
{
	struct flame_result res;
	auto_free char *svg = draw("a 18446744073709551614\nb 1\n", &res);
	(void)state;

	assert_int_equal(res.narrow, 1);
	assert_has(svg, "<title>a (18446744073709551614 samples, 100.00%)</title>"
			"<rect x=\"10.0000\" y=\"60\" width=\"1180.0000\"");
}

static void deep_stacks_are_cut(void **state)
{
	struct flame_result res;
	auto_sb struct sb text = {};
	(void)state;

	for (int i = 0; i < 100000; i++)
		sb_printf(&text, "%sf%d", i ? ";" : "", i);
	sb_puts(&text, " 1\n");
	auto_free char *svg = draw_bytes(text.s, text.len, &res);
	assert_int_equal(res.cut, 1);
	assert_int_equal(count(svg, "<g class=\"f\""), 1 + FLAME_DEPTH_MAX);
}

static void labels_fit_their_frames(void **state)
{
	struct flame_result res;
	auto_free char *svg = draw("a_name_of_twenty_six_letters 10\nz 90\n", &res);
	(void)state;

	/* 118 wide: 16 letters of 7 */
	assert_has(svg, ">a_name_of_twen..</text>");
}

/* Whatever comes in, what goes out is UTF-8 with balanced, closed elements. */
static void assert_sound(const char *svg, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)svg[i];
		size_t n = c < 0x80 ? 1 : utf8_len(svg + i, len - i);

		assert_true(n > 0 && (c >= ' ' || c == '\n' || c == '\t'));
		i += n;
	}
	assert_int_equal(count(svg, "<g "), count(svg, "</g>"));
	assert_int_equal(count(svg, "<title>"), count(svg, "</title>"));
	assert_has(svg, "</svg>\n");
}

static void anything_is_survived(void **state)
{
	static const char alphabet[] = "ab;; \n\n0199.<&\x80\xc3\xa4\xff\x00\r";
	unsigned seed = 1;
	(void)state;

	for (int round = 0; round < 3000; round++) {
		char text[200];
		struct flame_result res;
		struct sb out = {};
		size_t len = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		flame_draw(text, len, &plain, &out, &res);
		assert_sound(sb_str(&out), out.len);
		sb_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_share_their_frames),
		cmocka_unit_test(a_name_that_begins_like_another_is_another),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(what_xml_forbids_is_replaced),
		cmocka_unit_test(lines_that_are_none_are_counted),
		cmocka_unit_test(the_largest_count_is_drawn),
		cmocka_unit_test(deep_stacks_are_cut),
		cmocka_unit_test(labels_fit_their_frames),
		cmocka_unit_test(anything_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
