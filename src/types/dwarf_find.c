/*
 * Types of a program by their names.
 */
#include "types/dwarf.h"

#include <string.h>

enum { NAME_MAX_LEN = 4096 };

void dwarf_types_init(struct dwarf_types *d, struct arena *a, struct Dwarf *dwarf)
{
	*d = (struct dwarf_types){ .dwarf = dwarf, .arena = a };
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
};

static bool walk_below(struct walk *w, Dwarf_Die *parent, const char *scope, int depth)
{
	Dwarf_Die die;

	if (depth > DIE_DEPTH_MAX || !die_first(parent, &die))
		return true;
	do {
		const char *name = die_name(&die);
		bool is_scope = die_is_scope(&die);

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
	struct walk w = { compare, d, what, name, out };
	Dwarf_Die unit;

	return dwarf_cu_die(near->cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) &&
	       !walk_below(&w, &unit, "", 0);
}

bool dwarf_find(struct dwarf_types *d, Dwarf_Die *near, enum dwarf_what what, const char *name,
		Dwarf_Die *out)
{
	struct walk w = { .fn = take, .types = d };
	const Dwarf_Die *die;

	if (near && find_near(d, near, what, name, out))
		return true;
	if (!d->has_names) {
		d->has_names = true;
		for (int i = 0; i < DWARF_WHATS; i++)
			strmap_init(&d->names[i], d->arena);
		die_each_unit(d->dwarf, take_unit, &w);
	}
	die = strmap_gets(&d->names[what], name);
	if (die)
		*out = *die;
	return die != NULL;
}
