/*
 * vm.h - the inside of the machine; scry_vm.h is its public contract.
 *
 * Programs see plain addresses of the host.  A program is decoded once, at load, into one
 * struct vm_op per slot; the interpreter and the JIT start from those.  A run keeps all its
 * state in struct scry_vm_run on the caller's stack, so any number may go on at once.
 */
#ifndef SCRY_VM_VM_H
#define SCRY_VM_VM_H

#include "base/err.h"
#include "base/vec.h"
#include "bpf/helper.h"
#include "bpf/insn.h"
#include "scry_vm.h"
#include "vm/map.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum {
	VM_STACK_BYTES = BPF_STACK_SIZE * BPF_CALL_DEPTH,
	VM_TAIL_CALLS = 33,
	VM_MAX_INSNS = 1000000,
};

/* Operations of the machine besides enum insn_id. */
enum {
	VM_OP_TAIL = INSN_COUNT, /* a call of bpf_tail_call() */
	VM_OP_NONE,		 /* the second half of a 64-bit immediate */
	VM_OPS,
	VM_FUSED_BEFORE = VM_OPS - 1,
#define SEQUENCE(name, n, ...) VM_FUSED_##name,
#include "vm/fused.def"
	VM_RUN_OPS,
};

_Static_assert(VM_RUN_OPS <= UINT8_MAX, "an operation is a byte");

struct vm_op {
	uint8_t id;
	uint8_t run; /* what the interpreter does: id, or several at once (fused.def) */
	uint8_t dst, src;
	int32_t jump; /* slots from the next one to the target; memory: offset; helper: flags */
	/* Sign-extended; ld_imm64: what the register gets; helper: its address; call: its
	 * steps. */
	int64_t imm;
};

/* Flags of helpers besides SCRY_VM_HELPER_...: it calls functions of the program. */
enum { VM_HELPER_CALLS_BACK = 1 << 8 };

struct vm_helper {
	scry_vm_helper_fn fn;
	const char *name;
	unsigned flags;
	uint32_t id;
};

struct vm_region {
	uintptr_t start;
	size_t size;
	bool writable;
};

struct vm_jit {
	uint8_t *code; /* mapped executable, not writable */
	size_t size, mapped;
	const uint8_t *body; /* where tail calls go */
	const uint8_t
		*callback; /* a vm_jit_callback_fn; NULL: no function has its address taken */
	size_t *starts;	   /* of each instruction's code; one more for the end */
	unsigned flags;
	bool is_leaf; /* code is a scry_vm_function */
};

struct vm_prog {
	struct scry_vm *vm;
	int id;
	const char *name;
	struct scry_vm_program info;
	struct bpf_insn *insns;
	struct vm_op *ops;
	uint32_t n;
	bool *is_entry;	    /* per slot: a function starts here */
	bool uses_stack;    /* as far as one can see */
	bool takes_address; /* of its functions */
	struct vm_jit jit;
};

/* Memory that a helper lets the program read while it calls it back. */
struct vm_lent {
	struct vm_region region;
	const struct vm_lent *next;
};

struct scry_vm {
	struct arena arena;
	VEC(struct vm_prog *) progs;
	VEC(struct vm_map *) maps;
	VEC(struct vm_region) regions;
	VEC(struct vm_helper) helpers;
	uint32_t cpus;
	struct err err;
};

/*
 * The JIT's code reads the fields above `input` at their offsets. The window is the last piece
 * of writable memory besides the stack that was found allowed.
 */
struct scry_vm_run {
	uintptr_t stack_start;
	size_t stack_size; /* bytes that count as stack: everything when unsafe */
	uintptr_t window_start;
	size_t window_size;
	int64_t steps;
	const uint8_t *packet; /* what legacy packet access sees */
	size_t packet_size;
	uint64_t native_sp; /* to come back to from any depth */
	int32_t fault;	    /* 0 or -errno: the run must end */
	uint32_t fault_insn;
	uint32_t depth; /* functions below this one */
	uint32_t tail_calls;
	uint64_t frame; /* r10 of who called a helper that calls back */
	uint64_t callx; /* JIT: the number of the helper that a register names */
	uint32_t ends;	/* JIT: what it gave ends the program */
	bool compiled;	/* by machine code, or by interpreter */
	const struct vm_lent *lent;
	const struct vm_prog *prog; /* the one that runs */
	const struct scry_vm_input *input;
	struct scry_vm *vm;
	uint64_t result;
	uint8_t stack[VM_STACK_BYTES] __attribute__((aligned(16)));
};

/* load.c: checks the form and fills prog->ops from prog->insns. */
int vm_decode(struct vm_prog *prog, struct err *e);
/* Per slot, and one more: a jump leads there. The caller frees it. */
bool *vm_jump_targets(const struct vm_prog *prog);

/* interp.c: runs from the start of prog with r1, r2; the result is in run->result. */
void vm_interpret(struct scry_vm_run *run, const struct vm_prog *prog, uint64_t r1,
		  uint64_t r2);

/* Runs the function at op with r1 ... r4 and its frame pointer, up to its exit. */
uint64_t vm_interpret_function(struct scry_vm_run *run, const struct vm_prog *prog,
			       const struct vm_op *op, const uint64_t args[4], uint64_t frame);

/*
 * callback.c: functions of programs as helpers call them. In a register a function is the
 * address of its first vm_op, so that it means the same to interpreter and JIT.
 */
struct vm_callback {
	const struct vm_prog *prog;
	const struct vm_op *op;
	uint32_t price; /* steps */
};

/* Returns false after setting the run's fault when addr is no function. */
bool vm_callback_find(struct scry_vm_run *run, uint64_t addr, struct vm_callback *cb);
/* Calls it with four arguments; the run may have a fault afterwards. */
uint64_t vm_call_back(struct scry_vm_run *run, const struct vm_callback *cb,
		      const uint64_t args[4]);
/* Slots from i to the next function. */
uint32_t vm_function_slots(const struct vm_prog *prog, uint32_t i);

/* jit_x86_64.c */
uint64_t vm_jit_call_back(struct scry_vm_run *run, const struct vm_callback *cb,
			  const uint64_t args[4], uint64_t frame);
int vm_jit_compile(struct vm_prog *prog, unsigned flags, struct err *e);
void vm_jit_run(struct scry_vm_run *run, const struct vm_prog *prog, uint64_t r1, uint64_t r2);
void vm_jit_free(struct vm_jit *jit);

/* vm.c: the slow path of memory checks; moves the window. */
bool vm_may_touch(struct scry_vm_run *run, uint64_t addr, size_t size, bool write);
const struct vm_helper *vm_helper(const struct scry_vm *vm, uint64_t id);
struct vm_map *vm_map(const struct scry_vm *vm, uint64_t id);
struct vm_prog *vm_prog(const struct scry_vm *vm, uint64_t id);
/* The map behind a program's address, or NULL: programs hold addresses of struct vm_map. */
struct vm_map *vm_map_at(const struct scry_vm *vm, uint64_t addr);
/* The program a tail call goes to, counted against the limit; NULL when there is none. */
const struct vm_prog *vm_tail_target(struct scry_vm_run *run, uint64_t map, uint64_t index);

/* callback.c: bpf_loop(), bpf_for_each_map_elem(). */
void vm_add_callback_helpers(struct scry_vm *vm);
/* helpers.c: registers the kernel's helpers that make sense here. */
void vm_add_kernel_helpers(struct scry_vm *vm);

static inline bool vm_in(uint64_t addr, size_t size, uintptr_t start, size_t len)
{
	return addr - start < len && len - (addr - start) >= size;
}

/* What a helper does counts as so many steps. */
static inline void vm_charge(struct scry_vm_run *run, uint64_t steps)
{
	run->steps -= (int64_t)(steps < INT64_MAX / 2 ? steps : INT64_MAX / 2);
	if (run->steps < 0 && !run->fault)
		run->fault = -ELOOP;
}

/* Legacy packet access: 1, 2 or 4 bytes in network order. Returns false outside the packet. */
static inline bool vm_packet_load(const struct scry_vm_run *run, int64_t off, unsigned size,
				  uint64_t *value)
{
	const uint8_t *p = run->packet + off;
	uint32_t word;

	if (off < 0 || (uint64_t)off + size > run->packet_size)
		return false;
	if (size == 4)
		memcpy(&word, p, sizeof(word));
	*value = size == 1 ? p[0] : size == 2 ? (uint32_t)p[0] << 8 | p[1] : be32toh(word);
	return true;
}

/* May the program touch size bytes at addr? */
static inline bool vm_check(struct scry_vm_run *run, uint64_t addr, size_t size, bool write)
{
	return __builtin_expect(vm_in(addr, size, run->stack_start, run->stack_size), 1) ||
	       vm_in(addr, size, run->window_start, run->window_size) ||
	       vm_may_touch(run, addr, size, write);
}

#endif
