#include "cli/report.h"

#include <errno.h>
#include <stdio.h>

static void print_hint(const struct err *e)
{
	if (*e->hint)
		fprintf(stderr, "hint: %s\n", e->hint);
}

int report_usage(const struct err *e)
{
	fprintf(stderr, "scry: %s\n", e->msg);
	print_hint(e);
	return EXIT_USAGE;
}

int report_system(const struct err *e)
{
	const char *name = e->code ? err_name(e->code) : NULL;

	if (name)
		fprintf(stderr, "scry: %s (%s)\n", e->msg, name);
	else
		fprintf(stderr, "scry: %s\n", e->msg);
	if (e->code == -EMFILE && !*e->hint)
		fprintf(stderr, "hint: more files may be open after `ulimit -n 65536`\n");
	print_hint(e);
	return EXIT_SYSTEM;
}
