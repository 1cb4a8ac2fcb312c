/*
 * Patterns as text: the common part of POSIX extended and Perl's regular expressions, and
 * globs.  What the others have beyond it is refused at its place, never read as something else.
 */
#include "script/regex.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 100, REPEAT_MAX = 1000 };

struct rx_parser {
	struct arena *arena;
	const char *s;
	size_t at, len;
	bool fold; /* (?i): letters match in both cases */
	unsigned depth;
	struct regex_error *err;
	bool failed;
};

bool regex_is_word(unsigned c)
{
	return c < 0x80 && (isalnum((int)c) || c == '_');
}

static const struct rx *alternatives(struct rx_parser *p);

/* Only the first mistake counts. */
static void fail(struct rx_parser *p, size_t off, size_t len, const char *why)
{
	if (p->failed)
		return;
	p->failed = true;
	*p->err = (struct regex_error){ why, off, len ? len : 1, false };
}

static int peek(const struct rx_parser *p)
{
	return p->at < p->len ? (unsigned char)p->s[p->at] : -1;
}

static bool accept(struct rx_parser *p, const char *text)
{
	size_t n = strlen(text);

	if (p->len - p->at < n || memcmp(p->s + p->at, text, n) != 0)
		return false;
	p->at += n;
	return true;
}

static struct rx *node(struct rx_parser *p, enum rx_kind kind)
{
	struct rx *x = arena_new(p->arena, struct rx);

	x->kind = kind;
	return x;
}

static struct rx *pair(struct rx_parser *p, enum rx_kind kind, const struct rx *a,
		       const struct rx *b)
{
	struct rx *x = node(p, kind);

	x->a = a;
	x->b = b;
	return x;
}

static struct rx *repeat(struct rx_parser *p, const struct rx *a, int min, int max)
{
	struct rx *x = pair(p, RX_REPEAT, a, NULL);

	x->min = min;
	x->max = max;
	return x;
}

static void fold_case(struct byte_set *set)
{
	for (unsigned c = 'a'; c <= 'z'; c++) {
		unsigned upper = c - 'a' + 'A';

		if (byte_set_has(set, c))
			byte_set_add(set, upper);
		else if (byte_set_has(set, upper))
			byte_set_add(set, c);
	}
}

static void complement(struct byte_set *set)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] = ~set->bits[i];
}

static struct rx *set_node(struct rx_parser *p, struct byte_set set, bool negate)
{
	struct rx *x = node(p, RX_SET);
	struct byte_set *copy = arena_new(p->arena, struct byte_set);

	if (p->fold)
		fold_case(&set);
	if (negate)
		complement(&set);
	set.bits[0] &= ~1ull; /* no text has a NUL in it */
	*copy = set;
	x->set = copy;
	return x;
}

static struct rx *byte_node(struct rx_parser *p, unsigned c)
{
	struct byte_set set = {};

	byte_set_add(&set, c);
	return set_node(p, set, false);
}

static struct rx *any_node(struct rx_parser *p)
{
	return set_node(p, (struct byte_set){}, true);
}

/* A character, all of its bytes when it has several. */
static struct rx *char_node(struct rx_parser *p)
{
	unsigned lead = (unsigned char)p->s[p->at++];
	struct rx *x = byte_node(p, lead);

	while (lead >= 0xc0 && p->at < p->len && (p->s[p->at] & 0xc0) == 0x80)
		x = pair(p, RX_CAT, x, byte_node(p, (unsigned char)p->s[p->at++]));
	return x;
}

/* The classes that [:name:] and \d \w \s name. */
static bool in_class(const char *name, size_t len, unsigned c)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} rows[] = {
		{ "alpha", isalpha }, { "digit", isdigit }, { "alnum", isalnum },
		{ "upper", isupper }, { "lower", islower }, { "space", isspace },
		{ "blank", isblank }, { "punct", ispunct }, { "print", isprint },
		{ "graph", isgraph }, { "cntrl", iscntrl }, { "xdigit", isxdigit },
	};

	if (len == 4 && !memcmp(name, "word", 4))
		return regex_is_word(c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strlen(rows[i].name) == len && !memcmp(rows[i].name, name, len))
			return c < 0x80 && rows[i].has((int)c);
	return false;
}

static bool add_class(struct byte_set *set, const char *name, size_t len, bool negate)
{
	bool any = false;

	for (unsigned c = 0; c < 256; c++) {
		bool in = in_class(name, len, c);

		any |= in;
		if (in != negate)
			byte_set_add(set, c);
	}
	return any;
}

/* \d \D \w \W \s \S */
static bool add_escaped_class(struct byte_set *set, int c)
{
	switch (c) {
	case 'd':
	case 'D': return add_class(set, "digit", 5, c == 'D');
	case 'w':
	case 'W': return add_class(set, "word", 4, c == 'W');
	case 's':
	case 'S': return add_class(set, "space", 5, c == 'S');
	default: return false;
	}
}

static int hex_digit(int c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* The byte that an escape stands for, p->at behind the backslash; -1 after an error. */
static int escaped_byte(struct rx_parser *p)
{
	static const char names[] = "ntrfvae", bytes[] = "\n\t\r\f\v\a\033";
	size_t beg = p->at - 1;
	int c = peek(p);
	const char *simple = c > 0 ? strchr(names, c) : NULL;

	if (c < 0) {
		fail(p, beg, 1, "nothing stands behind the \\");
		return -1;
	}
	p->at++;
	if (simple)
		return bytes[simple - names];
	if (c == 'x') {
		int value = 0, n = 0;

		for (; n < 2 && peek(p) > 0 && hex_digit(peek(p)) >= 0; n++)
			value = value * 16 + hex_digit((unsigned char)p->s[p->at++]);
		if (n && value)
			return value;
		fail(p, beg, p->at - beg, n ? "a text has no byte 0" : "\\x wants two digits");
	} else if (isdigit(c)) {
		fail(p, beg, 2,
		     c == '0' ? "a text has no byte 0" : "back references are not supported");
	} else if (isalpha(c)) {
		fail(p, beg, 2, "there is no such escape");
	} else {
		return c;
	}
	return -1;
}

/* [:name:] inside of [], p->at behind "[:". */
static void named_class(struct rx_parser *p, struct byte_set *set)
{
	size_t beg = p->at - 2;
	const char *end = memmem(p->s + p->at, p->len - p->at, ":]", 2);

	if (!end) {
		fail(p, beg, 2, "[: has no :]");
		return;
	}
	size_t n = (size_t)(end - (p->s + p->at));
	if (!add_class(set, p->s + p->at, n, false))
		fail(p, beg, n + 4, "there is no such class");
	p->at += n + 2;
}

/* One end of a range, or a whole class, which gives -1. */
static int class_item(struct rx_parser *p, struct byte_set *set)
{
	size_t beg = p->at;

	if (accept(p, "[:")) {
		named_class(p, set);
		return -1;
	}
	if (accept(p, "[.") || accept(p, "[=")) {
		fail(p, beg, 2, "collating elements are not supported");
		return -1;
	}
	if (accept(p, "\\")) {
		int c = peek(p);

		if (c > 0 && add_escaped_class(set, c)) {
			p->at++;
			return -1;
		}
		if (accept(p, "b"))
			return '\b';
		return escaped_byte(p);
	}
	int c = (unsigned char)p->s[p->at++];
	if (c >= 0x80)
		fail(p, beg, 1,
		     "a class holds bytes, not longer characters; write alternatives (a|b)");
	return c;
}

/* The inside of [ ], p->at behind the '['. */
static const struct rx *class(struct rx_parser *p, bool negate)
{
	struct byte_set set = {};
	size_t beg = p->at - 1 - negate;

	for (bool first = true; first || peek(p) != ']'; first = false) {
		size_t item = p->at;

		if (p->at >= p->len) {
			fail(p, beg, 1, "[ has no ]");
			return NULL;
		}
		int lo = class_item(p, &set), hi = lo;
		if (p->failed)
			return NULL;
		if (peek(p) == '-' && p->at + 1 < p->len && p->s[p->at + 1] != ']') {
			p->at++;
			hi = class_item(p, &set);
			if (!p->failed && (lo < 0 || hi < lo))
				fail(p, item, p->at - item, "a range goes from low to high");
			if (p->failed)
				return NULL;
		}
		for (int c = lo; c >= 0 && c <= hi; c++)
			byte_set_add(&set, (unsigned)c);
	}
	p->at++;
	return set_node(p, set, negate);
}

static const struct rx *escape(struct rx_parser *p)
{
	static const struct {
		char c;
		enum rx_kind kind;
	} assertions[] = {
		{ 'b', RX_WORD }, { 'B', RX_NOT_WORD }, { 'A', RX_BEGIN }, { 'z', RX_END }
	};
	struct byte_set set = {};
	int c = peek(p);

	if (c > 0 && add_escaped_class(&set, c)) {
		p->at++;
		return set_node(p, set, false);
	}
	for (int i = 0; i < 4; i++) {
		if (c == assertions[i].c) {
			p->at++;
			return node(p, assertions[i].kind);
		}
	}
	c = escaped_byte(p);
	return c < 0 ? NULL : byte_node(p, (unsigned char)c);
}

/* "(" has been read. */
static const struct rx *group(struct rx_parser *p)
{
	size_t beg = p->at - 1;

	if (accept(p, "?") && !accept(p, ":")) {
		bool look =
			accept(p, "=") || accept(p, "!") || accept(p, "<=") || accept(p, "<!");

		fail(p, beg, p->at - beg + !look,
		     look ? "lookaround is not supported"
			  : "only (?: ) is supported, and (?i) where the pattern begins");
		return NULL;
	}
	if (++p->depth > DEPTH_MAX) {
		fail(p, beg, 1, "groups are nested too deeply");
		return NULL;
	}
	const struct rx *x = alternatives(p);
	p->depth--;
	if (!accept(p, ")"))
		fail(p, beg, 1, "( has no )");
	return x;
}

static const struct rx *atom(struct rx_parser *p)
{
	size_t beg = p->at;

	switch (peek(p)) {
	case '(': p->at++; return group(p);
	case '[': p->at++; return class(p, accept(p, "^"));
	case '.': p->at++; return any_node(p);
	case '^': p->at++; return node(p, RX_BEGIN);
	case '$': p->at++; return node(p, RX_END);
	case '\\': p->at++; return escape(p);
	case '*':
	case '+':
	case '?': fail(p, beg, 1, "there is nothing to repeat"); return NULL;
	case '{':
		fail(p, beg, 1, "there is nothing to repeat; the sign itself is \\{");
		return NULL;
	default: return char_node(p);
	}
}

static bool number(struct rx_parser *p, int *n)
{
	size_t beg = p->at;

	*n = 0;
	while (peek(p) > 0 && isdigit(peek(p))) {
		*n = *n * 10 + p->s[p->at++] - '0';
		if (*n > REPEAT_MAX) {
			fail(p, beg, p->at - beg, "nothing is repeated more than 1000 times");
			return false;
		}
	}
	return p->at > beg;
}

/* {m} {m,} {m,n}, p->at behind the '{'. */
static void bounds(struct rx_parser *p, int *min, int *max)
{
	size_t beg = p->at - 1;
	bool ok = number(p, min);

	*max = *min;
	if (ok && accept(p, ",") && !number(p, max))
		*max = -1;
	if (!ok || !accept(p, "}"))
		fail(p, beg, p->at - beg, "it is {m}, {m,} or {m,n}; the sign itself is \\{");
	else if (*max >= 0 && *max < *min)
		fail(p, beg, p->at - beg, "a range goes from low to high");
}

static bool quantifier(struct rx_parser *p, int *min, int *max)
{
	*min = 0;
	*max = -1;
	if (accept(p, "*"))
		return true;
	if (accept(p, "+")) {
		*min = 1;
		return true;
	}
	if (accept(p, "?")) {
		*max = 1;
		return true;
	}
	if (!accept(p, "{"))
		return false;
	bounds(p, min, max);
	return true;
}

static bool can_repeat(const struct rx *x)
{
	return x->kind < RX_BEGIN;
}

/* How much is taken first makes no difference to whether it matches: "a*?" is "a*". */
static const struct rx *repeated(struct rx_parser *p)
{
	const struct rx *x = atom(p);
	size_t beg = p->at;
	int min, max;

	if (p->failed || !quantifier(p, &min, &max))
		return x;
	if (!p->failed && !can_repeat(x))
		fail(p, beg, 1, "a place cannot be repeated");
	accept(p, "?");
	beg = p->at;
	if (peek(p) == '+')
		fail(p, beg, 1, "possessive repetition is not supported");
	else if (peek(p) > 0 && strchr("*?{", peek(p)))
		fail(p, beg, 1, "this is repeated already");
	return repeat(p, x, min, max);
}

static const struct rx *sequence(struct rx_parser *p)
{
	const struct rx *x = NULL;

	while (!p->failed && peek(p) >= 0 && peek(p) != '|' && peek(p) != ')') {
		const struct rx *next = repeated(p);

		x = x ? pair(p, RX_CAT, x, next) : next;
	}
	return x ? x : node(p, RX_EMPTY);
}

static const struct rx *alternatives(struct rx_parser *p)
{
	const struct rx *x = sequence(p);

	while (!p->failed && accept(p, "|"))
		x = pair(p, RX_ALT, x, sequence(p));
	return x;
}

static struct rx_parser parser(struct arena *a, const char *s, size_t len,
			       struct regex_error *err)
{
	return (struct rx_parser){ .arena = a, .s = s, .len = len, .err = err };
}

const struct rx *regex_parse(struct arena *a, const char *s, size_t len,
			     struct regex_error *err)
{
	struct rx_parser p = parser(a, s, len, err);

	p.fold = accept(&p, "(?i)");
	const struct rx *x = alternatives(&p);
	if (!p.failed && p.at < len)
		fail(&p, p.at, 1, ") has no (");
	return p.failed ? NULL : x;
}

/* Anything but '*', '?', '[' and '\' stands for itself. */
static const struct rx *glob_atom(struct rx_parser *p)
{
	size_t beg = p->at;

	if (accept(p, "*"))
		return repeat(p, any_node(p), 0, -1);
	if (accept(p, "?"))
		return any_node(p);
	if (accept(p, "["))
		return class(p, accept(p, "!") || accept(p, "^"));
	if (accept(p, "\\") && p->at == p->len) {
		fail(p, beg, 1, "nothing stands behind the \\");
		return NULL;
	}
	return char_node(p);
}

const struct rx *glob_parse(struct arena *a, const char *s, size_t len, struct regex_error *err)
{
	struct rx_parser p = parser(a, s, len, err);
	const struct rx *x = node(&p, RX_BEGIN);

	while (!p.failed && p.at < len)
		x = pair(&p, RX_CAT, x, glob_atom(&p));
	return p.failed ? NULL : pair(&p, RX_CAT, x, node(&p, RX_END));
}
