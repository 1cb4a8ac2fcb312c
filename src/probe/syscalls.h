/*
 * syscalls.h - many tracepoints of system calls as one raw tracepoint.
 *
 * Each event of the category `syscalls` is a tracepoint of its own only in name: the kernel has
 * one where all calls enter (sys_enter) and one where they leave (sys_exit).  A script that
 * wants hundreds of them, and no arguments but args.ret, gets one program there, which finds
 * out by the call's number whether and as what to count.  It attaches at once and, above all,
 * detaches at once, where hundreds of perf events take an RCU grace period each.
 */
#ifndef SCRY_PROBE_SYSCALLS_H
#define SCRY_PROBE_SYSCALLS_H

#include "probe/provider.h"

/*
 * Makes groups of those targets that are worth it and get what the body wants; all others go to
 * rest, in their order.
 */
void syscalls_group(struct probe_env *env, const struct targets *targets,
		    const struct group_wants *wants, struct groups *out, struct targets *rest);
/* What the program of such a group may use. */
void syscalls_shape(struct probe_env *env, const struct group *g, struct shape *out);
/* Attaches such a group. Returns 0 or -errno with e set. */
int syscalls_attach(const struct group *g, int prog_fd, struct links *out, struct err *e);

#endif
