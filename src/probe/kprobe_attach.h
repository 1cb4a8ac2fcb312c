/*
 * kprobe_attach.h - grouping and attaching of kprobes and kretprobes: struct provider's
 * functions.
 *
 * Matches of a wildcard are one kprobe.multi link where the kernel has that, else a perf event
 * each, as are functions named by themselves.  A kprobe and a kretprobe of the same matches are
 * joined to one session link (kernel 6.10), whose program runs at both ends.
 */
#ifndef SCRY_PROBE_KPROBE_ATTACH_H
#define SCRY_PROBE_KPROBE_ATTACH_H

#include "probe/provider.h"

int kprobe_group(struct probe_env *env, const struct targets *targets,
		 const struct group_wants *wants, struct groups *out, struct err *e);
bool kprobe_join(struct probe_env *env, struct group *g, const struct group *ret,
		 uint32_t *is_return);
int kprobe_attach(struct probe_env *env, const struct group *g, int prog_fd, struct links *out,
		  struct err *e);

#endif
