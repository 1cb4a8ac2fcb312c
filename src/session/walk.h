/*
 * walk.h - iterators read to their end by a process of its own, while the session reads the
 * ring that their programs fill.
 */
#ifndef SCRY_SESSION_WALK_H
#define SCRY_SESSION_WALK_H

#include "probe/provider.h"

struct walk {
	int fd; /* readable when the walk is over; -1: there is none */
	pid_t pid;
};

#define WALK_NONE ((struct walk){ .fd = -1 })

/* Starts reading all iterators of links, one after the other. Returns 0 or -errno, e set. */
int walk_start(struct walk *w, const struct links *links, struct err *e);
/* What became of a walk that is over: 0 or -errno with e set. */
int walk_result(const struct walk *w, struct err *e);
/* Ends it, wherever it is. */
void walk_stop(struct walk *w);

#endif
