/*
 * filter.h - whose events count, from the command line: -p, -c, --follow, --cgroup, --pidns.
 */
#ifndef SCRY_CLI_FILTER_H
#define SCRY_CLI_FILTER_H

#include "cli/options.h"
#include "script/filter.h"

#include <regex.h>

/*
 * All of the filter but the pid, which is only known once a child was started. Paths and ids
 * that do not exist are errors: returns 0 or -errno with e set. The text is the options'
 * arena's.
 */
int filter_from_options(const struct options *o, struct task_filter *f, struct err *e);

/* Compiles --probe-filter's expression (POSIX extended). Returns 0 or -EINVAL with e set. */
int probe_filter(const char *text, regex_t *out, struct err *e);

#endif
