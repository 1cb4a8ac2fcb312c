/*
 * format.c - see format.h.
 *
 * A conversion is % [-][+][ ][#][0] [width|*] [.precision|.*] [length] spec, with the flags in
 * this order only; whatever does not match is text, beginning with its '%'.
 */
#include "output/format.h"

#include "base/vec.h"
#include "output/gfp.h"
#include "output/number.h"
#include "output/sink.h"

#include <string.h>

/* The rest of the text while a conversion is read. */
struct scan {
	const char *at, *end;
};

static bool take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* The next character if it is one of set, else 0. */
static char take_any(struct scan *s, const char *set)
{
	if (s->at == s->end || !*s->at || !strchr(set, *s->at))
		return '\0';
	return *s->at++;
}

/* Digits, or a '*' that stands for nothing; none when there is neither. */
static int take_number(struct scan *s, int none)
{
	int n = 0;

	if (take(s, '*') || s->at == s->end || *s->at < '0' || *s->at > '9')
		return none;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9') {
		n = n * 10 + (*s->at++ - '0');
		n = n < FORMAT_WIDTH_MAX ? n : FORMAT_WIDTH_MAX;
	}
	return n;
}

static bool take_precision(struct scan *s, struct format_piece *out)
{
	out->precision = -1;
	if (!take(s, '.'))
		return true;

	const char *digits = s->at;
	out->precision = take_number(s, -1);
	return s->at > digits;
}

/* Any run of length letters; the widest wins, except that two 'h' are narrower than one. */
static uint8_t take_length(struct scan *s)
{
	bool wide = false;
	int halves = 0;
	char c;

	while ((c = take_any(s, "hlLjzt"))) {
		wide |= c != 'h';
		halves += c == 'h';
	}
	return wide ? 8 : halves > 1 ? 1 : halves ? 2 : 4;
}

static bool take_spec(struct scan *s, struct format_piece *out)
{
	if (s->end - s->at >= 2 && s->at[0] == 'g' && s->at[1] == 'r') {
		s->at += 2;
		out->conv = 'r';
		out->buf_mode = 'g';
		return true;
	}
	out->conv = take_any(s, "diuoxXeEfFgGaAcspnr%");
	if (out->conv == 'r')
		out->buf_mode = take_any(s, "xh");
	if (out->conv == 'p')
		out->int_size = 8;
	if (out->conv == 'c')
		out->int_size = 1;
	return out->conv;
}

/* Reads the conversion that begins at s->at with '%'; false, and s anywhere, if it is none. */
static bool take_conversion(struct scan *s, struct format_piece *out)
{
	const char *start = s->at++;

	out->left = take(s, '-');
	out->plus = take(s, '+');
	out->space = take(s, ' ');
	out->alt = take(s, '#');
	out->zero = take(s, '0');
	out->width = take_number(s, 0);
	if (!take_precision(s, out))
		return false;
	out->int_size = take_length(s);
	out->text = start;
	return take_spec(s, out);
}

/* The pieces of a format while it is taken apart. */
struct parser {
	struct arena *arena;
	VEC(struct format_piece) pieces;
	const char *base;
	unsigned nconvs;
};

static void add_piece(struct parser *p, struct format_piece piece, const char *end)
{
	piece.len = (size_t)(end - piece.text);
	piece.off = (uint32_t)(piece.text - p->base);
	if (!piece.len)
		return;
	p->nconvs += piece.conv != 0;
	vec_push(p->arena, &p->pieces, piece);
}

static void add_literal(struct parser *p, const char *start, const char *end)
{
	add_piece(p, (struct format_piece){ .text = start, .precision = -1 }, end);
}

void format_parse(struct arena *a, const char *text, size_t len, struct format *out)
{
	struct parser p = { .arena = a, .base = arena_strndup(a, text, len) };
	struct scan s = { p.base, p.base + len };
	const char *literal = s.at;

	while (s.at < s.end) {
		struct scan ahead = s;
		struct format_piece piece = {};

		if (*s.at != '%' || !take_conversion(&ahead, &piece)) {
			s.at++;
			continue;
		}
		add_literal(&p, literal, s.at);
		s = ahead;
		literal = s.at;
		if (piece.conv == '%')
			literal--; /* "%%": the second one is text */
		else
			add_piece(&p, piece, s.at);
	}
	add_literal(&p, literal, s.end);
	*out = (struct format){ p.pieces.data, p.pieces.len, p.nconvs };
}

static bool is_integer(const struct value *v)
{
	return v->kind == V_INT || v->kind == V_UINT || v->kind == V_BOOL || v->kind == V_PTR ||
	       v->kind == V_ENUM;
}

/* Cuts a number to its low bytes and extends them again. */
static uint64_t cut(uint64_t bits, unsigned bytes, bool is_signed)
{
	unsigned shift = 64 - 8 * bytes;

	bits <<= shift;
	return is_signed ? (uint64_t)((int64_t)bits >> shift) : bits >> shift;
}

static const char *base_prefix(const struct format_piece *p, uint64_t bits)
{
	if (!bits || (!p->alt && p->conv != 'p'))
		return "";
	switch (p->conv) {
	case 'X': return "0X";
	case 'x':
	case 'p': return "0x";
	default: return "";
	}
}

static unsigned base_of(char conv)
{
	return conv == 'o' ? 8 : conv == 'x' || conv == 'X' || conv == 'p' ? 16 : 10;
}

/* How many digits a number has at least: the precision, or what fills the width with zeros. */
static long least_digits(const struct format_piece *p, size_t prefix, long ndigits)
{
	long least = p->zero && !p->left ? p->width - (long)prefix : 0;

	if (p->precision >= 0 && p->conv != 'p')
		least = p->precision;
	/* "%#o" begins with a zero, whatever that takes */
	return p->conv == 'o' && p->alt && least <= ndigits ? ndigits + 1 : least;
}

static void put_number(const struct format_piece *p, const struct value *v, struct sb *out)
{
	bool is_signed = p->conv == 'd' || p->conv == 'i';
	uint64_t bits = cut(v->u, p->int_size, is_signed);
	bool negative = is_signed && (int64_t)bits < 0;
	const char *prefix = negative ? "-" : is_signed && p->plus ? "+" : base_prefix(p, bits);

	char buf[NUMBER_MAX], *end = buf + sizeof(buf);
	char *digits =
		number_digits(end, negative ? -bits : bits, base_of(p->conv), p->conv == 'X');
	long ndigits = end - digits;

	if (!bits && (!p->precision || (p->conv == 'o' && p->alt)))
		ndigits = 0; /* none, or the zero that "%#o" brings */
	sb_puts(out, prefix);
	sb_fill(out, '0', least_digits(p, strlen(prefix), ndigits) - ndigits);
	sb_write(out, digits, (size_t)ndigits);
}

static void put_buffer(const struct format_piece *p, const struct value *v, struct sb *out)
{
	if (p->buf_mode == 'g' && is_integer(v))
		gfp_text(v->u, out);
	else if (v->kind == V_BUFFER || v->kind == V_STRING || v->kind == V_TEXT)
		bytes_text(v->text, v->len, p->buf_mode, out);
	else
		value_text(v, out);
}

/* As C prints it; the width is given by whoever calls, but for zeros. */
static void put_real(const struct format_piece *p, const struct value *v, struct sb *out)
{
	char spec[16] = "%", *s = spec + 1;

	if (p->plus)
		*s++ = '+';
	if (p->space)
		*s++ = ' ';
	if (p->alt)
		*s++ = '#';
	if (p->zero && !p->left)
		*s++ = '0';
	memcpy(s, "*.*", 3);
	s[3] = p->conv;
	sb_printf(out, spec, p->zero && !p->left ? p->width : 0, p->precision, v->f);
}

static void put_converted(const struct format_piece *p, const struct value *v, struct sb *out)
{
	switch (p->conv) {
	case 'r': put_buffer(p, v, out); return;
	case 'd':
	case 'i':
	case 'u':
	case 'o':
	case 'x':
	case 'X':
	case 'p':
		if (!is_integer(v))
			break;
		put_number(p, v, out);
		return;
	case 'c':
		if (!is_integer(v))
			break;
		sb_putc(out, (char)v->u);
		return;
	case 's': break;
	default: /* eEfFgGaA */
		if (v->kind != V_FLOAT)
			break;
		put_real(p, v, out);
		return;
	}
	value_text(v, out);
}

/* Gives what was written since start the width and precision of the conversion. */
static void fit(const struct format_piece *p, size_t start, struct sb *out)
{
	size_t len = out->len - start;

	if (p->conv == 's' && p->precision >= 0 && len > (size_t)p->precision) {
		len = (size_t)p->precision;
		out->len = start + len;
		out->s[out->len] = '\0';
	}
	if ((size_t)p->width <= len)
		return;

	size_t pad = (size_t)p->width - len;
	sb_fill(out, ' ', (long)pad);
	if (!p->left) {
		memmove(out->s + start + pad, out->s + start, len);
		memset(out->s + start, ' ', pad);
	}
}

void format_run(const struct format *f, const struct value *args, struct sb *out)
{
	for (size_t i = 0; i < f->npieces; i++) {
		const struct format_piece *p = &f->pieces[i];
		size_t start = out->len;

		if (!p->conv) {
			sb_write(out, p->text, p->len);
			continue;
		}
		put_converted(p, args++, out);
		fit(p, start, out);
	}
}
