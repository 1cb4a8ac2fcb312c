/*
 * emit.h - machine instructions to bytes.
 */
#ifndef SCRY_CODEGEN_EMIT_H
#define SCRY_CODEGEN_EMIT_H

#include "codegen/codegen.h"
#include "codegen/mir.h"

/*
 * Fills out's instructions, spans and relocations, in a.  Jumps to the next instruction, empty
 * blocks and copies of a register to itself vanish.
 * Returns 0, or -E2BIG when the program is too long or, before isa 4, a jump is.
 */
int emit(struct arena *a, const struct mfn *m, unsigned isa, struct image *out, struct err *e);

#endif
