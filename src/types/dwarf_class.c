#include "types/dwarf_class.h"

#include <string.h>

enum { ENTRIES_MAX = 4096 };

/* A class under examination. */
struct class
{
	Dwarf_Die die;
	const char *name;
	unsigned *budget; /* entries to look at, of all classes together */
	int depth;
	bool has_copy, has_deleted; /* of the constructors that copy or move */
};

static bool is_nontrivial(Dwarf_Die *type, unsigned *budget, int depth);

/* A class of the name "box" or "box<int>" has constructors of the name "box". */
static bool is_constructor(const struct class *c, const char *name)
{
	size_t n = strlen(name);

	return c->name && !strncmp(c->name, name, n) && (!c->name[n] || c->name[n] == '<');
}

static bool is_reference_to(Dwarf_Die *param, Dwarf_Die *class)
{
	Dwarf_Die type, bare, target, whole;
	int tag;

	if (!die_ref(param, DW_AT_type, &type) || dwarf_peel_type(&type, &bare))
		return false;
	tag = dwarf_tag(&bare);
	return (tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type) &&
	       die_ref(&bare, DW_AT_type, &target) && !dwarf_peel_type(&target, &whole) &&
	       whole.addr == class->addr;
}

/* Takes it one parameter beside "this", a reference to its class? */
static bool takes_own(Dwarf_Die *func, Dwarf_Die *class)
{
	Dwarf_Die die;
	unsigned n = 0;
	bool is_own = false;

	if (!die_first(func, &die))
		return false;
	do {
		if (dwarf_tag(&die) != DW_TAG_formal_parameter ||
		    die_flag(&die, DW_AT_artificial))
			continue;
		is_own = !n++ && is_reference_to(&die, class);
	} while (die_next(&die));
	return n == 1 && is_own;
}

/* Does a function make its class one that only its own code may copy or end? */
static bool is_own_code(struct class *c, Dwarf_Die *func)
{
	const char *name = die_name(func);
	bool is_default =
		die_number(func, DW_AT_defaulted, DW_DEFAULTED_no) == DW_DEFAULTED_in_class;

	if (die_number(func, DW_AT_virtuality, DW_VIRTUALITY_none) != DW_VIRTUALITY_none)
		return true;
	/* What the compiler made follows from the members, which are looked at themselves. */
	if (!name || die_flag(func, DW_AT_artificial))
		return false;
	if (*name == '~')
		return !is_default;
	if (!is_constructor(c, name) || !takes_own(func, &c->die))
		return false;
	if (die_flag(func, DW_AT_deleted)) {
		c->has_deleted = true;
		return false;
	}
	c->has_copy = true;
	return !is_default;
}

/* The type of a member, and of what an array is made of. */
static bool type_of_member(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Die type;

	for (int i = 0; i < DIE_DEPTH_MAX && die_ref(die, DW_AT_type, &type); i++) {
		if (dwarf_peel_type(&type, out))
			return false;
		if (dwarf_tag(out) != DW_TAG_array_type)
			return true;
		die = out;
	}
	return false;
}

static bool is_part_nontrivial(struct class *c, Dwarf_Die *die)
{
	Dwarf_Die type;

	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram: return is_own_code(c, die);
	case DW_TAG_inheritance:
		if (die_number(die, DW_AT_virtuality, DW_VIRTUALITY_none) != DW_VIRTUALITY_none)
			return true;
		break;
	case DW_TAG_member:
		if (die_flag(die, DW_AT_external) || die_flag(die, DW_AT_declaration))
			return false;
		break;
	default: return false;
	}
	return type_of_member(die, &type) && is_nontrivial(&type, c->budget, c->depth + 1);
}

static bool is_nontrivial(Dwarf_Die *type, unsigned *budget, int depth)
{
	struct class c = { *type, die_name(type), budget, depth, false, false };
	Dwarf_Die die;

	if (!die_is_scope(type) || depth > DIE_DEPTH_MAX || !die_first(type, &die))
		return false;
	do {
		if (!*budget)
			return false;
		--*budget;
		if (is_part_nontrivial(&c, &die))
			return true;
	} while (die_next(&die));
	return c.has_deleted && !c.has_copy;
}

bool dwarf_passed_by_ref(Dwarf_Die *die)
{
	unsigned budget = ENTRIES_MAX;
	Dwarf_Die type, bare;

	/* A word of the type, and not of its typedefs. */
	if (!die_ref(die, DW_AT_type, &type) || dwarf_peel_type(&type, &bare))
		return false;
	if (dwarf_hasattr(&bare, DW_AT_calling_convention))
		return die_number(&bare, DW_AT_calling_convention, 0) ==
		       DW_CC_pass_by_reference;
	return is_nontrivial(&bare, &budget, 0);
}
