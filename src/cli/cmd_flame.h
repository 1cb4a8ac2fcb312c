/*
 * cmd_flame.h - `scry flame`: folded stacks as a flame graph in one SVG file.
 */
#ifndef SCRY_CLI_CMD_FLAME_H
#define SCRY_CLI_CMD_FLAME_H

/* argv[0] is "flame". Returns the exit code: 0, 1 for usage and bad input, 2 for the system. */
int cmd_flame(int argc, char **argv);

#endif
