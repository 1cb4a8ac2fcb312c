#include "types/dwarf_class.h"

#include <string.h>

enum { ENTRIES_MAX = 4096 };

/* A class under examination. */
struct cxx_class {
	Dwarf_Die die;
	const char *name;
	unsigned *budget; /* entries to look at, of all classes together */
	int depth;
	bool has_copy, has_deleted; /* of the constructors that copy or move */
};

static bool is_nontrivial(Dwarf_Die *type, unsigned *budget, int depth);

/* A class of the name "box" or "box<int>" has constructors of the name "box". */
static bool is_constructor(const struct cxx_class *c, const char *name)
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
static bool is_own_code(struct cxx_class *c, Dwarf_Die *func)
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

static bool is_part_nontrivial(struct cxx_class *c, Dwarf_Die *die)
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
	struct cxx_class c = { *type, die_name(type), budget, depth, false, false };
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

/* Where the numbers lie that a type of Rust is made of. */
struct leaves {
	uint64_t at[2];
	unsigned n; /* 3: more than two, or an array */
	unsigned budget;
};

static void find_leaves(struct leaves *l, Dwarf_Die *type, uint64_t at, int depth)
{
	Dwarf_Die die, part;
	bool is_enum =
		dwarf_tag(type) == DW_TAG_variant_part || dwarf_tag(type) == DW_TAG_variant;

	if (!die_is_scope(type) && !is_enum) {
		if (l->n == 2 && (at == l->at[0] || at == l->at[1]))
			return;
		if (l->n == 1 && at == l->at[0])
			return;
		if (l->n < 2)
			l->at[l->n] = at;
		l->n += l->n < 3;
		return;
	}
	if (depth > DIE_DEPTH_MAX || !die_first(type, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (!l->budget || l->n > 2)
			return;
		l->budget--;
		if (tag == DW_TAG_variant_part || tag == DW_TAG_variant)
			find_leaves(l, &die, at, depth + 1);
		if (tag != DW_TAG_member || !die_ref(&die, DW_AT_type, &part))
			continue;
		if (dwarf_tag(&part) == DW_TAG_array_type)
			l->n = 3;
		else
			find_leaves(l, &part,
				    at + die_number(&die, DW_AT_data_member_location, 0),
				    depth + 1);
	} while (die_next(&die));
}

/*
 * Rust's convention is its own: what is larger than a word comes as an address, unless it is
 * made of two numbers.
 */
static bool is_large_of_rust(Dwarf_Die *type)
{
	enum { WORD = 8 };
	struct leaves l = { .budget = ENTRIES_MAX };
	bool is_array = dwarf_tag(type) == DW_TAG_array_type;
	Dwarf_Word size;
	Dwarf_Die unit;

	if ((!is_array && !die_is_scope(type)) || !dwarf_diecu(type, &unit, NULL, NULL) ||
	    die_number(&unit, DW_AT_language, 0) != DW_LANG_Rust ||
	    dwarf_aggregate_size(type, &size) || size <= WORD)
		return false;
	if (is_array || size > 2 * WORD)
		return true;
	find_leaves(&l, type, 0, 0);
	return l.n > 2;
}

bool dwarf_passed_by_ref(Dwarf_Die *die)
{
	unsigned budget = ENTRIES_MAX;
	Dwarf_Die type, bare;

	/* A word of the type, and not of its typedefs. */
	if (!die_ref(die, DW_AT_type, &type) || dwarf_peel_type(&type, &bare))
		return false;
	if (is_large_of_rust(&bare))
		return true;
	if (dwarf_hasattr(&bare, DW_AT_calling_convention))
		return die_number(&bare, DW_AT_calling_convention, 0) ==
		       DW_CC_pass_by_reference;
	return is_nontrivial(&bare, &budget, 0);
}
