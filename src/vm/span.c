#include "vm/span.h"

#include "vm/frame_ptr.h"

#include <stdlib.h>

struct spans {
	struct span *at;
	uint32_t leader[11]; /* per register: 1 + slot; 0: there is none */
	struct frame_ptrs frame;
	bool any;
};

static void forget_all(struct spans *s)
{
	memset(s->leader, 0, sizeof(s->leader));
}

/* The register that a load or store goes through, or -1. Atomics are checked on their own. */
static int base_of(const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code);

	if (class == BPF_LDX)
		return p->src_reg;
	if (class == BPF_ST || (class == BPF_STX && BPF_MODE(p->code) == BPF_MEM))
		return p->dst_reg;
	return -1;
}

static void note_access(struct spans *s, uint32_t i, const struct bpf_insn *p, unsigned base)
{
	int32_t from = p->off, to = p->off + (int32_t)insn_size(p->code);

	if (s->frame.known >> base & 1)
		return; /* the frame's own check is at compile time */
	if (s->leader[base]) {
		struct span *l = &s->at[s->leader[base] - 1];
		int32_t low = from < l->from ? from : l->from, high = to > l->to ? to : l->to;

		if (high - low <= SPAN_MAX) {
			l->from = low;
			l->to = high;
			l->is_leader = s->at[i].is_covered = s->any = true;
			return;
		}
	}
	s->at[i].from = from;
	s->at[i].to = to;
	s->leader[base] = i + 1;
}

/* What the instruction writes leads nowhere known; what calls may change anything. */
static void note_writes(struct spans *s, const struct bpf_insn *p, const struct vm_op *op)
{
	unsigned class = BPF_CLASS(p->code);

	switch (class) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LDX: s->leader[p->dst_reg] = 0; break;
	case BPF_ST: break;
	case BPF_STX:
		if (BPF_MODE(p->code) == BPF_ATOMIC)
			forget_all(s);
		break;
	case BPF_LD: forget_all(s); break;
	default:
		if (op->id == INSN_CALL || op->id == INSN_CALLX || op->id == INSN_CALL_LOCAL ||
		    op->id == VM_OP_TAIL || op->id == INSN_EXIT || op->id == INSN_JA ||
		    op->id == INSN_JA32)
			forget_all(s);
	}
}

struct span *vm_spans(const struct vm_prog *prog, const bool *is_met)
{
	struct spans s = { .at = xcalloc(prog->n, sizeof(*s.at)) };

	for (uint32_t i = 0; i < prog->n; i++) {
		const struct bpf_insn *p = &prog->insns[i];

		if (prog->ops[i].id == VM_OP_NONE)
			continue;
		if (is_met[i] || prog->is_entry[i]) {
			forget_all(&s);
			frame_ptrs_forget(&s.frame);
		}
		int base = base_of(p);
		if (base >= 0)
			note_access(&s, i, p, (unsigned)base);
		note_writes(&s, p, &prog->ops[i]);
		frame_ptrs_step(&s.frame, p, &prog->ops[i]);
	}
	if (!s.any) {
		free(s.at);
		s.at = NULL;
	}
	return s.at;
}
