#include "cfront/cfront.h"

#include "base/sb.h"
#include "cfront/decl.h"
#include "cfront/define.h"

#include <ctype.h>
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
	cpp_init(&cf->pp, a, &cf->env);
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

bool cfront_include(struct cfront *cf, const char *path, struct diags *dx)
{
	unsigned before = dx->errors;
	const char *text = arena_printf(cf->pp.arena, "\"%s\"", path);

	cf->pp.dx = cf->pp.script_dx = dx;
	cpp_predefine_machine(&cf->pp);
	cpp_include(&cf->pp, text, strlen(text), (struct span){ 0 }, false);
	return dx->errors == before;
}

bool cfront_load(struct cfront *cf, const struct c_item *items, size_t n, struct diags *dx)
{
	unsigned before = dx->errors;

	cf->pp.dx = cf->pp.script_dx = dx;
	cpp_predefine_machine(&cf->pp);
	for (size_t i = 0; i < n; i++) {
		cpp_text(&cf->pp, items[i].text, strlen(items[i].text), items[i].span.beg);
		if (!items[i].directive)
			end_item(cf, items[i].span);
	}
	cpp_finish(&cf->pp);
	if (dx->errors == before)
		decls_read(&cf->decls, dx, &cf->pp.out);
	cf->pp.out.len = 0;
	return dx->errors == before;
}

const struct c_macro *cfront_find_macro(const struct cfront *cf, const char *name)
{
	const struct cpp_macro *m = strmap_gets(&cf->pp.macros, name);

	return m ? &m->pub : NULL;
}

static bool is_member_or_type(const struct ctoks *body, size_t i)
{
	const struct ctok *before = i ? &body->data[i - 1] : NULL;
	const struct ctok *after = i + 1 < body->len ? &body->data[i + 1] : NULL;
	bool open = before && ctok_is(before, "(");

	if (before && (ctok_is(before, ".") || ctok_is(before, "->")))
		return true;
	if (open && i > 1 && ctok_is(&body->data[i - 2], "sizeof"))
		return true;
	return open && after && ctok_is(after, "*") && i + 2 < body->len &&
	       (ctok_is(&body->data[i + 2], ")") || ctok_is(&body->data[i + 2], "*"));
}

static bool is_at(const struct ctoks *body, size_t i, const char *op)
{
	return i < body->len && ctok_is(&body->data[i], op);
}

/* Beside ##, or behind #: the argument's text, not its value. */
static bool is_pasted(const struct ctoks *body, size_t i)
{
	return is_at(body, i + 1, "##") ||
	       (i && (is_at(body, i - 1, "##") || is_at(body, i - 1, "#")));
}

/* The token is a parameter whose argument has a text. */
static bool has_text(const struct cpp_macro *m, size_t i, const char *const *plain)
{
	for (unsigned p = 0; p < m->pub.nparams && plain && i < m->body.len; p++)
		if (!strcmp(m->pub.params[p], m->body.data[i].text))
			return plain[p] != NULL;
	return false;
}

static void macro_token(const struct cpp_macro *m, size_t i, const char *const *plain,
			struct sb *out)
{
	const struct ctok *t = &m->body.data[i];

	for (unsigned p = 0; p < m->pub.nparams; p++) {
		if (strcmp(m->pub.params[p], t->text) != 0)
			continue;
		if (plain && plain[p] && is_pasted(&m->body, i)) {
			bool quoted = i && is_at(&m->body, i - 1, "#");

			sb_printf(out, quoted ? "\"%s\"" : "%s", plain[p]);
			return;
		}
		/* Two pairs: "(a) & b" is a cast in C's grammar. */
		if (plain && plain[p] && is_member_or_type(&m->body, i))
			sb_puts(out, plain[p]);
		else
			sb_printf(out, "((__arg%u))", p);
		return;
	}
	if ((t->kind == C_NUMBER && t->is_integer) || t->kind == C_CHAR)
		sb_printf(out, "%llu%s", (unsigned long long)t->num,
			  t->is_unsigned ? "ul" : "");
	else
		sb_puts(out, t->text);
}

/* The language writes the suffixes of numbers small. */
static void lower_from(struct sb *sb, size_t from)
{
	for (size_t i = from; i < sb->len; i++)
		sb->s[i] = (char)tolower((unsigned char)sb->s[i]);
}

const char *cfront_macro_text(const struct cfront *cf, const struct c_macro *m, struct arena *a,
			      const char *const *plain)
{
	const struct cpp_macro *x = cpp_macro(&cf->pp, m->name);
	struct sb text = {};
	size_t word = 0;

	for (size_t i = 0; i < x->body.len; i++) {
		bool pasted = i && ctok_is(&x->body.data[i - 1], "##");

		if (ctok_is(&x->body.data[i], "##") ||
		    (ctok_is(&x->body.data[i], "#") && has_text(x, i + 1, plain)))
			continue;
		if (!pasted) {
			sb_putc(&text, ' ');
			word = text.len;
		}
		macro_token(x, i, plain, &text);
		if (pasted && isdigit((unsigned char)text.s[word]))
			lower_from(&text, word);
	}
	const char *copy = arena_strdup(a, sb_str(&text));
	sb_free(&text);
	return copy;
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
