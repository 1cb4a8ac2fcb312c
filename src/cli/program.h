/*
 * program.h - the text of the program that the command line names.
 */
#ifndef SCRY_CLI_PROGRAM_H
#define SCRY_CLI_PROGRAM_H

#include "cli/options.h"

struct program {
	const char *name; /* as places in it are shown: "stdin" for -e and - */
	const char *text;
	size_t len;
	/* Positional parameters: $1 is params[0]. */
	const char *const *params;
	unsigned nparams;
	const char *const *options; /* words that start with -- */
	unsigned noptions;
};

/*
 * Reads -e's text, the file that the first word names, or standard input. The text lives in the
 * options' arena. Returns 0 or -errno with e set.
 */
int program_read(const struct options *o, struct program *out, struct err *e);

/* Reads a whole file, or standard input for "-". */
int program_read_file(const char *path, struct sb *out, struct err *e);

#endif
