#include "vm/frame_ptr.h"

enum { CALLER_SAVED = 0x3f }; /* r0 ... r5 */

void frame_ptrs_forget(struct frame_ptrs *f)
{
	*f = (struct frame_ptrs){ .known = 1 << BPF_REG_10 };
}

static void forget(struct frame_ptrs *f, unsigned regs)
{
	f->known &= (uint16_t) ~(regs & ~(1u << BPF_REG_10));
}

/* r = r10 and r += constant keep what is known; the rest loses it. */
static void step_alu(struct frame_ptrs *f, const struct bpf_insn *p)
{
	bool wide = BPF_CLASS(p->code) == BPF_ALU64, by_reg = BPF_SRC(p->code) == BPF_X;
	unsigned dst = p->dst_reg, op = BPF_OP(p->code);
	int64_t sum = (int64_t)f->off[dst] + p->imm;

	if (wide && op == BPF_MOV && by_reg && !p->off && f->known >> p->src_reg & 1) {
		f->off[dst] = f->off[p->src_reg];
		f->known |= (uint16_t)(1 << dst);
	} else if (wide && op == BPF_ADD && !by_reg && sum >= -BPF_STACK_SIZE && sum <= 0) {
		f->off[dst] = (int32_t)sum;
	} else {
		forget(f, 1u << dst);
	}
}

void frame_ptrs_step(struct frame_ptrs *f, const struct bpf_insn *p, const struct vm_op *op)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64: step_alu(f, p); break;
	case BPF_LDX: forget(f, 1u << p->dst_reg); break;
	case BPF_LD: forget(f, insn_is_wide(p) ? 1u << p->dst_reg : CALLER_SAVED); break;
	case BPF_STX:
		if (BPF_MODE(p->code) == BPF_ATOMIC)
			forget(f, 1u << p->src_reg | 1u << p->dst_reg | 1u);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		if (op->id == INSN_CALL || op->id == INSN_CALLX || op->id == INSN_CALL_LOCAL ||
		    op->id == VM_OP_TAIL)
			forget(f, CALLER_SAVED);
		break;
	}
}
