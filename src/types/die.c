#include "types/die.h"

#include "types/dwp.h"

#include <gelf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* What a section of that name holds, the next behind *scn; false: there is no more. */
static bool next_section(Elf *elf, const char *name, Elf_Scn **scn, const Elf_Data **data)
{
	GElf_Shdr sh;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((*scn = elf_nextscn(elf, *scn))) {
		const char *own =
			gelf_getshdr(*scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (!own || strcmp(own, name) != 0)
			continue;
		*data = sh.sh_flags & SHF_COMPRESSED ? NULL : elf_getdata(*scn, NULL);
		return true;
	}
	return false;
}

static bool ends_in_nul(Elf *elf, const char *name)
{
	Elf_Scn *scn = NULL;
	const Elf_Data *d;

	while (next_section(elf, name, &scn, &d))
		if (!d || !d->d_size || ((const char *)d->d_buf)[d->d_size - 1])
			return false;
	return true;
}

/* libdw does not look if the strings of a file it opened end in a NUL. */
static bool has_sound_strings(Dwarf *dwarf)
{
	Elf *elf = dwarf ? dwarf_getelf(dwarf) : NULL;

	return elf && ends_in_nul(elf, ".debug_str.dwo") && ends_in_nul(elf, ".debug_info.dwo");
}

/* Does it lie in .debug_str, behind which there is room? */
static bool is_string(Dwarf *dwarf, const char *s)
{
	Elf *elf = dwarf_getelf(dwarf);
	Elf_Scn *scn = NULL;
	const Elf_Data *d;

	while (next_section(elf, ".debug_str", &scn, &d))
		if (d && s >= (const char *)d->d_buf && s < (const char *)d->d_buf + d->d_size)
			return true;
	return false;
}

bool die_is_skeleton(Dwarf_Die *unit, const char **file)
{
	Dwarf_Attribute a;

	*file = dwarf_formstring(dwarf_attr(unit, DW_AT_dwo_name, &a));
	if (!*file)
		*file = dwarf_formstring(dwarf_attr(unit, DW_AT_GNU_dwo_name, &a));
	return *file && !dwarf_haschildren(unit);
}

/*
 * libdw opens the file that the skeleton names, and nothing else: for as long as it looks, the
 * name is that of the file in memory. No other string of the skeleton is asked for meanwhile.
 */
static void link_packaged(struct dwp *package, Dwarf_Die *unit, const char *name)
{
	char saved[DIE_NAME_ROOM], *place = (char *)(uintptr_t)name;
	Dwarf_Die whole;
	uint64_t id;
	uint8_t kind;
	int fd;

	if (dwarf_cu_info(unit->cu, NULL, &kind, NULL, NULL, &id, NULL, NULL))
		return;
	fd = dwp_unpack(package, id);
	if (fd < 0)
		return;
	memcpy(saved, place, sizeof(saved));
	snprintf(place, sizeof(saved), "/proc/self/fd/%d", fd);
	dwarf_cu_info(unit->cu, NULL, NULL, NULL, &whole, NULL, NULL, NULL);
	memcpy(place, saved, sizeof(saved));
	close(fd);
}

void die_whole_unit(const struct die_file *f, Dwarf_Die *unit)
{
	Dwarf_Die whole;
	const char *file;
	uint8_t kind;

	if (!die_is_skeleton(unit, &file))
		return;
	if (f->package && is_string(f->dwarf, file))
		link_packaged(f->package, unit, file);
	if (!dwarf_cu_info(unit->cu, NULL, &kind, NULL, &whole, NULL, NULL, NULL) &&
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
	const struct die_file *file;
	bool (*fn)(void *arg, Dwarf_Die *unit);
	void *arg;
};

static bool call_whole(void *arg, Dwarf_Die *unit)
{
	const struct each_whole *w = arg;

	die_whole_unit(w->file, unit);
	return w->fn(w->arg, unit);
}

void die_each_unit(const struct die_file *f, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	struct each_whole w = { f, fn, arg };

	each_unit(f->dwarf, true, call_whole, &w);
}

void die_each_shared_unit(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg)
{
	each_unit(dwarf, false, fn, arg);
}
