/*
 * links.h - attaching programs, for providers: what was attached is noted in struct links.
 */
#ifndef SCRY_PROBE_LINKS_H
#define SCRY_PROBE_LINKS_H

#include "probe/provider.h"

/* Allows as many open files as n more attachments take. */
void links_reserve(size_t n);
/*
 * Attaches the program to a perf event, which links owns from now on in any case. index is the
 * target's in its group and becomes the cookie. Returns 0 or -errno.
 */
int links_add_event(struct links *links, const struct group *g, size_t index, int event,
		    int prog_fd, bool is_slow);
/* Takes over a link that was made otherwise. */
void links_add_link(struct links *links, int link, bool is_slow);
/* Takes over an iterator. */
void links_add_walk(struct links *links, int iter);
/* Notes that an iterator was pinned. */
void links_add_pin(struct links *links, const struct target *t);
/*
 * Notes that a target could not be attached. Returns err when that is an error: when it was
 * named by itself; else 0.
 */
int links_skip(struct links *links, const struct target *t, int err);
/*
 * Attaches the targets of a group one by one; those of a wildcard that cannot be are noted.
 * attach() attaches the target at index to the event source pmu, fail() puts the words for an
 * error of it into e. Returns 0 or -errno with e set.
 */
int links_attach_each(struct probe_env *env, const struct group *g, int pmu, int prog_fd,
		      int (*attach)(struct probe_env *env, const struct group *g, size_t index,
				    int pmu, int prog_fd, struct links *out),
		      int (*fail)(const struct target *t, int err, struct err *e),
		      struct links *out, struct err *e);
/*
 * The result of attaching a group, when there were before links: the error in e if nothing at
 * all could be attached, else 0.
 */
int links_check(const struct links *links, size_t before, const struct err *e);

#endif
