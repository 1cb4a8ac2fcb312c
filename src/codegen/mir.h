/*
 * mir.h - machine instructions over virtual registers, what lies between IR and bytes.
 *
 * isel.c writes them, regalloc.c maps every virtual register to one of r0-r9 or to a spill
 * slot, emit.c encodes them.  An instruction is a BPF instruction (codes of linux/bpf.h, RFC
 * 9669) whose register fields are wider; a few kinds stand for something that is settled later.
 *
 * Registers below MAX_BPF_REG are the machine's own.  They appear only where the machine asks
 * for them: arguments and results of calls, the operand of cmpxchg, the context at entry, the
 * frame pointer; and they are never live from one block to the next.
 *
 * The instructions of all blocks lie in one array in the order of the final program; a block
 * is a part of that array and ends in a conditional jump (two successors), a jump (one) or an
 * exit.
 */
#ifndef SCRY_CODEGEN_MIR_H
#define SCRY_CODEGEN_MIR_H

#include "base/source.h"
#include "base/vec.h"

#include <linux/bpf.h>

/* Newer than some of the headers we are built with. */
#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80
#endif

typedef uint32_t mreg;

/* Physical registers a value may be kept in: r0 ... r9. */
enum { MREG_ALLOCATABLE = BPF_REG_10 };

enum mkind {
	MK_PLAIN,
	MK_CALL,   /* arg: number of arguments; callee: BPF_PSEUDO_...; imm: whom it calls */
	MK_MAP,	   /* ld_imm64 of map number arg */
	MK_MAPVAL, /* ld_imm64 of the address of byte imm in the value of map number arg */
	MK_FUNC,   /* ld_imm64 of the address of function arg, which link.c settles */
	MK_SLOT, /* load from or store to spill slot arg; off comes when slots have their places
		  */
	MK_SET,	 /* register arg = 1 when the jump described by the rest is taken, else 0 */
};

struct minsn {
	uint8_t code;
	uint8_t kind; /* enum mkind */
	uint8_t callee;
	int16_t off;
	uint32_t arg;
	mreg dst, src;
	int64_t imm;
	struct span span;
};

struct mblk {
	uint32_t beg, end; /* its instructions */
	uint32_t succ[2];  /* conditional jump: taken, else */
	uint32_t nsucc;
	uint32_t depth; /* number of loops around it */
};

/* How often a virtual register was spilled: its pieces are shorter each time. */
enum vlevel {
	VREG_WHOLE,
	VREG_PIECE, /* between calls inside one block */
	VREG_TINY,  /* one instruction and its load or store; cannot be spilled */
};

struct vreg {
	enum vlevel level;
	uint32_t slot; /* its spill slot + 1, 0 = none yet */
	mreg phys;     /* valid after regalloc() */
};

struct mfn {
	struct arena *arena;
	VEC(struct minsn) ins;
	VEC(struct mblk) blks; /* in layout order; the first is the entry */
	VEC(struct vreg)
	vregs;		    /* by register number; the first MAX_BPF_REG stand for themselves */
	uint32_t nslots;    /* spill slots used so far */
	uint32_t *preds;    /* predecessors of all blocks, see mir_link() */
	uint32_t *pred_beg; /* those of block b: preds[pred_beg[b]] ... preds[pred_beg[b + 1] -
			       1] */
};

/* The registers an instruction reads and writes. One that is both is in both lists. */
struct mregs {
	mreg read[MAX_BPF_REG], write[MAX_BPF_REG];
	unsigned nread, nwrite;
	bool early; /* writes before it has read everything */
};

void mir_init(struct mfn *m, struct arena *a);
mreg mir_vreg(struct mfn *m);
/* Fills preds from the successors; blocks do not change afterwards. */
void mir_link(struct mfn *m);
void mir_regs(const struct minsn *i, struct mregs *out);

/* A 64-bit copy between registers. */
static inline bool mir_is_copy(const struct minsn *i)
{
	return i->code == (BPF_ALU64 | BPF_MOV | BPF_X) && i->off == 0;
}

/* Gives its register the same value wherever it stands: may be repeated instead of spilled. */
static inline bool mir_is_constant(const struct minsn *i)
{
	return i->code == (BPF_ALU64 | BPF_MOV | BPF_K) ||
	       i->code == (BPF_ALU | BPF_MOV | BPF_K) || i->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static inline bool mir_is_virtual(mreg r)
{
	return r >= MAX_BPF_REG;
}

#endif
