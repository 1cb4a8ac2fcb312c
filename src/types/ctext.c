#include "types/ctext.h"

#include "types/kernel_types.h"

#include <ctype.h>
#include <string.h>

/* Integer names that need no BTF. */
static const struct int_name {
	const char *name;
	uint8_t size;
	bool is_signed;
} int_names[] = {
	{ "u8", 1, false },	  { "__u8", 1, false },	  { "uint8_t", 1, false },
	{ "s8", 1, true },	  { "__s8", 1, true },	  { "int8_t", 1, true },
	{ "u16", 2, false },	  { "__u16", 2, false },  { "uint16_t", 2, false },
	{ "s16", 2, true },	  { "__s16", 2, true },	  { "int16_t", 2, true },
	{ "u32", 4, false },	  { "__u32", 4, false },  { "uint32_t", 4, false },
	{ "s32", 4, true },	  { "__s32", 4, true },	  { "int32_t", 4, true },
	{ "u64", 8, false },	  { "__u64", 8, false },  { "uint64_t", 8, false },
	{ "s64", 8, true },	  { "__s64", 8, true },	  { "int64_t", 8, true },
	{ "size_t", 8, false },	  { "ssize_t", 8, true }, { "loff_t", 8, true },
	{ "pid_t", 4, true },	  { "uid_t", 4, false },  { "gid_t", 4, false },
	{ "umode_t", 2, false },  { "dev_t", 4, false },  { "gfp_t", 4, false },
	{ "sector_t", 8, false }, { "uint", 4, false },	  { "ulong", 8, false },
};

enum word {
	W_IGNORED = 0,
	W_STRUCT = 1 << 0,
	W_UNION = 1 << 1,
	W_ENUM = 1 << 2,
	W_VOID = 1 << 3,
	W_BOOL = 1 << 4,
	W_CHAR = 1 << 5,
	W_SHORT = 1 << 6,
	W_INT = 1 << 7,
	W_LONG = 1 << 8,
	W_SIGNED = 1 << 9,
	W_UNSIGNED = 1 << 10,
	W_INTEGER = W_SHORT | W_INT | W_LONG | W_SIGNED | W_UNSIGNED,
};

static const struct {
	const char *text;
	enum word word;
} known_words[] = {
	{ "const", W_IGNORED },	   { "volatile", W_IGNORED },
	{ "restrict", W_IGNORED }, { "__user", W_IGNORED },
	{ "__rcu", W_IGNORED },	   { "__percpu", W_IGNORED },
	{ "__seg_gs", W_IGNORED }, { "__attribute__", W_IGNORED },
	{ "struct", W_STRUCT },	   { "union", W_UNION },
	{ "enum", W_ENUM },	   { "void", W_VOID },
	{ "bool", W_BOOL },	   { "_Bool", W_BOOL },
	{ "char", W_CHAR },	   { "short", W_SHORT },
	{ "int", W_INT },	   { "long", W_LONG },
	{ "signed", W_SIGNED },	   { "unsigned", W_UNSIGNED },
};

/* What a type without its stars says. */
struct words {
	unsigned seen;	/* enum word */
	char name[128]; /* the word that is none of them, or "" */
};

static void take_word(struct words *ws, const char *w, size_t len)
{
	for (size_t i = 0; i < sizeof(known_words) / sizeof(known_words[0]); i++) {
		const char *text = known_words[i].text;

		if (strlen(text) == len && !memcmp(w, text, len)) {
			ws->seen |= known_words[i].word;
			return;
		}
	}
	if (len < sizeof(ws->name)) {
		memcpy(ws->name, w, len);
		ws->name[len] = '\0';
	}
}

/* Reads the words up to the first star; attribute arguments in parentheses are no words. */
static struct words read_words(const char *s)
{
	struct words ws = {};
	int depth = 0;

	while (*s && *s != '*') {
		size_t len = 0;

		while (isalnum((unsigned char)s[len]) || s[len] == '_')
			len++;
		if (len && !depth)
			take_word(&ws, s, len);
		if (!len) {
			depth += (*s == '(') - (*s == ')');
			len = 1;
		}
		s += len;
	}
	return ws;
}

static const struct type *named_type(struct typetab *tt, const char *name)
{
	for (size_t i = 0; i < sizeof(int_names) / sizeof(int_names[0]); i++) {
		const struct int_name *n = &int_names[i];

		if (!strcmp(n->name, name))
			return type_int(tt, n->size, n->is_signed);
	}

	const struct btf *b = name[0] ? kernel_btf(tt, NULL) : NULL;
	uint32_t id = b ? btf_find(b, BTF_TYPEDEFS, name) : 0;
	return id ? btf_type(tt, b, id) : &type_void;
}

static const struct type *base_type(struct typetab *tt, const struct words *ws)
{
	/* The machine that scry was built for is the one it traces. */
	const bool char_is_signed = (char)-1 < 0;

	if (ws->seen & (W_STRUCT | W_UNION))
		return type_struct_named(tt, ws->name, ws->seen & W_UNION);
	if (ws->seen & W_ENUM)
		return type_int(tt, 4, false);
	if (ws->seen & W_VOID)
		return &type_void;
	if (ws->seen & W_BOOL)
		return &type_bool;
	if (ws->seen == W_CHAR)
		return type_char(tt, char_is_signed);
	if (ws->seen & W_CHAR)
		return type_int(tt, 1, ws->seen & W_SIGNED);
	if (ws->seen & W_INTEGER)
		return type_int(tt,
				ws->seen & W_LONG    ? 8
				: ws->seen & W_SHORT ? 2
						     : 4,
				!(ws->seen & W_UNSIGNED));
	return named_type(tt, ws->name);
}

const struct type *ctext_type(struct typetab *tt, const char *text, enum addr_space as)
{
	struct words ws = read_words(text);
	const struct type *t = base_type(tt, &ws);

	for (const char *star = strchr(text, '*'); star; star = strchr(star + 1, '*'))
		t = type_ptr(tt, t, as);
	return t;
}
