#include "kernel/feature.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "kernel/proc.h"
#include "scry.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOV(reg, n)                                                               \
	{                                                                         \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (n) \
	}
#define CALL(n)                                        \
	{                                              \
		.code = BPF_JMP | BPF_CALL, .imm = (n) \
	}
#define EXIT()                             \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int load(struct kbpf_prog p, const struct bpf_insn *insns, size_t n, struct sb *log)
{
	p.insns = insns;
	p.ninsns = (uint32_t)n;
	return kbpf_prog_load(&p, log);
}

/* Does a program of these instructions pass the verifier? */
static bool accepts(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n)
{
	auto_close int fd = load((struct kbpf_prog){ .type = type }, insns, n, NULL);

	return fd >= 0;
}

static int load_empty(struct kbpf_prog p)
{
	static const struct bpf_insn empty[] = { MOV(0, 0), EXIT() };

	return load(p, empty, COUNT(empty), NULL);
}

/*
 * Calls the helper without arguments: what the verifier says about them shows that it knows the
 * helper, for it looks that up first.
 */
static bool knows_helper(struct kbpf_prog p, int helper)
{
	const struct bpf_insn insns[] = { CALL(helper), EXIT() };
	auto_sb struct sb log = {};
	auto_close int fd = load(p, insns, COUNT(insns), &log);

	if (fd >= 0)
		return true;
	return log.len && !strstr(log.s, "invalid func") && !strstr(log.s, "unknown func") &&
	       !strstr(log.s, "cannot use helper");
}

static bool has_helper(struct features *f, int helper)
{
	(void)f;
	return knows_helper((struct kbpf_prog){ .type = BPF_PROG_TYPE_KPROBE }, helper);
}

static uint32_t find_btf_id(const struct features *f, bool is_func, const char *name)
{
	return f->btf_id ? f->btf_id(f->btf_arg, is_func, name) : 0;
}

static bool has_tracing_helper(struct features *f, int helper)
{
	uint32_t id = find_btf_id(f, false, "btf_trace_sys_enter");
	struct kbpf_prog p = { .type = BPF_PROG_TYPE_TRACING,
			       .expected_attach = BPF_TRACE_RAW_TP,
			       .attach_btf_id = id };

	return id && knows_helper(p, helper);
}

static bool has_prog(struct features *f, int type)
{
	auto_close int fd = load_empty((struct kbpf_prog){ .type = (enum bpf_prog_type)type });

	(void)f;
	return fd >= 0;
}

static bool has_raw_tp(struct features *f, int arg)
{
	auto_close int prog =
		load_empty((struct kbpf_prog){ .type = BPF_PROG_TYPE_RAW_TRACEPOINT });
	auto_close int link = prog >= 0 ? kbpf_raw_tp_open(prog, "sys_enter") : -1;

	(void)f, (void)arg;
	return link >= 0;
}

static bool has_map(struct features *f, int type)
{
	struct kbpf_map m = { (enum bpf_map_type)type, 4, 8, 1, 0, "scry" };

	(void)f;
	if (type == BPF_MAP_TYPE_RINGBUF) {
		m.key_size = m.value_size = 0;
		m.max_entries = (uint32_t)sysconf(_SC_PAGESIZE);
	} else if (type == BPF_MAP_TYPE_PERF_EVENT_ARRAY) {
		m.value_size = 4;
	}
	auto_close int fd = kbpf_map_create(&m);

	return fd >= 0;
}

static bool has_mmapable(struct features *f, int arg)
{
	struct kbpf_map m = { BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE, "scry" };
	auto_close int fd = kbpf_map_create(&m);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *addr;

	(void)f, (void)arg;
	if (fd < 0 || kbpf_map_mmap(fd, page, &addr))
		return false;
	munmap(addr, page);
	return true;
}

static bool has_map_batch(struct features *f, int arg)
{
	struct kbpf_map m = { BPF_MAP_TYPE_HASH, 4, 8, 1, 0, "scry" };
	auto_close int fd = kbpf_map_create(&m);
	uint32_t key, batch, n = 1;
	uint64_t value;

	(void)f, (void)arg;
	return fd >= 0 && kbpf_map_lookup_batch(fd, NULL, &batch, &key, &value, &n) == -ENOENT;
}

static bool has_bounded_loops(struct features *f, int arg)
{
	/* r0 = 10; do r0 -= 1; while (r0 != 0); exit */
	static const struct bpf_insn insns[] = {
		MOV(0, 10),
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 0, .imm = -1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .off = -2 },
		EXIT(),
	};

	(void)f, (void)arg;
	return accepts(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns));
}

static bool has_fetch_atomics(struct features *f, int arg)
{
	/* *(u64 *)(fp - 8) = 0; r0 = 1; r0 = xchg(fp - 8, r0); exit */
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8 },
		MOV(0, 1),
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
		  .dst_reg = 10,
		  .src_reg = 0,
		  .off = -8,
		  .imm = BPF_XCHG },
		EXIT(),
	};

	(void)f, (void)arg;
	return accepts(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns));
}

static bool has_isa_v4(struct features *f, int arg)
{
	/* r0 = 1; r0 = (s8)r0, an instruction of version 4; exit */
	static const struct bpf_insn insns[] = {
		MOV(0, 1),
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 0, .src_reg = 0, .off = 8 },
		EXIT(),
	};

	(void)f, (void)arg;
	return accepts(BPF_PROG_TYPE_KPROBE, insns, COUNT(insns));
}

enum { FILE_BTF, FILE_UPROBE, FILE_UPROBE_REFCOUNT };

static bool has_file(struct features *f, int which)
{
	static const char *const paths[] = {
		[FILE_BTF] = "/sys/kernel/btf/vmlinux",
		[FILE_UPROBE] = "/sys/bus/event_source/devices/uprobe/type",
		[FILE_UPROBE_REFCOUNT] =
			"/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset",
	};

	(void)f;
	return !access(paths[which], R_OK);
}

/* BTF objects have names since modules have BTF too. */
static bool has_named_btf(struct features *f, int arg)
{
	char name[64];

	(void)f, (void)arg;
	return kbpf_first_btf_name(name, sizeof(name)) == 0 && *name;
}

static bool has_kprobe(struct features *f, int arg)
{
	/* A function that exists everywhere and is seldom called; nothing runs at the probe. */
	struct perf_kprobe k = { .pmu = perf_pmu_type("kprobe"), .symbol = "vfs_llseek" };
	auto_close int fd = k.pmu < 0 ? -1 : perf_open_kprobe(&k);

	(void)f, (void)arg;
	return fd >= 0;
}

/* Given a list at an address where nothing is: it is read only by a kernel that wants it. */
static bool takes_kprobe_list(int prog, int attach_type)
{
	struct kbpf_kprobe_multi k = { .addrs = (const uint64_t *)8,
				       .n = 1,
				       .attach_type = (uint32_t)attach_type };

	return prog >= 0 && kbpf_link_kprobe_multi(prog, &k) == -EFAULT;
}

static bool has_kprobe_multi(struct features *f, int arg)
{
	auto_close int prog = load_empty((struct kbpf_prog){
		.type = BPF_PROG_TYPE_KPROBE, .expected_attach = BPF_TRACE_KPROBE_MULTI });

	(void)f, (void)arg;
	return takes_kprobe_list(prog, BPF_TRACE_KPROBE_MULTI);
}

static bool has_kprobe_session(struct features *f, int arg)
{
	uint32_t id = find_btf_id(f, true, KBPF_SESSION_IS_RETURN);
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL,
		  .src_reg = BPF_PSEUDO_KFUNC_CALL,
		  .imm = (int32_t)id },
		MOV(0, 0),
		EXIT(),
	};
	struct kbpf_prog p = { .type = BPF_PROG_TYPE_KPROBE,
			       .expected_attach =
				       (enum bpf_attach_type)KBPF_TRACE_KPROBE_SESSION };
	auto_close int prog = id ? load(p, insns, COUNT(insns), NULL) : -1;

	(void)arg;
	return takes_kprobe_list(prog, KBPF_TRACE_KPROBE_SESSION);
}

static bool has_uprobe_multi(struct features *f, int arg)
{
	auto_close int prog = load_empty((struct kbpf_prog){
		.type = BPF_PROG_TYPE_KPROBE,
		.expected_attach = (enum bpf_attach_type)KBPF_TRACE_UPROBE_MULTI });

	(void)f, (void)arg;
	return prog >= 0 && kbpf_try_uprobe_multi(prog);
}

static bool has_fentry(struct features *f, int arg)
{
	uint32_t id = find_btf_id(f, true, "vfs_llseek");
	auto_close int prog =
		!id ? -1
		    : load_empty((struct kbpf_prog){ .type = BPF_PROG_TYPE_TRACING,
						     .expected_attach = BPF_TRACE_FENTRY,
						     .attach_btf_id = id });
	auto_close int link = prog < 0 ? -1 : kbpf_raw_tp_open(prog, NULL);

	(void)arg;
	return link >= 0;
}

static bool has_iter(struct features *f, int arg)
{
	uint32_t id = find_btf_id(f, true, "bpf_iter_task");
	auto_close int prog =
		!id ? -1
		    : load_empty((struct kbpf_prog){ .type = BPF_PROG_TYPE_TRACING,
						     .expected_attach = BPF_TRACE_ITER,
						     .attach_btf_id = id });

	(void)arg;
	return prog >= 0;
}

static void tell_os(struct sb *out)
{
	auto_arena struct arena a = {};

	sb_printf(out, "Linux %s", kernel_release(&a));
}

static void tell_arch(struct sb *out)
{
	auto_arena struct arena a = {};

	sb_puts(out, kernel_arch(&a));
}

static void tell_cpus(struct sb *out)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};

	cpus_online(&a, &cpus);
	sb_printf(out, "%zu online, %u possible", cpus.len, cpus_possible());
}

static void tell_lockdown(struct sb *out)
{
	static const char *const words[] = { "none", "integrity", "confidentiality" };

	sb_puts(out, words[kernel_lockdown()]);
}

static void tell_privilege(struct sb *out)
{
	struct err e;

	sb_puts(out, proc_may_trace(&e) ? e.msg : "yes");
}

static void tell_version(struct sb *out)
{
	sb_puts(out, "v" SCRY_VERSION);
}

static void tell_codegen(struct sb *out)
{
	sb_puts(out, "built in (no LLVM)");
}

static void tell_insn_limit(struct sb *out)
{
	static const uint32_t limits[] = { 1000000, 4096 };
	auto_free struct bpf_insn *insns = xcalloc(limits[0], sizeof(*insns));
	struct bpf_insn set = MOV(0, 0), end = EXIT();

	for (size_t i = 0; i < COUNT(limits); i++) {
		uint32_t n = limits[i];

		for (uint32_t j = 0; j < n - 1; j++)
			insns[j] = set;
		insns[n - 1] = end;
		if (accepts(BPF_PROG_TYPE_KPROBE, insns, n)) {
			sb_printf(out, "%u", n);
			return;
		}
	}
	sb_puts(out, "unknown");
}

static const struct row {
	const char *name;
	enum feature_group group;
	bool (*has)(struct features *f, int arg);
	void (*tell)(struct sb *out);
	int arg;
} rows[FEATURES] = {
#define HAS(fn)	 .has = fn
#define TELL(fn) .tell = fn
#define FEATURE(id, group_, name_, probe, arg_) \
	[FEATURE_##id] = { .name = name_, .group = group_, probe, .arg = arg_ },
#include "kernel/feature.def"
#undef FEATURE
};

bool feature_has(struct features *f, enum feature id)
{
	if (!rows[id].has)
		return true;
	if (!f->known[id])
		f->known[id] = rows[id].has(f, rows[id].arg) ? 1 : -1;
	return f->known[id] > 0;
}

enum feature feature_find(const char *name)
{
	for (int id = 0; id < FEATURES; id++)
		if (!strcmp(rows[id].name, name))
			return (enum feature)id;
	return FEATURES;
}

const char *feature_name(enum feature id)
{
	return rows[id].name;
}

static const struct {
	const char *title;
	unsigned columns;
} groups[] = {
	[GROUP_SYSTEM] = { "System", 1 },	   [GROUP_BUILD] = { "Build", 1 },
	[GROUP_HELPERS] = { "Kernel helpers", 2 }, [GROUP_KERNEL] = { "Kernel features", 2 },
	[GROUP_MAPS] = { "Map types", 2 },	   [GROUP_PROBES] = { "Probe types", 2 },
};

static void print_answer(struct features *f, enum feature id, struct sb *out)
{
	sb_printf(out, "%s: ", rows[id].name);
	if (rows[id].tell)
		rows[id].tell(out);
	else
		sb_puts(out, feature_has(f, id) ? "yes" : "no");
}

static void print_group(struct features *f, enum feature_group g, struct sb *out)
{
	enum { CELL = 35 };
	unsigned column = 0;

	sb_printf(out, "%s\n", groups[g].title);
	for (int id = 0; id < FEATURES; id++) {
		size_t start = out->len;

		if (rows[id].group != g)
			continue;
		if (column == 0)
			sb_puts(out, "  ");
		print_answer(f, (enum feature)id, out);
		if (groups[g].columns > 1)
			sb_fill(out, ' ', CELL - (long)(out->len - start));
		column = (column + 1) % groups[g].columns;
		if (column == 0)
			sb_putc(out, '\n');
	}
	if (column)
		sb_putc(out, '\n');
}

void features_print(struct features *f, struct sb *out)
{
	for (size_t g = 0; g < COUNT(groups); g++) {
		if (g)
			sb_putc(out, '\n');
		print_group(f, (enum feature_group)g, out);
	}
}
