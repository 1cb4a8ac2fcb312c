/*
 * Statements, as IR.
 */
#include "script/lower.h"

#include "builtin/builtin.h"

void start_dead_block(struct unit *u)
{
	ir_start(&u->b, ir_block(&u->b));
}

void lower_statements(struct unit *u, struct stmt *s)
{
	for (struct stmt *i = s->first; i; i = i->next)
		lower_stmt(u, i);
}

void lower_block(struct unit *u, struct stmt *s)
{
	lower_statements(u, s);
	if (s->value)
		lower_effect(u, s->value);
}

/* Variables keep scalars in full words, text and tuples in memory of their final type. */
void store_var(struct unit *u, struct var_sym *v, struct expr *e)
{
	if (type_is_scalar(v->type)) {
		ref x = lower_scalar(u, e);

		if (v->type->kind == T_BOOL && e->type->kind != T_BOOL)
			x = ir_bin(&u->b, OP_NE, x, ir_const(&u->b, 0));
		if (v->type->kind == T_INT && v->type->size < 8)
			x = ir_ext(&u->b, v->type->is_signed, v->type->size, x);
		ir_store(&u->b, 8, v->slot, 0, x);
		return;
	}
	struct dest d = { v->slot, 0, v->type, true };
	lower_to(u, e, &d);
}

void give_slot(struct unit *u, struct var_sym *v)
{
	uint32_t size = type_is_scalar(v->type) ? 8 : v->type->size;

	v->slot = ir_slot(&u->b, size);
	ir_zero(&u->b, v->slot, 0, size);
}

static void lower_let(struct unit *u, struct stmt *s)
{
	struct var_sym *v = s->target->var;

	if (!v->type) /* never assigned, never read */
		return;
	give_slot(u, v);
	if (s->e)
		store_var(u, v, s->e);
}

/* Does the key count something? It does so once when it is read, and once when it is written.
 */
static bool has_step(const struct expr *e)
{
	bool found = e && e->kind == E_INCDEC;

	if (!e)
		return false;
	for (unsigned i = 0; i < e->nargs; i++)
		found |= has_step(e->args[i]);
	return found || has_step(e->a) || has_step(e->b) || has_step(e->c) || has_step(e->key);
}

/* @x += e and @x -= e on numbers need no reading. */
static bool adds_in_place(const struct stmt *s)
{
	return s->target->kind == E_MAP && (s->op == BIN_ADD || s->op == BIN_SUB) &&
	       s->target->map->value->kind == T_INT && !has_step(s->target->key);
}

static void lower_compound(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;
	struct expr *t = s->target;

	if (adds_in_place(s)) {
		ref v = lower_scalar(u, s->e);

		lower_map_add(u, t, s->op == BIN_SUB ? ir_un(b, OP_NEG, v) : v);
		return;
	}

	struct expr whole = {
		.kind = E_BINARY, .span = s->span, .op = s->op, .a = t, .b = s->e
	};
	ref x = lower_scalar(u, t), y = lower_scalar(u, s->e);
	ref v = lower_arith(u, &whole, (enum binary_op)s->op, t->type, x, s->e->type, y);
	if (t->kind == E_MAP) {
		lower_map_set(u, t, v);
		return;
	}
	if (t->type->kind == T_INT && t->type->size < 8)
		v = ir_ext(b, t->type->is_signed, t->type->size, v);
	ir_store(b, 8, t->var->slot, 0, v);
}

static void lower_assign(struct unit *u, struct stmt *s)
{
	struct expr *t = s->target;

	if (s->declares)
		give_slot(u, t->var);
	if (s->op >= 0)
		lower_compound(u, s);
	else if (t->kind == E_VAR)
		store_var(u, t->var, s->e);
	else if (s->e->builtin && (s->e->builtin->flags & BI_AGG))
		lower_map_agg(u, t, s->e);
	else
		lower_map_store(u, t, s->e);
}

static void lower_if(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), done = ir_block(b), no = s->els ? ir_block(b) : done;

	lower_cond(u, s->e, yes, no);
	ir_start(b, yes);
	lower_block(u, s->body);
	ir_jmp(b, done);
	if (s->els) {
		ir_start(b, no);
		lower_stmt(u, s->els);
		ir_jmp(b, done);
	}
	ir_start(b, done);
}

static void lower_while(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;
	blkid outer_break = u->break_blk, outer_continue = u->continue_blk;
	blkid head = ir_block(b), body = ir_block(b), done = ir_block(b);

	u->break_blk = done;
	u->continue_blk = head;
	ir_jmp(b, head);
	ir_start(b, head);
	lower_cond(u, s->e, body, done);
	ir_start(b, body);
	lower_block(u, s->body);
	ir_jmp(b, head);
	ir_start(b, done);
	u->break_blk = outer_break;
	u->continue_blk = outer_continue;
}

/*
 * A counter that the script does not see runs from the first value up; the script's variable is
 * its copy, so that assigning to it changes nothing.
 */
static void lower_range(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;
	struct var_sym *v = s->target->var;
	blkid outer_break = u->break_blk, outer_continue = u->continue_blk;
	ref first = lower_scalar(u, s->e), end = lower_scalar(u, s->e2);
	struct counted c;

	v->slot = ir_slot(b, 8);
	ref i = counted_begin(b, &c, v->type->is_signed ? OP_SLT : OP_ULT, first, end);
	ir_store(b, 8, v->slot, 0, i);
	u->break_blk = c.done;
	u->continue_blk = c.next;
	lower_block(u, s->body);
	counted_end(b, &c);
	u->break_blk = outer_break;
	u->continue_blk = outer_continue;
}

void lower_stmt(struct unit *u, struct stmt *s)
{
	struct irb *b = &u->b;

	b->span = s->span;
	switch (s->kind) {
	case S_EXPR:
	case S_DISCARD: lower_effect(u, s->e); break;
	case S_LET: lower_let(u, s); break;
	case S_ASSIGN: lower_assign(u, s); break;
	case S_IF: lower_if(u, s); break;
	case S_WHILE: lower_while(u, s); break;
	case S_FOR_MAP: lower_for_map(u, s); break;
	case S_FOR_RANGE:
		if (range_is_long(u, s))
			lower_long_range(u, s);
		else
			lower_range(u, s);
		break;
	case S_UNROLL:
		for (int64_t i = 0; i < s->e->const_value; i++)
			lower_block(u, s->body);
		break;
	case S_BREAK:
	case S_CONTINUE:
		ir_jmp(b, s->kind == S_BREAK ? u->break_blk : u->continue_blk);
		start_dead_block(u);
		break;
	case S_RETURN: lower_return(u, s); break;
	case S_BLOCK: lower_block(u, s); break;
	case S_IMPORT: break;
	default: BUG("statement kind %d reached the lowering", s->kind);
	}
}
