/*
 * expand.h - macros replaced in a list of tokens (ISO C11 6.10.3).
 *
 * A macro's replacement is read again together with what follows it, so that the name at its
 * end may take its arguments from there; a name that is being replaced stays as it is.  Tokens
 * out of a macro have the span of the macro's use.
 */
#ifndef SCRY_CFRONT_EXPAND_H
#define SCRY_CFRONT_EXPAND_H

#include "cfront/define.h"

/* Appends in, with all macros replaced, to out. */
void cpp_expand(struct cpp *pp, const struct ctoks *in, struct ctoks *out);

#endif
