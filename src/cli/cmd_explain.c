/*
 * scry --explain CODE: what the code of a message means, a script that gets it, and its cure.
 */
#include "base/diag.h"
#include "cli/commands.h"
#include "cli/report.h"

#include <errno.h>
#include <string.h>

/* The words with ... where a message has the user's own; nothing when they are all of it. */
static void print_words(const char *words)
{
	if (!strcmp(words, "%s"))
		return;
	fputs(": ", stdout);
	while (*words) {
		if (*words != '%') {
			putchar(*words++);
			continue;
		}
		words += strcspn(words, "sdux") + 1;
		fputs("...", stdout);
	}
}

static void print_example(const char *heading, const char *text)
{
	printf("\n%s:\n\n    ", heading);
	for (; *text; text++)
		fputs(*text == '\n' ? "\n    " : (char[]){ *text, '\0' }, stdout);
	putchar('\n');
}

int cmd_explain(const struct options *o)
{
	const struct diag_row *row = diag_find(o->explain);
	struct err e = {};

	if (!row) {
		err_set(&e, -EINVAL, "--explain: there is no code '%s'", o->explain);
		err_hint(&e,
			 "codes look like E0107; every message about a program shows its own");
		return report_usage(&e);
	}
	const struct diag_explained *x = diag_explain(row);

	printf("%.5s: %s", row->id, row->severity == DIAG_ERROR ? "error" : "warning");
	print_words(row->words);
	putchar('\n');
	if (x->why)
		printf("\n%s\n", x->why);
	if (*row->more)
		printf("\n%s\n", row->more);
	if (x->wrong)
		print_example("For example", x->wrong);
	if (x->right)
		print_example("Instead", x->right);
	if (*row->hint)
		printf("\nhint: %s\n", row->hint);
	return EXIT_OK;
}
