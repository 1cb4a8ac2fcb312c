#include "builtin/builtin.h"
#include "script/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static unsigned forms(struct compiler *c, const char *name)
{
	unsigned n = 0;

	for (const struct macro *m = prelude_find(c, name); m; m = m->next)
		n += !strcmp(m->name, name);
	return n;
}

static void every_row_has_its_macro(void **state)
{
	struct arena a = { 0 };
	struct compiler c = { .arena = &a };

	(void)state;
	for (size_t f = 0; builtin_families[f]; f++)
		for (const struct builtin *b = builtin_families[f]; b->name; b++)
			if (b->flags & BI_PRELUDE && !forms(&c, b->name))
				fail_msg("the prelude has no macro %s", b->name);
	arena_free(&a);
}

static void macros_are_read_when_they_are_used(void **state)
{
	struct arena a = { 0 };
	struct compiler c = { .arena = &a };

	(void)state;
	assert_null(c.prelude);
	assert_int_equal(forms(&c, "pcomm"), 2);
	assert_int_equal(forms(&c, "pcomm"), 2);
	assert_int_equal(forms(&c, "strcontains"), 1);
	assert_int_equal(forms(&c, "pcomm"), 2);
	assert_int_equal(forms(&c, "ppi"), 0);
	assert_int_equal(forms(&c, ""), 0);
	assert_string_equal(c.prelude->name, "pcomm");
	assert_string_equal(c.prelude->next->next->name, "strcontains");
	assert_null(c.prelude->next->next->next);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_its_macro),
		cmocka_unit_test(macros_are_read_when_they_are_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
