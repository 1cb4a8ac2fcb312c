/*
 * frame_ptr.h - registers that point into the program's own stack, as far as one can tell
 * without proving anything: within a run of instructions that nothing jumps into.
 */
#ifndef SCRY_VM_FRAME_PTR_H
#define SCRY_VM_FRAME_PTR_H

#include "vm/vm.h"

struct frame_ptrs {
	uint16_t known;	 /* registers, a bit each */
	int32_t off[11]; /* from r10 */
};

/* At the start of a function and where ways meet. */
void frame_ptrs_forget(struct frame_ptrs *f);
/* What the instruction leaves. */
void frame_ptrs_step(struct frame_ptrs *f, const struct bpf_insn *p, const struct vm_op *op);

/* Are size bytes at register + off inside the own frame? */
static inline bool frame_ptr_holds(const struct frame_ptrs *f, unsigned reg, int32_t off,
				   unsigned size)
{
	int64_t at = (int64_t)f->off[reg] + off;

	return f->known >> reg & 1 && at >= -BPF_STACK_SIZE && at + (int64_t)size <= 0;
}

#endif
