/*
 * loop.h - waiting while the trace runs.
 *
 * From loop_open() on, SIGINT, SIGTERM and SIGHUP do not kill but end the session in order;
 * after the first one they have their default effect again, so that a second one ends it at
 * once. That holds for a first one that comes when the session is ending by itself, too.
 */
#ifndef SCRY_SESSION_LOOP_H
#define SCRY_SESSION_LOOP_H

#include "session/session.h"
#include "session/walk.h"

struct loop_timer {
	int fd;
	size_t prog; /* in plan.progs */
};

struct loop {
	int poll, signals;
	int user_signal; /* of self:signal; -1: nobody asked */
	int every;	 /* the timer of every_ns; -1: none */
	uint64_t woken;	 /* ms: when the ring woke us last */
	unsigned idle;	 /* looks at the ring since then that found nothing */
	bool signalled;	 /* was asked to end by a signal */
	int look_ms;	 /* until the next look at what processes map; 0: not asked for */
	struct walk walk;
	VEC(struct loop_timer)
	timers; /* without the kernel: one per place of interval probes */
};

#define LOOP_CLOSED                        \
	((struct loop){ .poll = -1,        \
			.signals = -1,     \
			.user_signal = -1, \
			.every = -1,       \
			.walk = WALK_NONE })

/* Returns 0 or -errno with e set; loop_close() in any case. */
int loop_open(struct loop *l, struct session *s, struct err *e);
/* Starts the walk of iter probes, whose end is a reason to end. Returns 0 or -errno, e set. */
int loop_walk(struct loop *l, struct session *s, struct err *e);
/* Handles events until there is a reason to end. Returns 0 or -errno with e set. */
int loop_run(struct loop *l, struct session *s, struct err *e);
void loop_close(struct loop *l);

/* Handles what is in the ring now. Returns 0 or -errno with e set. */
int loop_drain(struct session *s, struct err *e);

#endif
