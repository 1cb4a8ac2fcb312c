/*
 * layout.h - where the members of a C struct lie.
 *
 * System V x86-64 ABI 3.1.2 (and the like of aarch64 and riscv64): each member at the next
 * multiple of its alignment; a bit-field does not straddle a unit of its declared type; GCC's
 * packed and aligned attributes.
 */
#ifndef SCRY_CFRONT_LAYOUT_H
#define SCRY_CFRONT_LAYOUT_H

#include "types/type.h"

struct attributes {
	bool packed;
	bool user;	/* __user: what the pointer points to */
	uint32_t align; /* aligned(n), 0 = none */
	uint32_t mode;	/* bytes of mode(...), 0 = none */
};

struct layout {
	bool is_union, packed;
	uint32_t pack;	/* the largest alignment of a member, 0: any */
	uint64_t bits;	/* where the next member may begin */
	uint64_t size;	/* bits of the largest member so far */
	uint32_t align; /* bytes */
};

/* Places a member and sets f->bit_off; f->type is complete. */
void layout_member(struct layout *l, struct field *f, const struct attributes *at);
/* A bit-field of width bits; width 0 only moves to the next unit. */
void layout_bits(struct layout *l, struct field *f, uint32_t width,
		 const struct attributes *at);
/* The whole in bytes, with the attributes of the struct itself; 0 when it is too large. */
uint32_t layout_end(struct layout *l, const struct attributes *at);

#endif
