#include "types/die.h"

#include <stddef.h>
#include <string.h>

bool die_first(Dwarf_Die *die, Dwarf_Die *out)
{
	return dwarf_child(die, out) == 0;
}

bool die_next(Dwarf_Die *die)
{
	Dwarf_Die next;

	if (dwarf_siblingof(die, &next) != 0 || (char *)next.addr <= (char *)die->addr)
		return false;
	*die = next;
	return true;
}

bool die_ref(Dwarf_Die *die, unsigned attr, Dwarf_Die *out)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, attr, &a) && dwarf_formref_die(&a, out);
}

uint64_t die_number(Dwarf_Die *die, unsigned attr, uint64_t fallback)
{
	Dwarf_Attribute a;
	Dwarf_Word n;

	return dwarf_attr_integrate(die, attr, &a) && !dwarf_formudata(&a, &n) ? n : fallback;
}

bool die_flag(Dwarf_Die *die, unsigned attr)
{
	Dwarf_Attribute a;
	bool set;

	return dwarf_attr_integrate(die, attr, &a) && !dwarf_formflag(&a, &set) && set;
}

const char *die_name(Dwarf_Die *die)
{
	Dwarf_Attribute a;

	return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &a));
}

bool die_is_called(Dwarf_Die *die, const char *name)
{
	const char *own = die_name(die), *linked;
	Dwarf_Attribute a;

	if (own && !strcmp(own, name))
		return true;
	linked = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &a));
	return linked && !strcmp(linked, name);
}

bool die_is_scope(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type: return true;
	default: return false;
	}
}

static void each_unit(Dwarf *dwarf, bool want_code, bool (*fn)(void *arg, Dwarf_Die *unit),
		      void *arg)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit;
	uint8_t kind;

	while (!dwarf_get_units(dwarf, cu, &cu, NULL, &kind, &unit, NULL)) {
		bool has_code =
			kind == DW_UT_compile && dwarf_tag(&unit) == DW_TAG_compile_unit;

		if (has_code == want_code && !fn(arg, &unit))
			return;
	}
}

void die_each_unit(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	each_unit(dwarf, true, fn, arg);
}

void die_each_shared_unit(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	each_unit(dwarf, false, fn, arg);
}
