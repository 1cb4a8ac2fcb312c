#include "script/split.h"

#include "builtin/builtin.h"
#include "script/foreign.h"
#include "script/unit.h"

#include <string.h>

enum { PART = 256 }; /* statements in a program */

static bool is_plain_expr(const struct compiler *c, const struct expr *e);

static bool are_plain(const struct compiler *c, struct expr *const *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!is_plain_expr(c, list[i]))
			return false;
	return true;
}

static bool is_plain_call(const struct expr *e)
{
	const struct builtin *row = builtin_find(e->name);

	return row && !(row->flags & BI_PRELUDE) && strcmp(e->name, "exit") != 0;
}

static bool is_plain_expr(const struct compiler *c, const struct expr *e)
{
	if (!e)
		return true;
	switch (e->kind) {
	case E_INT:
	case E_FLOAT:
	case E_STRING:
	case E_BOOL:
	case E_PARAM:
	case E_NPARAMS:
	case E_MAP:
	case E_UNARY:
	case E_BINARY:
	case E_COND:
	case E_INCDEC:
	case E_CAST:
	case E_FIELD:
	case E_ELEM:
	case E_INDEX:
	case E_TUPLE:
	case E_RECORD: break;
	case E_NAME: /* in C at the head of the script it may stand for anything */
		if (c->script->c_items.len && !builtin_find(e->name))
			return false;
		break;
	case E_CALL:
		if (!is_plain_call(e))
			return false;
		break;
	default: return false;
	}
	return is_plain_expr(c, e->a) && is_plain_expr(c, e->b) && is_plain_expr(c, e->c) &&
	       is_plain_expr(c, e->key) && are_plain(c, e->args, e->nargs);
}

static bool is_plain(const struct compiler *c, const struct stmt *s)
{
	switch (s->kind) {
	case S_EXPR: return is_plain_expr(c, s->e);
	case S_ASSIGN:
		return s->target->kind == E_MAP && is_plain_expr(c, s->target) &&
		       is_plain_expr(c, s->e);
	default: return false;
	}
}

static bool runs_once(const struct probe *p)
{
	const char *nearest;
	const struct provider *pv;

	if (p->points.len != 1 || p->pred || p->damaged)
		return false;
	pv = provider_find(p->points.data[0].parts[0], &nearest);
	return pv && (!strcmp(pv->name, "begin") || !strcmp(pv->name, "end"));
}

/* The statements behind s become a probe of their own, which follows p. */
static struct probe *cut_behind(struct compiler *c, struct probe *p, struct stmt *s)
{
	struct probe *rest = arena_new(c->arena, struct probe);

	*rest = *p;
	rest->continues = true;
	rest->body = arena_new(c->arena, struct stmt);
	*rest->body = *p->body;
	rest->body->first = s->next;
	s->next = NULL;
	p->next = rest;
	return rest;
}

static void split(struct compiler *c, struct probe *p)
{
	unsigned n = 0;

	for (struct stmt *s = p->body->first, *next; s && is_plain(c, s); s = next) {
		next = s->next;
		if (++n == PART && next) {
			p = cut_behind(c, p, s);
			n = 0;
		}
	}
}

void split_long_probes(struct compiler *c)
{
	/* A call of those may stand for anything, exit() among it. */
	if (c->script->macros || c->script->subprogs || c->foreigns || c->damaged)
		return;
	for (struct probe *p = c->script->probes, *next; p; p = next) {
		next = p->next;
		if (runs_once(p))
			split(c, p);
	}
}
