/*
 * The names of C's base types, in any order that C allows (ISO C11 6.7.2).
 */
#include "cfront/cfront.h"

#include "cfront/base_type.h"
#include "types/ctext.h"

#include <string.h>

enum base_word {
	B_VOID = 1 << 0,
	B_BOOL = 1 << 1,
	B_CHAR = 1 << 2,
	B_SHORT = 1 << 3,
	B_INT = 1 << 4,
	B_LONG = 1 << 5,
	B_LONG_LONG = 1 << 6,
	B_SIGNED = 1 << 7,
	B_UNSIGNED = 1 << 8,
	B_FLOAT = 1 << 9,
	B_DOUBLE = 1 << 10,
};

static const struct {
	const char *text;
	unsigned word;
} base_words[] = {
	{ "void", B_VOID },   { "bool", B_BOOL },	  { "_Bool", B_BOOL },
	{ "char", B_CHAR },   { "short", B_SHORT },	  { "int", B_INT },
	{ "long", B_LONG },   { "signed", B_SIGNED },	  { "__signed__", B_SIGNED },
	{ "float", B_FLOAT }, { "unsigned", B_UNSIGNED }, { "double", B_DOUBLE },
};

/* Words that may stand together, apart from signed or unsigned. */
static const struct {
	unsigned words;
	bool takes_sign;
} base_types[] = {
	{ B_VOID, false },
	{ B_BOOL, false },
	{ B_CHAR, true },
	{ B_SHORT, true },
	{ B_SHORT | B_INT, true },
	{ B_INT, true },
	{ 0, true },
	{ B_LONG, true },
	{ B_LONG | B_INT, true },
	{ B_LONG | B_LONG_LONG, true },
	{ B_LONG | B_LONG_LONG | B_INT, true },
	{ B_FLOAT, false },
	{ B_DOUBLE, false },
	{ B_DOUBLE | B_LONG, false },
};

static unsigned word_bit(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(base_words) / sizeof(*base_words); i++)
		if (strlen(base_words[i].text) == len && !memcmp(base_words[i].text, s, len))
			return base_words[i].word;
	return 0;
}

bool is_base_word(const char *word)
{
	return word_bit(word, strlen(word)) != 0;
}

/* The set of words, 0 when they are no base type. */
static unsigned read_words(const char *s)
{
	unsigned seen = 0;

	for (size_t len; *s; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		unsigned bit = word_bit(s, len);

		if (bit == B_LONG && seen & B_LONG)
			bit = B_LONG_LONG;
		if (!bit || seen & bit)
			return 0;
		seen |= bit;
	}
	return seen;
}

static bool is_type(unsigned seen)
{
	unsigned sign = seen & (B_SIGNED | B_UNSIGNED);

	for (size_t i = 0; seen && i < sizeof(base_types) / sizeof(*base_types); i++)
		if (base_types[i].words == (seen & ~sign))
			return sign != (B_SIGNED | B_UNSIGNED) &&
			       (!sign || base_types[i].takes_sign);
	return false;
}

static const struct type *float_type(struct typetab *tt, unsigned seen)
{
	struct type *t = arena_new(tt->arena, struct type);

	t->kind = T_FLOAT;
	t->size = t->align = seen & B_FLOAT ? 4 : seen & B_LONG ? 16 : 8;
	return t;
}

const struct type *cfront_base_type(struct typetab *tt, const char *words)
{
	unsigned seen = read_words(words);

	if (is_type(seen))
		return seen & (B_FLOAT | B_DOUBLE) ? float_type(tt, seen)
						   : ctext_type(tt, words, AS_NONE);
	if (seen || strchr(words, ' '))
		return NULL;

	const struct type *t = ctext_type(tt, words, AS_NONE);
	return t == &type_void ? NULL : t;
}
