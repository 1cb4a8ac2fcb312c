/*
 * die.h - walking DWARF's tree of entries safely.
 *
 * libdw checks that what it reads lies inside its section; what it does not notice is an entry
 * whose next one is told to lie before it, and a tree that never ends.
 */
#ifndef SCRY_TYPES_DIE_H
#define SCRY_TYPES_DIE_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

/* Trees nest no deeper than this; what is below is not looked at. */
enum { DIE_DEPTH_MAX = 64 };

/* Bytes that must be there behind .debug_str's when there is a package. */
enum { DIE_NAME_ROOM = 32 };

/* The first entry below die; false: there is none. */
bool die_first(Dwarf_Die *die, Dwarf_Die *out);
/* Replaces die by the next entry on its level; false: it was the last. */
bool die_next(Dwarf_Die *die);

/* The entry that an attribute refers to. */
bool die_ref(Dwarf_Die *die, unsigned attr, Dwarf_Die *out);
/* A number, or fallback when it has none, or one that is computed. */
uint64_t die_number(Dwarf_Die *die, unsigned attr, uint64_t fallback);
bool die_flag(Dwarf_Die *die, unsigned attr);
/* The name, its own or that of the entry that it completes; NULL: none. */
const char *die_name(Dwarf_Die *die);
/* Is that its name, or the one that it was linked by? */
bool die_is_called(Dwarf_Die *die, const char *name);
/* Do functions and types of their own lie below it (namespaces, classes)? */
bool die_is_scope(Dwarf_Die *die);

/*
 * Is that the root of a unit of which all else is in another file (.dwo, gcc -gsplit-dwarf)?
 * Then *file is that file's name.
 */
bool die_is_skeleton(Dwarf_Die *unit, const char **file);

/* The units of a file, and where those are that it has skeletons of. */
struct die_file {
	Dwarf *dwarf;
	struct dwp *package; /* NULL: in files of their own */
};
/* Goes to the root in the other file or the package, if it is there and sound. */
void die_whole_unit(const struct die_file *f, Dwarf_Die *unit);

/* Calls fn with the root entry of every unit that has code until it returns false. */
void die_each_root(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg);
/* The same, with those elsewhere that skeletons stand for. */
void die_each_unit(const struct die_file *f, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg);
/* The same of units that hold what others import, as dwz makes them, and of types. */
void die_each_shared_unit(Dwarf *dwarf, bool (*fn)(void *arg, Dwarf_Die *unit), void *arg);

#endif
