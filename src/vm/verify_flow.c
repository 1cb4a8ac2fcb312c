/*
 * The shape of a program: functions, reachable code, which registers each instruction's
 * successors still read, and whose numbers make a difference to them.
 */
#include "vm/verify.h"

#include <errno.h>
#include <string.h>

enum { CALLER_SAVED = 0x3f, ARGUMENTS = 0x3e };

/* Where control goes from i within its function: the successors, at most two. */
static unsigned successors(const struct vm_prog *prog, uint32_t i, uint32_t next[2])
{
	const struct vm_op *op = &prog->ops[i];
	const struct bpf_insn *p = &prog->insns[i];
	unsigned class = BPF_CLASS(p->code);
	bool jumps = class == BPF_JMP || class == BPF_JMP32;

	if (op->id == INSN_EXIT)
		return 0;
	next[0] = i + (insn_is_wide(p) ? 2 : 1);
	if (!jumps || BPF_OP(p->code) == BPF_CALL)
		return 1;
	uint32_t target = i + 1 + (uint32_t)op->jump;
	if (op->id == INSN_JA || op->id == INSN_JA32) {
		next[0] = target;
		return 1;
	}
	next[1] = target;
	return 2;
}

static int reject_at(struct verifier *v, uint32_t i, const char *what)
{
	v->cur->insn = i;
	return v_reject(v, "%s", what);
}

/* Functions are contiguous: each begins at an entry and ends before the next one. */
static int find_functions(struct verifier *v)
{
	const struct vm_prog *prog = v->prog;
	bool *came =
		arena_array(&v->arena, bool, prog->n); /* one way, the function's start too */
	uint32_t entry = 0;

	for (uint32_t i = 0; i < prog->n; i++) {
		if (prog->is_entry[i]) {
			unsigned last = i ? prog->ops[i - 1].id : INSN_EXIT;

			if (last != INSN_EXIT && last != INSN_JA && last != INSN_JA32)
				return reject_at(v, i - 1, "runs into the next function");
			entry = i;
		}
		v->function[i] = entry;
	}
	for (uint32_t i = 0; i < prog->n; i++)
		came[i] = prog->is_entry[i];
	for (uint32_t i = 0; i < prog->n; i++) {
		uint32_t next[2];
		unsigned n = prog->ops[i].id == VM_OP_NONE ? 0 : successors(prog, i, next);

		v->is_join[i] |= v_calls_back(&prog->insns[i]);
		for (unsigned k = 0; k < n; k++) {
			if (next[k] >= prog->n || v->function[next[k]] != v->function[i])
				return reject_at(v, i, "goes into another function");
			v->is_join[next[k]] |= came[next[k]];
			came[next[k]] = true;
		}
	}
	return 0;
}

static int find_unreachable(struct verifier *v)
{
	const struct vm_prog *prog = v->prog;
	bool *reached = arena_array(&v->arena, bool, prog->n);
	VEC(uint32_t) todo = { 0 };

	vec_push(&v->arena, &todo, 0u);
	while (todo.len) {
		uint32_t i = todo.data[--todo.len], next[2];

		if (reached[i])
			continue;
		reached[i] = true;
		for (unsigned k = successors(prog, i, next); k-- > 0;)
			vec_push(&v->arena, &todo, next[k]);
		if (prog->ops[i].id == INSN_CALL_LOCAL || prog->ops[i].id == INSN_LDDW_FUNC)
			vec_push(&v->arena, &todo, i + 1 + (uint32_t)prog->ops[i].jump);
	}
	for (uint32_t i = 0; i < prog->n; i++) {
		if (!reached[i] && prog->ops[i].id != VM_OP_NONE)
			return reject_at(v, i, "is never reached");
	}
	return 0;
}

static uint16_t helper_reads(uint32_t id)
{
	const struct helper *h = helper_by_id(id);
	unsigned n = 0;

	while (h && n < 5 && h->args[n] != HELPER_NONE)
		n++;
	return h ? (uint16_t)((1u << (n + 1)) - 2) : ARGUMENTS;
}

static uint16_t reads_of(const struct bpf_insn *p)
{
	uint16_t dst = (uint16_t)(1 << p->dst_reg), src = (uint16_t)(1 << p->src_reg);
	uint16_t by_reg = BPF_SRC(p->code) == BPF_X ? src : 0;

	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_OP(p->code) == BPF_MOV)
			return by_reg;
		return BPF_OP(p->code) == BPF_END ? dst : dst | by_reg;
	case BPF_LDX: return src;
	case BPF_ST: return dst;
	case BPF_STX:
		return dst | src | (BPF_MODE(p->code) == BPF_ATOMIC && p->imm == BPF_CMPXCHG);
	case BPF_LD:
		return BPF_MODE(p->code) == BPF_IMM
			       ? 0
			       : 1 << BPF_REG_6 | (BPF_MODE(p->code) == BPF_IND ? src : 0);
	default: break;
	}
	switch (BPF_OP(p->code)) {
	case BPF_JA: return 0;
	case BPF_EXIT: return 1;
	case BPF_CALL: return p->src_reg ? ARGUMENTS : helper_reads((uint32_t)p->imm);
	default: return dst | by_reg;
	}
}

static uint16_t writes_of(const struct bpf_insn *p)
{
	uint16_t dst = (uint16_t)(1 << p->dst_reg);

	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LDX: return dst;
	case BPF_LD: return BPF_MODE(p->code) == BPF_IMM ? dst : CALLER_SAVED;
	case BPF_JMP: return BPF_OP(p->code) == BPF_CALL ? CALLER_SAVED : 0;
	default: return 0;
	}
}

/* Backwards until nothing changes. */
static void find_live(struct verifier *v)
{
	const struct vm_prog *prog = v->prog;

	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t i = prog->n; i-- > 0;) {
			uint32_t next[2];
			uint16_t live = 0;

			if (prog->ops[i].id == VM_OP_NONE)
				continue;
			for (unsigned k = successors(prog, i, next); k-- > 0;)
				live |= v->live[next[k]];
			live = (uint16_t)((live & ~writes_of(&prog->insns[i])) |
					  reads_of(&prog->insns[i]));
			changed |= live != v->live[i];
			v->live[i] = live;
		}
	}
}

/* --- which numbers matter --- */

/* What may hold a pointer behind an instruction, from what may before it. */
static uint16_t pointers_behind(const struct verifier *v, uint32_t i, uint16_t before)
{
	const struct bpf_insn *p = &v->prog->insns[i];
	uint16_t dst = (uint16_t)(1 << p->dst_reg), src = (uint16_t)(1 << p->src_reg);
	uint16_t others = before & (uint16_t)~writes_of(p);
	unsigned op = BPF_OP(p->code), size = insn_size(p->code);

	switch (BPF_CLASS(p->code)) {
	case BPF_ALU64:
		if (op == BPF_MOV)
			return others | (BPF_SRC(p->code) == BPF_X && before & src ? dst : 0);
		if (op != BPF_ADD && op != BPF_SUB)
			return others;
		return others | (before & dst) |
		       (BPF_SRC(p->code) == BPF_X && before & src ? dst : 0);
	case BPF_LDX: return others | (size >= 4 && BPF_MODE(p->code) == BPF_MEM ? dst : 0);
	case BPF_LD: return others | (insn_is_wide(p) ? dst : 0);
	case BPF_JMP: return others | (op == BPF_CALL ? 1 : 0);
	default: return others;
	}
}

/* Forwards: the registers that may hold pointers before each instruction. */
static uint16_t *find_pointers(struct verifier *v)
{
	const struct vm_prog *prog = v->prog;
	uint16_t *before = arena_array(&v->arena, uint16_t, prog->n);

	for (uint32_t i = 0; i < prog->n; i++) {
		if (prog->is_entry[i])
			before[i] = ARGUMENTS | 1 << BPF_REG_10;
	}
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t i = 0; i < prog->n; i++) {
			uint32_t next[2];

			if (prog->ops[i].id == VM_OP_NONE)
				continue;
			uint16_t behind = pointers_behind(v, i, before[i]);
			for (unsigned k = successors(prog, i, next); k-- > 0;) {
				changed |= (behind & ~before[next[k]]) != 0;
				before[next[k]] |= behind;
			}
		}
	}
	return before;
}

/* Arguments of a helper whose value, not only whose type, is looked at. */
static uint16_t helper_needs(uint32_t id)
{
	const struct helper *h = helper_by_id(id);
	uint16_t needs = 0;

	for (unsigned k = 0; h && k < 5; k++) {
		if (h->args[k] != HELPER_NONE && h->args[k] != HELPER_SCALAR &&
		    h->args[k] != HELPER_ANY)
			needs |= (uint16_t)(2 << k);
	}
	return needs;
}

static uint16_t alu_needs(const struct bpf_insn *p, uint16_t pointers, uint16_t behind)
{
	uint16_t dst = (uint16_t)(1 << p->dst_reg), src = (uint16_t)(1 << p->src_reg);
	uint16_t by_reg = BPF_SRC(p->code) == BPF_X && BPF_OP(p->code) != BPF_END ? src : 0;
	bool moves_pointer = BPF_CLASS(p->code) == BPF_ALU64 && pointers & (dst | by_reg) &&
			     (BPF_OP(p->code) == BPF_ADD || BPF_OP(p->code) == BPF_SUB);

	if (moves_pointer)
		return behind | dst | by_reg;
	if (!(behind & dst))
		return behind;
	return (BPF_OP(p->code) == BPF_MOV ? behind & (uint16_t)~dst : behind) | by_reg;
}

/* The registers whose numbers matter before an instruction, from those that do behind it. */
static uint16_t needs_of(const struct verifier *v, uint32_t i, uint16_t pointers,
			 uint16_t behind)
{
	const struct bpf_insn *p = &v->prog->insns[i];
	uint16_t others = behind & (uint16_t)~writes_of(p);

	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64: return alu_needs(p, pointers, behind);
	case BPF_LDX:
	case BPF_LD: return others;
	case BPF_ST:
	case BPF_STX: return behind | reads_of(p);
	default: break;
	}
	if (BPF_OP(p->code) == BPF_EXIT)
		return v->function[i] ? 1 : 0;
	if (BPF_OP(p->code) == BPF_CALL)
		return others | (p->src_reg ? ARGUMENTS : helper_needs((uint32_t)p->imm));
	return behind | reads_of(p);
}

/*
 * Backwards: the numbers that can make a difference to the verdict, by deciding a branch,
 * moving a pointer, being a size, or being stored.  Two states that differ in others are alike.
 */
static void find_needed(struct verifier *v)
{
	const struct vm_prog *prog = v->prog;
	const uint16_t *pointers = find_pointers(v);

	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t i = prog->n; i-- > 0;) {
			uint32_t next[2];
			uint16_t behind = 0;

			if (prog->ops[i].id == VM_OP_NONE)
				continue;
			for (unsigned k = successors(prog, i, next); k-- > 0;)
				behind |= v->needed[next[k]];
			uint16_t needed = needs_of(v, i, pointers[i], behind);
			changed |= needed != v->needed[i];
			v->needed[i] = needed;
		}
	}
}

int v_flow(struct verifier *v)
{
	int ret = find_functions(v);

	if (!ret)
		ret = find_unreachable(v);
	if (ret)
		return ret;
	find_live(v);
	find_needed(v);
	return 0;
}

/*
 * Bytes of stack from a function on, when those of what it calls are known. Rounded, each
 * function takes a multiple of 32, and at least that, as in the kernel.
 */
static uint32_t depth_from(const struct verifier *v, uint32_t entry, const uint32_t *known,
			   bool rounded)
{
	const struct vm_prog *prog = v->prog;
	uint32_t own = v->depth[entry], deepest = 0;

	if (rounded)
		own = (own ? own + 31 : 32) & ~31u;

	for (uint32_t i = entry; i < prog->n && v->function[i] == entry; i++) {
		const struct vm_op *op = &prog->ops[i];

		/* As in the kernel: who takes a function's address may call it. */
		if (op->id != INSN_CALL_LOCAL && op->id != INSN_LDDW_FUNC)
			continue;
		uint32_t d = known[i + 1 + (uint32_t)op->jump];
		deepest = d > deepest ? d : deepest;
	}
	return own + deepest;
}

/* Level by level, as functions may call each other many times. */
uint32_t v_stack_depth(struct verifier *v, bool rounded)
{
	uint32_t *known = arena_array(&v->arena, uint32_t, v->prog->n);
	uint32_t *next = arena_array(&v->arena, uint32_t, v->prog->n);

	for (unsigned level = 0; level < BPF_CALL_DEPTH; level++) {
		for (uint32_t i = 0; i < v->prog->n; i++) {
			if (v->function[i] == i)
				next[i] = depth_from(v, i, known, rounded);
		}
		uint32_t *swap = known;
		known = next;
		next = swap;
	}
	return known[0];
}
