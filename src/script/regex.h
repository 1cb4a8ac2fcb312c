/*
 * regex.h - patterns of text, compiled to a table that reads one byte at a time.
 *
 * A regular expression or a glob becomes a tree, the tree Thompson's automaton, that one a
 * deterministic automaton by the subset construction (Aho, Sethi, Ullman, "Compilers", 3.6 -
 * 3.9), and the least one with the same answers.  Assertions (^ $ \b) are decided when the next
 * byte is known: a state remembers of what kind the byte before it was.
 *
 * Patterns are of bytes: `.` is any one byte.  A character of several bytes outside of [] is
 * one thing, so that it can be repeated.  Text ends at its NUL; a pattern matches when it is
 * found anywhere in the text, a glob when it is all of it.
 */
#ifndef SCRY_SCRIPT_REGEX_H
#define SCRY_SCRIPT_REGEX_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pattern_kind { PATTERN_REGEX, PATTERN_GLOB };

enum {
	DFA_DEAD = 0,	      /* no text that begins so matches */
	DFA_ACCEPT = 1,	      /* all do */
	DFA_STATES_MAX = 1024 /* what a table may have */
};

/* The byte 0, which ends every text, leads from any state to one of the two above. */
struct dfa {
	unsigned nstates; /* at least 2 */
	unsigned start;
	uint16_t (*next)[256]; /* by state and byte */
};

/* Where a pattern is wrong: bytes off ... off + len - 1 of it. */
struct regex_error {
	const char *why;
	size_t off, len;
	bool too_large; /* well formed, but with more states than DFA_STATES_MAX */
};

/* Compiles a pattern into memory of the arena; false, with *err filled in, when it cannot be.
 */
bool regex_compile(struct arena *a, const char *s, size_t len, enum pattern_kind kind,
		   struct dfa *out, struct regex_error *err);
/* Does the text, up to len bytes or its NUL, match? */
bool dfa_matches(const struct dfa *d, const char *text, size_t len);

/* Between the two halves of the compiler: regex_parse.c makes a tree, regex_dfa.c a table. */

struct byte_set {
	uint64_t bits[4];
};

static inline void byte_set_add(struct byte_set *s, unsigned c)
{
	s->bits[c / 64] |= 1ull << (c % 64);
}

static inline bool byte_set_has(const struct byte_set *s, unsigned c)
{
	return s->bits[c / 64] >> (c % 64) & 1;
}

/* [0-9A-Za-z_] */
bool regex_is_word(unsigned c);

enum rx_kind {
	RX_EMPTY,
	RX_SET,	   /* one byte of set */
	RX_CAT,	   /* a, then b */
	RX_ALT,	   /* a or b */
	RX_REPEAT, /* a, from min to max times; max < 0: without end */
	RX_BEGIN,  /* ^ */
	RX_END,	   /* $ */
	RX_WORD,   /* \b */
	RX_NOT_WORD,
};

struct rx {
	enum rx_kind kind;
	const struct rx *a, *b;
	const struct byte_set *set;
	int min, max;
};

/* NULL after filling in *err. */
const struct rx *regex_parse(struct arena *a, const char *s, size_t len,
			     struct regex_error *err);
const struct rx *glob_parse(struct arena *a, const char *s, size_t len,
			    struct regex_error *err);

#endif
