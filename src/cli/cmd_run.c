#include "cli/cmd_run.h"

#include "cli/cmd_vm.h"
#include "cli/report.h"
#include "cli/run_built.h"
#include "kernel/proc.h"
#include "object/watch.h"

#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <string.h>

/* An option that is about one program or variable, in the order of the command line. */
struct choice {
	int opt;
	const char *text;
};

struct task {
	const char *path, *cmd, *format;
	pid_t pid;
	VEC(struct choice) choices;
	struct object_where where;
	bool quiet, verbose, help, told;
	struct watch_options watch;
	VEC(struct watch_type) types;
	struct child child;
	struct object object;
	struct arena arena;
	struct err err;
};

static const char USAGE[] =
	"usage: scry run [OPTION]... FILE.bpf.o\n"
	"       scry run --vm [OPTION OF scry vm run]... FILE.bpf.o\n"
	"\n"
	"Loads the BPF programs of an object file, attaches each where its section says, shows\n"
	"their records and what they print until ^C, and then their maps.\n"
	"\n"
	"  -c CMD               start CMD, end when it ends; uprobes, USDT, samples and walks over\n"
	"                       tasks see it alone\n"
	"  -p PID               the same of a process that runs\n"
	"  -t, --type [MAP:]TYPE  what the records of a ring or perf buffer are, by the file's BTF;\n"
	"                       they are shown as hex otherwise\n"
	"      --prog NAME      load that program, and of the others those named so too\n"
	"      --without NAME   do not load that program\n"
	"      --at NAME=PLACE  attach that program there, as it would stand behind the '/' of its\n"
	"                       section: vfs_read, /bin/bash:readline, sched/sched_switch\n"
	"      --set VAR=VALUE  what a global variable starts with; pid is that of -c or -p\n"
	"      --dev NAME       the interface of xdp, tc, tcx, netkit and socket programs\n"
	"      --cgroup PATH    the cgroup of cgroup/..., cgroup_skb, sockops and lsm_cgroup programs\n"
	"      --netns PATH     the namespace of sk_lookup and flow_dissector programs\n"
	"      --rate N         samples a second of perf_event programs (99)\n"
	"      --no-maps        do not show the maps at the end\n"
	"  -f, --format FORMAT  text (default) or json\n"
	"  -q, --quiet          do not say how many programs were attached\n"
	"  -v, --verbose        all that the verifier said about a program it rejected\n"
	"      --vm             run a program in user space, on memory: see scry vm --help\n"
	"  -h, --help           this text\n";

static const char OWN_USAGE[] =
	"A script that scry --aot made a program of.\n"
	"\n"
	"  -c CMD               start CMD, end when it ends; uprobes and USDT see it alone\n"
	"  -p PID               end when that process ends; uprobes and USDT see it alone\n"
	"  -f, --format FORMAT  text (default) or json\n"
	"  -q, --quiet          do not say how many probes were attached\n"
	"  -h, --help           this text\n";

enum {
	OPT_PROG = 256,
	OPT_WITHOUT,
	OPT_AT,
	OPT_SET,
	OPT_DEV,
	OPT_CGROUP,
	OPT_NETNS,
	OPT_RATE,
	OPT_NO_MAPS,
};

static int set_pid(struct task *t, const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (*end || pid < 1 || pid > 1 << 22)
		return err_set(&t->err, -EINVAL, "-p: '%s' is not a process id", text);
	t->pid = (pid_t)pid;
	return 0;
}

static int add_type(struct task *t, char *text)
{
	char *colon = strchr(text, ':');
	struct watch_type type = { .map = colon ? text : NULL,
				   .type = colon ? colon + 1 : text };

	if (colon)
		*colon = '\0';
	vec_push(&t->arena, &t->types, type);
	return 0;
}

static int set_dev(struct task *t, const char *name)
{
	t->where.dev = if_nametoindex(name);
	return t->where.dev
		       ? 0
		       : err_set(&t->err, -EINVAL, "--dev: there is no interface '%s'", name);
}

static int set_rate(struct task *t, const char *text)
{
	char *end;
	long rate = strtol(text, &end, 10);

	if (*end || rate < 1 || rate > 1000000)
		return err_set(&t->err, -EINVAL,
			       "--rate: '%s' is no number of samples a second", text);
	t->where.rate = (unsigned)rate;
	return 0;
}

static int take_option(struct task *t, int opt, char *word)
{
	switch (opt) {
	case 'c': t->cmd = optarg; return 0;
	case 'p': return set_pid(t, optarg);
	case 't': return add_type(t, optarg);
	case 'f': t->format = optarg; return 0;
	case 'q': t->quiet = true; return 0;
	case 'v': t->verbose = true; return 0;
	case 'h': t->help = true; return 0;
	case OPT_PROG:
	case OPT_WITHOUT:
	case OPT_AT:
	case OPT_SET:
		vec_push(&t->arena, &t->choices, ((struct choice){ opt, optarg }));
		return 0;
	case OPT_DEV: return set_dev(t, optarg);
	case OPT_CGROUP: t->where.cgroup = optarg; return 0;
	case OPT_NETNS: t->where.netns = optarg; return 0;
	case OPT_RATE: return set_rate(t, optarg);
	case OPT_NO_MAPS: t->watch.no_maps = true; return 0;
	}
	err_set(&t->err, -EINVAL, "option '%s' is not there or lacks its argument", word);
	return err_hint(&t->err, "scry run --help lists the options");
}

static int check_words(struct task *t, int argc, char **argv)
{
	if (t->help)
		return 0;
	if (t->path && argc != optind)
		return err_set(&t->err, -EINVAL, "'%s': the script has its parameters already",
			       argv[optind]);
	if (!t->path && argc - optind != 1) {
		err_set(&t->err, -EINVAL, "one object file is wanted");
		return err_hint(&t->err, "scry run FILE.bpf.o");
	}
	if (!t->path)
		t->path = argv[optind];
	if (t->cmd && t->pid)
		return err_set(&t->err, -EINVAL, "-c and -p cannot be used together");
	t->watch.sink = sink_find(t->format ? t->format : "text");
	if (!t->watch.sink)
		return err_set(&t->err, -EINVAL, "-f: there is no output format '%s'",
			       t->format);
	return 0;
}

static int take_options(struct task *t, int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{ "type", required_argument, NULL, 't' },
		{ "prog", required_argument, NULL, OPT_PROG },
		{ "without", required_argument, NULL, OPT_WITHOUT },
		{ "at", required_argument, NULL, OPT_AT },
		{ "set", required_argument, NULL, OPT_SET },
		{ "dev", required_argument, NULL, OPT_DEV },
		{ "cgroup", required_argument, NULL, OPT_CGROUP },
		{ "netns", required_argument, NULL, OPT_NETNS },
		{ "rate", required_argument, NULL, OPT_RATE },
		{ "no-maps", no_argument, NULL, OPT_NO_MAPS },
		{ "format", required_argument, NULL, 'f' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt, err = 0;

	optind = 0;
	opterr = 0;
	while (!err && (opt = getopt_long(argc, argv, "c:p:t:f:qvh", OPTIONS, NULL)) >= 0)
		err = take_option(t, opt, argv[optind - 1]);
	return err ? err : check_words(t, argc, argv);
}

static void tell_attached(void *arg, const struct object *o)
{
	struct task *t = arg;

	t->told = true;
	fputs(sb_str(&o->notes), stderr);
	if (!t->quiet)
		t->watch.sink->attached(t->watch.sink->notices_apart ? stderr : stdout,
					o->nattached);
	fflush(stdout);
}

static int choose(struct task *t, const struct choice *c)
{
	switch (c->opt) {
	case OPT_AT: return object_place(&t->object, c->text, &t->err);
	case OPT_SET: return object_set(&t->object, c->text, t->child.pid, &t->err);
	}
	return object_want(&t->object, c->text, c->opt == OPT_PROG, &t->err);
}

static int work(struct task *t)
{
	int err = object_open(&t->object, t->path, &t->err);

	if (!err && t->cmd)
		err = child_start(&t->child, t->cmd, &t->err);
	else if (!err && t->pid)
		err = child_watch(&t->child, t->pid, &t->err);
	t->where.pid = t->child.pid;
	vec_each(c, &t->choices)
		err = err ? err : choose(t, c);
	if (!err)
		err = object_load(&t->object, &t->err);
	if (err && t->verbose)
		fputs(sb_str(&t->object.log), stderr);
	if (err)
		return err;
	t->watch.out = stdout;
	t->watch.child = &t->child;
	t->watch.where = &t->where;
	t->watch.types = t->types.data;
	t->watch.ntypes = t->types.len;
	err = object_watch(&t->object, &t->watch, tell_attached, t, &t->err);
	if (err && !t->told)
		fputs(sb_str(&t->object.notes), stderr);
	return err;
}

/* `scry run --vm` is `scry vm run`. */
static int run_in_vm(int argc, char **argv)
{
	char vm[] = "vm", run[] = "run";
	char *words[64] = { vm, run };
	int n = 2;

	for (int i = 1; i < argc && n < 63; i++)
		if (strcmp(argv[i], "--vm") != 0)
			words[n++] = argv[i];
	return cmd_vm(n, words);
}

/* path: of the object, NULL when the words say it */
static int run_object(const char *path, int argc, char **argv)
{
	struct task t = { .path = path, .child = CHILD_NONE };
	int code = EXIT_OK;

	if (take_options(&t, argc, argv))
		code = report_usage(&t.err);
	else if (t.help)
		fputs(path ? OWN_USAGE : USAGE, stdout);
	else if (run_built(&(struct run_built){ t.path, t.cmd, t.pid, t.quiet, t.watch.sink },
			   &code))
		return code;
	else if (work(&t))
		code = t.err.code == -EINVAL ? report_usage(&t.err) : report_system(&t.err);
	if (t.object.path)
		object_close(&t.object);
	child_end(&t.child);
	arena_free(&t.arena);
	return code;
}

int cmd_run(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--vm"))
			return run_in_vm(argc, argv);
	return run_object(NULL, argc, argv);
}

int cmd_run_own(const char *path, int argc, char **argv)
{
	return run_object(path, argc, argv);
}
