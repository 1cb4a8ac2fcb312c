/*
 * seccomp.h - seccomp filters as text, with the names of system calls.
 */
#ifndef SCRY_CLI_SECCOMP_H
#define SCRY_CLI_SECCOMP_H

#include "base/err.h"
#include "base/sb.h"

/*
 * Adds the filter of a file: an array of struct sock_filter, as prctl() and ptrace() have it.
 * Returns 0 or -errno with e set.
 */
int seccomp_print(const char *path, struct sb *out, struct err *e);

#endif
