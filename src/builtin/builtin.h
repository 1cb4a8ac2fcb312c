/*
 * builtin.h - the contract of a builtin variable or function of the language.
 *
 * A builtin is one row in the table at the end of its family's file: name, signature as text,
 * flags, how it is checked beyond the signature, how it becomes IR, one line of documentation.
 * The checker, the lowering, --help and the docs read the rows; nothing else names a builtin.
 *
 * Signatures: "RESULT name(PARAM, ...)", optional parameters in [], "..." for any number more.
 *	results  none bool u8 u32 u64 i64 string[N] ksym probe agg; "?" when check sets the type
 *	params   int    an integer (aggregates are read, pointers and bools taken)
 *	         real   an integer, or a double
 *	         num    an integer literal
 *	         str    a string value
 *	         lit    a string literal
 *	         map    a map, named without a key
 *	         any    any value
 *	         raw    not checked here: the row's check does it
 */
#ifndef SCRY_BUILTIN_BUILTIN_H
#define SCRY_BUILTIN_BUILTIN_H

#include "ir/ir.h"
#include "types/type.h"

struct unit;
struct compiler;
struct expr;
struct dest;

enum builtin_flag {
	BI_BARE = 1 << 0,    /* may stand without () */
	BI_STMT = 1 << 1,    /* a statement: its value, if any, may be ignored */
	BI_AGG = 1 << 2,     /* only as @m = f(...) */
	BI_UNSAFE = 1 << 3,  /* needs --unsafe */
	BI_NO_CALL = 1 << 4, /* only without () */
	BI_PROBE = 1 << 5,   /* says something of the probe: not in functions */
	BI_SENDS = 1 << 7, /* is done by scry, later: not in a program that stays without it */
	BI_PRELUDE = 1 << 6, /* written in the language: a macro of script/prelude.bt */
};

struct builtin {
	const char *name;
	const char *sig;
	unsigned flags;
	/*
	 * After the signature was checked: sets e->type where the result is "?", refuses what
	 * the signature cannot say. Returns false after reporting. May be NULL.
	 */
	bool (*check)(struct unit *u, struct expr *e);
	/* Scalars and statements: the value, or 0 for none. */
	ref (*lower)(struct unit *u, struct expr *e);
	/* Values in memory (strings, stacks ...): writes the value to its destination. */
	void (*lower_mem)(struct unit *u, struct expr *e, const struct dest *d);
	/* BI_AGG: updates the aggregate at p, e->type->... as agg.h says. */
	void (*update)(struct unit *u, struct expr *e, const struct type *agg, ref p);
	const char *doc;
};

#define BUILTINS(family) const struct builtin builtins_##family[]

/* All families, NULL-terminated; each table ends with a row without a name. */
extern const struct builtin *const builtin_families[];

/* The row of a name, or NULL. */
const struct builtin *builtin_find(const char *name);
/* The near name for a typo, or NULL. */
const char *builtin_nearest(const char *word);
/* Checks a call or a bare name against its row and sets e->type. */
const struct type *builtin_check(struct unit *u, struct expr *e);
/* Reports that an argument cannot be what it is (E0302); returns false. */
bool builtin_bad_arg(struct unit *u, const struct expr *arg, const char *words);
/*
 * Reports that a probe of this kind does not have what is asked for (E0303), unless it is not
 * known what the probe has; returns false.
 */
bool builtin_not_here(struct unit *u, const struct expr *e, const char *what);
/* The use becomes an expression of the language, from our own words; checks that. */
const struct type *builtin_expand(struct unit *u, struct expr *e, const char *words);
/* Reports options of the command line that no getopt() knows. */
void builtin_check_options(struct compiler *c);

#endif
