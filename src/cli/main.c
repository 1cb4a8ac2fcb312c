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
	{ "prog", cmd_prog, "the kernel's BPF programs: show, dump, profile, pin", true },
	{ "map", cmd_map, "its maps: show, dump, look up, change, create, pin", true },
	{ "link", cmd_link, "its links: show, pin, detach", true },
	{ "btf", cmd_btf, "its BTF objects: show, dump", true },
	{ "feature", cmd_feature, "what this kernel offers", true },
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

/* "-j prog show" becomes "prog -j show". */
static const struct command *find_behind_options(int argc, char **argv)
{
	int n = bpf_leading_options(argc - 1, argv + 1);
	const struct command *c = n ? find_command(argv[1 + n]) : NULL;

	if (!c || !c->options_lead)
		return NULL;
	for (int i = 1 + n; i > 1; i--)
		argv[i] = argv[i - 1];
	argv[1] = (char *)c->name;
	return c;
}

/* bpftool's subcommands that are none here: what does the same. */
static const struct {
	const char *name, *instead;
} ELSEWHERE[] = {
	{ "net",
	  "scry link show has links of xdp, tcx, netkit and netfilter; bpftool net has tc's "
	  "filters and programs without a link" },
	{ "cgroup",
	  "scry link show has links of cgroups; bpftool cgroup has programs without one" },
	{ "perf", "scry link show has the events that programs hang on" },
	{ "gen",
	  "scry build FILE -o PROG.bpf.o makes an object; bpftool gen makes skeletons of it" },
	{ "iter",
	  "scry run PROG.bpf.o walks it; in the language: iter:task { ... }, and iter:task:FILE "
	  "pins it" },
	{ "struct_ops", "scry run PROG.bpf.o registers it until ^C; scry map show lists them" },
	{ "batch", "a line of the shell for each command" },
	{ "token", "bpftool token lists them" },
};

/* A word that is no file, but means something to bpftool. */
static bool is_elsewhere(const char *word, int *code)
{
	struct err e = {};

	for (size_t i = 0; i < sizeof(ELSEWHERE) / sizeof(*ELSEWHERE); i++) {
		if (strcmp(ELSEWHERE[i].name, word) != 0 || !access(word, F_OK))
			continue;
		err_set(&e, -EINVAL, "there is no command '%s'", word);
		err_hint(&e, "%s", ELSEWHERE[i].instead);
		*code = report_usage(&e);
		return true;
	}
	return false;
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
	int err = err_of_stream(stdout);
	if (err == -EPIPE)
		return code;
	err_set(&e, err, "write standard output: %s", strerror(-err));
	return report_system(&e);
}

int main(int argc, char **argv)
{
	auto_free char *carrier = aot_own_path();
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	struct arena arena = {};
	struct options o;
	struct err e = {};

	if (!command)
		command = find_behind_options(argc, argv);
	hold_standard_files();
	if (carrier)
		return flush_output(cmd_run_own(carrier, argc, argv));
	if (command)
		return flush_output(command->run(argc - 1, argv + 1));
	if (argc < 2) {
		help_print(stderr);
		return EXIT_USAGE;
	}
	int code;
	if (is_elsewhere(argv[1], &code))
		return code;
	code = options_parse(&o, &arena, argc, argv, &e) ? report_usage(&e) : run_options(&o);

	arena_free(&arena);
	return flush_output(code);
}
