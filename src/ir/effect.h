/*
 * effect.h - which memory an instruction reads and writes.
 *
 * Memory falls into three kinds that never overlap: what the program was given (ctx; nothing
 * writes it), each tracked slot, and everything else (map values, records, kernel memory).  A
 * slot is tracked when its address goes nowhere but into adds, loads, stores, atomics and
 * calls of helpers.  Those read and may write all of a slot whose address they are given, and
 * nothing of the others: helpers do not keep an address beyond the call, nor give it back. What
 * a callback finds in its context are addresses that were stored, so of slots not tracked.
 */
#ifndef SCRY_IR_EFFECT_H
#define SCRY_IR_EFFECT_H

#include "ir/dom.h"

/* Changes nothing, at most looks at what it is given. It may go when nobody needs its result.
 */
bool call_is_quiet(const struct ins *i);
/* Quiet, and gives the same result whenever it is called in one run of the program. */
bool call_is_fixed(const struct ins *i);

/* The operand that is the context of a callback; -1: the call has no callback. */
int call_callback_context(const struct ins *i);

enum place_kind { PLACE_ANY, PLACE_CTX, PLACE_SLOT };

/* Where an address points. */
struct place {
	uint8_t kind; /* enum place_kind */
	bool exact;   /* off is known */
	ref slot;     /* PLACE_SLOT */
	int64_t off;  /* from the start of the slot */
};

struct places {
	const struct fn *fn;
	struct place *of; /* by ref: where its value points, taken as an address */
	bool *tracked;	  /* by ref: a slot that is tracked */
};

/* Looks at all reachable blocks. */
void places_build(struct places *ps, const struct fn *fn, const struct dom *d, struct arena *a);

/* Where a load, store or atomic with this address and offset goes; PLACE_SLOT: tracked. */
struct place place_of(const struct places *ps, ref address, int64_t off);

/* Is it a load, store or atomic: something that accesses memory at a + imm? */
bool is_access(const struct ins *i);

#endif
