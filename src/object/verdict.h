/*
 * verdict.h - what libbpf and the verifier said, as one error.
 */
#ifndef SCRY_OBJECT_VERDICT_H
#define SCRY_OBJECT_VERDICT_H

#include "base/err.h"

/*
 * Sets e to "PATH: ..." from libbpf's log.  A program that the verifier rejected is named with
 * its section's function, the verifier's last words and the source line they are about;
 * otherwise the first thing that libbpf complained about is quoted, or, when it said nothing,
 * what.  Returns code.
 */
int verdict_set(struct err *e, int code, const char *path, const char *what, const char *log);

#endif
