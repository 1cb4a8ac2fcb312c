#include "cfront/expand.h"

#include <string.h>

/* Replacing must end, whatever the macros say of each other. */
enum { EXPAND_DEPTH_MAX = 100, EXPAND_WORK_MAX = 1 << 16, ARGS_MAX = 127 };

/* A token to be read, or the end of a macro's replacement. */
struct item {
	struct ctok tok;
	struct cpp_macro *ends;
};

struct stream {
	struct cpp *pp;
	unsigned depth;
	VEC(struct item) stack; /* the next one on top */
};

VEC_TYPE(arg_list, struct ctoks);

static void expand(struct cpp *pp, const struct ctoks *in, unsigned depth, struct ctoks *out);

static void push(struct stream *s, const struct ctoks *toks)
{
	for (size_t i = toks->len; i-- > 0;)
		vec_push(s->pp->arena, &s->stack, (struct item){ toks->data[i], NULL });
}

static bool next(struct stream *s, struct ctok *out)
{
	while (s->stack.len) {
		struct item i = s->stack.data[--s->stack.len];

		if (!i.ends) {
			*out = i.tok;
			return true;
		}
		i.ends->busy = false;
	}
	return false;
}

static bool paren_follows(const struct stream *s)
{
	for (size_t i = s->stack.len; i-- > 0;)
		if (!s->stack.data[i].ends)
			return ctok_is(&s->stack.data[i].tok, "(");
	return false;
}

static bool fail(struct cpp *pp, struct span span, const char *text)
{
	diag(pp->dx, E0011_DIRECTIVE, span, text);
	return false;
}

/* "(" args ")"; what is variable belongs to the last one, commas included. */
static bool read_args(struct stream *s, const struct cpp_macro *m, struct span use,
		      struct arg_list *args)
{
	struct arena *a = s->pp->arena;
	unsigned depth = 1;
	struct ctok t;

	next(s, &t);
	vec_push(a, args, (struct ctoks){});
	while (next(s, &t)) {
		depth += ctok_is(&t, "(");
		depth -= ctok_is(&t, ")");
		if (!depth)
			return true;
		if (depth == 1 && ctok_is(&t, ",") &&
		    !(m->variadic && args->len == m->params.len)) {
			if (args->len > ARGS_MAX)
				break;
			vec_push(a, args, (struct ctoks){});
		} else {
			vec_push(a, &vec_last(args), t);
		}
	}
	return fail(s->pp, use, "the macro's arguments do not end");
}

static int param_index(const struct cpp_macro *m, const struct ctok *t)
{
	for (size_t i = 0; i < m->params.len && t->kind == C_NAME; i++)
		if (!strcmp(m->params.data[i], t->text))
			return (int)i;
	return -1;
}

static struct ctok made(struct cpp *pp, const char *text, const struct ctok *like)
{
	struct ctoks one = {};

	ctok_read(pp->arena, pp->dx, text, strlen(text), like->span.beg, &one);
	struct ctok t = one.len ? one.data[0] : *like;
	t.span = like->span;
	t.space_before = like->space_before;
	return t;
}

/* #param: its tokens as a string. */
static struct ctok stringified(struct cpp *pp, const struct ctoks *arg, const struct ctok *like)
{
	struct sb text = {};
	struct ctok t = *like;

	sb_putc(&text, '"');
	for (size_t i = 0; i < arg->len; i++) {
		if (i && arg->data[i].space_before)
			sb_putc(&text, ' ');
		for (const char *c = arg->data[i].text; *c; c++) {
			if (strchr("\"\\", *c) && strchr("\"'", arg->data[i].text[0]))
				sb_putc(&text, '\\');
			sb_putc(&text, *c);
		}
	}
	sb_putc(&text, '"');
	t.kind = C_STRING;
	t.text = arena_strdup(pp->arena, sb_str(&text));
	sb_free(&text);
	return t;
}

static bool too_much(const struct cpp *pp)
{
	return pp->work > EXPAND_WORK_MAX;
}

static void append(struct cpp *pp, struct ctoks *out, const struct ctoks *more)
{
	pp->work += (unsigned)more->len;
	if (too_much(pp))
		return;
	vec_each(t, more)
		vec_push(pp->arena, out, *t);
}

/* x ## y: the last token of out and the first of more become one. */
static void paste(struct cpp *pp, struct ctoks *out, const struct ctoks *more)
{
	struct ctoks rest = { .data = more->data + 1, .len = more->len ? more->len - 1 : 0 };

	if (!more->len)
		return;
	if (!out->len) {
		append(pp, out, more);
		return;
	}
	struct ctok *last = &vec_last(out);
	*last = made(pp, arena_printf(pp->arena, "%s%s", last->text, more->data[0].text), last);
	append(pp, out, &rest);
}

/* One part of a macro's body: a token, #param or param; *i is moved past it. */
static void body_part(struct cpp *pp, const struct cpp_macro *m, const struct arg_list *args,
		      unsigned depth, size_t *i, bool pasted, struct ctoks *out)
{
	const struct ctok *t = &m->body.data[(*i)++];
	const struct ctok *after = *i < m->body.len ? &m->body.data[*i] : NULL;
	bool hash = m->pub.function_like && ctok_is(t, "#") && after;
	int p = param_index(m, hash ? after : t);

	if (hash && p >= 0) {
		++*i;
		vec_push(pp->arena, out, stringified(pp, &args->data[p], t));
	} else if (p < 0) {
		vec_push(pp->arena, out, *t);
	} else if (pasted || (after && ctok_is(after, "##"))) {
		append(pp, out, &args->data[p]);
	} else {
		expand(pp, &args->data[p], depth + 1, out);
	}
}

/* The macro's body with its arguments. */
static void substitute(struct cpp *pp, const struct cpp_macro *m, const struct arg_list *args,
		       unsigned depth, struct ctoks *out)
{
	for (size_t i = 0; i < m->body.len && !too_much(pp);) {
		bool pasted = i && ctok_is(&m->body.data[i], "##") && i + 1 < m->body.len;
		struct ctoks part = {};

		i += pasted;
		body_part(pp, m, args, depth, &i, pasted, &part);
		/* GNU: ", ## args" is nothing when there are no arguments. */
		bool comma = pasted && out->len && ctok_is(&vec_last(out), ",");
		if (comma && !part.len)
			out->len--;
		else if (pasted && !comma)
			paste(pp, out, &part);
		else
			append(pp, out, &part);
	}
}

static bool fill_args(struct cpp *pp, const struct cpp_macro *m, struct arg_list *args,
		      struct span use)
{
	size_t n = m->params.len;

	if (!n && args->len == 1 && !args->data[0].len)
		args->len = 0;
	if (m->variadic && args->len + 1 == n)
		vec_push(pp->arena, args, (struct ctoks){});
	if (args->len != n)
		return fail(pp, use, "the macro takes another number of arguments");
	return true;
}

/* Puts the replacement of a macro's use before what is to be read. */
static bool replace(struct stream *s, struct cpp_macro *m, const struct ctok *use)
{
	struct arg_list args = {};
	struct ctoks body = {};

	if (m->pub.function_like &&
	    (!read_args(s, m, use->span, &args) || !fill_args(s->pp, m, &args, use->span)))
		return false;
	substitute(s->pp, m, &args, s->depth, &body);
	vec_each(t, &body) {
		t->span = use->span;
		t->header = use->header;
		t->from_macro = true;
	}
	if (body.len)
		body.data[0].space_before = use->space_before;
	m->busy = true;
	vec_push(s->pp->arena, &s->stack, (struct item){ .ends = m });
	push(s, &body);
	return true;
}

/* A macro to be replaced here, or NULL; the token may have to stay for good. */
static struct cpp_macro *macro_at(const struct stream *s, struct ctok *t)
{
	struct cpp_macro *m = t->kind == C_NAME && !t->stays ? cpp_macro(s->pp, t->text) : NULL;

	if (!m)
		return NULL;
	if (m->busy)
		t->stays = true;
	return m->busy || (m->pub.function_like && !paren_follows(s)) ? NULL : m;
}

static void expand(struct cpp *pp, const struct ctoks *in, unsigned depth, struct ctoks *out)
{
	struct stream s = { .pp = pp, .depth = depth };
	struct ctok t;

	push(&s, in);
	while (next(&s, &t)) {
		struct cpp_macro *m = macro_at(&s, &t);

		if (!depth && !t.from_macro)
			pp->work = 0;
		if (!m)
			vec_push(pp->arena, out, t);
		else
			replace(&s, m, &t);
		if (depth > EXPAND_DEPTH_MAX || ++pp->work > EXPAND_WORK_MAX) {
			fail(pp, t.span, "macros expand to too much text");
			break;
		}
	}
	while (next(&s, &t)) /* ends what is open */
		;
}

void cpp_expand(struct cpp *pp, const struct ctoks *in, struct ctoks *out)
{
	expand(pp, in, 0, out);
}
