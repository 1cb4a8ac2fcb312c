#include "script/lex.h"

#include "script/lex_literal.h"

#include <ctype.h>
#include <string.h>

struct tok_row {
	enum tok kind;
	const char *text;
};

#define TOKEN_ROW(kind, text) { kind, text },
static const struct tok_row words[] = { TOKEN_WORDS(TOKEN_ROW) };
static const struct tok_row signs[] = { TOKEN_SIGNS(TOKEN_ROW) };
#undef TOKEN_ROW

enum { NWORDS = sizeof(words) / sizeof(*words), NSIGNS = sizeof(signs) / sizeof(*signs) };

const char *tok_text(enum tok kind)
{
	static const char *const sorts[] = {
		[TOK_EOF] = "end of file", [TOK_ERROR] = "an error",
		[TOK_IDENT] = "a name",	   [TOK_INT] = "a number",
		[TOK_FLOAT] = "a number",  [TOK_STRING] = "a string",
		[TOK_REGEX] = "a pattern", [TOK_VAR] = "a variable",
		[TOK_MAP] = "a map",	   [TOK_PARAM] = "a parameter",
		[TOK_NPARAMS] = "$#",
	};

	if (kind <= TOK_NPARAMS)
		return sorts[kind];
	for (size_t i = 0; i < NWORDS; i++)
		if (words[i].kind == kind)
			return words[i].text;
	for (size_t i = 0; i < NSIGNS; i++)
		if (signs[i].kind == kind)
			return signs[i].text;
	return "?";
}

bool tok_is_word(const struct token *t)
{
	return t->kind == TOK_IDENT ||
	       (t->kind >= words[0].kind && t->kind <= words[NWORDS - 1].kind);
}

/* A NUL is no text; behind one, nothing is a script. */
static void cut_at_nul(struct lexer *lx)
{
	uint32_t len = (uint32_t)strnlen(lx->text, lx->len);

	if (len < lx->len)
		diag(lx->dx, E0002_CHARACTER, lex_span(lx, len, len + 1), "\\0");
	lx->len = len;
}

void lex_init(struct lexer *lx, struct arena *a, struct diags *dx, const struct source *src)
{
	*lx = (struct lexer){
		.arena = a,
		.dx = dx,
		.text = src->text,
		.len = src->len,
		.base = src->base,
		.max_errors = dx->errors + LEX_MAX_ERRORS,
	};
	cut_at_nul(lx);
	if (lx->len >= 3 && !memcmp(lx->text, "\xef\xbb\xbf", 3)) /* a byte order mark */
		lx->pos = 3;
	if (lx->len >= 2 && !memcmp(lx->text, "#!", 2))
		lx->pos = (uint32_t)strcspn(lx->text, "\n");
}

/* The byte n places ahead, 0 past the end. */
static int peek(const struct lexer *lx, uint32_t n)
{
	return lx->len - lx->pos > n ? (unsigned char)lx->text[lx->pos + n] : 0;
}

static bool is_word_char(int c)
{
	return c == '_' || (c < 0x80 && isalnum(c));
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* Looking ahead may pass a comment more than once. */
static void note_comment(struct lexer *lx, uint32_t beg, bool block)
{
	struct comments *cs = lx->comments;
	struct comment c = { lex_span(lx, beg, lx->pos), block };

	if (cs && (!cs->len || vec_last(cs).span.beg < c.span.beg))
		vec_push(lx->arena, cs, c);
}

static void skip_line_comment(struct lexer *lx)
{
	uint32_t beg = lx->pos;

	while (lx->pos < lx->len && lx->text[lx->pos] != '\n')
		lx->pos++;
	note_comment(lx, beg, false);
}

static void skip_block_comment(struct lexer *lx)
{
	uint32_t beg = lx->pos;
	const char *end = memmem(lx->text + beg + 2, lx->len - beg - 2, "*/", 2);

	lx->pos = end ? (uint32_t)(end - lx->text) + 2 : lx->len;
	if (!end)
		diag(lx->dx, E0003_UNTERMINATED, lex_span(lx, beg, beg + 2), "comment");
	note_comment(lx, beg, true);
}

/* A line that starts with "#!" says nothing to the script, wherever a licence or a paste has
 * put it. */
static bool at_interpreter(const struct lexer *lx)
{
	return peek(lx, 0) == '#' && peek(lx, 1) == '!' &&
	       (lx->pos == 0 || lx->text[lx->pos - 1] == '\n');
}

int lex_skip_blanks(struct lexer *lx)
{
	for (;;) {
		int c = peek(lx, 0);

		if (is_blank(c))
			lx->pos++;
		else if (lx->continued && c == '\\' && peek(lx, 1) == '\n')
			lx->pos += 2;
		else if ((c == '/' && peek(lx, 1) == '/') || at_interpreter(lx))
			skip_line_comment(lx);
		else if (c == '/' && peek(lx, 1) == '*')
			skip_block_comment(lx);
		else
			return c;
	}
}

static void skip_word(struct lexer *lx)
{
	while (is_word_char(peek(lx, 0)))
		lx->pos++;
}

static enum tok word_kind(const char *s)
{
	for (size_t i = 0; i < NWORDS; i++)
		if (words[i].text[0] == s[0] && !strcmp(words[i].text, s))
			return words[i].kind;
	return TOK_IDENT;
}

static const char *text_since(struct lexer *lx, uint32_t beg)
{
	return arena_strndup(lx->arena, lx->text + beg, lx->pos - beg);
}

/* C++'s "::name" right behind a name: both are one, "ns::name". */
static bool at_scoped(const struct lexer *lx)
{
	int c = peek(lx, 2);

	return peek(lx, 0) == ':' && peek(lx, 1) == ':' && is_word_char(c) && !isdigit(c);
}

static void lex_word(struct lexer *lx, struct token *t)
{
	uint32_t beg = lx->pos;

	skip_word(lx);
	t->text = text_since(lx, beg);
	t->kind = word_kind(t->text);
	if (t->kind != TOK_IDENT || !at_scoped(lx))
		return;
	while (at_scoped(lx)) {
		lx->pos += 2;
		skip_word(lx);
	}
	t->text = text_since(lx, beg);
}

static void lex_map(struct lexer *lx, struct token *t)
{
	uint32_t beg = lx->pos++;

	skip_word(lx);
	t->text = text_since(lx, beg);
	t->kind = TOK_MAP;
}

/* $name, $N or $# */
static void lex_dollar(struct lexer *lx, struct token *t)
{
	uint32_t beg = lx->pos++;
	int c = peek(lx, 0);

	if (c == '#') {
		lx->pos++;
		t->kind = TOK_NPARAMS;
		return;
	}
	skip_word(lx);
	t->text = text_since(lx, beg);
	t->kind = isdigit(c) ? TOK_PARAM : TOK_VAR;
	if (lx->pos == beg + 1) {
		diag(lx->dx, E0002_CHARACTER, lex_span(lx, beg, lx->pos), "$");
		t->kind = TOK_ERROR;
	} else if (t->kind == TOK_PARAM) {
		t->num = lex_param_number(lx->dx, t->text, lex_span(lx, beg, lx->pos));
	}
}

static void lex_int(struct lexer *lx, struct token *t)
{
	uint32_t beg = lx->pos;

	skip_word(lx);
	t->kind = TOK_INT;

	const char *why = lex_number(lx->text + beg, lx->pos - beg, &t->num);
	if (why)
		diag(lx->dx, E0005_NUMBER, lex_span(lx, beg, lx->pos), text_since(lx, beg),
		     why);
}

/*
 * Digits, a point and digits, perhaps an exponent.  In $t.0.1 the numbers are those of parts,
 * in 0..5 there are two.
 */
static bool at_float(const struct lexer *lx)
{
	uint32_t n = 0;

	if (lx->pos > 0 && lx->text[lx->pos - 1] == '.')
		return false;
	while (isdigit(peek(lx, n)))
		n++;
	return peek(lx, n) == '.' && isdigit(peek(lx, n + 1));
}

static void lex_float(struct lexer *lx, struct token *t)
{
	uint32_t beg = lx->pos;

	lx->pos += (uint32_t)strspn(lx->text + lx->pos, "0123456789") + 1;
	skip_word(lx);
	int sign = peek(lx, 0);
	if ((lx->text[lx->pos - 1] | 32) == 'e' && (sign == '+' || sign == '-')) {
		lx->pos++;
		skip_word(lx);
	}
	t->kind = TOK_FLOAT;

	const char *why = lex_float_number(text_since(lx, beg), &t->num);
	if (why)
		diag(lx->dx, E0005_NUMBER, lex_span(lx, beg, lx->pos), text_since(lx, beg),
		     why);
}

/* The end of a string's contents: the closing mark, a newline or the end of the text. */
static uint32_t string_end(const struct lexer *lx, uint32_t pos, char mark)
{
	while (pos < lx->len && lx->text[pos] != mark && lx->text[pos] != '\n') {
		bool escape =
			lx->text[pos] == '\\' && pos + 1 < lx->len && lx->text[pos + 1] != '\n';

		pos += escape ? 2 : 1;
	}
	return pos;
}

static void lex_string(struct lexer *lx, struct token *t)
{
	uint32_t beg = lx->pos, end = string_end(lx, beg + 1, '"');

	if (end >= lx->len || lx->text[end] != '"') {
		diag(lx->dx, E0003_UNTERMINATED, lex_span(lx, beg, end), "string");
		lx->pos = end;
		t->kind = TOK_ERROR;
		return;
	}
	lx->pos = end + 1;
	t->kind = TOK_STRING;
	t->str.s = lex_unescape(lx, beg + 1, end, &t->str.len);
}

static void lex_sign(struct lexer *lx, struct token *t)
{
	for (size_t i = 0; i < NSIGNS; i++) {
		size_t n = strlen(signs[i].text);

		if (lx->len - lx->pos >= n && !memcmp(lx->text + lx->pos, signs[i].text, n)) {
			t->kind = signs[i].kind;
			lx->pos += (uint32_t)n;
			return;
		}
	}
	t->kind = TOK_ERROR;
}

/* Bytes that start no token: one message for all in a row. */
static void lex_garbage(struct lexer *lx, uint32_t beg)
{
	unsigned char c = (unsigned char)lx->text[beg];
	struct token t = { .kind = TOK_ERROR };

	while (t.kind == TOK_ERROR && lx->pos < lx->len) {
		int next = peek(lx, 0);

		if (is_blank(next) || is_word_char(next) || next == '"' || next == '$' ||
		    next == '@')
			break;
		struct lexer ahead = *lx;
		lex_sign(&ahead, &t);
		lx->pos += t.kind == TOK_ERROR;
	}
	if (c == '#')
		diag_hint(diag(lx->dx, E0002_CHARACTER, lex_span(lx, beg, lx->pos), "#"), "%s",
			  is_word_char(peek(lx, 0)) ? "C definitions stand before the probes"
						    : "comments are // ... or /* ... */");
	else if (c == '\'')
		diag_hint(diag(lx->dx, E0002_CHARACTER, lex_span(lx, beg, lx->pos), "'"),
			  "text stands between double quotes: \"...\"");
	else if (isprint(c))
		diag(lx->dx, E0002_CHARACTER, lex_span(lx, beg, lx->pos), text_since(lx, beg));
	else
		diag(lx->dx, E0002_CHARACTER, lex_span(lx, beg, lx->pos),
		     arena_printf(lx->arena, "\\x%02x", c));
}

struct token lex_next(struct lexer *lx)
{
	struct token t = { .kind = TOK_EOF };
	int c = lex_skip_blanks(lx);
	uint32_t beg = lx->pos;

	if (lx->dx->errors >= lx->max_errors)
		lx->pos = beg = lx->len;
	if (lx->pos >= lx->len)
		;
	else if (isdigit(c) && at_float(lx))
		lex_float(lx, &t);
	else if (isdigit(c))
		lex_int(lx, &t);
	else if (is_word_char(c))
		lex_word(lx, &t);
	else if (c == '"')
		lex_string(lx, &t);
	else if (c == '$')
		lex_dollar(lx, &t);
	else if (c == '@')
		lex_map(lx, &t);
	else
		lex_sign(lx, &t);

	if (t.kind == TOK_ERROR && lx->pos == beg)
		lex_garbage(lx, beg);
	t.span = lex_span(lx, beg, lx->pos);
	return t;
}

struct token lex_pattern(struct lexer *lx)
{
	if (lex_skip_blanks(lx) != '/')
		return lex_next(lx);

	uint32_t beg = lx->pos, end = string_end(lx, beg + 1, '/');
	struct token t = { .kind = TOK_REGEX };
	if (end >= lx->len || lx->text[end] != '/') {
		diag(lx->dx, E0003_UNTERMINATED, lex_span(lx, beg, end), "pattern");
		lx->pos = end;
		t.kind = TOK_ERROR;
	} else {
		lx->pos = end + 1;
		t.num = peek(lx, 0) == 'i' && !is_word_char(peek(lx, 1));
		lx->pos += (uint32_t)t.num;
		t.str.s = arena_printf(lx->arena, "%s%.*s", t.num ? "(?i)" : "",
				       (int)(end - beg - 1), lx->text + beg + 1);
		t.str.len = strlen(t.str.s);
		if (is_word_char(peek(lx, 0))) {
			diag(lx->dx, E0001_SYNTAX, lex_span(lx, lx->pos, lx->pos + 1),
			     "behind a pattern only the flag i is known");
			skip_word(lx);
		}
	}
	t.span = lex_span(lx, beg, lx->pos);
	return t;
}
