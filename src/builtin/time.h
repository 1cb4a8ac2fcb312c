/*
 * time.h - clocks that other builtins read too.
 */
#ifndef SCRY_BUILTIN_TIME_H
#define SCRY_BUILTIN_TIME_H

#include "script/lower.h"

/* CLOCK_TAI on any kernel: the boot clock and what lay between the two when compiled. */
ref lower_tai_ns(struct unit *u);

#endif
