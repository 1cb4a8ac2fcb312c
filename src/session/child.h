/*
 * child.h - the process that a session ends with: one it starts (-c) or one it is told (-p).
 *
 * A started child exists, and has its pid, before it runs its command: it waits at a gate until
 * everything is attached, so that nothing it does is missed.  When scry dies before the gate
 * opens, the child ends without having run anything.
 */
#ifndef SCRY_SESSION_CHILD_H
#define SCRY_SESSION_CHILD_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;     /* 0: none */
	int pidfd;     /* readable when the process has ended; -1: none */
	int gate;      /* our end of the gate's socket; -1: open, or not our child */
	bool ours;     /* we started it */
	char *program; /* if ours: the path of what it executes, on the heap */
};

#define CHILD_NONE ((struct child){ .pidfd = -1, .gate = -1 })

/*
 * Forks a process for cmd, which is split at single spaces and found along PATH. Returns 0 or
 * -errno with e set; then there is no child.
 */
int child_start(struct child *c, const char *cmd, struct err *e);
/* Watches a process that runs already. Returns 0 or -errno with e set. */
int child_watch(struct child *c, pid_t pid, struct err *e);
/*
 * Opens the gate and returns when the command has been executed. Returns 0 or -errno with e
 * set, when it could not be.
 */
int child_release(struct child *c, struct err *e);
/* Ends a child of ours (SIGTERM) that still runs, and lets go of the rest. */
void child_end(struct child *c);

#endif
