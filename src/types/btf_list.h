/*
 * btf_list.h - the records of a BTF file, one by one, as `bpftool btf dump` lists them.
 */
#ifndef SCRY_TYPES_BTF_LIST_H
#define SCRY_TYPES_BTF_LIST_H

#include "base/jw.h"
#include "types/btf.h"

/*
 * Appends the record of a type to out: a line of text and one for each of its items; or, when
 * there is a w, writes an object there. Ids and names in it may be anything.
 */
void btf_list(const struct btf *b, uint32_t id, struct sb *out, struct jw *w);
/* "int f(struct pt * p)": what a function is declared as, in bpftool's form. */
void btf_prototype(const struct btf *b, uint32_t id, struct sb *out);
/* The ids of the BTF's own types are first ... btf_ntypes() - 1; the base has those before. */
uint32_t btf_first_id(const struct btf *b);

#endif
