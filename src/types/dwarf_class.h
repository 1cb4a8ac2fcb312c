/*
 * dwarf_class.h - objects of C++ and Rust that are handed over by their address.
 *
 * Of C++ those that only their own code may copy or end (Itanium C++ ABI, 3.1.2.3 and
 * "non-trivial for the purposes of calls"): clang says so of each class, of what GCC wrote it
 * is worked out.  Of Rust those that are larger than a word and more than two numbers.
 */
#ifndef SCRY_TYPES_DWARF_CLASS_H
#define SCRY_TYPES_DWARF_CLASS_H

#include "types/die.h"

/* Is a parameter, or a function's result, such an object? */
bool dwarf_passed_by_ref(Dwarf_Die *die);

#endif
