/*
 * A whole program: what stands before the body, the body, the end.
 */
#include "script/lower.h"

void lower_leave_unless(struct unit *u, ref cond)
{
	blkid go_on = ir_block(&u->b);

	ir_br(&u->b, cond, go_on, u->exit_blk);
	ir_start(&u->b, go_on);
}

/* What the source itself fires for too often is left here. */
static void filter_only_if(struct unit *u)
{
	const struct group *g = u->group;

	if (g->only_if.kind == LOC_NONE)
		return;
	lower_leave_unless(u, ir_bin(&u->b, g->only_if_not ? OP_NE : OP_EQ,
				     lower_argloc(u, &g->only_if),
				     ir_const(&u->b, g->only_if_value)));
}

/* The table of ATTACH_SYSCALL_TP: u16 per syscall, target index + 1. */
static uint32_t select_table(struct unit *u)
{
	struct plan *p = u->c->plan;
	const struct group *g = u->group;
	uint16_t *table = arena_array(p->arena, uint16_t, g->nselect + 1);

	for (size_t i = 0; i < g->targets.len; i++)
		table[g->targets.data[i]->config] = (uint16_t)(i + 1);
	vec_push(p->arena, &p->kmaps,
		 (struct plan_kmap){
			 .name = "syscalls",
			 .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = (g->nselect * 2 + 7) / 8 * 8,
			 .max_entries = 1,
			 .init = table,
		 });
	return (uint32_t)p->kmaps.len - 1;
}

/* Leaves at once for a syscall that is not traced; else keeps which one it is. */
static void filter_selected(struct unit *u)
{
	struct irb *b = &u->b;

	if (!u->group->nselect)
		return;

	uint32_t table = u->c->plan->progs.data[u->prog_index].select_kmap = select_table(u);
	ref nr = lower_argloc(u, &u->group->selector);
	lower_leave_unless(u, ir_bin(b, OP_ULT, nr, ir_const(b, u->group->nselect)));

	ref at = ir_bin(b, OP_ADD, ir_mapval(b, table, 0),
			ir_bin(b, OP_MUL, nr, ir_const(b, 2)));
	ref index = ir_load(b, 2, at, 0);
	lower_leave_unless(u, index);
	u->which = ir_bin(b, OP_ADD, index, ir_const(b, (int64_t)u->probe_base - 1));
}

ref lower_which(struct unit *u)
{
	struct irb *b = &u->b;

	if (u->which)
		return u->which;
	if (u->group->targets.len == 1)
		return ir_const(b, u->probe_base);
	ref cookie = ir_call(b, BPF_FUNC_get_attach_cookie, 1, u->ctx);
	return ir_bin(b, OP_ADD, cookie, ir_const(b, u->probe_base));
}

static void give_slots(struct unit *u)
{
	vec_each(e, &u->vars.entries) {
		struct var_sym *v = e->value;

		if (v->type)
			give_slot(u, v);
	}
}

/* The script's predicate and body. */
static void lower_probe(struct unit *u)
{
	give_slots(u);
	if (u->pred) {
		blkid body = ir_block(&u->b);

		lower_cond(u, u->pred, body, u->exit_blk);
		ir_start(&u->b, body);
	}
	lower_block(u, u->body);
}

void lower_unit(struct unit *u)
{
	struct fn *fn = ir_fn_new(u->c->arena, u->target->name);
	struct irb *b = &u->b;

	vec_push(u->c->arena, &u->fns, fn);
	*b = (struct irb){ .fn = fn, .cur = 0, .span = u->probe->head };
	u->ctx = ir_ctx(b);
	u->exit_blk = ir_block(b);
	if (u->lower_own) {
		u->lower_own(u);
	} else {
		filter_only_if(u);
		lower_filter(u);
		filter_selected(u);
		lower_probe(u);
	}
	ir_jmp(b, u->exit_blk);
	ir_start(b, u->exit_blk);
	ir_ret(b, ir_const(b, 0));
}
