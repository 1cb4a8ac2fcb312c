/*
 * jit.h - the inside of the JIT for x86-64.
 *
 *	jit_x86_64.c	instructions, and how it begins
 *	jit_frame.c	what stands around them: entries, checks out of line, ends
 *	jit_select.c	filters without branches
 */
#ifndef SCRY_VM_JIT_H
#define SCRY_VM_JIT_H

#include "vm/frame_ptr.h"
#include "vm/leaf.h"
#include "vm/span.h"
#include "vm/x86.h"

#include <stddef.h>

#define RUN(field) ((int32_t)offsetof(struct scry_vm_run, field))

/* A distance to fill in: to an instruction's code. */
struct to_insn {
	size_t pos;
	uint32_t insn;
	bool in_twin;
};

/* A jump to code out of line: the run ends at insn with this error (0: it is already set). */
struct to_fault {
	size_t pos;
	uint32_t insn;
	int error;
};

/*
 * Out of line: ask vm_may_touch(), come back to `back`. With to_twin size bytes are those of
 * several accesses, and where they are not all inside the twin goes on, which checks each.
 */
struct to_check {
	size_t pos[2], back;
	uint32_t insn;
	uint16_t size;
	bool write, to_twin;
};

/* The distance to 16 bytes that come behind all code. */
struct to_constant {
	size_t pos;
	uint8_t bytes[16];
};

struct jit {
	struct x86_code c;
	const struct vm_prog *prog;
	bool checked;
	bool blind;		    /* constants of the program do not appear in the code */
	uint64_t key;		    /* state of the generator they are hidden with */
	const struct vm_leaf *leaf; /* NULL: a function with a run behind it */
	const uint8_t *reg;	    /* native registers by BPF's numbers */
	uint16_t used;		    /* registers, a bit each */
	uint8_t steps;		    /* the register of the budget, or 0: it is in the run */
	struct frame_ptrs frame;
	bool *is_met;	/* per slot: jumped to */
	bool *is_loop;	/* per slot: jumped to from behind */
	size_t *starts; /* of each instruction's code */
	/*
	 * Where one check is for several accesses there is a twin of the program's code, in
	 * which each has its own. It goes back to the first at the next jump back.
	 */
	struct span *spans; /* NULL: no twin */
	size_t *twin_starts;
	bool in_twin;
	VEC(struct to_insn) targets;
	VEC(struct to_fault) faults;
	VEC(struct to_check) checks;
	VEC(struct to_constant) constants;
	VEC(size_t) ends, zeros; /* jumps to the end of the program; the same with r0 = 0 */
	size_t end, slow_check, callback;
	size_t entry_call; /* the distance from the entry's call to the body */
	size_t body;	   /* where the entry and tail calls go */
	uint32_t i;	   /* the instruction being compiled */
};

/* A jump or call at pos whose distance leads to a run's end, or to an instruction. */
void jit_fault_at(struct jit *j, size_t pos, int error);
void jit_target_at(struct jit *j, size_t pos, uint32_t insn);
void jit_call_c(struct jit *j, const void *fn);
/* Of the jump BPF_JEQ ..., after its comparison. */
enum x86_cond jit_condition(unsigned op);

/* jit_frame.c: before the first instruction, at an exit, behind the last one. */
void jit_begin(struct jit *j);
void jit_exit(struct jit *j);
void jit_finish(struct jit *j);
/* Are size bytes at r11 in a range of the run's? pos: jumps to be taken when not. */
void jit_range_check(struct jit *j, int32_t start, int32_t len, unsigned size, size_t pos[2]);

/*
 * jit_select.c: a leaf's beginning, which decides without branches and returns, where that is
 * possible. Returns whether it is there.
 */
bool jit_select(struct jit *j);

/* What jit.callback is. */
typedef uint64_t (*vm_jit_callback_fn)(struct scry_vm_run *run, const uint8_t *code,
				       const uint64_t args[4], uint64_t frame);

#endif
