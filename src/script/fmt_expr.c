#include "base/auto.h"
#include "script/fmt_state.h"

#include <inttypes.h>
#include <string.h>

/* The column behind what is written, from 0. */
static unsigned column(const struct fmt *f)
{
	size_t beg = f->out->len;
	unsigned col = 0;

	while (beg > 0 && f->out->s[beg - 1] != '\n')
		beg--;
	for (size_t i = beg; i < f->out->len; i++)
		col = f->out->s[i] == '\t' ? (col / FMT_TAB + 1) * FMT_TAB : col + 1;
	return col;
}

/*
 * An expression behind a blank, or on the next line when it does not fit on this one.  The
 * outer operators and commas get their say first: what is tried on this line is tried whole.
 */
static void put_wrapped(struct fmt *f, const struct expr *e)
{
	enum { CLOSING = 3 }; /* what may follow: ")) {" */
	size_t blank = f->out->len;
	bool flat = f->flat;

	sb_putc(f->out, ' ');
	if (flat || fmt_first_block(e)) {
		fmt_expr(f, e);
		return;
	}
	f->flat = true;
	fmt_expr(f, e);
	f->flat = false;
	if (column(f) + CLOSING <= FMT_WIDTH)
		return;
	f->out->len = blank;
	sb_putc(f->out, '\n');
	sb_fill(f->out, '\t', f->indent + 1);
	fmt_expr(f, e);
}

static void list(struct fmt *f, const struct expr *e)
{
	for (unsigned i = 0; i < e->nargs; i++) {
		if (i)
			sb_putc(f->out, ',');
		if (e->kind == E_RECORD)
			sb_printf(f->out, "%s%s =", i ? " " : "", e->names[i]);
		if (i || e->kind == E_RECORD)
			put_wrapped(f, e->args[i]);
		else
			fmt_expr(f, e->args[i]);
	}
}

static void call(struct fmt *f, const struct expr *e)
{
	sb_printf(f->out, "%s(", e->name);
	list(f, e);
	sb_putc(f->out, ')');
}

static void map(struct fmt *f, const struct expr *e)
{
	sb_puts(f->out, e->name);
	if (!e->key)
		return;
	sb_putc(f->out, '[');
	if (e->key->kind == E_TUPLE && !e->key->paren)
		list(f, e->key);
	else
		fmt_expr(f, e->key);
	sb_putc(f->out, ']');
}

static void tuple(struct fmt *f, const struct expr *e)
{
	sb_putc(f->out, '(');
	list(f, e);
	sb_puts(f->out, e->kind == E_TUPLE && e->nargs == 1 ? ",)" : ")");
}

static void binary(struct fmt *f, const struct expr *e)
{
	fmt_expr(f, e->a);
	sb_printf(f->out, " %s", binary_op_text[e->op]);
	put_wrapped(f, e->b);
}

static void cond(struct fmt *f, const struct expr *e)
{
	fmt_expr(f, e->a);
	if (e->b) {
		sb_puts(f->out, " ?");
		put_wrapped(f, e->b);
	}
	sb_puts(f->out, e->b ? " :" : " ?:");
	put_wrapped(f, e->c);
}

/* "- -x" and "& &x" are no "--x" and "&&x". */
static void unary(struct fmt *f, const struct expr *e)
{
	char sign = unary_op_text[e->op][0];

	sb_putc(f->out, sign);
	size_t at = f->out->len;
	fmt_expr(f, e->a);
	if (f->out->s[at] != sign || strchr("!~*", sign))
		return;

	auto_sb struct sb rest = { 0 };
	sb_puts(&rest, f->out->s + at);
	f->out->len = at;
	sb_putc(f->out, ' ');
	sb_puts(f->out, sb_str(&rest));
}

static void incdec(struct fmt *f, const struct expr *e)
{
	const char *sign = e->op > 0 ? "++" : "--";

	if (e->prefix)
		sb_puts(f->out, sign);
	fmt_expr(f, e->a);
	if (!e->prefix)
		sb_puts(f->out, sign);
}

void fmt_type(struct fmt *f, const struct type_name *tn)
{
	struct type_name rest = { .name = "" };

	if (tn->keyword != TN_TYPEOF) {
		type_name_put(f->out, tn);
		return;
	}
	sb_puts(f->out, "typeof(");
	fmt_expr(f, tn->of);
	sb_putc(f->out, ')');
	rest.suffixes = tn->suffixes;
	rest.nsuffixes = tn->nsuffixes;
	type_name_put(f->out, &rest);
}

static void type_query(struct fmt *f, const struct expr *e)
{
	sb_puts(f->out, e->kind == E_SIZEOF	? "sizeof("
			: e->kind == E_OFFSETOF ? "offsetof("
						: "typeinfo(");
	if (e->tname)
		fmt_type(f, e->tname);
	else
		fmt_expr(f, e->a);
	for (unsigned i = 0; i < e->nnames; i++)
		sb_printf(f->out, "%s%s", i ? "." : ", ", e->names[i]);
	sb_putc(f->out, ')');
}

static void cast(struct fmt *f, const struct expr *e)
{
	sb_putc(f->out, '(');
	fmt_type(f, e->tname);
	sb_putc(f->out, ')');
	fmt_expr(f, e->a);
}

/* An expression without the parentheses around it. */
static void bare(struct fmt *f, const struct expr *e)
{
	switch (e->kind) {
	case E_INT:
	case E_FLOAT:
	case E_STRING: sb_puts(f->out, fmt_source(f, e->name_span)); return;
	case E_BOOL: sb_puts(f->out, e->num ? "true" : "false"); return;
	case E_PARAM: sb_printf(f->out, "$%" PRIu64, e->num); return;
	case E_NPARAMS: sb_puts(f->out, "$#"); return;
	case E_VAR:
	case E_NAME: sb_puts(f->out, e->name); return;
	case E_MAP: map(f, e); return;
	case E_CALL: call(f, e); return;
	case E_UNARY: unary(f, e); return;
	case E_BINARY: binary(f, e); return;
	case E_COND: cond(f, e); return;
	case E_INCDEC: incdec(f, e); return;
	case E_CAST: cast(f, e); return;
	case E_TUPLE:
	case E_RECORD: tuple(f, e); return;
	case E_SIZEOF:
	case E_OFFSETOF:
	case E_TYPEINFO: type_query(f, e); return;
	case E_TYPE: fmt_type(f, e->tname); return;
	case E_IF: fmt_if(f, e->stmt); return;
	case E_BLOCK: fmt_block(f, e->stmt, e->stmt->span.end); return;
	case E_FIELD:
		fmt_expr(f, e->a);
		sb_printf(f->out, "%s%s", e->arrow ? "->" : ".", e->name);
		return;
	case E_ELEM:
		fmt_expr(f, e->a);
		sb_printf(f->out, ".%" PRIu64, e->num);
		return;
	case E_INDEX:
		fmt_expr(f, e->a);
		sb_putc(f->out, '[');
		fmt_expr(f, e->b);
		sb_putc(f->out, ']');
		return;
	case E_WIDEN: bare(f, e->a); return;
	case E_COMPTIME:
		sb_puts(f->out, "comptime ");
		fmt_expr(f, e->a);
		return;
	}
}

void fmt_expr(struct fmt *f, const struct expr *e)
{
	if (e->paren && e->kind != E_TUPLE && e->kind != E_RECORD) {
		sb_putc(f->out, '(');
		bare(f, e);
		sb_putc(f->out, ')');
	} else {
		bare(f, e);
	}
}

void fmt_parens(struct fmt *f, const struct expr *e)
{
	if (!e->paren)
		sb_putc(f->out, '(');
	fmt_expr(f, e);
	if (!e->paren)
		sb_putc(f->out, ')');
}

static uint32_t earlier(uint32_t a, const struct expr *e)
{
	uint32_t b = e ? fmt_first_block(e) : 0;

	return !a || (b && b < a) ? b : a;
}

uint32_t fmt_first_block(const struct expr *e)
{
	uint32_t first = 0;

	if (e->kind == E_BLOCK)
		return e->stmt->span.beg;
	if (e->kind == E_IF)
		return e->stmt->body->span.beg;
	first = earlier(first, e->a);
	first = earlier(first, e->b);
	first = earlier(first, e->c);
	first = earlier(first, e->key);
	for (unsigned i = 0; i < e->nargs; i++)
		first = earlier(first, e->args[i]);
	return first;
}
