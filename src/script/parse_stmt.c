/*
 * Statements and blocks.
 *
 * Whether the last expression of a block is its value is known only to whoever asked for the
 * block, so parse_block() leaves the end of a block open: an expression without ';' waits in
 * block->value, a last if or block keeps its own blocks open.  parse_block_is_value() and
 * parse_block_is_body() settle it, each block once.
 */
#include "script/parse_state.h"

static struct stmt *new_stmt(struct parser *p, enum stmt_kind kind, struct span span)
{
	struct stmt *s = arena_new(p->arena, struct stmt);

	s->kind = kind;
	s->span = span;
	s->op = -1;
	return s;
}

static struct stmt *done_from(struct parser *p, struct stmt *s, struct span first)
{
	s->span = parse_span_from(p, first);
	return parse_done_stmt(p, s);
}

/* A settled body: of a loop, a probe. */
static struct stmt *body(struct parser *p)
{
	struct stmt *s = parse_block(p);

	parse_block_is_body(p, s);
	return s;
}

/* A simple statement ends with ';', which may be left out before '}'. */
static void end_simple(struct parser *p, struct span open)
{
	if (parse_at(p, TOK_EOF))
		diag_note(parse_error_expected(p, "'}'"), open, "the block begins here");
	else if (!parse_at(p, TOK_RBRACE))
		parse_expect(p, TOK_SEMI);
}

/* A condition must be followed by its block. */
static struct expr *cond_before_block(struct parser *p)
{
	struct expr *e = parse_cond(p);

	if (!parse_at(p, TOK_LBRACE)) {
		bool ended = parse_at(p, TOK_RBRACE) || parse_at(p, TOK_SEMI);
		struct diag *d = parse_error_expected(p, "'{'");

		if (!ended && !d->hint)
			diag_hint(
				d,
				e->paren ? "the body stands in braces"
					 : "a condition of several operands needs parentheses");
	}
	return e;
}

/* "if" ["comptime"] cond block { "else" "if" cond block } [ "else" block ] */
struct stmt *parse_if(struct parser *p)
{
	struct span first = parse_next(p).span;
	struct stmt *s = new_stmt(p, S_IF, first);

	if (parse_enter(p)) {
		s->comptime = parse_accept(p, TOK_COMPTIME);
		s->e = cond_before_block(p);
		s->body = parse_block(p);
		if (parse_accept(p, TOK_ELSE))
			s->els = parse_at(p, TOK_IF) ? parse_if(p) : parse_block(p);
	}
	parse_leave(p);
	return done_from(p, s, first);
}

static struct stmt *while_stmt(struct parser *p, enum stmt_kind kind)
{
	struct span first = parse_next(p).span;
	struct stmt *s = new_stmt(p, kind, first);

	s->e = cond_before_block(p);
	s->body = body(p);
	return done_from(p, s, first);
}

static struct expr *loop_variable(struct parser *p)
{
	struct token t = *parse_peek(p);
	struct expr *e = parse_new_expr(p, E_VAR, t.span);

	if (parse_expect(p, TOK_VAR)) {
		e->name = t.text;
		e->name_span = t.span;
	}
	return parse_done(p, e);
}

/* "for" ["("] variable ":" (map | unary ".." unary) [")"] block */
static struct stmt *for_stmt(struct parser *p)
{
	struct span first = parse_next(p).span;
	struct stmt *s = new_stmt(p, S_FOR_MAP, first);
	bool paren = parse_accept(p, TOK_LPAREN);

	s->target = loop_variable(p);
	parse_expect(p, TOK_COLON);
	s->e = parse_cond(p);
	if (parse_accept(p, TOK_DOTS)) {
		s->kind = S_FOR_RANGE;
		s->e2 = parse_cond(p);
	} else if (!p->failed && s->e->kind != E_MAP) {
		parse_error(p, s->e->span, "a for loop goes over a map or a range (a..b)");
	}
	if (paren)
		parse_expect(p, TOK_RPAREN);
	s->body = body(p);
	return done_from(p, s, first);
}

/* "let" variable [":" type] ["=" expr] */
static struct stmt *let_stmt(struct parser *p)
{
	struct span first = parse_next(p).span;
	struct stmt *s = new_stmt(p, S_LET, first);

	s->target = loop_variable(p);
	if (parse_accept(p, TOK_COLON))
		s->tname = parse_type(p);
	if (parse_accept(p, TOK_SET))
		s->e = parse_expr(p);
	return done_from(p, s, first);
}

static struct stmt *return_stmt(struct parser *p)
{
	struct span first = parse_next(p).span;
	struct stmt *s = new_stmt(p, S_RETURN, first);

	if (!parse_at(p, TOK_SEMI) && !parse_at(p, TOK_RBRACE))
		s->e = parse_expr(p);
	return done_from(p, s, first);
}

static struct stmt *word_stmt(struct parser *p, enum stmt_kind kind)
{
	struct span first = parse_next(p).span;

	return done_from(p, new_stmt(p, kind, first), first);
}

/* "import" string */
static struct stmt *import_stmt(struct parser *p)
{
	struct span first = parse_next(p).span;
	struct stmt *s = new_stmt(p, S_IMPORT, first);

	s->path = parse_next(p).str.s;
	s = done_from(p, s, first);
	if (p->script)
		vec_push(p->arena, &p->script->stmt_imports,
			 (struct import){ s->span, s->path });
	return s;
}

static bool at_import(struct parser *p)
{
	struct lexer ahead = parse_ahead(p);

	return parse_at_name(p, "import") && lex_next(&ahead).kind == TOK_STRING;
}

/* The operator of an assignment: -1 for "=", a binary_op for "+=" and so on; false for none. */
static bool assign_op(enum tok kind, int *op)
{
	switch (kind) {
	case TOK_SET: *op = -1; return true;
	case TOK_ADD_SET: *op = BIN_ADD; return true;
	case TOK_SUB_SET: *op = BIN_SUB; return true;
	case TOK_MUL_SET: *op = BIN_MUL; return true;
	case TOK_DIV_SET: *op = BIN_DIV; return true;
	case TOK_MOD_SET: *op = BIN_MOD; return true;
	case TOK_AND_SET: *op = BIN_AND; return true;
	case TOK_OR_SET: *op = BIN_OR; return true;
	case TOK_XOR_SET: *op = BIN_XOR; return true;
	case TOK_SHL_SET: *op = BIN_SHL; return true;
	case TOK_SHR_SET: *op = BIN_SHR; return true;
	default: return false;
	}
}

/* lvalue assignop expr | "_" "=" expr | expr */
static struct stmt *expr_stmt(struct parser *p)
{
	struct span first = parse_peek(p)->span;
	bool discard = parse_at_name(p, "_");
	struct stmt *s = new_stmt(p, S_EXPR, first);

	p->stmt_beg = first.beg;
	s->e = parse_expr(p);
	if (assign_op(parse_peek(p)->kind, &s->op)) {
		discard &= s->op == -1 && s->e->kind == E_NAME;
		s->kind = discard ? S_DISCARD : S_ASSIGN;
		s->target = discard ? NULL : s->e;
		parse_next(p);
		s->e = parse_expr(p);
	}
	return done_from(p, s, first);
}

static bool is_compound(const struct stmt *s)
{
	switch (s->kind) {
	case S_IF:
	case S_BLOCK:
	case S_WHILE:
	case S_UNROLL:
	case S_FOR_MAP:
	case S_FOR_RANGE: return true;
	default: return false;
	}
}

/* A statement without its ';'. */
static struct stmt *statement(struct parser *p)
{
	switch (parse_peek(p)->kind) {
	case TOK_IF: return parse_if(p);
	case TOK_WHILE: return while_stmt(p, S_WHILE);
	case TOK_UNROLL: return while_stmt(p, S_UNROLL);
	case TOK_FOR: return for_stmt(p);
	case TOK_LET: return let_stmt(p);
	case TOK_BREAK: return word_stmt(p, S_BREAK);
	case TOK_CONTINUE: return word_stmt(p, S_CONTINUE);
	case TOK_RETURN: return return_stmt(p);
	case TOK_LBRACE: return parse_block(p);
	case TOK_IDENT: return at_import(p) ? import_stmt(p) : expr_stmt(p);
	default: return expr_stmt(p);
	}
}

void parse_recover(struct parser *p)
{
	unsigned depth = 0;

	p->failed = false;
	for (;;) {
		enum tok kind = parse_peek(p)->kind;

		p->failed = kind == TOK_EOF;
		if (p->failed || (kind == TOK_RBRACE && depth == 0))
			return;
		parse_next(p);
		if (kind == TOK_LBRACE)
			depth++;
		else if (kind == TOK_RBRACE && --depth == 0 && !parse_at(p, TOK_ELSE))
			return;
		else if (kind == TOK_SEMI && depth == 0)
			return;
	}
}

static void settle_last(struct parser *p, struct stmt *s)
{
	if (s->kind == S_BLOCK) {
		parse_block_is_body(p, s);
		return;
	}
	for (; s && s->kind == S_IF; s = s->els) {
		parse_block_is_body(p, s->body);
		if (s->els && s->els->kind == S_BLOCK)
			parse_block_is_body(p, s->els);
	}
}

/* Reads one statement into the list at *tail; the value of a block waits in block->value. */
static struct stmt **add_statement(struct parser *p, struct stmt *block, struct span open,
				   struct stmt **tail)
{
	struct stmt *s = statement(p);

	if (p->failed) {
		parse_recover(p);
		return tail;
	}
	if (is_compound(s)) {
		if (parse_accept(p, TOK_SEMI) || !parse_at(p, TOK_RBRACE))
			settle_last(p, s);
	} else if (s->kind == S_EXPR && parse_at(p, TOK_RBRACE)) {
		block->value = s->e;
		return tail;
	} else {
		end_simple(p, open);
		if (p->failed)
			parse_recover(p);
	}
	*tail = s;
	return &s->next;
}

static void statements(struct parser *p, struct stmt *block, struct span open)
{
	struct stmt **tail = &block->first;

	while (!parse_at(p, TOK_RBRACE) && !p->failed) {
		if (parse_at(p, TOK_EOF)) {
			diag_note(parse_error_expected(p, "'}'"), open,
				  "the block begins here");
			return;
		}
		if (!parse_accept(p, TOK_SEMI))
			tail = add_statement(p, block, open, tail);
	}
	parse_expect(p, TOK_RBRACE);
}

/* "{" { stmt } [ expr ] "}" */
struct stmt *parse_block(struct parser *p)
{
	struct span first = parse_peek(p)->span;
	struct stmt *block = new_stmt(p, S_BLOCK, first);
	bool in_cond = p->in_cond, in_pred = p->in_pred;

	p->in_cond = p->in_pred = false;
	if (parse_enter(p) && parse_expect(p, TOK_LBRACE))
		statements(p, block, first);
	parse_leave(p);
	p->in_cond = in_cond;
	p->in_pred = in_pred;
	return done_from(p, block, first);
}

static struct stmt **last_link(struct stmt *block)
{
	struct stmt **link = &block->first;

	while (*link && (*link)->next)
		link = &(*link)->next;
	return link;
}

void parse_block_is_body(struct parser *p, struct stmt *block)
{
	struct stmt **last = last_link(block);

	if (*last)
		settle_last(p, *last);
	if (!block->value)
		return;

	struct stmt *s = new_stmt(p, S_EXPR, block->value->span);
	s->e = block->value;
	s = parse_done_stmt(p, s);
	block->value = NULL;
	*(*last ? &(*last)->next : last) = s;
}

static bool has_value(const struct stmt *s)
{
	if (s->kind == S_IF)
		return s->els && has_value(s->body) && has_value(s->els);
	if (s->kind != S_BLOCK)
		return false;
	if (s->value)
		return true;

	const struct stmt *last = s->first;
	while (last && last->next)
		last = last->next;
	return last && has_value(last);
}

void parse_if_is_value(struct parser *p, struct stmt *s)
{
	for (; s->kind == S_IF; s = s->els) {
		parse_block_is_value(p, s->body);
		if (!s->els)
			return;
	}
	parse_block_is_value(p, s);
}

/* A last if or block that gives a value on every way becomes the value itself. */
void parse_block_is_value(struct parser *p, struct stmt *block)
{
	struct stmt **link = last_link(block), *last = *link;

	if (!last || block->value || !has_value(last)) {
		if (last)
			settle_last(p, last);
		return;
	}

	struct expr *e = parse_new_expr(p, last->kind == S_IF ? E_IF : E_BLOCK, last->span);
	e->stmt = last;
	*link = NULL;
	if (last->kind == S_IF)
		parse_if_is_value(p, last);
	else
		parse_block_is_value(p, last);
	block->value = parse_done(p, e);
}
