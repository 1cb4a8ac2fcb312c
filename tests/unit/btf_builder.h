/*
 * btf_builder.h - small BTF files for tests, built record by record.
 *
 *	struct btf_builder bb = {};
 *	uint32_t i = bb_int(&bb, "int", 4, BB_SIGNED);
 *	uint32_t s = bb_struct(&bb, "point", 8, 2);
 *	bb_member(&bb, "x", i, 0);
 *	bb_member(&bb, "y", i, 32);
 *	struct btf *b = bb_open(&bb, NULL);
 *
 * Ids count from 1, or from first_id when the file continues another.
 */
#ifndef SCRY_TESTS_BTF_BUILDER_H
#define SCRY_TESTS_BTF_BUILDER_H

#include "types/btf.h"
#include "types/btf_raw.h"

#include "base/sb.h"

#include <string.h>

enum { BB_SIGNED = 1, BB_CHAR = 2, BB_BOOL = 4 };

struct btf_builder {
	struct sb types, strs, file;
	uint32_t first_id;  /* 0 stands for 1 */
	uint32_t first_str; /* length of the base's strings */
	uint32_t n;	    /* types so far */
};

static inline uint32_t bb_str(struct btf_builder *bb, const char *s)
{
	if (!bb->strs.len)
		sb_putc(&bb->strs, '\0');
	if (!s[0])
		return 0;

	uint32_t off = bb->first_str + (uint32_t)bb->strs.len;
	sb_write(&bb->strs, s, strlen(s) + 1);
	return off;
}

static inline void bb_word(struct btf_builder *bb, uint32_t v)
{
	sb_write(&bb->types, &v, sizeof(v));
}

/* A record without its items; returns its id. */
static inline uint32_t bb_type(struct btf_builder *bb, enum btf_kind kind, const char *name,
			       uint32_t vlen, bool flag, uint32_t size_or_type)
{
	bb_word(bb, bb_str(bb, name));
	bb_word(bb, vlen | (uint32_t)kind << 24 | (uint32_t)flag << 31);
	bb_word(bb, size_or_type);
	return (bb->first_id ? bb->first_id : 1) + bb->n++;
}

static inline uint32_t bb_int(struct btf_builder *bb, const char *name, uint32_t size,
			      uint32_t encoding)
{
	uint32_t id = bb_type(bb, BTF_INT, name, 0, false, size);

	bb_word(bb, encoding << 24 | size * 8);
	return id;
}

/* A pointer, typedef, qualifier or type tag. */
static inline uint32_t bb_ref(struct btf_builder *bb, enum btf_kind kind, const char *name,
			      uint32_t type)
{
	return bb_type(bb, kind, name, 0, false, type);
}

static inline uint32_t bb_array(struct btf_builder *bb, uint32_t type, uint32_t n)
{
	uint32_t id = bb_type(bb, BTF_ARRAY, "", 0, false, 0);

	bb_word(bb, type);
	bb_word(bb, type);
	bb_word(bb, n);
	return id;
}

/* To be followed by n bb_member(). */
static inline uint32_t bb_struct(struct btf_builder *bb, const char *name, uint32_t size,
				 uint32_t n)
{
	return bb_type(bb, BTF_STRUCT, name, n, false, size);
}

static inline void bb_member(struct btf_builder *bb, const char *name, uint32_t type,
			     uint32_t offset)
{
	bb_word(bb, bb_str(bb, name));
	bb_word(bb, type);
	bb_word(bb, offset);
}

/* One parameter of a FUNC_PROTO, one enumerator of an ENUM. */
static inline void bb_pair(struct btf_builder *bb, const char *name, uint32_t v)
{
	bb_word(bb, bb_str(bb, name));
	bb_word(bb, v);
}

/* Puts the file together in bb->file. */
static inline void bb_finish(struct btf_builder *bb)
{
	bb_str(bb, "");

	uint32_t header[] = { 0x0001eb9f,
			      24,
			      0,
			      (uint32_t)bb->types.len,
			      (uint32_t)bb->types.len,
			      (uint32_t)bb->strs.len };
	sb_clear(&bb->file);
	sb_write(&bb->file, header, sizeof(header));
	sb_write(&bb->file, sb_str(&bb->types), bb->types.len);
	sb_write(&bb->file, sb_str(&bb->strs), bb->strs.len);
}

/* The BTF of it, valid until bb_fini(); NULL when the reader refuses it. */
static inline struct btf *bb_open(struct btf_builder *bb, const struct btf *base)
{
	struct err e;

	bb_finish(bb);
	return btf_from_bytes(bb->file.s, bb->file.len, base, &e);
}

static inline void bb_fini(struct btf_builder *bb)
{
	sb_free(&bb->types);
	sb_free(&bb->strs);
	sb_free(&bb->file);
}

#endif
