/*
 * dump.h - what the compiler makes, as text: `-d STAGE`.
 */
#ifndef SCRY_SCRIPT_DUMP_H
#define SCRY_SCRIPT_DUMP_H

#include "script/unit.h"

/* Each passes its text to opt->dump when the options ask for that stage. */
void dump_ast(struct compiler *c, const char *name);
void dump_ir(struct compiler *c, const struct fn *fn);
void dump_pass(void *compiler, const char *pass, const struct fn *fn);

#endif
