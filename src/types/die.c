#include "types/die.h"

#include <gelf.h>
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

/* libdw does not look if the strings of a file it opened end in a NUL. */
static bool has_sound_strings(Dwarf *dwarf)
{
	Elf *elf = dwarf ? dwarf_getelf(dwarf) : NULL;
	Elf_Scn *scn = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name =
			gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
		const Elf_Data *data;

		if (!name || (strcmp(name, ".debug_str.dwo") != 0 &&
			      strcmp(name, ".debug_info.dwo") != 0))
			continue;
		data = sh.sh_flags & SHF_COMPRESSED ? NULL : elf_getdata(scn, NULL);
		if (!data || !data->d_size || ((const char *)data->d_buf)[data->d_size - 1])
			return false;
	}
	return true;
}

bool die_is_skeleton(Dwarf_Die *unit, const char **file)
{
	Dwarf_Attribute a;

	*file = dwarf_formstring(dwarf_attr(unit, DW_AT_dwo_name, &a));
	if (!*file)
		*file = dwarf_formstring(dwarf_attr(unit, DW_AT_GNU_dwo_name, &a));
	return *file && !dwarf_haschildren(unit);
}

void die_whole_unit(Dwarf_Die *unit)
{
	Dwarf_Die whole;
	const char *file;
	uint8_t kind;

	if (die_is_skeleton(unit, &file) &&
	    !dwarf_cu_info(unit->cu, NULL, &kind, NULL, &whole, NULL, NULL, NULL) &&
	    dwarf_tag(&whole) == DW_TAG_compile_unit &&
	    has_sound_strings(dwarf_cu_getdwarf(whole.cu)))
		*unit = whole;
}

static void each_unit(Dwarf *dwarf, bool want_code, bool (*fn)(void *arg, Dwarf_Die *unit),
		      void *arg)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit;
	uint8_t kind;

	while (!dwarf_get_units(dwarf, cu, &cu, NULL, &kind, &unit, NULL)) {
		bool has_code =
			kind == DW_UT_skeleton ||
			(kind == DW_UT_compile && dwarf_tag(&unit) == DW_TAG_compile_unit);

		if (has_code == want_code && !fn(arg, &unit))
			return;
	}
}

void die_each_root(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	each_unit(dwarf, true, fn, arg);
}

struct each_whole {
	bool (*fn)(void *arg, Dwarf_Die *unit);
	void *arg;
};

static bool call_whole(void *arg, Dwarf_Die *unit)
{
	const struct each_whole *w = arg;

	die_whole_unit(unit);
	return w->fn(w->arg, unit);
}

void die_each_unit(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	struct each_whole w = { fn, arg };

	each_unit(dwarf, true, call_whole, &w);
}

void die_each_shared_unit(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	each_unit(dwarf, false, fn, arg);
}
