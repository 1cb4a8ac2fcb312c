#include "vm/leaf.h"

#include <stdlib.h>
#include <string.h>

static bool is_packet_load(const struct bpf_insn *p)
{
	return BPF_CLASS(p->code) == BPF_LD &&
	       (BPF_MODE(p->code) == BPF_ABS || BPF_MODE(p->code) == BPF_IND);
}

static bool is_jump(const struct vm_op *op, const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op->id != INSN_EXIT;
}

static bool falls_through(const struct vm_op *op)
{
	return op->id != INSN_EXIT && op->id != INSN_JA && op->id != INSN_JA32;
}

static bool is_leaf_insn(const struct vm_op *op, const struct bpf_insn *p)
{
	switch (op->id) {
	case INSN_CALL:
	case INSN_CALL_LOCAL:
	case INSN_CALLX:
	case VM_OP_TAIL: return false;
	default: return !is_jump(op, p) || op->jump >= 0;
	}
}

/*
 * r1 and r2 are where C puts them, the others where the packet is not. A program that only
 * moves r1 away at its start goes on with it where it is.
 */
static bool assign_registers(struct vm_leaf *leaf, const struct vm_prog *prog, uint16_t used)
{
	static const uint8_t POOL[] = { R8, RSI, RDX, RCX, RBX, R13, R14, R15 };
	const struct bpf_insn *first = prog->insns;
	bool moves_r1 = first->code == (BPF_ALU64 | BPF_MOV | BPF_X) && !first->off &&
			first->src_reg == BPF_REG_1;
	unsigned k = 0;

	for (uint32_t i = 1; i < prog->n; i++)
		moves_r1 &= prog->insns[i].dst_reg != 1 && prog->insns[i].src_reg != 1;
	leaf->reg[0] = RAX;
	leaf->reg[1] = RDI;
	leaf->reg[2] = RSI;
	for (unsigned r = 3; r < BPF_REG_10; r++) {
		leaf->reg[r] = RAX;
		if (!(used >> r & 1))
			continue;
		if (moves_r1 && first->dst_reg == r) {
			leaf->reg[r] = RDI;
			continue;
		}
		while (k < sizeof(POOL) && ((POOL[k] == RSI && used >> 2 & 1) ||
					    (leaf->reads_packet &&
					     (POOL[k] == LEAF_PACKET || POOL[k] == LEAF_SIZE))))
			k++;
		if (k == sizeof(POOL))
			return false;
		if (POOL[k] == RBX || POOL[k] >= R13)
			leaf->saved[leaf->nsaved++] = POOL[k];
		leaf->reg[r] = POOL[k++];
	}
	return true;
}

static void lower(uint32_t *to, uint32_t bytes)
{
	if (bytes < *to)
		*to = bytes;
}

/* What was read once is there: the least of all ways that lead to an instruction. */
static void prove_lengths(struct vm_leaf *leaf, const struct vm_prog *prog)
{
	for (uint32_t i = 1; i < prog->n; i++)
		leaf->at[i].proved = UINT32_MAX;
	for (uint32_t i = 0; i < prog->n; i++) {
		const struct bpf_insn *p = &prog->insns[i];
		const struct vm_op *op = &prog->ops[i];
		uint32_t bytes = leaf->at[i].proved;

		if (bytes == UINT32_MAX) /* nothing leads here */
			bytes = leaf->at[i].proved = 0;
		if (is_packet_load(p) && BPF_MODE(p->code) == BPF_ABS && p->imm >= 0 &&
		    (uint32_t)p->imm + insn_size(p->code) > bytes)
			bytes = (uint32_t)p->imm + insn_size(p->code);
		if (i + 1 < prog->n && falls_through(op))
			lower(&leaf->at[i + 1].proved, bytes);
		if (is_jump(op, p))
			lower(&leaf->at[i + 1 + (uint32_t)op->jump].proved, bytes);
	}
}

/* --- how large registers can be --- */

struct bounds {
	uint64_t max[BPF_REG_10];
};

static uint64_t shifted(uint64_t max, int32_t count)
{
	return max >> 32 || (uint32_t)count > 31 || max << count >> 32 ? UINT64_MAX
								       : max << count;
}

/* What the instructions of filters make of their operands' bounds; the rest is unknown. */
static void bound_result(struct bounds *b, const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code), op = BPF_OP(p->code);
	uint64_t *d = &b->max[p->dst_reg], max = UINT64_MAX;
	bool by_k = BPF_SRC(p->code) == BPF_K;

	if (is_packet_load(p)) {
		b->max[0] = (1ull << (8 * insn_size(p->code))) - 1;
		return;
	}
	if (class == BPF_ALU && op == BPF_MOV)
		max = by_k ? (uint32_t)p->imm : p->off ? UINT32_MAX : b->max[p->src_reg];
	else if (class == BPF_ALU && op == BPF_AND && by_k)
		max = (uint32_t)p->imm;
	else if (class == BPF_ALU && op == BPF_LSH && by_k)
		max = shifted(*d, p->imm);
	if (class == BPF_ALU || class == BPF_ALU64 || class == BPF_LDX || class == BPF_LD)
		*d = max;
	else if (class == BPF_STX && BPF_MODE(p->code) == BPF_ATOMIC)
		b->max[0] = b->max[p->src_reg] = *d = UINT64_MAX;
}

static void widen(struct bounds *to, const struct bounds *from)
{
	for (unsigned r = 0; r < BPF_REG_10; r++) {
		if (from->max[r] > to->max[r])
			to->max[r] = from->max[r];
	}
}

static void find_small(struct vm_leaf *leaf, const struct vm_prog *prog)
{
	struct bounds *at = xcalloc(prog->n + 1u, sizeof(*at));

	memset(&at[0], 0xff, sizeof(at[0]));
	for (uint32_t i = 0; i < prog->n; i++) {
		const struct bpf_insn *p = &prog->insns[i];
		const struct vm_op *op = &prog->ops[i];
		struct bounds b = at[i];

		if (is_packet_load(p) && BPF_MODE(p->code) == BPF_IND)
			leaf->at[i].small_index = b.max[p->src_reg] <= INT32_MAX - (2 << 16);
		if (op->id != VM_OP_NONE)
			bound_result(&b, p);
		if (falls_through(op))
			widen(&at[i + 1], &b);
		if (is_jump(op, p))
			widen(&at[i + 1 + op->jump], &b);
	}
	free(at);
}

/* Does it read r0? Exit does; a load from the packet overwrites it. */
static bool reads_r0(const struct vm_op *op, const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code);
	bool moves = (class == BPF_ALU || class == BPF_ALU64) && BPF_OP(p->code) == BPF_MOV;

	if (op->id == INSN_EXIT || class == BPF_STX || class == BPF_ST)
		return true;
	if (op->id == INSN_JA || op->id == INSN_JA32 || op->id == VM_OP_NONE)
		return false;
	if (class == BPF_LD)
		return BPF_MODE(p->code) == BPF_IND && p->src_reg == 0;
	if (class == BPF_LDX)
		return p->src_reg == 0;
	return (!moves && p->dst_reg == 0) || (BPF_SRC(p->code) == BPF_X && p->src_reg == 0);
}

static bool writes_r0(const struct vm_op *op, const struct bpf_insn *p)
{
	return is_packet_load(p) ||
	       (p->dst_reg == 0 && !is_jump(op, p) && op->id != INSN_EXIT &&
		op->id != VM_OP_NONE && BPF_CLASS(p->code) != BPF_ST &&
		BPF_CLASS(p->code) != BPF_STX);
}

/* The constant whose bytes in a packet are those of imm, or false when it cannot be one. */
static bool in_packet_order(uint32_t imm, unsigned size, int32_t *out)
{
	if (size < 4 && imm >> (8 * size))
		return false;
	*out = (int32_t)(size == 4   ? __builtin_bswap32(imm)
			 : size == 2 ? __builtin_bswap16((uint16_t)imm)
				     : imm);
	return true;
}

/*
 * A load that is only compared for equality with a constant or tested for bits can stay in the
 * packet's byte order: the constant is turned around instead. Backwards, since jumps go
 * forward.
 */
static void find_raw(struct vm_leaf *leaf, const struct vm_prog *prog, const bool *is_target)
{
	bool *live = xcalloc(prog->n + 1u, sizeof(*live)); /* r0, before an instruction */

	for (uint32_t i = prog->n; i-- > 0;) {
		const struct bpf_insn *p = &prog->insns[i], *next = p + 1;
		const struct vm_op *op = &prog->ops[i];
		bool after = (falls_through(op) && live[i + 1]) ||
			     (is_jump(op, p) && live[i + 1 + op->jump]);

		live[i] = reads_r0(op, p) || (after && !writes_r0(op, p));
		if (!is_packet_load(p) || i + 1 == prog->n || is_target[i + 1] ||
		    BPF_CLASS(next->code) != BPF_JMP32 || BPF_SRC(next->code) != BPF_K ||
		    next->dst_reg != 0)
			continue;
		unsigned how = BPF_OP(next->code);
		bool dead = !live[i + 2] && !live[i + 2 + prog->ops[i + 1].jump];
		if (dead && (how == BPF_JEQ || how == BPF_JNE || how == BPF_JSET))
			leaf->at[i].raw = leaf->at[i + 1].raw = in_packet_order(
				(uint32_t)next->imm, insn_size(p->code), &leaf->at[i + 1].imm);
	}
	free(live);
}

bool vm_leaf_plan(struct vm_leaf *leaf, const struct vm_prog *prog, uint16_t used)
{
	if (used >> BPF_REG_10 & 1)
		return false;
	for (uint32_t i = 0; i < prog->n; i++) {
		if (!is_leaf_insn(&prog->ops[i], &prog->insns[i]))
			return false;
		leaf->reads_packet |= is_packet_load(&prog->insns[i]);
	}
	if (!assign_registers(leaf, prog, used))
		return false;

	bool *is_target = vm_jump_targets(prog);
	leaf->at = xcalloc(prog->n, sizeof(*leaf->at));
	prove_lengths(leaf, prog);
	find_small(leaf, prog);
	find_raw(leaf, prog, is_target);
	free(is_target);
	return true;
}
