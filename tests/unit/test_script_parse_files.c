/*
 * Whole files through the parser: golden trees, what Debian's bpftrace package brings (when it
 * is installed), and damaged copies of all of them.
 *
 * A golden is tests/script/NAME.ast, the tree of NAME.bt; UPDATE_GOLDEN=1 writes them anew.
 */
#include "script_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Parses a file that must be right and prints its tree. */
static void tree_of(const char *path, struct sb *out)
{
	auto_script struct script_text t;
	size_t len;
	auto_free char *text = read_text(path, &len);

	assert_non_null(text);
	script_text_parse(&t, text);
	if (diag_failed(&t.dx)) {
		diags_print(&t.dx, stderr, false);
		fail_msg("%s does not parse", path);
	}
	ast_print(t.script, out);
}

static void compare_golden(const char *path, void *arg)
{
	auto_sb struct sb tree = { 0 };
	char script[256];
	size_t len;

	snprintf(script, sizeof(script), "%.*sbt", (int)strlen(path) - 3, path);
	tree_of(script, &tree);
	if (getenv("UPDATE_GOLDEN"))
		write_text(path, sb_str(&tree));

	auto_free char *want = read_text(path, &len);
	assert_string_equal(sb_str(&tree), want);
	++*(unsigned *)arg;
}

static void trees_are_as_written(void **state)
{
	unsigned n = 0;

	(void)state;
	for_each_file("tests/script/*.ast", compare_golden, &n);
	assert_in_range(n, 1, 1000);
}

static void parse_file(const char *path, void *arg)
{
	auto_sb struct sb tree = { 0 };

	tree_of(path, &tree);
	++*(unsigned *)arg;
}

static void installed_tools_parse(void **state)
{
	unsigned n = 0;

	(void)state;
	for_each_file("/usr/sbin/*.bt", parse_file, &n);
	for_each_file("/usr/share/bpftrace/tools/*.bt", parse_file, &n);
	if (!n) {
		print_message("no bpftrace tools are installed here\n");
		skip();
	}
}

/* Whatever the text, the parser returns, and its messages point into the text. */
static void parse_damaged(const char *text, size_t len)
{
	auto_script struct script_text t;
	auto_sb struct sb tree = { 0 };

	script_text_init(&t, "damaged", text, len);
	t.script = parse_script(&t.arena, &t.dx, t.source, NULL);
	vec_each(d, &t.dx.list) {
		assert_in_range((*d)->span.beg, t.source->base, t.source->base + len);
		assert_in_range((*d)->span.end, (*d)->span.beg, t.source->base + len + 1);
	}
	if (!diag_failed(&t.dx))
		ast_print(t.script, &tree);
}

static void damage_file(const char *path, void *arg)
{
	uint32_t *seed = arg;
	size_t len;
	auto_free char *text = read_text(path, &len);

	assert_non_null(text);
	for (int round = 0; round < 300; round++) {
		auto_sb struct sb bad = { 0 };

		damage(&bad, text, len, seed);
		parse_damaged(sb_str(&bad), bad.len);
	}
}

static void damaged_scripts_do_no_harm(void **state)
{
	uint32_t seed = 20240607;

	(void)state;
	for_each_file("tests/script/*.bt", damage_file, &seed);
}

static void every_prefix_of_a_script_does_no_harm(void **state)
{
	size_t len;
	auto_free char *text = read_text("tests/script/language.bt", &len);

	(void)state;
	for (size_t n = 0; n < len; n++)
		parse_damaged(text, n);
}

/* A script of some length must take time in proportion: a quadratic one would hang here. */
static void a_long_script_is_read_at_once(void **state)
{
	auto_script struct script_text t;
	auto_sb struct sb text = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++)
		sb_printf(&text, "kprobe:f%d /pid == %d / 2/ { @a[(%d)] = (x) + (1, 2).0; }\n",
			  i, i, i);
	sb_puts(&text, "BEGIN { $x = 0");
	for (int i = 0; i < 900; i++)
		sb_puts(&text, " + (((1)))");
	sb_puts(&text, "; }");
	script_text_parse(&t, sb_str(&text));
	assert_false(diag_failed(&t.dx));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_are_as_written),
		cmocka_unit_test(installed_tools_parse),
		cmocka_unit_test(damaged_scripts_do_no_harm),
		cmocka_unit_test(every_prefix_of_a_script_does_no_harm),
		cmocka_unit_test(a_long_script_is_read_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
