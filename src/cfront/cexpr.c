#include "cfront/cexpr.h"

#include <string.h>

enum { DEPTH_MAX = 200 };

struct eval {
	const struct cexpr_env *env;
	struct ctok_reader *r;
	unsigned depth;
	unsigned dead; /* inside an operand that does not count: 1/0 is fine there */
	bool failed;
};

static struct cvalue conditional(struct eval *ev);

static struct cvalue fail(struct eval *ev, struct span span, const char *text)
{
	if (!ev->failed && ev->env->directive)
		diag(ev->env->dx, E0011_DIRECTIVE, span, text);
	else if (!ev->failed)
		diag(ev->env->dx, E0012_C_SYNTAX, span, text);
	ev->failed = true;
	return (struct cvalue){ 0, false };
}

static struct cvalue parenthesised(struct eval *ev)
{
	ctok_next(ev->r);

	struct cvalue v = conditional(ev);
	if (!ctok_accept(ev->r, ")"))
		return fail(ev, ctok_peek(ev->r)->span, "expected ')'");
	return v;
}

static struct cvalue primary(struct eval *ev)
{
	const struct ctok *t = ctok_peek(ev->r);
	struct cvalue v;

	if (t->kind == C_CHAR || (t->kind == C_NUMBER && t->is_integer)) {
		ctok_next(ev->r);
		return (struct cvalue){ (int64_t)t->num, t->is_unsigned };
	}
	if (t->kind == C_NAME && ev->env->name(ev->env->arg, ev->r, &v))
		return v;
	if (ctok_is(t, "("))
		return parenthesised(ev);
	if (t->kind == C_NAME)
		return fail(ev, t->span, "this name has no value here");
	return fail(ev, t->span, "expected an integer constant");
}

static bool at_cast(struct eval *ev, uint32_t *size, bool *is_signed)
{
	*size = ev->env->cast ? ev->env->cast(ev->env->arg, ev->r, is_signed) : 0;
	return *size != 0;
}

static struct cvalue cast(struct cvalue v, uint32_t size, bool is_signed)
{
	unsigned gap = size < 8 ? 64 - 8 * size : 0;

	v.v = (int64_t)((uint64_t)v.v << gap);
	v.v = is_signed ? v.v >> gap : (int64_t)((uint64_t)v.v >> gap);
	v.is_unsigned = !is_signed && size >= 4;
	return v;
}

static struct cvalue unary(struct eval *ev)
{
	struct cvalue v = { 0 };
	bool is_signed = false;
	uint32_t size;

	if (++ev->depth > DEPTH_MAX) {
		fail(ev, ctok_peek(ev->r)->span, "expression nested too deeply");
	} else if (ctok_accept(ev->r, "-")) {
		v = unary(ev);
		v.v = (int64_t) - (uint64_t)v.v;
	} else if (ctok_accept(ev->r, "~")) {
		v = unary(ev);
		v.v = ~v.v;
	} else if (ctok_accept(ev->r, "!")) {
		v = (struct cvalue){ !unary(ev).v, false };
	} else if (ctok_accept(ev->r, "+")) {
		v = unary(ev);
	} else if (ctok_is(ctok_peek(ev->r), "(") && at_cast(ev, &size, &is_signed)) {
		v = cast(unary(ev), size, is_signed);
	} else {
		v = primary(ev);
	}
	ev->depth--;
	return v;
}

static const char *const levels[][4] = {
	{ "||" },
	{ "&&" },
	{ "|" },
	{ "^" },
	{ "&" },
	{ "==", "!=" },
	{ "<", ">", "<=", ">=" },
	{ "<<", ">>" },
	{ "+", "-" },
	{ "*", "/", "%" },
};
enum { NLEVELS = sizeof(levels) / sizeof(levels[0]) };

static const char *operator_at(struct eval *ev, unsigned level)
{
	for (unsigned i = 0; i < 4 && levels[level][i]; i++)
		if (ctok_is(ctok_peek(ev->r), levels[level][i]))
			return levels[level][i];
	return NULL;
}

static int64_t divide(struct eval *ev, char op, struct cvalue a, struct cvalue b, bool uns,
		      struct span span)
{
	if (b.v == 0) {
		if (!ev->dead)
			fail(ev, span, "division by zero");
		return 0;
	}
	if (uns)
		return (int64_t)(op == '/' ? (uint64_t)a.v / (uint64_t)b.v
					   : (uint64_t)a.v % (uint64_t)b.v);
	if (b.v == -1)
		return op == '/' ? (int64_t) - (uint64_t)a.v : 0;
	return op == '/' ? a.v / b.v : a.v % b.v;
}

static int64_t compare(const char *op, struct cvalue a, struct cvalue b, bool uns)
{
	bool less = uns ? (uint64_t)a.v < (uint64_t)b.v : a.v < b.v;
	bool same = a.v == b.v;

	switch (op[0]) {
	case '=': return same;
	case '!': return !same;
	case '<': return less || (op[1] && same);
	default: return (!less && !same) || (op[1] && same);
	}
}

static struct cvalue shift(bool left, struct cvalue a, unsigned n)
{
	if (left)
		a.v = n < 64 ? (int64_t)((uint64_t)a.v << n) : 0;
	else if (a.is_unsigned)
		a.v = n < 64 ? (int64_t)((uint64_t)a.v >> n) : 0;
	else
		a.v >>= n < 64 ? n : 63;
	return a;
}

static struct cvalue apply(struct eval *ev, const char *op, struct cvalue a, struct cvalue b,
			   struct span span)
{
	bool uns = a.is_unsigned || b.is_unsigned;
	uint64_t x = (uint64_t)a.v, y = (uint64_t)b.v;

	if (!strcmp(op, "<<") || !strcmp(op, ">>"))
		return shift(op[0] == '<', a, y < 64 ? (unsigned)y : 64);
	if (!strcmp(op, "||") || !strcmp(op, "&&"))
		return (struct cvalue){ op[0] == '|' ? x || y : x && y, false };
	if (strchr("=!<>", op[0]))
		return (struct cvalue){ compare(op, a, b, uns), false };

	switch (op[0]) {
	case '|': x |= y; break;
	case '^': x ^= y; break;
	case '&': x &= y; break;
	case '+': x += y; break;
	case '-': x -= y; break;
	case '*': x *= y; break;
	default: x = (uint64_t)divide(ev, op[0], a, b, uns, span); break;
	}
	return (struct cvalue){ (int64_t)x, uns };
}

static struct cvalue binary(struct eval *ev, unsigned level)
{
	if (level == NLEVELS)
		return unary(ev);

	struct cvalue a = binary(ev, level + 1);
	for (const char *op; !ev->failed && (op = operator_at(ev, level));) {
		struct span span = ctok_next(ev->r)->span;
		bool skip = (!strcmp(op, "||") && a.v) || (!strcmp(op, "&&") && !a.v);

		ev->dead += skip;
		struct cvalue b = binary(ev, level + 1);
		ev->dead -= skip;
		a = apply(ev, op, a, b, span);
	}
	return a;
}

static struct cvalue conditional(struct eval *ev)
{
	if (++ev->depth > DEPTH_MAX)
		fail(ev, ctok_peek(ev->r)->span, "expression nested too deeply");

	struct cvalue c = ev->failed ? (struct cvalue){ 0 } : binary(ev, 0);
	if (!ev->failed && ctok_accept(ev->r, "?")) {
		ev->dead += !c.v;
		struct cvalue a = conditional(ev);
		ev->dead -= !c.v;
		if (!ctok_accept(ev->r, ":"))
			fail(ev, ctok_peek(ev->r)->span, "expected ':'");
		ev->dead += !!c.v;
		struct cvalue b = conditional(ev);
		ev->dead -= !!c.v;
		c = c.v ? a : b;
	}
	ev->depth--;
	return c;
}

bool cexpr_eval(const struct cexpr_env *env, struct ctok_reader *r, struct cvalue *out)
{
	struct eval ev = { .env = env, .r = r };

	*out = conditional(&ev);
	return !ev.failed;
}
