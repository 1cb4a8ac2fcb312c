/* fentry, iterators, watchpoints, self: what their attach points mean, by this kernel's BTF. */
#include "kernel/perf.h"
#include "probe/arch.h"
#include "probe/provider.h"
#include "types/kernel_types.h"

#include <linux/hw_breakpoint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct probe_env env;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	sources_init(&f->sources, &f->arena);
	diags_init(&f->dx, &f->arena, &f->sources);
	typetab_init(&f->types, &f->arena);
	f->env = (struct probe_env){ .arena = &f->arena, .types = &f->types, .dx = &f->dx };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	probe_env_fini(&f->env);
	btf_free((struct btf *)(uintptr_t)f->types.btf);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static void need_btf(void)
{
	if (access(BTF_KERNEL_PATH, R_OK))
		skip();
}

static bool expand(struct fixture *f, const char *text, struct targets *out)
{
	char *copy = arena_strdup(&f->arena, text), *part;
	const char **parts = arena_array(&f->arena, const char *, 8);
	struct attach_text at = { .text = arena_strdup(&f->arena, text), .parts = parts };

	while ((part = strsep(&copy, ":")))
		parts[at.nparts++] = part;
	return probe_expand(&f->env, &at, out);
}

static struct target *one(struct fixture *f, const char *text)
{
	struct targets out = {};

	assert_true(expand(f, text, &out));
	assert_int_equal(out.len, 1);
	return out.data[0];
}

static void assert_refused(struct fixture *f, const char *text, const char *words)
{
	struct targets out = {};

	assert_false(expand(f, text, &out));
	assert_int_equal(out.len, 0);
	assert_int_equal(f->dx.list.len, 1);
	assert_string_equal(f->dx.list.data[0]->text, words);
	f->dx.list.len = 0;
	f->dx.errors = 0;
}

static const struct shape *shape_of(struct fixture *f, const struct target *t)
{
	struct shape *s = arena_new(&f->arena, struct shape);
	struct err e = {};

	assert_int_equal(t->provider->shape(&f->env, t, NULL, s, &e), 0);
	return s;
}

static const struct group *group_of(struct fixture *f, struct target *t)
{
	struct targets targets = {};
	struct group_wants wants = {};
	struct groups groups = {};
	struct err e = {};

	vec_push(&f->arena, &targets, t);
	assert_int_equal(t->provider->group(&f->env, &targets, &wants, &groups, &e), 0);
	assert_int_equal(groups.len, 1);
	return groups.data[0];
}

static void functions_have_one_name(void **state)
{
	static const char *const texts[] = { "fentry:vfs_read", "f:vmlinux:vfs_read",
					     "kfunc:vfs_read" };
	struct fixture *f = *state;

	need_btf();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_string_equal(one(f, texts[i])->name, "fentry:vmlinux:vfs_read");
	assert_string_equal(one(f, "fr:vfs_read")->name, "fexit:vmlinux:vfs_read");
	assert_string_equal(one(f, "kretfunc:vfs_read")->name, "fexit:vmlinux:vfs_read");
}

static void arguments_are_words_in_a_row(void **state)
{
	static const struct {
		const char *name;
		bool is_typed;
	} args[] = { { "file", true }, { "buf", true }, { "count", false }, { "pos", true } };
	struct fixture *f = *state;
	const struct shape *s;

	need_btf();
	s = shape_of(f, one(f, "fentry:vfs_read"));
	assert_int_equal(s->nargs, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(s->args[i].name, args[i].name);
		assert_int_equal(s->args[i].loc.kind, LOC_CTX);
		assert_int_equal(s->args[i].loc.off, i * 8);
		assert_int_equal(s->args[i].loc.is_typed, args[i].is_typed);
	}
	assert_int_equal(s->retval.kind, LOC_NONE);
	assert_int_equal(s->nregs, 0);

	s = shape_of(f, one(f, "fexit:vfs_read"));
	assert_int_equal(s->retval.off, 32);
	assert_int_equal(s->retval_type->size, 8);
	assert_true(s->retval_type->is_signed);
}

static void narrow_arguments_are_read_narrow(void **state)
{
	struct fixture *f = *state;
	const struct shape *s;

	need_btf();
	s = shape_of(f, one(f, "fexit:vfs_fsync")); /* (struct file *, int) */
	assert_int_equal(s->nargs, 2);
	assert_int_equal(s->args[1].loc.size, 4);
	assert_true(s->args[1].loc.is_signed);
	assert_int_equal(s->retval.off, 16);
	assert_int_equal(s->retval.size, 4);
}

static void each_function_has_its_program(void **state)
{
	struct fixture *f = *state;
	const struct btf *btf;
	const struct group *g;

	need_btf();
	g = group_of(f, one(f, "fexit:vfs_read"));
	btf = kernel_btf(&f->types, NULL);
	assert_int_equal(g->prog_type, BPF_PROG_TYPE_TRACING);
	assert_int_equal(g->expected_attach, BPF_TRACE_FEXIT);
	assert_int_equal(g->attach_btf_id, btf_find(btf, BTF_FUNCS, "vfs_read"));
	assert_null(g->attach_btf_module);
	assert_true(g->preemptible);
}

static void what_is_no_function_is_refused(void **state)
{
	struct fixture *f = *state;

	need_btf();
	assert_refused(f, "fentry:vfs_raed", "no matches for fentry vfs_raed");
	assert_refused(f, "fentry:no_module:vfs_read",
		       "no matches for fentry no_module:vfs_read");
	assert_refused(f, "fentry:", "the name of a function is missing");
	assert_refused(f, "fentry:a:b:c",
		       "fentry probe type requires 1 or 2 arguments, found 3");
	assert_refused(f, "fentry:_printk",
		       "_printk cannot have fentry probes: it has too many arguments");
}

static void iterators_leave_where_the_walk_ends(void **state)
{
	struct fixture *f = *state;
	struct target *t;
	const struct group *g;
	const struct shape *s;

	need_btf();
	t = one(f, "it:task");
	assert_string_equal(t->name, "iter:task");
	s = shape_of(f, t);
	assert_string_equal(s->ctx_type->name, "bpf_iter__task");
	g = group_of(f, t);
	assert_int_equal(g->expected_attach, BPF_TRACE_ITER);
	assert_int_equal(g->only_if.off, 8);
	assert_true(g->only_if_not);
	assert_int_equal(g->only_if_value, 0);
	assert_refused(f, "iter:tsak", "no matches for iter tsak");
	assert_refused(f, "iter:t*", "iter probes have no wildcards");
}

static void watchpoints_have_decimal_names(void **state)
{
	struct fixture *f = *state;
	const struct target *t;

	f->env.pid = getpid();
	t = one(f, "w:0x1000:8:wr");
	assert_string_equal(t->name, "watchpoint:4096:8:wr");
	assert_int_equal(t->addr, 0x1000);
	assert_int_equal(t->len, 8);
	assert_int_equal(t->access, HW_BREAKPOINT_RW);
	assert_int_equal(one(f, "watchpoint:4098:2:w")->access, HW_BREAKPOINT_W);
}

static void bad_watchpoints_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "watchpoint:0x1000:8:w",
		       "an address of user space belongs to a process");
	f->env.pid = getpid();
	assert_refused(f, "watchpoint:here:8:w", "'here' is no address, and no FUNCTION+argN");
	assert_refused(f, "watchpoint:0x1000:3:w",
		       "the length of a watchpoint is 1, 2, 4 or 8 bytes");
	assert_refused(f, "watchpoint:0x1001:2:w",
		       "the address must be a multiple of the length");
#ifdef __x86_64__
	assert_refused(f, "watchpoint:0x1000:8:r",
		       "mode 'r' is not one of this machine: rw, w, x");
#endif
	assert_refused(f, "watchpoint:0x1000:8:wx",
		       arena_printf(&f->arena, "mode 'wx' is not one of this machine: %s",
				    strstr("r, rw, w, x", arch_host.watch_modes[0])));
}

static void addresses_need_permission(void **state)
{
	struct fixture *f = *state;
	const struct target *t;

	assert_refused(f, "kprobe:0x1000", "a kprobe at an address can crash the system");
	f->env.unsafe = true;
	t = one(f, "kprobe:0x1000");
	assert_int_equal(t->addr, 0x1000);
	assert_null(t->symbol);
	assert_int_equal(shape_of(f, t)->func_ip.off, arch_host.ip.off);
	assert_int_equal(one(f, "kretprobe:0x1000")->addr, 0x1000);
	assert_refused(f, "kprobe:vmlinux:0x1000", "an address stands alone");
	assert_refused(f, "kprobe:0xg", "'0xg' is no address");
}

/* No machine of a test has these counters: what the kernel is asked for is compared. */
static void hardware_events_are_the_kernels(void **state)
{
	static const struct {
		const char *text;
		uint32_t config;
		uint64_t period;
	} rows[] = {
		{ "hardware:backend-stalls:7", PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 7 },
		{ "hardware:backend-stalls", PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000 },
		{ "hardware:branch-instructions:", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000 },
		{ "h:branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000 },
		{ "hardware:branch-misses", PERF_COUNT_HW_BRANCH_MISSES, 100000 },
		{ "hardware:bus-cycles", PERF_COUNT_HW_BUS_CYCLES, 100000 },
		{ "hardware:cache-misses:0x10", PERF_COUNT_HW_CACHE_MISSES, 16 },
		{ "hardware:cache-references", PERF_COUNT_HW_CACHE_REFERENCES, 1000000 },
		{ "hardware:cpu-cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000 },
		{ "hardware:cycles:99", PERF_COUNT_HW_CPU_CYCLES, 99 },
		{ "hardware:frontend-stalls", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000 },
		{ "hardware:instructions", PERF_COUNT_HW_INSTRUCTIONS, 1000000 },
		{ "hardware:ref-cycles", PERF_COUNT_HW_REF_CPU_CYCLES, 1000000 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct targets out = {};

		assert_true(expand(f, rows[i].text, &out));
		struct perf_event_attr attr =
			perf_count_attr(&(struct perf_count){ .type = PERF_TYPE_HARDWARE,
							      .config = out.data[0]->config,
							      .period = out.data[0]->period });
		assert_int_equal(attr.type, PERF_TYPE_HARDWARE);
		assert_int_equal(attr.config, rows[i].config);
		assert_int_equal(attr.sample_period, rows[i].period);
		assert_int_equal(attr.freq, 0);
	}
	assert_refused(f, "hardware:cycels", "no matches for hardware cycels");
	assert_refused(f, "hardware:cycles:0",
		       "invalid rate of hardware probe: count '0' is not a positive integer");
}

static void what_is_watched_is_asked_for(void **state)
{
	struct perf_event_attr attr =
		perf_count_attr(&(struct perf_count){ .type = PERF_TYPE_BREAKPOINT,
						      .period = 1,
						      .addr = 0x1000,
						      .len = 4,
						      .access = HW_BREAKPOINT_RW });

	(void)state;
	assert_int_equal(attr.bp_addr, 0x1000);
	assert_int_equal(attr.bp_len, 4);
	assert_int_equal(attr.bp_type, HW_BREAKPOINT_RW);
	assert_int_equal(attr.sample_period, 1);
	attr = perf_count_attr(&(struct perf_count){ .type = PERF_TYPE_SOFTWARE, .freq = 99 });
	assert_int_equal(attr.freq, 1);
	assert_int_equal(attr.sample_freq, 99);
}

static void one_signal_is_supported(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(one(f, "self:signal:SIGUSR1")->name, "self:signal:SIGUSR1");
	assert_refused(f, "self:signal:SIGUSR2", "SIGUSR2 is not a supported signal");
	assert_refused(f, "self:fork:SIGUSR1", "self probes are of signals, not of 'fork'");
	assert_refused(f, "self:signal", "self probe type requires 2 arguments, found 1");
}

struct lines {
	struct sb text;
};

static void take_line(void *arg, const char *text)
{
	struct lines *l = arg;

	sb_puts(&l->text, text);
	sb_putc(&l->text, '\n');
}

static void lists_have_parameters(void **state)
{
	struct fixture *f = *state;
	struct lines l = {};
	struct err e = {};
	char list[] = "/tmp/scry-functions-XXXXXX";
	int fd = mkstemp(list);

	need_btf();
	/* Those that cannot have a trampoline, or are not there, are not listed. */
	assert_int_equal(write(fd, "vfs_fsync\n_printk\nmigrate_disable\nvfs_figment\n", 46),
			 46);
	close(fd);
	f->env.traceable_file = list;
	assert_int_equal(probe_list(&f->env, "fexit:vmlinux:vfs_f*", true, take_line, &l, &e),
			 0);
	assert_int_equal(probe_list(&f->env, "fentry:*", false, take_line, &l, &e), 0);
	assert_int_equal(probe_list(&f->env, "kprobe:_p*", false, take_line, &l, &e), 0);
	assert_int_equal(probe_list(&f->env, "iter:task_f*,self:*", false, take_line, &l, &e),
			 0);
	unlink(list);
	assert_string_equal(sb_str(&l.text), "fexit:vmlinux:vfs_fsync\n"
					     "    struct file * file\n"
					     "    int datasync\n"
					     "    int retval\n"
					     "fentry:vmlinux:vfs_fsync\n"
					     "kprobe:_printk\n"
					     "iter:task_file\n"
					     "self:signal:SIGUSR1\n");
	sb_free(&l.text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(functions_have_one_name),
		TEST(arguments_are_words_in_a_row),
		TEST(narrow_arguments_are_read_narrow),
		TEST(each_function_has_its_program),
		TEST(what_is_no_function_is_refused),
		TEST(iterators_leave_where_the_walk_ends),
		TEST(watchpoints_have_decimal_names),
		TEST(bad_watchpoints_are_refused),
		TEST(addresses_need_permission),
		TEST(hardware_events_are_the_kernels),
		TEST(what_is_watched_is_asked_for),
		TEST(one_signal_is_supported),
		TEST(lists_have_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
