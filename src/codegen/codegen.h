/*
 * codegen.h - IR in, BPF instructions out.
 *
 * frame.c gives slots their memory, isel.c picks instructions over virtual registers,
 * regalloc.c maps those to r0-r9 with spills, emit.c writes bytes.  A program with callbacks is
 * compiled function by function; link.c joins them.  Nothing here knows about
 * scripts, maps' contents or the kernel; nothing does I/O.
 */
#ifndef SCRY_CODEGEN_CODEGEN_H
#define SCRY_CODEGEN_CODEGEN_H

#include "base/err.h"
#include "ir/ir.h"

#include <linux/bpf.h>

/*
 * An instruction pair (ld_imm64) whose immediate is known only when the maps exist.  Source
 * register and offset are set already; missing is the map's descriptor as the first immediate.
 */
struct reloc {
	uint32_t insn; /* index of the first of the two */
	uint32_t map;  /* index in the plan's maps */
	uint32_t off;  /* RELOC_VALUE: offset into the value of element 0 */
	enum { RELOC_MAP, RELOC_VALUE } kind;
};

/* A program ready to be loaded once its relocations are filled in. */
struct image {
	const char *name;
	struct bpf_insn *insns;
	struct span *spans; /* one per instruction: the place in the script it was made for */
	uint32_t ninsns;
	struct reloc *relocs;
	uint32_t nrelocs;
	uint32_t stack_size; /* bytes of BPF stack used, 0 ... 512 */
	/* The first instruction of each function, the program itself before its callbacks. */
	uint32_t *funcs;
	uint32_t nfuncs;
	uint32_t scratch_size; /* bytes needed in the value of the scratch map, 0 = not used */
};

struct codegen_target {
	/* Values larger than this go to scratch memory instead of the stack (bytes, default
	 * 32). */
	uint32_t on_stack_limit;
	/* Bytes of stack for this function, of the 512 that all active ones have (0: all). */
	uint32_t stack_max;
	/* Map index of the program's scratch map: a per-CPU array with scratch_copies elements.
	 */
	uint32_t scratch_map;
	/*
	 * 0 or 1: nothing else runs this program on its CPU meanwhile.  More: it may be
	 * preempted by itself, so each run claims an element by exchanging its first word, and
	 * gives it back at its end; it counts as missed when none is free.
	 */
	uint32_t scratch_copies;
	/* Map index and offset of a u64 counter to add to when scratch is not available. */
	uint32_t miss_map, miss_off;
	/* Instruction set: 2 or 3 (adds 32-bit jumps and atomics with fetch), 4 (sign-extending
	 * loads and moves, bswap, sdiv). */
	unsigned isa;
};

/*
 * Compiles fn, which is changed on the way. The image and all it points to live in a.
 * Returns 0, or with words -E2BIG when the program does not fit (jump out of range, stack) and
 * -ENOTSUP when it needs a newer instruction set.
 */
int codegen(struct arena *a, struct fn *fn, const struct codegen_target *target,
	    struct image *out, struct err *e);

/*
 * Puts the images of a program's functions, parts[0] the program itself, behind each other and
 * settles the addresses of functions among them.  Scratch sizes are not joined: each function
 * has a map of its own.
 *
 * Of the foreign code (CALL_FOREIGN), whole images that may have functions of their own, those
 * that are called are put behind them.
 */
void image_link(struct arena *a, const struct image *parts, uint32_t n,
		const struct image *const *foreign, uint32_t nforeign, struct image *out);

/*
 * Joins two programs to one, which runs at two occasions of one event: it asks the kernel's
 * function with the BTF id which, without arguments, and goes on with yes or with no, which
 * must not have more than IMAGE_JOIN_MAX instructions for the jump over it.
 */
void image_join(struct arena *a, const struct image *no, const struct image *yes,
		uint32_t which, struct image *out);
enum { IMAGE_JOIN_MAX = INT16_MAX };

#endif
