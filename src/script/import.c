/*
 * import "path" (reference section 1.5): other files of the language, and headers of C.
 *
 * What an imported file defines stands behind what the script itself defines, so that the
 * script's macros hide those of the same name; its C and its probes stand before the script's,
 * as the import itself does.  A file is read once, however often and from wherever it is
 * imported, which is why circles do no harm.
 */
#include "script/unit.h"

#include "script/foreign.h"
#include "script/parse.h"

#include <string.h>

struct importer {
	struct compiler *c;
	struct script *all;	/* what came of imports so far */
	VEC(const char *) done; /* names of the files read */
	struct macro **macros_tail;
	struct subprog **subprogs_tail;
	struct probe **probes_tail;
};

static void import_list(struct importer *im, const struct script *s, const char *from);

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* The embedded library is always there. */
static bool is_stdlib(const char *path)
{
	return !strcmp(path, "stdlib") || !strncmp(path, "stdlib/", 7);
}

static bool is_done(const struct importer *im, const char *name)
{
	for (size_t i = 0; i < im->done.len; i++)
		if (!strcmp(im->done.data[i], name))
			return true;
	return false;
}

/* A header is one piece of C. */
static void import_header(struct importer *im, const struct source *src)
{
	vec_push(im->c->arena, &im->all->c_items,
		 (struct c_item){
			 .span = { src->base, src->base + src->len },
			 .text = arena_strndup(im->c->arena, src->text, src->len),
		 });
}

static void append(struct importer *im, struct script *s)
{
	struct arena *a = im->c->arena;

	vec_each(i, &s->c_items)
		vec_push(a, &im->all->c_items, *i);
	vec_each(d, &s->map_decls)
		vec_push(a, &im->all->map_decls, *d);
	for (*im->macros_tail = s->macros; *im->macros_tail;)
		im->macros_tail = &(*im->macros_tail)->next;
	for (*im->subprogs_tail = s->subprogs; *im->subprogs_tail;)
		im->subprogs_tail = &(*im->subprogs_tail)->next;
	for (*im->probes_tail = s->probes; *im->probes_tail;)
		im->probes_tail = &(*im->probes_tail)->next;
}

static void import_script(struct importer *im, const struct source *src)
{
	struct compiler *c = im->c;
	struct parse_options opt = { c->opt->params, c->opt->nparams };
	const char *name = src->name;
	struct script *s = parse_script(c->arena, c->dx, src, &opt);

	if (s->config_span.beg)
		diag(c->dx, E0149_IMPORT, s->config_span,
		     "config belongs into the script itself, not into what it imports");
	import_list(im, s, name);
	append(im, s);
}

static void import_file(struct importer *im, const struct import_file *f, struct span span)
{
	struct compiler *c = im->c;

	if (is_done(im, f->id))
		return;
	vec_push(c->arena, &im->done, f->id);
	if (f->is_object) {
		foreign_import(c, f, span);
		return;
	}

	/* A copy: the table of sources moves when it grows. */
	struct source src = *sources_add(c->sources, f->name, f->text, f->len);
	if (ends_with(f->name, ".bt"))
		import_script(im, &src);
	else if (ends_with(f->name, ".h"))
		import_header(im, &src);
	else
		diag(c->dx, E0149_IMPORT, span,
		     arena_printf(c->arena, "unknown import type: %s", f->name));
}

static void import_one(struct importer *im, const struct import *i, const char *from)
{
	struct compiler *c = im->c;
	struct err e = {};

	if (is_stdlib(i->path))
		return;
	if (!c->opt->import) {
		diag(c->dx, E0149_IMPORT, i->span, "there are no files to import from here");
		return;
	}
	const struct import_file *f = c->opt->import(c->opt->import_arg, from, i->path, &e);
	if (!f) {
		struct diag *d = diag(c->dx, E0149_IMPORT, i->span, e.msg);

		diag_hint(d, "%s", e.hint);
	}
	for (; f; f = f->next)
		import_file(im, f, i->span);
}

static void import_list(struct importer *im, const struct script *s, const char *from)
{
	vec_each(i, &s->imports)
		import_one(im, i, from);
	vec_each(i, &s->stmt_imports) {
		if (im->c->cfg->unstable_import == UNSTABLE_ERROR) {
			diag(im->c->dx, E0150_IMPORT_STATEMENT, i->span);
			continue;
		}
		check_stable(im->c, im->c->cfg->unstable_import, i->span,
			     "import among statements", "unstable_import_statement");
		import_one(im, i, from);
	}
}

/* The script itself is not to be read again. */
static void note_self(struct importer *im, const char *name)
{
	const struct compile_options *o = im->c->opt;
	struct err e = {};
	const struct import_file *f = o->import ? o->import(o->import_arg, "", name, &e) : NULL;

	if (f)
		vec_push(im->c->arena, &im->done, f->id);
}

bool load_imports(struct compiler *c, const struct source *src)
{
	unsigned errors = c->dx->errors;
	struct script *s = c->script;
	struct script all = {};
	struct importer im = {
		.c = c,
		.all = &all,
		.macros_tail = &s->macros,
		.subprogs_tail = &s->subprogs,
		.probes_tail = &all.probes,
	};

	if (!s->imports.len && !s->stmt_imports.len)
		return true;
	while (*im.macros_tail)
		im.macros_tail = &(*im.macros_tail)->next;
	while (*im.subprogs_tail)
		im.subprogs_tail = &(*im.subprogs_tail)->next;
	note_self(&im, src->name);
	import_list(&im, s, src->name);

	*im.probes_tail = s->probes;
	s->probes = all.probes;
	vec_each(i, &s->c_items)
		vec_push(c->arena, &all.c_items, *i);
	s->c_items.data = all.c_items.data;
	s->c_items.len = all.c_items.len;
	s->c_items.cap = all.c_items.cap;
	vec_each(d, &all.map_decls)
		vec_push(c->arena, &s->map_decls, *d);
	return c->dx->errors == errors;
}
