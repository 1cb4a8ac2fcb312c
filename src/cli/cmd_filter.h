/*
 * cmd_filter.h - `scry filter`: packet filters on the BPF machine.
 */
#ifndef SCRY_CLI_CMD_FILTER_H
#define SCRY_CLI_CMD_FILTER_H

/* argv[0] is "filter". Returns the exit code: 0, 1 for usage and bad filters, 2 for the system.
 */
int cmd_filter(int argc, char **argv);

#endif
