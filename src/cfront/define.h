/*
 * define.h - the preprocessor: directives, conditions, macros (ISO C11 6.10).
 *
 * Takes the text of the items one after the other and leaves the tokens of the C definitions
 * that are not hidden by an #if, with object-like macros replaced.  A token that came out of a
 * macro has the span of the macro's use.  #include lines are collected, not followed.
 */
#ifndef SCRY_CFRONT_DEFINE_H
#define SCRY_CFRONT_DEFINE_H

#include "base/strmap.h"
#include "cfront/cfront.h"
#include "cfront/ctok.h"

struct cpp_macro {
	struct c_macro pub;
	struct ctoks body;
	bool busy; /* being replaced: its own name stays */
};

struct cpp_cond {
	struct span span; /* of the #if */
	bool active;	  /* this branch counts */
	bool taken;	  /* a branch was, or an outer condition hides them all */
	bool had_else;
};

struct cpp {
	struct arena *arena;
	struct diags *dx;
	struct strmap macros; /* name -> struct cpp_macro, NULL after #undef */
	struct c_includes includes;
	VEC(struct cpp_cond) conds;
	struct ctoks out;
	unsigned work; /* tokens looked at for one use of a macro */
};

void cpp_init(struct cpp *pp, struct arena *a);
void cpp_predefine(struct cpp *pp, const char *name, const char *text);
/* C text with or without lines of directives; base is the place of its first byte. */
void cpp_text(struct cpp *pp, const char *text, size_t len, uint32_t base);
/* At the end: every #if must be closed. */
void cpp_finish(struct cpp *pp);

#endif
