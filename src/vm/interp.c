/*
 * The interpreter: one piece of code per instruction, each of which jumps to the next one's.
 * What an instruction computes comes from insn.def; here is only where operands are and where
 * to go on.  Every jump back and every call takes from the budget of steps.
 */
#include "vm/vm.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

struct frame {
	const struct vm_op *ret;
	const struct vm_prog *prog;
	uint64_t saved[4]; /* r6 ... r9 */
};

/* What an ALU instruction of 32 bits computes, and when a jump on 32 bits is taken. */
#define INSN(id, ...)
#define ALU(id, op, off, sign, name, group, expr)                                         \
	static inline uint32_t alu32_##id(uint32_t d __attribute__((unused)), uint32_t s) \
	{                                                                                 \
		typedef uint32_t U __attribute__((unused));                               \
		typedef int32_t S __attribute__((unused));                                \
		enum { BITS = 32 };                                                       \
		return (U)(expr);                                                         \
	}
#define BRANCH(id, op, sign, name, expr)                        \
	static inline bool holds32_##id(uint32_t d, uint32_t s) \
	{                                                       \
		typedef int32_t S __attribute__((unused));      \
		return expr;                                    \
	}
#include "bpf/insn.def"

#define NEXT()                         \
	do {                           \
		op++;                  \
		goto *labels[op->run]; \
	} while (0)

#define JUMP()                                                    \
	do {                                                      \
		if (op->jump < 0 && (run->steps += op->jump) < 0) \
			goto out_of_steps;                        \
		op += op->jump + 1;                               \
		goto *labels[op->run];                            \
	} while (0)

/* The types that the expressions of insn.def speak of. */
#define OPERANDS(bits, dval, sval)                       \
	typedef uint##bits##_t U;                        \
	typedef int##bits##_t S __attribute__((unused)); \
	enum { BITS = bits };                            \
	U d __attribute__((unused)) = (U)(dval), s __attribute__((unused)) = (U)(sval)

/* r1 and r2 come in registers: read back at another width than written, they would be waited
 * for. */
static void interpret(struct scry_vm_run *run, const struct vm_prog *prog,
		      const struct vm_op *op, uint64_t r1, uint64_t r2, const uint64_t more[2],
		      uint64_t frame)
{
	static const void *const LABELS[VM_RUN_OPS] = {
#define INSN(id, ...) &&do_##id,
#include "bpf/insn.def"
		[VM_OP_TAIL] = &&do_tail,
		[VM_OP_NONE] = &&do_none,
#define SEQUENCE(name, ...) [VM_FUSED_##name] = &&do_##name,
#include "vm/fused.def"
	};
	static const void *const TRACED[VM_RUN_OPS] = { [0 ... VM_RUN_OPS - 1] = &&do_trace };
	const void *const *labels = run->input->trace ? TRACED : LABELS;
	struct frame frames[BPF_CALL_DEPTH];
	uint32_t depth = run->depth;
	uint64_t r[11] = { 0, r1, r2, more[0], more[1], [10] = frame }, addr, word;

	goto *labels[op->run];

	/* --- arithmetic --- */
#define INSN(id, ...)
#define ALU(id, op_, off, sign, name, group, expr)    \
	do_##id##64_K:                                \
	{                                             \
		OPERANDS(64, r[op->dst], op->imm);    \
		r[op->dst] = (U)(expr);               \
	}                                             \
	NEXT();                                       \
	do_##id##64_X:                                \
	{                                             \
		OPERANDS(64, r[op->dst], r[op->src]); \
		r[op->dst] = (U)(expr);               \
	}                                             \
	NEXT();                                       \
	do_##id##32_K:                                \
	{                                             \
		OPERANDS(32, r[op->dst], op->imm);    \
		r[op->dst] = (U)(expr);               \
	}                                             \
	NEXT();                                       \
	do_##id##32_X:                                \
	{                                             \
		OPERANDS(32, r[op->dst], r[op->src]); \
		r[op->dst] = (U)(expr);               \
	}                                             \
	NEXT();
#define MOVSX(id, bits, class, type, text, mnemonic)                              \
	do_##id : r[op->dst] = (class) == BPF_ALU64 ? (uint64_t)(type)r[op->src]  \
						    : (uint32_t)(type)r[op->src]; \
	NEXT();
#define NEG(id, class, group, text, mnemonic)                                              \
	do_##id : r[op->dst] = (class) == BPF_ALU64 ? -r[op->dst] : -(uint32_t)r[op->dst]; \
	NEXT();
#define END(id, code, bits, group, name, expr) \
	do_##id:                               \
	{                                      \
		uint64_t d = r[op->dst];       \
		r[op->dst] = expr;             \
	}                                      \
	NEXT();

	/* --- jumps --- */
#define BRANCH_ON(label, bits, sval, expr)        \
	label : {                                 \
		OPERANDS(bits, r[op->dst], sval); \
		if (expr)                         \
			JUMP();                   \
	}                                         \
	NEXT();
#define BRANCH(id, op_, sign, name, expr)              \
	BRANCH_ON(do_##id##64_K, 64, op->imm, expr)    \
	BRANCH_ON(do_##id##64_X, 64, r[op->src], expr) \
	BRANCH_ON(do_##id##32_K, 32, op->imm, expr)    \
	BRANCH_ON(do_##id##32_X, 32, r[op->src], expr)

	/* --- memory --- */
#define REACH(base, type, write)                       \
	addr = r[base] + (uint64_t)(int64_t)op->jump;  \
	if (!vm_check(run, addr, sizeof(type), write)) \
		goto bad_memory;
#define LOAD(id, mode, size, group, type, ctype, name)                        \
	do_##id:                                                              \
	{                                                                     \
		ctype value;                                                  \
		REACH(op->src, ctype, false)                                  \
		memcpy(&value, (const void *)(uintptr_t)addr, sizeof(value)); \
		r[op->dst] = (uint64_t)value;                                 \
	}                                                                     \
	NEXT();
#define STORE_AT(label, ctype, from)                                    \
	label : {                                                       \
		ctype value = (ctype)(from);                            \
		REACH(op->dst, ctype, true)                             \
		memcpy((void *)(uintptr_t)addr, &value, sizeof(value)); \
	}                                                               \
	NEXT();
#define STORE(id, size, group, type, ctype, name) \
	STORE_AT(do_ST##id, ctype, op->imm)       \
	STORE_AT(do_STX##id, ctype, r[op->src])

	/* Atomics must be aligned, as the kernel demands. */
#define ALIGNED(type)            \
	if (addr % sizeof(type)) \
		goto bad_memory;
#define FETCH_NONE(d)
#define FETCH_SRC(d) r[op->src] = (d)
#define FETCH_R0(d)  r[0] = (d)
#define ATOMIC_ON(label, bits, fetch, expr)                                              \
	label:                                                                           \
	REACH(op->dst, uint##bits##_t, true) ALIGNED(uint##bits##_t)                     \
	{                                                                                \
		uint##bits##_t *p = (uint##bits##_t *)(uintptr_t)addr, next;             \
		OPERANDS(bits, __atomic_load_n(p, __ATOMIC_RELAXED), r[op->src]);        \
		uint##bits##_t r0 __attribute__((unused)) = (uint##bits##_t)r[0];        \
		do                                                                       \
			next = (expr);                                                   \
		while (!__atomic_compare_exchange_n(p, &d, next, true, __ATOMIC_SEQ_CST, \
						    __ATOMIC_SEQ_CST));                  \
		fetch(d);                                                                \
	}                                                                                \
	NEXT();
#define ATOMIC(id, imm, fetch, text64, text32, name, expr) \
	ATOMIC_ON(do_##id##64, 64, fetch, expr)            \
	ATOMIC_ON(do_##id##32, 32, fetch, expr)
#define ORDERED(id, size, type, ctype)                                                        \
	do_LOADACQ##id : REACH(op->src, ctype, false) ALIGNED(ctype) r[op->dst] =             \
				 __atomic_load_n((ctype *)(uintptr_t)addr, __ATOMIC_ACQUIRE); \
	NEXT();                                                                               \
	do_STOREREL##id : REACH(op->dst, ctype, true) ALIGNED(ctype)                          \
				  __atomic_store_n((ctype *)(uintptr_t)addr,                  \
						   (ctype)r[op->src], __ATOMIC_RELEASE);      \
	NEXT();
#include "bpf/insn.def"

do_LDDW:
do_LDDW_MAP:
do_LDDW_VALUE:
do_LDDW_IDX:
do_LDDW_IDXVAL:
do_LDDW_FUNC:
	r[op->dst] = (uint64_t)op->imm;
	op++;
	NEXT();

do_JA:
do_JA32:
	JUMP();

do_CALL : {
	scry_vm_helper_fn fn = (scry_vm_helper_fn)(uintptr_t)op->imm;

	run->frame = r[10];
	r[0] = fn(r[1], r[2], r[3], r[4], r[5], run);
	if (run->fault)
		goto fault;
	if (!r[0] && (op->jump & SCRY_VM_HELPER_ENDS))
		goto end;
	NEXT();
}

do_CALLX : {
	const struct vm_helper *h = vm_helper(run->vm, r[op->dst]);

	if (!h || !h->fn) {
		run->fault = -EINVAL;
		goto fault;
	}
	run->frame = r[10];
	r[0] = h->fn(r[1], r[2], r[3], r[4], r[5], run);
	if (run->fault)
		goto fault;
	if (!r[0] && h->flags & SCRY_VM_HELPER_ENDS)
		goto end;
	NEXT();
}

do_tail : {
	const struct vm_prog *target = vm_tail_target(run, r[2], r[3]);

	if (!target) {
		r[0] = (uint64_t)-ENOENT;
		NEXT();
	}
	if (run->fault)
		goto fault;
	run->prog = prog = target;
	op = target->ops;
	goto *labels[op->run];
}

do_CALL_LOCAL:
	if (run->depth + 1 >= BPF_CALL_DEPTH) {
		run->fault = -EOVERFLOW;
		goto fault;
	}
	if ((run->steps -= op->imm) < 0)
		goto out_of_steps;
	frames[run->depth] = (struct frame){ op + 1, prog, { r[6], r[7], r[8], r[9] } };
	run->depth++;
	r[10] -= BPF_STACK_SIZE;
	op += op->jump + 1;
	goto *labels[op->run];

do_EXIT:
	if (run->depth == depth)
		goto end;
	run->depth--;
	memcpy(&r[6], frames[run->depth].saved, sizeof(frames->saved));
	r[10] += BPF_STACK_SIZE;
	run->prog = prog = frames[run->depth].prog;
	op = frames[run->depth].ret;
	goto *labels[op->run];

#define AT_ABS	op->imm
#define AT_IND	(int32_t)(op->imm + (int64_t)r[op->src])
#define BYTES_B 1
#define BYTES_H 2
#define BYTES_W 4
#define PACKET_LOAD(place, size)                                     \
	if (!vm_packet_load(run, AT_##place, BYTES_##size, &word)) { \
		r[0] = 0;                                            \
		goto end;                                            \
	}                                                            \
	r[0] = word;
do_LDABSB:
	PACKET_LOAD(ABS, B)
	NEXT();
do_LDABSH:
	PACKET_LOAD(ABS, H)
	NEXT();
do_LDABSW:
	PACKET_LOAD(ABS, W)
	NEXT();
do_LDINDB:
	PACKET_LOAD(IND, B)
	NEXT();
do_LDINDH:
	PACKET_LOAD(IND, H)
	NEXT();
do_LDINDW:
	PACKET_LOAD(IND, W)
	NEXT();

	/* --- several at once --- */
#define SEQUENCE(...)
#define LOAD_BRANCH(place, size, condition)                               \
	do_LD##place##size##_##condition : PACKET_LOAD(place, size) op++; \
	if (holds32_##condition((uint32_t)word, (uint32_t)op->imm))       \
		JUMP();                                                   \
	NEXT();
#include "vm/fused.def"

do_HEADER:
	PACKET_LOAD(ABS, B)
	word = alu32_AND((uint32_t)word, (uint32_t)op[1].imm);
	word = alu32_LSH((uint32_t)word, (uint32_t)op[2].imm);
	r[0] = r[op[3].dst] = word;
	op += 3;
	NEXT();

do_RETURN:
	r[op->dst] = (uint32_t)op->imm;
	op++;
	goto do_EXIT;

do_trace:
	run->input->trace(run->input->user, prog->id, (uint32_t)(op - prog->ops), r);
	goto *LABELS[op->id];

	/* What the loader lets through never gets here. */
do_LDDW_VAR:
do_CALL_BTF:
do_MAY_GOTO:
do_CAST_SPACE:
do_CAST_PERCPU:
do_none:
	run->fault = -EINVAL;
	goto fault;

out_of_steps:
	run->fault = -ELOOP;
	goto fault;
bad_memory:
	run->fault = -EFAULT;
fault:
	run->fault_insn = (uint32_t)(op - prog->ops);
	run->prog = prog;
end:
	run->result = r[0];
}

void vm_interpret(struct scry_vm_run *run, const struct vm_prog *prog, uint64_t r1, uint64_t r2)
{
	static const uint64_t NONE[2];

	interpret(run, prog, prog->ops, r1, r2, NONE,
		  (uintptr_t)run->stack + sizeof(run->stack));
}

uint64_t vm_interpret_function(struct scry_vm_run *run, const struct vm_prog *prog,
			       const struct vm_op *op, const uint64_t args[4], uint64_t frame)
{
	interpret(run, prog, op, args[0], args[1], args + 2, frame);
	return run->result;
}
