#include "script/fmt_state.h"

#include <string.h>

static const char *const assign_ops[] = {
	[BIN_ADD] = "+=",  [BIN_SUB] = "-=",  [BIN_MUL] = "*=", [BIN_DIV] = "/=",
	[BIN_MOD] = "%=",  [BIN_AND] = "&=",  [BIN_OR] = "|=",	[BIN_XOR] = "^=",
	[BIN_SHL] = "<<=", [BIN_SHR] = ">>=",
};

void fmt_block(struct fmt *f, const struct stmt *block, uint32_t upto)
{
	fmt_open(f, block->span.beg + 1);
	for (const struct stmt *s = block->first; s; s = s->next)
		fmt_stmt(f, s);
	if (block->value) {
		const struct expr *e = block->value;
		uint32_t inner = fmt_first_block(e);

		fmt_begin_line(f, e->span.beg, inner ? inner : e->span.end);
		fmt_expr(f, e);
		fmt_end_line(f, e->span.end);
	}
	fmt_close(f, upto);
	f->done = block->span.end;
}

/* "if (cond) "; comments up to the body stand before the line already. */
static void if_head(struct fmt *f, const struct stmt *s)
{
	sb_puts(f->out, s->comptime ? "if comptime " : "if ");
	fmt_parens(f, s->e);
	sb_putc(f->out, ' ');
}

void fmt_if(struct fmt *f, const struct stmt *s)
{
	if_head(f, s);
	while (s->els) {
		const struct stmt *els = s->els;
		const struct stmt *next = els->kind == S_IF ? els->body : els;

		fmt_block(f, s->body, next->span.beg);
		sb_puts(f->out, " else ");
		if (els->kind != S_IF) {
			fmt_block(f, els, els->span.end - 1);
			return;
		}
		s = els;
		if_head(f, s);
	}
	fmt_block(f, s->body, s->body->span.end - 1);
}

static void body(struct fmt *f, const struct stmt *s)
{
	sb_putc(f->out, ' ');
	fmt_block(f, s->body, s->body->span.end - 1);
}

static void loop(struct fmt *f, const struct stmt *s)
{
	sb_puts(f->out, s->kind == S_WHILE ? "while " : "unroll ");
	fmt_parens(f, s->e);
	body(f, s);
}

static void for_loop(struct fmt *f, const struct stmt *s)
{
	sb_printf(f->out, "for (%s : ", s->target->name);
	fmt_expr(f, s->e);
	if (s->e2) {
		sb_puts(f->out, "..");
		fmt_expr(f, s->e2);
	}
	sb_putc(f->out, ')');
	body(f, s);
}

static void let(struct fmt *f, const struct stmt *s)
{
	sb_printf(f->out, "let %s", s->target->name);
	if (s->tname) {
		sb_puts(f->out, " : ");
		fmt_type(f, s->tname);
	}
	if (s->e) {
		sb_puts(f->out, " = ");
		fmt_expr(f, s->e);
	}
}

static void assign(struct fmt *f, const struct stmt *s)
{
	fmt_expr(f, s->target);
	sb_printf(f->out, " %s ", s->op < 0 ? "=" : assign_ops[s->op]);
	fmt_expr(f, s->e);
}

static void import(struct fmt *f, const struct stmt *s)
{
	const char *text = fmt_source(f, s->span);

	sb_printf(f->out, "import %s", strchr(text, '"'));
}

/* A statement that ends with ';', without it. */
static void simple(struct fmt *f, const struct stmt *s)
{
	switch (s->kind) {
	case S_LET: let(f, s); return;
	case S_ASSIGN: assign(f, s); return;
	case S_BREAK: sb_puts(f->out, "break"); return;
	case S_CONTINUE: sb_puts(f->out, "continue"); return;
	case S_IMPORT: import(f, s); return;
	case S_DISCARD: sb_puts(f->out, "_ = "); break;
	case S_RETURN: sb_puts(f->out, s->e ? "return " : "return"); break;
	default: break;
	}
	if (s->e)
		fmt_expr(f, s->e);
}

/* Up to where comments go before the statement: its first block, or its end. */
static uint32_t head_end(const struct stmt *s)
{
	if (s->kind == S_BLOCK)
		return s->span.beg;
	if (s->body)
		return s->body->span.beg;

	uint32_t block = s->e ? fmt_first_block(s->e) : 0;
	return block ? block : s->span.end;
}

void fmt_stmt(struct fmt *f, const struct stmt *s)
{
	fmt_begin_line(f, s->span.beg, head_end(s));
	switch (s->kind) {
	case S_IF: fmt_if(f, s); break;
	case S_WHILE:
	case S_UNROLL: loop(f, s); break;
	case S_FOR_MAP:
	case S_FOR_RANGE: for_loop(f, s); break;
	case S_BLOCK: fmt_block(f, s, s->span.end - 1); break;
	default:
		simple(f, s);
		sb_putc(f->out, ';');
		break;
	}
	fmt_end_line(f, s->span.end);
}
