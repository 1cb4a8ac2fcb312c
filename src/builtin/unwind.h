/*
 * unwind.h - user stacks walked by unwind tables, in the program itself.
 *
 * The kernel's own walk follows frame pointers, which most code does not have.  This one looks
 * every address up: first which file is mapped there in the process, then among that file's
 * rows (symbol/cfi_row.h) in plan.unwind_tables.  Which file the kernel says, and
 * plan.unwind_files what it is to us; where the kernel cannot be asked (samples), or the code
 * is of no file, plan.unwind_maps does.  session/unwind.c fills them.  Code that has no rows is
 * walked by its frame pointer; a process of which nothing is known, by the kernel.
 */
#ifndef SCRY_BUILTIN_UNWIND_H
#define SCRY_BUILTIN_UNWIND_H

#include "ir/ir.h"

struct unit;
struct expr;

/*
 * Is that use of ustack walked by tables?  dw_ustack() always is, ustack as the setting says.
 * False with *ok false: it should be, and cannot; that was reported.
 */
bool unwind_by_tables(struct unit *u, const struct expr *e, bool *ok);
/* Is that what was asked for? Then what is missing from it is worth a warning. */
bool unwind_was_asked(const struct unit *u, const struct expr *e);

struct unwound {
	ref frames; /* address of depth words, zeros behind the last frame */
	ref n;	    /* how many there are */
	ref failed; /* not 0: nothing is known of the process */
};
/* Walks; building goes on behind it. */
struct unwound unwind_lower(struct unit *u, const struct expr *e);

#endif
