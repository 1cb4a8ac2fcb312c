/*
 * report.h - how the command line speaks: messages on stderr, exit codes.
 */
#ifndef SCRY_CLI_REPORT_H
#define SCRY_CLI_REPORT_H

#include "base/err.h"

/* Other codes: 3 out of memory (arena.h), and whatever a script gives to exit(). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_USAGE = 1,	 /* the command line or the script is wrong */
	EXIT_SYSTEM = 2, /* the system refused */
};

/* "scry: words" and the hint; returns EXIT_USAGE. */
int report_usage(const struct err *e);
/* "scry: words (ENOENT)" and the hint; returns EXIT_SYSTEM. */
int report_system(const struct err *e);

#endif
