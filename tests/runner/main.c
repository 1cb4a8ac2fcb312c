/*
 * runner - carries out test cases and says what came of each.
 *
 * One line per case, "ok NAME", "skip NAME: reason" or "FAIL NAME: reason" with all that was
 * said below it, and "N passed, N failed, N skipped" at the end.
 */
#include "check.h"
#include "need.h"

#include "base/auto.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

static const char USAGE[] =
	"usage: runner [-C DIR] [-s TRACER] [-t SECONDS] [-k PATTERN]... [-n] FILE...\n"
	"\n"
	"  -C DIR      the folder commands run in\n"
	"  -s TRACER   the program under test, $SCRY in commands\n"
	"  -t SECONDS  time for a case that sets none (20)\n"
	"  -k PATTERN  only cases whose name matches\n"
	"  -n          name the cases, run none\n";

struct options {
	unsigned timeout;
	bool names_only;
	VEC(const char *) patterns;
};

struct counts {
	unsigned passed, failed, skipped;
};

static bool is_wanted(const struct options *opt, const char *name)
{
	vec_each(p, &opt->patterns)
		if (!fnmatch(*p, name, 0))
			return true;
	return !opt->patterns.len;
}

/* Text below a case, set off from the lines that are counted. */
static void print_indented(const char *title, const char *text)
{
	if (!*text)
		return;
	printf("    %s\n", title);
	while (*text) {
		int len = (int)strcspn(text, "\n");

		printf("    | %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_failure(const struct job *job, const char *why)
{
	const struct test *t = job->test;

	printf("FAIL %s (%s:%u)\n", case_get(t, KW_NAME), t->file, t->row);
	print_indented("why:", why);
	print_indented("asked:", case_get_or(t, KW_PROG, case_get_or(t, KW_RUN, "")));
	print_indented("standard output:", sb_str(&job->said[JOB_OUT]));
	print_indented("standard error:", sb_str(&job->said[JOB_ERR]));
	print_indented("workload:", sb_str(&job->said[JOB_WORK]));
}

static bool is_skipped(const struct test *t)
{
	auto_sb struct sb why = { 0 };

	vec_each(l, &t->lines) {
		if (l->keyword != KW_NEEDS || need_met(l->text, &why))
			continue;
		printf("skip %s: %s\n", case_get(t, KW_NAME), sb_str(&why));
		return true;
	}
	return false;
}

static void run_case(const struct options *opt, const struct test *t, struct counts *n)
{
	struct job job = { .test = t, .timeout = opt->timeout, .fd = { -1, -1, -1 } };
	auto_sb struct sb why = { 0 };

	if (is_skipped(t)) {
		n->skipped++;
		return;
	}
	if (job_run(&job) && check_job(&job, &why)) {
		printf("ok %s %.2fs\n", case_get(t, KW_NAME), job.seconds);
		n->passed++;
	} else {
		print_failure(&job, job.trouble.len ? sb_str(&job.trouble) : sb_str(&why));
		n->failed++;
	}
	job_fini(&job);
}

static int run_cases(const struct options *opt, const struct tests *tests)
{
	struct counts n = { 0 };

	vec_each(t, tests) {
		const char *name = case_get(t, KW_NAME);

		if (!is_wanted(opt, name))
			continue;
		if (opt->names_only)
			puts(name);
		else
			run_case(opt, t, &n);
		fflush(stdout);
	}
	if (!opt->names_only)
		printf("%u passed, %u failed, %u skipped\n", n.passed, n.failed, n.skipped);
	return n.failed ? 1 : 0;
}

/* Returns the index of the first file, or -1. */
static int parse_options(struct options *opt, const char **dir, int argc, char **argv)
{
	for (int c; (c = getopt(argc, argv, "C:s:t:k:n")) != -1;) {
		switch (c) {
		case 'C': *dir = optarg; break;
		case 's': setenv("SCRY", optarg, 1); break;
		case 't': opt->timeout = (unsigned)atoi(optarg); break;
		case 'k': vec_push(NULL, &opt->patterns, optarg); break;
		case 'n': opt->names_only = true; break;
		default: return -1;
		}
	}
	return optind < argc ? optind : -1;
}

int main(int argc, char **argv)
{
	struct options opt = { .timeout = 20 };
	struct tests tests = { 0 };
	auto_arena struct arena arena = { 0 };
	struct err e = { 0 };
	const char *dir = ".";
	int first = parse_options(&opt, &dir, argc, argv);

	if (first < 0) {
		fputs(USAGE, stderr);
		return 2;
	}
	for (int i = first; i < argc; i++) {
		if (case_load(&tests, argv[i], &arena, &e)) {
			fprintf(stderr, "runner: %s\n", e.msg);
			return 2;
		}
	}
	if (chdir(dir)) {
		fprintf(stderr, "runner: enter %s: %s\n", dir, strerror(errno));
		return 2;
	}
	setenv(JOB_ATTACHED, JOB_ATTACHED, 1);

	int rc = run_cases(&opt, &tests);

	vec_free(&opt.patterns);
	return rc;
}
