/*
 * Types as scripts write them.
 *
 *	type = ["struct" | "union" | "enum"] ident { "*" | "[" [integer] "]" }
 *	     | "typeof" "(" (type | expr) ")" { ... }
 */
#include "builtin/builtin.h"
#include "script/parse_state.h"

#include <string.h>

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

/* "arg0" and "sarg0" */
static bool is_argn(const char *name)
{
	name += *name == 's';
	return !strncmp(name, "arg", 3) && name[3] && !name[3 + strspn(name + 3, "0123456789")];
}

bool parse_is_builtin_word(const char *name)
{
	const struct builtin *b = builtin_find(name);

	return is_argn(name) || (b && b->flags & BI_BARE);
}

static bool is_base_word(const struct token *t)
{
	static const char *const list[] = { "unsigned", "signed", "long",  "short",
					    "int",	"char",	  "float", "double" };

	return t->kind == TOK_IDENT && is_one_of(t->text, list, sizeof(list) / sizeof(*list));
}

static bool is_qualifier(const struct token *t)
{
	static const char *const list[] = { "const", "volatile" };

	return t->kind == TOK_IDENT && is_one_of(t->text, list, sizeof(list) / sizeof(*list));
}

static struct token next_unqualified(struct lexer *lx)
{
	struct token t;

	do
		t = lex_next(lx);
	while (is_qualifier(&t));
	return t;
}

/* "*", "[]" or "[n]"; lx is moved past it. */
static bool suffix_ahead(struct lexer *lx)
{
	struct lexer ahead = *lx;
	struct token t = next_unqualified(&ahead);

	if (t.kind == TOK_LBRACKET) {
		t = lex_next(&ahead);
		if (t.kind == TOK_INT)
			t = lex_next(&ahead);
		if (t.kind != TOK_RBRACKET)
			return false;
	} else if (t.kind != TOK_MUL) {
		return false;
	}
	*lx = ahead;
	return true;
}

enum is_type parse_type_ahead(struct lexer *ahead)
{
	struct token t = lex_next(ahead);
	bool sure = is_qualifier(&t);

	if (sure)
		t = next_unqualified(ahead);
	if (t.kind == TOK_TYPEOF)
		return TYPE_YES;
	if (t.kind == TOK_STRUCT || t.kind == TOK_UNION || t.kind == TOK_ENUM) {
		sure = true;
		t = lex_next(ahead);
	}
	if (t.kind != TOK_IDENT || (!sure && parse_is_builtin_word(t.text)))
		return TYPE_NO;
	while (is_base_word(&t)) {
		struct lexer rest = *ahead;

		sure = true;
		t = next_unqualified(&rest);
		if (is_base_word(&t))
			*ahead = rest;
	}
	while (suffix_ahead(ahead))
		sure = true;
	return sure ? TYPE_YES : TYPE_MAYBE;
}

static void skip_qualifiers(struct parser *p)
{
	while (is_qualifier(parse_peek(p)))
		parse_next(p);
}

static void base_words(struct parser *p, struct type_name *tn)
{
	skip_qualifiers(p);
	while (is_base_word(parse_peek(p))) {
		tn->name = arena_printf(p->arena, "%s %s", tn->name, parse_next(p).text);
		skip_qualifiers(p);
	}
}

static void type_head(struct parser *p, struct type_name *tn)
{
	skip_qualifiers(p);
	if (parse_accept(p, TOK_STRUCT))
		tn->keyword = TN_STRUCT;
	else if (parse_accept(p, TOK_UNION))
		tn->keyword = TN_UNION;
	else if (parse_accept(p, TOK_ENUM))
		tn->keyword = TN_ENUM;

	if (!parse_at(p, TOK_IDENT)) {
		parse_error_expected(p, "a type");
		return;
	}

	bool base = is_base_word(parse_peek(p));
	tn->name = parse_next(p).text;
	if (base)
		base_words(p, tn);
}

/* Adds to the suffixes that a typeof() brought along. */
static void type_suffixes(struct parser *p, struct type_name *tn)
{
	VEC(struct type_suffix) suffixes = {};

	for (unsigned i = 0; i < tn->nsuffixes; i++)
		vec_push(p->arena, &suffixes, tn->suffixes[i]);
	for (;;) {
		struct type_suffix s = { 0 };

		skip_qualifiers(p);
		if (parse_accept(p, TOK_MUL)) {
			s.pointer = true;
		} else if (parse_accept(p, TOK_LBRACKET)) {
			s.sized = parse_at(p, TOK_INT);
			if (s.sized)
				s.n = parse_next(p).num;
			parse_expect(p, TOK_RBRACKET);
		} else {
			break;
		}
		if (suffixes.len == PARSE_MAX_DEPTH) {
			parse_error(p, parse_peek(p)->span, "too many '*' and '[]'");
			break;
		}
		vec_push(p->arena, &suffixes, s);
	}
	tn->suffixes = suffixes.data;
	tn->nsuffixes = (unsigned)suffixes.len;
}

/* typeof(type) is the type itself, typeof(expr) keeps the expression. */
static struct type_name *type_of(struct parser *p, struct span first)
{
	struct expr *e = parse_new_expr(p, E_TYPE, first);

	parse_next(p);
	parse_expect(p, TOK_LPAREN);
	parse_type_or_expr(p, e);
	parse_expect(p, TOK_RPAREN);
	e->span = parse_span_from(p, first);
	if (e->tname && !e->a)
		return e->tname;

	struct type_name *tn = arena_new(p->arena, struct type_name);
	tn->keyword = TN_TYPEOF;
	tn->name = "typeof";
	tn->of = e->tname ? parse_done(p, e) : e->a;
	return tn;
}

struct type_name *parse_type(struct parser *p)
{
	struct type_name *tn = arena_new(p->arena, struct type_name);
	struct span first = parse_peek(p)->span;

	tn->name = "";
	if (!parse_enter(p))
		;
	else if (parse_at(p, TOK_TYPEOF))
		tn = type_of(p, first);
	else
		type_head(p, tn);
	parse_leave(p);
	type_suffixes(p, tn);
	tn->span = parse_span_from(p, first);
	return tn;
}

void parse_type_or_expr(struct parser *p, struct expr *e)
{
	struct token first = *parse_peek(p);
	struct lexer ahead = parse_ahead(p);
	struct token end;

	if (p->failed)
		return;
	ahead.pos = first.span.beg - ahead.base;
	enum is_type is = parse_type_ahead(&ahead);
	if (first.kind != TOK_TYPEOF) {
		end = lex_next(&ahead);
		if (end.kind != TOK_RPAREN && end.kind != TOK_COMMA)
			is = TYPE_NO;
	}
	if (is == TYPE_NO) {
		e->a = parse_expr(p);
		return;
	}
	if (is == TYPE_MAYBE) {
		e->a = parse_new_expr(p, E_NAME, first.span);
		e->a->name = first.text;
		e->a->name_span = first.span;
		e->a = parse_done(p, e->a);
	}
	e->tname = parse_type(p);
}
