#include "base/auto.h"
#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char SCRIPT[] = "begin { @a = $x; }\nend {\t@b = $y; }\n";

/* A script with its messages. */
struct desk {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	uint32_t base;
};

static void desk_fini(struct desk *d)
{
	arena_free(&d->arena);
}

static void desk_init(struct desk *d)
{
	memset(d, 0, sizeof(*d));
	sources_init(&d->sources, &d->arena);
	d->base = sources_add(&d->sources, "x.bt", SCRIPT, strlen(SCRIPT))->base;
	diags_init(&d->dx, &d->arena, &d->sources);
}

#define auto_desk __attribute__((cleanup(desk_fini)))

/* The span of a word of the script. */
static struct span span_of(const struct desk *d, const char *word)
{
	uint32_t beg = d->base + (uint32_t)(strstr(SCRIPT, word) - SCRIPT);

	return (struct span){ beg, beg + (uint32_t)strlen(word) };
}

/* All messages as printed; the caller frees them. */
static char *printed(struct desk *d, bool warnings)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	diags_print(&d->dx, f, warnings);
	fclose(f);
	return text;
}

static void a_message_shows_its_place(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);
	diag(&d.dx, E0104_UNDEFINED_VAR, span_of(&d, "$x"), "$x");
	assert_true(diag_failed(&d.dx));

	auto_free char *text = printed(&d, true);

	assert_string_equal(text,
			    "x.bt:1:14: error[E0104]: undefined or undeclared variable: $x\n"
			    "    1 | begin { @a = $x; }\n"
			    "      |              ~~\n"
			    "hint: assign to it first, or declare it with let\n");
}

static void messages_come_in_the_order_of_their_places(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);
	diag(&d.dx, E0104_UNDEFINED_VAR, span_of(&d, "$y"), "$y");
	diag(&d.dx, E0104_UNDEFINED_VAR, span_of(&d, "$x"), "$x");

	auto_free char *text = printed(&d, true);
	const char *x = strstr(text, "variable: $x"), *y = strstr(text, "variable: $y");

	assert_non_null(x);
	assert_non_null(y);
	assert_true(x < y);
}

static void the_same_message_is_kept_once(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);

	struct span x = span_of(&d, "$x");

	assert_ptr_equal(diag(&d.dx, E0104_UNDEFINED_VAR, x, "$x"),
			 diag(&d.dx, E0104_UNDEFINED_VAR, x, "$x"));
	assert_int_equal(d.dx.errors, 1);
}

static void a_tab_is_underlined_as_one_character(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);
	diag(&d.dx, E0104_UNDEFINED_VAR, span_of(&d, "$y"), "$y");

	auto_free char *text = printed(&d, true);

	assert_non_null(strstr(text, "    2 | end {\t@b = $y; }\n      |      \t     ~~\n"));
}

static void notes_and_hints_follow(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);

	struct diag *m = diag(&d.dx, E0104_UNDEFINED_VAR, span_of(&d, "$x"), "$x");

	diag_note(m, span_of(&d, "@b"), "first");
	diag_note(m, (struct span){ 0, 0 }, "second");
	diag_hint(m, "do %s", "this");

	auto_free char *text = printed(&d, true);

	assert_non_null(strstr(text, "x.bt:2:7: note: first\n"));
	assert_non_null(strstr(text, "note: second\nhint: do this\n"));
	assert_true(strstr(text, "note: first") < strstr(text, "note: second"));
}

static void warnings_are_no_failure_and_may_be_hidden(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);
	diag(&d.dx, W0104_DISCARDED, span_of(&d, "$x"));
	assert_false(diag_failed(&d.dx));
	assert_int_equal(d.dx.warnings, 1);

	auto_free char *text = printed(&d, false);

	assert_string_equal(text, "");
}

static void a_trial_pass_counts_and_keeps_nothing(void **state)
{
	auto_desk struct desk d;

	(void)state;
	desk_init(&d);
	d.dx.muted = true;
	diag(&d.dx, E0104_UNDEFINED_VAR, span_of(&d, "$x"), "$x");
	assert_true(diag_failed(&d.dx));

	auto_free char *text = printed(&d, true);

	assert_string_equal(text, "");
}

static void every_row_is_well_formed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DIAG_CODES; i++) {
		const struct diag_row *row = diag_row(i);
		char id[6];

		snprintf(id, sizeof(id), "%.5s", row->id);
		assert_int_equal(row->id[0], row->severity == DIAG_ERROR ? 'E' : 'W');
		assert_int_equal(strspn(id + 1, "0123456789"), 4);
		assert_int_equal(row->id[5], '_');
		assert_string_equal(row->name, row->id + 6);
		assert_true(*row->words);
		const struct diag_explained *x = diag_explain(row);
		if (!x->why || !x->wrong || !x->right)
			fail_msg("%s has no row in explain.def", id);
		if (strlen(x->why) < 40)
			fail_msg("%s: why is thin", id);
		if (diag_find(id) != row)
			fail_msg("%s is used twice", id);
	}
	assert_null(diag_find("E9999"));
	assert_null(diag_find("E01"));
	assert_ptr_equal(diag_find("e0104"), diag_row(E0104_UNDEFINED_VAR));
}

static void the_nearest_name_is_a_near_one(void **state)
{
	static const char *const names[] = { "vfs_read", "vfs_write", "count", "sum", "hist" };
	static const size_t n = sizeof(names) / sizeof(*names);

	(void)state;
	assert_string_equal(diag_nearest("vfs_raed", names, n), "vfs_read");
	assert_string_equal(diag_nearest("cuont", names, n), "count");
	assert_string_equal(diag_nearest("COUNT", names, n), "count");
	assert_string_equal(diag_nearest("hst", names, n), "hist");
	assert_null(diag_nearest("printf", names, n));
	assert_null(diag_nearest("x", names, n));
	assert_null(diag_nearest("", names, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_shows_its_place),
		cmocka_unit_test(messages_come_in_the_order_of_their_places),
		cmocka_unit_test(the_same_message_is_kept_once),
		cmocka_unit_test(a_tab_is_underlined_as_one_character),
		cmocka_unit_test(notes_and_hints_follow),
		cmocka_unit_test(warnings_are_no_failure_and_may_be_hidden),
		cmocka_unit_test(a_trial_pass_counts_and_keeps_nothing),
		cmocka_unit_test(every_row_is_well_formed),
		cmocka_unit_test(the_nearest_name_is_a_near_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
