#include "cli/help.h"

#include "cli/commands.h"
#include "cli/options.h"

#include <string.h>

static const char usage[] =
	"usage: scry [OPTIONS] -e 'PROGRAM' [PARAMETERS]\n"
	"       scry [OPTIONS] FILE [PARAMETERS]\n"
	"       scry [OPTIONS] -               the program from standard input\n"
	"       scry -l [PATTERN]              list probes\n";

static const char examples[] =
	"\nExamples\n"
	"  scry -l 'tracepoint:syscalls:sys_enter_*'\n"
	"      list the system calls that can be traced\n"
	"  scry -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'\n"
	"      count system calls by process, until ^C\n"
	"  scry -e 'tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, "
	"str(args.filename)); }'\n"
	"      files opened, by process\n"
	"  scry -e 'kretprobe:vfs_read { @bytes = hist(retval); }' -c 'cat /etc/passwd'\n"
	"      a histogram of read sizes while a command runs\n";

enum { HELP_COLUMN = 32 };

static void print_option(const struct option_help *o, FILE *out)
{
	int width = 0;

	if (o->letter && o->name)
		width = fprintf(out, "  -%c, --%s", o->letter, o->name);
	else if (o->letter)
		width = fprintf(out, "  -%c", o->letter);
	else
		width = fprintf(out, "      --%s", o->name);
	if (o->arg)
		width += fprintf(out, " %s", o->arg);
	fprintf(out, "%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "", o->help);
}

void help_print(FILE *out)
{
	fputs(usage, out);
	for (unsigned i = 0; i < option_nhelps; i++) {
		const struct option_help *o = &option_helps[i];

		if (o->title)
			fprintf(out, "\n%s\n", o->title);
		else if (*o->help)
			print_option(o, out);
	}
	if (commands[0].name)
		fputs("\nCommands\n", out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  scry %-*s%s\n", HELP_COLUMN - 7, c->name, c->doc);
	fputs(examples, out);
}
