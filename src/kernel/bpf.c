#include "kernel/bpf.h"
#include "kernel/bpf_ids.h"

#include "base/arena.h"
#include "base/auto.h"
#include "kernel/func_info.h"
#include "kernel/link_info.h"
#include "kernel/proc.h"

#include <ctype.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t ptr64(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr, size_t size)
{
	long r = syscall(SYS_bpf, cmd, attr, size);

	return r < 0 ? -errno : (int)r;
}

/* Lifts the limit on locked memory; false when it was lifted before or cannot be. */
static bool raise_memlock(void)
{
	struct rlimit limit, all = { RLIM_INFINITY, RLIM_INFINITY };

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return false;
	return !setrlimit(RLIMIT_MEMLOCK, &all);
}

static int sys_bpf_memlock(enum bpf_cmd cmd, union bpf_attr *attr, size_t size)
{
	int r = sys_bpf(cmd, attr, size);

	return r == -EPERM && raise_memlock() ? sys_bpf(cmd, attr, size) : r;
}

/* The kernel takes letters, digits, '_' and '.' in a name. */
static void set_name(char out[BPF_OBJ_NAME_LEN], const char *name)
{
	size_t n = 0;

	for (; name && *name && n < BPF_OBJ_NAME_LEN - 1; name++)
		out[n++] = isalnum((unsigned char)*name) || *name == '.' ? *name : '_';
}

int kbpf_map_create(const struct kbpf_map *m)
{
	union bpf_attr attr = {
		.map_type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.map_flags = m->flags,
		.inner_map_fd = (uint32_t)m->inner_fd,
	};

	set_name(attr.map_name, m->name);
	return sys_bpf_memlock(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int map_elem(enum bpf_cmd cmd, int fd, const void *key, const void *value,
		    uint64_t flags)
{
	union bpf_attr attr = {
		.map_fd = (uint32_t)fd,
		.key = ptr64(key),
		.value = ptr64(value),
		.flags = flags,
	};

	return sys_bpf(cmd, &attr, sizeof(attr));
}

int kbpf_map_lookup(int fd, const void *key, void *value)
{
	return map_elem(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0);
}

int kbpf_map_update(int fd, const void *key, const void *value, uint64_t flags)
{
	return map_elem(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

int kbpf_map_delete(int fd, const void *key)
{
	return map_elem(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

int kbpf_map_next_key(int fd, const void *key, void *next)
{
	return map_elem(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

int kbpf_map_lookup_batch(int fd, const void *in_batch, void *out_batch, void *keys,
			  void *values, uint32_t *count)
{
	union bpf_attr attr = {
		.batch.in_batch = ptr64(in_batch),
		.batch.out_batch = ptr64(out_batch),
		.batch.keys = ptr64(keys),
		.batch.values = ptr64(values),
		.batch.count = *count,
		.batch.map_fd = (uint32_t)fd,
	};
	int r = sys_bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr));

	*count = r == 0 || r == -ENOENT ? attr.batch.count : 0;
	return r;
}

size_t kbpf_percpu_size(uint32_t value_size)
{
	return (size_t)((value_size + 7) & ~7u) * cpus_possible();
}

int kbpf_map_mmap(int fd, size_t size, void **addr)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*addr = p;
	return 0;
}

enum { LOG_FIRST = 64 << 10, LOG_MOST = 16 << 20 };

/* Loads once more for the sake of the log, with as much room as the log takes. */
static int load_logged(union bpf_attr *attr, struct sb *log)
{
	for (size_t size = LOG_FIRST;; size *= 4) {
		char *buf = xcalloc(1, size);
		int r;

		attr->log_level = attr->log_level ? attr->log_level : 1;
		attr->log_buf = ptr64(buf);
		attr->log_size = (uint32_t)size;
		r = sys_bpf(BPF_PROG_LOAD, attr, sizeof(*attr));
		if (r != -ENOSPC || size >= LOG_MOST) {
			buf[size - 1] = '\0';
			sb_puts(log, buf);
			free(buf);
			return r;
		}
		free(buf);
	}
}

static int load_btf(const struct sb *btf)
{
	union bpf_attr attr = { .btf = ptr64(btf->s), .btf_size = (uint32_t)btf->len };

	return sys_bpf_memlock(BPF_BTF_LOAD, &attr, sizeof(attr));
}

/* Describes p's functions; the descriptor of their types is the caller's to close. */
static int describe_functions(const struct kbpf_prog *p, union bpf_attr *attr, struct sb *info)
{
	auto_sb struct sb btf = {};

	func_info_make(attr->prog_name, p->funcs, p->nfuncs, &btf, info);
	int fd = load_btf(&btf);
	if (fd < 0)
		return fd;
	attr->prog_btf_fd = (uint32_t)fd;
	attr->func_info = ptr64(info->s);
	attr->func_info_cnt = p->nfuncs;
	attr->func_info_rec_size = sizeof(struct bpf_func_info);
	return fd;
}

int kbpf_prog_load(const struct kbpf_prog *p, struct sb *log)
{
	union bpf_attr attr = {
		.prog_type = p->type,
		.insn_cnt = p->ninsns,
		.insns = ptr64(p->insns),
		.license = ptr64("GPL"),
		.log_level = log ? p->log_level : 0,
		.prog_flags = p->flags,
		.expected_attach_type = p->expected_attach,
		.attach_btf_id = p->attach_btf_id,
		.attach_btf_obj_fd = (uint32_t)p->attach_btf_fd,
		.prog_ifindex = p->dev,
	};
	auto_sb struct sb info = {};
	int r;

	set_name(attr.prog_name, p->name);
	auto_close int btf = p->nfuncs > 1 ? describe_functions(p, &attr, &info) : -1;
	if (p->nfuncs > 1 && btf < 0)
		return btf;
	if (log && p->log_level)
		return load_logged(&attr, log);
	r = sys_bpf_memlock(BPF_PROG_LOAD, &attr, sizeof(attr));
	return r < 0 && log ? load_logged(&attr, log) : r;
}

int kbpf_prog_run(int fd, uint32_t *ret)
{
	union bpf_attr attr = { .test.prog_fd = (uint32_t)fd };
	int r = sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));

	if (!r && ret)
		*ret = attr.test.retval;
	return r;
}

static int bench_xdp(int fd, uint32_t n, uint32_t *ret, uint64_t *ns)
{
	uint8_t packet[14] = {}; /* the least that the kernel takes */
	union bpf_attr attr = {
		.test.prog_fd = (uint32_t)fd,
		.test.data_in = ptr64(packet),
		.test.data_size_in = sizeof(packet),
		.test.repeat = n,
	};
	int r = sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));

	*ret = attr.test.retval;
	*ns = attr.test.duration;
	return r;
}

int kbpf_prog_bench(int fd, uint32_t n, uint32_t *ret, uint64_t *ns)
{
	struct bpf_prog_info before, after;
	int r = kbpf_prog_info(fd, &before);

	if (!r && before.type == BPF_PROG_TYPE_XDP)
		return bench_xdp(fd, n, ret, ns);
	for (uint32_t i = 0; i < n && !r; i++)
		r = kbpf_prog_run(fd, ret);
	if (!r)
		r = kbpf_prog_info(fd, &after);
	if (!r && after.run_cnt == before.run_cnt)
		r = -EOPNOTSUPP;
	if (!r)
		*ns = (after.run_time_ns - before.run_time_ns) /
		      (after.run_cnt - before.run_cnt);
	return r;
}

int kbpf_link_to(int prog_fd, int target, uint32_t attach_type)
{
	union bpf_attr attr = {
		.link_create.prog_fd = (uint32_t)prog_fd,
		.link_create.target_fd = (uint32_t)target,
		.link_create.attach_type = attach_type,
	};

	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int kbpf_link_netfilter(int prog_fd, uint32_t family, uint32_t hook, int32_t priority)
{
	/* union bpf_attr's link_create as of Linux 6.4 */
	union {
		union bpf_attr attr;
		struct {
			uint32_t prog_fd, target_fd, attach_type, flags;
			uint32_t family, hook;
			int32_t priority;
			uint32_t netfilter_flags;
		};
	} u = {};

	u.prog_fd = (uint32_t)prog_fd;
	u.attach_type = KBPF_NETFILTER;
	u.family = family;
	u.hook = hook;
	u.priority = priority;
	return sys_bpf(BPF_LINK_CREATE, &u.attr, sizeof(u.attr));
}

int kbpf_link_perf(int prog_fd, int perf_fd, uint64_t cookie)
{
	union bpf_attr attr = {
		.link_create.prog_fd = (uint32_t)prog_fd,
		.link_create.target_fd = (uint32_t)perf_fd,
		.link_create.attach_type = BPF_PERF_EVENT,
		.link_create.perf_event.bpf_cookie = cookie,
	};

	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int kbpf_link_kprobe_multi(int prog_fd, const struct kbpf_kprobe_multi *k)
{
	union bpf_attr attr = {
		.link_create.prog_fd = (uint32_t)prog_fd,
		.link_create.attach_type =
			k->attach_type ? k->attach_type : BPF_TRACE_KPROBE_MULTI,
		.link_create.kprobe_multi.flags = k->is_ret ? BPF_F_KPROBE_MULTI_RETURN : 0,
		.link_create.kprobe_multi.cnt = k->n,
		.link_create.kprobe_multi.syms = ptr64(k->syms),
		.link_create.kprobe_multi.addrs = ptr64(k->addrs),
		.link_create.kprobe_multi.cookies = ptr64(k->cookies),
	};

	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int kbpf_link_uprobe_multi(int prog_fd, const struct kbpf_uprobe_multi *u)
{
	enum { UPROBE_MULTI_RETURN = 1 };
	/* link_create as of Linux 6.6 */
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint64_t path, offsets, ref_ctr_offsets, cookies;
		uint32_t cnt, multi_flags, pid, unused;
	} attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = u->attach_type ? u->attach_type : KBPF_TRACE_UPROBE_MULTI,
		.path = ptr64(u->path),
		.offsets = ptr64(u->offsets),
		.ref_ctr_offsets = ptr64(u->refcounts),
		.cookies = ptr64(u->cookies),
		.cnt = u->n,
		.multi_flags = u->is_ret ? UPROBE_MULTI_RETURN : 0,
		.pid = (uint32_t)u->pid,
	};

	return sys_bpf(BPF_LINK_CREATE, (union bpf_attr *)&attr, sizeof(attr));
}

bool kbpf_try_uprobe_multi(int prog_fd)
{
	uint64_t offset = 0;
	int r = kbpf_link_uprobe_multi(
		prog_fd,
		&(struct kbpf_uprobe_multi){ .path = "/", .offsets = &offset, .n = 1 });

	if (r >= 0)
		close(r);
	/* The path was looked at, and is no file. */
	return r == -EBADF;
}

int kbpf_raw_tp_open(int prog_fd, const char *name)
{
	union bpf_attr attr = {
		.raw_tracepoint.name = ptr64(name),
		.raw_tracepoint.prog_fd = (uint32_t)prog_fd,
	};

	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
}

static int iter_link(int prog_fd, const struct kbpf_iter *of)
{
	/* As of Linux 6.1. */
	union bpf_iter_link_info info = {};
	bool is_asked = of->pid || of->cgroups;
	union bpf_attr attr = {
		.link_create.prog_fd = (uint32_t)prog_fd,
		.link_create.attach_type = BPF_TRACE_ITER,
		.link_create.iter_info = is_asked ? ptr64(&info) : 0,
		.link_create.iter_info_len = is_asked ? sizeof(info) : 0,
	};

	if (of->cgroups)
		info.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE;
	else
		info.task.pid = (uint32_t)of->pid;
	return sys_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

int kbpf_iter_open(int prog_fd, const struct kbpf_iter *of)
{
	int iter, link = iter_link(prog_fd, of);
	union bpf_attr attr = { .iter_create.link_fd = (uint32_t)link };

	if (link < 0)
		return link;
	iter = sys_bpf(BPF_ITER_CREATE, &attr, sizeof(attr));
	close(link);
	return iter;
}

int kbpf_iter_pin(int prog_fd, const struct kbpf_iter *of, const char *path)
{
	int link = iter_link(prog_fd, of);
	int err = link < 0 ? link : kbpf_pin(link, path);

	if (link >= 0)
		close(link);
	return err;
}

static int obj_info(int fd, void *info, size_t size)
{
	union bpf_attr attr = {
		.info.bpf_fd = (uint32_t)fd,
		.info.info_len = (uint32_t)size,
		.info.info = ptr64(info),
	};

	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int kbpf_prog_info(int fd, struct bpf_prog_info *info)
{
	memset(info, 0, sizeof(*info));
	return obj_info(fd, info, sizeof(*info));
}

int kbpf_map_info(int fd, struct bpf_map_info *info)
{
	memset(info, 0, sizeof(*info));
	return obj_info(fd, info, sizeof(*info));
}

int kbpf_prog_xlated(int fd, struct bpf_insn **insns, uint32_t *n)
{
	struct bpf_prog_info info;
	uint32_t size;
	int r = kbpf_prog_info(fd, &info);

	if (r)
		return r;
	size = info.xlated_prog_len;
	if (!size)
		return -EPERM;
	*insns = xcalloc(1, size);
	info = (struct bpf_prog_info){ .xlated_prog_len = size,
				       .xlated_prog_insns = ptr64(*insns) };
	r = obj_info(fd, &info, sizeof(info));
	if (!r && !info.xlated_prog_insns)
		r = -EPERM;
	if (r) {
		free(*insns);
		*insns = NULL;
	}
	*n = size / sizeof(**insns);
	return r;
}

/* Opens the BTF object behind *id, which becomes its id, and asks its name. */
static int next_btf(uint32_t *id, char *name, size_t size)
{
	union bpf_attr attr = { .start_id = *id };
	struct bpf_btf_info info = { .name = ptr64(name), .name_len = (uint32_t)size };
	int fd, r = sys_bpf(BPF_BTF_GET_NEXT_ID, &attr, sizeof(attr));

	name[0] = '\0';
	if (r)
		return r;
	*id = attr.next_id;
	attr = (union bpf_attr){ .btf_id = *id };
	fd = sys_bpf(BPF_BTF_GET_FD_BY_ID, &attr, sizeof(attr));
	if (fd < 0)
		return fd;
	r = obj_info(fd, &info, sizeof(info));
	if (!r)
		return fd;
	close(fd);
	return r;
}

int kbpf_first_btf_name(char *name, size_t size)
{
	uint32_t id = 0;
	int fd = next_btf(&id, name, size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int kbpf_btf_open(const char *name)
{
	uint32_t id = 0;

	for (;;) {
		uint32_t last = id;
		char own[64];
		int fd = next_btf(&id, own, sizeof(own));

		if (fd >= 0 && !strcmp(own, name))
			return fd;
		if (fd >= 0)
			close(fd);
		else if (id == last) /* else it was released after its id was told */
			return fd;
	}
}

uint64_t kbpf_link_missed(int link_fd)
{
	struct kbpf_link_info info = {};

	if (obj_info(link_fd, &info, sizeof(info)))
		return 0;
	if (info.type == KBPF_LINK_KPROBE_MULTI)
		return info.kprobe_multi.missed;
	if (info.type == KBPF_LINK_PERF_EVENT &&
	    (info.perf.type == KBPF_PERF_KPROBE || info.perf.type == KBPF_PERF_KRETPROBE))
		return info.perf.kprobe.missed;
	return 0;
}

int kbpf_enable_stats(void)
{
	union bpf_attr attr = { .enable_stats.type = BPF_STATS_RUN_TIME };

	return sys_bpf(BPF_ENABLE_STATS, &attr, sizeof(attr));
}
