/*
 * btf_value.h - a value of a BTF type as JSON, in the form of bpftool's "formatted".
 *
 * Integers are decimal, 128-bit ones and bit-fields hexadecimal; enumerators have their names;
 * a list of char that ends in a zero and is printable is a text; a section of data is a list of
 * its variables.  Numbers that JSON has no words for are quoted, unless plain is set, which is
 * for people.  Of floating-point numbers, which bpftool does not print, the value is written.
 */
#ifndef SCRY_TYPES_BTF_VALUE_H
#define SCRY_TYPES_BTF_VALUE_H

#include "base/jw.h"
#include "types/btf.h"

/* Bytes of a value of that type; 0: it has none, or is too large. */
size_t btf_value_size(const struct btf *b, uint32_t id);
/* bytes: size of them; parts of the type that lie behind are null. */
void btf_value(struct jw *w, const char *name, const struct btf *b, uint32_t id,
	       const void *bytes, size_t size, bool plain);

#endif
