/*
 * btf.h - the kernel's types, from BTF (Documentation/bpf/btf.rst).
 *
 * The file is mapped, not copied (read() where mmap is refused: kernels before 6.16), and one
 * scan notes where each type lies; names are indexed on the first lookup.  The reader checks
 * every offset and id once, on the way in, so a damaged file gives an error and never a crash.
 */
#ifndef SCRY_TYPES_BTF_H
#define SCRY_TYPES_BTF_H

#include "base/err.h"
#include "types/type.h"

struct btf;

#define BTF_KERNEL_PATH "/sys/kernel/btf/vmlinux"

/* Opens a BTF file; base is the BTF it continues (for a module), or NULL. Free with btf_free().
 */
struct btf *btf_open(const char *path, const struct btf *base, struct err *e);
/* The same from 4-byte aligned memory that must outlive the result; nothing is copied. */
struct btf *btf_from_bytes(const void *bytes, size_t size, const struct btf *base,
			   struct err *e);
void btf_free(struct btf *b);
/* A small one that lives as long as the arena, and is not for btf_free(). */
const struct btf *btf_in_arena(struct arena *a, const void *bytes, size_t size, struct err *e);

/* What a name may name. */
enum btf_what { BTF_STRUCTS, BTF_ENUMS, BTF_TYPEDEFS, BTF_INTS, BTF_FUNCS, BTF_WHATS };

/* Number of types, ids are 1 ... n - 1 (0 is void). */
uint32_t btf_ntypes(const struct btf *b);
/* The id of the named struct/union, enum, typedef, integer type or function, the BTF's own
 * before its base's, the lowest of several; 0 when there is none. */
uint32_t btf_find(const struct btf *b, enum btf_what what, const char *name);
/* Any C type name: struct, enum, typedef or integer, in that order; 0 when there is none. */
uint32_t btf_find_type(const struct btf *b, const char *name);
/* Finds an enumerator by name in any enum; *enum_id is its enum. */
bool btf_find_const(const struct btf *b, const char *name, int64_t *value, uint32_t *enum_id);
/* A text of its strings, "" when there is none at that offset. */
const char *btf_text(const struct btf *b, uint32_t off);
/* Name of a type or function, "" for none; belongs to the BTF. */
const char *btf_name(const struct btf *b, uint32_t id);
/* Calls fn for each named type of that sort, in id order, until it returns false; the types of
 * the base are not among them. */
void btf_each(const struct btf *b, enum btf_what what,
	      bool (*fn)(void *arg, const struct btf *b, uint32_t id, const char *name),
	      void *arg);

/*
 * The type with that id, typedefs and qualifiers followed; structs and enums come without their
 * members, which type_fields() fills in when asked. type_tag "user" makes user pointers.
 */
const struct type *btf_type(struct typetab *tt, const struct btf *b, uint32_t id);
/*
 * The variables of a section of data (DATASEC) as a record of size bytes; NULL when id is none.
 */
const struct type *btf_section(struct typetab *tt, const struct btf *b, uint32_t id,
			       uint32_t size);
/* Completes a struct or enum made by btf_type(). */
void btf_complete(struct typetab *tt, struct type *t);

struct btf_param {
	const char *name;
	const struct type *type;
	uint32_t id; /* of the type as written, for btf_print_type_name() */
};
/*
 * Parameters and result of a function: a FUNC or FUNC_PROTO, or a typedef of or pointer to one.
 * Returns the number of parameters, at most max, or -1 when id is no function. Variadic "..."
 * ends the list without an entry. ret may be NULL.
 */
int btf_func_params(struct typetab *tt, const struct btf *b, uint32_t id,
		    struct btf_param *params, int max, const struct type **ret);

/* The id of what such a function returns; 0: nothing, or it is no function. */
uint32_t btf_func_result(const struct btf *b, uint32_t id);
/* Does its list of parameters end in "..."? */
bool btf_func_variadic(const struct btf *b, uint32_t id);

/* The type as C source, as `-l 'struct NAME'` prints it: members with names, no offsets. */
void btf_print_c(const struct btf *b, uint32_t id, struct sb *out);
/* A type's name in C for one parameter or field: "const char *", "struct file *". */
void btf_print_type_name(const struct btf *b, uint32_t id, struct sb *out);

#endif
