#include "kernel/feature.h"
#include "kernel/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_row_is_found_by_its_name(void **state)
{
	(void)state;
	for (int id = 0; id < FEATURES; id++)
		assert_int_equal(feature_find(feature_name(id)), id);
	assert_int_equal(feature_find("no such feature"), FEATURES);
}

static void answers_are_asked_once(void **state)
{
	struct features f = {};

	(void)state;
	f.known[FEATURE_MAP_HASH] = -1;
	assert_false(feature_has(&f, FEATURE_MAP_HASH));
	f.known[FEATURE_MAP_HASH] = 1;
	assert_true(feature_has(&f, FEATURE_MAP_HASH));
}

/* What every kernel that scry runs on has. */
static void this_kernel_has_the_basics(void **state)
{
	struct features f = {};
	struct err e;

	(void)state;
	if (proc_may_trace(&e))
		skip();
	assert_true(feature_has(&f, FEATURE_MAP_HASH));
	assert_true(feature_has(&f, FEATURE_MAP_RINGBUF));
	assert_true(feature_has(&f, FEATURE_MAP_MMAP));
	assert_true(feature_has(&f, FEATURE_PROBE_READ_KERNEL_STR));
	assert_true(feature_has(&f, FEATURE_TRACEPOINT));
	assert_true(feature_has(&f, FEATURE_BOUNDED_LOOPS));
	/* Without somebody who knows BTF ids, what needs them is missing. */
	assert_false(feature_has(&f, FEATURE_DPATH));
}

static void info_has_two_answers_a_line(void **state)
{
	struct features f = {};
	struct sb text = {};
	const char *line;

	(void)state;
	/* Nothing is asked of the kernel: all answers are known. */
	for (int id = 0; id < FEATURES; id++)
		f.known[id] = 1;
	features_print(&f, &text);
	assert_true(!strncmp(sb_str(&text), "System\n  OS: Linux ", 18));
	line = strstr(text.s, "\nKernel helpers\n");
	assert_non_null(line);
	line += strlen("\nKernel helpers\n");
	assert_true(!strncmp(line,
			     "  probe_read: yes                  "
			     "probe_read_str: yes                \n",
			     71));
	assert_non_null(strstr(text.s, "\n\nProbe types\n  tracepoint: yes"));
	sb_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_name),
		cmocka_unit_test(answers_are_asked_once),
		cmocka_unit_test(this_kernel_has_the_basics),
		cmocka_unit_test(info_has_two_answers_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
