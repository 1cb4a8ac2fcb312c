#include "types/btf_raw.h"

#include <stdlib.h>
#include <string.h>

/*
 * A few names are found fastest by looking at all types in turn; when more are asked, hash
 * tables of type ids are built, one per sort of name.  The name itself is compared in the BTF,
 * far away in memory, so that a slot also holds its hash: most others are passed over by that.
 */
enum { SCANS_MAX = 3 };

enum table_kind { TABLE_TYPES, TABLE_FUNCS, TABLE_CONSTS, TABLES };

struct slot {
	uint32_t id, hash; /* id 0 = free */
};

struct table {
	unsigned scans;
	struct slot *slots; /* a power of two of them */
	uint32_t mask;
};

struct btf_index {
	struct table tables[TABLES];
};

enum {
	STRUCT_KINDS = 1 << BTF_STRUCT | 1 << BTF_UNION,
	ENUM_KINDS = 1 << BTF_ENUM | 1 << BTF_ENUM64,
	TYPEDEF_KINDS = 1 << BTF_TYPEDEF,
	INT_KINDS = 1 << BTF_INT | 1 << BTF_FLOAT,
	FUNC_KINDS = 1 << BTF_FUNC,
};

static const uint32_t what_kinds[BTF_WHATS] = {
	[BTF_STRUCTS] = STRUCT_KINDS, [BTF_ENUMS] = ENUM_KINDS, [BTF_TYPEDEFS] = TYPEDEF_KINDS,
	[BTF_INTS] = INT_KINDS,	      [BTF_FUNCS] = FUNC_KINDS,
};

static const uint32_t table_kinds[TABLES] = {
	[TABLE_TYPES] = STRUCT_KINDS | ENUM_KINDS | TYPEDEF_KINDS | INT_KINDS,
	[TABLE_FUNCS] = FUNC_KINDS,
	[TABLE_CONSTS] = ENUM_KINDS,
};

struct btf_index *btf_index_new(struct arena *a)
{
	return a ? arena_new(a, struct btf_index) : xcalloc(1, sizeof(struct btf_index));
}

void btf_index_free(struct btf_index *ix)
{
	for (int i = 0; ix && i < TABLES; i++)
		free(ix->tables[i].slots);
	free(ix);
}

static bool is_of(const struct raw_type *t, uint32_t kinds)
{
	return kinds >> raw_kind(t) & 1;
}

static bool is_named(const struct btf *b, uint32_t name_off, const char *name)
{
	const char *s = btf_str(b, name_off);

	return s[0] == name[0] && !strcmp(s, name);
}

/* Whether a type is what is searched: has the name, or has an enumerator of that name. */
static bool matches(const struct btf *b, const struct raw_type *t, enum table_kind which,
		    const char *name, int64_t *value)
{
	if (which != TABLE_CONSTS)
		return is_named(b, t->name_off, name);

	for (uint32_t i = 0; i < raw_vlen(t); i++) {
		struct enum_const c = btf_enum_at(b, t, i);

		if (c.name[0] == name[0] && !strcmp(c.name, name)) {
			*value = c.value;
			return true;
		}
	}
	return false;
}

/* FNV-1a, 32 bits; the high bits are folded in, since the low ones alone choose the slot. */
static uint32_t hash_name(const char *s)
{
	uint32_t h = 0x811c9dc5;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x01000193;
	return h ^ h >> 15;
}

static void insert(struct table *t, const char *name, uint32_t id)
{
	uint32_t hash = hash_name(name), i = hash & t->mask;

	if (!name[0])
		return;
	while (t->slots[i].id)
		i = (i + 1) & t->mask;
	t->slots[i] = (struct slot){ id, hash };
}

static uint32_t count_names(const struct btf *b, enum table_kind which)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->ntypes; i++) {
		const struct raw_type *t = btf_own(b, i);

		if (is_of(t, table_kinds[which]))
			n += which == TABLE_CONSTS ? raw_vlen(t) : 1;
	}
	return n;
}

static void build(struct table *t, const struct btf *b, enum table_kind which)
{
	uint32_t names = count_names(b, which), nslots = 8;

	while (nslots / 4 * 3 <= names)
		nslots *= 2;
	t->slots = xcalloc(nslots, sizeof(*t->slots));
	t->mask = nslots - 1;

	for (uint32_t i = 0; i < b->ntypes; i++) {
		const struct raw_type *raw = btf_own(b, i);

		if (!is_of(raw, table_kinds[which]))
			continue;
		if (which != TABLE_CONSTS)
			insert(t, btf_str(b, raw->name_off), b->first_id + i);
		for (uint32_t c = 0; which == TABLE_CONSTS && c < raw_vlen(raw); c++)
			insert(t, btf_enum_at(b, raw, c).name, b->first_id + i);
	}
}

static uint32_t find_own(const struct btf *b, enum table_kind which, uint32_t kinds,
			 const char *name, int64_t *value)
{
	struct table *t = &b->index->tables[which];

	if (b->arena || t->scans < SCANS_MAX) {
		t->scans++;
		for (uint32_t i = 0; i < b->ntypes; i++) {
			const struct raw_type *raw = btf_own(b, i);

			if (is_of(raw, kinds) && matches(b, raw, which, name, value))
				return b->first_id + i;
		}
		return 0;
	}

	if (!t->slots)
		build(t, b, which);

	uint32_t hash = hash_name(name);
	for (uint32_t i = hash & t->mask; t->slots[i].id; i = (i + 1) & t->mask) {
		uint32_t id = t->slots[i].id;

		if (t->slots[i].hash == hash && is_of(btf_at(b, id), kinds) &&
		    matches(b, btf_at(b, id), which, name, value))
			return id;
	}
	return 0;
}

static uint32_t find(const struct btf *b, enum table_kind which, uint32_t kinds,
		     const char *name, int64_t *value)
{
	uint32_t id = 0;

	for (; b && !id && name[0]; b = b->base)
		id = find_own(b, which, kinds, name, value);
	return id;
}

uint32_t btf_find(const struct btf *b, enum btf_what what, const char *name)
{
	enum table_kind which = what == BTF_FUNCS ? TABLE_FUNCS : TABLE_TYPES;

	return find(b, which, what_kinds[what], name, NULL);
}

uint32_t btf_find_type(const struct btf *b, const char *name)
{
	static const enum btf_what order[] = { BTF_STRUCTS, BTF_ENUMS, BTF_TYPEDEFS, BTF_INTS };
	uint32_t id = 0;

	for (size_t i = 0; !id && i < sizeof(order) / sizeof(order[0]); i++)
		id = btf_find(b, order[i], name);
	return id;
}

bool btf_find_const(const struct btf *b, const char *name, int64_t *value, uint32_t *enum_id)
{
	*enum_id = find(b, TABLE_CONSTS, ENUM_KINDS, name, value);
	return *enum_id;
}

void btf_each(const struct btf *b, enum btf_what what,
	      bool (*fn)(void *arg, const struct btf *b, uint32_t id, const char *name),
	      void *arg)
{
	for (uint32_t i = 0; i < b->ntypes; i++) {
		const struct raw_type *t = btf_own(b, i);

		if (!is_of(t, what_kinds[what]))
			continue;

		const char *name = btf_str(b, t->name_off);
		if (name[0] && !fn(arg, b, b->first_id + i, name))
			return;
	}
}
