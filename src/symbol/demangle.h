/*
 * demangle.h - names as the C++ and Rust compilers encode them, made readable.
 *
 * By libiberty, whose demanglers add 60 KB to the static program and need no C++ runtime.
 */
#ifndef SCRY_SYMBOL_DEMANGLE_H
#define SCRY_SYMBOL_DEMANGLE_H

/* "ns::f(int)" of "_ZN2ns1fEi", on the heap; NULL when the name is not encoded. */
char *demangle(const char *name);

#endif
