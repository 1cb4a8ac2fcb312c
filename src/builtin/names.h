/*
 * names.h - names of numbers that builtins take as text.
 */
#ifndef SCRY_BUILTIN_NAMES_H
#define SCRY_BUILTIN_NAMES_H

/* The number of "KILL", "SIGKILL" or "kill"; 0 when there is no such signal. */
int signal_number(const char *name);

#endif
