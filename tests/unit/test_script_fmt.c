/*
 * The formatter: tests/script/NAME.fmt is how NAME.bt looks formatted (UPDATE_GOLDEN=1 writes
 * them anew), and for every script at hand the result has the same tree, the same comments, and
 * does not change when it is formatted again.
 */
#include "script_files.h"

#include "script/fmt.h"
#include "script/lex.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct facts {
	struct sb tree;
	struct sb comments; /* without blanks, in order */
};

static void facts_free(struct facts *f)
{
	sb_free(&f->tree);
	sb_free(&f->comments);
}

/* False when the text does not parse. */
static bool facts_of(const char *text, size_t len, struct facts *f)
{
	auto_script struct script_text t;
	struct comments comments = {};
	const struct parse_options opt = { .comments = &comments };

	memset(f, 0, sizeof(*f));
	script_text_init(&t, "facts", text, len);
	t.script = parse_script(&t.arena, &t.dx, t.source, &opt);
	if (diag_failed(&t.dx))
		return false;
	ast_print(t.script, &f->tree);
	vec_each(c, &comments) {
		const char *s = source_text(&t.sources, &t.arena, c->span);

		for (; *s; s++)
			if (!isspace((unsigned char)*s))
				sb_putc(&f->comments, *s);
		sb_putc(&f->comments, '\n');
	}
	return true;
}

static bool format(const char *text, size_t len, struct sb *out)
{
	auto_script struct script_text t;

	script_text_init(&t, "format", text, len);
	return fmt_script(&t.arena, &t.dx, t.source, out);
}

/* Shows both texts in full, which cmocka would cut. */
static void complain(const char *path, const char *what, const char *from, const char *to)
{
	fprintf(stderr, "%s\n--- gives ---\n%s\n", from, to);
	fail_msg("%s: %s", path, what);
}

/* Texts that do not parse are of no concern here. */
static void assert_kept(const char *path, const char *text, size_t len)
{
	__attribute__((cleanup(facts_free))) struct facts before, after = { 0 };
	auto_sb struct sb once = { 0 }, twice = { 0 };

	if (!facts_of(text, len, &before))
		return;
	assert_true(format(text, len, &once));
	if (!facts_of(sb_str(&once), once.len, &after))
		complain(path, "does not parse", text, sb_str(&once));
	if (strcmp(sb_str(&before.tree), sb_str(&after.tree)) != 0)
		complain(path, "another tree", text, sb_str(&once));
	if (strcmp(sb_str(&before.comments), sb_str(&after.comments)) != 0)
		complain(path, "other comments", text, sb_str(&once));
	assert_true(format(sb_str(&once), once.len, &twice));
	if (strcmp(sb_str(&once), sb_str(&twice)) != 0)
		complain(path, "changes again", sb_str(&once), sb_str(&twice));
}

static void keep_file(const char *path, void *arg)
{
	size_t len;
	auto_free char *text = read_text(path, &len);

	assert_non_null(text);
	assert_kept(path, text, len);
	++*(unsigned *)arg;
}

static void formatting_keeps_the_script_and_settles_at_once(void **state)
{
	unsigned n = 0;

	(void)state;
	for_each_file("tests/script/*.bt", keep_file, &n);
	for_each_file("tools/*.bt", keep_file, &n);
	for_each_file("/usr/sbin/*.bt", keep_file, &n);
	for_each_file("tests/fuzz/found/parse.*", keep_file, &n);
	for_each_file("tests/fuzz/found/compile.*", keep_file, &n);
	assert_in_range(n, 3, 100000);
}

/* The program of each case: the line PROG and those below it that start with a blank. */
static void keep_cases(const char *path, void *arg)
{
	size_t len;
	auto_free char *text = read_text(path, &len);

	assert_non_null(text);
	for (char *s = text; s; s = strstr(s, "\nPROG ")) {
		auto_sb struct sb prog = { 0 };

		if (strncmp(s, "\nPROG ", 6) != 0) {
			s++;
			continue;
		}
		for (s += 6;; s++) {
			size_t n = strcspn(s, "\n");

			sb_write(&prog, s, n);
			sb_putc(&prog, '\n');
			s += n;
			if (s[0] != '\n' || s[1] != ' ')
				break;
		}
		assert_kept(path, sb_str(&prog), prog.len);
		++*(unsigned *)arg;
	}
}

static void programs_of_all_cases_are_kept(void **state)
{
	unsigned n = 0;

	(void)state;
	for_each_file("tests/*/*.case", keep_cases, &n);
	assert_in_range(n, 600, 100000);
}

static void examples_of_all_messages_are_kept(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DIAG_CODES; i++) {
		const struct diag_explained *x = diag_explain(diag_row(i));

		assert_kept(diag_row(i)->id, x->wrong, strlen(x->wrong));
		assert_kept(diag_row(i)->id, x->right, strlen(x->right));
	}
}

static void keep_damaged(const char *path, void *arg)
{
	size_t len;
	auto_free char *text = read_text(path, &len);

	for (int round = 0; round < 200; round++) {
		auto_sb struct sb bad = { 0 };

		damage(&bad, text, len, arg);
		assert_kept(path, sb_str(&bad), bad.len);
	}
}

/* What still parses after some damage has comments and breaks in odd places. */
static void odd_scripts_are_kept_too(void **state)
{
	uint32_t seed = 77;

	(void)state;
	for_each_file("tests/script/[a-df-z]*.bt", keep_damaged, &seed);
	for_each_file("/usr/sbin/*.bt", keep_damaged, &seed);
}

static void compare_golden(const char *path, void *arg)
{
	auto_sb struct sb out = { 0 };
	char script[256];
	size_t len;

	snprintf(script, sizeof(script), "%.*sbt", (int)strlen(path) - 3, path);
	auto_free char *text = read_text(script, &len);
	assert_non_null(text);
	assert_true(format(text, len, &out));
	if (getenv("UPDATE_GOLDEN"))
		write_text(path, sb_str(&out));

	auto_free char *want = read_text(path, &len);
	assert_string_equal(sb_str(&out), want);
	++*(unsigned *)arg;
}

static void scripts_look_as_written(void **state)
{
	unsigned n = 0;

	(void)state;
	for_each_file("tests/script/*.fmt", compare_golden, &n);
	assert_in_range(n, 1, 1000);
}

static void a_wrong_script_gives_nothing(void **state)
{
	auto_sb struct sb out = { 0 };

	(void)state;
	assert_false(format("BEGIN {", 7, &out));
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_look_as_written),
		cmocka_unit_test(formatting_keeps_the_script_and_settles_at_once),
		cmocka_unit_test(programs_of_all_cases_are_kept),
		cmocka_unit_test(examples_of_all_messages_are_kept),
		cmocka_unit_test(odd_scripts_are_kept_too),
		cmocka_unit_test(a_wrong_script_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
