/*
 * Macros (reference section 1.5): a call becomes a block with the macro's body.
 *
 * Parameters: $v takes a variable and @m a map, both by reference: the body's name becomes the
 * caller's.  A plain name takes any expression, which is written in at each use.  Variables of
 * the body's own get fresh names, so that they never meet the caller's; maps must be passed in.
 */
#include "base/auto.h"
#include "script/parse.h"
#include "script/unit.h"

#include <inttypes.h>
#include <string.h>

struct expansion {
	struct unit *u;
	const struct macro *m;
	struct expr **args;
	unsigned serial;     /* makes fresh names */
	struct span at;	     /* of the call, when the body has no places of the user's */
	struct strmap fresh; /* the body's variable -> its fresh name */
	unsigned loops;	     /* of the body, around the statement that is rewritten */
};

static int param_index(const struct macro *m, enum expr_kind kind, const char *name)
{
	for (unsigned i = 0; i < m->nparams; i++)
		if (m->params[i]->kind == kind && !strcmp(m->params[i]->name, name))
			return (int)i;
	return -1;
}

static const char *fresh_name(struct expansion *x, const char *name)
{
	const char *fresh = strmap_gets(&x->fresh, name);

	if (!fresh) {
		fresh = arena_printf(x->u->c->arena, "%s#%u", name, x->serial);
		strmap_sets(&x->fresh, name, (void *)fresh);
	}
	return fresh;
}

static void rewrite_stmt(struct expansion *x, struct stmt *s);
static void rewrite_expr(struct expansion *x, struct expr *e);

/* A parameter may stand for a type, or for the type of what was passed. */
static void rewrite_type(struct expansion *x, struct type_name *tn)
{
	int i = tn->keyword == TN_PLAIN ? param_index(x->m, E_NAME, tn->name) : -1;

	rewrite_expr(x, tn->of);
	if (i < 0)
		return;
	if (x->args[i]->kind == E_TYPE && !tn->nsuffixes) {
		*tn = *x->args[i]->tname;
		return;
	}
	struct expr *of = expr_clone(x->u->c->arena, x->args[i]);
	if (of->kind == E_NAME) { /* the name of a type or of a value */
		struct expr *name = of;

		of = arena_new(x->u->c->arena, struct expr);
		*of = (struct expr){ .kind = E_TYPE, .span = name->span, .a = name };
		of->tname = arena_new(x->u->c->arena, struct type_name);
		*of->tname = (struct type_name){ .span = name->span, .name = name->name };
	}
	tn->keyword = TN_TYPEOF;
	tn->of = of;
}

/* What is wrong in text that the user does not see is wrong where it is used. */
static void move_to(struct expansion *x, struct expr *e)
{
	e->span = e->name_span = x->at;
	if (e->tname) {
		struct type_name *copy = arena_new(x->u->c->arena, struct type_name);

		*copy = *e->tname;
		copy->span = x->at;
		e->tname = copy;
	}
}

static void rewrite_expr(struct expansion *x, struct expr *e)
{
	int i;

	if (!e)
		return;
	if (x->at.beg)
		move_to(x, e);
	rewrite_expr(x, e->a);
	rewrite_expr(x, e->b);
	rewrite_expr(x, e->c);
	rewrite_expr(x, e->key);
	for (unsigned n = 0; n < e->nargs; n++)
		rewrite_expr(x, e->args[n]);
	rewrite_stmt(x, e->stmt);

	if (e->tname)
		rewrite_type(x, e->tname);

	switch (e->kind) {
	case E_VAR:
		i = param_index(x->m, E_VAR, e->name);
		e->name = i >= 0 ? x->args[i]->name : fresh_name(x, e->name);
		break;
	case E_MAP:
		i = param_index(x->m, E_MAP, e->name);
		if (i >= 0)
			e->name = x->args[i]->name;
		else
			diag(x->u->c->dx, E0140_UNHYGIENIC, e->span, e->name);
		break;
	case E_NAME:
		i = param_index(x->m, E_NAME, e->name);
		if (i >= 0)
			*e = *expr_clone(x->u->c->arena, x->args[i]);
		break;
	case E_CAST: e->of_macro = true; break;
	default: break;
	}
}

static bool is_loop(const struct stmt *s)
{
	return s->kind == S_WHILE || s->kind == S_FOR_MAP || s->kind == S_FOR_RANGE;
}

/* How a statement would leave the macro, which none may, or NULL. */
static const char *leaving(const struct expansion *x, const struct stmt *s)
{
	switch (s->kind) {
	case S_RETURN: return "return";
	case S_BREAK: return x->loops ? NULL : "break";
	case S_CONTINUE: return x->loops ? NULL : "continue";
	default: return NULL;
	}
}

static void rewrite_stmt(struct expansion *x, struct stmt *s)
{
	for (; s; s = s->next) {
		if (x->at.beg)
			s->span = x->at;
		rewrite_expr(x, s->e);
		rewrite_expr(x, s->e2);
		rewrite_expr(x, s->target);
		if (s->tname)
			rewrite_type(x, s->tname);
		x->loops += is_loop(s);
		rewrite_stmt(x, s->body);
		x->loops -= is_loop(s);
		rewrite_stmt(x, s->els);
		rewrite_stmt(x, s->first);
		rewrite_expr(x, s->value);
		const char *leaves = leaving(x, s);
		if (leaves)
			diag(x->u->c->dx, E0129_CONTROL, s->span, leaves, "macro");
	}
}

/* Do the call's arguments fit the parameters' kinds? */
static bool fits(const struct macro *m, const struct expr *call)
{
	if (m->nparams != call->nargs)
		return false;
	for (unsigned i = 0; i < m->nparams; i++) {
		const struct expr *p = m->params[i], *a = call->args[i];

		if (p->kind != E_NAME && (a->kind != p->kind || a->key))
			return false;
	}
	return true;
}

static bool is_open(const struct unit *u, const struct macro *m)
{
	for (const struct macro_use *o = u->open_macros; o; o = o->up)
		if (o->macro == m ||
		    (m->is_c && o->macro->is_c && !strcmp(o->macro->name, m->name)))
			return true;
	return false;
}

static void report_recursion(struct unit *u, const struct expr *e)
{
	const char *chain = e->name;

	for (const struct macro_use *o = u->open_macros; o; o = o->up)
		chain = arena_printf(u->c->arena, "%s > %s", o->macro->name, chain);
	diag(u->c->dx, E0141_RECURSIVE, e->span, chain);
}

const struct macro *macro_find(const struct unit *u, const char *name)
{
	for (const struct macro *m = u->c->script->macros; m; m = m->next)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

static bool same_shape(const struct macro *a, const struct macro *b)
{
	if (a->nparams != b->nparams || strcmp(a->name, b->name) != 0)
		return false;
	for (unsigned i = 0; i < a->nparams; i++)
		if (a->params[i]->kind != b->params[i]->kind)
			return false;
	return true;
}

/* Those of another file are hidden by those of the file that imports it. */
static bool same_file(const struct compiler *c, struct span a, struct span b)
{
	vec_each(s, &c->sources->files)
		if (a.beg >= s->base && a.beg <= s->base + s->len)
			return b.beg >= s->base && b.beg <= s->base + s->len;
	return false;
}

void declare_macros(struct compiler *c)
{
	for (struct macro *m = c->script->macros; m; m = m->next) {
		for (struct macro *later = m->next; later; later = later->next) {
			if (!same_shape(m, later) || !same_file(c, m->span, later->span))
				continue;
			diag_note(diag(c->dx, E0010_TWICE, later->span,
				       arena_printf(c->arena, "macro '%s'", m->name)),
				  m->span, "the first one");
		}
	}
}

/* m is the first macro of the name that is used. */
static const struct type *expand(struct unit *u, struct expr *e, const struct macro *m)
{
	struct compiler *c = u->c;

	while (m && (strcmp(m->name, e->name) != 0 || !fits(m, e)))
		m = m->next;
	if (!m) {
		diag(c->dx, E0142_NO_OVERLOAD, e->span, e->name);
		return e->type = &type_error;
	}
	if (is_open(u, m)) {
		report_recursion(u, e);
		return e->type = &type_error;
	}

	struct expansion x = { .u = u, .m = m, .args = e->args, .serial = ++c->expansions };
	if (m->foreign)
		x.at = e->span;
	strmap_init(&x.fresh, c->arena);
	struct stmt *body = stmt_clone(c->arena, m->body);
	/* It happens once, in whichever pass comes first: what is wrong must not be lost. */
	bool muted = c->dx->muted;
	c->dx->muted = false;
	rewrite_stmt(&x, body);
	c->dx->muted = muted;

	/* From now on the call is the block; checking it again expands nothing. */
	struct span span = e->span;
	*e = (struct expr){ .kind = E_BLOCK, .span = span, .stmt = body };
	struct macro_use use = { u->open_macros, m };
	u->open_macros = &use;
	check_expr(u, e);
	u->open_macros = use.up;
	return e->type;
}

const struct type *expand_macro(struct unit *u, struct expr *e)
{
	return expand(u, e, macro_find(u, e->name));
}

static struct expr *c_param(struct arena *a, const char *name)
{
	struct expr *e = arena_new(a, struct expr);

	*e = (struct expr){ .kind = E_NAME, .name = name };
	return e;
}

/* The text of an argument that is a number or a name alone, be it that of a member or of a
 * type. */
static const char *plain_name(struct arena *a, const struct expr *arg)
{
	auto_sb struct sb text = {};

	if (arg->kind == E_NAME)
		return arg->name;
	if (arg->kind == E_INT)
		return arena_printf(a, "%" PRIu64, arg->num);
	if (arg->kind != E_TYPE)
		return NULL;
	type_name_put(&text, arg->tname);
	return arena_strdup(a, sb_str(&text));
}

/*
 * The text is read as an expression, and the arguments put in as such: they need no parentheses
 * of their own.
 */
const struct type *expand_c_macro(struct unit *u, struct expr *e, const struct c_macro *cm)
{
	struct arena *a = u->c->arena;
	const char **plain = arena_array(a, const char *, cm->nparams);
	struct macro m = { .name = cm->name, .foreign = true, .is_c = true };

	m.nparams = cm->nparams;
	m.params = arena_array(a, struct expr *, cm->nparams);
	for (unsigned i = 0; i < cm->nparams; i++) {
		m.params[i] = c_param(a, arena_printf(a, "__arg%u", i));
		plain[i] = i < e->nargs ? plain_name(a, e->args[i]) : NULL;
	}

	struct source text = { .name = cm->name };
	text.text = cfront_macro_text(u->c->cf, cm, a, plain);
	text.len = (uint32_t)strlen(text.text);
	struct expr *value = cm->variadic ? NULL : parse_expr_text(a, NULL, &text);
	if (!value) {
		not_yet(u, e->span, "the C macro '%s', whose text is no expression,", cm->name);
		return e->type = &type_error;
	}
	m.body = arena_new(a, struct stmt);
	*m.body = (struct stmt){ .kind = S_BLOCK, .value = value };
	return expand(u, e, &m);
}

const struct type *expand_prelude(struct unit *u, struct expr *e)
{
	return expand(u, e, prelude_find(u->c, e->name));
}
