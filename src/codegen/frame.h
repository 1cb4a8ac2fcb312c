/*
 * frame.h - where slots lie: on the BPF stack or in the per-CPU scratch map.
 *
 * Slots of at most on_stack_limit bytes are on the stack as long as they fit, the others in the
 * scratch value; the context of a callback is on the stack in any case.  Slots that are never
 * in use at the same time share their bytes.
 */
#ifndef SCRY_CODEGEN_FRAME_H
#define SCRY_CODEGEN_FRAME_H

#include "codegen/order.h"

enum { STACK_MAX = 512 }; /* MAX_BPF_STACK of linux/filter.h */

struct slot_place {
	bool in_scratch;
	int32_t off; /* from r10, or from the start of the scratch value */
};

struct frame {
	struct slot_place *slots; /* by ref of the slot instruction */
	uint32_t stack_size;	  /* bytes of stack that slots take; a multiple of 8 */
	uint32_t scratch_size;
};

enum { SCRATCH_BUSY = 0, SCRATCH_BUSY_SIZE = 8 }; /* a claimed element's word, see codegen.h */

/*
 * Places the slots of fn, with at most stack_budget bytes on the stack and the first
 * scratch_head bytes of the scratch value left free.
 */
void frame_place(struct arena *a, const struct fn *fn, const struct order *o,
		 uint32_t on_stack_limit, uint32_t stack_budget, uint32_t scratch_head,
		 struct frame *f);

#endif
