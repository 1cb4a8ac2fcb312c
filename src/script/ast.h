/*
 * ast.h - a script as a tree.
 *
 * Nodes live in the compile arena.  The parser fills in everything but the parts marked
 * "check:", which the checker settles.  Every node has the span of its text.  The tree covers
 * the whole language; what the checker or the lowering cannot do yet is refused there, with
 * E0006_NOT_YET, not in the parser.
 */
#ifndef SCRY_SCRIPT_AST_H
#define SCRY_SCRIPT_AST_H

#include "base/diag.h"
#include "base/sb.h"
#include "cfront/cfront.h"
#include "types/type.h"

struct builtin;
struct inlined;
struct map_sym;
struct var_sym;

enum expr_kind {
	E_INT,	   /* num */
	E_FLOAT,   /* num: the bits of the double */
	E_STRING,  /* str */
	E_BOOL,	   /* num */
	E_VAR,	   /* name with its $ */
	E_MAP,	   /* name with its @; key: NULL, or any expression (E_TUPLE for several) */
	E_PARAM,   /* $N: num */
	E_NPARAMS, /* $# */
	E_NAME,	   /* an identifier that is not called: builtin, constant, macro */
	E_CALL,	   /* name, args; check: of a function, stmt: its body, data: struct inlined */
	E_UNARY,   /* op, a */
	E_BINARY,  /* op, a, b; also && and || */
	E_COND,	   /* a ? b : c; b is NULL for a ?: c */
	E_INCDEC,  /* op is +1 or -1, a; prefix tells which side */
	E_CAST,	   /* tname, a */
	E_FIELD,   /* a.name or a->name: arrow tells which */
	E_ELEM,	   /* a.N: num */
	E_INDEX,   /* a[b] */
	E_TUPLE,   /* args */
	E_RECORD,  /* args with names */
	/* In these a name alone may be a type or a value: then both tname and a are set. */
	E_SIZEOF,   /* tname or a */
	E_OFFSETOF, /* tname or a; names: the path */
	E_TYPEINFO, /* tname or a */
	E_IF,	    /* stmt: an S_IF used as a value */
	E_BLOCK,    /* stmt: an S_BLOCK used as a value */
	E_COMPTIME, /* a */
	E_TYPE,	    /* tname: a type as an argument of a call */
	E_WIDEN,    /* check: a, a float of 32 bits, as a double */
};

enum unary_op { UN_NEG, UN_NOT, UN_BITNOT, UN_DEREF, UN_ADDR };

enum binary_op {
	BIN_ADD,
	BIN_SUB,
	BIN_MUL,
	BIN_DIV,
	BIN_MOD,
	BIN_AND,
	BIN_OR,
	BIN_XOR,
	BIN_SHL,
	BIN_SHR,
	BIN_EQ,
	BIN_NE,
	BIN_LT,
	BIN_LE,
	BIN_GT,
	BIN_GE,
	BIN_LAND,
	BIN_LOR,
	BIN_MATCH,     /* =~: b is the pattern */
	BIN_NOT_MATCH, /* !~ */
	BIN_OPS
};
/* "+" and so on, for messages and printing. */
extern const char *const binary_op_text[BIN_OPS];
extern const char *const unary_op_text[];

/*
 * A type as written: keyword, name and suffixes from left to right.  C's own names of several
 * words are joined by one space ("unsigned long"), const and volatile left out.
 */
struct type_name {
	struct span span;
	enum { TN_PLAIN, TN_STRUCT, TN_UNION, TN_ENUM, TN_TYPEOF } keyword;
	const char *name;
	struct expr *of; /* typeof(expr); an E_TYPE, with a, when a name may be either */
	struct type_suffix {
		bool pointer; /* * */
		bool sized;   /* [n], else [] */
		uint64_t n;
	} * suffixes;
	unsigned nsuffixes;
};

struct expr {
	enum expr_kind kind;
	struct span span;
	struct span name_span; /* of the name in E_CALL, E_FIELD */
	const char *name;      /* without quotes; with $ or @ */
	struct {
		const char *s;
		size_t len;
	} str;
	uint64_t num;
	bool is_bytes;	   /* E_STRING: what stands behind a NUL counts, too */
	bool is_param;	   /* the text was a positional parameter */
	unsigned height;   /* of the tree from here down; the parser limits it */
	bool num_unsigned; /* a literal beyond INT64_MAX */
	int op;		   /* enum unary_op, enum binary_op; E_INCDEC: +1 or -1 */
	bool prefix, arrow;
	bool paren;    /* was written in parentheses */
	bool of_macro; /* E_CAST: written for arguments of any type */
	/* E_STRING: written /re/ or /re/i; str of the latter begins with (?i). */
	enum { REGEX_NONE, REGEX_PLAIN, REGEX_FOLD } regex;
	struct expr *a, *b, *c;
	struct expr *key;
	struct expr **args;
	const char **names; /* E_RECORD: of args; E_OFFSETOF: the path */
	unsigned nargs, nnames;
	struct type_name *tname;
	struct stmt *stmt;

	/* check: */
	const struct type *type;
	bool is_const; /* value known: const_value, or str for strings */
	int64_t const_value;
	const struct builtin *builtin; /* E_NAME, E_CALL */
	struct map_sym *map;	       /* E_MAP */
	struct var_sym *var;	       /* E_VAR */
	struct field field; /* E_FIELD: the member, offset from the start of a's struct */
	int arg_index;	    /* E_FIELD of args: which argument; argN: which */
	bool unused;	    /* a statement by itself: nobody takes the value */
	void *data;	    /* what a builtin's check keeps for its lowering */
};

enum stmt_kind {
	S_EXPR,	   /* e */
	S_DISCARD, /* _ = e */
	S_LET,	   /* target (E_VAR), tname or NULL, e or NULL */
	S_ASSIGN, /* target (E_VAR, E_MAP or what the user wrote), e; op is -1 or a binary_op */
	S_IF,	  /* e, body, els */
	S_WHILE,  /* e, body */
	S_UNROLL, /* e, body */
	S_FOR_MAP,   /* target (E_VAR), e (E_MAP), body */
	S_FOR_RANGE, /* target (E_VAR), e .. e2, body */
	S_BREAK,
	S_CONTINUE,
	S_RETURN, /* e or NULL; check: in a function, target: its result */
	S_BLOCK,  /* body */
	S_IMPORT, /* path */
};

struct stmt {
	enum stmt_kind kind;
	struct span span;
	struct expr *e, *e2, *target;
	int op;
	bool comptime; /* if comptime (...) */
	bool declares; /* check: S_ASSIGN that makes its variable */
	struct type_name *tname;
	const char *path;
	struct stmt *body; /* S_BLOCK */
	struct stmt *els;  /* S_BLOCK or S_IF, or NULL */
	/* S_BLOCK */
	struct stmt *first; /* statements, linked by next */
	/*
	 * A trailing expression without ';' in a block that is used as a value (of E_BLOCK,
	 * E_IF, a macro, a function), else NULL; elsewhere such an expression is one more
	 * S_EXPR.
	 */
	struct expr *value;
	struct stmt *next;
	unsigned height;
};

/* An attach point as written: text split on ':', quotes removed, $N replaced. */
struct attach_point {
	struct span span;
	const char *text;      /* the parts joined again */
	const char *user_name; /* name=provider:..., else NULL */
	const char **parts;    /* [0] is the provider */
	unsigned nparts;
};

struct probe {
	struct span span;
	struct span head; /* the attach points */
	VEC(struct attach_point) points;
	struct expr *pred; /* or NULL */
	struct stmt *body; /* S_BLOCK */
	bool continues;	   /* the one before: they are one probe of the script, see split.h */
	bool damaged;	   /* parts that could not be read are left out */
	bool compiled;	   /* some program has taken the tree; the next ones take copies */
	struct probe *next;
};

struct config_entry {
	struct span span, value_span;
	const char *key;
	const char *value; /* as text: string contents, number, word */
};

struct map_decl { /* let @m = kind(n); */
	struct span span;
	const char *name, *kind;
	struct span kind_span, n_span;
	uint64_t n;
};

struct macro {
	struct span span;
	const char *name;
	struct expr **params; /* E_NAME, E_VAR or E_MAP without key */
	unsigned nparams;
	struct stmt *body;
	bool is_c;    /* a #define with parameters */
	bool foreign; /* of the prelude, of C: its places are not what the user looks at */
	struct macro *next;
};

struct subprog {
	struct span span;
	struct span head; /* fn name(...): type */
	const char *name;
	const char **params;
	struct type_name **param_types;
	unsigned nparams;
	struct type_name *ret;
	struct stmt *body;
	struct subprog *next;

	/* check: */
	bool used;	       /* somebody calls it */
	struct inlined *alone; /* nobody does: the body itself */
};

struct import {
	struct span span;
	const char *path;
};

struct script {
	VEC(struct c_item) c_items; /* preprocessor lines and C definitions, for cfront */
	VEC(struct config_entry) config;
	struct span config_span; /* of the whole block; no place when there is none */
	VEC(struct import) imports;
	VEC(struct import) stmt_imports; /* those that stand among statements */
	VEC(struct map_decl) map_decls;
	struct macro *macros;
	struct subprog *subprogs;
	struct probe *probes; /* in source order, those that could be read */
	unsigned
		probe_errors; /* of syntax, in probes; the others are in what probes build on */
};

/* A deep copy of a tree for one more attach point; what the checker settled is not copied. */
struct expr *expr_clone(struct arena *a, const struct expr *e);
struct stmt *stmt_clone(struct arena *a, const struct stmt *s);

/* A type as C writes it: "struct foo *", "uint8[4]"; "typeof" for typeof(expr). */
void type_name_put(struct sb *out, const struct type_name *tn);

/* The tree as indented text, one node a line, types behind what was checked: `-d ast`. */
void ast_print(const struct script *s, struct sb *out);

#endif
