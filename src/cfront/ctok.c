#include "cfront/ctok.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct input {
	struct arena *arena;
	struct diags *dx;
	const char *s, *end;
	const char *text;
	uint32_t base; /* of text[0] */
};

static struct span span_of(const struct input *in, const char *beg, const char *end)
{
	return (struct span){ in->base + (uint32_t)(beg - in->text),
			      in->base + (uint32_t)(end - in->text) };
}

static int at(const struct input *in, size_t n)
{
	return (size_t)(in->end - in->s) > n ? (unsigned char)in->s[n] : 0;
}

static bool is_word(int c)
{
	return c == '_' || isalnum(c);
}

static void skip_comment(struct input *in)
{
	if (at(in, 1) == '/') {
		while (in->s < in->end && *in->s != '\n')
			in->s++;
		return;
	}

	const char *end = memmem(in->s + 2, (size_t)(in->end - in->s) - 2, "*/", 2);
	if (!end)
		diag(in->dx, E0003_UNTERMINATED, span_of(in, in->s, in->s + 2), "comment");
	in->s = end ? end + 2 : in->end;
}

/* Blanks, comments and continued lines; true when there were any. */
static bool skip_blanks(struct input *in)
{
	const char *beg = in->s;

	while (in->s < in->end) {
		if (isspace(at(in, 0)))
			in->s++;
		else if (at(in, 0) == '\\' && at(in, 1) == '\n')
			in->s += 2;
		else if (at(in, 0) == '/' && (at(in, 1) == '/' || at(in, 1) == '*'))
			skip_comment(in);
		else
			break;
	}
	return in->s > beg;
}

/* ISO C11 6.4.4.1: value and suffix of an integer; anything else is no integer. */
static void read_integer(struct ctok *t)
{
	char *end;

	errno = 0;
	t->num = strtoull(t->text, &end, 0);
	if (errno || end == t->text)
		return;
	t->is_unsigned = t->num > INT64_MAX;
	for (; *end && strchr("uUlL", *end); end++)
		t->is_unsigned |= *end == 'u' || *end == 'U';
	t->is_integer = !*end;
}

static void read_number(struct input *in)
{
	while (is_word(at(in, 0)) || at(in, 0) == '.')
		in->s++;
}

/* Past a quoted text; it must close on its line. */
static bool read_quoted(struct input *in)
{
	int quote = *in->s++;

	while (in->s < in->end && *in->s != quote && *in->s != '\n')
		in->s += at(in, 0) == '\\' && at(in, 1) ? 2 : 1;
	if (in->s < in->end && *in->s == quote) {
		in->s++;
		return true;
	}
	if (in->s > in->end)
		in->s = in->end;
	return false;
}

/* 'x', '\n', '\0', '\x41', '\101' */
static uint64_t char_value(const char *s)
{
	static const char names[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";

	if (s[1] != '\\')
		return (uint64_t)(int64_t)(signed char)s[1];
	if (s[2] == 'x')
		return (uint64_t)(int64_t)(signed char)strtoul(s + 3, NULL, 16);
	if (isdigit((unsigned char)s[2]))
		return (uint64_t)(int64_t)(signed char)strtoul(s + 2, NULL, 8);

	const char *name = s[2] ? strchr(names, s[2]) : NULL;
	return (uint64_t)(name ? bytes[name - names] : s[2]);
}

static enum ctok_kind read_sign(struct input *in)
{
	static const char *const signs[] = { "...", "<<", ">>", "<=", ">=", "==",
					     "!=",  "&&", "||", "##", "->" };

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t n = strlen(signs[i]);

		if ((size_t)(in->end - in->s) >= n && !memcmp(in->s, signs[i], n)) {
			in->s += n;
			return C_SIGN;
		}
	}
	return strchr("[](){}.&*+-~!/%<>^|?:;=,#", *in->s++) ? C_SIGN : C_OTHER;
}

static enum ctok_kind read_token(struct input *in)
{
	int c = at(in, 0);
	const char *beg = in->s;

	if (isdigit(c) || (c == '.' && isdigit(at(in, 1)))) {
		read_number(in);
		return C_NUMBER;
	}
	if (is_word(c)) {
		while (is_word(at(in, 0)))
			in->s++;
		return C_NAME;
	}
	if (c == '"' || c == '\'') {
		if (!read_quoted(in))
			diag(in->dx, E0003_UNTERMINATED, span_of(in, beg, in->s),
			     c == '"' ? "string" : "character");
		return c == '"' ? C_STRING : C_CHAR;
	}
	return read_sign(in);
}

void ctok_read(struct arena *a, struct diags *dx, const char *text, size_t len, uint32_t base,
	       struct ctoks *out)
{
	struct input in = {
		.arena = a, .dx = dx, .s = text, .end = text + len, .text = text, .base = base
	};

	for (;;) {
		struct ctok t = { .space_before = skip_blanks(&in) };
		const char *beg = in.s;

		if (in.s >= in.end)
			return;
		t.kind = read_token(&in);
		t.span = span_of(&in, beg, in.s);
		t.text = arena_strndup(a, beg, (size_t)(in.s - beg));
		if (t.kind == C_NUMBER)
			read_integer(&t);
		else if (t.kind == C_CHAR)
			t.num = char_value(t.text);
		vec_push(a, out, t);
	}
}

bool ctok_is(const struct ctok *t, const char *text)
{
	return (t->kind == C_NAME || t->kind == C_SIGN) && !strcmp(t->text, text);
}

void ctok_reader_init(struct ctok_reader *r, const struct ctoks *toks, struct span end)
{
	*r = (struct ctok_reader){
		.toks = toks->data,
		.n = toks->len,
		.eof = { .kind = C_EOF, .span = { end.end, end.end }, .text = "" },
	};
}

const struct ctok *ctok_peek_at(const struct ctok_reader *r, size_t n)
{
	return r->n - r->pos > n ? &r->toks[r->pos + n] : &r->eof;
}

const struct ctok *ctok_peek(const struct ctok_reader *r)
{
	return ctok_peek_at(r, 0);
}

const struct ctok *ctok_next(struct ctok_reader *r)
{
	const struct ctok *t = ctok_peek(r);

	r->pos += t->kind != C_EOF;
	return t;
}

bool ctok_accept(struct ctok_reader *r, const char *text)
{
	if (!ctok_is(ctok_peek(r), text))
		return false;
	r->pos++;
	return true;
}
