#include "output/tests.h"

#include "base/auto.h"
#include "output/sink.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum color { RED = 31, GREEN = 32 };

/* Columns of the table of benchmarks. */
enum { NAME_WIDTH = 40, TIME_WIDTH = 15 };

static void put_mark(FILE *out, enum color color, const char *mark)
{
	if (isatty(fileno(out)))
		fprintf(out, "\033[%dm[%s]\033[0m ", color, mark);
	else
		fprintf(out, "[%s] ", mark);
}

static const char *tests_word(unsigned n)
{
	return n == 1 ? "test" : "tests";
}

static void put_time(FILE *out, uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms" };
	unsigned i = 0;

	for (; i < 2 && ns >= 1000; i++)
		ns /= 1000;
	fprintf(out, " (%" PRIu64 " %s)\n", ns, units[i]);
}

/* Lines that are empty are left out. */
static void put_output(FILE *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len)
			fprintf(out, "%.*s\n", (int)len, text);
		text += len + (text[len] != '\0');
	}
}

static void put_summary(FILE *out, const struct test_result *all, unsigned n)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++)
		passed += all[i].passed;
	put_mark(out, GREEN, "==========");
	fprintf(out, "%u %s ran.\n", n, tests_word(n));
	put_mark(out, GREEN, "  PASSED  ");
	fprintf(out, "%u %s.\n", passed, tests_word(passed));
	if (passed == n)
		return;
	put_mark(out, RED, "  FAILED  ");
	fprintf(out, "%u %s, listed below:\n", n - passed, tests_word(n - passed));
	for (unsigned i = 0; i < n; i++) {
		if (all[i].passed)
			continue;
		put_mark(out, RED, "  FAILED  ");
		fprintf(out, "%s\n", all[i].name);
	}
}

void tests_text_test(FILE *out, const struct test_result *all, unsigned n, unsigned i)
{
	const struct test_result *t = &all[i];

	if (!i) {
		put_mark(out, GREEN, "==========");
		fprintf(out, "Running %u %s.\n", n, tests_word(n));
	}
	put_mark(out, GREEN, " RUN      ");
	fprintf(out, "%s\n", t->name);
	if (!t->passed)
		put_output(out, t->output);
	put_mark(out, t->passed ? GREEN : RED, t->passed ? "       OK " : "  FAILED  ");
	fputs(t->name, out);
	put_time(out, t->ns);
	if (i == n - 1)
		put_summary(out, all, n);
}

void tests_text_bench(FILE *out, const struct bench_result *all, unsigned n, unsigned i,
		      bool is_first)
{
	static const char last[] = "Iterations";
	int width = NAME_WIDTH;

	for (unsigned k = 0; k < n; k++)
		if ((int)strlen(all[k].name) > width)
			width = (int)strlen(all[k].name);
	if (is_first) {
		fprintf(out, "%-*s %-*s%s\n", width, "Benchmark", TIME_WIDTH, "Time(ns)", last);
		for (size_t k = 0; k < (size_t)width + 1 + TIME_WIDTH + strlen(last); k++)
			fputc('-', out);
		fputc('\n', out);
	}
	fprintf(out, "%-*s %-*" PRIu64 "%" PRIu32 "\n", width, all[i].name, TIME_WIDTH,
		all[i].ns, all[i].iters);
}
