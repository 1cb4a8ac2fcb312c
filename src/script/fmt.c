#include "script/fmt.h"

#include "script/fmt_state.h"
#include "script/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum item_kind { ITEM_C, ITEM_CONFIG, ITEM_IMPORT, ITEM_MAP, ITEM_MACRO, ITEM_FN, ITEM_PROBE };

/* A thing of the file's top, to be written in the order of the source. */
struct item {
	enum item_kind kind;
	struct span span;
	const void *what;
};

VEC_TYPE(items, struct item);

static const char *text_at(const struct fmt *f, uint32_t place)
{
	return f->src->text + (place - f->src->base);
}

const char *fmt_source(const struct fmt *f, struct span span)
{
	return arena_strndup(f->arena, text_at(f, span.beg), span.end - span.beg);
}

static unsigned newlines_between(const struct fmt *f, uint32_t beg, uint32_t end)
{
	unsigned n = 0;

	for (; beg < end; beg++)
		n += *text_at(f, beg) == '\n';
	return n;
}

/* One blank line where the source has some, but none behind an opening brace. */
static void keep_blank_line(struct fmt *f, uint32_t beg)
{
	if (!f->opened && newlines_between(f, f->done, beg) > 1)
		sb_putc(f->out, '\n');
	f->opened = false;
}

void fmt_open(struct fmt *f, uint32_t place)
{
	sb_puts(f->out, "{\n");
	f->indent++;
	f->done = place;
	f->opened = true;
}

void fmt_close(struct fmt *f, uint32_t upto)
{
	fmt_begin_line(f, 0, upto);
	f->opened = false;
	f->indent--;
	sb_fill(f->out, '\t', f->indent);
	sb_putc(f->out, '}');
}

/* The lines of a block comment that go on with a star stay below the first one's. */
static void put_comment(struct fmt *f, struct span span)
{
	const char *s = text_at(f, span.beg), *end = text_at(f, span.end);

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		const char *last = nl ? nl : end, *stop = last;

		while (stop > s && isspace((unsigned char)stop[-1]))
			stop--;
		sb_write(f->out, s, (size_t)(stop - s));
		if (!nl)
			return;
		sb_putc(f->out, '\n');
		for (s = nl + 1; s < end && (*s == ' ' || *s == '\t');)
			s++;
		if (s < end && *s == '*') {
			sb_fill(f->out, '\t', f->indent);
			sb_putc(f->out, ' ');
		} else {
			s = nl + 1;
		}
	}
}

static const struct comment *pending(const struct fmt *f, uint32_t upto)
{
	if (f->next_comment == f->comments.len)
		return NULL;

	const struct comment *c = &f->comments.data[f->next_comment];
	return c->span.beg < upto ? c : NULL;
}

void fmt_begin_line(struct fmt *f, uint32_t beg, uint32_t upto)
{
	for (const struct comment *c; (c = pending(f, upto));) {
		keep_blank_line(f, c->span.beg);
		if (*text_at(f, c->span.beg) != '#') /* "#!" is one where a line starts only */
			sb_fill(f->out, '\t', f->indent);
		put_comment(f, c->span);
		sb_putc(f->out, '\n');
		f->done = f->done > c->span.end ? f->done : c->span.end;
		f->next_comment++;
	}
	if (!beg)
		return;
	keep_blank_line(f, beg);
	sb_fill(f->out, '\t', f->indent);
}

/* Only blanks and closing signs stand between a line's end and the comment behind it. */
static bool is_behind(const struct fmt *f, uint32_t end, const struct comment *c)
{
	size_t n = c->span.beg - end;

	return c->span.beg >= end && strspn(text_at(f, end), " \t;,/)") >= n;
}

void fmt_end_line(struct fmt *f, uint32_t end)
{
	f->done = f->done > end ? f->done : end;
	for (const struct comment *c;
	     (c = pending(f, UINT32_MAX)) && is_behind(f, f->done, c);) {
		sb_putc(f->out, ' ');
		put_comment(f, c->span);
		f->done = c->span.end;
		f->next_comment++;
	}
	sb_putc(f->out, '\n');
}

/* Comments inside the text belong to it. */
static void c_item(struct fmt *f, const struct c_item *c)
{
	fmt_begin_line(f, c->span.beg, c->span.beg);
	sb_puts(f->out, c->text);
	while (pending(f, c->span.end))
		f->next_comment++;
	fmt_end_line(f, c->span.end);
}

static void config(struct fmt *f, const struct script *s)
{
	fmt_begin_line(f, s->config_span.beg, s->config_span.beg);
	sb_puts(f->out, "config = ");
	fmt_open(f, s->config_span.beg);
	vec_each(x, &s->config) {
		fmt_begin_line(f, x->span.beg, x->span.end);
		sb_printf(f->out, "%s = %s;", x->key, fmt_source(f, x->value_span));
		fmt_end_line(f, x->span.end);
	}
	fmt_close(f, s->config_span.end);
	fmt_end_line(f, s->config_span.end);
}

static void import(struct fmt *f, const struct import *i)
{
	const char *text = strchr(fmt_source(f, i->span), '"');
	const char *end = strrchr(text, '"');

	fmt_begin_line(f, i->span.beg, i->span.end);
	sb_printf(f->out, "import %.*s;", (int)(end - text) + 1, text);
	fmt_end_line(f, i->span.end);
}

static void map_decl(struct fmt *f, const struct map_decl *m)
{
	fmt_begin_line(f, m->span.beg, m->span.end);
	sb_printf(f->out, "let %s = %s(%s);", m->name, m->kind, fmt_source(f, m->n_span));
	fmt_end_line(f, m->span.end);
}

/* The body of a macro, function or probe, with the brace on a line of its own. */
static void body(struct fmt *f, const struct stmt *block)
{
	fmt_begin_line(f, 0, block->span.beg);
	fmt_block(f, block, block->span.end - 1);
	fmt_end_line(f, block->span.end);
}

static void macro(struct fmt *f, const struct macro *m)
{
	fmt_begin_line(f, m->span.beg, m->body->span.beg);
	sb_printf(f->out, "macro %s(", m->name);
	for (unsigned i = 0; i < m->nparams; i++)
		sb_printf(f->out, "%s%s", i ? ", " : "", m->params[i]->name);
	sb_puts(f->out, ")\n");
	body(f, m->body);
}

static void subprog(struct fmt *f, const struct subprog *x)
{
	fmt_begin_line(f, x->span.beg, x->body->span.beg);
	sb_printf(f->out, "fn %s(", x->name);
	for (unsigned i = 0; i < x->nparams; i++) {
		sb_printf(f->out, "%s%s : ", i ? ", " : "", x->params[i]);
		fmt_type(f, x->param_types[i]);
	}
	sb_puts(f->out, ") : ");
	fmt_type(f, x->ret);
	sb_putc(f->out, '\n');
	body(f, x->body);
}

static void probe(struct fmt *f, const struct probe *p)
{
	vec_each(ap, &p->points) {
		bool last = ap == &vec_last(&p->points);

		f->done = ap == p->points.data ? f->done : ap->span.beg;
		fmt_begin_line(f, ap->span.beg, ap->span.beg);
		sb_printf(f->out, "%s%s", fmt_source(f, ap->span), last ? "" : ",");
		fmt_end_line(f, ap->span.end);
	}
	if (p->pred) {
		f->done = p->pred->span.beg;
		fmt_begin_line(f, p->pred->span.beg, p->pred->span.end);
		sb_putc(f->out, '/');
		fmt_expr(f, p->pred);
		sb_putc(f->out, '/');
		fmt_end_line(f, p->pred->span.end);
	}
	body(f, p->body);
}

static void add(struct fmt *f, struct items *items, enum item_kind kind, struct span span,
		const void *what)
{
	vec_push(f->arena, items, (struct item){ kind, span, what });
}

static int by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->span.beg > y->span.beg) - (x->span.beg < y->span.beg);
}

static void collect(struct fmt *f, const struct script *s, struct items *items)
{
	vec_each(c, &s->c_items)
		add(f, items, ITEM_C, c->span, c);
	if (s->config_span.beg)
		add(f, items, ITEM_CONFIG, s->config_span, s);
	vec_each(i, &s->imports)
		add(f, items, ITEM_IMPORT, i->span, i);
	vec_each(m, &s->map_decls)
		add(f, items, ITEM_MAP, m->span, m);
	for (const struct macro *m = s->macros; m; m = m->next)
		add(f, items, ITEM_MACRO, m->span, m);
	for (const struct subprog *x = s->subprogs; x; x = x->next)
		add(f, items, ITEM_FN, x->span, x);
	for (const struct probe *p = s->probes; p; p = p->next)
		add(f, items, ITEM_PROBE, p->span, p);
	if (items->len)
		qsort(items->data, items->len, sizeof(*items->data), by_place);
}

static bool has_body(const struct item *x)
{
	return x->kind == ITEM_MACRO || x->kind == ITEM_FN || x->kind == ITEM_PROBE;
}

static void put_item(struct fmt *f, const struct item *x)
{
	switch (x->kind) {
	case ITEM_C: c_item(f, x->what); break;
	case ITEM_CONFIG: config(f, x->what); break;
	case ITEM_IMPORT: import(f, x->what); break;
	case ITEM_MAP: map_decl(f, x->what); break;
	case ITEM_MACRO: macro(f, x->what); break;
	case ITEM_FN: subprog(f, x->what); break;
	case ITEM_PROBE: probe(f, x->what); break;
	}
}

/* The first line when it names an interpreter. */
static void shebang(struct fmt *f)
{
	size_t len = strcspn(f->src->text, "\n");

	if (strncmp(f->src->text, "#!", 2) != 0)
		return;
	sb_write(f->out, f->src->text, len);
	sb_putc(f->out, '\n');
	f->done += (uint32_t)len;
}

bool fmt_script(struct arena *a, struct diags *dx, const struct source *src, struct sb *out)
{
	struct fmt f = {
		.arena = a, .src = src, .done = src->base, .out = out, .opened = true
	};
	const struct parse_options opt = { .comments = &f.comments };
	const struct script *s = parse_script(a, dx, src, &opt);
	struct items items = {};

	if (diag_failed(dx))
		return false;
	shebang(&f);
	collect(&f, s, &items);
	vec_each(x, &items) {
		bool apart = x > items.data && (has_body(x) || has_body(x - 1));
		const struct comment *c = pending(&f, x->span.beg);

		/* A blank line around every body, in front of the comments that belong to it.
		 */
		if (apart && newlines_between(&f, f.done, c ? c->span.beg : x->span.beg) < 2)
			sb_putc(out, '\n');
		put_item(&f, x);
	}
	fmt_begin_line(&f, 0, UINT32_MAX);
	return true;
}
