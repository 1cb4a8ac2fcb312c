/*
 * The conditions on the current task, and how it is known who descends from whom.
 *
 * follow keeps the processes that the traced one forked in a map, by their numbers in the first
 * pid namespace, which is what sched_process_fork tells.  A process leaves the map when its
 * last trace is gone (sched_process_free), not when it exits: what it does on its way out
 * counts.  Threads are noted as well, since the event does not tell them from processes; no
 * process has the number of a living thread.
 *
 * Both are raw tracepoints where the kernel's types are known: the last trace may go in an
 * interrupt, and a program of a tracepoint does not run while another does on that CPU.
 */
#include "script/filter.h"

#include "builtin/process.h"
#include "types/kernel_types.h"

#include <string.h>

enum { FOLLOWED_MAX = 32768 };

static ref high_half(struct unit *u, ref both)
{
	return ir_bin(&u->b, OP_SHR, both, ir_const(&u->b, 32));
}

static ref followed_map(struct unit *u)
{
	return ir_map(&u->b, u->c->followed_kmap);
}

/* A key or a value of the map of followed processes, in memory. */
static ref number_at(struct unit *u, ref v)
{
	ref at = ir_slot(&u->b, 4);

	ir_store(&u->b, 4, at, 0, v);
	return at;
}

static void filter_pid(struct unit *u, const struct task_filter *f)
{
	struct irb *b = &u->b;
	ref is_it = ir_bin(b, OP_EQ, high_half(u, lower_pid_and_tid(u)), ir_const(b, f->pid));

	if (!f->follow) {
		lower_leave_unless(u, is_it);
		return;
	}

	blkid other = ir_block(b), go_on = ir_block(b);
	ir_br(b, is_it, go_on, other);
	ir_start(b, other);
	ref tgid = high_half(u, ir_call(b, BPF_FUNC_get_current_pid_tgid, 0));
	ref known = ir_call(b, H_MAP_LOOKUP, 2, followed_map(u), number_at(u, tgid));
	ir_br(b, known, go_on, u->exit_blk);
	ir_start(b, go_on);
}

static void filter_cgroup(struct unit *u)
{
	struct irb *b = &u->b;
	ref in = ir_call(b, BPF_FUNC_current_task_under_cgroup, 2, ir_map(b, u->c->cgroup_kmap),
			 ir_const(b, 0));

	lower_leave_unless(u, ir_bin(b, OP_EQ, in, ir_const(b, 1)));
}

static void filter_pidns(struct unit *u, const struct task_filter *f)
{
	enum { SIZE = 8 }; /* struct bpf_pidns_info */
	struct irb *b = &u->b;
	ref info = ir_slot(b, SIZE);
	ref ret = ir_call(b, BPF_FUNC_get_ns_current_pid_tgid, 4,
			  ir_const(b, (int64_t)f->pidns_dev),
			  ir_const(b, (int64_t)f->pidns_ino), info, ir_const(b, SIZE));

	lower_leave_unless(u, ir_bin(b, OP_EQ, ret, ir_const(b, 0)));
}

void lower_filter(struct unit *u)
{
	const struct task_filter *f = &u->c->opt->filter;
	unsigned flags = u->group->provider->flags;

	if (u->when != PROG_ATTACHED || (flags & PV_NO_TASK))
		return;
	if (f->pid && (f->follow || (flags & PV_PID_IMPLICIT)))
		filter_pid(u, f);
	if (f->cgroup)
		filter_cgroup(u);
	if (f->pidns_ino)
		filter_pidns(u, f);
}

/* Where task_struct has the number, if the kernel's types are known. */
static bool find_number(struct typetab *tt, int32_t *off)
{
	const struct btf *btf = kernel_btf(tt, NULL);
	uint32_t id = btf ? btf_find(btf, BTF_STRUCTS, "task_struct") : 0;
	struct field f;

	if (!id || !type_member(tt, btf_type(tt, btf, id), "pid", &f))
		return false;
	*off = (int32_t)(f.bit_off / 8);
	return true;
}

static ref read_number(struct unit *u, ref task)
{
	struct irb *b = &u->b;
	ref at = number_at(u, ir_const(b, 0));
	int32_t off = 0;

	find_number(u->c->tt, &off);
	ir_call(b, BPF_FUNC_probe_read_kernel, 3, at, ir_const(b, 4),
		ir_bin(b, OP_ADD, task, ir_const(b, off)));
	return ir_load(b, 4, at, 0);
}

/* The number of the task that an event of the scheduler tells of: by name, or by its struct. */
static ref told_number(struct unit *u, const char *name, unsigned arg)
{
	if (u->group->prog_type == BPF_PROG_TYPE_RAW_TRACEPOINT)
		return read_number(u, lower_argloc(u, &u->shape.regs[arg]));
	for (unsigned i = 0; i < u->shape.nargs; i++)
		if (!strcmp(u->shape.args[i].name, name))
			return lower_argloc(u, &u->shape.args[i].loc);
	BUG("%s has no %s", u->target->name, name);
}

static void note_fork(struct unit *u)
{
	struct irb *b = &u->b;

	filter_pid(u, &u->c->opt->filter);

	ref child = number_at(u, told_number(u, "child_pid", 1));
	ref ret = ir_call(b, H_MAP_UPDATE, 4, followed_map(u), child,
			  number_at(u, ir_const(b, 1)), ir_const(b, BPF_ANY));
	count_if_map_failed(u, ret, COUNT_MAP_FULL, b->span, "map_update_elem");
}

static void note_end(struct unit *u)
{
	ref gone = number_at(u, told_number(u, "pid", 0));

	ir_call(&u->b, H_MAP_DELETE, 2, followed_map(u), gone);
}

static void add_follower(struct compiler *c, const char *event, void (*lower)(struct unit *))
{
	int32_t off;
	bool is_raw = find_number(c->tt, &off);
	const char *parts[] = { "tracepoint", "sched", event };
	const char *raw_parts[] = { "rawtracepoint", event };
	struct attach_text at = {
		.text = arena_printf(c->arena, "%s:%s",
				     is_raw ? "rawtracepoint" : "tracepoint:sched", event),
		.parts = is_raw ? raw_parts : parts,
		.nparts = is_raw ? 2 : 3,
	};
	struct group_wants wants = { .one_each = true, .other_args = true };
	struct targets targets = {};
	struct groups groups = {};
	struct unit *u = arena_new(c->arena, struct unit);
	struct err e = {};

	c->opt->env->missing = MISSING_ERROR;
	if (!probe_expand(c->opt->env, &at, &targets))
		return;
	const struct provider *pv = targets.data[0]->provider;
	if (pv->group(c->opt->env, &targets, &wants, &groups, &e) ||
	    pv->shape(c->opt->env, targets.data[0], groups.data[0], &u->shape, &e)) {
		diag_hint(diag(c->dx, E0131_PARAM_TYPE, at.span, e.msg), "%s", e.hint);
		return;
	}
	u->c = c;
	u->probe = arena_new(c->arena, struct probe);
	u->group = groups.data[0];
	u->target = targets.data[0];
	u->when = PROG_ATTACHED;
	u->lower_own = lower;
	strmap_init(&u->vars, c->arena);
	vec_push(c->arena, &c->units, u);
}

static uint32_t add_map(struct compiler *c, const struct plan_kmap *m)
{
	vec_push(c->arena, &c->plan->kmaps, *m);
	return (uint32_t)c->plan->kmaps.len - 1;
}

void filter_prepare(struct compiler *c)
{
	const struct task_filter *f = &c->opt->filter;

	if (f->cgroup)
		c->cgroup_kmap = add_map(c, &(struct plan_kmap){
						    .name = "cgroup",
						    .type = BPF_MAP_TYPE_CGROUP_ARRAY,
						    .key_size = 4,
						    .value_size = 4,
						    .max_entries = 1,
						    .cgroup = f->cgroup,
					    });
	if (!f->follow)
		return;
	c->followed_kmap = add_map(c, &(struct plan_kmap){
					      .name = "followed",
					      .type = BPF_MAP_TYPE_HASH,
					      .key_size = 4,
					      .value_size = 4,
					      .max_entries = FOLLOWED_MAX,
				      });
	add_follower(c, "sched_process_fork", note_fork);
	add_follower(c, "sched_process_free", note_end);
}
