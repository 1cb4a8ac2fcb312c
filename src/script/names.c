/*
 * Identifiers that are neither variables nor maps, and positional parameters.
 */
#include "script/unit.h"

#include "builtin/builtin.h"
#include "cfront/constants.h"
#include "script/habit.h"
#include "script/lex.h"
#include "script/parse.h"
#include "types/kernel_types.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void not_yet(struct unit *u, struct span span, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag(u->c->dx, E0006_NOT_YET, span, arena_vprintf(u->c->arena, fmt, ap));
	va_end(ap);
}

/* Becomes the copy of another expression, at its own place. */
static void become(struct expr *e, const struct expr *copy)
{
	struct span span = e->span;

	*e = *copy;
	e->span = span;
}

/* An enumerator of the traced program. */
static bool is_of_program(struct unit *u, struct expr *e)
{
	int64_t value;

	if (!probe_user_const(u->c->opt->env, u->target, e->name, &value, &e->type))
		return false;
	e->is_const = true;
	e->const_value = value;
	return true;
}

static bool resolve_enumerator(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct btf *btf = kernel_btf(c->tt, NULL);
	int64_t value;
	uint32_t id;

	if (u->target && u->target->file && is_of_program(u, e))
		return true;
	if (!btf || !btf_find_const(btf, e->name, &value, &id))
		return u->target && !u->target->file && is_of_program(u, e);
	e->is_const = true;
	e->const_value = value;
	e->type = btf_type(c->tt, btf, id);
	return true;
}

static void unknown_name(struct unit *u, struct expr *e)
{
	const char *near = builtin_nearest(e->name), *ours = habit_of_name(e->name);

	if (unit_program_unknown(u))
		return;
	struct diag *d = diag(u->c->dx, E0101_UNKNOWN_NAME, e->span, e->name);

	if (ours)
		diag_hint(d, "here this is %s", ours);
	else if (near)
		diag_hint(d, "did you mean %s?", near);
	else
		diag_hint(d, "a variable is written $%s, a map @%s", e->name, e->name);
}

enum { MACRO_DEPTH = 64 };

/* As the script's language reads it, else as C's. */
static struct expr *c_value(struct compiler *c, const struct c_macro *m)
{
	struct expr *value = parse_expr_text(c->arena, NULL, &m->text);
	struct source text = { .name = m->name };

	if (value)
		return value;
	text.text = cfront_macro_text(c->cf, m, c->arena, NULL);
	text.len = (uint32_t)strlen(text.text);
	return parse_expr_text(c->arena, NULL, &text);
}

/* An object-like #define: its text is an expression in place of the name. */
static bool resolve_macro(struct unit *u, struct expr *e, const struct c_macro *m)
{
	struct compiler *c = u->c;
	struct expr *value = NULL;

	if (!m->function_like && m->text.len && u->macros < MACRO_DEPTH)
		value = c_value(c, m);
	if (!value) {
		not_yet(u, e->span, "the C macro '%s', whose text is no expression,", e->name);
		e->type = &type_error;
		return false;
	}
	become(e, value);
	u->macros++;
	check_expr(u, e);
	u->macros--;
	return true;
}

/* #define IPPROTO_TCP IPPROTO_TCP, which says that the enumerator is there. */
static bool is_own_name(const struct c_macro *m)
{
	return m->text.len == strlen(m->name) && !memcmp(m->text.text, m->name, m->text.len);
}

static bool resolve_script_const(struct unit *u, struct expr *e)
{
	const struct type *of = NULL;
	int64_t value;

	if (!cfront_find_const(u->c->cf, e->name, &value, &of))
		return false;
	set_const(u->c, e, value, false);
	if (of)
		e->type = of;
	return true;
}

/* Before BTF: knowing a #define by heart costs nothing, opening BTF a millisecond. */
static bool resolve_kernel_define(struct unit *u, struct expr *e)
{
	int64_t value;

	if (!c_constant(e->name, &value))
		return false;
	set_const(u->c, e, value, false);
	return true;
}

bool resolve_name(struct unit *u, struct expr *e)
{
	const struct c_macro *m = cfront_find_macro(u->c->cf, e->name);

	if (m && !is_own_name(m))
		return resolve_macro(u, e, m);
	if (macro_find(u, e->name)) /* without parameters, the () may be left out */
		return !type_is_error(expand_macro(u, e));
	if (builtin_find(e->name)) {
		builtin_check(u, e);
		return true;
	}
	if (resolve_script_const(u, e) || resolve_kernel_define(u, e) ||
	    resolve_enumerator(u, e))
		return true;
	unknown_name(u, e);
	e->type = &type_error;
	return false;
}

static const char *param_text(struct unit *u, const struct expr *e)
{
	const struct compile_options *o = u->c->opt;

	return e->num >= 1 && e->num <= o->nparams ? o->params[e->num - 1] : NULL;
}

bool param_number(const char *s, int64_t *v, bool *beyond)
{
	bool neg = *s == '-';
	const char *digits = s + (*s == '-' || *s == '+');
	bool binary = digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B');
	uint64_t n;

	if (!isdigit((unsigned char)*digits))
		return false;
	if (binary) {
		char *end;

		errno = 0;
		n = strtoull(digits + 2, &end, 2);
		if (*end || errno)
			return false;
	} else if (lex_number(digits, strlen(digits), &n)) {
		return false;
	}
	if (neg && n > (uint64_t)INT64_MAX + 1)
		return false;
	*v = neg ? -(int64_t)n : (int64_t)n;
	*beyond = !neg && n > INT64_MAX;
	return true;
}

void become_string(struct compiler *c, struct expr *e, const char *s, size_t len)
{
	e->kind = E_STRING;
	e->builtin = NULL;
	e->str.s = s;
	e->str.len = len;
	e->type = type_string(c->tt, (uint32_t)len + 1);
}

static void become_number(struct compiler *c, struct expr *e, int64_t v, bool beyond)
{
	e->kind = E_INT;
	e->num = (uint64_t)v;
	set_const(c, e, v, beyond);
}

/* Said when the parameter becomes a literal, which happens once, in whichever pass is first. */
static void report_missing(struct unit *u, const struct expr *e)
{
	struct diags *dx = u->c->dx;
	bool muted = dx->muted;

	dx->muted = false;
	diag(dx, W0103_PARAM_MISSING, e->span, (unsigned long long)e->num);
	dx->muted = muted;
}

const struct type *check_param(struct unit *u, struct expr *e, bool as_string)
{
	const char *text = param_text(u, e);
	bool beyond;
	int64_t v;

	if (!text && e->num)
		report_missing(u, e);
	e->is_param = true;
	if (as_string) {
		become_string(u->c, e, text ? text : "", text ? strlen(text) : 0);
	} else if (!text) {
		become_number(u->c, e, 0, false);
	} else if (param_number(text, &v, &beyond)) {
		become_number(u->c, e, v, beyond);
	} else {
		become_string(u->c, e, text, strlen(text));
	}
	return e->type;
}

bool literal_text(struct unit *u, struct expr *e, const char **s, size_t *len)
{
	if (e->kind == E_CALL && !strcmp(e->name, "str") && e->nargs == 1 &&
	    e->args[0]->kind == E_PARAM) {
		struct expr *param = e->args[0];

		check_param(u, param, true);
		become(e, param);
	}
	if (e->kind == E_PARAM)
		check_param(u, e, true);
	if (e->kind != E_STRING)
		return false;
	*s = e->str.s;
	*len = e->str.len;
	return true;
}
