/*
 * cfront.h - the C at the head of a script: #define, #if, and definitions of types.
 *
 * What a script may say in C before its probes (reference: ISO C11 6.7 for declarations, 6.10
 * for directives, the System V x86-64 ABI and GCC's attributes for layout).  One cfront per
 * compile; it reads the C items in order and then answers by name.  What it cannot understand
 * in a file that is included is left out silently: headers say much that nobody asks for.
 *
 *
 *	struct cfront *cf = cfront_new(arena, &env);
 *	cfront_predefine(cf, "BPFTRACE_HAVE_BTF", "1");
 *	if (!cfront_load(cf, items.data, items.len, dx))
 *		return false;
 *	const struct type *t = cfront_find_type(cf, C_STRUCT, "nameidata");
 *
 * Everything lives in the arena.  Types that the script does not define itself are asked from
 * the caller, who may know them from BTF.
 */
#ifndef SCRY_CFRONT_CFRONT_H
#define SCRY_CFRONT_CFRONT_H

#include "base/diag.h"
#include "types/type.h"

/* One preprocessor line, or one C definition with the directives inside it. */
struct c_item {
	struct span span;
	bool directive; /* starts with '#' */
	const char *text;
};

/* The name spaces of C's types: tags by keyword, and plain names (typedefs, base types). */
enum c_tag { C_PLAIN, C_STRUCT, C_UNION, C_ENUM };

/* A file to include: how it is written, and what includes it. */
struct c_header_wish {
	const char *path;
	bool system;		     /* <path>, else "path" */
	bool next;		     /* #include_next: from the folder behind that of from on */
	const struct c_header *from; /* NULL: the script */
};

struct c_header {
	const char *name; /* as messages show it */
	const char *id;	  /* the same for the same file, however it was named */
	const char *text; /* NUL-terminated */
	uint32_t len;
	uint32_t base; /* of the text's first byte in the common space of places, or 0 */
	int dir;       /* the caller's, to find the next folder by */
};

/* What the caller knows; every member but types may be NULL. */
struct cfront_env {
	struct typetab *types;
	/* A type that the script does not define, or NULL. */
	const struct type *(*find_type)(void *arg, enum c_tag tag, const char *name);
	/* An enumerator that the script does not define. */
	bool (*find_const)(void *arg, const char *name, int64_t *value);
	/* Finds and reads a file; false when there is none. */
	bool (*open_header)(void *arg, const struct c_header_wish *wish, struct c_header *out);
	void *arg;
};

/* A #define that is in force at the end of the text. */
struct c_macro {
	const char *name;
	struct span name_span;
	/* The replacement as it stands in the script, ready for parse_expr_text(); len 0: none.
	 */
	struct source text;
	bool function_like; /* #define F(x) ... */
	bool variadic;	    /* the last parameter takes all that follow */
	const char *const *params;
	unsigned nparams;
};

/* An #include that no #if hides. */
struct c_include {
	struct span span;
	const char *path;
	bool system; /* <path>, else "path" */
};

VEC_TYPE(c_includes, struct c_include);

struct cfront;

struct cfront *cfront_new(struct arena *a, const struct cfront_env *env);
/* As if the text began with #define name text; both must outlive cf. */
void cfront_predefine(struct cfront *cf, const char *name, const char *text);

/*
 * As if the text began with #include "path". False with a message when there is no such file.
 */
bool cfront_include(struct cfront *cf, const char *path, struct diags *dx);

/*
 * Reads the items in order; may be called again with more.  All mistakes are reported; returns
 * false when there was any.
 */
bool cfront_load(struct cfront *cf, const struct c_item *items, size_t n, struct diags *dx);

/* The macro of that name, or NULL. Names inside its text are the caller's to resolve. */
const struct c_macro *cfront_find_macro(const struct cfront *cf, const char *name);
/*
 * The macro's text as the language reads it: C's suffixes of numbers and its characters are
 * written out, "__argN" stands for parameter N.  Where a parameter is the name of a member or a
 * type, plain[N] stands there, if it is not NULL.
 */
const char *cfront_macro_text(const struct cfront *cf, const struct c_macro *m, struct arena *a,
			      const char *const *plain);
/*
 * The type the script gives that name, or NULL: the callback is not asked. C_PLAIN finds
 * typedefs; the tag and the type's own keyword must agree.
 */
const struct type *cfront_find_type(const struct cfront *cf, enum c_tag tag, const char *name);
/* An enumerator of the script and the enum it belongs to (of may be NULL). */
bool cfront_find_const(const struct cfront *cf, const char *name, int64_t *value,
		       const struct type **of);
/* What the script wants to include, in order; decide before or after loading, as you like. */
const struct c_includes *cfront_includes(const struct cfront *cf);
/*
 * C's own name of a base type ("unsigned long", "u8", "__u32", "size_t"): the words joined by
 * one space, in any order C allows. NULL when they name none.
 */
const struct type *cfront_base_type(struct typetab *tt, const char *words);

#endif
