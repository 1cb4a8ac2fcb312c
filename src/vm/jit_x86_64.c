/*
 * The JIT for x86-64: one pass over the decoded program, then distances are filled in.
 *
 *	r0 rax   r1 rdi   r2 rsi   r3 rdx   r4 rcx   r5 r8
 *	r6 rbx   r7 r13   r8 r14   r9 r15   r10 rbp
 *	r12: struct scry_vm_run     r9 r10 r11: scratch
 *
 * So r1 ... r5 are where C functions take their arguments and r6 ... r9 survive a call: a
 * helper is one call with the run as its sixth argument.  The code begins with an entry for C,
 * which calls the program's first function as a function like any other; "exit" is a ret.  What
 * ends the whole program (a fault, a packet that is too short) goes back to the entry's stack
 * pointer.
 *
 * A leaf (leaf.h) is a C function of its own with other registers.
 *
 * Checked code proves each access before it: those at constant places of the own frame need
 * nothing; the rest must be in the run's window, or vm_may_touch() is asked, out of line. Those
 * beside each other are proved together (span.h).
 */
#include "vm/jit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#ifdef __x86_64__

static const uint8_t REGS[] = { RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP };

void jit_fault_at(struct jit *j, size_t pos, int error)
{
	vec_push(NULL, &j->faults, (struct to_fault){ pos, j->i, error });
}

void jit_target_at(struct jit *j, size_t pos, uint32_t insn)
{
	vec_push(NULL, &j->targets, (struct to_insn){ pos, insn, j->in_twin });
}

void jit_call_c(struct jit *j, const void *fn)
{
	x86_mov_imm(&j->c, RAX, (uintptr_t)fn);
	x86_call_reg(&j->c, RAX);
}

/* --- what generated code calls --- */

static const void *jit_tail(struct scry_vm_run *run, uint64_t map, uint64_t index)
{
	const struct vm_prog *target = vm_tail_target(run, map, index);

	if (target &&
	    (!target->jit.code || target->jit.flags & ~run->input->flags & SCRY_VM_UNSAFE))
		run->fault = -EINVAL;
	return target ? target->jit.body : NULL;
}

/* A helper whose number is known only now; the same as interp.c does. */
static uint64_t jit_callx(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
			  struct scry_vm_run *run)
{
	const struct vm_helper *h = vm_helper(run->vm, run->callx);

	run->ends = false;
	if (!h || !h->fn) {
		run->fault = -EINVAL;
		return 0;
	}
	uint64_t r0 = h->fn(r1, r2, r3, r4, r5, run);
	run->ends = !r0 && h->flags & SCRY_VM_HELPER_ENDS;
	return r0;
}

/* --- constants --- */

/* xorshift64*; the seed is the system's. */
static uint64_t next_key(struct jit *j)
{
	j->key ^= j->key >> 12;
	j->key ^= j->key << 25;
	j->key ^= j->key >> 27;
	return j->key * 0x2545f4914f6cdd1dull;
}

/*
 * reg = v. Blinded, the code has v only in combination with a random number, so that a
 * program's author cannot choose bytes of it; r10 and the flags are lost then.
 */
static void load_constant(struct jit *j, unsigned reg, uint64_t v)
{
	struct x86_code *c = &j->c;
	uint64_t key = j->blind ? next_key(j) : 0;

	if (!j->blind) {
		x86_mov_imm(c, reg, v);
	} else if ((int64_t)v == (int32_t)v) {
		key = (uint64_t)(int64_t)(int32_t)key;
		x86_mov_imm(c, reg, v ^ key);
		x86_ri(c, true, X86_XOR, reg, (int32_t)key);
	} else {
		x86_mov_imm(c, R10, key);
		x86_mov_imm(c, reg, v ^ key);
		x86_rr(c, true, X86_XOR, reg, R10);
	}
}

/* op dst, imm with the constant in r9 on the way. */
static void with_constant(struct jit *j, bool wide, enum x86_op op, unsigned dst, int32_t imm)
{
	if (!j->blind) {
		x86_ri(&j->c, wide, op, dst, imm);
		return;
	}
	load_constant(j, R9, (uint64_t)(int64_t)imm);
	x86_rr(&j->c, wide, op, dst, R9);
}

/* --- arithmetic --- */

/* dst shifted by a register: the count must be in cl, which is r4. */
static void shift_by(struct jit *j, bool wide, unsigned digit, unsigned dst, unsigned src)
{
	struct x86_code *c = &j->c;

	if (src == RCX && dst != RCX) {
		x86_shift_cl(c, wide, digit, dst);
		return;
	}
	x86_rr(c, true, X86_MOV, R11, dst);
	x86_rr(c, true, X86_MOV, R10, RCX);
	x86_rr(c, true, X86_MOV, RCX, src);
	x86_shift_cl(c, wide, digit, R11);
	x86_rr(c, true, X86_MOV, RCX, R10);
	x86_rr(c, true, X86_MOV, dst, R11);
}

/* What division by 0, and by -1 when signed, leaves in dst instead of a trap. */
static size_t divide_special(struct jit *j, bool wide, unsigned dst, bool mod,
			     bool is_minus_one)
{
	struct x86_code *c = &j->c;
	size_t over;

	if (is_minus_one)
		x86_ri(c, wide, X86_CMP, R11, -1);
	else
		x86_rr(c, wide, X86_TEST, R11, R11);
	over = x86_jcc(c, CC_NE);
	if (is_minus_one == mod)
		x86_rr(c, false, X86_XOR, dst, dst);
	else if (is_minus_one)
		x86_unary(c, wide, X86_NEG, dst);
	else if (!wide)
		x86_rr(c, false, X86_MOV, dst, dst);
	size_t done = x86_jmp(c);
	x86_patch(c, over, c->len);
	return done;
}

/* dst / r11 or dst % r11. */
static void divide(struct jit *j, bool wide, unsigned dst, bool mod, bool is_signed)
{
	struct x86_code *c = &j->c;
	size_t zero = divide_special(j, wide, dst, mod, false), minus_one = 0;

	if (is_signed)
		minus_one = divide_special(j, wide, dst, mod, true);
	x86_rr(c, true, X86_MOV, R10, RAX);
	x86_rr(c, true, X86_MOV, R9, RDX);
	x86_rr(c, true, X86_MOV, RAX, dst);
	if (is_signed)
		x86_cqo(c, wide);
	else
		x86_rr(c, false, X86_XOR, RDX, RDX);
	x86_unary(c, wide, is_signed ? X86_IDIV : X86_DIV, R11);
	x86_rr(c, true, X86_MOV, R11, mod ? RDX : RAX);
	x86_rr(c, true, X86_MOV, RAX, R10);
	x86_rr(c, true, X86_MOV, RDX, R9);
	x86_rr(c, true, X86_MOV, dst, R11);
	x86_patch(c, zero, c->len);
	if (is_signed)
		x86_patch(c, minus_one, c->len);
}

static void byte_order(struct jit *j, const struct bpf_insn *p, unsigned dst)
{
	struct x86_code *c = &j->c;
	bool swap = BPF_CLASS(p->code) == BPF_ALU64 || BPF_SRC(p->code) == BPF_TO_BE;

	if (p->imm == 16) {
		if (swap)
			x86_swap16(c, dst);
		x86_extend(c, false, 2, false, dst, dst);
	} else if (p->imm == 32 && !swap) {
		x86_rr(c, false, X86_MOV, dst, dst);
	} else if (swap) {
		x86_bswap(c, p->imm == 64, dst);
	}
}

static void move(struct jit *j, const struct bpf_insn *p, bool wide, unsigned dst, unsigned src)
{
	struct x86_code *c = &j->c;

	if (BPF_SRC(p->code) == BPF_K)
		load_constant(j, dst, wide ? (uint64_t)(int64_t)p->imm : (uint32_t)p->imm);
	else if (wide && dst == src && !p->off)
		return;
	else if (p->off)
		x86_extend(c, wide, (unsigned)p->off / 8, true, dst, src);
	else
		x86_rr(c, wide, X86_MOV, dst, src);
}

static void shift(struct jit *j, const struct bpf_insn *p, bool wide, unsigned digit,
		  unsigned dst, unsigned src)
{
	if (BPF_SRC(p->code) == BPF_X)
		shift_by(j, wide, digit, dst, src);
	else
		x86_shift(&j->c, wide, digit, dst, (uint8_t)p->imm & (wide ? 63 : 31));
}

static void two_operands(struct jit *j, const struct bpf_insn *p, bool wide, enum x86_op op,
			 unsigned dst, unsigned src)
{
	if (BPF_SRC(p->code) == BPF_X)
		x86_rr(&j->c, wide, op, dst, src);
	else
		with_constant(j, wide, op, dst, p->imm);
}

/* Does anything but the instruction before lead here? */
static bool is_met(const struct jit *j, uint32_t i)
{
	return j->is_met[i] || j->prog->is_entry[i];
}

/* Are i and i + 1 "r = s" and "r += constant", which one lea does? */
static bool is_lea(const struct jit *j, uint32_t i)
{
	const struct vm_op *op = &j->prog->ops[i];

	return i + 1 < j->prog->n && !j->blind && !is_met(j, i + 1) &&
	       op[0].id == INSN_MOV64_X && op[1].id == INSN_ADD64_K && op[0].dst == op[1].dst;
}

static void compile_alu(struct jit *j, const struct bpf_insn *p)
{
	struct x86_code *c = &j->c;
	bool wide = BPF_CLASS(p->code) == BPF_ALU64, by_reg = BPF_SRC(p->code) == BPF_X;
	unsigned dst = j->reg[p->dst_reg], src = j->reg[p->src_reg];

	if (is_lea(j, j->i))
		return;
	if (j->i && is_lea(j, j->i - 1)) {
		x86_lea(c, dst, j->reg[p[-1].src_reg], p->imm);
		return;
	}
	switch (BPF_OP(p->code)) {
	case BPF_ADD: two_operands(j, p, wide, X86_ADD, dst, src); break;
	case BPF_SUB: two_operands(j, p, wide, X86_SUB, dst, src); break;
	case BPF_OR: two_operands(j, p, wide, X86_OR, dst, src); break;
	case BPF_AND: two_operands(j, p, wide, X86_AND, dst, src); break;
	case BPF_XOR: two_operands(j, p, wide, X86_XOR, dst, src); break;
	case BPF_LSH: shift(j, p, wide, X86_SHL, dst, src); break;
	case BPF_RSH: shift(j, p, wide, X86_SHR, dst, src); break;
	case BPF_ARSH: shift(j, p, wide, X86_SAR, dst, src); break;
	case BPF_MOV: move(j, p, wide, dst, src); break;
	case BPF_NEG: x86_unary(c, wide, X86_NEG, dst); break;
	case BPF_END: byte_order(j, p, dst); break;
	case BPF_MUL:
		if (!by_reg && j->blind)
			load_constant(j, src = R9, (uint64_t)(int64_t)p->imm);
		if (by_reg || j->blind)
			x86_mul(c, wide, dst, src);
		else
			x86_mul_imm(c, wide, dst, p->imm);
		break;
	case BPF_DIV:
	case BPF_MOD:
		if (by_reg)
			x86_rr(c, true, X86_MOV, R11, src);
		else
			load_constant(j, R11, (uint64_t)(int64_t)p->imm);
		divide(j, wide, dst, BPF_OP(p->code) == BPF_MOD, p->off == 1);
		break;
	}
}

/* --- jumps --- */

/* Leaves the sign flag set when there were too few. */
static void take_steps(struct jit *j, int64_t steps)
{
	if (j->steps)
		x86_ri(&j->c, true, X86_SUB, j->steps, (int32_t)steps);
	else
		x86_mi(&j->c, true, X86_SUB, R12, RUN(steps), (int32_t)steps);
}

/* Backwards it is the check of the budget that jumps. */
static void jump_to(struct jit *j, int32_t distance)
{
	uint32_t to = j->i + 1 + (uint32_t)distance;

	if (distance >= 0 || !j->checked) {
		jit_target_at(j, x86_jmp(&j->c), to);
		return;
	}
	take_steps(j, -(int64_t)distance);
	x86_jcc_back(&j->c, CC_NS, j->starts[to]);
	jit_fault_at(j, x86_jmp(&j->c), -ELOOP);
}

enum x86_cond jit_condition(unsigned op)
{
	switch (op) {
	case BPF_JEQ: return CC_E;
	case BPF_JGT: return CC_A;
	case BPF_JGE: return CC_AE;
	case BPF_JSGT: return CC_G;
	case BPF_JSGE: return CC_GE;
	case BPF_JLT: return CC_B;
	case BPF_JLE: return CC_BE;
	case BPF_JSLT: return CC_L;
	case BPF_JSLE: return CC_LE;
	default: return CC_NE; /* JNE, JSET */
	}
}

static void test_constant(struct jit *j, bool wide, unsigned dst, int32_t imm)
{
	if (!j->blind) {
		x86_test_imm(&j->c, wide, dst, imm);
		return;
	}
	load_constant(j, R9, (uint64_t)(int64_t)imm);
	x86_rr(&j->c, wide, X86_TEST, dst, R9);
}

/* Does the instruction before leave the flags of its result, which is compared with 0? */
static bool has_flags(const struct jit *j, const struct bpf_insn *p)
{
	if (is_met(j, j->i) || j->prog->ops[j->i - 1].id == VM_OP_NONE ||
	    p[-1].dst_reg != p->dst_reg ||
	    (BPF_OP(p->code) != BPF_JEQ && BPF_OP(p->code) != BPF_JNE))
		return false;

	unsigned class = BPF_CLASS(p[-1].code), op = BPF_OP(p[-1].code);
	return (class == BPF_ALU || (class == BPF_ALU64 && BPF_CLASS(p->code) == BPF_JMP)) &&
	       (op == BPF_ADD || op == BPF_SUB || op == BPF_AND || op == BPF_OR ||
		op == BPF_XOR) &&
	       !(j->i > 1 && is_lea(j, j->i - 2));
}

static void compile_branch(struct jit *j, const struct bpf_insn *p, int32_t distance)
{
	struct x86_code *c = &j->c;
	bool wide = BPF_CLASS(p->code) == BPF_JMP, by_reg = BPF_SRC(p->code) == BPF_X;
	unsigned dst = j->reg[p->dst_reg], src = j->reg[p->src_reg];
	enum x86_cond cc = jit_condition(BPF_OP(p->code));
	int32_t imm = j->leaf && j->leaf->at[j->i].raw ? j->leaf->at[j->i].imm : p->imm;

	if (BPF_OP(p->code) == BPF_JSET && by_reg)
		x86_rr(c, wide, X86_TEST, dst, src);
	else if (BPF_OP(p->code) == BPF_JSET)
		test_constant(j, wide, dst, imm);
	else if (by_reg)
		x86_rr(c, wide, X86_CMP, dst, src);
	else if (imm)
		with_constant(j, wide, X86_CMP, dst, imm);
	else if (!has_flags(j, p))
		x86_rr(c, wide, X86_TEST, dst, dst);

	if (distance >= 0) {
		jit_target_at(j, x86_jcc(c, cc), j->i + 1 + (uint32_t)distance);
		return;
	}
	if (!j->checked) {
		x86_jcc_back(c, cc, j->starts[j->i + 1 + (uint32_t)distance]);
		return;
	}
	size_t over = x86_jcc(c, (enum x86_cond)(cc ^ 1));
	jump_to(j, distance);
	x86_patch(c, over, c->len);
}

/* --- calls --- */

static void compile_helper(struct jit *j, const struct vm_op *op)
{
	struct x86_code *c = &j->c;

	if (op->jump & VM_HELPER_CALLS_BACK)
		x86_mr(c, 8, X86_MOV, R12, RUN(frame), RBP);
	x86_rr(c, true, X86_MOV, R9, R12);
	jit_call_c(j, (const void *)(uintptr_t)op->imm);
	x86_mi(c, false, X86_CMP, R12, RUN(fault), 0);
	jit_fault_at(j, x86_jcc(c, CC_NE), 0);
	if (op->jump & SCRY_VM_HELPER_ENDS) {
		x86_rr(c, true, X86_TEST, RAX, RAX);
		vec_push(NULL, &j->ends, x86_jcc(c, CC_E));
	}
}

static void compile_callx(struct jit *j, const struct vm_op *op)
{
	struct x86_code *c = &j->c;

	x86_mr(c, 8, X86_MOV, R12, RUN(callx), j->reg[op->dst]);
	x86_mr(c, 8, X86_MOV, R12, RUN(frame), RBP);
	x86_rr(c, true, X86_MOV, R9, R12);
	jit_call_c(j, (const void *)(uintptr_t)jit_callx);
	x86_mi(c, false, X86_CMP, R12, RUN(fault), 0);
	jit_fault_at(j, x86_jcc(c, CC_NE), 0);
	x86_mi(c, false, X86_CMP, R12, RUN(ends), 0);
	vec_push(NULL, &j->ends, x86_jcc(c, CC_NE));
}

/* A function of the program: r6 ... r9 are kept on the native stack. */
static void compile_call(struct jit *j, const struct vm_op *op)
{
	static const uint8_t SAVED[] = { RBX, R13, R14, R15 };
	struct x86_code *c = &j->c;

	x86_lea(c, R11, RBP, -2 * BPF_STACK_SIZE);
	x86_lea(c, R10, R12, RUN(stack));
	x86_rr(c, true, X86_CMP, R11, R10);
	jit_fault_at(j, x86_jcc(c, CC_B), -EOVERFLOW);
	if (j->checked) {
		take_steps(j, op->imm);
		jit_fault_at(j, x86_jcc(c, CC_S), -ELOOP);
	}
	for (unsigned k = 0; k < 4; k++)
		x86_push(c, SAVED[k]);
	x86_ri(c, true, X86_SUB, RSP, 8); /* C functions need it to be even */
	x86_ri(c, true, X86_SUB, RBP, BPF_STACK_SIZE);
	jit_target_at(j, x86_call(c), j->i + 1 + (uint32_t)op->jump);
	x86_ri(c, true, X86_ADD, RBP, BPF_STACK_SIZE);
	x86_ri(c, true, X86_ADD, RSP, 8);
	for (unsigned k = 4; k-- > 0;)
		x86_pop(c, SAVED[k]);
}

static void compile_tail(struct jit *j)
{
	struct x86_code *c = &j->c;

	x86_push(c, RDI);
	x86_ri(c, true, X86_SUB, RSP, 8);
	x86_rr(c, true, X86_MOV, RDI, R12);
	jit_call_c(j, jit_tail);
	x86_ri(c, true, X86_ADD, RSP, 8);
	x86_pop(c, RDI);
	x86_mi(c, false, X86_CMP, R12, RUN(fault), 0);
	jit_fault_at(j, x86_jcc(c, CC_NE), 0);
	x86_rr(c, true, X86_TEST, RAX, RAX);
	size_t failed = x86_jcc(c, CC_E);
	x86_jmp_reg(c, RAX);
	x86_patch(c, failed, c->len);
	x86_mov_imm(c, RAX, (uint64_t)-ENOENT);
}

/* --- memory --- */

/* What an access needs to name its place: a base and an offset that were checked. */
struct place {
	unsigned base;
	int32_t disp;
};

static struct place reach(struct jit *j, unsigned base, int32_t off, unsigned size, bool write)
{
	struct x86_code *c = &j->c;

	const struct span *span = j->spans && !j->in_twin ? &j->spans[j->i] : NULL;
	bool leads = span && span->is_leader;

	if (!j->checked || frame_ptr_holds(&j->frame, base, off, size) ||
	    (span && span->is_covered))
		return (struct place){ j->reg[base], off };

	struct to_check check = { .insn = j->i, .write = write, .to_twin = leads };
	check.size = (uint16_t)(leads ? span->to - span->from : (int32_t)size);
	x86_lea(c, R11, j->reg[base], leads ? span->from : off);
	jit_range_check(j, RUN(window_start), RUN(window_size), check.size, check.pos);
	check.back = c->len;
	vec_push(NULL, &j->checks, check);
	return leads ? (struct place){ j->reg[base], off } : (struct place){ R11, 0 };
}

static void compile_load(struct jit *j, const struct bpf_insn *p)
{
	unsigned size = insn_size(p->code);
	struct place at = reach(j, p->src_reg, p->off, size, false);

	x86_load(&j->c, size, BPF_MODE(p->code) == INSN_MEMSX, j->reg[p->dst_reg], at.base,
		 at.disp);
}

static void compile_store(struct jit *j, const struct bpf_insn *p)
{
	unsigned size = insn_size(p->code);
	struct place at = reach(j, p->dst_reg, p->off, size, true);

	if (BPF_CLASS(p->code) == BPF_ST && j->blind) {
		load_constant(j, R9, (uint64_t)(int64_t)p->imm);
		x86_mr(&j->c, size, X86_MOV, at.base, at.disp, R9);
	} else if (BPF_CLASS(p->code) == BPF_ST)
		x86_store_imm(&j->c, size, at.base, at.disp, p->imm);
	else
		x86_mr(&j->c, size, X86_MOV, at.base, at.disp, j->reg[p->src_reg]);
}

/* The address of an atomic access in r11, aligned. */
static void reach_atomic(struct jit *j, unsigned base, const struct bpf_insn *p, bool write)
{
	unsigned size = insn_size(p->code);
	struct place at = reach(j, base, p->off, size, write);

	if (at.base != R11 || at.disp)
		x86_lea(&j->c, R11, at.base, at.disp);
	if (j->checked && size > 1) {
		x86_test_imm(&j->c, false, R11, (int32_t)size - 1);
		jit_fault_at(j, x86_jcc(&j->c, CC_NE), -EFAULT);
	}
}

/* Operations without an instruction of their own that gives the old value. */
static void fetch_loop(struct jit *j, bool wide, enum x86_op op, unsigned src)
{
	struct x86_code *c = &j->c;

	x86_rr(c, true, X86_MOV, R10, RAX);
	size_t again = c->len;
	x86_load(c, wide ? 8 : 4, false, RAX, R11, 0);
	x86_rr(c, true, X86_MOV, R9, RAX);
	x86_rr(c, wide, op, R9, src == RAX ? R10 : src);
	x86_lock_0f(c, wide, 0xb1, R11, R9);
	x86_patch(c, x86_jcc(c, CC_NE), again);
	if (src != RAX) {
		x86_rr(c, wide, X86_MOV, src, RAX);
		x86_rr(c, true, X86_MOV, RAX, R10);
	}
}

static enum x86_op bit_op(int32_t imm)
{
	switch (imm & ~BPF_FETCH) {
	case BPF_OR: return X86_OR;
	case BPF_AND: return X86_AND;
	case BPF_XOR: return X86_XOR;
	default: return X86_ADD;
	}
}

static void compile_atomic(struct jit *j, const struct bpf_insn *p)
{
	struct x86_code *c = &j->c;
	bool wide = BPF_SIZE(p->code) == BPF_DW;
	unsigned src = j->reg[p->src_reg], size = insn_size(p->code);

	reach_atomic(j, p->imm == INSN_LOAD_ACQ ? p->src_reg : p->dst_reg, p,
		     p->imm != INSN_LOAD_ACQ);
	switch (p->imm) {
	case INSN_LOAD_ACQ: x86_load(c, size, false, j->reg[p->dst_reg], R11, 0); break;
	case INSN_STORE_REL: x86_mr(c, size, X86_MOV, R11, 0, src); break;
	case BPF_XCHG: x86_mr(c, size, X86_XCHG, R11, 0, src); break;
	case BPF_ADD | BPF_FETCH: x86_lock_0f(c, wide, 0xc1, R11, src); break;
	case BPF_CMPXCHG:
		x86_lock_0f(c, wide, 0xb1, R11, src);
		if (!wide)
			x86_rr(c, false, X86_MOV, RAX, RAX);
		break;
	default:
		if (p->imm & BPF_FETCH)
			fetch_loop(j, wide, bit_op(p->imm), src);
		else
			x86_lock(c, wide, bit_op(p->imm), R11, src);
	}
}

/* Into network order, unless a leaf compares the bytes as they are. */
static void order_packet(struct jit *j, unsigned size)
{
	if (j->leaf && j->leaf->at[j->i].raw)
		return;
	if (size == 2)
		x86_swap16(&j->c, RAX);
	if (size == 4)
		x86_bswap(&j->c, false, RAX);
}

/* Legacy packet access at a constant place: the packet must be long enough. */
static void compile_packet_abs(struct jit *j, unsigned size, int32_t off)
{
	struct x86_code *c = &j->c;

	if (off < 0 || off > INT32_MAX - 8) {
		vec_push(NULL, &j->zeros, x86_jmp(c));
		return;
	}
	if (!j->leaf) {
		x86_mi(c, true, X86_CMP, R12, RUN(packet_size), off + (int32_t)size);
		vec_push(NULL, &j->zeros, x86_jcc(c, CC_B));
		x86_load(c, 8, false, R10, R12, RUN(packet));
		x86_load(c, size, false, RAX, R10, off);
	} else {
		if (j->leaf->at[j->i].proved < (uint32_t)off + size) {
			x86_ri(c, true, X86_CMP, LEAF_SIZE, off + (int32_t)size);
			vec_push(NULL, &j->zeros, x86_jcc(c, CC_B));
		}
		x86_load(c, size, false, RAX, LEAF_PACKET, off);
	}
	order_packet(j, size);
}

/* The same at a place known at run time. */
static void compile_packet_ind(struct jit *j, unsigned size, unsigned index, int32_t off)
{
	struct x86_code *c = &j->c;
	bool plain = j->leaf && j->leaf->at[j->i].small_index && off >= 0 && off <= UINT16_MAX;

	if (plain) {
		x86_lea(c, R11, index, off + (int32_t)size);
	} else {
		x86_rr(c, false, X86_MOV, R10, index);
		x86_ri(c, false, X86_ADD, R10, off);
		vec_push(NULL, &j->zeros, x86_jcc(c, CC_S));
		x86_lea(c, R11, R10, (int32_t)size);
	}
	if (j->leaf)
		x86_rr(c, true, X86_CMP, R11, LEAF_SIZE);
	else
		x86_rm(c, X86_CMP, R11, R12, RUN(packet_size));
	vec_push(NULL, &j->zeros, x86_jcc(c, CC_A));
	if (!j->leaf)
		x86_rm(c, X86_ADD, R10, R12, RUN(packet));
	if (plain)
		x86_load_at(c, size, RAX, (struct x86_mem){ LEAF_PACKET, index, off });
	else if (j->leaf)
		x86_load_at(c, size, RAX, (struct x86_mem){ LEAF_PACKET, R10, 0 });
	else
		x86_load(c, size, false, RAX, R10, 0);
	order_packet(j, size);
}

/* --- the program --- */

static void compile_jump_class(struct jit *j, const struct bpf_insn *p, const struct vm_op *op)
{
	switch (op->id) {
	case INSN_JA:
	case INSN_JA32: jump_to(j, op->jump); break;
	case INSN_CALL: compile_helper(j, op); break;
	case INSN_CALL_LOCAL: compile_call(j, op); break;
	case INSN_CALLX: compile_callx(j, op); break;
	case VM_OP_TAIL: compile_tail(j); break;
	case INSN_EXIT: jit_exit(j); break;
	default: compile_branch(j, p, op->jump);
	}
}

static void compile_insn(struct jit *j, const struct bpf_insn *p, const struct vm_op *op)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64: compile_alu(j, p); break;
	case BPF_JMP:
	case BPF_JMP32: compile_jump_class(j, p, op); break;
	case BPF_LDX: compile_load(j, p); break;
	case BPF_ST: compile_store(j, p); break;
	case BPF_STX:
		if (BPF_MODE(p->code) == BPF_ATOMIC)
			compile_atomic(j, p);
		else
			compile_store(j, p);
		break;
	case BPF_LD:
		if (insn_is_wide(p))
			load_constant(j, j->reg[p->dst_reg], (uint64_t)op->imm);
		else if (BPF_MODE(p->code) == BPF_IND)
			compile_packet_ind(j, insn_size(p->code), j->reg[p->src_reg], p->imm);
		else
			compile_packet_abs(j, insn_size(p->code), p->imm);
		break;
	}
}

/*
 * The registers that the program names; with a tail call all, since what it goes to may name
 * others.
 */
static uint16_t used_registers(const struct vm_prog *prog)
{
	uint16_t used = 0;

	for (uint32_t i = 0; i < prog->n; i++) {
		used |= (uint16_t)(1 << prog->insns[i].dst_reg | 1 << prog->insns[i].src_reg);
		if (prog->ops[i].id == VM_OP_TAIL)
			return UINT16_MAX;
	}
	return used;
}

/* Per slot: a jump goes back there. The caller frees it. */
static bool *loop_heads(const struct vm_prog *prog, bool *any)
{
	bool *heads = xcalloc(prog->n, sizeof(*heads));

	for (uint32_t i = 0; i < prog->n; i++) {
		unsigned class = BPF_CLASS(prog->insns[i].code), id = prog->ops[i].id;

		if ((class == BPF_JMP || class == BPF_JMP32) && prog->ops[i].jump < 0 &&
		    id != INSN_CALL && id != INSN_CALLX && id != INSN_CALL_LOCAL &&
		    id != VM_OP_TAIL && id != INSN_EXIT)
			*any = heads[(int64_t)i + 1 + prog->ops[i].jump] = true;
	}
	return heads;
}

/*
 * Taken from memory, the budget of steps would cost a short loop more than the loop does. Where
 * nothing is called that could look at it, a register that the program leaves free holds it.
 */
static void plan_steps(struct jit *j)
{
	const struct vm_prog *prog = j->prog;

	if (!j->checked || prog->takes_address)
		return;
	for (uint32_t i = 0; i < prog->n; i++) {
		unsigned id = prog->ops[i].id;

		if (id == INSN_CALL || id == INSN_CALLX || id == INSN_CALL_LOCAL ||
		    id == VM_OP_TAIL)
			return;
	}
	for (unsigned r = BPF_REG_9; r >= BPF_REG_6; r--) { /* C functions keep them */
		if (j->used >> r & 1)
			continue;
		j->used |= (uint16_t)(1 << r);
		j->steps = REGS[r];
		return;
	}
}

enum { LOOP_ALIGN = 32 }; /* a short loop lies in few lines of the processor's cache */

static void compile_all(struct jit *j, size_t *starts)
{
	const struct vm_prog *prog = j->prog;

	for (j->i = 0; j->i < prog->n; j->i++) {
		const struct bpf_insn *p = &prog->insns[j->i];

		if (j->is_loop[j->i] && !j->in_twin)
			x86_align(&j->c, LOOP_ALIGN);
		starts[j->i] = j->c.len;
		if (prog->ops[j->i].id == VM_OP_NONE)
			continue;
		if (is_met(j, j->i))
			frame_ptrs_forget(&j->frame);
		compile_insn(j, p, &prog->ops[j->i]);
		frame_ptrs_step(&j->frame, p, &prog->ops[j->i]);
	}
	starts[prog->n] = j->c.len;
}

static void compile(struct jit *j)
{
	jit_begin(j);
	compile_all(j, j->starts);
	if (j->spans) {
		j->twin_starts = xcalloc(j->prog->n + 1u, sizeof(*j->twin_starts));
		j->in_twin = true;
		compile_all(j, j->twin_starts);
		j->in_twin = false;
	}
	jit_finish(j);
}

/*
 * Memory for code, within 2 GB of our own code where there is room: processors predict calls
 * and returns that go further worse (here: 3 cycles of a filter's 9). NULL: there is none.
 */
static void *map_near(size_t size)
{
	static _Atomic size_t used;
	const uintptr_t GB = 1 << 30, here = (uintptr_t)vm_jit_compile & ~(uintptr_t)4095;
	size_t at = atomic_fetch_add(&used, size) % GB;
	uintptr_t hint = here > 2 * GB ? here - GB / 16 - at - size : here + GB / 2 + at;
	void *p = mmap((void *)hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Writable first, then executable, never both. */
static int make_executable(struct jit *j, struct vm_jit *out, struct err *e)
{
	size_t mapped = (j->c.len + 4095) & ~(size_t)4095;
	void *p = map_near(mapped);

	if (!p)
		return err_set(e, -errno, "%s: no memory for %zu bytes of code", j->prog->name,
			       j->c.len);
	memcpy(p, j->c.data, j->c.len);
	if (mprotect(p, mapped, PROT_READ | PROT_EXEC)) {
		int code = -errno;

		munmap(p, mapped);
		return err_set(e, code, "%s: the system forbids generated code", j->prog->name);
	}
	out->code = p;
	out->size = j->c.len;
	out->mapped = mapped;
	out->body = out->code + j->body;
	out->is_leaf = j->leaf;
	out->callback = j->callback ? out->code + j->callback : NULL;
	return 0;
}

int vm_jit_compile(struct vm_prog *prog, unsigned flags, struct err *e)
{
	struct jit j = { .prog = prog,
			 .checked = !(flags & SCRY_VM_UNSAFE),
			 .blind = flags & SCRY_VM_BLIND,
			 .reg = REGS };
	struct vm_leaf leaf = { 0 };
	bool has_loops = false;

	if (j.blind && getrandom(&j.key, sizeof(j.key), 0) != sizeof(j.key))
		return err_set(e, -errno, "%s: no random numbers to blind constants with",
			       prog->name);
	j.key |= 1; /* a generator of zeros would stay there */

	j.used = used_registers(prog);
	if (!j.checked && vm_leaf_plan(&leaf, prog, j.used)) {
		j.leaf = &leaf;
		j.reg = leaf.reg;
	}
	j.is_loop = loop_heads(prog, &has_loops);
	if (has_loops)
		plan_steps(&j);
	vm_jit_free(&prog->jit);
	j.starts = xcalloc(prog->n + 1u, sizeof(*j.starts));
	j.is_met = vm_jump_targets(prog);
	if (j.checked)
		j.spans = vm_spans(prog, j.is_met);
	compile(&j);
	free(j.spans);
	free(j.twin_starts);
	free(j.is_met);
	free(j.is_loop);
	int ret = make_executable(&j, &prog->jit, e);
	prog->jit.starts = j.starts;
	prog->jit.flags = flags;
	vec_free(&j.c);
	vec_free(&j.targets);
	vec_free(&j.faults);
	vec_free(&j.checks);
	vec_free(&j.constants);
	vec_free(&j.ends);
	vec_free(&j.zeros);
	free(leaf.at);
	return ret;
}

void vm_jit_run(struct scry_vm_run *run, const struct vm_prog *prog, uint64_t r1, uint64_t r2)
{
	void (*entry)(struct scry_vm_run *, uint64_t, uint64_t) =
		(void (*)(struct scry_vm_run *, uint64_t, uint64_t))(uintptr_t)prog->jit.code;

	if (prog->jit.is_leaf)
		run->result = ((scry_vm_function)(uintptr_t)prog->jit.code)(
			(void *)(uintptr_t)r1, r2, run->packet, run->packet_size);
	else
		entry(run, r1, r2);
}

uint64_t vm_jit_call_back(struct scry_vm_run *run, const struct vm_callback *cb,
			  const uint64_t args[4], uint64_t frame)
{
	const struct vm_jit *jit = &cb->prog->jit;

	if (!jit->callback || jit->flags & ~run->input->flags & SCRY_VM_UNSAFE) {
		run->fault = -EINVAL;
		return 0;
	}
	vm_jit_callback_fn fn = (vm_jit_callback_fn)(uintptr_t)jit->callback;
	return fn(run, jit->code + jit->starts[cb->op - cb->prog->ops], args, frame);
}

void vm_jit_free(struct vm_jit *jit)
{
	if (jit->code)
		munmap(jit->code, jit->mapped);
	free(jit->starts);
	*jit = (struct vm_jit){ 0 };
}

#else

int vm_jit_compile(struct vm_prog *prog, unsigned flags, struct err *e)
{
	(void)flags;
	return err_set(e, -ENOTSUP, "%s: there is no JIT for this machine", prog->name);
}

void vm_jit_run(struct scry_vm_run *run, const struct vm_prog *prog, uint64_t r1, uint64_t r2)
{
	vm_interpret(run, prog, r1, r2);
}

uint64_t vm_jit_call_back(struct scry_vm_run *run, const struct vm_callback *cb,
			  const uint64_t args[4], uint64_t frame)
{
	(void)cb, (void)args, (void)frame;
	run->fault = -ENOTSUP;
	return 0;
}

void vm_jit_free(struct vm_jit *jit)
{
	*jit = (struct vm_jit){ 0 };
}

#endif
