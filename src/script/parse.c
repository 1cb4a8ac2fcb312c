/*
 * The file as a whole: C items, config, imports, probes, macros, functions, maps.
 */
#include "script/parse_state.h"

#include <inttypes.h>
#include <string.h>

static bool at_end(struct parser *p)
{
	return lex_skip_blanks(&p->lx), p->lx.pos >= p->lx.len;
}

/* The text goes on with this name and then a token of that kind. */
static bool at_phrase(struct parser *p, const char *name, enum tok kind)
{
	struct lexer ahead = parse_ahead(p);
	struct token t = lex_next(&ahead);

	return tok_is_word(&t) && !strcmp(t.text, name) && lex_next(&ahead).kind == kind;
}

/* C definitions, config and imports stand before the code. */
static void check_order(struct parser *p, struct span span, const char *what)
{
	struct diag *d;

	if (!p->seen_code)
		return;
	d = diag(p->dx, E0007_ORDER, span, what);
	if (!strncmp(source_text(p->dx->sources, p->arena, span), "# ", 2))
		diag_hint(d, "comments are // ... or /* ... */");
}

static void c_item(struct parser *p, struct span span, bool directive)
{
	const char *text = source_text(p->dx->sources, p->arena, span);

	check_order(p, span, "C definitions");
	if (!strncmp(text, "#!", 2)) {
		diag(p->dx, E0001_SYNTAX, span,
		     "#! names an interpreter only where a line starts");
		return;
	}
	vec_push(p->arena, &p->script->c_items,
		 (struct c_item){
			 .span = span,
			 .directive = directive,
			 .text = text,
		 });
}

static const char *config_value(struct parser *p)
{
	struct token t = *parse_peek(p);

	if (!tok_is_word(&t) && t.kind != TOK_INT && t.kind != TOK_STRING) {
		parse_error_expected(p, "a value");
		return "";
	}
	parse_next(p);
	if (t.kind == TOK_INT)
		return arena_printf(p->arena, "%" PRIu64, t.num);
	return t.kind == TOK_STRING ? t.str.s : t.text;
}

/* ident "=" ( string | integer | "true" | "false" | ident ) */
static void config_entry(struct parser *p)
{
	struct token key = *parse_peek(p);
	struct config_entry x = { .key = key.text };

	if (!tok_is_word(&key)) {
		parse_error_expected(p, "a setting");
		return;
	}
	parse_next(p);
	parse_expect(p, TOK_SET);
	x.value_span = parse_peek(p)->span;
	x.value = config_value(p);
	x.span = parse_span_from(p, key.span);
	if (!p->failed)
		vec_push(p->arena, &p->script->config, x);
}

/* "config" "=" "{" [ entry { ";" entry } [";"] ] "}" */
static void config_block(struct parser *p)
{
	struct span span = parse_next(p).span;

	check_order(p, span, "config");
	if (p->script->config_span.beg) {
		struct diag *d = diag(p->dx, E0010_TWICE, span, "config block");

		diag_note(d, p->script->config_span, "the first one");
	}
	parse_expect(p, TOK_SET);
	parse_expect(p, TOK_LBRACE);
	while (!p->failed && !parse_at(p, TOK_RBRACE)) {
		config_entry(p);
		if (!parse_at(p, TOK_RBRACE))
			parse_expect(p, TOK_SEMI);
		if (p->failed)
			parse_recover(p);
	}
	parse_expect(p, TOK_RBRACE);
	p->script->config_span = parse_span_from(p, span);
}

/* "import" string ";" */
static void import(struct parser *p)
{
	struct import x = { .span = parse_next(p).span };

	x.path = parse_next(p).str.s;
	parse_expect(p, TOK_SEMI);
	x.span = parse_span_from(p, x.span);
	check_order(p, x.span, "imports");
	vec_push(p->arena, &p->script->imports, x);
}

/* "let" map "=" ident "(" integer ")" ";" */
static void map_decl(struct parser *p)
{
	struct map_decl x = { .span = parse_next(p).span };
	struct token t = *parse_peek(p);

	if (t.kind != TOK_MAP) {
		diag_hint(parse_error_expected(p, "a map"),
			  "outside probes let declares maps: let @name = lruhash(100);");
		return;
	}
	x.name = parse_next(p).text;
	parse_expect(p, TOK_SET);
	t = *parse_peek(p);
	x.kind = t.text;
	x.kind_span = t.span;
	parse_expect(p, TOK_IDENT);
	parse_expect(p, TOK_LPAREN);
	x.n = parse_peek(p)->num;
	x.n_span = parse_peek(p)->span;
	parse_expect(p, TOK_INT);
	parse_expect(p, TOK_RPAREN);
	parse_expect(p, TOK_SEMI);
	x.span = parse_span_from(p, x.span);
	if (!p->failed)
		vec_push(p->arena, &p->script->map_decls, x);
}

static struct expr *macro_param(struct parser *p)
{
	struct token t = *parse_peek(p);
	enum expr_kind kind = t.kind == TOK_VAR ? E_VAR : t.kind == TOK_MAP ? E_MAP : E_NAME;
	struct expr *e = parse_new_expr(p, kind, t.span);

	if (kind == E_NAME && t.kind != TOK_IDENT) {
		parse_error_expected(p, "a parameter");
		return e;
	}
	e->name = parse_next(p).text;
	e->name_span = t.span;
	return parse_done(p, e);
}

/* "macro" ident "(" [ mparam { "," mparam } ] ")" "{" body "}" */
static void macro(struct parser *p)
{
	struct macro *m = arena_new(p->arena, struct macro);
	VEC(struct expr *) params = {};

	m->span = parse_next(p).span;
	m->name = parse_next(p).text;
	parse_expect(p, TOK_LPAREN);
	if (!parse_at(p, TOK_RPAREN)) {
		do
			vec_push(p->arena, &params, macro_param(p));
		while (parse_accept(p, TOK_COMMA));
	}
	parse_expect(p, TOK_RPAREN);
	m->params = params.data;
	m->nparams = (unsigned)params.len;
	m->body = parse_block(p);
	parse_block_is_value(p, m->body);
	m->span = parse_span_from(p, m->span);
	*p->macros_tail = m;
	p->macros_tail = &m->next;
	p->seen_code = true;
}

/* "(" [ variable ":" type { "," variable ":" type } ] ")" */
static void subprog_params(struct parser *p, struct subprog *f)
{
	VEC(const char *) names = {};
	VEC(struct type_name *) types = {};

	parse_expect(p, TOK_LPAREN);
	if (!parse_at(p, TOK_RPAREN)) {
		do {
			const char *name = parse_peek(p)->text;

			parse_expect(p, TOK_VAR);
			parse_expect(p, TOK_COLON);
			vec_push(p->arena, &names, name);
			vec_push(p->arena, &types, parse_type(p));
		} while (parse_accept(p, TOK_COMMA));
	}
	parse_expect(p, TOK_RPAREN);
	f->params = names.data;
	f->param_types = types.data;
	f->nparams = (unsigned)names.len;
}

/* "fn" ident "(" params ")" ":" type "{" body "}" */
static void subprog(struct parser *p)
{
	struct subprog *f = arena_new(p->arena, struct subprog);

	f->span = parse_next(p).span;
	f->name = parse_next(p).text;
	subprog_params(p, f);
	parse_expect(p, TOK_COLON);
	f->ret = parse_type(p);
	f->head = parse_span_from(p, f->span);
	f->body = parse_block(p);
	parse_block_is_value(p, f->body);
	f->span = parse_span_from(p, f->span);
	*p->subprogs_tail = f;
	p->subprogs_tail = &f->next;
	p->seen_code = true;
}

/* ap { "," ap } [","]; the last one is followed by a predicate or the body */
static void attach_points(struct parser *p, struct probe *pr)
{
	int c;

	do {
		unsigned before = p->dx->errors;
		struct span span = lex_attach_point(&p->lx);
		struct attach_point ap = { 0 };

		p->failed = p->dx->errors != before;
		if (p->failed)
			return;
		if (span.beg == span.end || strchr(")}];", p->lx.text[span.beg - p->lx.base])) {
			p->lx.pos = span.beg - p->lx.base;
			parse_error_expected(p, "an attach point");
			return;
		}
		p->prev_end = span.end;
		parse_attach_point(p, span, &ap);
		vec_push(p->arena, &pr->points, ap);
		c = lex_skip_blanks(&p->lx);
		p->lx.pos += c == ',';
		if (c == ',')
			lex_skip_blanks(&p->lx);
	} while (c == ',' && p->lx.pos < p->lx.len && !strchr("{/", p->lx.text[p->lx.pos]));
}

/* "/" expr "/" */
static void predicate(struct parser *p, struct probe *pr)
{
	p->in_pred = true;
	pr->pred = parse_expr(p);
	if (!parse_accept(p, TOK_DIV))
		parse_error_expected(p, "'/' at the end of the predicate");
	p->in_pred = false;
}

/* ap { "," ap } [","] [ "/" expr "/" ] "{" body "}" */
static void probe(struct parser *p)
{
	struct probe *pr = arena_new(p->arena, struct probe);
	unsigned before = p->dx->errors;

	p->seen_code = true;
	lex_skip_blanks(&p->lx);
	pr->span = lex_span(&p->lx, p->lx.pos, p->lx.pos);
	attach_points(p, pr);
	pr->head = parse_span_from(p, pr->span);
	if (parse_accept(p, TOK_DIV))
		predicate(p, pr);
	pr->body = parse_block(p);
	parse_block_is_body(p, pr->body);
	pr->span = parse_span_from(p, pr->span);
	pr->damaged = p->dx->errors != before;
	p->script->probe_errors += p->dx->errors - before;
	if (p->failed)
		return;
	*p->probes_tail = pr;
	p->probes_tail = &pr->next;
}

/* After an error between bodies: past the next block in braces, or past the ';' of a line. */
static void recover(struct parser *p, bool is_line)
{
	struct lexer *lx = &p->lx;
	unsigned depth = 0;

	if (p->have_tok)
		lx->pos = p->tok.span.beg - lx->base;
	p->have_tok = p->failed = false;

	struct lexer ahead = parse_ahead(p);
	for (;;) {
		enum tok kind = lex_next(&ahead).kind;

		lx->pos = ahead.pos;
		if (kind == TOK_EOF)
			return;
		if (kind == TOK_LBRACE)
			depth++;
		else if (kind == TOK_RBRACE && (depth == 0 || --depth == 0))
			return;
		else if (kind == TOK_SEMI && depth == 0 && is_line)
			return;
	}
}

/* Returns whether it was an item that ends with ';', not with a body. */
static bool top_item(struct parser *p)
{
	struct span span;
	bool is_line = false;

	if (p->lx.text[p->lx.pos] == '#')
		c_item(p, lex_directive(&p->lx), true);
	else if (lex_c_definition(&p->lx, &span))
		c_item(p, span, false);
	else if (at_phrase(p, "config", TOK_SET))
		config_block(p);
	else if ((is_line = at_phrase(p, "import", TOK_STRING)))
		import(p);
	else if ((is_line = at_phrase(p, "let", TOK_MAP) || at_phrase(p, "let", TOK_VAR)))
		map_decl(p);
	else if (at_phrase(p, "macro", TOK_IDENT))
		macro(p);
	else if (at_phrase(p, "fn", TOK_IDENT))
		subprog(p);
	else
		probe(p);
	return is_line;
}

struct script *parse_script(struct arena *a, struct diags *dx, const struct source *src,
			    const struct parse_options *opt)
{
	struct parser p;

	parser_init(&p, a, dx, src);
	p.opt = opt;
	p.lx.comments = opt ? opt->comments : NULL;
	p.script = arena_new(a, struct script);
	p.probes_tail = &p.script->probes;
	p.macros_tail = &p.script->macros;
	p.subprogs_tail = &p.script->subprogs;
	while (!at_end(&p)) {
		bool is_line = top_item(&p);

		if (p.failed)
			recover(&p, is_line);
	}
	return p.script;
}

struct expr *parse_expr_text(struct arena *a, struct diags *dx, const struct source *src)
{
	struct sources none = { .arena = a };
	struct diags quiet;
	struct parser p;

	diags_init(&quiet, a, &none);
	quiet.muted = true;
	dx = dx ? dx : &quiet;

	unsigned before = dx->errors;
	parser_init(&p, a, dx, src);
	p.lx.continued = true;
	struct expr *e = parse_expr(&p);
	if (!parse_at(&p, TOK_EOF))
		parse_error_expected(&p, "one expression");
	return dx->errors == before ? e : NULL;
}
