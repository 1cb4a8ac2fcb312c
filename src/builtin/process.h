/*
 * process.h - what other builtins need to know of the current task.
 */
#ifndef SCRY_BUILTIN_PROCESS_H
#define SCRY_BUILTIN_PROCESS_H

#include "script/lower.h"

/*
 * The ids that scry's own pid namespace has for the task: the process's in the upper half, the
 * thread's in the lower one; 0 for a task of another namespace.
 */
ref lower_pid_and_tid(struct unit *u);

#endif
