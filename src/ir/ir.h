/*
 * ir.h - the intermediate representation: SSA over 64-bit words.
 *
 * A function is a graph of blocks; a block is a list of instructions that ends in one
 * terminator (jmp, br, ret, unreachable).  An instruction that has a result is named by its
 * index, a `ref`; ref 0 is no instruction.  All values are 64-bit words; narrower values are
 * kept extended as their type asks, by explicit sext/zext.  Pointers are words: the IR does not
 * know what they point to, except that `slot`, `ctx`, `map` and `mapval` say where they come
 * from.
 *
 * A program is one function, or several: helpers that take a callback are given the address of
 * another one by `func`, which counts them from the program itself, function 0.
 *
 * Memory that does not live in maps: `slot` is a zero-cost address of imm bytes that exist once
 * per run of the program, uninitialised, 8-byte aligned.  Where they lie (BPF stack, per-CPU
 * scratch) is decided by codegen/frame.c.
 *
 * The rows of op.def say everything else about an operation.  The text form, printed by
 * print.c and read by parse.c, is defined in docs/ir.md and looks like this:
 *
 *	fn "interval:s:1" {
 *	b0:
 *		v1 = ctx
 *		v2 = load64 v1, 16
 *		v3 = const 10
 *		v4 = ult v2, v3
 *		br v4, b1, b2
 *	b1:  ; preds b0
 *		...
 */
#ifndef SCRY_IR_IR_H
#define SCRY_IR_IR_H

#include "base/sb.h"
#include "base/source.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t ref;	/* an instruction, and the value it gives; 0 = none */
typedef uint32_t blkid; /* a block; the entry is 0 */

enum ir_op {
#define OP(name, text, nargs, flags, fold) OP_##name,
#include "ir/op.def"
#undef OP
	OP_COUNT
};

enum op_flag {
	OP_RESULT = 1 << 0, /* gives a value */
	OP_PURE = 1 << 1,   /* same operands, same value; may be removed, merged, moved */
	OP_EFFECT = 1 << 2, /* must stay, in order */
	OP_COMMUTES = 1 << 3,
	OP_TERM = 1 << 4,     /* ends a block */
	OP_READ = 1 << 5,     /* reads memory; may be removed unless OP_EFFECT */
	OP_WRITE = 1 << 6,    /* writes memory */
	OP_IMM = 1 << 7,      /* imm is part of the operation and is printed */
	OP_SIZE = 1 << 8,     /* comes in widths: size is 1, 2, 4 or 8 bytes, printed as bits */
	OP_ARGS = 1 << 9,     /* any number of operands, in args[] (call, phi) */
	OP_COMPARE = 1 << 10, /* gives 0 or 1 */
};

struct op_info {
	const char *text;
	uint8_t nargs;
	uint16_t flags;
};
extern const struct op_info op_infos[OP_COUNT];

struct ins {
	uint8_t op;	/* enum ir_op; OP_NONE once it is removed */
	uint8_t size;	/* bytes, for OP_SIZE */
	uint32_t nargs; /* operands, of either kind */
	union {
		struct {
			ref a, b, c; /* operands of fixed operations */
		};
		ref fixed[3];
	};
	ref *args; /* operands of OP_ARGS: call arguments; phi: one per predecessor, in order */
	int64_t imm;  /* const value, load/store offset, helper id, map index, slot size ... */
	blkid blk[2]; /* targets of jmp, br (taken when a != 0, else); br's are two blocks */
	blkid home;   /* the block it stands in */
	struct span span;
};

struct blk {
	VEC(ref) ins;	  /* in order; phis first, terminator last */
	VEC(blkid) preds; /* kept right by builder and passes; none twice, none for the entry */
	bool dead;	  /* removed; its id stays unused */
};

struct fn {
	struct arena *arena;
	const char *name;
	VEC(struct ins) ins; /* [0] is not used */
	VEC(struct blk) blks;
};

/* The builder: where the next instruction goes, and from which place of the script it comes. */
struct irb {
	struct fn *fn;
	blkid cur;
	struct span span;
};

struct fn *ir_fn_new(struct arena *a, const char *name); /* with an empty entry block 0 */
/* Valid until the next instruction is added. */
struct ins *ir_ins(const struct fn *fn, ref r);

/*
 * Blocks. Predecessors are recorded when a terminator is built.  What is built behind a
 * terminator goes to a new block that nobody jumps to.
 */
blkid ir_block(struct irb *b);
void ir_start(struct irb *b, blkid blk); /* continue building at the end of blk */
bool ir_ended(const struct irb *b);	 /* has the current block its terminator? */

/* Values. ir_bin etc. do not simplify: that is for the passes. */
ref ir_const(struct irb *b, int64_t v);
ref ir_ctx(struct irb *b);
enum { PARAMS_MAX = 5 }; /* in r1-r5 */
/* Argument n of a callback, from 0; a callback has no ctx. */
ref ir_param(struct irb *b, unsigned n);
ref ir_slot(struct irb *b, uint32_t size); /* address of new memory */
ref ir_func(struct irb *b, uint32_t func); /* a callback, for helpers that take one */
ref ir_map(struct irb *b, uint32_t map);   /* the map itself, for helpers */
/* Address inside the value of an array's element 0. */
ref ir_mapval(struct irb *b, uint32_t map, uint32_t off);
ref ir_bin(struct irb *b, enum ir_op op, ref x, ref y);
ref ir_un(struct irb *b, enum ir_op op, ref x);			 /* neg, not */
ref ir_ext(struct irb *b, bool is_signed, unsigned size, ref x); /* extend from size bytes */
ref ir_bswap(struct irb *b, unsigned size, ref x);
ref ir_load(struct irb *b, unsigned size, ref ptr, int32_t off); /* zero-extends */
void ir_store(struct irb *b, unsigned size, ref ptr, int32_t off, ref v);
/* *(u64 *)(ptr + off) += v, atomically; nothing is returned. */
void ir_atomic_add(struct irb *b, unsigned size, ref ptr, int32_t off, ref v);
/* Atomic exchange; returns the old value. */
ref ir_xchg(struct irb *b, unsigned size, ref ptr, int32_t off, ref v);
/* If *(ptr + off) == expect, it becomes v; returns the old value in any case. */
ref ir_cmpxchg(struct irb *b, unsigned size, ref ptr, int32_t off, ref expect, ref v);
/* Calls a BPF helper by its kernel number with n <= 5 arguments. */
ref ir_call(struct irb *b, int helper, unsigned n, ...);
/*
 * The same for what is no helper: CALL_FOREIGN + the number of a function of other code that is
 * linked to the program, or CALL_KERNEL + the BTF id of a function of the kernel.
 */
#define CALL_FOREIGN INT64_C(0x100000000)
#define CALL_KERNEL  INT64_C(0x200000000)
ref ir_call_other(struct irb *b, int64_t callee, unsigned n, const ref *args);
static inline bool is_helper_call(const struct ins *i)
{
	return i->op == OP_CALL && i->imm < CALL_FOREIGN;
}
ref ir_phi(struct irb *b, unsigned n, const ref *values); /* in the order of the preds */

/* Terminators. */
void ir_jmp(struct irb *b, blkid to);
void ir_br(struct irb *b, ref cond, blkid yes, blkid no); /* a jmp when yes == no */
void ir_ret(struct irb *b, ref v);

/*
 * Fixed-size memory, built from loads and stores of the widest units that fit the alignment of
 * the offsets; the pointers are taken to be aligned to 8.  Long ones (over 64 bytes for
 * ir_zero, 128 for ir_copy) are one call of bpf_probe_read_kernel.
 */
void ir_zero(struct irb *b, ref ptr, int32_t off, uint32_t len);
/* The widest access for len bytes at an offset whose low bits are those of align. */
unsigned ir_widest(uint32_t align, uint32_t len);
void ir_copy(struct irb *b, ref dst, int32_t dst_off, ref src, int32_t src_off, uint32_t len);

/* Text. ir_parse returns NULL with the message in *msg (arena memory) and its line in *line. */
void ir_print(const struct fn *fn, struct sb *out);
struct fn *ir_parse(struct arena *a, const char *text, const char **msg, int *line);

/*
 * Invariants: every operand is defined and dominates its use, blocks end in one terminator,
 * phis match predecessors, preds match terminators. Returns NULL, or what is wrong.
 */
const char *ir_check(const struct fn *fn, struct arena *a);

/* One row per pass, in the order they run; see opt.c. */
struct ir_pass {
	const char *name, *doc;
	bool (*run)(struct fn *fn); /* returns whether it changed something */
};
extern const struct ir_pass ir_passes[];
/*
 * Runs all passes, except those whose row's bit is in without, to a fixed point (bounded);
 * after is called after each, when not NULL.
 */
void ir_optimize_without(struct fn *fn, uint32_t without,
			 void (*after)(void *arg, const char *pass, const struct fn *fn),
			 void *arg);
/* All passes. */
void ir_optimize(struct fn *fn, void (*after)(void *arg, const char *pass, const struct fn *fn),
		 void *arg);

/* Evaluates a PURE operation on constants as the BPF machine does. */
bool ir_fold(enum ir_op op, unsigned size, int64_t a, int64_t b, int64_t *result);

void ir_replace(struct fn *fn, ref old, ref new_); /* all uses, in one walk */
/* The operands, n of them; writing to them changes the instruction. */
ref *ir_operands(struct ins *i, unsigned *n);
/* The blocks that may run next, as the terminator of blk says; returns how many. */
unsigned ir_succs(const struct fn *fn, blkid blk, blkid out[2]);

#endif
