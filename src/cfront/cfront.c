#include "cfront/cfront.h"

#include "cfront/decl.h"
#include "cfront/define.h"

#include <string.h>

struct cfront {
	struct cfront_env env;
	struct cpp pp;
	struct decls decls;
};

struct cfront *cfront_new(struct arena *a, const struct cfront_env *env)
{
	struct cfront *cf = arena_new(a, struct cfront);

	cf->env = *env;
	cpp_init(&cf->pp, a);
	decls_init(&cf->decls, a, &cf->env);
	return cf;
}

void cfront_predefine(struct cfront *cf, const char *name, const char *text)
{
	cpp_predefine(&cf->pp, name, text);
}

/* Definitions may go without their ';' in a script. */
static void end_item(struct cfront *cf, struct span span)
{
	struct ctok semi = { .kind = C_SIGN, .span = { span.end, span.end }, .text = ";" };

	vec_push(cf->pp.arena, &cf->pp.out, semi);
}

bool cfront_load(struct cfront *cf, const struct c_item *items, size_t n, struct diags *dx)
{
	unsigned before = dx->errors;

	cf->pp.dx = dx;
	cf->pp.out.len = 0;
	for (size_t i = 0; i < n; i++) {
		cpp_text(&cf->pp, items[i].text, strlen(items[i].text), items[i].span.beg);
		if (!items[i].directive)
			end_item(cf, items[i].span);
	}
	cpp_finish(&cf->pp);
	if (dx->errors == before)
		decls_read(&cf->decls, dx, &cf->pp.out);
	return dx->errors == before;
}

const struct c_macro *cfront_find_macro(const struct cfront *cf, const char *name)
{
	const struct cpp_macro *m = strmap_gets(&cf->pp.macros, name);

	return m ? &m->pub : NULL;
}

const struct type *cfront_find_type(const struct cfront *cf, enum c_tag tag, const char *name)
{
	if (tag == C_PLAIN)
		return strmap_gets(&cf->decls.typedefs, name);

	const struct decl_tag *x = strmap_gets(&cf->decls.tags, name);
	return x && x->from_script && x->tag == tag ? x->type : NULL;
}

bool cfront_find_const(const struct cfront *cf, const char *name, int64_t *value,
		       const struct type **of)
{
	const struct decl_const *c = strmap_gets(&cf->decls.consts, name);

	if (!c)
		return false;
	*value = c->value;
	if (of)
		*of = c->of;
	return true;
}

const struct c_includes *cfront_includes(const struct cfront *cf)
{
	return &cf->pp.includes;
}
