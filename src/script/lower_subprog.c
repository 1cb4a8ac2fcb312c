/*
 * A call of a function: its body, built where the call stands.
 */
#include "script/lower.h"

static void give_slots(struct unit *u, struct strmap *vars)
{
	vec_each(e, &vars->entries) {
		struct var_sym *v = e->value;

		if (v->type)
			give_slot(u, v);
	}
}

struct var_sym *lower_subprog_call(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	struct inlined *in = e->data;

	give_slots(u, &in->vars);
	for (unsigned i = 0; i < e->nargs; i++)
		store_var(u, in->params[i], e->args[i]);

	in->up = u->in;
	in->depth = u->depth;
	in->end = ir_block(b);
	u->in = in;
	lower_statements(u, in->body);
	if (in->body->value && in->result)
		store_var(u, in->result, in->body->value);
	else if (in->body->value)
		lower_effect(u, in->body->value);
	u->in = in->up;
	ir_jmp(b, in->end);
	ir_start(b, in->end);
	return in->result;
}

void lower_return(struct unit *u, struct stmt *s)
{
	if (!u->in) {
		lower_leave(u, s->e ? lower_scalar(u, s->e) : ir_const(&u->b, 0));
		return;
	}
	if (s->e)
		store_var(u, u->in->result, s->e);
	lower_leave_function(u);
}
