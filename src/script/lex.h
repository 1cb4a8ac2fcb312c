/*
 * lex.h - text to tokens, one at a time.
 *
 * The parser pulls tokens on demand because an attach point is a language of its own: there it
 * asks lex_attach_point() for raw text instead.  A lexer is a plain value: copy it to look
 * ahead, assign the copy back to return.  Mistakes are reported where they stand; a token that
 * makes no sense comes out as TOK_ERROR, so that the parser can stay silent about it.
 */
#ifndef SCRY_SCRIPT_LEX_H
#define SCRY_SCRIPT_LEX_H

#include "base/diag.h"

/* TOKENS(T): kind and text; words first, then signs with longer ones before their prefixes. */
#define TOKEN_WORDS(T)              \
	T(TOK_BREAK, "break")       \
	T(TOK_COMPTIME, "comptime") \
	T(TOK_CONTINUE, "continue") \
	T(TOK_ELSE, "else")         \
	T(TOK_ENUM, "enum")         \
	T(TOK_FALSE, "false")       \
	T(TOK_FOR, "for")           \
	T(TOK_IF, "if")             \
	T(TOK_LET, "let")           \
	T(TOK_OFFSETOF, "offsetof") \
	T(TOK_RETURN, "return")     \
	T(TOK_SIZEOF, "sizeof")     \
	T(TOK_STRUCT, "struct")     \
	T(TOK_TRUE, "true")         \
	T(TOK_TYPEINFO, "typeinfo") \
	T(TOK_TYPEOF, "typeof")     \
	T(TOK_UNION, "union")       \
	T(TOK_UNROLL, "unroll")     \
	T(TOK_WHILE, "while")

#define TOKEN_SIGNS(T)        \
	T(TOK_SHL_SET, "<<=") \
	T(TOK_SHR_SET, ">>=") \
	T(TOK_ADD_SET, "+=")  \
	T(TOK_SUB_SET, "-=")  \
	T(TOK_MUL_SET, "*=")  \
	T(TOK_DIV_SET, "/=")  \
	T(TOK_MOD_SET, "%=")  \
	T(TOK_AND_SET, "&=")  \
	T(TOK_OR_SET, "|=")   \
	T(TOK_XOR_SET, "^=")  \
	T(TOK_SHL, "<<")      \
	T(TOK_SHR, ">>")      \
	T(TOK_EQ, "==")       \
	T(TOK_NE, "!=")       \
	T(TOK_LE, "<=")       \
	T(TOK_GE, ">=")       \
	T(TOK_LAND, "&&")     \
	T(TOK_LOR, "||")      \
	T(TOK_INC, "++")      \
	T(TOK_DEC, "--")      \
	T(TOK_ARROW, "->")    \
	T(TOK_DOTS, "..")     \
	T(TOK_LPAREN, "(")    \
	T(TOK_RPAREN, ")")    \
	T(TOK_LBRACE, "{")    \
	T(TOK_RBRACE, "}")    \
	T(TOK_LBRACKET, "[")  \
	T(TOK_RBRACKET, "]")  \
	T(TOK_SEMI, ";")      \
	T(TOK_COMMA, ",")     \
	T(TOK_COLON, ":")     \
	T(TOK_QUESTION, "?")  \
	T(TOK_DOT, ".")       \
	T(TOK_SET, "=")       \
	T(TOK_ADD, "+")       \
	T(TOK_SUB, "-")       \
	T(TOK_MUL, "*")       \
	T(TOK_DIV, "/")       \
	T(TOK_MOD, "%")       \
	T(TOK_AND, "&")       \
	T(TOK_OR, "|")        \
	T(TOK_XOR, "^")       \
	T(TOK_LT, "<")        \
	T(TOK_GT, ">")        \
	T(TOK_NOT, "!")       \
	T(TOK_BITNOT, "~")

enum tok {
	TOK_EOF,
	TOK_ERROR,   /* already reported */
	TOK_IDENT,   /* text */
	TOK_INT,     /* num */
	TOK_FLOAT,   /* 1.5: num is the bits of the double */
	TOK_STRING,  /* str */
	TOK_REGEX,   /* str: the text between the slashes; num: 1 when an i follows */
	TOK_VAR,     /* text with its $ */
	TOK_MAP,     /* text with its @ */
	TOK_PARAM,   /* $N: num */
	TOK_NPARAMS, /* $# */
#define TOKEN_ENUM(kind, text) kind,
	TOKEN_WORDS(TOKEN_ENUM) TOKEN_SIGNS(TOKEN_ENUM)
#undef TOKEN_ENUM
		TOK_KINDS
};

struct token {
	enum tok kind;
	struct span span;
	const char *text; /* of names and words: NUL-terminated, in the arena */
	uint64_t num;
	struct {
		const char *s; /* escapes replaced; may hold NULs */
		size_t len;
	} str;
};

/* A comment as it stands, with its marks; kept for the formatter. */
struct comment {
	struct span span;
	bool block; /* starts with slash-star */
};

VEC_TYPE(comments, struct comment);

struct lexer {
	struct arena *arena;
	struct diags *dx;
	const char *text;
	uint32_t len, base;	   /* of the text; see struct source */
	uint32_t pos;		   /* next byte to read */
	struct comments *comments; /* where to note comments, or NULL */
	unsigned max_errors;	   /* of dx: beyond it the text is taken to end */
	bool continued;		   /* the text of a #define: a line may end with a backslash */
};

/* A text with more mistakes than this is no script; saying more helps nobody. */
enum { LEX_MAX_ERRORS = 50 };

void lex_init(struct lexer *lx, struct arena *a, struct diags *dx, const struct source *src);
/* The next token; TOK_EOF for ever at the end. */
struct token lex_next(struct lexer *lx);
/* The same where a pattern is wanted: a '/' begins /re/, which ends at the next one without a
 * \. */
struct token lex_pattern(struct lexer *lx);
/* Skips blanks and comments; returns the next byte, 0 at the end. */
int lex_skip_blanks(struct lexer *lx);
/* The token's sign or word, or what sort of token it is, "a number": for messages. */
const char *tok_text(enum tok kind);
/* A name or a reserved word, which may still name a field. */
bool tok_is_word(const struct token *t);

/* A place in the text as a span of the common space. */
static inline struct span lex_span(const struct lexer *lx, uint32_t beg, uint32_t end)
{
	return (struct span){ lx->base + beg, lx->base + end };
}

/*
 * The raw text of an attach point: up to an unquoted blank, ',' or '{', or to a '/' before the
 * first ':'.  Empty at the end of the text or before one of these.
 */
struct span lex_attach_point(struct lexer *lx);
/* A line that starts with '#', with its continuations but without the blanks at its end. */
struct span lex_directive(struct lexer *lx);
/*
 * A C definition that starts here: a struct, union or enum with a body (and what follows it up
 * to ';'), or a typedef. Returns false, without moving, when the text is none.
 */
bool lex_c_definition(struct lexer *lx, struct span *span);

/* The value of a number's text, as in scripts. Returns NULL, or why it is none. */
const char *lex_number(const char *s, size_t len, uint64_t *num);

#endif
