/*
 * Types of a program by their names.
 */
#include "types/dwarf.h"

#include <string.h>

enum { NAME_MAX_LEN = 4096 };

void dwarf_types_init(struct dwarf_types *d, struct arena *a, const struct die_file *file)
{
	*d = (struct dwarf_types){ .file = *file, .arena = a };
}

/* What a definition is found among; DWARF_WHATS: it is none. */
static enum dwarf_what what_of(Dwarf_Die *die)
{
	enum dwarf_what what = DWARF_WHATS;

	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type: what = DWARF_STRUCTS; break;
	case DW_TAG_enumeration_type: what = DWARF_ENUMS; break;
	case DW_TAG_typedef:
	case DW_TAG_base_type: what = DWARF_TYPEDEFS; break;
	default: return DWARF_WHATS;
	}
	return die_flag(die, DW_AT_declaration) ? DWARF_WHATS : what;
}

struct walk {
	/* Returns false to end the walk. scope is "ns::" or "". */
	bool (*fn)(struct walk *w, Dwarf_Die *die, const char *scope, const char *name);
	struct dwarf_types *types;
	enum dwarf_what what; /* looked for */
	const char *name;
	Dwarf_Die *found;
	bool all_consts; /* enumerators are put into the table */
};

static void put_const(struct dwarf_types *d, const char *name, struct dwarf_const *c)
{
	if (!strmap_gets(&d->consts, name))
		strmap_sets(&d->consts, name, c);
}

/* An enumerator is NAME, ns::NAME and ns::enum::NAME. */
static void take_consts(struct dwarf_types *d, Dwarf_Die *whole, const char *scope)
{
	const char *of = die_name(whole);
	Dwarf_Die die;

	if (!die_first(whole, &die))
		return;
	do {
		struct dwarf_const *c;
		const char *name = die_name(&die);
		Dwarf_Attribute a;
		Dwarf_Sword value;

		if (!name || !dwarf_attr(&die, DW_AT_const_value, &a) ||
		    dwarf_formsdata(&a, &value))
			continue;
		c = arena_new(d->arena, struct dwarf_const);
		*c = (struct dwarf_const){ *whole, value };
		put_const(d, name, c);
		if (*scope)
			put_const(d, arena_printf(d->arena, "%s%s", scope, name), c);
		if (of && (*scope || die_flag(whole, DW_AT_enum_class)))
			put_const(d, arena_printf(d->arena, "%s%s::%s", scope, of, name), c);
	} while (die_next(&die));
}

static bool walk_below(struct walk *w, Dwarf_Die *parent, const char *scope, int depth)
{
	Dwarf_Die die;

	if (depth > DIE_DEPTH_MAX || !die_first(parent, &die))
		return true;
	do {
		const char *name = die_name(&die);
		bool is_scope = die_is_scope(&die);

		if (w->all_consts && dwarf_tag(&die) == DW_TAG_enumeration_type)
			take_consts(w->types, &die, scope);
		if (name && strlen(name) < NAME_MAX_LEN && !w->fn(w, &die, scope, name))
			return false;
		if (!is_scope || strlen(scope) > NAME_MAX_LEN || !dwarf_haschildren(&die))
			continue;
		const char *inner =
			name ? arena_printf(w->types->arena, "%s%s::", scope, name) : scope;
		if (!walk_below(w, &die, inner, depth + 1))
			return false;
	} while (die_next(&die));
	return true;
}

static bool take(struct walk *w, Dwarf_Die *die, const char *scope, const char *name)
{
	struct strmap *map;
	enum dwarf_what what = what_of(die);
	Dwarf_Die *copy;

	if (what == DWARF_WHATS)
		return true;
	map = &w->types->names[what];
	const char *full = *scope ? arena_printf(map->arena, "%s%s", scope, name) : name;
	copy = arena_new(map->arena, Dwarf_Die);
	*copy = *die;
	if (!strmap_gets(map, name))
		strmap_sets(map, name, copy);
	if (*scope && !strmap_gets(map, full))
		strmap_sets(map, full, copy);
	return true;
}

static bool compare(struct walk *w, Dwarf_Die *die, const char *scope, const char *name)
{
	size_t len = strlen(scope);
	bool is_it = !strcmp(name, w->name) ||
		     (len && !strncmp(w->name, scope, len) && !strcmp(name, w->name + len));

	if (!is_it || what_of(die) != w->what)
		return true;
	*w->found = *die;
	return false;
}

static bool take_unit(void *arg, Dwarf_Die *unit)
{
	return walk_below(arg, unit, "", 0);
}

static bool find_near(struct dwarf_types *d, Dwarf_Die *near, enum dwarf_what what,
		      const char *name, Dwarf_Die *out)
{
	struct walk w = { compare, d, what, name, out, false };
	Dwarf_Die unit;

	return dwarf_cu_die(near->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) &&
	       !walk_below(&w, &unit, "", 0);
}

static void read_names(struct dwarf_types *d)
{
	struct walk w = { .fn = take, .types = d, .all_consts = true };

	if (d->has_names)
		return;
	d->has_names = true;
	for (int i = 0; i < DWARF_WHATS; i++)
		strmap_init(&d->names[i], d->arena);
	strmap_init(&d->consts, d->arena);
	die_each_unit(&d->file, take_unit, &w);
	die_each_shared_unit(d->file.dwarf, take_unit, &w);
	/* What several files have in common, dwz puts into a file of its own. */
	Dwarf *common = dwarf_getalt(d->file.dwarf);
	if (common)
		die_each_shared_unit(common, take_unit, &w);
}

const struct dwarf_const *dwarf_find_const(struct dwarf_types *d, const char *name)
{
	read_names(d);
	return strmap_gets(&d->consts, name);
}

bool dwarf_find(struct dwarf_types *d, Dwarf_Die *near, enum dwarf_what what, const char *name,
		Dwarf_Die *out)
{
	const Dwarf_Die *die;

	if (near && find_near(d, near, what, name, out))
		return true;
	read_names(d);
	die = strmap_gets(&d->names[what], name);
	if (die)
		*out = *die;
	return die != NULL;
}
