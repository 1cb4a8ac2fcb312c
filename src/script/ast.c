#include "script/ast.h"

#include <string.h>

const char *const binary_op_text[BIN_OPS] = {
	[BIN_ADD] = "+",   [BIN_SUB] = "-",  [BIN_MUL] = "*",	 [BIN_DIV] = "/",
	[BIN_MOD] = "%",   [BIN_AND] = "&",  [BIN_OR] = "|",	 [BIN_XOR] = "^",
	[BIN_SHL] = "<<",  [BIN_SHR] = ">>", [BIN_EQ] = "==",	 [BIN_NE] = "!=",
	[BIN_LT] = "<",	   [BIN_LE] = "<=",  [BIN_GT] = ">",	 [BIN_GE] = ">=",
	[BIN_LAND] = "&&", [BIN_LOR] = "||", [BIN_MATCH] = "=~", [BIN_NOT_MATCH] = "!~",
};

const char *const unary_op_text[] = {
	[UN_NEG] = "-", [UN_NOT] = "!", [UN_BITNOT] = "~", [UN_DEREF] = "*", [UN_ADDR] = "&",
};

static struct type_name *type_name_clone(struct arena *a, const struct type_name *tn)
{
	struct type_name *copy = arena_new(a, struct type_name);

	*copy = *tn;
	if (tn->of)
		copy->of = expr_clone(a, tn->of);
	return copy;
}

struct expr *expr_clone(struct arena *a, const struct expr *e)
{
	if (!e)
		return NULL;

	struct expr *copy = arena_new(a, struct expr);
	memcpy(copy, e, offsetof(struct expr, type)); /* up to what the checker settles */
	copy->a = expr_clone(a, e->a);
	copy->b = expr_clone(a, e->b);
	copy->c = expr_clone(a, e->c);
	copy->key = expr_clone(a, e->key);
	copy->stmt = stmt_clone(a, e->stmt);
	if (e->tname)
		copy->tname = type_name_clone(a, e->tname);
	if (e->nargs)
		copy->args = arena_array(a, struct expr *, e->nargs);
	for (unsigned i = 0; i < e->nargs; i++)
		copy->args[i] = expr_clone(a, e->args[i]);
	return copy;
}

static struct stmt *stmt_clone_one(struct arena *a, const struct stmt *s)
{
	struct stmt *copy = arena_new(a, struct stmt);

	*copy = *s;
	copy->next = NULL;
	copy->e = expr_clone(a, s->e);
	copy->e2 = expr_clone(a, s->e2);
	copy->target = expr_clone(a, s->target);
	copy->value = expr_clone(a, s->value);
	copy->body = stmt_clone(a, s->body);
	copy->els = stmt_clone(a, s->els);
	if (s->tname)
		copy->tname = type_name_clone(a, s->tname);

	struct stmt **tail = &copy->first;
	for (const struct stmt *x = s->first; x; x = x->next) {
		*tail = stmt_clone_one(a, x);
		tail = &(*tail)->next;
	}
	return copy;
}

struct stmt *stmt_clone(struct arena *a, const struct stmt *s)
{
	return s ? stmt_clone_one(a, s) : NULL;
}
