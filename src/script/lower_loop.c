/*
 * Loops that the kernel runs: it calls the body as a function of its own.
 *
 * The body reaches what is outside of it through its context, words on the stack of the
 * function that starts the loop:
 *
 *	[0] the body left the probe, or the function around (enum leave)
 *	[1] the probe, with this value
 *	[2] the program's own context         [3] the attach point that fired
 *	[4] the first number of a range
 *	[5 ...] one for each variable: a scalar's value, taken over before the loop and brought
 *	        back behind it, or the address of a larger one
 *
 * The verifier knows what pointers on the stack point to, whichever function reads them.
 */
#include "script/lower.h"

enum { CONTEXT_LEFT, CONTEXT_RESULT, CONTEXT_CTX, CONTEXT_WHICH, CONTEXT_FIRST, CONTEXT_VARS };

enum { CALLBACK_GO_ON = 0, CALLBACK_STOP = 1 };

enum leave { LEAVE_PROBE = 1, LEAVE_FUNCTION = 2 };

/* The variables that a loop's body and the code around it share. */
struct shared {
	struct arena *arena;
	VEC(struct var_sym *) used;
	VEC(struct var_sym *) own; /* declared inside */
	ref *outside;		   /* the slots of used in the function around */
};

static void find_in_stmt(struct shared *w, const struct stmt *s);

static bool is_among(struct var_sym *const *list, size_t n, const struct var_sym *v)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == v)
			return true;
	return false;
}

static void find_in_expr(struct shared *w, const struct expr *e)
{
	if (!e)
		return;
	if (e->kind == E_CALL && !e->builtin) {
		const struct inlined *in = e->data;

		vec_each(v, &in->vars.entries)
			vec_push(w->arena, &w->own, v->value);
	}
	if (e->kind == E_VAR && e->var && e->var->type &&
	    !is_among(w->own.data, w->own.len, e->var) &&
	    !is_among(w->used.data, w->used.len, e->var))
		vec_push(w->arena, &w->used, e->var);
	find_in_expr(w, e->a);
	find_in_expr(w, e->b);
	find_in_expr(w, e->c);
	find_in_expr(w, e->key);
	for (unsigned i = 0; i < e->nargs; i++)
		find_in_expr(w, e->args[i]);
	find_in_stmt(w, e->stmt);
}

static void find_in_stmt(struct shared *w, const struct stmt *s)
{
	for (; s; s = s->next) {
		if (s->kind == S_LET || s->kind == S_FOR_MAP || s->kind == S_FOR_RANGE ||
		    s->declares)
			vec_push(w->arena, &w->own, s->target->var);
		find_in_expr(w, s->e);
		find_in_expr(w, s->e2);
		find_in_expr(w, s->target);
		find_in_stmt(w, s->body);
		find_in_stmt(w, s->els);
		find_in_stmt(w, s->first);
		find_in_expr(w, s->value);
	}
}

/* What the loop statement's body shares; its own variable it does not. */
static void find_shared(struct unit *u, const struct stmt *s, struct shared *w)
{
	*w = (struct shared){ .arena = u->c->arena };
	vec_push(w->arena, &w->own, s->target->var);
	find_in_stmt(w, s->body);
	w->outside = arena_array(w->arena, ref, w->used.len + 1);
	for (size_t i = 0; i < w->used.len; i++)
		w->outside[i] = w->used.data[i]->slot;
}

static ref word(struct unit *u, ref context, unsigned i)
{
	return ir_load(&u->b, 8, context, (int32_t)(8 * i));
}

static void set_word(struct unit *u, ref context, unsigned i, ref v)
{
	ir_store(&u->b, 8, context, (int32_t)(8 * i), v);
}

/*
 * A number whose value the verifier does not know: it takes up a loop's body again for every
 * value that it knows, so it would run a loop that counts.
 */
static ref veiled(struct unit *u, ref v)
{
	struct irb *b = &u->b;

	return ir_bin(b, OP_ADD, v,
		      ir_load(b, 8, ir_mapval(b, KMAP_GLOBALS, u->c->plan->zeros_off), 0));
}

/* The word of a variable: scalars are copied, except that pointers may be those of a context.
 */
static ref word_of(struct unit *u, const struct var_sym *v, ref slot)
{
	if (!type_is_scalar(v->type))
		return slot;
	ref value = ir_load(&u->b, 8, slot, 0);
	return v->type->kind == T_PTR ? value : veiled(u, value);
}

static ref make_context(struct unit *u, const struct shared *w)
{
	struct irb *b = &u->b;
	ref at = ir_slot(b, 8 * (CONTEXT_VARS + (uint32_t)w->used.len));

	set_word(u, at, CONTEXT_LEFT, ir_const(b, 0));
	set_word(u, at, CONTEXT_RESULT, ir_const(b, 0));
	set_word(u, at, CONTEXT_CTX, u->ctx);
	set_word(u, at, CONTEXT_WHICH, u->which ? u->which : ir_const(b, 0));
	for (unsigned i = 0; i < w->used.len; i++)
		set_word(u, at, CONTEXT_VARS + i, word_of(u, w->used.data[i], w->outside[i]));
	return at;
}

static void take_back(struct unit *u, const struct shared *w, ref context)
{
	for (unsigned i = 0; i < w->used.len; i++) {
		struct var_sym *v = w->used.data[i];

		v->slot = w->outside[i];
		if (type_is_scalar(v->type))
			ir_store(&u->b, 8, v->slot, 0, word(u, context, CONTEXT_VARS + i));
	}
}

/* The function around a loop, while the body is built. */
struct around {
	struct irb b;
	ref ctx, which, context;
	blkid break_blk, continue_blk;
	unsigned leaves;
};

/* A new function of the program, whose context is its argument number `param`. */
static struct around start_body(struct unit *u, const struct shared *w, unsigned param)
{
	struct irb *b = &u->b;
	struct around a = { *b,		  u->ctx,	   u->which, u->context,
			    u->break_blk, u->continue_blk, u->leaves };

	*b = (struct irb){ .fn = ir_fn_new(u->c->arena, u->target->name), .span = a.b.span };
	vec_push(u->c->arena, &u->fns, b->fn);
	u->context = ir_param(b, param);
	u->ctx = word(u, u->context, CONTEXT_CTX);
	u->which = a.which ? word(u, u->context, CONTEXT_WHICH) : 0;
	u->break_blk = ir_block(b);
	u->continue_blk = ir_block(b);
	u->leaves = 0;
	if (++u->depth > u->depth_max)
		u->depth_max = u->depth;
	for (unsigned i = 0; i < w->used.len; i++) {
		struct var_sym *v = w->used.data[i];
		ref off = ir_const(b, 8 * (CONTEXT_VARS + i));

		v->slot = type_is_scalar(v->type) ? ir_bin(b, OP_ADD, u->context, off)
						  : word(u, u->context, CONTEXT_VARS + i);
	}
	return a;
}

/* Returns how the body may be left. */
static unsigned end_body(struct unit *u, const struct around *a)
{
	struct irb *b = &u->b;
	unsigned leaves = u->leaves;

	ir_jmp(b, u->continue_blk);
	ir_start(b, u->continue_blk);
	ir_ret(b, ir_const(b, CALLBACK_GO_ON));
	ir_start(b, u->break_blk);
	ir_ret(b, ir_const(b, CALLBACK_STOP));

	u->depth--;
	*b = a->b;
	u->ctx = a->ctx;
	u->which = a->which;
	u->context = a->context;
	u->break_blk = a->break_blk;
	u->continue_blk = a->continue_blk;
	u->leaves = a->leaves;
	return leaves;
}

void lower_leave(struct unit *u, ref result)
{
	struct irb *b = &u->b;

	if (u->context) {
		u->leaves |= LEAVE_PROBE;
		set_word(u, u->context, CONTEXT_LEFT, ir_const(b, LEAVE_PROBE));
		set_word(u, u->context, CONTEXT_RESULT, result);
		result = ir_const(b, CALLBACK_STOP);
	}
	ir_ret(b, result);
	start_dead_block(u);
}

void lower_leave_function(struct unit *u)
{
	struct irb *b = &u->b;

	if (u->in->depth == u->depth) {
		ir_jmp(b, u->in->end);
	} else { /* the function goes on outside of the loop's body */
		u->leaves |= LEAVE_FUNCTION;
		set_word(u, u->context, CONTEXT_LEFT, ir_const(b, LEAVE_FUNCTION));
		ir_ret(b, ir_const(b, CALLBACK_STOP));
	}
	start_dead_block(u);
}

/* Goes on behind the loop unless its body was left in that way. */
static void leave_if(struct unit *u, ref context, enum leave how)
{
	struct irb *b = &u->b;
	blkid left = ir_block(b), done = ir_block(b);
	ref was = word(u, context, CONTEXT_LEFT);

	ir_br(b, ir_bin(b, OP_EQ, was, ir_const(b, how)), left, done);
	ir_start(b, left);
	if (how == LEAVE_PROBE)
		lower_leave(u, word(u, context, CONTEXT_RESULT));
	else
		lower_leave_function(u);
	ir_jmp(b, done);
	ir_start(b, done);
}

/* Behind the loop: what its body changed, and out of what it said to leave. */
static void finish_loop(struct unit *u, const struct shared *w, ref context, unsigned leaves)
{
	take_back(u, w, context);
	if (leaves & LEAVE_PROBE)
		leave_if(u, context, LEAVE_PROBE);
	if (leaves & LEAVE_FUNCTION)
		leave_if(u, context, LEAVE_FUNCTION);
}

/* $kv = (key, value): copies, so that it stays as it is whatever becomes of the entry. */
static void take_entry(struct unit *u, struct var_sym *kv, const struct map_sym *m, ref key,
		       ref value)
{
	struct irb *b = &u->b;
	uint32_t n;
	const struct field *f = type_fields(u->c->tt, kv->type, &n);
	int32_t key_off = (int32_t)(f[0].bit_off / 8), value_off = (int32_t)(f[1].bit_off / 8);

	kv->slot = ir_slot(b, kv->type->size);
	if (f[0].type->size + f[1].type->size != kv->type->size)
		ir_zero(b, kv->slot, 0, kv->type->size);
	ir_copy(b, kv->slot, key_off, key, 0, f[0].type->size);
	if (type_is_agg(m->value))
		ir_store(b, 8, kv->slot, value_off, lower_agg_sum(u, m, kv->slot));
	else
		ir_copy(b, kv->slot, value_off, value, 0, f[1].type->size);
}

/* What for_each_map_elem calls the body with; the first is the map. */
enum { ENTRY_KEY = 1, ENTRY_VALUE, ENTRY_CONTEXT };

void lower_for_map(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;
	const struct map_sym *m = s->e->map;
	struct shared w;

	find_shared(u, s, &w);
	ref context = make_context(u, &w);
	uint32_t func = (uint32_t)u->fns.len;
	struct around a = start_body(u, &w, ENTRY_CONTEXT);
	take_entry(u, s->target->var, m, ir_param(b, ENTRY_KEY), ir_param(b, ENTRY_VALUE));
	lower_block(u, s->body);
	unsigned leaves = end_body(u, &a);

	ir_call(b, BPF_FUNC_for_each_map_elem, 4, ir_map(b, m->plan->kmap), ir_func(b, func),
		context, ir_const(b, 0));
	finish_loop(u, &w, context, leaves);
}

/* The helper itself counts for how many entries it called the body, which has nothing to do. */
ref lower_count_entries(struct unit *u, const struct map_sym *m)
{
	const struct shared none = {};
	struct irb *b = &u->b;
	ref context = make_context(u, &none);
	uint32_t func = (uint32_t)u->fns.len;
	struct around a = start_body(u, &none, ENTRY_CONTEXT);

	end_body(u, &a);
	return ir_call(b, BPF_FUNC_for_each_map_elem, 4, ir_map(b, m->plan->kmap),
		       ir_func(b, func), context, ir_const(b, 0));
}

/* How many numbers there are from first up to end. */
static ref count_range(struct unit *u, ref first, ref end, bool is_signed)
{
	struct irb *b = &u->b;
	blkid some = ir_block(b), none = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, ir_bin(b, is_signed ? OP_SLT : OP_ULT, first, end), some, none);
	ir_start(b, some);
	meet_from(b, &m, ir_bin(b, OP_SUB, end, first));
	ir_start(b, none);
	meet_from(b, &m, ir_const(b, 0));
	/* Linux 6.18 stumbles over a body that it knows to be called 0 times. */
	return veiled(u, meet_here(b, &m));
}

bool range_is_long(struct unit *u, const struct stmt *s)
{
	enum { SHORT_MAX = 64 };
	const struct expr *first = s->e, *end = s->e2;

	if (first->is_const && end->is_const &&
	    (first->const_value >= end->const_value ||
	     (uint64_t)end->const_value - (uint64_t)first->const_value <= SHORT_MAX))
		return false;
	return probe_has_feature(u->c->opt->env, "loop");
}

/* bpf_loop() counts from 0, and refuses numbers that are too large for it. */
void lower_long_range(struct unit *u, struct stmt *s)
{
	enum { PARAM_INDEX, PARAM_CONTEXT };
	struct irb *b = &u->b;
	struct var_sym *v = s->target->var;
	ref first = lower_scalar(u, s->e), end = lower_scalar(u, s->e2);
	ref n = lower_at_most(u, count_range(u, first, end, v->type->is_signed), UINT32_MAX);
	struct shared w;

	find_shared(u, s, &w);
	ref context = make_context(u, &w);
	set_word(u, context, CONTEXT_FIRST, first);
	uint32_t func = (uint32_t)u->fns.len;
	struct around a = start_body(u, &w, PARAM_CONTEXT);
	v->slot = ir_slot(b, 8);
	ir_store(b, 8, v->slot, 0,
		 ir_bin(b, OP_ADD, word(u, u->context, CONTEXT_FIRST),
			ir_ext(b, false, 4, ir_param(b, PARAM_INDEX))));
	lower_block(u, s->body);
	unsigned leaves = end_body(u, &a);

	ref ret = ir_call(b, BPF_FUNC_loop, 4, n, ir_func(b, func), context, ir_const(b, 0));
	/* Where the verifier writes the call out, the error is an int. */
	count_if_negative(u, ir_ext(b, true, 4, ret), COUNT_HELPER, s->span, "loop", false);
	finish_loop(u, &w, context, leaves);
}
