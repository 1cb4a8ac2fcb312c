/*
 * match.h - patterns matched against text by the program itself: =~, !~ and glob().
 *
 * The pattern is known when the script is compiled and comes with the program as a table
 * (script/regex.h); each byte of the text is one look-up.
 */
#ifndef SCRY_SCRIPT_MATCH_H
#define SCRY_SCRIPT_MATCH_H

#include "script/lower.h"
#include "script/regex.h"

/*
 * Compiles the pattern that an expression gives, once per node e, which keeps it for
 * lower_match(). False after reporting: it is no literal, it is wrong, it is too large.
 */
bool check_match(struct unit *u, struct expr *e, struct expr *pattern, enum pattern_kind kind);
/* x =~ y and x !~ y, whose sides are not checked yet. */
const struct type *check_match_operator(struct unit *u, struct expr *e);
/* 1 when the text matches the pattern of e, else 0. */
ref lower_match(struct unit *u, struct expr *e, struct expr *text);
ref lower_match_operator(struct unit *u, struct expr *e);

/*
 * The address of text in memory of whole chunks, with zeros behind the text; *size is how much
 * it is.
 */
ref lower_chunked(struct unit *u, struct expr *e, uint32_t chunk, uint32_t *size);

#endif
