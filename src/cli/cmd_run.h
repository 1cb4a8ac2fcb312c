/*
 * cmd_run.h - `scry run`: BPF object files.
 */
#ifndef SCRY_CLI_CMD_RUN_H
#define SCRY_CLI_CMD_RUN_H

/* argv[0] is "run"; returns the exit code. */
int cmd_run(int argc, char **argv);

#endif
