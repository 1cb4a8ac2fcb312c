/*
 * user_attach.h - grouping and attaching of probes in user space, alike for uprobe and usdt.
 *
 * One place is a perf event.  Several in one file, for one program, are one uprobe.multi link
 * where the kernel has that, else a perf event each; which one fired is told by the cookie.
 */
#ifndef SCRY_PROBE_USER_ATTACH_H
#define SCRY_PROBE_USER_ATTACH_H

#include "probe/provider.h"

/*
 * Makes groups of targets that one program can serve: those of a file, if with_each_other()
 * (NULL: always) allows them beside the first of the group.
 */
void user_group(struct probe_env *env, const struct targets *targets,
		const struct group_wants *wants,
		bool (*with_each_other)(const struct target *a, const struct target *b),
		struct groups *out);
/* struct provider's attach. */
int user_attach(struct probe_env *env, const struct group *g, int prog_fd, struct links *out,
		struct err *e);
/* What a program for a place in user space may use, but for its arguments. */
void user_shape(struct probe_env *env, struct shape *out);

#endif
