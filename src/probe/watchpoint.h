/*
 * watchpoint.h - watchpoints whose address is known only when a function is called.
 */
#ifndef SCRY_PROBE_WATCHPOINT_H
#define SCRY_PROBE_WATCHPOINT_H

#include "probe/provider.h"

/*
 * Watches an address for the target of that index in the group, unless that was tried before
 * and nothing was unwatched since. Returns 0 or -errno with e set.
 */
int watchpoint_set(struct probe_env *env, const struct group *g, size_t index, uint64_t addr,
		   int prog_fd, struct links *out, struct err *e);

#endif
