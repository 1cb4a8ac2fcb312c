/*
 * cmd_run.h - `scry run` and `scry build`: BPF object files.
 */
#ifndef SCRY_CLI_CMD_RUN_H
#define SCRY_CLI_CMD_RUN_H

/* argv[0] is the subcommand; each returns the exit code. */
int cmd_run(int argc, char **argv);
int cmd_build(int argc, char **argv);
/* The words of a program that carries its object: argv[0] is its name, path its file. */
int cmd_run_own(const char *path, int argc, char **argv);

#endif
