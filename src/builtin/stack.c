/*
 * Builtins that take stacks.
 */
#include "builtin/builtin.h"
#include "builtin/unwind.h"
#include "builtin/ustack.h"
#include "script/lower.h"

#include <string.h>

enum { DEPTH_DEFAULT = 127, DEPTH_MAX = 1024 };

static bool find_mode(const char *name, enum stack_mode *mode)
{
	static const struct {
		const char *name;
		enum stack_mode mode;
	} modes[] = {
		{ "bpftrace", STACK_SCRY },	{ "scry", STACK_SCRY },
		{ "perf", STACK_PERF },		{ "raw", STACK_RAW },
		{ "build_id", STACK_BUILD_ID },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(modes[i].name, name)) {
			*mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

/* kstack, kstack(N), kstack(MODE), kstack(MODE, N), and so for ustack */
static bool check_stack(struct unit *u, struct expr *e)
{
	enum stack_mode mode = u->c->cfg->stack_mode;
	bool user = strchr(e->name, 'u') != NULL; /* ustack, dw_ustack */
	enum type_kind kind = user ? T_USTACK : T_KSTACK;
	struct expr *depth = NULL;
	int64_t n = DEPTH_DEFAULT;
	bool ok = true;

	if (!u->shape.stack_ok)
		return builtin_not_here(u, e, e->name);
	if (*e->name == 'd' && !check_stable(u->c, u->c->cfg->unstable_dw_ustack, e->span,
					     "dw_ustack", "unstable_dw_ustack"))
		return false;
	if (e->nargs && e->args[0]->kind == E_NAME && find_mode(e->args[0]->name, &mode))
		depth = e->nargs > 1 ? e->args[1] : NULL;
	else if (e->nargs > 1)
		return builtin_bad_arg(
			u, e->args[0],
			"the stack mode is one of bpftrace, perf, raw, build_id");
	else if (e->nargs)
		depth = e->args[0];
	if (mode == STACK_BUILD_ID && kind == T_KSTACK) {
		if (e->nargs && e->args[0] != depth)
			return builtin_bad_arg(
				u, e->args[0],
				"build_id is a mode of ustack: the kernel is one file");
		mode = STACK_RAW; /* of the config */
		if (u->c->final)
			diag(u->c->dx, W0206_KSTACK_BUILD_ID, e->span);
	}
	if (depth) {
		check_value(u, depth);
		if (type_is_error(depth->type))
			return false;
		if (!depth->is_const)
			return builtin_bad_arg(u, depth, "the number of frames is a constant");
		n = depth->const_value;
	}
	if (n < 1 || n > DEPTH_MAX)
		return builtin_bad_arg(u, depth, "the number of frames is from 1 to 1024");
	e->type = type_stack(u->c->tt, kind, mode, (uint32_t)n);
	if (kind == T_USTACK)
		unwind_by_tables(u, e, &ok);
	return ok;
}

enum { HEAD_OFF = 0, FRAMES_OFF = 8 };

/* The kernel writes the frames, zeros behind them; how many there are. */
static ref lower_get_stack(struct unit *u, const struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	bool user = e->type->kind == T_USTACK;
	uint32_t size = e->type->depth * 8;

	/* Linux 6.1 wants written memory from raw tracepoints; a map's memory always is. */
	if (FRAMES_OFF + size <= u->c->cfg->on_stack_limit)
		ir_zero(b, d->ptr, d->off + FRAMES_OFF, size);

	ref to = ir_bin(b, OP_ADD, d->ptr, ir_const(b, d->off + FRAMES_OFF));
	ref n = ir_call(b, BPF_FUNC_get_stack, 4, u->ctx, to, ir_const(b, size),
			ir_const(b, user ? BPF_F_USER_STACK : u->shape.kstack_skip));
	/* Threads of the kernel have no user stack: that is no failure. */
	uint32_t counter = counter_new(u, COUNT_STACK, e->span, "get_stack", user);
	blkid bad = ir_block(b), ok = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, ir_bin(b, OP_SLT, n, ir_const(b, 0)), bad, ok);
	ir_start(b, ok);
	meet_from(b, &m, ir_bin(b, OP_SHR, n, ir_const(b, 3)));
	ir_start(b, bad); /* the helper zeroed the frames */
	count_failure(u, counter, n);
	meet_from(b, &m, ir_const(b, 0));
	return meet_here(b, &m);
}

/* By tables; what they know nothing of is left to the kernel, and counted. */
static ref lower_unwound(struct unit *u, const struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	uint32_t size = e->type->depth * 8;
	uint32_t counter =
		counter_new(u, COUNT_UNWIND_FP, e->span, NULL, !unwind_was_asked(u, e));
	struct meet m = meet_new(b);
	struct unwound w = unwind_lower(u, e);
	blkid known = ir_block(b), unknown = ir_block(b), some = ir_block(b);

	ir_br(b, w.failed, unknown, known);
	ir_start(b, known);
	ir_copy(b, d->ptr, d->off + FRAMES_OFF, w.frames, 0, size);
	meet_from(b, &m, w.n);
	ir_start(b, unknown);
	ref n = lower_get_stack(u, e, d);
	blkid none = ir_block(b);
	ir_br(b, n, some, none);
	ir_start(b, none);
	meet_from(b, &m, n);
	ir_start(b, some);
	count_failure(u, counter, ir_const(b, 0));
	meet_from(b, &m, n);
	return meet_here(b, &m);
}

static void lower_stack(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	bool user = e->type->kind == T_USTACK, ok;
	ref n = user && unwind_by_tables(u, e, &ok) ? lower_unwound(u, e, d)
						    : lower_get_stack(u, e, d);

	if (user)
		n = ir_bin(b, OP_OR, n, lower_pid_above(u));
	ir_store(b, 8, d->ptr, d->off + HEAD_OFF, n);
}

BUILTINS(stack) = {
	{ "kstack", "? kstack([raw, raw])", BI_BARE, check_stack, .lower_mem = lower_stack,
	  .doc = "The kernel stack: kstack, kstack(N frames), kstack(perf|raw), kstack(perf, N)." },
	{ "stack", "? stack([raw, raw])", BI_BARE, check_stack, .lower_mem = lower_stack,
	  .doc = "The kernel stack: the name of kstack in the oldest scripts." },
	{ "ustack", "? ustack([raw, raw])", BI_BARE, check_stack, .lower_mem = lower_stack,
	  .doc = "The user stack, with the same forms as kstack." },
	{ "dw_ustack", "? dw_ustack([raw, raw])", BI_BARE, check_stack,
	  .lower_mem = lower_stack,
	  .doc = "The user stack, walked by unwind tables whatever --unwind says." },
	{ 0 },
};
