#include "builtin/seq.h"

#include "script/lower.h"

#include <string.h>

/* %s, and what print() shows. */
static bool has_text(const struct type *t)
{
	return type_is_integral(t) || t->kind == T_PTR || t->kind == T_STRING ||
	       t->kind == T_KSYM;
}

static bool can_write(const struct format_piece *p, const struct type *t)
{
	if (!p)
		return has_text(t) && t->kind != T_ENUM;
	if (p->alt || p->precision >= 0 || (p->conv == 'p' && p->width))
		return false;
	if (p->conv == 's')
		return has_text(t) && t->kind != T_ENUM;
	return strchr("diuxXcp", p->conv) && has_text(t) && t->kind != T_STRING;
}

bool seq_check(struct unit *u, const struct expr *e, const struct format_piece *p)
{
	struct compiler *c = u->c;
	const char *what = p ? arena_strndup(c->arena, p->text, p->len) : "print()";

	if (can_write(p, e->type) || type_is_error(e->type))
		return true;
	diag(c->dx, E0311_PINNED, e->span,
	     arena_printf(c->arena, "%s of type '%s'", what, type_text(c, e->type)));
	return false;
}

/* The file's buffer: the first word of what the context's first word points to. */
static ref seq_file(struct unit *u)
{
	const struct argloc loc = { .kind = LOC_BTF, .size = 8 };

	return lower_argloc(u, &loc);
}

/*
 * What does not fit the kernel's buffer is no error: it asks the program again when the reader
 * has come that far.
 */
static void write_bytes(struct unit *u, ref from, ref n)
{
	ir_call(&u->b, BPF_FUNC_seq_write, 3, seq_file(u), from, n);
}

static ref text_slot(struct unit *u, const char *s, size_t len)
{
	uint32_t room = ((uint32_t)len + 8) / 8 * 8;
	ref slot = ir_slot(&u->b, room);
	const struct dest d = { slot, 0, type_string(u->c->tt, (uint32_t)len + 1), false };

	store_text(u, s, len, &d);
	return slot;
}

static void write_literal(struct unit *u, const char *s, size_t len)
{
	if (len)
		write_bytes(u, text_slot(u, s, len), ir_const(&u->b, (int64_t)len));
}

/* One conversion of the kernel's: flags and width as written, then its own letters. */
static void write_word(struct unit *u, const struct format_piece *p, const char *conv, ref word)
{
	struct irb *b = &u->b;
	char width[16] = "", text[40];
	ref data = ir_slot(b, 8);

	if (p && p->width)
		snprintf(width, sizeof(width), "%d", p->width);
	int n = snprintf(text, sizeof(text), "%%%s%s%s%s%s%s", p && p->left ? "-" : "",
			 p && p->plus ? "+" : "", p && p->space ? " " : "",
			 p && p->zero ? "0" : "", width, conv);
	ir_store(b, 8, data, 0, word);
	ir_call(b, BPF_FUNC_seq_printf, 5, seq_file(u), text_slot(u, text, (size_t)n),
		ir_const(b, n + 1), data, ir_const(b, 8));
}

/* Text without a width is written as it is: the kernel's %s would cut it at 512 bytes. */
static void write_text(struct unit *u, const struct format_piece *p, struct expr *e)
{
	struct irb *b = &u->b;
	uint32_t room = e->type->size + 1;
	ref from = lower_addr(u, e), copy = ir_slot(b, (room + 7) / 8 * 8);
	ref n = lower_copy_text(u, copy, room, from);

	if (p && p->width)
		write_word(u, p, "s", copy);
	else
		write_bytes(u, copy, lower_at_most(u, n, e->type->size));
}

static ref bool_text(struct unit *u, ref word)
{
	struct irb *b = &u->b;
	ref yes = text_slot(u, "true", 4), no = text_slot(u, "false", 5);
	blkid is_true = ir_block(b), is_false = ir_block(b), done = ir_block(b);

	ir_br(b, word, is_true, is_false);
	ir_start(b, is_true);
	ir_jmp(b, done);
	ir_start(b, is_false);
	ir_jmp(b, done);
	ir_start(b, done);
	return ir_phi(b, 2, (ref[]){ yes, no });
}

static const char *number_words(const struct format_piece *p)
{
	switch (p->conv) {
	case 'x': return "lx";
	case 'X': return "lX";
	case 'u': return "lu";
	case 'p': return "lx";
	case 'c': return "c";
	default: return "ld";
	}
}

/* A value as its type is shown, by %s and print(). */
static void write_shown(struct unit *u, const struct format_piece *p, struct expr *e)
{
	const struct type *t = e->type;
	ref word;

	if (t->kind == T_STRING) {
		write_text(u, p, e);
		return;
	}
	word = lower_scalar(u, e);
	if (t->kind == T_BOOL)
		write_word(u, p, "s", bool_text(u, word));
	else if (t->kind == T_KSYM)
		write_word(u, p, "ps", word);
	else if (t->kind == T_PTR) {
		write_literal(u, "0x", 2);
		write_word(u, p, "lx", word);
	} else
		write_word(u, p, t->is_signed ? "ld" : "lu", word);
}

static void write_conversion(struct unit *u, const struct format_piece *p, struct expr *e)
{
	bool is_signed = strchr("di", p->conv);
	ref word;

	if (p->conv == 's') {
		write_shown(u, p, e);
		return;
	}
	word = lower_scalar(u, e);
	if (p->conv == 'p')
		write_literal(u, "0x", 2);
	else if (p->int_size < 8)
		word = ir_ext(&u->b, is_signed, p->int_size, word);
	write_word(u, p, number_words(p), word);
}

void seq_printf(struct unit *u, const struct format *f, struct expr **args)
{
	for (size_t i = 0; i < f->npieces; i++) {
		const struct format_piece *p = &f->pieces[i];

		if (p->conv)
			write_conversion(u, p, *args++);
		else
			write_literal(u, p->text, p->len);
	}
}

void seq_print(struct unit *u, struct expr *e)
{
	write_shown(u, NULL, e);
	write_literal(u, "\n", 1);
}
