/*
 * decl.h - C declarations of types: struct, union, enum, typedef (ISO C11 6.7).
 *
 * Reads what the preprocessor left.  All tags that the text defines are known from the start,
 * so that a pointer to a struct defined further down is a pointer to that one and not to the
 * kernel's of the same name.
 */
#ifndef SCRY_CFRONT_DECL_H
#define SCRY_CFRONT_DECL_H

#include "base/strmap.h"
#include "cfront/cfront.h"
#include "cfront/ctok.h"

struct decl_tag {
	enum c_tag tag;
	struct type *type;
	struct span span; /* of its definition */
	bool from_script; /* defined here, not by the caller */
	bool complete;
};

struct decl_const {
	int64_t value;
	const struct type *of;
};

/* What the definitions gave, by name. */
struct decls {
	struct arena *arena;
	const struct cfront_env *env;
	struct strmap tags;	/* struct decl_tag */
	struct strmap typedefs; /* const struct type */
	struct strmap consts;	/* struct decl_const */
};

void decls_init(struct decls *ds, struct arena *a, const struct cfront_env *env);
void decls_read(struct decls *ds, struct diags *dx, const struct ctoks *toks);

#endif
