#include "base/auto.h"
#include "base/err.h"
#include "base/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void sb_builds_text(void **state)
{
	auto_sb struct sb sb = { 0 };

	(void)state;
	assert_string_equal(sb_str(&sb), "");
	sb_puts(&sb, "abc");
	sb_putc(&sb, '-');
	sb_fill(&sb, '.', 3);
	sb_fill(&sb, '!', 0);
	sb_fill(&sb, '!', -5);
	sb_printf(&sb, "%d", 42);
	assert_string_equal(sb_str(&sb), "abc-...42");
	assert_int_equal(sb.len, strlen("abc-...42"));
}

static void sb_holds_bytes_of_any_value(void **state)
{
	auto_sb struct sb sb = { 0 };

	(void)state;
	sb_write(&sb, "a\0b", 3);
	sb_write(&sb, NULL, 0);
	assert_int_equal(sb.len, 3);
	assert_memory_equal(sb.s, "a\0b", 4);
}

static void sb_prints_more_than_its_room(void **state)
{
	auto_sb struct sb sb = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		sb_printf(&sb, "%*d", 997, i);
	assert_int_equal(sb.len, 99700);
	assert_string_equal(sb.s + sb.len - 3, " 99");
}

static void sb_steal_hands_the_text_over(void **state)
{
	struct sb sb = { 0 };
	char *text;

	(void)state;
	sb_puts(&sb, "mine");
	text = sb_steal(&sb);
	assert_string_equal(text, "mine");
	assert_int_equal(sb.len, 0);
	assert_string_equal(sb_str(&sb), "");
	free(text);

	text = sb_steal(&sb);
	assert_string_equal(text, "");
	free(text);
}

static void sb_clear_keeps_nothing_of_the_text(void **state)
{
	auto_sb struct sb sb = { 0 };

	(void)state;
	sb_puts(&sb, "old");
	sb_clear(&sb);
	assert_string_equal(sb_str(&sb), "");
	sb_putc(&sb, 'n');
	assert_string_equal(sb_str(&sb), "n");
}

static void err_carries_code_words_and_hint(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "read %s", "x"), -ENOENT);
	assert_string_equal(e.msg, "read x");
	assert_int_equal(err_hint(&e, "type %d", 5), -ENOENT);
	assert_string_equal(e.hint, "type 5");
	err_set(&e, -EPERM, "again");
	assert_string_equal(e.hint, "");
	assert_string_equal(err_name(-EPERM), "EPERM");
	assert_string_equal(err_name(EPERM), "EPERM");
	assert_null(err_name(123456));
}

/* Where the text between two marks of a source is. */
static struct location locate(struct sources *ss, const struct source *s, uint32_t beg,
			      uint32_t end)
{
	struct location loc;

	assert_true(source_locate(ss, (struct span){ s->base + beg, s->base + end }, &loc));
	return loc;
}

static void source_places_are_lines_and_columns(void **state)
{
	auto_arena struct arena a = { 0 };
	struct sources ss;
	struct location loc;

	(void)state;
	sources_init(&ss, &a);

	const struct source *s = sources_add(&ss, "a.bt", "one\ntwo\n\nfour", 13);

	loc = locate(&ss, s, 0, 3);
	assert_string_equal(loc.name, "a.bt");
	assert_int_equal(loc.line, 1);
	assert_int_equal(loc.col, 1);
	assert_int_equal(loc.end_col, 4);

	loc = locate(&ss, s, 5, 7);
	assert_int_equal(loc.line, 2);
	assert_int_equal(loc.col, 2);
	assert_int_equal(loc.line_len, 3);
	assert_memory_equal(loc.line_text, "two", 3);

	loc = locate(&ss, s, 13, 13); /* where the text ends */
	assert_int_equal(loc.line, 4);
	assert_int_equal(loc.col, 5);

	loc = locate(&ss, s, 4, 11);
	assert_int_equal(loc.line, 2);
	assert_int_equal(loc.end_line, 4);
	assert_int_equal(loc.end_col, 3);
}

static void source_texts_do_not_overlap(void **state)
{
	auto_arena struct arena a = { 0 };
	struct sources ss;

	(void)state;
	sources_init(&ss, &a);

	struct source one = *sources_add(&ss, "one", "abc", 3);
	struct source two = *sources_add(&ss, "two", "", 0);
	struct source three = *sources_add(&ss, "three", "xyz", 3);

	assert_string_equal(locate(&ss, &one, 3, 3).name, "one");
	assert_string_equal(locate(&ss, &two, 0, 0).name, "two");
	assert_string_equal(locate(&ss, &three, 0, 3).name, "three");
	assert_string_equal(
		source_text(&ss, &a, (struct span){ three.base + 1, three.base + 3 }), "yz");
}

static void source_no_place_is_said_so(void **state)
{
	auto_arena struct arena a = { 0 };
	struct sources ss;
	struct location loc;

	(void)state;
	sources_init(&ss, &a);
	sources_add(&ss, "one", "abc", 3);
	assert_false(source_locate(&ss, (struct span){ 0, 0 }, &loc));
	assert_false(source_locate(&ss, (struct span){ 1000, 1001 }, &loc));
	assert_string_equal(source_text(&ss, &a, (struct span){ 0, 0 }), "");
}

static void span_join_covers_both_and_ignores_no_place(void **state)
{
	struct span none = { 0, 0 }, a = { 3, 5 }, b = { 8, 9 };

	(void)state;
	assert_int_equal(span_join(a, b).beg, 3);
	assert_int_equal(span_join(b, a).end, 9);
	assert_int_equal(span_join(none, b).beg, 8);
	assert_int_equal(span_join(a, none).end, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sb_builds_text),
		cmocka_unit_test(sb_holds_bytes_of_any_value),
		cmocka_unit_test(sb_prints_more_than_its_room),
		cmocka_unit_test(sb_steal_hands_the_text_over),
		cmocka_unit_test(sb_clear_keeps_nothing_of_the_text),
		cmocka_unit_test(err_carries_code_words_and_hint),
		cmocka_unit_test(source_places_are_lines_and_columns),
		cmocka_unit_test(source_texts_do_not_overlap),
		cmocka_unit_test(source_no_place_is_said_so),
		cmocka_unit_test(span_join_covers_both_and_ignores_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
