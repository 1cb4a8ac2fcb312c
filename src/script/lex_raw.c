/*
 * The parts of a script that are not tokens: attach points, preprocessor lines, C definitions.
 */
#include "script/lex.h"

#include <ctype.h>
#include <string.h>

static int at(const struct lexer *lx, uint32_t pos)
{
	return pos < lx->len ? (unsigned char)lx->text[pos] : 0;
}

static bool is_name(int c)
{
	return c == '_' || (c < 0x80 && isalnum(c));
}

/* Past a quoted text on one line; one that never closes ends with the line. */
static uint32_t skip_quoted(const struct lexer *lx, uint32_t beg)
{
	uint32_t pos = beg + 1;
	int quote = at(lx, beg);

	while (pos < lx->len && at(lx, pos) != quote && at(lx, pos) != '\n')
		pos += at(lx, pos) == '\\' && at(lx, pos + 1) != '\n' ? 2 : 1;
	if (pos < lx->len && at(lx, pos) == quote)
		return pos + 1;
	if (quote == '"')
		diag(lx->dx, E0003_UNTERMINATED, lex_span(lx, beg, beg + 1), "string");
	return pos < lx->len ? pos : lx->len;
}

struct span lex_attach_point(struct lexer *lx)
{
	bool colon = false;

	lex_skip_blanks(lx);
	uint32_t beg = lx->pos;
	while (lx->pos < lx->len) {
		int c = at(lx, lx->pos);

		if (isspace(c) || c == ',' || c == '{' || (c == '/' && !colon))
			break;
		colon |= c == ':';
		if (c == '"')
			lx->pos = skip_quoted(lx, lx->pos);
		else
			lx->pos++;
	}
	return lex_span(lx, beg, lx->pos);
}

static uint32_t skip_comment(const struct lexer *lx, uint32_t pos)
{
	const char *end = memmem(lx->text + pos + 2, lx->len - pos - 2, "*/", 2);

	if (!end)
		diag(lx->dx, E0003_UNTERMINATED, lex_span(lx, pos, pos + 2), "comment");
	return end ? (uint32_t)(end - lx->text) + 2 : lx->len;
}

struct span lex_directive(struct lexer *lx)
{
	uint32_t beg = lx->pos, pos = beg;
	bool rest_is_comment = false;

	while (pos < lx->len && at(lx, pos) != '\n') {
		rest_is_comment |= at(lx, pos) == '/' && at(lx, pos + 1) == '/';
		if (!rest_is_comment && at(lx, pos) == '/' && at(lx, pos + 1) == '*')
			pos = skip_comment(lx, pos);
		else if (at(lx, pos) == '\\' && pos + 1 < lx->len)
			pos += 2;
		else
			pos++;
	}
	lx->pos = pos;
	/* Nothing is continued by the last line. */
	while (strchr(" \t\r\n\\", at(lx, pos - 1)))
		pos--;
	return lex_span(lx, beg, pos);
}

/* The word here, with its length in *len; NULL when there is none. */
static const char *word_here(const struct lexer *lx, uint32_t *len)
{
	uint32_t n = 0;

	while (is_name(at(lx, lx->pos + n)))
		n++;
	*len = n;
	return n && !isdigit(at(lx, lx->pos)) ? lx->text + lx->pos : NULL;
}

static bool skip_word(struct lexer *lx, const char *word)
{
	uint32_t len;
	const char *s = word_here(lx, &len);

	if (!s || strlen(word) != len || memcmp(s, word, len) != 0)
		return false;
	lx->pos += len;
	return true;
}

static bool skip_any_word(struct lexer *lx)
{
	uint32_t len;

	if (!word_here(lx, &len))
		return false;
	lx->pos += len;
	return true;
}

static bool skip_tag_word(struct lexer *lx)
{
	return skip_word(lx, "struct") || skip_word(lx, "union") || skip_word(lx, "enum");
}

/* Here begins a declaration of its own. */
static bool at_declaration(const struct lexer *lx)
{
	struct lexer ahead = *lx;

	return skip_tag_word(&ahead) || skip_word(&ahead, "typedef");
}

/* From an opening bracket past the one that closes it; false when none does. */
static bool skip_balanced(struct lexer *lx)
{
	unsigned depth = 0;

	for (int c; (c = lex_skip_blanks(lx)) && lx->pos < lx->len;) {
		if (c == '"' || c == '\'') {
			lx->pos = skip_quoted(lx, lx->pos);
			continue;
		}
		lx->pos++;
		if (strchr("([{", c))
			depth++;
		else if (strchr(")]}", c) && --depth == 0)
			return true;
	}
	return false;
}

/*
 * Words and balanced () and []: what a declaration may hold before its body or after it.
 * Returns the byte that ends them.
 */
static int skip_words(struct lexer *lx)
{
	for (;;) {
		int c = lex_skip_blanks(lx);

		if (c == '(' || c == '[') {
			if (!skip_balanced(lx))
				return 0;
		} else if (at_declaration(lx) || !skip_any_word(lx)) {
			return c;
		}
	}
}

/*
 * What follows a body: any words up to a ';', else only attributes, whose names start with two
 * underscores as those of probes never do.
 */
static void skip_attributes(struct lexer *lx)
{
	struct lexer ahead = *lx;

	if (skip_words(&ahead) == ';') {
		*lx = ahead;
		return;
	}
	for (ahead = *lx;; *lx = ahead) {
		int c = lex_skip_blanks(&ahead);
		uint32_t len;
		const char *word = word_here(&ahead, &len);

		if (c == '(' && skip_balanced(&ahead))
			continue;
		if (!word || len < 2 || word[0] != '_' || word[1] != '_')
			return;
		ahead.pos += len;
	}
}

/* struct, union or enum with a body or, as a forward declaration, with ';'. */
static bool skip_tagged(struct lexer *lx)
{
	int c = skip_words(lx);

	if (c == '{') {
		if (!skip_balanced(lx))
			return false;
		skip_attributes(lx);
	}

	struct lexer ahead = *lx;
	if (lex_skip_blanks(&ahead) == ';') {
		lx->pos = ahead.pos + 1;
		return true;
	}
	return c == '{';
}

static bool skip_typedef(struct lexer *lx)
{
	for (int c; (c = lex_skip_blanks(lx)) && lx->pos < lx->len;) {
		if (strchr("([{", c)) {
			if (!skip_balanced(lx))
				return false;
			continue;
		}
		if (!skip_any_word(lx))
			lx->pos++;
		if (c == ';')
			return true;
	}
	return false;
}

bool lex_c_definition(struct lexer *lx, struct span *span)
{
	struct lexer ahead = *lx;

	lex_skip_blanks(&ahead);
	uint32_t beg = ahead.pos;

	bool found = skip_word(&ahead, "typedef") ? skip_typedef(&ahead)
		     : skip_word(&ahead, "_Static_assert")
			     ? skip_typedef(&ahead)
			     : skip_tag_word(&ahead) && skip_tagged(&ahead);
	if (!found)
		return false;
	*lx = ahead;
	*span = lex_span(lx, beg, lx->pos);
	return true;
}
