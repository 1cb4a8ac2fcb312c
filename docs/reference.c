/*
 * reference - docs/reference.md from the tables that the program itself reads.
 */
#include "base/diag.h"
#include "builtin/builtin.h"
#include "probe/provider.h"

#include <string.h>

static const char HEAD[] = "# Reference\n"
			   "\n"
			   "Made by `make docs` from the program's own tables; do not edit.\n";

/* A '|' would end a table's cell. */
static void print_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_provider(const struct provider *p)
{
	printf("| `%s` |", p->name);
	for (const char *const *alias = p->aliases; alias && *alias; alias++)
		printf(" `%s`", *alias);
	printf(" | ");
	print_cell(p->usage);
	printf(" | ");
	print_cell(p->doc);
	puts(" |");
}

static void print_providers(void)
{
	printf("\n## Probes\n\n| name | short | written | fires |\n|---|---|---|---|\n");
	for (const struct provider *const *p = providers; *p; p++)
		print_provider(*p);
}

static void print_builtin(const struct builtin *b)
{
	/* "? count()": the type of the result depends on the use. */
	const char *sig = strncmp(b->sig, "? ", 2) ? b->sig : b->sig + 2;

	printf("| `%s` | `", b->name);
	print_cell(sig);
	printf("` | ");
	print_cell(b->doc ? b->doc : "");
	printf("%s |\n", b->flags & BI_UNSAFE ? " Needs `--unsafe`." : "");
}

static void print_builtins(void)
{
	printf("\n## Builtins\n\n");
	printf("A signature is the result's type, the name, and the parameters, optional ones "
	       "in brackets.\nWithout a type the result's depends on the use.\n");
	printf("\n| name | signature | meaning |\n|---|---|---|\n");
	for (const struct builtin *const *family = builtin_families; *family; family++)
		for (const struct builtin *b = *family; b->name; b++)
			print_builtin(b);
}

static void print_message(const struct diag_row *row)
{
	printf("| `%.5s` | ", row->id);
	print_cell(row->words);
	printf(" | ");
	print_cell(row->hint);
	printf(" |\n");
}

static void print_messages(void)
{
	printf("\n## Messages\n\n`scry --explain CODE` explains each of them, with an example and its cure.\n");
	printf("\n| code | words | hint |\n|---|---|---|\n");
	for (unsigned i = 0; i < DIAG_CODES; i++)
		print_message(diag_row(i));
}

int main(void)
{
	fputs(HEAD, stdout);
	print_providers();
	print_builtins();
	print_messages();
	return 0;
}
