/*
 * run_built.h - `scry run` of what `scry build` wrote.
 */
#ifndef SCRY_CLI_RUN_BUILT_H
#define SCRY_CLI_RUN_BUILT_H

#include "output/sink.h"

#include <sys/types.h>

struct run_built {
	const char *path, *cmd;
	pid_t pid;
	bool quiet;
	const struct sink *sink;
};

/* Returns false when the file was not built by scry; else runs it and sets the exit code. */
bool run_built(const struct run_built *r, int *code);

#endif
