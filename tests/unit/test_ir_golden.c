/*
 * Golden tests of the passes: each tests/ir/<pass>.<what>.ir is one test.
 *
 *	; what it shows
 *	pass fold dce
 *	fn "in" { ... }
 *	becomes
 *	fn "out" { ... }
 *
 * The passes run in the given order; `pass all` is ir_optimize().
 */
#include "base/auto.h"
#include "ir/ir.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(struct arena *a, const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	auto_sb struct sb sb = {};
	char buf[4096];
	size_t n;

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		sb_write(&sb, buf, n);
	return arena_strdup(a, sb_str(&sb));
}

static struct fn *parse(struct arena *a, const char *path, const char *text)
{
	const char *msg = "";
	int line = 0;
	struct fn *fn = ir_parse(a, text, &msg, &line);

	if (!fn)
		fail_msg("%s: line %d of the function: %s", path, line, msg);
	return fn;
}

static void check(struct arena *a, const char *path, const char *what, const struct fn *fn)
{
	const char *wrong = ir_check(fn, a);

	if (wrong)
		fail_msg("%s: %s: %s", path, what, wrong);
}

static void run_pass(struct fn *fn, const char *path, const char *name)
{
	if (!strcmp(name, "all")) {
		ir_optimize(fn, NULL, NULL);
		return;
	}
	for (const struct ir_pass *p = ir_passes; p->name; p++)
		if (!strcmp(p->name, name)) {
			p->run(fn);
			return;
		}
	fail_msg("%s: no pass %s", path, name);
}

static void golden(void **state)
{
	auto_arena struct arena a = {};
	auto_sb struct sb got = {}, want = {};
	const char *path = *state;
	char *text = read_file(&a, path);
	char *passes = strstr(text, "pass "), *in = strchr(text, '\n');

	while (in && in < passes)
		in = strchr(in + 1, '\n');
	char *out = strstr(text, "\nbecomes\n");
	if (!passes || !in || !out)
		fail_msg("%s: not of the form pass ... becomes ...", path);
	*in = *out = '\0';

	struct fn *fn = parse(&a, path, in + 1);
	struct fn *expected = parse(&a, path, out + strlen("\nbecomes\n"));
	check(&a, path, "input", fn);
	for (char *name = strtok(passes + strlen("pass "), " "); name; name = strtok(NULL, " "))
		run_pass(fn, path, name);
	check(&a, path, "output", fn);

	ir_print(fn, &got);
	ir_print(expected, &want);
	if (strcmp(sb_str(&got), sb_str(&want)))
		fail_msg("%s gives\n%s", path, sb_str(&got));
}

int main(void)
{
	glob_t files;

	if (glob("tests/ir/*.ir", 0, NULL, &files)) {
		fprintf(stderr, "no tests/ir/*.ir here\n");
		return 1;
	}
	struct CMUnitTest *tests = xcalloc(files.gl_pathc, sizeof(*tests));
	for (size_t k = 0; k < files.gl_pathc; k++)
		tests[k] = (struct CMUnitTest){ .name = files.gl_pathv[k],
						.test_func = golden,
						.initial_state = files.gl_pathv[k] };

	int failed = _cmocka_run_group_tests("golden", tests, files.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&files);
	return failed;
}
