/*
 * cexpr.h - integer constant expressions of C (ISO C11 6.6, and 6.10.1 for #if).
 *
 * Values are 64 bits wide; an operand that is unsigned makes the result unsigned.
 */
#ifndef SCRY_CFRONT_CEXPR_H
#define SCRY_CFRONT_CEXPR_H

#include "cfront/ctok.h"

struct cvalue {
	int64_t v;
	bool is_unsigned;
};

struct cexpr_env {
	struct diags *dx;
	bool directive; /* an #if, else a definition: which messages to use */
	/*
	 * The value of what begins with a name at r: takes its tokens and returns true, or
	 * returns false to have the name reported.
	 */
	bool (*name)(void *arg, struct ctok_reader *r, struct cvalue *out);
	/* Takes "(" type ")" of a cast and gives the type's size in bytes; 0: it is none. */
	uint32_t (*cast)(void *arg, struct ctok_reader *r, bool *is_signed);
	void *arg;
};

/* Reads one expression, without commas; false when it is none (reported). */
bool cexpr_eval(const struct cexpr_env *env, struct ctok_reader *r, struct cvalue *out);

#endif
