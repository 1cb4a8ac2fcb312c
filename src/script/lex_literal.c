#include "script/lex_literal.h"

#include <ctype.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

/* What may stand behind a decimal, octal or hexadecimal number. */
static const struct suffix {
	const char *text;
	uint64_t scale; /* of a duration, in nanoseconds */
	uint64_t max;
} suffixes[] = {
	{ "", 1, UINT64_MAX },
	{ "u", 1, UINT32_MAX },
	{ "l", 1, INT64_MAX },
	{ "ll", 1, INT64_MAX },
	{ "ul", 1, UINT64_MAX },
	{ "ull", 1, UINT64_MAX },
	{ "ns", 1, UINT64_MAX },
	{ "us", 1000, UINT64_MAX },
	{ "ms", 1000000, UINT64_MAX },
	{ "s", 1000000000, UINT64_MAX },
	{ "m", 60 * 1000000000ull, UINT64_MAX },
	{ "h", 3600 * 1000000000ull, UINT64_MAX },
	{ "d", 86400 * 1000000000ull, UINT64_MAX },
};

static const char out_of_range[] = "out of range";

static int digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (isxdigit((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return 99;
}

/* Reads digits with single '_' between them; *s is left behind them. */
static const char *read_digits(const char **s, const char *end, unsigned radix, uint64_t *num)
{
	const char *p = *s;

	*num = 0;
	while (p < end && (digit_value(*p) < (int)radix || *p == '_')) {
		if (*p != '_' && (__builtin_mul_overflow(*num, radix, num) ||
				  __builtin_add_overflow(*num, digit_value(*p), num)))
			return out_of_range;
		p++;
	}
	if (p > *s && p[-1] == '_')
		return "'_' stands between digits only";
	*s = p;
	return NULL;
}

/* The exponent of 3e6, behind the e. */
static const char *read_exponent(const char *s, const char *end, uint64_t *num)
{
	uint64_t exponent;
	const char *why;

	if (s == end || *s == '0')
		return "the exponent must start with 1-9";
	why = read_digits(&s, end, 10, &exponent);
	if (why)
		return why;
	if (s < end)
		return "the exponent must be decimal digits";
	for (; exponent > 0; exponent--)
		if (__builtin_mul_overflow(*num, 10, num))
			return out_of_range;
	return NULL;
}

static const char *apply_suffix(const char *s, size_t len, uint64_t *num)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		const struct suffix *x = &suffixes[i];

		if (strlen(x->text) != len || memcmp(x->text, s, len) != 0)
			continue;
		if (*num > x->max || __builtin_mul_overflow(*num, x->scale, num))
			return out_of_range;
		return NULL;
	}
	return "invalid integer suffix";
}

const char *lex_number(const char *s, size_t len, uint64_t *num)
{
	const char *p = s, *end = s + len, *why;
	unsigned radix = 10;

	*num = 0;
	if (len > 2 && p[0] == '0' && (p[1] | 32) == 'x') {
		radix = 16;
		p += 2;
	} else if (len > 1 && p[0] == '0' && (isdigit((unsigned char)p[1]) || p[1] == '_')) {
		radix = 8;
	}

	const char *digits = p;
	why = read_digits(&p, end, radix, num);
	if (why)
		return why;
	if (p == digits)
		return "digits are missing";
	if (radix == 8 && p < end && isdigit((unsigned char)*p))
		return "octal digits are 0-7";
	if (radix == 10 && p < end && (*p | 32) == 'e') {
		if (p != s + 1 || *s == '0')
			return "coefficient part of scientific literal must be 1-9";
		return read_exponent(p + 1, end, num);
	}
	return apply_suffix(p, (size_t)(end - p), num);
}

const char *lex_float_number(const char *s, uint64_t *bits)
{
	char *end;
	double value = strtod(s, &end);

	memcpy(bits, &value, sizeof(value));
	if (*end)
		return "what follows the digits is no exponent";
	return value > DBL_MAX ? out_of_range : NULL;
}

uint64_t lex_param_number(struct diags *dx, const char *text, struct span span)
{
	uint64_t num;
	const char *p = text + 1, *end = p + strlen(p);

	if (read_digits(&p, end, 10, &num) == NULL && p == end && num >= 1 && num <= INT64_MAX)
		return num;
	diag(dx, E0008_POSITIONAL, span,
	     p < end && !isdigit((unsigned char)*p)
		     ? "a positional parameter is $ and a number"
		     : "param $0 is out of integer range [1, 9223372036854775807]");
	return 0;
}

/* Up to max digits of a radix at *pos; the number of them. */
static unsigned escape_digits(const char *text, uint32_t *pos, uint32_t end, unsigned radix,
			      unsigned max, unsigned *value)
{
	unsigned n = 0;

	*value = 0;
	while (n < max && *pos < end && digit_value(text[*pos]) < (int)radix) {
		*value = *value * radix + (unsigned)digit_value(text[(*pos)++]);
		n++;
	}
	return n;
}

/* One escape sequence, *pos behind its backslash; returns the byte. */
static char unescape_one(struct lexer *lx, uint32_t *pos, uint32_t end)
{
	static const char names[] = "ntr\"\\", bytes[] = "\n\t\r\"\\";
	uint32_t beg = *pos;
	char c = lx->text[(*pos)++];
	const char *simple = c ? strchr(names, c) : NULL;
	unsigned value;

	if (simple)
		return bytes[simple - names];
	if (digit_value(c) < 8) {
		*pos = beg;
		escape_digits(lx->text, pos, end, 8, 3, &value);
		if (value <= 255)
			return (char)value;
	} else if (c == 'x' && escape_digits(lx->text, pos, end, 16, 2, &value)) {
		return (char)value;
	}
	diag(lx->dx, E0004_ESCAPE, lex_span(lx, beg - 1, *pos),
	     arena_strndup(lx->arena, lx->text + beg, *pos - beg));
	return '?';
}

const char *lex_unescape(struct lexer *lx, uint32_t beg, uint32_t end, size_t *len)
{
	char *out = arena_alloc(lx->arena, end - beg + 1);
	size_t n = 0;

	while (beg < end) {
		char c = lx->text[beg++];

		out[n++] = c == '\\' ? unescape_one(lx, &beg, end) : c;
	}
	*len = n;
	return out;
}
