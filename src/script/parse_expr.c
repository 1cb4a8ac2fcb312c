/*
 * Expressions.  Precedence from loose to tight:
 *
 *	?:  ||  &&  |  ^  &  == != =~ !~  < > <= >=  << >>  + -  * / %  prefix  postfix
 *
 * Binary levels associate to the left, ?: to the right.
 */
#include "script/parse_state.h"

struct expr *parse_new_expr(struct parser *p, enum expr_kind kind, struct span span)
{
	struct expr *e = arena_new(p->arena, struct expr);

	e->kind = kind;
	e->span = span;
	return e;
}

/* What stands for an expression that could not be read. */
static struct expr *no_expr(struct parser *p)
{
	return parse_done(p, parse_new_expr(p, E_INT, parse_peek(p)->span));
}

/* Closes a node that began at first. */
static struct expr *done_from(struct parser *p, struct expr *e, struct span first)
{
	e->span = parse_span_from(p, first);
	return parse_done(p, e);
}

static void add_arg(struct parser *p, struct expr *e, unsigned *cap, struct expr *arg)
{
	if (e->nargs == *cap) {
		struct expr **old = e->args;

		*cap = *cap ? *cap * 2 : 4;
		e->args = arena_array(p->arena, struct expr *, *cap);
		for (unsigned i = 0; i < e->nargs; i++)
			e->args[i] = old[i];
	}
	e->args[e->nargs++] = arg;
}

/* A type is an argument of a call only where it cannot be read as a value: not "a[4]". */
static bool at_type_arg(struct parser *p)
{
	struct token t = *parse_peek(p);
	struct lexer ahead = parse_ahead(p);

	if (t.kind == TOK_TYPEOF)
		return true;
	if (!tok_is_word(&t))
		return false;
	ahead.pos = t.span.beg - ahead.base;
	if (parse_type_ahead(&ahead) != TYPE_YES)
		return false;
	if (t.kind == TOK_IDENT && ahead.text[ahead.pos - 1] == ']')
		return false;

	enum tok end = lex_next(&ahead).kind;
	return end == TOK_COMMA || end == TOK_RPAREN;
}

static struct expr *call_arg(struct parser *p)
{
	struct span first = parse_peek(p)->span;

	if (!at_type_arg(p))
		return parse_expr(p);

	struct expr *e = parse_new_expr(p, E_TYPE, first);
	e->tname = parse_type(p);
	return done_from(p, e, first);
}

/* "(" [ arg { "," arg } ] ")" */
static void call_args(struct parser *p, struct expr *e)
{
	unsigned cap = 0;

	parse_expect(p, TOK_LPAREN);
	if (parse_accept(p, TOK_RPAREN))
		return;
	do
		add_arg(p, e, &cap, call_arg(p));
	while (parse_accept(p, TOK_COMMA));
	parse_expect(p, TOK_RPAREN);
}

static struct expr *name_or_call(struct parser *p)
{
	struct token t = parse_next(p);
	struct expr *e = parse_new_expr(p, E_NAME, t.span);

	e->name = t.text;
	e->name_span = t.span;
	if (parse_at(p, TOK_LPAREN)) {
		e->kind = E_CALL;
		call_args(p, e);
	}
	return done_from(p, e, t.span);
}

/* map [ "[" expr { "," expr } "]" ] */
static struct expr *map_access(struct parser *p)
{
	struct token t = parse_next(p);
	struct expr *e = parse_new_expr(p, E_MAP, t.span);

	e->name = t.text;
	e->name_span = t.span;
	if (parse_accept(p, TOK_LBRACKET)) {
		struct expr *tuple = parse_new_expr(p, E_TUPLE, parse_peek(p)->span);
		unsigned cap = 0;

		do
			add_arg(p, tuple, &cap, parse_expr(p));
		while (parse_accept(p, TOK_COMMA));
		e->key = tuple->nargs == 1 ? tuple->args[0] : done_from(p, tuple, tuple->span);
		parse_expect(p, TOK_RBRACKET);
	}
	return done_from(p, e, t.span);
}

/* A literal or a variable: one token. */
static struct expr *leaf(struct parser *p, enum expr_kind kind)
{
	struct token t = parse_next(p);
	struct expr *e = parse_new_expr(p, kind, t.span);

	e->name = t.text;
	e->name_span = t.span;
	e->num = kind == E_BOOL ? t.kind == TOK_TRUE : t.num;
	e->num_unsigned = kind == E_INT && t.num > INT64_MAX;
	e->str.s = t.str.s;
	e->str.len = t.str.len;
	if (t.kind == TOK_REGEX)
		e->regex = t.num ? REGEX_FOLD : REGEX_PLAIN;
	return parse_done(p, e);
}

/* ident "=" expr { "," ident "=" expr } [","] */
static void record_rest(struct parser *p, struct expr *e)
{
	VEC(const char *) names = {};
	unsigned cap = 0;

	e->kind = E_RECORD;
	while (parse_at(p, TOK_IDENT)) {
		vec_push(p->arena, &names, parse_next(p).text);
		parse_expect(p, TOK_SET);
		add_arg(p, e, &cap, parse_expr(p));
		if (!parse_accept(p, TOK_COMMA))
			break;
	}
	e->names = names.data;
	e->nnames = (unsigned)names.len;
}

static bool at_record(struct parser *p)
{
	struct token t = *parse_peek(p);
	struct lexer ahead = parse_ahead(p);

	return t.kind == TOK_IDENT && !parse_is_builtin_word(t.text) &&
	       lex_next(&ahead).kind == TOK_SET;
}

/*
 * "(" ")" | "(" expr "," ")" | "(" expr { "," expr } [","] ")" | record; the "(" is consumed.
 * One expression without a comma is that expression, marked as written in parentheses.
 */
static struct expr *paren_rest(struct parser *p, struct span first)
{
	struct expr *e = parse_new_expr(p, E_TUPLE, first);
	bool comma = false;
	unsigned cap = 0;

	if (at_record(p)) {
		record_rest(p, e);
	} else if (!parse_at(p, TOK_RPAREN)) {
		do
			add_arg(p, e, &cap, parse_expr(p));
		while ((comma |= parse_at(p, TOK_COMMA)),
		       parse_accept(p, TOK_COMMA) && !parse_at(p, TOK_RPAREN));
	}
	parse_expect(p, TOK_RPAREN);
	if (e->kind == E_TUPLE && e->nargs == 1 && !comma)
		e = e->args[0];
	e->paren = true;
	return done_from(p, e, first);
}

static bool starts_expr(enum tok kind, bool in_cond)
{
	switch (kind) {
	case TOK_IDENT:
	case TOK_INT:
	case TOK_FLOAT:
	case TOK_STRING:
	case TOK_VAR:
	case TOK_MAP:
	case TOK_PARAM:
	case TOK_NPARAMS:
	case TOK_TRUE:
	case TOK_FALSE:
	case TOK_LPAREN:
	case TOK_SUB:
	case TOK_MUL:
	case TOK_AND:
	case TOK_NOT:
	case TOK_BITNOT:
	case TOK_INC:
	case TOK_DEC:
	case TOK_SIZEOF:
	case TOK_OFFSETOF:
	case TOK_TYPEINFO:
	case TOK_COMPTIME:
	case TOK_IF: return true;
	case TOK_LBRACE: return !in_cond;
	default: return false;
	}
}

/*
 * "(" type ")" in front of an expression is a cast, except that a bare name of a builtin is
 * never a type: "(pid) - 1".
 */
static bool at_cast(struct parser *p)
{
	struct lexer ahead = parse_ahead(p);
	struct token t = lex_next(&ahead);
	bool is_typeof = t.kind == TOK_TYPEOF;

	if (is_typeof)
		return true;
	ahead.pos = t.span.beg - ahead.base;
	return parse_type_ahead(&ahead) != TYPE_NO && lex_next(&ahead).kind == TOK_RPAREN &&
	       starts_expr(lex_next(&ahead).kind, p->in_cond);
}

/* "(" type ")" unary */
static struct expr *cast(struct parser *p)
{
	struct span first = parse_next(p).span;
	struct expr *e = parse_new_expr(p, E_CAST, first);

	e->tname = parse_type(p);
	parse_expect(p, TOK_RPAREN);
	e->a = parse_unary(p);
	return done_from(p, e, first);
}

/* ("sizeof" | "typeinfo") "(" (type | expr) ")", "offsetof" "(" (type | expr) "," path ")" */
static struct expr *type_query(struct parser *p, enum expr_kind kind)
{
	struct span first = parse_next(p).span;
	struct expr *e = parse_new_expr(p, kind, first);
	VEC(const char *) path = {};

	parse_expect(p, TOK_LPAREN);
	parse_type_or_expr(p, e);
	if (kind == E_OFFSETOF) {
		parse_expect(p, TOK_COMMA);
		do {
			if (!tok_is_word(parse_peek(p))) {
				parse_error_expected(p, "a field name");
				break;
			}
			vec_push(p->arena, &path, parse_next(p).text);
		} while (parse_accept(p, TOK_DOT));
	}
	parse_expect(p, TOK_RPAREN);
	e->names = path.data;
	e->nnames = (unsigned)path.len;
	return done_from(p, e, first);
}

static struct expr *if_expr(struct parser *p)
{
	struct span first = parse_peek(p)->span;
	struct expr *e = parse_new_expr(p, E_IF, first);

	e->stmt = parse_if(p);
	parse_if_is_value(p, e->stmt);
	return done_from(p, e, first);
}

static struct expr *block_expr(struct parser *p)
{
	struct span first = parse_peek(p)->span;
	struct expr *e = parse_new_expr(p, E_BLOCK, first);

	e->stmt = parse_block(p);
	parse_block_is_value(p, e->stmt);
	return done_from(p, e, first);
}

static struct expr *primary(struct parser *p)
{
	switch (parse_peek(p)->kind) {
	case TOK_INT: return leaf(p, E_INT);
	case TOK_FLOAT: return leaf(p, E_FLOAT);
	case TOK_STRING:
	case TOK_REGEX: return leaf(p, E_STRING);
	case TOK_TRUE:
	case TOK_FALSE: return leaf(p, E_BOOL);
	case TOK_VAR: return leaf(p, E_VAR);
	case TOK_PARAM: return leaf(p, E_PARAM);
	case TOK_NPARAMS: return leaf(p, E_NPARAMS);
	case TOK_MAP: return map_access(p);
	case TOK_IDENT: return name_or_call(p);
	case TOK_LPAREN: return paren_rest(p, parse_next(p).span);
	case TOK_SIZEOF: return type_query(p, E_SIZEOF);
	case TOK_OFFSETOF: return type_query(p, E_OFFSETOF);
	case TOK_TYPEINFO: return type_query(p, E_TYPEINFO);
	case TOK_IF: return if_expr(p);
	case TOK_LBRACE:
		if (!p->in_cond)
			return block_expr(p);
		break;
	default: break;
	}
	parse_error_expected(p, "an expression");
	return no_expr(p);
}

/* "." ident | "." integer | "->" ident; the operator is consumed. */
static struct expr *member(struct parser *p, struct expr *a, bool arrow)
{
	struct token t = *parse_peek(p);
	struct expr *e = parse_new_expr(p, E_FIELD, a->span);

	e->a = a;
	e->arrow = arrow;
	e->name_span = t.span;
	if (tok_is_word(&t)) {
		e->name = parse_next(p).text;
	} else if (t.kind == TOK_INT && !arrow) {
		e->kind = E_ELEM;
		e->num = parse_next(p).num;
	} else {
		parse_error_expected(p, "a field name");
	}
	return done_from(p, e, a->span);
}

static struct expr *index_rest(struct parser *p, struct expr *a)
{
	struct expr *e = parse_new_expr(p, E_INDEX, a->span);

	e->a = a;
	e->b = parse_expr(p);
	parse_expect(p, TOK_RBRACKET);
	return done_from(p, e, a->span);
}

static struct expr *incdec(struct parser *p, struct expr *a, int op, struct span op_span)
{
	struct expr *e = parse_new_expr(p, E_INCDEC, op_span);

	e->op = op;
	e->prefix = !a;
	e->a = a ? a : parse_unary(p);
	return done_from(p, e, a ? a->span : op_span);
}

/* primary { "." ident | "." N | "->" ident | "[" expr "]" | "++" | "--" } */
static struct expr *postfix(struct parser *p)
{
	struct expr *e = primary(p);

	for (;;) {
		struct span span = parse_peek(p)->span;

		if (parse_accept(p, TOK_DOT))
			e = member(p, e, false);
		else if (parse_accept(p, TOK_ARROW))
			e = member(p, e, true);
		else if (parse_accept(p, TOK_LBRACKET))
			e = index_rest(p, e);
		else if (parse_accept(p, TOK_INC))
			e = incdec(p, e, +1, span);
		else if (parse_accept(p, TOK_DEC))
			e = incdec(p, e, -1, span);
		else
			return e;
	}
}

static struct expr *prefixed(struct parser *p, enum expr_kind kind, int op)
{
	struct span first = parse_next(p).span;
	struct expr *e = parse_new_expr(p, kind, first);

	e->op = op;
	e->a = parse_unary(p);
	return done_from(p, e, first);
}

static struct expr *unary(struct parser *p)
{
	struct span span = parse_peek(p)->span;

	switch (parse_peek(p)->kind) {
	case TOK_SUB: return prefixed(p, E_UNARY, UN_NEG);
	case TOK_NOT: return prefixed(p, E_UNARY, UN_NOT);
	case TOK_BITNOT: return prefixed(p, E_UNARY, UN_BITNOT);
	case TOK_MUL: return prefixed(p, E_UNARY, UN_DEREF);
	case TOK_AND: return prefixed(p, E_UNARY, UN_ADDR);
	case TOK_COMPTIME: return prefixed(p, E_COMPTIME, 0);
	case TOK_INC: return parse_next(p), incdec(p, NULL, +1, span);
	case TOK_DEC: return parse_next(p), incdec(p, NULL, -1, span);
	case TOK_LPAREN: return at_cast(p) ? cast(p) : postfix(p);
	default: return postfix(p);
	}
}

struct expr *parse_unary(struct parser *p)
{
	struct expr *e = parse_enter(p) ? unary(p) : no_expr(p);

	parse_leave(p);
	return e;
}

enum { MATCH_LEVEL = 5 }; /* of =~, as that of == */

/* The level of a binary operator, 0 = the loosest, -1 = none. */
static int binary_level(enum tok kind, enum binary_op *op)
{
	static const struct {
		enum tok kind;
		int level;
		enum binary_op op;
	} rows[] = {
		{ TOK_LOR, 0, BIN_LOR }, { TOK_LAND, 1, BIN_LAND }, { TOK_OR, 2, BIN_OR },
		{ TOK_XOR, 3, BIN_XOR }, { TOK_AND, 4, BIN_AND },   { TOK_EQ, 5, BIN_EQ },
		{ TOK_NE, 5, BIN_NE },	 { TOK_LT, 6, BIN_LT },	    { TOK_GT, 6, BIN_GT },
		{ TOK_LE, 6, BIN_LE },	 { TOK_GE, 6, BIN_GE },	    { TOK_SHL, 7, BIN_SHL },
		{ TOK_SHR, 7, BIN_SHR }, { TOK_ADD, 8, BIN_ADD },   { TOK_SUB, 8, BIN_SUB },
		{ TOK_MUL, 9, BIN_MUL }, { TOK_DIV, 9, BIN_DIV },   { TOK_MOD, 9, BIN_MOD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].kind == kind) {
			*op = rows[i].op;
			return rows[i].level;
		}
	}
	return -1;
}

/* The '/' that closes a predicate is the one in front of the body. */
static bool at_pred_end(struct parser *p)
{
	struct lexer ahead = parse_ahead(p);

	return p->in_pred && parse_at(p, TOK_DIV) && lex_skip_blanks(&ahead) == '{';
}

/*
 * "=~" and "!~" are no tokens, since "$x=~1" assigns and "!~x" negates. Behind an operand the
 * latter is the operator. The former is, too, unless it may be the "=" of a statement that
 * assigns: then only in front of what is a pattern for sure.
 */
static bool at_match(struct parser *p, const struct expr *left, enum binary_op *op)
{
	enum tok kind = parse_peek(p)->kind;
	struct lexer ahead = parse_ahead(p);
	bool target =
		left->span.beg == p->stmt_beg && (left->kind == E_VAR || left->kind == E_MAP);

	if ((kind != TOK_SET && kind != TOK_NOT) || ahead.pos >= ahead.len ||
	    ahead.text[ahead.pos] != '~')
		return false;
	*op = kind == TOK_SET ? BIN_MATCH : BIN_NOT_MATCH;
	if (kind == TOK_NOT || !target)
		return true;
	ahead.pos++;

	int c = lex_skip_blanks(&ahead);
	return c == '/' || c == '"';
}

/* The operator's tokens; what follows is a pattern. */
static void skip_match(struct parser *p)
{
	parse_next(p);
	parse_next(p);
	parse_pattern_next(p);
}

static struct expr *binary(struct parser *p, int min_level)
{
	struct expr *left = parse_unary(p);
	enum binary_op op;
	int level;

	for (;;) {
		bool is_match = at_match(p, left, &op);

		level = is_match ? MATCH_LEVEL : binary_level(parse_peek(p)->kind, &op);
		if (level < min_level || at_pred_end(p))
			break;

		struct expr *e = parse_new_expr(p, E_BINARY, left->span);
		if (is_match)
			skip_match(p);
		else
			parse_next(p);
		e->op = op;
		e->a = left;
		e->b = binary(p, level + 1);
		left = done_from(p, e, left->span);
	}
	return left;
}

/* binary [ "?" expr ":" expr | "?:" expr ] */
static struct expr *ternary(struct parser *p)
{
	struct expr *cond = binary(p, 0);

	if (!parse_accept(p, TOK_QUESTION))
		return cond;

	struct expr *e = parse_new_expr(p, E_COND, cond->span);
	e->a = cond;
	if (!parse_accept(p, TOK_COLON)) {
		e->b = parse_expr(p);
		parse_expect(p, TOK_COLON);
	}
	e->c = parse_expr(p);
	return done_from(p, e, cond->span);
}

struct expr *parse_expr(struct parser *p)
{
	bool in_cond = p->in_cond;

	/* Whole expressions inside a condition stand in brackets of their own. */
	p->in_cond = false;
	struct expr *e = parse_enter(p) ? ternary(p) : no_expr(p);
	parse_leave(p);
	p->in_cond = in_cond;
	return e;
}

struct expr *parse_cond(struct parser *p)
{
	bool outer = p->in_cond;

	p->in_cond = true;
	struct expr *e = parse_unary(p);
	p->in_cond = outer;
	return e;
}
