#include "script/dump.h"

static void pass_on(struct compiler *c, const char *stage, const char *what, struct sb *text)
{
	if (c->opt->dump)
		c->opt->dump(c->opt->dump_arg, stage, what, sb_str(text));
	sb_free(text);
}

void dump_ast(struct compiler *c, const char *name)
{
	struct sb sb = {};

	if (!c->opt->dump_ast)
		return;
	ast_print(c->script, &sb);
	pass_on(c, "ast", name, &sb);
}

void dump_ir(struct compiler *c, const struct fn *fn)
{
	struct sb sb = {};

	if (!c->opt->dump_ir)
		return;
	ir_print(fn, &sb);
	pass_on(c, "ir", fn->name, &sb);
}

void dump_pass(void *compiler, const char *pass, const struct fn *fn)
{
	struct compiler *c = compiler;
	struct sb sb = {};

	ir_print(fn, &sb);
	pass_on(c, arena_printf(c->arena, "ir after %s", pass), fn->name, &sb);
}
