#include "session/load.h"

#include "base/auto.h"
#include "codegen/explain.h"
#include "kernel/bpf.h"
#include "kernel/bpf_ids.h"
#include "kernel/proc.h"
#include "kernel/progs.h"
#include "session/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	RING_PAGES_PER_CPU = 128,
	RING_RECORDS = 1024, /* of the largest kind shall fit: bursts of long texts */
	RING_PAGES_ORDERS = 16,
	RING_PAGES_BURST = 1024,
	RING_PAGES_AUTO = 4096,
	RING_PAGES_MAX = 1 << 18,
	FILES_PER_PROG = 3, /* itself, its link, and an event where it has one */
	FILES_OTHER = 128,
};

static uint32_t pow2_above(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint32_t largest_event(const struct plan *plan)
{
	uint32_t size = 0;

	for (size_t i = 0; i < plan->events.len; i++)
		if (plan->events.data[i].size > size)
			size = plan->events.data[i].size;
	return size;
}

/*
 * All of the ring counts as our memory, twice, since it is mapped twice in a row; so it is not
 * larger than what is sent makes sense of.  Orders (exit, print this map) have no data at all.
 */
static uint32_t auto_pages(const struct plan *plan, uint32_t page_size)
{
	uint32_t largest = largest_event(plan), pages = RING_PAGES_PER_CPU * cpus_possible();
	uint64_t burst = (uint64_t)largest * RING_RECORDS / page_size;

	if (largest <= EVENT_HEADER)
		return RING_PAGES_ORDERS;
	if (pages < burst)
		pages = burst < RING_PAGES_BURST ? (uint32_t)burst : RING_PAGES_BURST;
	return pages < RING_PAGES_AUTO ? pages : RING_PAGES_AUTO;
}

static uint32_t ring_bytes(const struct plan *plan, const struct load_options *opt)
{
	uint32_t page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	uint32_t pages = opt->ring_pages ? opt->ring_pages : auto_pages(plan, page_size);

	return pow2_above(pages < RING_PAGES_MAX ? pages : RING_PAGES_MAX) * page_size;
}

static int *no_fds(size_t n)
{
	int *fds = xcalloc(n, sizeof(*fds));

	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	return fds;
}

static int refused(struct err *e, int code, const char *what, const char *name)
{
	err_set(e, code, "%s %s", what, name);
	switch (code) {
	case -EPERM: return proc_hint_denied(e, "BPF programs and maps of this kind");
	case -ENOSYS: return err_hint(e, "this kernel was built without CONFIG_BPF_SYSCALL");
	case -ENOMEM: return err_hint(e, "give the maps fewer entries (max_map_keys)");
	}
	return code;
}

static int put_cgroup(int map, const char *path, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t zero = 0, value = (uint32_t)fd;
	int err = fd < 0 ? -errno : kbpf_map_update(map, &zero, &value, BPF_ANY);

	if (!err)
		return 0;
	err_set(e, err, "cannot filter by cgroup %s", path);
	return err == -EBADF || err == -EINVAL ? err_hint(e, "it is no folder of cgroup v2")
					       : err;
}

int load_inner_map(const struct plan_kmap *m, uint32_t entries)
{
	struct kbpf_map spec = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = m->inner_value_size,
		.max_entries = entries,
		.flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE,
		.name = m->name,
	};

	return kbpf_map_create(&spec);
}

static int create_map(struct loaded *l, const struct plan *plan, size_t i, struct err *e)
{
	const struct plan_kmap *m = &plan->kmaps.data[i];
	struct kbpf_map spec = {
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = i == KMAP_RING ? l->ring_size : m->max_entries,
		.flags = m->flags,
		.name = m->name,
	};
	auto_close int inner = m->inner_value_size && !l->vm ? load_inner_map(m, 1) : -1;
	uint32_t zero = 0;

	if (inner >= 0)
		spec.inner_fd = inner;
	int fd = inner < 0 && m->inner_value_size && !l->vm ? inner
							    : engine_map_create(l, &spec, e);

	if (l->vm && fd < 0)
		return fd;
	if (fd == -EINVAL && m->type == BPF_MAP_TYPE_RINGBUF) {
		err_set(e, fd, "create the ring buffer for events");
		return err_hint(e, "kernels before 5.8 have none");
	}
	if (fd < 0)
		return refused(e, fd, "create map", m->name);
	l->maps[i] = fd;

	if (m->cgroup)
		return put_cgroup(fd, m->cgroup, e);

	int err = m->init ? engine_map_update(l, fd, &zero, m->init, BPF_ANY) : 0;
	if (!err && m->init && m->flags & BPF_F_RDONLY_PROG && !l->vm)
		err = kbpf_map_freeze(fd); /* so that the verifier knows what it holds */
	return err ? err_set(e, err, "fill map %s", m->name) : 0;
}

static bool is_needed(const struct plan *plan, size_t i)
{
	return plan->kmaps.data[i].type != BPF_MAP_TYPE_UNSPEC &&
	       (i != KMAP_RING || plan->uses_ring);
}

static int create_maps(struct loaded *l, const struct plan *plan,
		       const struct load_options *opt, struct err *e)
{
	int err = 0;

	if (plan->uses_ring)
		l->ring_size = ring_bytes(plan, opt);
	for (size_t i = 0; i < plan->kmaps.len && !err; i++)
		if (is_needed(plan, i))
			err = create_map(l, plan, i, e);
	return err;
}

static int map_globals(struct loaded *l, const struct plan *plan, struct err *e)
{
	size_t size = plan->kmaps.data[KMAP_GLOBALS].value_size;
	void *addr;

	if (l->vm) {
		l->globals = engine_map_memory(l, l->maps[KMAP_GLOBALS]);
		return 0;
	}
	int err = kbpf_map_mmap(l->maps[KMAP_GLOBALS], size, &addr);

	if (err)
		return err_set(e, err, "map the globals into memory");
	l->globals = addr;
	l->globals_size = size;
	return 0;
}

/* Writes the maps' descriptors into the instructions that name them. */
static void relocate(const struct loaded *l, const struct image *img)
{
	for (uint32_t i = 0; i < img->nrelocs; i++) {
		const struct reloc *r = &img->relocs[i];
		struct bpf_insn *insn = &img->insns[r->insn];
		bool value = r->kind == RELOC_VALUE;

		insn[0].src_reg = value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
		insn[0].imm = l->maps[r->map];
		insn[1].imm = value ? (int32_t)r->off : 0;
	}
}

/* The module or program that is traced; -1 without an error: it is the kernel itself. */
static int open_traced(const struct plan_prog *p, struct err *e)
{
	const struct group *g = p->when == PROG_ATTACHED ? p->group : NULL;
	int fd = -1;

	if (g && g->attach_prog_id) {
		fd = kprog_open(g->attach_prog_id);
		if (fd < 0)
			err_set(e, fd, "open the BPF program %u of %s", g->attach_prog_id,
				p->name);
	} else if (g && g->attach_btf_module) {
		fd = kbpf_btf_open(g->attach_btf_module);
		if (fd < 0)
			err_set(e, fd, "open the types of module %s for %s",
				g->attach_btf_module, p->name);
	}
	return fd;
}

/*
 * The kernel repeats and times programs of packets, but not those of raw tracepoints.  Which a
 * benchmark becomes is up to what it asks for: not all of it is to be had for packets.
 */
static int load_bench(const struct kbpf_prog *p)
{
	struct kbpf_prog xdp = *p;

	xdp.type = BPF_PROG_TYPE_XDP;
	return kbpf_prog_load(&xdp, NULL);
}

static int load_prog(struct loaded *l, const struct plan_prog *p, int *fd, struct diags *dx,
		     struct err *e)
{
	auto_sb struct sb log = {};
	struct kbpf_prog spec = {
		.type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.name = p->name,
		.insns = p->image.insns,
		.ninsns = p->image.ninsns,
		.funcs = p->image.funcs,
		.nfuncs = p->image.nfuncs,
	};

	if (p->when == PROG_ATTACHED) {
		spec.type = p->group->prog_type;
		spec.expected_attach = p->group->expected_attach;
		spec.attach_btf_id = p->group->attach_btf_id;
		spec.flags = p->group->sleepable ? BPF_F_SLEEPABLE : 0;
	}
	auto_close int traced = open_traced(p, e);
	if (traced < 0 && e->code)
		return e->code;
	/* The descriptors of types and of a program have one place in the call. */
	spec.attach_btf_fd = traced < 0 ? 0 : traced;
	relocate(l, &p->image);
	if (l->vm)
		return engine_prog_load(l, &spec, fd, e);
	*fd = p->when == PROG_BENCH ? load_bench(&spec) : -1;
	if (*fd < 0)
		*fd = kbpf_prog_load(&spec, &log);
	if (*fd >= 0)
		return 0;
	if (!log.len)
		return refused(e, *fd, "load the program of", p->name);
	explain_rejection(dx, &p->image, p->name, p->span, sb_str(&log));
	e->code = 0;
	return *fd;
}

int load(struct loaded *l, struct plan *plan, const struct load_options *opt, struct diags *dx,
	 struct err *e)
{
	int err;

	*l = (struct loaded){ .maps = no_fds(plan->kmaps.len),
			      .progs = no_fds(plan->progs.len),
			      .nmaps = plan->kmaps.len,
			      .nprogs = plan->progs.len };
	if (opt->on_vm)
		engine_start(l);
	proc_allow_files(FILES_OTHER + FILES_PER_PROG * plan->progs.len);
	err = create_maps(l, plan, opt, e);
	if (!err)
		err = map_globals(l, plan, e);
	for (size_t i = 0; i < plan->progs.len && !err; i++)
		err = load_prog(l, &plan->progs.data[i], &l->progs[i], dx, e);
	return err;
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

void unload(struct loaded *l)
{
	if (l->globals && !l->vm)
		munmap(l->globals, l->globals_size);
	if (l->vm) {
		engine_stop(l);
		free(l->progs);
		free(l->maps);
	} else {
		close_all(l->progs, l->nprogs);
		close_all(l->maps, l->nmaps);
	}
	*l = (struct loaded){};
}
