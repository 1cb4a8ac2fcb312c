#include "base/auto.h"
#include "cli/aot.h"
#include "cli/cmd_bpf.h"
#include "cli/cmd_filter.h"
#include "cli/cmd_flame.h"
#include "cli/cmd_run.h"
#include "cli/cmd_vm.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/report.h"

#include "scry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
	{ "vm", cmd_vm, "a BPF machine without a kernel" },
	{ "filter", cmd_filter, "packet filters: show, translate, run on captures" },
	{ "flame", cmd_flame, "folded stacks as a flame graph (SVG)" },
	{ "prog", cmd_prog, "the kernel's BPF programs: show, dump, profile, pin" },
	{ "map", cmd_map, "its maps: show, dump, look up, change, create, pin" },
	{ "link", cmd_link, "its links: show, pin, detach" },
	{ "btf", cmd_btf, "its BTF objects: show, dump" },
	{ "feature", cmd_feature, "what this kernel offers" },
	{ "build", cmd_build,
	  "write a program as an object file: scry build FILE -o PROG.bpf.o" },
	{ "run", cmd_run, "run a BPF object file: PROG.bpf.o" },
	{ 0 },
};

static const struct command *find_command(const char *word)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, word))
			return c;
	return NULL;
}

static int print_version(void)
{
	printf("scry v%s\n", SCRY_VERSION);
	return EXIT_OK;
}

static int print_help(void)
{
	help_print(stdout);
	return EXIT_OK;
}

static int run_options(const struct options *o)
{
	if (o->help)
		return print_help();
	if (o->version)
		return print_version();
	if (o->explain)
		return cmd_explain(o);
	if (o->info)
		return cmd_info(o);
	if (o->list)
		return cmd_list(o);
	if (o->fmt)
		return cmd_fmt(o);
	return cmd_trace(o);
}

/*
 * A descriptor that took the place of a closed standard one would get what is printed.  These
 * cannot be written to, so that who has no standard output is told.
 */
static void hold_standard_files(void)
{
	int fd = open("/dev/null", O_RDONLY);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDONLY);
	if (fd >= 0)
		close(fd);
}

/* What was printed has to arrive, unless its reader has gone. */
static int flush_output(int code)
{
	struct err e = {};

	if (code || (!fflush(stdout) && !ferror(stdout)))
		return code;
	int err = errno ? errno : EIO;
	if (err == EPIPE)
		return code;
	err_set(&e, -err, "write standard output: %s", strerror(err));
	return report_system(&e);
}

int main(int argc, char **argv)
{
	auto_free char *carrier = aot_own_path();
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	struct arena arena = {};
	struct options o;
	struct err e = {};

	hold_standard_files();
	if (carrier)
		return flush_output(cmd_run_own(carrier, argc, argv));
	if (command)
		return flush_output(command->run(argc - 1, argv + 1));
	if (argc < 2) {
		help_print(stderr);
		return EXIT_USAGE;
	}
	int code =
		options_parse(&o, &arena, argc, argv, &e) ? report_usage(&e) : run_options(&o);

	arena_free(&arena);
	return flush_output(code);
}
