/*
 * parse_state.h - what the parts of the parser share; see parse.h for the parser's promises.
 *
 * Tokens are read when they are first looked at, so that the next attach point can be read as
 * raw text.  After a syntax error the parser is "failed": every look shows TOK_ERROR, nothing
 * is consumed and nothing more is reported, so all rules return at once and whoever knows a
 * safe place to go on (a statement, a probe) clears the state.  Rules never return NULL.
 */
#ifndef SCRY_SCRIPT_PARSE_STATE_H
#define SCRY_SCRIPT_PARSE_STATE_H

#include "script/lex.h"
#include "script/parse.h"

/* Limits that keep recursion over text and tree within any thread's stack. */
enum { PARSE_MAX_DEPTH = 400, PARSE_MAX_HEIGHT = 1000 };

struct parser {
	struct arena *arena;
	struct diags *dx;
	struct diags quiet; /* takes what must not be reported */
	struct lexer lx;
	struct token tok; /* valid when have_tok */
	bool have_tok;
	uint32_t prev_end; /* end of the last consumed token, in the common space */
	unsigned depth;
	bool failed;
	bool in_pred;	   /* a '/' before '{' ends the expression */
	uint32_t stmt_beg; /* where the statement begins that may be an assignment */
	bool in_cond;	   /* a '{' starts the body, not a block expression */
	bool seen_code;	   /* a probe, macro or function: nothing of C may follow */
	const struct parse_options *opt;
	struct script *script;
	struct probe **probes_tail;
	struct macro **macros_tail;
	struct subprog **subprogs_tail;
};

void parser_init(struct parser *p, struct arena *a, struct diags *dx, const struct source *src);

/* Tokens. */
const struct token *parse_peek(struct parser *p);
struct token parse_next(struct parser *p);
/* Takes the next token for a pattern: see lex_pattern(). Nothing may have looked at it yet. */
void parse_pattern_next(struct parser *p);
bool parse_at(struct parser *p, enum tok kind);
bool parse_accept(struct parser *p, enum tok kind);
/* Consumes a token of that kind or reports that it is missing. */
bool parse_expect(struct parser *p, enum tok kind);
/* The next token is a plain name with that text. */
bool parse_at_name(struct parser *p, const char *name);
/* A lexer behind the current token, for looking further without a trace. */
struct lexer parse_ahead(struct parser *p);
/* From the start of a token, whose span begins there, to the last consumed one. */
struct span parse_span_from(const struct parser *p, struct span first);

/* Errors: only the first one before a recovery is kept; the result takes a hint or a note. */
struct diag *parse_error(struct parser *p, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "expected X, found Y" at the current token. */
struct diag *parse_error_expected(struct parser *p, const char *what);
/* One level deeper; false, with a message, when that is too deep. Pair with parse_leave(). */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);
/* Settles the height of a finished node. */
struct expr *parse_done(struct parser *p, struct expr *e);
struct stmt *parse_done_stmt(struct parser *p, struct stmt *s);

/* parse_type.c */
enum is_type { TYPE_NO, TYPE_MAYBE, TYPE_YES };
/* Whether the text at ahead reads as a type; ahead is left behind it. MAYBE: a bare name. */
enum is_type parse_type_ahead(struct lexer *ahead);
struct type_name *parse_type(struct parser *p);
/* Sets e->tname, e->a or both. */
void parse_type_or_expr(struct parser *p, struct expr *e);
/* Names that are never types, so that "(pid) - 1" is no cast. */
bool parse_is_builtin_word(const char *name);

/* parse_expr.c */
struct expr *parse_new_expr(struct parser *p, enum expr_kind kind, struct span span);
struct expr *parse_expr(struct parser *p);
struct expr *parse_unary(struct parser *p);
/* The condition of if, while, unroll: "(" expr ")" or a unary expression. */
struct expr *parse_cond(struct parser *p);

/* parse_stmt.c */
/*
 * Skips what is left of a broken statement, with its blocks, so that the next one is read.  At
 * the end of the text the parser stays failed: a missing '}' is a consequence.
 */
void parse_recover(struct parser *p);
/* A block in braces; call one of the two that follow to say what its last expression is. */
struct stmt *parse_block(struct parser *p);
void parse_block_is_value(struct parser *p, struct stmt *block);
void parse_block_is_body(struct parser *p, struct stmt *block);
struct stmt *parse_if(struct parser *p);
void parse_if_is_value(struct parser *p, struct stmt *s);

/* parse_attach.c */
/* Splits the raw text of an attach point into ap. */
void parse_attach_point(struct parser *p, struct span span, struct attach_point *ap);

#endif
