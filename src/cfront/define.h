/*
 * define.h - the preprocessor: directives, conditions, macros (ISO C11 6.10).
 *
 * Takes the text of the items one after the other and leaves the tokens of the C definitions
 * that are not hidden by an #if, with object-like macros replaced.  A token that came out of a
 * macro has the span of the macro's use.  Files to include are read where the caller finds
 * them (include.c).
 */
#ifndef SCRY_CFRONT_DEFINE_H
#define SCRY_CFRONT_DEFINE_H

#include "base/strmap.h"
#include "cfront/cfront.h"
#include "cfront/ctok.h"

struct cpp_macro {
	struct c_macro pub;
	VEC(const char *) params; /* of a variadic one the last takes the rest */
	bool variadic;
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
	const struct cfront_env *env;
	struct diags *dx; /* in an included file one that nobody reads */
	struct diags *script_dx;
	const struct c_header *header; /* being read; NULL: the script */
	struct span include;	       /* the script's line that led there */
	unsigned depth;		       /* of files in files */
	struct strmap once;	       /* names of files with #pragma once */
	struct strmap macros;	       /* name -> struct cpp_macro, NULL after #undef */
	struct c_includes includes;
	VEC(struct cpp_cond) conds;
	struct ctoks out;
	uint32_t pack; /* of #pragma pack, 0: none */
	VEC(uint32_t) packs;
	unsigned work; /* tokens looked at for one use of a macro */
};

void cpp_init(struct cpp *pp, struct arena *a, const struct cfront_env *env);
void cpp_predefine(struct cpp *pp, const char *name, const char *text);
/* The macro of that name, or NULL. */
struct cpp_macro *cpp_macro(const struct cpp *pp, const char *name);
/* Defines what every compiler for this machine does. */
void cpp_predefine_machine(struct cpp *pp);
/* C text with or without lines of directives; base is the place of its first byte. */
void cpp_text(struct cpp *pp, const char *text, size_t len, uint32_t base);
/* At the end: every #if must be closed. */
void cpp_finish(struct cpp *pp);

/* include.c: #include of what follows the word, with its "" or <>. */
void cpp_include(struct cpp *pp, const char *text, size_t len, struct span span, bool next);
/* Is there such a file? "" or <> around it. */
bool cpp_has_include(struct cpp *pp, const char *text, size_t len);

#endif
