#include "symbol/elf_go.h"

#include <elf.h>
#include <string.h>

enum { GO_1_16 = 0xfffffffa, GO_1_18 = 0xfffffff0, GO_1_20 = 0xfffffff1 };

/* The words behind the first 8 bytes; Go 1.16 has no TEXT. */
enum { FUNCS, FILES, TEXT, NAMES, UNITS, FILE_NAMES, PCS, TABLE, WORDS };

struct table {
	const uint8_t *bytes;
	size_t size;
	uint64_t text; /* that entries count from */
	uint64_t nfuncs, names, at;
	unsigned width; /* of an entry's two numbers */
};

/* 4 or 8 bytes; false: they are not in the section. */
static bool read_number(const struct table *t, uint64_t at, unsigned width, uint64_t *out)
{
	*out = 0;
	if (at > t->size || width > t->size - at)
		return false;
	memcpy(out, t->bytes + at, width);
	return true;
}

static bool read_header(const struct elf *f, struct table *t)
{
	uint64_t words[WORDS] = {}, magic, shape;
	bool is_old;

	if (!read_number(t, 0, 4, &magic) || !read_number(t, 4, 4, &shape) ||
	    shape >> 24 != 8 || (shape & 0xffff))
		return false;
	is_old = magic == GO_1_16;
	if (!is_old && magic != GO_1_18 && magic != GO_1_20)
		return false;
	for (unsigned i = 0, at = 8; i < WORDS; i++) {
		if (is_old && i == TEXT)
			continue;
		if (!read_number(t, at, 8, &words[i]))
			return false;
		at += 8;
	}
	t->nfuncs = words[FUNCS];
	t->names = words[NAMES];
	t->at = words[TABLE];
	t->width = is_old ? 8 : 4;
	t->text = words[TEXT];
	/* Of programs that are loaded anywhere, the loader fills it in. */
	if (!is_old && !t->text)
		elf_section_addr(f, ".text", &t->text);
	return t->nfuncs <= t->size && t->names <= t->size && t->at <= t->size;
}

/* Function number i; false: the table is broken there. */
static bool read_func(const struct table *t, uint64_t i, struct elf_symbol *out)
{
	uint64_t entry, next, record, name;
	uint64_t at = t->at + 2ull * t->width * i;

	if (!read_number(t, at, t->width, &entry) ||
	    !read_number(t, at + t->width, t->width, &record) ||
	    !read_number(t, at + 2ull * t->width, t->width, &next) || record > t->size ||
	    !read_number(t, t->at + record + t->width, 4, &name) || name >= t->size - t->names)
		return false;
	*out = (struct elf_symbol){ .name = (const char *)t->bytes + t->names + name,
				    .addr = t->text + entry,
				    .size = next > entry ? next - entry : 0,
				    .type = STT_FUNC,
				    .bind = STB_LOCAL };
	return memchr(out->name, '\0', t->size - t->names - name);
}

void elf_go_each_func(const struct elf *f, bool (*fn)(void *arg, const struct elf_symbol *s),
		      void *arg)
{
	struct elf_section s;
	struct elf_symbol func;

	if (!elf_find_section(f, ".gopclntab", &s) &&
	    !elf_find_section(f, ".data.rel.ro.gopclntab", &s))
		return;
	struct table t = { .bytes = (const uint8_t *)s.bytes, .size = s.size };
	if (!read_header(f, &t))
		return;
	for (uint64_t i = 0; i < t.nfuncs && read_func(&t, i, &func); i++)
		if (!fn(arg, &func))
			return;
}
