/*
 * spill.h - programs rewritten so that some registers live in memory.
 */
#ifndef SCRY_CODEGEN_SPILL_H
#define SCRY_CODEGEN_SPILL_H

#include "codegen/mir.h"

/*
 * Takes the registers marked in spilled (by number) out of m: each is kept in a spill slot and
 * visits short-lived new registers, its pieces, where it is used.  Constants are made again
 * instead.
 */
void spill_rewrite(struct mfn *m, const bool *spilled);

/* Gives every spill slot in use its place below the first `above` bytes; returns bytes taken.
 */
uint32_t spill_place_slots(struct mfn *m, uint32_t above);

#endif
