/*
 * regalloc.h - every virtual register gets one of r0-r9, or lives in spill slots.
 */
#ifndef SCRY_CODEGEN_REGALLOC_H
#define SCRY_CODEGEN_REGALLOC_H

#include "codegen/mir.h"

/*
 * Sets phys of every virtual register that is left, rewriting m where values are spilled.
 * Spill slots lie below the first `above` bytes of the stack. Returns their size in bytes,
 * which may be more than there is.
 */
uint32_t regalloc(struct mfn *m, uint32_t above);

#endif
