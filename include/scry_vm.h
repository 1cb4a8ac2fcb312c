/*
 * scry_vm.h - a BPF machine in user space.
 *
 * A machine holds maps, programs, memory that programs may touch, and helper functions.  Maps
 * and programs are known by small numbers (from 1), which are also what the 64-bit immediates
 * of a program name a map by.
 *
 *	struct scry_vm *vm = scry_vm_new();
 *	int prog = scry_vm_load(vm, insns, n, NULL);
 *	if (prog < 0)
 *		puts(scry_vm_error(vm));
 *	else if (scry_vm_run(vm, prog, &(struct scry_vm_input){ 0 }, &result))
 *		puts(result.words);
 *	scry_vm_free(vm);
 *
 * No program, verified or not, can hang or crash its host: every access is checked against the
 * memory the machine knows; jumps back, calls and the work of helpers take from a budget of
 * steps; the stack is limited.  SCRY_VM_UNSAFE gives up the checks of memory and steps; use it
 * for programs that were verified.
 *
 * Setting a machine up (maps, programs, helpers, memory) is for one thread; after that programs
 * may run and maps may be used from many at once.  Functions return 0 or a number, or -errno;
 * the words are in scry_vm_error(), for runs in their result and for verifying in the verdict.
 * With several threads those are the words to use: scry_vm_error() is about any of them.
 *
 * The machine copies what it is given to keep: instructions, names, definitions of maps. Memory
 * of runs and of scry_vm_memory_add() stays the caller's.  Running out of memory ends the
 * process, but for maps, which answer -ENOMEM.
 *
 * A program needs this header and libscry.a, no other library.
 */
#ifndef SCRY_VM_H
#define SCRY_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_insn;
struct scry_vm;
struct scry_vm_run; /* one run of a program; helpers see it */

/* Never returns NULL. */
struct scry_vm *scry_vm_new(void);
void scry_vm_free(struct scry_vm *vm);
/* What went wrong last, "" when nothing did; valid until the machine is used again. */
const char *scry_vm_error(const struct scry_vm *vm);

/* --- programs --- */

/* What a program gets as its context, and what its verifier knows of it. */
enum scry_vm_context {
	SCRY_VM_MEMORY,	    /* r1: memory, r2: its size (the bpf_conformance contract) */
	SCRY_VM_SOCKET,	    /* struct __sk_buff of a socket filter */
	SCRY_VM_CLASSIFIER, /* struct __sk_buff with direct packet access */
	SCRY_VM_XDP,	    /* struct xdp_md */
	SCRY_VM_TRACEPOINT, /* the record of a tracepoint, read only */
};

struct scry_vm_program {
	const char *name; /* for messages */
	enum scry_vm_context context;
	uint32_t context_size; /* SCRY_VM_MEMORY and SCRY_VM_TRACEPOINT: bytes known to the
				  verifier */
};

/*
 * Checks the form of n instructions (known opcodes, targets inside, helpers and maps that
 * exist), copies them and returns the program's number. info may be NULL.
 */
int scry_vm_load(struct scry_vm *vm, const struct bpf_insn *insns, uint32_t n,
		 const struct scry_vm_program *info);

struct scry_vm_verdict {
	bool accepted;
	uint32_t insn;	  /* rejected at this instruction */
	char words[512];  /* why: the instruction, the register, what is known and what is
			     missing */
	uint32_t visited; /* instructions looked at, all paths together */
	uint32_t states;  /* states kept */
	uint32_t stack;	  /* bytes of stack that the deepest chain of calls uses; what is
			     allowed (512) counts each function in multiples of 32 */
};

/*
 * Proves that the program is safe, or says why not. Returns 0 when accepted, -EACCES when not,
 * -ENOENT when there is no such program. It knows the arguments of the kernel's helpers; those
 * of other numbers may get anything and return a number.
 */
int scry_vm_verify(struct scry_vm *vm, int prog, struct scry_vm_verdict *verdict);

/* Compiles the program for this machine; -ENOTSUP elsewhere than on x86-64. */
int scry_vm_jit(struct scry_vm *vm, int prog, unsigned flags);
/* The machine code of a compiled program, or NULL. */
const void *scry_vm_jit_code(struct scry_vm *vm, int prog, size_t *bytes);
/* Where in it the code of an instruction is. */
int scry_vm_jit_place(struct scry_vm *vm, int prog, uint32_t insn, size_t *start, size_t *end);
/*
 * Programs that were compiled with SCRY_VM_UNSAFE, call nothing, have no stack and jump forward
 * only (packet filters) are plain functions: r1, r2, and the packet of legacy packet access.
 * Returns NULL for others. Valid until the program is compiled again.
 */
typedef uint64_t (*scry_vm_function)(void *mem, uint64_t mem_size, const void *packet,
				     size_t packet_size);
scry_vm_function scry_vm_jit_function(struct scry_vm *vm, int prog);

enum {
	SCRY_VM_INTERPRET = 1 << 0, /* run: interpret although the program is compiled */
	SCRY_VM_UNSAFE = 1 << 1, /* no checks of memory and steps: needed for jit and for run */
	SCRY_VM_BLIND = 1 << 2,	 /* jit: no constant of the program is in the code as it is */
};

struct scry_vm_input {
	void *mem; /* the context */
	size_t mem_size;
	bool mem_read_only;
	const void
		*packet; /* legacy packet access reads here; NULL: the context is the packet */
	size_t packet_size;
	unsigned flags;
	uint32_t cpu;	/* which copy of per-CPU values is seen */
	uint64_t steps; /* budget; 0 = SCRY_VM_STEPS */
	/* Called before each instruction with r0 ... r10; interpreter only. */
	void (*trace)(void *user, int prog, uint32_t insn, const uint64_t *regs);
	/* Output of bpf_trace_printk(), without a newline added. */
	void (*print)(void *user, const char *text, size_t len);
	void *user; /* of trace, print and helpers; the machine leaves it alone */
};

#define SCRY_VM_STEPS (1ull << 32)

struct scry_vm_result {
	uint64_t r0; /* 0 after an error */
	int prog;    /* after an error: where the program was, and what happened */
	uint32_t insn;
	char words[160];
	uint64_t steps_left;
};

/*
 * Runs a program: compiled code when there is some, else by interpreter. Returns 0, or
 * -EFAULT (memory), -ELOOP (budget), -EOVERFLOW (stack), -EINVAL (helper), -ENOTSUP (an
 * instruction of an object file that needs what the kernel does not have), -ENOENT (no
 * program).
 */
int scry_vm_run(struct scry_vm *vm, int prog, const struct scry_vm_input *in,
		struct scry_vm_result *out);
/* The same n times with the same input; stops at the first error. */
int scry_vm_run_many(struct scry_vm *vm, int prog, const struct scry_vm_input *in, uint64_t n,
		     struct scry_vm_result *out);

/* One packet of many: its context, its data, and what the program returned for it. */
struct scry_vm_packet {
	void *mem;
	size_t mem_size;
	const void *data;
	size_t size;
	uint64_t r0;
};
/* Runs a program on n packets; stops at the first error. */
int scry_vm_run_packets(struct scry_vm *vm, int prog, const struct scry_vm_input *in,
			struct scry_vm_packet *packets, size_t n, struct scry_vm_result *out);

/* --- memory --- */

/* Lets programs touch memory besides their context, stack and map values; it has to stay as
 * long as programs run. */
int scry_vm_memory_add(struct scry_vm *vm, void *mem, size_t size, bool writable);

/* --- helpers --- */

typedef uint64_t (*scry_vm_helper_fn)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,
				      uint64_t r5, struct scry_vm_run *run);

enum {
	SCRY_VM_HELPER_ENDS = 1 << 0, /* a result of 0 ends the program */
};

/*
 * Adds or replaces a helper; before the programs that call it are loaded. It may be called by
 * several threads at once. Numbers that the kernel does not use are best; -EINVAL without fn.
 */
int scry_vm_helper_add(struct scry_vm *vm, uint32_t id, const char *name, scry_vm_helper_fn fn,
		       unsigned flags);
/* Removes all helpers, for callers that bring their own. */
void scry_vm_helpers_clear(struct scry_vm *vm);
/*
 * For helpers: the memory at a program's address. Returns NULL when the program may not touch
 * it; the run then ends with -EFAULT as soon as the helper returns. Each 64 bytes take a step.
 * With SCRY_VM_UNSAFE every address passes.
 */
void *scry_vm_helper_memory(struct scry_vm_run *run, uint64_t addr, size_t size, bool write);

/* For helpers: `user` of the run's input. */
void *scry_vm_helper_user(const struct scry_vm_run *run);

/* --- maps: types, flags and results as in bpf(2) --- */

struct scry_vm_map {
	uint32_t type; /* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries, flags;
	int inner; /* maps in maps: a map like those inside */
	const char *name;
};

/* How many copies per-CPU maps keep (default 1); -EBUSY once there are maps. */
int scry_vm_cpus(struct scry_vm *vm, uint32_t cpus);
int scry_vm_map_add(struct scry_vm *vm, const struct scry_vm_map *def);
/* Its definition; NULL when there is no such map. */
const struct scry_vm_map *scry_vm_map_info(const struct scry_vm *vm, int map);
/*
 * As the bpf(2) commands of that name. Values of per-CPU maps are all CPUs' copies, each
 * rounded up to 8 bytes. Values of prog arrays and of maps in maps are their numbers
 * (uint32_t).
 */
int scry_vm_map_lookup(struct scry_vm *vm, int map, const void *key, void *value);
int scry_vm_map_update(struct scry_vm *vm, int map, const void *key, const void *value,
		       uint64_t flags);
int scry_vm_map_delete(struct scry_vm *vm, int map, const void *key);
/* key NULL: the first. -ENOENT behind the last. */
int scry_vm_map_next_key(struct scry_vm *vm, int map, const void *key, void *next);
/* Queues and stacks: takes the next value. */
int scry_vm_map_pop(struct scry_vm *vm, int map, void *value);
/* Bytes of the value as lookup gives it. */
size_t scry_vm_map_value_bytes(const struct scry_vm *vm, int map);
/* Arrays: the memory of all values, each rounded up to 8 bytes; else NULL. */
void *scry_vm_map_memory(struct scry_vm *vm, int map);
/*
 * Ring buffers, one at a time, by one thread: the next finished record (NULL: none), valid
 * until it is consumed.
 */
const void *scry_vm_ring_peek(struct scry_vm *vm, int map, size_t *size);
void scry_vm_ring_consume(struct scry_vm *vm, int map);
/*
 * Ring buffers: hands the records that were finished when it was called to fn, oldest first,
 * and frees them; returns how many there were. fn may run programs and use maps, those that
 * write here too, but not read here.
 */
int scry_vm_ring_read(struct scry_vm *vm, int map,
		      void (*fn)(void *user, const void *data, size_t size), void *user);

/*
 * Perf event arrays: writing a number to an element opens its buffer, which has room for so
 * many bytes (each record takes 4 more than its data).  Hands the records of an element to fn,
 * oldest first, and drops them; lost, unless NULL, gets how many found no room since it was
 * opened. Returns how many records there were, -ENOENT when the element is not open.
 */
int scry_vm_perf_read(struct scry_vm *vm, int map, uint32_t index,
		      void (*fn)(void *user, const void *data, size_t size), void *user,
		      uint64_t *lost);

#ifdef __cplusplus
}
#endif

#endif
