/*
 * dwarf.h - the types of a program, from its debug information (DWARF 4 and 5, through libdw).
 *
 * Like BTF's, types are made when they are asked for, and structs and enums come without their
 * members, which type_fields() fills in.  C++ classes are structs; what a class inherits is
 * found through a member without a name, or, from virtual bases, by type_member() alone.
 * Whatever a damaged file says, sizes stay in bounds and members inside their struct.
 */
#ifndef SCRY_TYPES_DWARF_H
#define SCRY_TYPES_DWARF_H

#include "base/strmap.h"
#include "types/die.h"
#include "types/type.h"

enum dwarf_what { DWARF_STRUCTS, DWARF_ENUMS, DWARF_TYPEDEFS, DWARF_WHATS };

/* The types of a file by their names; in an arena. */
struct dwarf_types {
	struct die_file file; /* must stay open as long as types are made from it */
	struct arena *arena;
	bool has_names;
	struct strmap names[DWARF_WHATS]; /* to Dwarf_Die *; ask dwarf_find() */
	struct strmap consts;		  /* to struct dwarf_const *; ask dwarf_find_const() */
};

void dwarf_types_init(struct dwarf_types *d, struct arena *a, const struct die_file *file);

/*
 * The definition of that name: in the unit of near, if that is given and has one, else the
 * first in the file. Names in namespaces are known with and without them: "ns::box", "box".
 */
bool dwarf_find(struct dwarf_types *d, Dwarf_Die *near, enum dwarf_what what, const char *name,
		Dwarf_Die *out);

/* An enumerator. */
struct dwarf_const {
	Dwarf_Die whole; /* its enum */
	int64_t value;
};
/* NULL: no enum of the file has one of that name. */
const struct dwarf_const *dwarf_find_const(struct dwarf_types *d, const char *name);

/* The type that an entry stands for, typedefs and qualifiers followed. */
const struct type *dwarf_type(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die);
/* The type of a variable, member or parameter, the result of a function; void when none. */
const struct type *dwarf_type_of(struct typetab *tt, struct dwarf_types *d, Dwarf_Die *die);
/* Completes a struct or enum made by dwarf_type(). */
void dwarf_complete(struct typetab *tt, struct type *t);

/* The name in C of the type that a parameter has: "const char *". */
void dwarf_print_type_of(Dwarf_Die *die, struct sb *out);

#endif
