/*
 * Builtins about the current task and CPU.
 */
#include "builtin/process.h"

#include "builtin/builtin.h"
#include "kernel/proc.h"
#include "script/lower.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static ref high_half(struct unit *u, ref v)
{
	return ir_bin(&u->b, OP_SHR, v, ir_const(&u->b, 32));
}

static ref low_half(struct unit *u, ref v)
{
	return ir_ext(&u->b, false, 4, v);
}

/* The namespace of process ids that scry runs in. */
struct pid_ns {
	bool is_init;
	uint64_t dev, ino;
};

static void find_pid_ns(struct pid_ns *ns)
{
	const uint64_t init_ino = 0xEFFFFFFC; /* PROC_PID_INIT_INO of include/linux/proc_ns.h */
	struct stat st;

	*ns = (struct pid_ns){ .is_init = true };
	if (stat("/proc/self/ns/pid", &st) || st.st_ino == init_ino)
		return;
	/* The kernel's own encoding of a device: 12 bits of major, 20 of minor. */
	ns->dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	ns->ino = st.st_ino;
	ns->is_init = false;
}

/* pid(init) is the number that the first namespace knows; else that of scry's own. */
static bool check_pid(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct expr *a = e->nargs ? e->args[0] : NULL;
	struct pid_ns *ns = arena_new(c->arena, struct pid_ns);
	bool named = a && a->kind == E_NAME;
	bool init = named && !strcmp(a->name, "init");

	if (a && !init && !(named && !strcmp(a->name, "curr_ns"))) {
		diag(c->dx, E0302_ARG_TYPE, a->span,
		     arena_printf(c->arena,
				  "%s() only supports curr_ns and init as the argument",
				  e->name));
		return false;
	}
	find_pid_ns(ns);
	ns->is_init |= init;
	e->data = ns;
	return true;
}

/* The process id in the upper half, the thread id in the lower one. */
static ref pid_and_tid(struct unit *u, const struct pid_ns *ns)
{
	enum { SIZE = 8 }; /* struct bpf_pidns_info: u32 pid (of the thread), u32 tgid */
	struct irb *b = &u->b;

	if (ns->is_init)
		return ir_call(b, BPF_FUNC_get_current_pid_tgid, 0);

	ref info = ir_slot(b, SIZE);
	ir_store(b, SIZE, info, 0, ir_const(b, 0));
	ir_call(b, BPF_FUNC_get_ns_current_pid_tgid, 4, ir_const(b, (int64_t)ns->dev),
		ir_const(b, (int64_t)ns->ino), info, ir_const(b, SIZE));
	return ir_load(b, SIZE, info, 0);
}

ref lower_pid_and_tid(struct unit *u)
{
	struct pid_ns ns;

	find_pid_ns(&ns);
	return pid_and_tid(u, &ns);
}

static ref lower_pid(struct unit *u, struct expr *e)
{
	return high_half(u, pid_and_tid(u, e->data));
}

static ref lower_tid(struct unit *u, struct expr *e)
{
	return low_half(u, pid_and_tid(u, e->data));
}

static ref lower_uid(struct unit *u, struct expr *e)
{
	(void)e;
	return low_half(u, ir_call(&u->b, BPF_FUNC_get_current_uid_gid, 0));
}

static ref lower_gid(struct unit *u, struct expr *e)
{
	(void)e;
	return high_half(u, ir_call(&u->b, BPF_FUNC_get_current_uid_gid, 0));
}

/* comm(pid), of another process, is in the prelude. */
static bool check_comm(struct unit *u, struct expr *e)
{
	return !e->nargs || !type_is_error(expand_prelude(u, e));
}

static void lower_comm(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	const uint32_t task_comm_len = 16;

	(void)e;
	/* Not all kernels' helpers (6.1's does not) write zeros behind the NUL. */
	if (d->pad)
		ir_zero(b, d->ptr, d->off, d->type->size);
	ir_call(b, BPF_FUNC_get_current_comm, 2,
		d->off ? ir_bin(b, OP_ADD, d->ptr, ir_const(b, d->off)) : d->ptr,
		ir_const(b, task_comm_len));
}

static ref lower_cpu(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_call(&u->b, BPF_FUNC_get_smp_processor_id, 0);
}

static ref lower_ncpus(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_const(&u->b, u->c->opt->ncpus);
}

static ref lower_numaid(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_call(&u->b, BPF_FUNC_get_numa_node_id, 0);
}

static ref lower_cgroup(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_call(&u->b, BPF_FUNC_get_current_cgroup_id, 0);
}

/* cgroupid("/path"): the directory's id, now. */
static bool check_cgroupid(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const char *path;
	uint64_t id;
	size_t len;

	literal_text(u, e->args[0], &path, &len);
	int err = cgroup_id(path, &id);
	if (err) {
		bool other = err == -EMEDIUMTYPE;
		struct diag *d =
			diag(c->dx, E0302_ARG_TYPE, e->args[0]->span,
			     arena_printf(c->arena, "no id of cgroup %s: %s", path,
					  other ? "it is not in a cgroup v2 file system"
						: strerror(-err)));

		if (other)
			diag_hint(d, "`findmnt -t cgroup2` says where one is mounted");
		return false;
	}
	set_const(c, e, (int64_t)id, id > INT64_MAX);
	e->type = type_int(c->tt, 8, false);
	return true;
}

static bool check_cgroup_path(struct unit *u, struct expr *e)
{
	(void)u;
	e->type = &type_cgroup_path;
	return true;
}

static void lower_cgroup_path(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	const char *filter = "*";
	size_t len;

	if (e->nargs > 1)
		literal_text(u, e->args[1], &filter, &len);
	ir_store(b, 8, d->ptr, d->off, lower_scalar(u, e->args[0]));
	ir_store(b, 8, d->ptr, d->off + 8, ir_const(b, plan_string(u->c->plan, filter)));
}

static ref lower_rand(struct unit *u, struct expr *e)
{
	(void)e;
	return low_half(u, ir_call(&u->b, BPF_FUNC_get_prandom_u32, 0));
}

static ref lower_cpid(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_const(&u->b, u->c->opt->cpid);
}

static bool check_cpid(struct unit *u, struct expr *e)
{
	if (!u->c->opt->cpid && u->c->final)
		diag(u->c->dx, W0116_NO_CHILD, e->span);
	return true;
}

static bool check_username(struct unit *u, struct expr *e)
{
	(void)u;
	e->type = &type_username;
	return true;
}

static ref lower_has_cpid(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_const(&u->b, u->c->opt->cpid != 0);
}

/* Without BTF the task is still a pointer, but its fields are unknown. */
static bool check_curtask(struct unit *u, struct expr *e)
{
	struct typetab *tt = u->c->tt;
	const struct btf *btf = kernel_btf(tt, NULL);
	uint32_t id = btf ? btf_find(btf, BTF_STRUCTS, "task_struct") : 0;

	e->type = id ? type_ptr(tt, btf_type(tt, btf, id), AS_KERNEL) : type_int(tt, 8, false);
	return true;
}

static ref lower_curtask(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_call(&u->b, BPF_FUNC_get_current_task, 0);
}

BUILTINS(process) = {
	{ "pid", "u32 pid([raw])", BI_BARE, check_pid, .lower = lower_pid,
	  .doc = "Process id, in scry's own namespace; pid(init): in the first one." },
	{ "tid", "u32 tid([raw])", BI_BARE, check_pid, .lower = lower_tid,
	  .doc = "Thread id, in scry's own namespace; tid(init): in the first one." },
	{ "uid", "u64 uid()", BI_BARE, .lower = lower_uid, .doc = "Real user id." },
	{ "gid", "u64 gid()", BI_BARE, .lower = lower_gid, .doc = "Real group id." },
	{ "comm", "string[16] comm([int])", BI_BARE, check_comm, .lower_mem = lower_comm,
	  .doc = "Name of the current task." },
	{ "cpu", "u64 cpu()", BI_BARE, .lower = lower_cpu,
	  .doc = "Number of the current CPU." },
	{ "ncpus", "u64 ncpus()", BI_BARE, .lower = lower_ncpus, .doc = "Number of CPUs." },
	{ "numaid", "u64 numaid()", BI_BARE, .lower = lower_numaid,
	  .doc = "NUMA node of the current CPU." },
	{ "cgroup", "u64 cgroup()", BI_BARE, .lower = lower_cgroup,
	  .doc = "cgroup v2 id of the current task." },
	{ "cgroupid", "? cgroupid(lit)", 0, check_cgroupid,
	  .doc = "The id of a cgroup v2 directory." },
	{ "cgroup_path", "? cgroup_path(int, [lit])", 0, check_cgroup_path,
	  .lower_mem = lower_cgroup_path,
	  .doc = "Paths of the cgroup with that id, in hierarchies whose name matches the pattern." },
	{ "curtask", "? curtask()", BI_BARE, check_curtask, .lower = lower_curtask,
	  .doc = "The current task, a struct task_struct *." },
	/* Not merged by the optimizer: two throws must stay two throws. */
	{ "rand", "u64 rand()", BI_BARE, .lower = lower_rand,
	  .doc = "A random 32-bit number." },
	{ "cpid", "u32 cpid()", BI_BARE, check_cpid, .lower = lower_cpid,
	  .doc = "Process id of the child started with -c." },
	{ "has_cpid", "bool has_cpid()", BI_BARE, .lower = lower_has_cpid,
	  .doc = "Is there a child started with -c?" },
	{ "username", "? username()", BI_BARE, check_username, .lower = lower_uid,
	  .doc = "Name of the current user." },
	{ 0 },
};
