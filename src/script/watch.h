/*
 * watch.h - watchpoints of what a function's argument points to.
 *
 * A program of our own runs when the function is called and sends the argument to scry, which
 * sets the watchpoint.  Meanwhile the process waits: the program stops it (SIGSTOP), and scry
 * lets it go on.  With asyncwatchpoint it does not wait, and the first accesses may pass
 * unseen.
 */
#ifndef SCRY_SCRIPT_WATCH_H
#define SCRY_SCRIPT_WATCH_H

struct compiler;

/* Adds these programs to the plan, before any unit is lowered. */
void watch_prepare(struct compiler *c);

#endif
