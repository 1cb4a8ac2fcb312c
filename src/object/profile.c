#include "object/profile.h"

#include "base/arena.h"
#include "base/auto.h"
#include "base/sb.h"
#include "bpf/asm.h"
#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "kernel/proc.h"
#include "kernel/progs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_READ(cache, result)                                                            \
	PERF_TYPE_HW_CACHE, PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 | \
				    PERF_COUNT_HW_CACHE_RESULT_##result << 16

const struct profile_metric PROFILE_METRICS[] = {
	{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
	{ "l1d_loads", CACHE_READ(L1D, ACCESS) },
	{ "llc_misses", CACHE_READ(LL, MISS) },
	{ "itlb_misses", CACHE_READ(ITLB, MISS) },
	{ "dtlb_misses", CACHE_READ(DTLB, MISS) },
	{ 0 },
};

/* What the two programs keep for each processor; an element of the one map's only value. */
struct slot {
	uint64_t begun; /* before[] is of the run that is under way */
	uint64_t runs, missed;
	struct profile_value before[PROFILE_METRICS_MAX], sum[PROFILE_METRICS_MAX];
};

struct profile {
	size_t n; /* metrics */
	unsigned cpus;
	int events; /* map: the counter of metric m on a processor is at its number * n + m */
	int slots;  /* map */
	struct slot *mem;
	int entry, exit; /* links */
	int counters[];	 /* n * cpus; -1: processors that are off */
};

static size_t slots_size(const struct profile *p)
{
	return p->cpus * sizeof(struct slot);
}

/* r6: the processor's slot, r7: where its counters begin in the map of them. */
static void put_head(struct sb *text, const struct profile *p)
{
	sb_printf(text,
		  "call get_smp_processor_id\n"
		  "if r0 >= %u goto out\n"
		  "r7 = r0\n"
		  "r7 *= %zu\n"
		  "r0 *= %zu\n"
		  "r6 = map[id:%d][0]+0\n"
		  "r6 += r0\n",
		  p->cpus, p->n, sizeof(struct slot), p->slots);
}

/* Reads all counters to where base + offset points. */
static void put_reads(struct sb *text, const struct profile *p, const char *base, long offset)
{
	for (size_t m = 0; m < p->n; m++)
		sb_printf(text,
			  "r1 = map_fd %d\n"
			  "r2 = r7\n"
			  "r2 += %zu\n"
			  "r3 = %s\n"
			  "r3 += %ld\n"
			  "r4 = %zu\n"
			  "call perf_event_read_value\n",
			  p->events, m, base, offset + (long)(m * sizeof(struct profile_value)),
			  sizeof(struct profile_value));
}

static void put_entry(struct sb *text, const struct profile *p)
{
	put_head(text, p);
	put_reads(text, p, "r6", offsetof(struct slot, before));
	sb_printf(text, "r1 = 1\n*(u64 *)(r6 +%zu) = r1\n", offsetof(struct slot, begun));
}

static void put_add(struct sb *text, size_t field, const char *what)
{
	sb_printf(text, "r2 = *(u64 *)(r6 +%zu)\nr2 += %s\n*(u64 *)(r6 +%zu) = r2\n", field,
		  what, field);
}

static void put_exit(struct sb *text, const struct profile *p)
{
	long after = -(long)(p->n * sizeof(struct profile_value));

	put_head(text, p);
	put_reads(text, p, "r10", after);
	sb_printf(text, "r1 = *(u64 *)(r6 +%zu)\nif r1 == 0 goto missed\n",
		  offsetof(struct slot, begun));
	sb_printf(text, "r1 = 0\n*(u64 *)(r6 +%zu) = r1\n", offsetof(struct slot, begun));
	put_add(text, offsetof(struct slot, runs), "1");
	for (size_t at = 0; at < p->n * sizeof(struct profile_value); at += sizeof(uint64_t)) {
		sb_printf(text, "r1 = *(u64 *)(r10 %ld)\nr2 = *(u64 *)(r6 +%zu)\nr1 -= r2\n",
			  after + (long)at, offsetof(struct slot, before) + at);
		put_add(text, offsetof(struct slot, sum) + at, "r1");
	}
	sb_puts(text, "goto out\nmissed:\n");
	put_add(text, offsetof(struct slot, missed), "1");
}

/* Loads and attaches one of the two. Returns a link, or -errno with e set. */
static int attach(const struct profile *p, int prog_fd, uint32_t type,
		  enum bpf_attach_type where, struct err *e)
{
	auto_arena struct arena a = {};
	auto_sb struct sb text = {}, log = {};
	struct kbpf_prog prog = {
		.type = BPF_PROG_TYPE_TRACING,
		.expected_attach = where,
		.attach_btf_id = type,
		.attach_btf_fd = prog_fd,
		.name = where == BPF_TRACE_FENTRY ? "profile_entry" : "profile_exit",
	};
	struct bpf_insn *insns;

	if (where == BPF_TRACE_FENTRY)
		put_entry(&text, p);
	else
		put_exit(&text, p);
	sb_puts(&text, "out:\nr0 = 0\nexit\n");
	if (bpf_asm(&a, text.s, text.len, &insns, &prog.ninsns, e))
		return e->code;
	prog.insns = insns;
	auto_close int fd = kbpf_prog_load(&prog, &log);
	if (fd < 0) {
		err_set(e, fd, "measure the program: %.*s", (int)strcspn(sb_str(&log), "\n"),
			sb_str(&log));
		return err_hint(
			e, "programs that trace other BPF programs cannot be "
			   "traced themselves; without metrics, runs and their time are shown");
	}
	int link = kbpf_raw_tp_open(fd, NULL);

	return link < 0 ? err_set(e, link, "attach to the program") : link;
}

static int make_maps(struct profile *p, struct err *e)
{
	struct kbpf_map events = {
		.type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = (uint32_t)(p->n * p->cpus),
		.name = "counters",
	};
	struct kbpf_map slots = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = (uint32_t)slots_size(p),
		.max_entries = 1,
		.flags = BPF_F_MMAPABLE,
		.name = "slots",
	};
	int r;

	p->events = kbpf_map_create(&events);
	p->slots = kbpf_map_create(&slots);
	r = p->events < 0 ? p->events : p->slots;
	if (r >= 0)
		r = kbpf_map_mmap(p->slots, slots_size(p), (void **)&p->mem);
	return r ? err_set(e, r, "create a map") : 0;
}

static int open_counter(struct profile *p, const struct profile_metric *m, uint32_t index,
			unsigned cpu, struct err *e)
{
	int fd = perf_open_cpu(&(struct perf_count){ .type = m->type, .config = m->config },
			       cpu);
	int r = fd < 0 ? fd : kbpf_map_update(p->events, &index, &fd, BPF_ANY);

	p->counters[index] = fd < 0 ? -1 : fd;
	if (!r || r == -ENODEV) /* switched off since the list was read */
		return 0;
	err_set(e, r, "count %s", m->name);
	if (r == -ENOENT || r == -EOPNOTSUPP)
		err_hint(
			e,
			"this machine has no such counter; without metrics, runs and their time are shown");
	return r;
}

static int open_counters(struct profile *p, const struct profile_metric *const *metrics,
			 struct err *e)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};
	int r = 0;

	cpus_online(&a, &cpus);
	/* Numbers may have gaps; the programs pass over those behind the last slot, too. */
	vec_each(cpu, &cpus)
		for (size_t m = 0; !r && m < p->n && *cpu < p->cpus; m++)
			r = open_counter(p, metrics[m], (uint32_t)(*cpu * p->n + m), *cpu, e);
	return r;
}

/* The BTF id of the program's function. */
static int type_of(int prog_fd, uint32_t *type, struct err *e)
{
	auto_free uint32_t *types = NULL;
	uint32_t btf;
	int n = kprog_functions(prog_fd, &btf, &types);

	if (n > 0) {
		*type = types[0];
		return 0;
	}
	err_set(e, n ? n : -EOPNOTSUPP,
		"measure the program: it was loaded without types (BTF)");
	return err_hint(e, "without metrics, runs and their time are shown");
}

static int begin(struct profile *p, int prog_fd, const struct profile_metric *const *metrics,
		 struct err *e)
{
	uint32_t type = 0;
	int r = type_of(prog_fd, &type, e);

	if (!r)
		r = make_maps(p, e);
	if (!r)
		r = open_counters(p, metrics, e);
	if (r)
		return r;
	p->entry = attach(p, prog_fd, type, BPF_TRACE_FENTRY, e);
	if (p->entry < 0)
		return p->entry;
	p->exit = attach(p, prog_fd, type, BPF_TRACE_FEXIT, e);
	return p->exit < 0 ? p->exit : 0;
}

int profile_open(int prog_fd, const struct profile_metric *const *metrics, size_t n,
		 struct profile **out, struct err *e)
{
	unsigned cpus = cpus_possible();
	size_t counters = n * cpus * sizeof(int);
	struct profile *p = calloc(1, sizeof(*p) + counters);
	int r;

	if (!p)
		return err_set(e, -ENOMEM, "measure the program");
	*p = (struct profile){ n, cpus, .events = -1, .slots = -1, .entry = -1, .exit = -1 };
	memset(p->counters, -1, counters);
	r = begin(p, prog_fd, metrics, e);
	if (r)
		profile_close(p, &(struct profile_result){});
	else
		*out = p;
	return r;
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void add_slot(const struct profile *p, const struct slot *slot,
		     struct profile_result *out)
{
	out->runs += slot->runs;
	out->missed += slot->missed;
	for (size_t m = 0; m < p->n; m++) {
		out->values[m].value += slot->sum[m].value;
		out->values[m].enabled += slot->sum[m].enabled;
		out->values[m].running += slot->sum[m].running;
	}
}

void profile_close(struct profile *p, struct profile_result *out)
{
	*out = (struct profile_result){};
	close_one(p->exit);
	close_one(p->entry);
	for (unsigned i = 0; p->mem && i < p->cpus; i++)
		add_slot(p, &p->mem[i], out);
	if (p->mem)
		munmap(p->mem, slots_size(p));
	for (size_t i = 0; i < p->n * p->cpus; i++)
		close_one(p->counters[i]);
	close_one(p->slots);
	close_one(p->events);
	free(p);
}
