/*
 * dump.h - `-d STAGE`: a program as text after a stage of its way.
 */
#ifndef SCRY_CLI_DUMP_H
#define SCRY_CLI_DUMP_H

#include "base/err.h"
#include "cli/options.h"
#include "script/plan.h"

struct dump {
	bool any;
	bool ast, ir, bpf, xlated;
};

/* What the arguments of -d ask for. Returns 0 or -EINVAL with e set. */
int dump_init(struct dump *d, const struct texts *stages, struct err *e);
/* Is there a stage of that name? */
bool dump_knows(const char *stage);
/* Prints a stage's text; the dump function of compile_options. */
void dump_stage(void *arg, const char *stage, const char *what, const char *text);
/* Prints a plan's programs, each piece behind the text of the script it was made for. */
void dump_bpf(const struct plan *plan);
/* Prints a loaded program as the kernel rewrote it. */
void dump_xlated(void *arg, const struct plan_prog *prog, int fd);

#endif
