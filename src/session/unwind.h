/*
 * unwind.h - what programs that walk user stacks by tables (builtin/unwind.h) need to know:
 * which process has mapped which file where, and the rows of each file.
 *
 * A file's rows are made once, whoever maps it, and kept in the kernel: 8 bytes each, some
 * 28,000 for a libc.  At most UNWIND_FILES files have rows, and ROWS_MAX rows are kept in all;
 * code of files beyond that is walked by frame pointers.
 */
#ifndef SCRY_SESSION_UNWIND_H
#define SCRY_SESSION_UNWIND_H

#include "session/load.h"
#include "symbol/usyms.h"

struct unwind;

/*
 * Follows what us learns from now on, for the loaded maps, which must live longer. NULL when no
 * program of the plan walks by tables.
 */
struct unwind *unwind_open(const struct plan *plan, const struct loaded *l, struct usyms *us);
void unwind_close(struct unwind *w);
/* A program that will be executed, and the libraries that its loader will map. */
void unwind_expect(struct usyms *us, const char *program);
/* All processes there are, for who traces them all. */
void unwind_all_processes(struct usyms *us);

#endif
