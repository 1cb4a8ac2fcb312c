/*
 * fmt.h - a script in its one layout: `scry --fmt`.
 *
 * Tabs, one statement a line, attach points, predicate and brace of a probe on lines of their
 * own; single blank lines stay where they were.  The result has the same tree, numbers and
 * strings as they were spelt, and every comment: in front of its statement, or behind it on the
 * same line.  A comment inside a simple statement moves in front of it.  Formatting the
 * result again changes nothing.  C definitions and preprocessor lines stay as they are.
 */
#ifndef SCRY_SCRIPT_FMT_H
#define SCRY_SCRIPT_FMT_H

#include "base/diag.h"
#include "base/sb.h"

/* Adds the text to out; false, with messages and nothing added, when src does not parse. */
bool fmt_script(struct arena *a, struct diags *dx, const struct source *src, struct sb *out);

#endif
