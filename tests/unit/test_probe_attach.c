/* Attaching to the running kernel, counting this process only; skipped where that is denied. */
#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/proc.h"
#include "probe/provider.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct probe_env env;
	struct groups groups;
	struct links links;
	int map;
	uint64_t *counts; /* by cookie */
};

enum { COUNTS = 512 };

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct kbpf_map m = { BPF_MAP_TYPE_ARRAY, 4, COUNTS * 8, 1, BPF_F_MMAPABLE, "counts" };

	sources_init(&f->sources, &f->arena);
	diags_init(&f->dx, &f->arena, &f->sources);
	typetab_init(&f->types, &f->arena);
	f->env = (struct probe_env){ .arena = &f->arena, .types = &f->types, .dx = &f->dx };
	f->map = kbpf_map_create(&m);
	if (f->map >= 0)
		assert_int_equal(kbpf_map_mmap(f->map, COUNTS * 8, (void **)&f->counts), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	links_detach(&f->links);
	probe_env_fini(&f->env);
	btf_free((struct btf *)(uintptr_t)f->types.btf);
	if (f->map >= 0) {
		munmap(f->counts, COUNTS * 8);
		close(f->map);
	}
	arena_free(&f->arena);
	free(f);
	return 0;
}

static void group(struct fixture *f, const char *text, bool which)
{
	struct group_wants wants = { .which = which };
	char *copy = arena_strdup(&f->arena, text), *part;
	const char **parts = arena_array(&f->arena, const char *, 8);
	struct attach_text at = { .text = text, .parts = parts };
	struct targets targets = {};
	struct err e = {};

	while ((part = strsep(&copy, ":")))
		parts[at.nparts++] = part;
	if (f->map < 0 || proc_may_trace(&e))
		skip();
	assert_true(probe_expand(&f->env, &at, &targets));
	assert_int_equal(
		targets.data[0]->provider->group(&f->env, &targets, &wants, &f->groups, &e), 0);
}

#define OP(code_, dst, src, off_, imm_)                                             \
	{                                                                           \
		.code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), \
		.imm = (imm_)                                                       \
	}

/* Counts events of this process, by cookie where the group has one. */
static int load(struct fixture *f, const struct group *g)
{
	struct bpf_insn insns[] = {
		OP(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid),
		OP(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32),
		OP(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 9, getpid()),
		OP(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		g->has_cookie ? (struct bpf_insn)OP(BPF_JMP | BPF_CALL, 0, 0, 0,
						    BPF_FUNC_get_attach_cookie)
			      : (struct bpf_insn)OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		OP(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, COUNTS - 1),
		OP(BPF_ALU64 | BPF_LSH | BPF_K, 0, 0, 0, 3),
		OP(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_VALUE, 0, f->map),
		{ 0 },
		OP(BPF_ALU64 | BPF_ADD | BPF_X, 1, 0, 0, 0),
		OP(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 1),
		OP(BPF_STX | BPF_DW | BPF_ATOMIC, 1, 2, 0, BPF_ADD),
		OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	struct kbpf_prog p = {
		.type = g->prog_type,
		.expected_attach = g->expected_attach,
		.attach_btf_id = g->attach_btf_id,
		.name = "count",
		.insns = insns,
		.ninsns = sizeof(insns) / sizeof(*insns),
	};
	auto_sb struct sb log = {};
	int fd = kbpf_prog_load(&p, &log);

	if (fd < 0)
		fail_msg("load: %s\n%s", err_name(fd), sb_str(&log));
	return fd;
}

static void attach(struct fixture *f)
{
	vec_each(g, &f->groups) {
		struct err e = {};
		int prog = load(f, *g);
		int r = (*g)->provider->attach(&f->env, *g, prog, &f->links, &e);

		close(prog); /* the links keep it */
		if (r)
			fail_msg("%s (%s)", e.msg, err_name(r));
	}
}

static void call_getppid(int n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void tracepoint_counts_every_call(void **state)
{
	struct fixture *f = *state;

	group(f, "tracepoint:syscalls:sys_enter_getppid", false);
	attach(f);
	call_getppid(100);
	assert_int_equal(f->counts[0], 100);
}

static void nothing_runs_once_detached(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	group(f, "tracepoint:syscalls:sys_enter_get*pid", false);
	attach(f);
	call_getppid(10);
	links_detach(&f->links);
	before = f->counts[0];
	assert_int_equal(before, 10);
	call_getppid(10);
	assert_int_equal(f->counts[0], before);
	assert_int_equal(f->links.list.len, 0);
}

static void cookie_tells_which_tracepoint_fired(void **state)
{
	struct fixture *f = *state;
	size_t getppid_at = 0;

	group(f, "tracepoint:syscalls:sys_enter_get*pid", true);
	assert_int_equal(f->groups.len, 1);
	vec_each(t, &f->groups.data[0]->targets)
		if (!strcmp((*t)->event, "sys_enter_getppid"))
			getppid_at = (size_t)(t - f->groups.data[0]->targets.data);
	attach(f);
	call_getppid(7);
	for (size_t i = 0; i < f->groups.data[0]->targets.len; i++)
		assert_int_equal(f->counts[i], i == getppid_at ? 7 : 0);
}

static void all_system_calls_hang_on_one_link(void **state)
{
	struct fixture *f = *state;

	group(f, "tracepoint:syscalls:sys_enter_*", false);
	assert_int_equal(f->groups.len, 1);
	assert_int_equal(f->groups.data[0]->way, ATTACH_SYSCALL_TP);
	attach(f);
	assert_int_equal(f->links.list.len, 1);
	call_getppid(1000);
	/* This program does not ask the selector, and other calls may be made meanwhile. */
	assert_true(f->counts[0] >= 1000 && f->counts[0] < 1100);
}

static void rawtracepoint_counts_every_call(void **state)
{
	struct fixture *f = *state;

	group(f, "rawtracepoint:sys_enter", false);
	attach(f);
	call_getppid(50);
	assert_true(f->counts[0] >= 50 && f->counts[0] < 100);
}

static void spin_ms(long ms)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
	       ms);
}

static void profile_of_a_process_fires_while_it_runs(void **state)
{
	struct fixture *f = *state;
	uint64_t busy;

	f->env.pid = getpid();
	group(f, "profile:ms:1", false);
	attach(f);
	spin_ms(200);
	busy = f->counts[0];
	/* The machine may be slow or shared; but it ran, and no faster than asked. */
	assert_true(busy > 10 && busy <= 250);
	sleep_ms(100);
	assert_true(f->counts[0] - busy < 10);
}

static void profile_of_no_process_says_so(void **state)
{
	struct fixture *f = *state;
	struct err e = {};
	const struct group *g;

	f->env.pid = 1 << 30;
	group(f, "profile:hz:99", false);
	g = f->groups.data[0];
	assert_int_equal(g->provider->attach(&f->env, g, -1, &f->links, &e), -ESRCH);
	assert_string_equal(e.msg, "attach profile:hz:99: no process 1073741824");
}

static void faults_are_counted(void **state)
{
	enum { PAGES = 64 };
	struct fixture *f = *state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p;

	group(f, "software:page-faults:1", false);
	attach(f);
	p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	madvise(p, PAGES * page, MADV_NOHUGEPAGE);
	for (int i = 0; i < PAGES; i++)
		p[(size_t)i * page] = 1;
	munmap(p, PAGES * page);
	assert_true(f->counts[0] >= PAGES && f->counts[0] < PAGES + 100);
}

static int count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void detaching_leaves_no_file_and_no_child(void **state)
{
	struct fixture *f = *state;
	int before;

	group(f, "tracepoint:syscalls:sys_enter_get*id", false);
	before = count_files();
	attach(f);
	assert_true(count_files() > before);
	links_detach(&f->links);
	assert_int_equal(count_files(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Whoever reads our output must not wait for the process that closes events behind us. */
static void detaching_does_not_hold_other_files(void **state)
{
	struct fixture *f = *state;
	char c;
	int fds[2];

	group(f, "tracepoint:syscalls:sys_enter_get*id", false);
	attach(f);
	assert_int_equal(pipe(fds), 0);
	links_detach(&f->links);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 0);
	close(fds[0]);
}

static void shape_of_a_record_is_its_format(void **state)
{
	struct fixture *f = *state;
	struct shape shape;
	struct err e = {};
	const struct group *g;

	group(f, "tracepoint:syscalls:sys_enter_openat", false);
	g = f->groups.data[0];
	assert_int_equal(g->provider->shape(&f->env, g->targets.data[0], g, &shape, &e), 0);
	assert_int_equal(shape.nargs, 5);
	assert_string_equal(shape.args[0].name, "__syscall_nr");
	assert_string_equal(shape.args[2].name, "filename");
	assert_int_equal(shape.args[2].loc.off, 24);
	assert_int_equal(shape.args[2].loc.size, 8);
	assert_int_equal(shape.args[2].type->kind, T_PTR);
	assert_int_equal(shape.args[2].type->as, AS_USER);
}

static void misspelt_event_gets_the_nearest(void **state)
{
	struct fixture *f = *state;
	const char *const parts[] = { "tracepoint", "sched", "sched_swich" };
	struct attach_text at = { .text = "", .parts = parts, .nparts = 3 };
	struct targets out = {};

	if (f->map < 0)
		skip();
	assert_false(probe_expand(&f->env, &at, &out));
	assert_string_equal(f->dx.list.data[0]->hint, "did you mean sched:sched_switch?");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(tracepoint_counts_every_call),
		TEST(nothing_runs_once_detached),
		TEST(cookie_tells_which_tracepoint_fired),
		TEST(all_system_calls_hang_on_one_link),
		TEST(rawtracepoint_counts_every_call),
		TEST(profile_of_a_process_fires_while_it_runs),
		TEST(profile_of_no_process_says_so),
		TEST(faults_are_counted),
		TEST(detaching_leaves_no_file_and_no_child),
		TEST(detaching_does_not_hold_other_files),
		TEST(shape_of_a_record_is_its_format),
		TEST(misspelt_event_gets_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
