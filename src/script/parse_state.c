#include "script/parse_state.h"

#include "script/habit.h"

#include <string.h>

void parser_init(struct parser *p, struct arena *a, struct diags *dx, const struct source *src)
{
	*p = (struct parser){ .arena = a, .dx = dx };
	diags_init(&p->quiet, a, dx->sources);
	p->quiet.muted = true;
	lex_init(&p->lx, a, dx, src);
	p->prev_end = src->base + p->lx.pos;
}

const struct token *parse_peek(struct parser *p)
{
	static const struct token error = { .kind = TOK_ERROR };

	if (p->failed)
		return &error;
	if (!p->have_tok) {
		p->tok = lex_next(&p->lx);
		p->have_tok = true;
	}
	return &p->tok;
}

void parse_pattern_next(struct parser *p)
{
	if (p->failed || p->have_tok)
		return;
	p->tok = lex_pattern(&p->lx);
	p->have_tok = true;
}

struct token parse_next(struct parser *p)
{
	struct token t = *parse_peek(p);

	if (!p->failed) {
		p->have_tok = false;
		p->prev_end = t.span.end;
	}
	return t;
}

bool parse_at(struct parser *p, enum tok kind)
{
	return parse_peek(p)->kind == kind;
}

bool parse_accept(struct parser *p, enum tok kind)
{
	if (!parse_at(p, kind))
		return false;
	parse_next(p);
	return true;
}

/* What is used to be written there elsewhere. */
static void hint_habit(struct parser *p, struct diag *d, const char *wanted,
		       const struct token *found)
{
	const char *text = source_text(p->dx->sources, p->arena, found->span);
	const char *hint = habit_of_syntax(wanted, text);

	if (hint)
		diag_hint(d, "%s", hint);
}

/* Said where the statement ends, not where the next one begins. */
static void missing_semi(struct parser *p)
{
	struct token t = *parse_peek(p);

	hint_habit(p, parse_error(p, (struct span){ p->prev_end, p->prev_end }, "expected ';'"),
		   "';'", &t);
}

bool parse_expect(struct parser *p, enum tok kind)
{
	if (parse_accept(p, kind))
		return true;
	if (kind == TOK_SEMI && !parse_at(p, TOK_ERROR))
		missing_semi(p);
	else if (kind <= TOK_NPARAMS)
		parse_error_expected(p, tok_text(kind));
	else
		parse_error_expected(p, arena_printf(p->arena, "'%s'", tok_text(kind)));
	return false;
}

bool parse_at_name(struct parser *p, const char *name)
{
	const struct token *t = parse_peek(p);

	return t->kind == TOK_IDENT && !strcmp(t->text, name);
}

struct lexer parse_ahead(struct parser *p)
{
	struct lexer ahead = p->lx;

	ahead.dx = &p->quiet;
	ahead.max_errors = p->quiet.errors + LEX_MAX_ERRORS;
	ahead.comments = NULL;
	return ahead;
}

struct span parse_span_from(const struct parser *p, struct span first)
{
	return (struct span){ first.beg, p->prev_end > first.beg ? p->prev_end : first.end };
}

struct diag *parse_error(struct parser *p, struct span span, const char *fmt, ...)
{
	struct diags *dx = p->failed ? &p->quiet : p->dx;
	va_list ap;

	va_start(ap, fmt);
	const char *text = arena_vprintf(p->arena, fmt, ap);
	va_end(ap);
	p->failed = true;
	return diag(dx, E0001_SYNTAX, span, text);
}

static const char *describe(struct parser *p, const struct token *t)
{
	const char *text = source_text(p->dx->sources, p->arena, t->span);

	if (t->kind == TOK_EOF)
		return "end of file";
	if (strlen(text) > 24)
		return tok_text(t->kind);
	return arena_printf(p->arena, "'%s'", text);
}

struct diag *parse_error_expected(struct parser *p, const char *what)
{
	struct token t = *parse_peek(p);

	if (t.kind == TOK_ERROR)
		p->failed = true;
	struct diag *d = parse_error(p, t.span, "expected %s, found %s", what, describe(p, &t));
	hint_habit(p, d, what, &t);
	return d;
}

static void too_deep(struct parser *p, struct span span)
{
	if (!p->failed)
		diag(p->dx, E0009_NESTING, span);
	p->failed = true;
}

bool parse_enter(struct parser *p)
{
	if (++p->depth > PARSE_MAX_DEPTH)
		too_deep(p, parse_peek(p)->span);
	return !p->failed;
}

void parse_leave(struct parser *p)
{
	p->depth--;
}

static void grow(unsigned *height, unsigned below)
{
	if (below >= *height)
		*height = below + 1;
}

static void grow_expr(unsigned *height, const struct expr *e)
{
	if (e)
		grow(height, e->height);
}

struct expr *parse_done(struct parser *p, struct expr *e)
{
	unsigned h = 1;

	grow_expr(&h, e->a);
	grow_expr(&h, e->b);
	grow_expr(&h, e->c);
	grow_expr(&h, e->key);
	for (unsigned i = 0; i < e->nargs; i++)
		grow_expr(&h, e->args[i]);
	if (e->tname)
		grow_expr(&h, e->tname->of);
	if (e->stmt)
		grow(&h, e->stmt->height);
	e->height = h;
	if (h > PARSE_MAX_HEIGHT)
		too_deep(p, e->span);
	return e;
}

struct stmt *parse_done_stmt(struct parser *p, struct stmt *s)
{
	unsigned h = 1;

	grow_expr(&h, s->e);
	grow_expr(&h, s->e2);
	grow_expr(&h, s->target);
	grow_expr(&h, s->value);
	if (s->tname)
		grow_expr(&h, s->tname->of);
	if (s->body)
		grow(&h, s->body->height);
	if (s->els)
		grow(&h, s->els->height);
	for (const struct stmt *x = s->first; x; x = x->next)
		grow(&h, x->height);
	s->height = h;
	if (h > PARSE_MAX_HEIGHT)
		too_deep(p, s->span);
	return s;
}
