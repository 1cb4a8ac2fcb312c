/*
 * clock.h - the kernel's times as text.
 */
#ifndef SCRY_SESSION_CLOCK_H
#define SCRY_SESSION_CLOCK_H

#include "base/arena.h"

#include <stdint.h>
#include <time.h>

/*
 * The wall-clock time of an instant of that clock (CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_TAI),
 * by the distance between the two clocks now.
 */
struct timespec clock_to_wall(clockid_t clock, uint64_t ns);
struct timespec clock_now(void);

/*
 * The time as strftime() formats it in the local zone, with three more conversions: %f
 * microseconds (6 digits), %k nanoseconds (9), %l milliseconds (3). The text lives in a.
 */
const char *clock_format(struct arena *a, const char *fmt, struct timespec t);

#endif
