/*
 * Builtins about the current task and CPU.
 */
#include "builtin/builtin.h"
#include "script/lower.h"
#include "types/kernel_types.h"

static ref high_half(struct unit *u, ref v)
{
	return ir_bin(&u->b, OP_SHR, v, ir_const(&u->b, 32));
}

static ref low_half(struct unit *u, ref v)
{
	return ir_ext(&u->b, false, 4, v);
}

static ref lower_pid(struct unit *u, struct expr *e)
{
	(void)e;
	return high_half(u, ir_call(&u->b, BPF_FUNC_get_current_pid_tgid, 0));
}

static ref lower_tid(struct unit *u, struct expr *e)
{
	(void)e;
	return low_half(u, ir_call(&u->b, BPF_FUNC_get_current_pid_tgid, 0));
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

static void lower_comm(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	const uint32_t task_comm_len = 16;

	(void)e;
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
	if (u->c->opt->cpid)
		return true;
	diag(u->c->dx, E0303_NOT_HERE, e->span, "cpid needs a child process: give one with -c");
	return false;
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
	{ "pid", "u32 pid()", BI_BARE, .lower = lower_pid,
	  .doc = "Process id (thread group)." },
	{ "tid", "u32 tid()", BI_BARE, .lower = lower_tid, .doc = "Thread id." },
	{ "uid", "u64 uid()", BI_BARE, .lower = lower_uid, .doc = "Real user id." },
	{ "gid", "u64 gid()", BI_BARE, .lower = lower_gid, .doc = "Real group id." },
	{ "comm", "string[16] comm()", BI_BARE, .lower_mem = lower_comm,
	  .doc = "Name of the current task." },
	{ "cpu", "u64 cpu()", BI_BARE, .lower = lower_cpu,
	  .doc = "Number of the current CPU." },
	{ "ncpus", "u64 ncpus()", BI_BARE, .lower = lower_ncpus, .doc = "Number of CPUs." },
	{ "numaid", "u64 numaid()", BI_BARE, .lower = lower_numaid,
	  .doc = "NUMA node of the current CPU." },
	{ "cgroup", "u64 cgroup()", BI_BARE, .lower = lower_cgroup,
	  .doc = "cgroup v2 id of the current task." },
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
	{ "ppid", "u32 ppid()", BI_BARE, .text = "curtask->real_parent->tgid",
	  .doc = "Process id of the parent." },
	{ "pcomm", "? pcomm()", BI_BARE, .text = "curtask->real_parent->comm",
	  .doc = "Name of the parent." },
	{ "leader_tid", "u32 leader_tid()", BI_BARE, .text = "curtask->group_leader->pid",
	  .doc = "Thread id of the process's first thread." },
	{ "leader_comm", "? leader_comm()", BI_BARE, .text = "curtask->group_leader->comm",
	  .doc = "Name of the process's first thread." },
	{ 0 },
};
