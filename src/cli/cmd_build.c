#include "cli/cmd_run.h"
#include "cli/commands.h"
#include "cli/report.h"

#include <errno.h>

static const char USAGE[] =
	"usage: scry build [OPTION]... {FILE | -e PROGRAM} [PARAMETER]... -o PROG.bpf.o\n"
	"\n"
	"Compiles a program and writes it as an object file for this kernel, which scry run shows as\n"
	"it would the program, and which bpftool and libbpf load. The options are those of scry.\n";

static int check(const struct options *o, struct err *e)
{
	if (!o->output) {
		err_set(e, -EINVAL, "the name of the object file is missing");
		return err_hint(e, "scry build FILE -o PROG.bpf.o");
	}
	/* The process would be in the programs, and gone when they run. */
	if (o->cmd || o->pid)
		return err_set(e, -EINVAL, "-c and -p are options of scry run");
	return 0;
}

int cmd_build(int argc, char **argv)
{
	struct arena arena = {};
	struct options o;
	struct err e = {};
	int code;

	if (options_parse(&o, &arena, argc, argv, &e) || (!o.help && check(&o, &e))) {
		code = report_usage(&e);
	} else if (o.help) {
		code = fputs(USAGE, stdout) < 0 ? EXIT_SYSTEM : EXIT_OK;
	} else {
		o.build = true;
		code = cmd_trace(&o);
	}
	arena_free(&arena);
	return code;
}
