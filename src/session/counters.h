/*
 * counters.h - what went wrong inside the programs, told once and in time.
 *
 * Programs count in the globals; here the counts are compared with what was told before.  A
 * problem that repeats is told at most once a second, with how often it happened since.
 */
#ifndef SCRY_SESSION_COUNTERS_H
#define SCRY_SESSION_COUNTERS_H

#include "script/plan.h"

#include <stdbool.h>

struct session;

struct counters {
	uint64_t *told;	       /* per plan.counters: times already told */
	uint64_t next_ms;      /* not before this time (monotonic clock) */
	uint64_t lost_told;    /* events, over all programs */
	uint64_t unread;       /* records in the ring that there was no time to show */
	uint64_t missed;       /* by the links, which are gone at the end */
	uint64_t *prog_missed; /* the same, per plan.progs */
	uint64_t *cleared;     /* per plan.maps: entries that clear() took away */
};

/* How often that was counted until now. */
uint64_t counter_times(const struct session *s, const struct plan_counter *c);
/* Does it count something that is no failure? */
bool counter_is_no_failure(const struct plan_counter *c);
void counters_init(struct counters *c, const struct plan *plan);
void counters_fini(struct counters *c);
/* Tells what is new, unless that was done within the last second and now is false. */
void counters_poll(struct session *s, bool now);
/* Sets all that was counted and told to zero, while no program runs. */
void counters_forget(struct session *s);
/* Notes what the links missed; before they are detached. */
void counters_take_missed(struct session *s);
/*
 * At the end: tells the rest, runs that the kernel skipped, and the total of lost events.
 * Returns whether anything at all was counted, told or not.
 */
bool counters_finish(struct session *s);

#endif
