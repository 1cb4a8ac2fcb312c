/*
 * load - starts a tracer and measures it; makes the events that it traces.
 *
 *	load wall   RUNS COMMAND...    from start to exit
 *	load attach RUNS COMMAND...    from start until everything is attached
 *	load event  RUNS COMMAND...    the kernel's time and instructions per event
 *	load printf RUNS COMMAND...    lines delivered per second
 *	load keys   RUNS COMMAND...    printing a map of KEYS numbers, from SIGINT to exit
 *	load stacks RUNS COMMAND...    printing STACKS user stacks, from SIGINT to exit
 *
 * In COMMAND the word PID stands for load's own process, which is the only source of events: it
 * calls sched_get_priority_max(), which hardly anybody else does, with ever new arguments.  A
 * result is a line "name value" with the median of all runs.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ATTACHED "__BPFTRACE_NOTIFY_PROBES_ATTACHED"

enum {
	EVENTS = 200000,
	SLICES = 40, /* of the events */
	KEYS = 1000000,
	STACKS = 100000,
	RUNS_MAX = 101,
	PROGS_MAX = 4096,
	VALUES = 4
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* --- the tracer --- */

struct tracer {
	pid_t pid;
	int out; /* its standard output and standard error */
	long lines, lost;
	bool attached;
	char tail[4096]; /* the unfinished line */
	size_t len;
	struct rusage usage;
	double started, ended;
};

static void tracer_start(struct tracer *t, char **command)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		err(1, "pipe");
	*t = (struct tracer){ .out = ends[0], .started = now() };
	t->pid = fork();
	if (!t->pid) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	close(ends[1]);
}

static void take_line(struct tracer *t, const char *line)
{
	/* As text and as JSON. */
	static const char *const losses[] = { "Lost ",
					      "\"lost_events\", \"data\": {\"events\": " };

	if (!strcmp(line, ATTACHED))
		t->attached = true;
	for (int i = 0; i < 2; i++) {
		const char *lost = strstr(line, losses[i]);

		t->lost += lost ? atol(lost + strlen(losses[i])) : 0;
	}
	if (strstr(line, "event "))
		t->lines++;
	else if (strstr(line, "rror") && !strstr(line, "RLIMIT_MEMLOCK"))
		warnx("%s", line);
}

static void take_bytes(struct tracer *t, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n' && t->len < sizeof(t->tail) - 1) {
			t->tail[t->len++] = bytes[i];
			continue;
		}
		t->tail[t->len] = '\0';
		take_line(t, t->tail);
		t->len = 0;
	}
}

/* Takes in what the tracer says next; false at the end of it. */
static bool tracer_read(struct tracer *t)
{
	char chunk[1 << 16];
	ssize_t n = read(t->out, chunk, sizeof(chunk));

	if (n > 0)
		take_bytes(t, chunk, (size_t)n);
	return n > 0;
}

/* Does it say something within so many ms? */
static bool tracer_speaks(const struct tracer *t, int ms)
{
	struct pollfd p = { .fd = t->out, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static void tracer_wait_attached(struct tracer *t)
{
	while (!t->attached)
		if (!tracer_read(t))
			errx(1, "the tracer ended before it had attached");
}

/* Everything it said, then its end. */
static void tracer_wait(struct tracer *t)
{
	int status;

	while (tracer_read(t))
		;
	wait4(t->pid, &status, 0, &t->usage);
	t->ended = now();
	close(t->out);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		warnx("the tracer ended with status 0x%x", (unsigned)status);
}

/* bpftrace 0.17 may miss a SIGINT that comes in the moment after it has attached. */
static void tracer_settle(void)
{
	usleep(200000);
}

static void tracer_stop(struct tracer *t)
{
	kill(t->pid, SIGINT);
	for (int seconds = 0; !tracer_speaks(t, 1000); seconds++)
		kill(t->pid, seconds < 10 ? SIGINT : SIGKILL);
	tracer_wait(t);
}

/* The tracer's greatest resident size until now, in MB. */
static double tracer_memory(const struct tracer *t)
{
	char path[64], line[256];
	long kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", t->pid);
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return (double)kb / 1024;
}

/* --- BPF programs in the kernel --- */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

struct progs {
	uint32_t ids[PROGS_MAX];
	int n;
};

static void progs_list(struct progs *p)
{
	union bpf_attr attr = { 0 };

	p->n = 0;
	while (p->n < PROGS_MAX && !bpf(BPF_PROG_GET_NEXT_ID, &attr)) {
		attr.start_id = attr.next_id;
		p->ids[p->n++] = attr.next_id;
	}
}

static bool progs_have(const struct progs *p, uint32_t id)
{
	for (int i = 0; i < p->n; i++)
		if (p->ids[i] == id)
			return true;
	return false;
}

static bool prog_info(uint32_t id, struct bpf_prog_info *info)
{
	union bpf_attr attr = { .prog_id = id };
	int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);

	if (fd < 0)
		return false;
	memset(info, 0, sizeof(*info));
	attr = (union bpf_attr){ 0 };
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uintptr_t)info;

	bool known = !bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);

	close(fd);
	return known;
}

/* What programs have taken so far, by their place in a list. */
struct spent {
	uint64_t ns, runs;
};

/*
 * Time per run since the last look, of programs that came after `before` and ran at least that
 * often, all added up. Brings last up to date.
 */
static double progs_spent(const struct progs *before, const struct progs *all,
			  uint64_t runs_min, struct spent *last)
{
	struct bpf_prog_info info;
	double sum = 0;

	for (int i = 0; i < all->n; i++) {
		if (progs_have(before, all->ids[i]) || !prog_info(all->ids[i], &info))
			continue;
		struct spent now = { info.run_time_ns, info.run_cnt };

		if (now.runs - last[i].runs >= runs_min)
			sum += (double)(now.ns - last[i].ns) /
			       (double)(now.runs - last[i].runs);
		last[i] = now;
	}
	return sum;
}

/* What the programs that came after `before` are, all added up. */
static void progs_sizes(const struct progs *before, double v[VALUES])
{
	struct progs after;
	struct bpf_prog_info info;

	progs_list(&after);
	for (int i = 0; i < after.n; i++) {
		if (progs_have(before, after.ids[i]) || !prog_info(after.ids[i], &info))
			continue;
		/* Others may have loaded programs meanwhile: ours are those that ran that
		 * often. */
		if (info.run_cnt < EVENTS)
			continue;
		v[1] += (double)info.xlated_prog_len / sizeof(struct bpf_insn);
		v[2] += (double)info.jited_prog_len;
		v[3]++;
	}
}

/* What uprobes are for. */
__attribute__((noipa)) long bench_call(long n, const char *text)
{
	(void)text;
	return n + 1;
}

/* What USDT probes are for: bench:call, with n as its argument. */
static inline void bench_usdt(long n)
{
	__asm__ volatile("990:	nop\n"
			 "	.pushsection .note.stapsdt,\"\",\"note\"\n"
			 "	.balign 4\n"
			 "	.4byte 992f-991f, 994f-993f, 3\n"
			 "991:	.asciz \"stapsdt\"\n"
			 "992:	.balign 4\n"
			 "993:	.8byte 990b, 0, 0\n"
			 "	.asciz \"bench\"\n"
			 "	.asciz \"call\"\n"
			 "	.asciz \"8@%0\"\n"
			 "994:	.balign 4\n"
			 "	.popsection\n"
			 :
			 : "r"(n));
}

static void make_events(long n)
{
	while (n--) {
		syscall(SYS_sched_get_priority_max, n & 0xffff);
		bench_call(n & 0xffff, "/usr/lib/x86_64-linux-gnu/libc.so.6");
		bench_usdt(n & 0xffff);
	}
}

static void make_keys(void)
{
	for (long n = 0; n < KEYS; n++)
		syscall(SYS_sched_get_priority_max, n);
}

/* Where user stacks are taken: each n gets there by another way, through PATH_DEPTH functions.
 */
__attribute__((noipa)) long bench_leaf(long n)
{
	return n + 1;
}

enum { PATH_DEPTH = 17 };

long bench_even(long n, int depth);

__attribute__((noipa)) long bench_odd(long n, int depth)
{
	if (!depth)
		return bench_leaf(n) + 1;
	return (n & 1 ? bench_odd : bench_even)(n >> 1, depth - 1) + 1;
}

__attribute__((noipa)) long bench_even(long n, int depth)
{
	if (!depth)
		return bench_leaf(n) + 2;
	return (n & 1 ? bench_odd : bench_even)(n >> 1, depth - 1) + 2;
}

static void make_stacks(void)
{
	for (long n = 0; n < STACKS; n++)
		bench_even(n, PATH_DEPTH);
}

/* --- what is measured: each fills the values of one run --- */

static void measure_wall(char **command, double v[VALUES])
{
	struct tracer t;

	tracer_start(&t, command);
	tracer_wait(&t);
	v[0] = (t.ended - t.started) * 1e3;
	v[1] = (double)t.usage.ru_maxrss / 1024;
}

static void measure_attach(char **command, double v[VALUES])
{
	struct tracer t;

	tracer_start(&t, command);
	tracer_wait_attached(&t);
	v[0] = (now() - t.started) * 1e3;
	v[1] = tracer_memory(&t);
	tracer_settle();

	double stop = now();

	tracer_stop(&t);
	v[2] = (t.ended - stop) * 1e3;
}

/*
 * Nanoseconds per event, on one CPU. Programs in user space's probes are preempted like
 * anything else, and a busy machine slows all down, so the events are made in slices, of which
 * one of the fastest counts.
 */
static double events_cost(const struct progs *before)
{
	static struct spent last[PROGS_MAX];
	double costs[SLICES];
	struct progs all;
	cpu_set_t was, one;

	sched_getaffinity(0, sizeof(was), &was);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	progs_list(&all);
	progs_spent(before, &all, 0, last);
	for (int i = 0; i < SLICES; i++) {
		make_events(EVENTS / SLICES);
		costs[i] = progs_spent(before, &all, EVENTS / SLICES, last);
	}
	sched_setaffinity(0, sizeof(was), &was);
	qsort(costs, SLICES, sizeof(*costs), by_value);
	return costs[SLICES / 10];
}

static void measure_event(char **command, double v[VALUES])
{
	union bpf_attr attr = { .enable_stats.type = BPF_STATS_RUN_TIME };
	int stats = bpf(BPF_ENABLE_STATS, &attr);
	struct progs before;
	struct tracer t;

	if (stats < 0)
		err(1, "BPF_ENABLE_STATS");
	progs_list(&before);
	tracer_start(&t, command);
	tracer_wait_attached(&t);
	tracer_settle();
	v[0] = events_cost(&before);
	progs_sizes(&before, v);
	tracer_stop(&t);
	close(stats);
}

/* Events as fast as they can be made, in a child, while this process reads. */
static void measure_printf(char **command, double v[VALUES])
{
	struct tracer t;
	pid_t reader;
	int ends[2];

	if (pipe(ends))
		err(1, "pipe");
	fflush(stdout);
	/* The events must be of the process that PID names, so the child is the one to read. */
	reader = fork();
	if (!reader) {
		tracer_start(&t, command);
		tracer_wait_attached(&t);
		tracer_settle();
		if (write(ends[1], "!", 1) != 1)
			err(1, "write");
		double first = now(), last = first;

		while (t.lines + t.lost < EVENTS && tracer_speaks(&t, 1000) && tracer_read(&t))
			last = now();
		tracer_stop(&t);
		double said[VALUES] = { (double)t.lines / (last - first), (double)t.lines,
					(double)t.lost };

		if (write(ends[1], said, sizeof(said)) != sizeof(said))
			err(1, "write");
		_exit(0);
	}

	char go;

	if (read(ends[0], &go, 1) != 1)
		err(1, "read");
	make_events(EVENTS);
	if (read(ends[0], v, VALUES * sizeof(*v)) != VALUES * sizeof(*v))
		err(1, "read");
	waitpid(reader, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

/* The rest of what it says; the entries of maps in it, each of which has a "]:". */
static long tracer_count_entries(const struct tracer *t)
{
	char chunk[1 << 16], before = 0;
	long entries = 0;
	ssize_t n;

	while ((n = read(t->out, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			entries += before == ']' && chunk[i] == ':';
			before = chunk[i];
		}
	return entries;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void measure_print(char **command, double v[VALUES], void (*fill)(void))
{
	struct tracer t;

	tracer_start(&t, command);
	tracer_wait_attached(&t);
	tracer_settle();
	fill();

	double stop = now();

	kill(t.pid, SIGINT);
	v[2] = (double)tracer_count_entries(&t);
	tracer_wait(&t);
	v[0] = (t.ended - stop) * 1e3;
	v[1] = (double)t.usage.ru_maxrss / 1024;
	v[3] = seconds(t.usage.ru_utime) + seconds(t.usage.ru_stime);
}

static void measure_keys(char **command, double v[VALUES])
{
	measure_print(command, v, make_keys);
}

static void measure_stacks(char **command, double v[VALUES])
{
	measure_print(command, v, make_stacks);
}

static const struct measure {
	const char *name;
	void (*run)(char **command, double v[VALUES]);
	const char *values[VALUES];
} MEASURES[] = {
	{ "wall", measure_wall, { "ms", "MB" } },
	{ "attach", measure_attach, { "ms", "MB", "ms_to_end" } },
	{ "event", measure_event, { "ns", "insns", "bytes", "progs" } },
	{ "printf", measure_printf, { "per_second", "delivered", "lost" } },
	{ "keys", measure_keys, { "ms", "MB", "entries", "cpu_s" } },
	{ "stacks", measure_stacks, { "ms", "MB", "entries", "cpu_s" } },
};

static const struct measure *measure_find(const char *name)
{
	for (size_t i = 0; i < sizeof(MEASURES) / sizeof(*MEASURES); i++)
		if (!strcmp(MEASURES[i].name, name))
			return &MEASURES[i];
	return NULL;
}

/* Replaces the word PID in the arguments. */
static void name_self(char **argv)
{
	for (char **arg = argv; *arg; arg++) {
		char *at = strstr(*arg, "PID");
		char *text;

		if (!at)
			continue;
		if (asprintf(&text, "%.*s%d%s", (int)(at - *arg), *arg, getpid(), at + 3) < 0)
			err(1, "memory");
		*arg-- = text;
	}
}

int main(int argc, char **argv)
{
	static double all[VALUES][RUNS_MAX];
	const struct measure *m = argc > 3 ? measure_find(argv[1]) : NULL;
	int runs = argc > 3 ? atoi(argv[2]) : 0;

	if (!m || runs < 1 || runs > RUNS_MAX)
		errx(2, "usage: load wall|attach|event|printf|keys|stacks RUNS COMMAND...");
	setenv(ATTACHED, ATTACHED, 1);
	name_self(argv + 3);
	for (int i = 0; i < runs; i++) {
		double v[VALUES] = { 0 };

		m->run(argv + 3, v);
		for (int k = 0; k < VALUES; k++)
			all[k][i] = v[k];
	}
	for (int k = 0; k < VALUES && m->values[k]; k++)
		printf("%s %.2f\n", m->values[k], median(all[k], runs));
	return 0;
}
