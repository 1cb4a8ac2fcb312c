/*
 * btf_raw.h - the records of a BTF file as they lie in it; for the btf*.c files only.
 *
 * Formats and numbers are those of Documentation/bpf/btf.rst.  Once btf_open() has accepted a
 * file, every record lies inside it with all its items; names and ids inside the records are
 * not trusted: they are followed by btf_str() and btf_at(), which accept any number.
 */
#ifndef SCRY_TYPES_BTF_RAW_H
#define SCRY_TYPES_BTF_RAW_H

#include "types/btf.h"

enum btf_kind {
	BTF_VOID,
	BTF_INT,
	BTF_PTR,
	BTF_ARRAY,
	BTF_STRUCT,
	BTF_UNION,
	BTF_ENUM,
	BTF_FWD,
	BTF_TYPEDEF,
	BTF_VOLATILE,
	BTF_CONST,
	BTF_RESTRICT,
	BTF_FUNC,
	BTF_FUNC_PROTO,
	BTF_VAR,
	BTF_DATASEC,
	BTF_FLOAT,
	BTF_DECL_TAG,
	BTF_TYPE_TAG,
	BTF_ENUM64,
	BTF_KINDS
};

/* The longest chain of typedefs, qualifiers, pointers or arrays that is followed. */
enum { BTF_DEPTH_MAX = 32 };

struct raw_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
	uint32_t type_off, type_len, str_off, str_len; /* offsets count from the header's end */
};

/* Followed by the items of its kind. */
struct raw_type {
	uint32_t name_off;
	uint32_t info;
	union {
		uint32_t size; /* of int, float, struct, union, enum */
		uint32_t type; /* of all others */
	};
};

struct raw_array {
	uint32_t type, index_type, nelems;
};

struct raw_member {
	uint32_t name_off, type, offset;
};

struct raw_enum {
	uint32_t name_off;
	int32_t value;
};

struct raw_enum64 {
	uint32_t name_off, lo, hi;
};

struct raw_param {
	uint32_t name_off, type;
};

struct btf_index;

struct btf {
	const struct btf *base; /* whose ids and strings come before these, or NULL */
	const unsigned char *types;
	const char *strs;
	uint32_t types_len, strs_len;
	uint32_t first_id, ntypes; /* of the own types; ids from 1, or where the base ends */
	uint32_t first_str;	   /* offset of strs[0] */
	uint32_t *offs;		   /* of each own type, from types */
	struct btf_index *index;   /* filled in by lookups */
	void *map;		   /* the file: mapped, or else on the heap; NULL: not owned */
	size_t map_size;
	bool is_mapped;
	struct arena *arena; /* all of it lives there; NULL: on the heap */
};

static inline unsigned raw_kind(const struct raw_type *t)
{
	return t->info >> 24 & 0x1f;
}

static inline uint32_t raw_vlen(const struct raw_type *t)
{
	return t->info & 0xffff;
}

static inline bool raw_flag(const struct raw_type *t)
{
	return t->info >> 31;
}

static inline const void *raw_items(const struct raw_type *t)
{
	return t + 1;
}

/* The own type number i, id first_id + i. */
static inline const struct raw_type *btf_own(const struct btf *b, uint32_t i)
{
	return (const struct raw_type *)(b->types + b->offs[i]);
}

/* The record of a type; that of void for 0 and for ids that do not exist. */
const struct raw_type *btf_at(const struct btf *b, uint32_t id);
/* The text at an offset, "" when there is none. */
const char *btf_str(const struct btf *b, uint32_t off);
/* The id behind typedefs, qualifiers and type tags; void behind too many of them. */
uint32_t btf_strip(const struct btf *b, uint32_t id);
/* The same, but a typedef is kept. */
uint32_t btf_strip_quals(const struct btf *b, uint32_t id);

/* Member i of a struct or union, either encoding of bit-fields undone. */
struct btf_member {
	const char *name;
	uint32_t type, bit_off;
	uint8_t bit_size; /* 0: no bit-field */
};
struct btf_member btf_member_at(const struct btf *b, const struct raw_type *t, uint32_t i);
/* Enumerator i of an enum of either size. */
struct enum_const btf_enum_at(const struct btf *b, const struct raw_type *t, uint32_t i);

/* a: where it lives, or NULL: until btf_index_free(). */
struct btf_index *btf_index_new(struct arena *a);
void btf_index_free(struct btf_index *ix);

#endif
