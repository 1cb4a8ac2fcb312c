/*
 * cfront_load.h - the C at the head of a script, read for a test; no kernel types are known.
 */
#ifndef SCRY_TESTS_CFRONT_LOAD_H
#define SCRY_TESTS_CFRONT_LOAD_H

#include "script_text.h"

struct loaded {
	struct script_text text;
	struct typetab types;
	struct cfront *cf;
	bool ok;
};

/* env may be NULL; its types are set here. */
static inline void load_c(struct loaded *l, const char *text, const struct cfront_env *env)
{
	struct cfront_env own = env ? *env : (struct cfront_env){ 0 };
	auto_sb struct sb all = { 0 };

	sb_puts(&all, text);
	sb_puts(&all, "\nBEGIN { }");
	script_text_parse(&l->text, sb_str(&all));
	typetab_init(&l->types, &l->text.arena);
	l->types.btf_path = "/dev/null";
	own.types = &l->types;
	l->cf = cfront_new(&l->text.arena, &own);
	cfront_predefine(l->cf, "PREDEFINED", "1");
	l->ok = cfront_load(l->cf, l->text.script->c_items.data, l->text.script->c_items.len,
			    &l->text.dx);
}

static inline void unload(struct loaded *l)
{
	script_text_free(&l->text);
}

#define auto_loaded __attribute__((cleanup(unload)))

#endif
