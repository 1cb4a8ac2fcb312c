/*
 * holders.h - who keeps BPF objects: paths that they are pinned at, processes that have them
 * open.
 *
 * Both are read once, from the bpf file systems that are mounted and from /proc; what may not
 * be read is left out.  Our own process does not count.
 */
#ifndef SCRY_OBJECT_HOLDERS_H
#define SCRY_OBJECT_HOLDERS_H

#include "base/vec.h"
#include "kernel/bpf_ids.h"

#include <stdbool.h>

struct holder {
	enum kbpf_object what;
	uint32_t id;
	uint32_t pid; /* 0: a path */
	char *text;   /* the path, or the name of the process */
};

struct holders {
	VEC(struct holder) all;
};

/* Reads paths, and processes if asked for. holders_fini() in any case. */
void holders_read_paths(struct holders *h);
void holders_read_processes(struct holders *h);
void holders_fini(struct holders *h);
/* The next holder behind *i of that object, paths or processes; NULL: there are no more. */
const struct holder *holders_next(const struct holders *h, size_t *i, bool path,
				  enum kbpf_object what, uint32_t id);
/* Is any object of that kind pinned? */
bool holders_have_paths(const struct holders *h, enum kbpf_object what);
/* Which kind of object a descriptor of ours is; false: none. */
bool holders_kind(int fd, enum kbpf_object *what);

#endif
