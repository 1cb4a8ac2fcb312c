/*
 * procwatch.h - tells a usyms what processes map, while they do it.
 *
 * So the addresses of a process have names also when it ended before anybody could look at it.
 * The kernel writes records of new mappings, executed programs and forks to a ring per CPU
 * (linux/perf_event.h); they are put in order by their time.
 */
#ifndef SCRY_SYMBOL_PROCWATCH_H
#define SCRY_SYMBOL_PROCWATCH_H

#include "symbol/usyms.h"

struct procwatch;

/*
 * Watches a process and its children to come, or all processes (pid 0), for us, which must live
 * longer. Eager: what happened is waiting to be read at once, also of all processes. NULL, when
 * the kernel does not allow that: names are then looked up in /proc alone.
 */
struct procwatch *procwatch_open(struct usyms *us, pid_t pid, bool is_eager);
/* Passes on what happened until now. Returns whether there was anything. */
bool procwatch_read(struct procwatch *w);
/*
 * A descriptor that is readable when much is waiting to be read, or, eager, anything; owned by
 * w.
 */
int procwatch_fd(const struct procwatch *w);
/* Records that there was no room for, among those read; w may be NULL. */
uint64_t procwatch_lost(const struct procwatch *w);
void procwatch_close(struct procwatch *w);

#endif
