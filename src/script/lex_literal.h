/*
 * lex_literal.h - the values of numbers and strings; used by the lexer only (see lex.h).
 */
#ifndef SCRY_SCRIPT_LEX_LITERAL_H
#define SCRY_SCRIPT_LEX_LITERAL_H

#include "script/lex.h"

/* The contents of a string between two places of the text, escapes replaced. */
const char *lex_unescape(struct lexer *lx, uint32_t beg, uint32_t end, size_t *len);
/* The bits of a double, from the text of digits, point, digits, exponent. NULL, or why not. */
const char *lex_float_number(const char *s, uint64_t *bits);
/* N of "$N"; reports when it is no index. */
uint64_t lex_param_number(struct diags *dx, const char *text, struct span span);

#endif
