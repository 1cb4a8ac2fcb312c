/*
 * prints.h - what programs say with bpf_trace_printk().
 *
 * The lines are taken from an instance of tracefs of its own, so that other readers of
 * trace_pipe miss nothing.  A process beside us removes that instance when we are gone, however
 * we end.  The kernel does not say which program printed a line: only lines that fit one of the
 * patterns are shown.
 */
#ifndef SCRY_OBJECT_PRINTS_H
#define SCRY_OBJECT_PRINTS_H

#include "base/err.h"
#include "base/sb.h"

#include <stddef.h>

struct prints {
	int pipe; /* to poll; -1: closed */
	int keeper;
	struct sb rest; /* a line that is not whole yet */
};

#define PRINTS_CLOSED ((struct prints){ -1, -1, {} })

/* Returns 0 or -errno with e set; prints_close() in any case. */
int prints_open(struct prints *p, struct err *e);
void prints_close(struct prints *p);
/* Calls line with each new line that fits one of n patterns ('*' is anything). */
void prints_read(struct prints *p, const char *const *patterns, size_t n,
		 void (*line)(void *arg, const char *text, size_t len), void *arg);

#endif
