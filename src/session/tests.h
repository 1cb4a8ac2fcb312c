/*
 * tests.h - the test: or the bench: programs of a script, one after the other.
 *
 * A test has failed when it returns a value other than 0, calls exit() with one, calls errorf()
 * (as assert() does), or when a problem is told of it (a full map; with -k a read that failed).
 * What it prints is kept, and shown only when it failed.
 *
 * A benchmark is run more and more often until that takes RUN_NS.  One that returns a value
 * other than 0 is left out; one that calls exit() with one or errorf() has failed.  What it
 * prints is thrown away.
 */
#ifndef SCRY_SESSION_TESTS_H
#define SCRY_SESSION_TESTS_H

#include "session/session.h"

/*
 * Runs what the plan's purpose names and tells each result through the sink; s->status becomes
 * 1 when one has failed. The begin programs have run; their events are handled first. Returns 0
 * or -errno with e set.
 */
int tests_run(struct session *s, struct err *e);

#endif
