/*
 * parse.h - text to tree.
 *
 * Recursive descent, a function per rule of the grammar (reference section 1, whose rules stand
 * above their functions).  After an error the parser skips to the next statement or probe and
 * goes on, so that one run shows all mistakes.  Hostile input is expected: nesting is limited
 * (E0009_NESTING) and work is linear in the text.
 */
#ifndef SCRY_SCRIPT_PARSE_H
#define SCRY_SCRIPT_PARSE_H

#include "script/ast.h"

struct comments;

struct parse_options {
	/* Positional parameters, for $N inside attach points. */
	const char *const *params;
	unsigned nparams;
	/* Where to note the comments outside C definitions, in order (lex.h), or NULL. */
	struct comments *comments;
};

/* Never NULL; check diag_failed(dx) before use. The tree lives in a. */
struct script *parse_script(struct arena *a, struct diags *dx, const struct source *src,
			    const struct parse_options *opt);
/*
 * One expression alone, as the value of a #define. NULL with a message when it is none, or
 * silently when dx is NULL.
 */
struct expr *parse_expr_text(struct arena *a, struct diags *dx, const struct source *src);

#endif
