#include "probe/usdt_operand.h"

#include "probe/arch.h"
#include "probe/usdt_reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool usdt_at(const struct usdt_reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

bool usdt_take(struct usdt_reader *r, char c)
{
	if (!usdt_at(r, c))
		return false;
	r->at++;
	return true;
}

void usdt_take_word(struct usdt_reader *r, char *out, size_t size)
{
	size_t n = 0;

	while (r->at < r->end && isalnum((unsigned char)*r->at) && n < size - 1)
		out[n++] = *r->at++;
	out[n] = '\0';
}

bool usdt_take_number(struct usdt_reader *r, int64_t *out)
{
	char *end;

	if (r->at == r->end || !isdigit((unsigned char)*r->at))
		return false;
	*out = (int64_t)strtoull(r->at, &end, 0);
	r->at = end;
	return r->at <= r->end;
}

static bool is_symbol_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

bool usdt_take_symbol(struct usdt_reader *r, uint64_t *addr)
{
	char name[256];
	size_t n = 0;

	while (r->at < r->end && is_symbol_char(*r->at) && n < sizeof(name) - 1)
		name[n++] = *r->at++;
	name[n] = '\0';
	return n && r->symbols->find && r->symbols->find(r->symbols->arg, name, addr);
}

bool usdt_take_sum(struct usdt_reader *r, const char *stop, struct usdt_sum *out)
{
	*out = (struct usdt_sum){};
	while (r->at < r->end && !strchr(stop, *r->at)) {
		bool minus = usdt_take(r, '-');
		uint64_t addr;
		int64_t n;

		usdt_take(r, '+');
		if (usdt_take_number(r, &n)) {
			out->value = (int64_t)((uint64_t)out->value +
					       (minus ? -(uint64_t)n : (uint64_t)n));
		} else if (!minus && !out->has_symbol && usdt_take_symbol(r, &addr)) {
			out->value = (int64_t)((uint64_t)out->value + addr);
			out->has_symbol = true;
		} else {
			return false;
		}
	}
	return true;
}

/* "-4@", "8@"; without it the register's width, or a word. "4f@" is floating point. */
static bool take_size(struct usdt_reader *r, struct argloc *out)
{
	const char *mark = memchr(r->at, '@', (size_t)(r->end - r->at));
	int64_t n;

	if (!mark)
		return true;
	out->is_signed = usdt_take(r, '-');
	if (!usdt_take_number(r, &n))
		return false;
	if (usdt_at(r, 'f')) {
		out->why = "is a floating-point number, which is not read";
		return false;
	}
	if (n < 0 || n > 8 || !type_is_int_size((uint32_t)n)) {
		out->why = "is no number of 1, 2, 4 or 8 bytes";
		return false;
	}
	out->size = (uint8_t)n;
	return r->at == mark && usdt_take(r, '@');
}

static struct argloc parse_one(const struct arch *arch, const char *text, size_t len,
			       const struct usdt_symbols *symbols)
{
	struct usdt_reader r = { text, text + len, symbols };
	struct argloc loc = {};

	if (take_size(&r, &loc) && arch->usdt->take_operand(&r, &loc) && r.at == r.end) {
		loc.size = loc.size ? loc.size : 8;
		return loc;
	}
	return (struct argloc){ .kind = LOC_NONE, .why = loc.why };
}

/* The length of the operand at text: up to a blank that is not in brackets. */
static size_t operand_length(const char *text)
{
	size_t len = strcspn(text, " [");

	if (text[len] != '[')
		return len;
	len += strcspn(text + len, "]");
	return len + strcspn(text + len, " ");
}

unsigned usdt_operands_parse(const struct arch *arch, const char *text,
			     const struct usdt_symbols *symbols, struct argloc *out,
			     unsigned max)
{
	unsigned n = 0;

	for (text += strspn(text, " "); *text && n < max; text += strspn(text, " ")) {
		size_t len = operand_length(text);

		out[n++] = parse_one(arch, text, len, symbols);
		text += len;
	}
	return n;
}

bool usdt_operands_need_pc(const struct arch *arch, const char *text)
{
	return arch->usdt->has_symbols(text);
}
