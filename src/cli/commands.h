/*
 * commands.h - what `scry WORD ...` does when WORD is no program file: one row per subcommand,
 * in main.c.
 */
#ifndef SCRY_CLI_COMMANDS_H
#define SCRY_CLI_COMMANDS_H

#include "cli/options.h"

struct command {
	const char *name;
	/* argv[0] is the subcommand; returns the exit code. */
	int (*run)(int argc, char **argv);
	const char *doc;
	bool options_lead; /* bpftool's order: its options may stand before the subcommand */
};

/* Ends with a row without a name. */
extern const struct command commands[];

/* Without a subcommand: what the options ask for. Each returns the exit code. */
int cmd_trace(const struct options *o);	  /* run a program */
int cmd_list(const struct options *o);	  /* -l */
int cmd_info(const struct options *o);	  /* --info */
int cmd_explain(const struct options *o); /* --explain CODE */
int cmd_fmt(const struct options *o);	  /* --fmt */

#endif
