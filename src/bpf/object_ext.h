/*
 * object_ext.h - the records that an object file (.BTF.ext) keeps beside its instructions:
 * their lines of source, and what of them depends on the types of the running kernel.
 *
 * What is damaged is left out.
 */
#ifndef SCRY_BPF_OBJECT_EXT_H
#define SCRY_BPF_OBJECT_EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The two sections of an object file; size 0 where one is missing. */
struct object_ext {
	const void *ext, *btf;
	size_t ext_size, btf_size;
};

/* Where in the header of .BTF.ext a part's place and length are. */
enum object_ext_part { EXT_LINES = 16, EXT_CORE = 24 };

/* A walk over the records of one section of instructions. */
struct ext_walk {
	const char *strings, *section;
	uint32_t strings_len;
	const uint8_t *p, *end;
	uint32_t record, left; /* bytes of each; how many are left of a section */
	bool wanted;	       /* it is that section */
};

/* False: there are none whose records have size bytes or more. */
bool ext_walk_begin(struct ext_walk *w, const struct object_ext *info,
		    enum object_ext_part part, uint32_t size, const char *section);
/* The next record, which may not be aligned; NULL behind the last. */
const void *ext_walk_next(struct ext_walk *w);
/* A text of the BTF, "" outside of it. */
const char *ext_walk_text(const struct ext_walk *w, uint32_t off);

#endif
