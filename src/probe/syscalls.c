#include "probe/syscalls.h"

#include "kernel/bpf.h"
#include "probe/arch.h"
#include "probe/links.h"
#include "probe/match.h"
#include "types/kernel_types.h"

#include <string.h>

enum side { SIDE_ENTER, SIDE_EXIT, SIDES };
/* Fewer than these are attached by themselves: then nobody else's calls cost anything. */
enum { WORTH_IT = 9 };

static const struct {
	const char *prefix;   /* of the events' names */
	const char *raw;      /* the raw tracepoint */
	const char *btf_type; /* of its arguments: (struct pt_regs *, long) */
} sides[SIDES] = {
	[SIDE_ENTER] = { "sys_enter_", "sys_enter", "btf_trace_sys_enter" },
	[SIDE_EXIT] = { "sys_exit_", "sys_exit", "btf_trace_sys_exit" },
};

/* Which side's event, and its number; false for events that are neither or not known. */
static bool identify(const struct target *t, enum side *side, uint32_t *number)
{
	int nr = -1;

	if (strcmp(t->category, "syscalls") != 0)
		return false;
	for (*side = SIDE_ENTER; *side < SIDES; ++*side) {
		size_t len = strlen(sides[*side].prefix);

		if (strncmp(t->event, sides[*side].prefix, len) != 0)
			continue;
		nr = arch_syscall_number(&arch_host, t->event + len);
		break;
	}
	*number = (uint32_t)nr;
	return nr >= 0 && *number < arch_host.syscall_limit;
}

/*
 * A word of the registers, which are the first argument of both.  With BTF the verifier knows
 * them and lets them be read like any memory.
 */
static struct argloc reg_loc(bool has_btf, uint32_t off)
{
	return (struct argloc){ .kind = has_btf ? LOC_BTF : LOC_DEREF, .off2 = off, .size = 8 };
}

static void make_group(struct probe_env *env, enum side side, const struct targets *targets,
		       struct groups *out)
{
	const struct btf *btf = kernel_btf(env->types, NULL);
	uint32_t id = btf ? btf_find(btf, BTF_TYPEDEFS, sides[side].btf_type) : 0;
	struct group *g = group_add(env, targets->data[0]->provider, out);

	g->targets = *targets;
	g->way = ATTACH_SYSCALL_TP;
	g->why = id ? "one raw tracepoint of all system calls"
		    : "one raw tracepoint of all system calls, without BTF";
	g->prog_type = id ? BPF_PROG_TYPE_TRACING : BPF_PROG_TYPE_RAW_TRACEPOINT;
	g->expected_attach = id ? BPF_TRACE_RAW_TP : 0;
	g->attach_btf_id = id;
	g->nselect = arch_host.syscall_limit;
	if (side == SIDE_ENTER)
		g->selector = (struct argloc){ .kind = LOC_CTX, .off = 8, .size = 8 };
	else
		g->selector = reg_loc(id, arch_host.syscall_nr_off);
	if (arch_host.abi_size) {
		g->only_if = reg_loc(id, arch_host.abi_off);
		g->only_if_value = arch_host.abi_value;
	}
}

static bool gets_enough(enum side side, const struct group_wants *wants)
{
	return !wants->one_each || (side == SIDE_EXIT && !wants->other_args);
}

void syscalls_group(struct probe_env *env, const struct targets *targets,
		    const struct group_wants *wants, struct groups *out, struct targets *rest)
{
	struct targets found[SIDES] = {};
	bool use[SIDES];
	enum side side;
	uint32_t number;

	vec_each(t, targets)
		if (identify(*t, &side, &number)) {
			(*t)->config = number;
			vec_push(env->arena, &found[side], *t);
		}
	for (side = SIDE_ENTER; side < SIDES; side++) {
		use[side] = found[side].len >= WORTH_IT && gets_enough(side, wants);
		if (use[side])
			make_group(env, side, &found[side], out);
	}
	vec_each(t, targets)
		if (!identify(*t, &side, &number) || !use[side])
			vec_push(env->arena, rest, *t);
}

void syscalls_shape(struct probe_env *env, const struct group *g, struct shape *out)
{
	const struct type *type = type_int(env->types, 8, true);
	struct probe_arg *ret;
	uint32_t number;
	enum side side;

	*out = (struct shape){ .arg_space = AS_USER, .stack_ok = true };
	identify(g->targets.data[0], &side, &number);
	if (side != SIDE_EXIT)
		return;
	ret = arena_new(env->arena, struct probe_arg);
	*ret = (struct probe_arg){
		.name = "ret",
		.type = type,
		.loc = { .kind = LOC_CTX, .off = 8, .size = 8, .is_signed = true },
	};
	out->args = ret;
	out->nargs = 1;
}

int syscalls_attach(const struct group *g, int prog_fd, struct links *out, struct err *e)
{
	bool has_btf = g->prog_type == BPF_PROG_TYPE_TRACING;
	uint32_t number;
	enum side side;
	int link;

	identify(g->targets.data[0], &side, &number);
	link = kbpf_raw_tp_open(prog_fd, has_btf ? NULL : sides[side].raw);
	if (link < 0)
		return err_set(e, link, "attach to raw tracepoint %s", sides[side].raw);
	links_add_link(out, link, false);
	return 0;
}
