/*
 * btf_out.h - BTF and BTF.ext under construction (Documentation/bpf/btf.rst).
 *
 * Types are known by their ids, which are those of the result.
 */
#ifndef SCRY_OBJECT_BTF_OUT_H
#define SCRY_OBJECT_BTF_OUT_H

#include "base/sb.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct btf_out_section {
	uint32_t name;		/* of the ELF section */
	struct sb funcs, lines; /* records of 8 and 16 bytes */
};

struct btf_out {
	struct arena *arena;
	struct sb types, names;
	uint32_t n; /* ids given so far */
	uint32_t ints[2][4];
	VEC(struct btf_out_section) sections;
};

void btf_out_init(struct btf_out *b, struct arena *a);
void btf_out_fini(struct btf_out *b);

/* The offset of a text. */
uint32_t btf_out_text(struct btf_out *b, const char *s, size_t len);
/* size: 1, 2, 4 or 8 */
uint32_t btf_out_int(struct btf_out *b, unsigned size, bool is_signed);
uint32_t btf_out_char(struct btf_out *b);
uint32_t btf_out_ptr(struct btf_out *b, uint32_t to);
uint32_t btf_out_array(struct btf_out *b, uint32_t of, uint32_t n);
/* "int (*)[n]": how a number is written in the description of a map. */
uint32_t btf_out_number(struct btf_out *b, uint32_t n);
/* A struct; btf_out_member() for each of its nmembers must follow at once. */
uint32_t btf_out_struct(struct btf_out *b, const char *name, uint32_t size, unsigned nmembers);
void btf_out_member(struct btf_out *b, const char *name, uint32_t type, uint32_t off);
uint32_t btf_out_var(struct btf_out *b, const char *name, uint32_t type);
/* The same for a section of data and its variables. */
uint32_t btf_out_datasec(struct btf_out *b, const char *name, uint32_t size, unsigned nvars);
void btf_out_secvar(struct btf_out *b, uint32_t var, uint32_t off, uint32_t size);
/* A function int(void). */
uint32_t btf_out_func(struct btf_out *b, const char *name, bool is_static);

/* The infos of an ELF section of programs; at: byte of the section. */
struct btf_out_section *btf_out_infos(struct btf_out *b, const char *section);
void btf_out_func_info(struct btf_out_section *s, uint32_t at, uint32_t func);
void btf_out_line_info(struct btf_out_section *s, uint32_t at, uint32_t file, uint32_t text,
		       uint32_t line, uint32_t col);

void btf_out_finish(struct btf_out *b, struct sb *btf, struct sb *ext);

#endif
