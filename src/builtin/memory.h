/*
 * memory.h - what builtins that take bytes of memory have in common.
 */
#ifndef SCRY_BUILTIN_MEMORY_H
#define SCRY_BUILTIN_MEMORY_H

#include "script/lower.h"

/* Are there n bytes in, or behind, a value of that type: a string, array, struct, pointer? */
bool memory_has(const struct type *t, int64_t n);
/* A copy of its first n bytes, n > 0, in whole words; what is behind them is undefined. */
ref memory_copy(struct unit *u, struct expr *e, uint32_t n);

#endif
