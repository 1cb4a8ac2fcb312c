/*
 * diag.h - what is wrong with a script, as data.
 *
 * A message is a row of diag.def (its code, severity, words and default hint) plus a place and
 * the user's own words.  Messages are collected and printed together, in the order of their
 * places; the first error does not end the search for more.
 *
 *	struct diag *d = diag(dx, E0107_MAP_KEY, key->span, name, was, is);
 *	diag_note(d, first, "the key got its type here");
 *	return false;
 */
#ifndef SCRY_BASE_DIAG_H
#define SCRY_BASE_DIAG_H

#include "base/source.h"

#include <stdio.h>

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

enum diag_code {
#define DIAG(code, severity, words, hint, more) code,
#include "base/diag.def"
#undef DIAG
	DIAG_CODES
};

/* The words as constant arrays, so that the compiler checks each message's arguments. */
#define DIAG(code, severity, words, hint, more) \
	static const char code##_WORDS[] __attribute__((unused)) = words;
#include "base/diag.def"
#undef DIAG

struct diag_note {
	struct span span;
	const char *text;
	struct diag_note *next;
};

struct diag {
	enum diag_code code;
	struct span span;
	const char *text;
	const char *hint; /* NULL: the row's default, "" for none */
	struct diag_note *notes;
	struct diags *owner;
};

struct diags {
	struct arena *arena;
	struct sources *sources;
	VEC(struct diag *) list;
	unsigned errors, warnings;
	bool muted; /* a trial pass: count, but keep nothing */
	bool color; /* the first line of each message, for a terminal */
};

void diags_init(struct diags *dx, struct arena *a, struct sources *sources);

#define diag(dx, code, span, ...) diag_at((dx), (code), (span), code##_WORDS, ##__VA_ARGS__)
/* Use diag(). Never returns NULL. The same code and place twice is kept once. */
struct diag *diag_at(struct diags *dx, enum diag_code code, struct span span, const char *words,
		     ...) __attribute__((format(printf, 4, 5)));
/* Points at a second place. */
void diag_note(struct diag *d, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Replaces the row's hint. */
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool diag_failed(const struct diags *dx);
/* After a trial pass: counts only what was kept. */
void diags_recount(struct diags *dx);
/* Prints and forgets all messages, sorted by place; warnings only when asked for. */
void diags_print(struct diags *dx, FILE *out, bool warnings);

/* The row of a code: "E0107", its severity, words, hint and long explanation ("" for none). */
struct diag_row {
	const char *id;	  /* "E0107" */
	const char *name; /* "MAP_KEY" */
	enum diag_severity severity;
	const char *words, *hint, *more;
};
const struct diag_row *diag_row(enum diag_code code);

/* Of a code, from explain.def: what it means, a script that gets it, and that script mended. */
struct diag_explained {
	const char *why, *wrong, *right;
};
const struct diag_explained *diag_explain(const struct diag_row *row);
/* Finds a row by its id, in either case; NULL when there is none. */
const struct diag_row *diag_find(const char *id);

/* The nearest of n names to word, or NULL when none is near: for "did you mean". */
const char *diag_nearest(const char *word, const char *const *names, size_t n);
/* The same, one candidate at a time: start with *best_dist = 0; keeps the best in *best. */
void diag_nearer(const char *word, const char *candidate, const char **best,
		 unsigned *best_dist);

#endif
