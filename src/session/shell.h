/*
 * shell.h - what a script asks of the system outside the trace: commands and files.
 */
#ifndef SCRY_SESSION_SHELL_H
#define SCRY_SESSION_SHELL_H

#include "base/sb.h"

/*
 * Runs cmd with sh and appends what it writes to standard output and standard error. Returns
 * its exit status (128 + the signal that killed it), or -errno when it could not be run.
 */
int shell_run(const char *cmd, struct sb *out);
/* Appends at most max bytes of a file. Returns 0 or -errno. */
int file_head(const char *path, size_t max, struct sb *out);

#endif
