/*
 * Builtins that print.
 */
#include "builtin/builtin.h"
#include "builtin/seq.h"
#include "script/lower.h"

#include <ctype.h>
#include <string.h>

/* What a conversion takes: %s anything, %r buffers, %f doubles, the others integers. */
static bool conversion_fits(const struct format_piece *p, const struct type *t)
{
	if (strchr("eEfFgGaA", p->conv))
		return t->kind == T_FLOAT;
	if (p->conv == 'n')
		return false;
	if (p->conv == 's')
		return true;
	if (p->conv == 'r' && p->buf_mode != 'g')
		return t->kind == T_BUFFER;
	return type_is_integral(t) || t->kind == T_PTR || t->kind == T_KSYM ||
	       t->kind == T_USERNAME;
}

/* What looks like a conversion in the literal text, and is none: "%q". "%%" is past already. */
static const char *odd_percent(const struct format *f)
{
	for (size_t i = 0; i < f->npieces; i++) {
		const struct format_piece *p = &f->pieces[i];
		const char *at = p->conv ? NULL : memchr(p->text, '%', p->len);

		if (at && at + 1 < p->text + p->len && isalpha((unsigned char)at[1]))
			return at;
	}
	return NULL;
}

static bool check_format(struct unit *u, struct expr *e, struct format *f)
{
	struct compiler *c = u->c;
	unsigned have = e->nargs - 1, arg = 0;
	const char *text;
	size_t len;

	literal_text(u, e->args[0], &text, &len);
	format_parse(c->arena, text, len, f);
	if (have != f->nconvs) {
		struct diag *d =
			diag(c->dx, E0304_FORMAT_ARGS, e->span,
			     have < f->nconvs ? "not enough" : "too many", have, f->nconvs);
		const char *odd = have > f->nconvs ? odd_percent(f) : NULL;

		if (odd)
			diag_hint(d, "%.2s is no conversion; a percent sign is written %%%%",
				  odd);
		return false;
	}
	for (size_t i = 0; i < f->npieces; i++) {
		const struct format_piece *p = &f->pieces[i];

		if (!p->conv)
			continue;
		struct expr *a = e->args[1 + arg++];
		if (!conversion_fits(p, a->type)) {
			diag(c->dx, E0305_FORMAT_TYPE, a->span, type_text(c, a->type),
			     arena_strndup(c->arena, p->text + 1, p->len - 1));
			return false;
		}
		if (seq_is_output(u) && !seq_check(u, a, p))
			return false;
	}
	return true;
}

static bool check_printf(struct unit *u, struct expr *e)
{
	struct format *f = arena_new(u->c->arena, struct format);

	e->data = f;
	return check_format(u, e, f);
}

static ref send_format(struct unit *u, struct expr *e, enum event_kind kind)
{
	struct plan_event *ev = event_new(u, kind, e->span);

	ev->format = *(struct format *)e->data;
	event_send(u, ev, e->args + 1, e->nargs - 1);
	return 0;
}

static ref lower_printf(struct unit *u, struct expr *e)
{
	if (seq_is_output(u)) {
		seq_printf(u, e->data, e->args + 1);
		return 0;
	}
	return send_format(u, e, EV_PRINTF);
}

static ref lower_cat(struct unit *u, struct expr *e)
{
	return send_format(u, e, EV_CAT);
}

static ref lower_system(struct unit *u, struct expr *e)
{
	return send_format(u, e, EV_SYSTEM);
}

static ref lower_errorf(struct unit *u, struct expr *e)
{
	return send_format(u, e, EV_ERRORF);
}

static ref lower_warnf(struct unit *u, struct expr *e)
{
	return send_format(u, e, EV_WARNF);
}

/* print(@m, top, div): 0 or nothing means no limit, no division. */
static bool check_print_map(struct unit *u, struct expr *e)
{
	struct map_sym *m = map_of(u, e->args[0]);

	e->args[0]->type = &type_none;
	if (!m->value) {
		report_undefined(u, e->args[0]);
		return false;
	}
	if (seq_is_output(u)) {
		diag(u->c->dx, E0311_PINNED, e->span, "print() of a map");
		return false;
	}
	if (u->loops)
		diag(u->c->dx, W0118_PRINT_IN_LOOP, e->span);
	for (unsigned i = 1; i < e->nargs; i++) {
		check_value(u, e->args[i]);
		if (!e->args[i]->is_const) {
			diag(u->c->dx, E0302_ARG_TYPE, e->args[i]->span,
			     "print() expects top and div as integer literals");
			return false;
		}
	}
	return true;
}

static bool check_print(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	struct expr *a = e->args[0];

	if (a->kind == E_MAP && !a->key)
		return check_print_map(u, e);
	if (a->kind == E_MAP) {
		struct map_sym *m = check_map_use(u, a);

		if (m->value && type_is_agg(m->value) && !type_is_castable_agg(m->value)) {
			diag(c->dx, E0302_ARG_TYPE, a->span,
			     arena_printf(
				     c->arena,
				     "map type %s cannot print the value of individual keys, print the whole map",
				     type_text(c, m->value)));
			return false;
		}
	}
	check_value(u, a);
	if (e->nargs > 1 && !type_is_error(a->type)) {
		diag(c->dx, E0301_ARITY, e->span,
		     arena_printf(c->arena, "non-map print() only takes 1 argument, %u found",
				  e->nargs));
		return false;
	}
	return !type_is_error(a->type) && (!seq_is_output(u) || seq_check(u, a, NULL));
}

static struct plan_event *map_event(struct unit *u, struct expr *e, enum event_kind kind)
{
	struct plan_event *ev = event_new(u, kind, e->span);

	ev->map = e->args[0]->map->index;
	return ev;
}

static ref lower_print(struct unit *u, struct expr *e)
{
	struct plan_event *ev;

	if (e->args[0]->kind == E_MAP && !e->args[0]->key) {
		ev = map_event(u, e, EV_PRINT_MAP);
		ev->top = e->nargs > 1 ? e->args[1]->const_value : 0;
		ev->div = e->nargs > 2 ? e->args[2]->const_value : 0;
		event_send(u, ev, NULL, 0);
		return 0;
	}
	if (seq_is_output(u)) {
		seq_print(u, e->args[0]);
		return 0;
	}
	ev = event_new(u, EV_PRINT_VALUE, e->span);
	event_send(u, ev, e->args, 1);
	return 0;
}

static bool check_map_exists(struct unit *u, struct expr *e)
{
	struct map_sym *m = e->args[0]->map;

	if (!m->value)
		report_undefined(u, e->args[0]);
	return m->value != NULL;
}

static ref lower_clear(struct unit *u, struct expr *e)
{
	event_send(u, map_event(u, e, EV_CLEAR), NULL, 0);
	return 0;
}

static ref lower_zero(struct unit *u, struct expr *e)
{
	event_send(u, map_event(u, e, EV_ZERO), NULL, 0);
	return 0;
}

BUILTINS(print) = {
	{ "printf", "none printf(lit, any...)", BI_STMT, check_printf, .lower = lower_printf,
	  .doc = "Prints like C's printf." },
	{ "print", "none print(raw, [raw, raw])", BI_STMT, check_print, .lower = lower_print,
	  .doc = "Prints a value, or a map: print(@m), print(@m, top), print(@m, top, div)." },
	{ "clear", "none clear(map)", BI_STMT | BI_SENDS, check_map_exists,
	  .lower = lower_clear, .doc = "Removes all entries of a map." },
	{ "zero", "none zero(map)", BI_STMT | BI_SENDS, check_map_exists, .lower = lower_zero,
	  .doc = "Sets all values of a map to 0 and keeps its keys." },
	{ "errorf", "none errorf(lit, any...)", BI_STMT | BI_SENDS, check_printf,
	  .lower = lower_errorf,
	  .doc = "printf to stderr, as an error at this place of the script." },
	{ "warnf", "none warnf(lit, any...)", BI_STMT | BI_SENDS, check_printf,
	  .lower = lower_warnf,
	  .doc = "printf to stderr, as a warning at this place of the script." },
	{ "cat", "none cat(lit, any...)", BI_STMT | BI_SENDS, check_printf, .lower = lower_cat,
	  .doc = "Prints a file, up to max_cat_bytes." },
	{ "system", "none system(lit, any...)", BI_STMT | BI_SENDS | BI_UNSAFE, check_printf,
	  .lower = lower_system, .doc = "Runs a shell command (--unsafe)." },
	{ 0 },
};
