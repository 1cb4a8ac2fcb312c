/*
 * split.h - long begin and end probes as several programs.
 */
#ifndef SCRY_SCRIPT_SPLIT_H
#define SCRY_SCRIPT_SPLIT_H

struct compiler;

/*
 * Cuts begin and end probes that fill maps in hundreds of statements into probes that follow
 * each other. Some kernels take time that grows with the square of a program's length to check
 * it (6.18: 7 s for 5,000 assignments), all have a longest program, and such a probe runs once.
 *
 * A cut stands behind statements that cannot end the probe and share nothing with the rest but
 * maps: assignments to maps and calls of builtins, without variables, macros and functions.
 */
void split_long_probes(struct compiler *c);

#endif
