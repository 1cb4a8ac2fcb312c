/*
 * filter.h - whose events count, whatever the script says: the conditions that stand at the
 * head of every program, before its predicate.
 *
 * They concern the task that is running when the event fires.  Programs of interval, iter,
 * begin and end run for no task of theirs and have no filter.
 */
#ifndef SCRY_SCRIPT_FILTER_H
#define SCRY_SCRIPT_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct compiler;
struct unit;

/* Every condition that is set must hold. */
struct task_filter {
	pid_t pid;   /* this process, by its number in scry's own pid namespace; 0: all */
	bool follow; /* with pid: and the processes it forks from now on, and theirs */
	/* A folder of cgroup v2: tasks in it and below it; NULL: all. */
	const char *cgroup;
	/* Tasks of this pid namespace, as bpf_get_ns_current_pid_tgid() takes it; ino 0: all.
	 */
	uint64_t pidns_dev, pidns_ino;
};

/*
 * Adds what the filter itself needs to the plan: its maps, and for follow two programs of its
 * own that note who forks and who is gone. Before any unit is lowered.
 */
void filter_prepare(struct compiler *c);
/* The conditions, at the beginning of a unit's program. */
void lower_filter(struct unit *u);

#endif
