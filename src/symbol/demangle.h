/*
 * demangle.h - names as the C++ and Rust compilers encode them, made readable.
 *
 * By libiberty, whose demanglers add 60 KB to the static program and need no C++ runtime.
 */
#ifndef SCRY_SYMBOL_DEMANGLE_H
#define SCRY_SYMBOL_DEMANGLE_H

#include <stddef.h>

/* "ns::f(int)" of "_ZN2ns1fEi", on the heap; NULL when the name is not encoded. */
char *demangle(const char *name);

/* Where the parameters begin in a demangled name; its end when it has none. */
size_t demangled_params(const char *name);
/*
 * Where the name begins behind the type of the result, which functions made from a template
 * have in front: "int twice<int>(int)".
 */
size_t demangled_name(const char *name);

#endif
