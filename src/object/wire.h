/*
 * wire.h - a plan as bytes, in both directions.
 *
 * One walk serves both: each function writes what it is given, or fills it in from the bytes.
 * Reading never goes outside of them; the first thing that does not fit sets bad, and all that
 * follows reads as zero.
 */
#ifndef SCRY_OBJECT_WIRE_H
#define SCRY_OBJECT_WIRE_H

#include "object/build.h"

struct wire {
	bool writing, bad;
	struct sb *out;		 /* writing */
	const uint8_t *at, *end; /* reading */
	struct arena *arena;
	struct typetab *types;
	int depth;
};

/* Where a function of a program is in the file: of its ELF section, n instructions from at. */
struct wire_func {
	const char *section;
	uint32_t at, n; /* bytes; instructions */
};

/* A 64-bit immediate that is the address of a function of the same program. */
struct wire_call {
	uint32_t insn, func;
};

/* What stands in the ELF sections of a program instead of its image. */
struct wire_prog {
	struct wire_func *funcs; /* image.nfuncs, or 1 */
	struct wire_call *calls;
	uint32_t ncalls;
};

/* progs: one per plan->progs; made when reading. */
void wire_plan(struct wire *w, struct plan *plan, struct wire_prog **progs,
	       struct built_config *cfg);
/* Does all that was read fit together? Sets e otherwise. */
int plan_check(const struct plan *plan, struct err *e);

#endif
