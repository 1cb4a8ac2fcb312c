/*
 * operand.h - how an instruction gets at the values it uses; the lower half of isel.c.
 *
 * Values that are known before the program runs (constants, addresses of slots and of maps)
 * have no register of their own: they are made again wherever they are needed, which is cheaper
 * than to keep them across calls.  Within a block they are remembered until the next call.
 */
#ifndef SCRY_CODEGEN_OPERAND_H
#define SCRY_CODEGEN_OPERAND_H

#include "codegen/isel.h"

enum value_kind {
	VALUE_REG, /* what instruction id computes, plus off */
	VALUE_CONST,
	VALUE_STACK,   /* address off of the stack, negative */
	VALUE_SCRATCH, /* address off in the scratch value */
	VALUE_MAP,     /* map id */
	VALUE_FUNC,    /* function id */
	VALUE_MAPVAL,  /* address off in the value of map id */
};

struct value {
	enum value_kind kind;
	uint32_t id;
	int64_t off;
};

enum { REMEMBERED = 8 };

struct isel {
	struct mfn *m;
	const struct fn *fn;
	const struct order *o;
	const struct frame *f;
	const struct codegen_target *target;
	struct err *e;
	int status;	      /* 0, or what e says */
	struct span span;     /* of the IR instruction being selected */
	struct value *values; /* by ref */
	mreg *vreg;	      /* by ref: where it is computed, 0 = not asked for yet */
	uint32_t *uses;	      /* by ref: how many want it in a register */
	VEC(ref) asked;	      /* ... of which the operands were not yet asked for */
	blkid cur;	      /* the block being selected */
	uint32_t *edge;	      /* by blkid: which predecessor it is of its successor with phis */
	uint32_t *phi_index;  /* by ref: which phi of its block it is */
	uint32_t *phi_readers;	/* for phi_copy(): room for every phi of a block */
	mreg param[PARAMS_MAX]; /* r1-r5 as they were at entry; 0 when not needed */
	mreg scratch;		/* 0 when not needed */
	uint32_t nprologue;	/* machine blocks before those of the body */
	/* The last values made in this block since the last call. */
	struct remembered {
		struct value value;
		mreg reg;
	} remembered[REMEMBERED];
	unsigned nremembered;
};

/* Fills values. */
void operand_find_values(struct isel *s);

/* Is r a value known before the program runs? */
static inline bool operand_is_made(const struct isel *s, ref r)
{
	return s->values[r].kind != VALUE_REG;
}

static inline bool fits_s16(int64_t v)
{
	return v == (int16_t)v;
}

static inline bool fits_s32(int64_t v)
{
	return v == (int32_t)v;
}

/* Is r a constant that the instruction's immediate can hold, sign-extended? Then imm is set. */
bool operand_is_imm(const struct isel *s, ref r, int32_t *imm);

/* The parameter that an instruction stands for, or -1; the context is the first one. */
static inline int operand_param(const struct ins *i)
{
	return i->op == OP_CTX ? 0 : i->op == OP_PARAM ? (int)i->imm : -1;
}

/* The register that r itself is computed in. */
mreg operand_home(struct isel *s, ref r);
/* A register that holds r; must not be written. */
mreg operand_reg(struct isel *s, ref r);
/* Puts the value v, or r, into the register dst. */
void operand_make(struct isel *s, mreg dst, struct value v);
void operand_into(struct isel *s, mreg dst, ref r);

/* The memory at r + off as base register and offset. */
struct mem {
	mreg base;
	int16_t off;
};
struct mem operand_mem(struct isel *s, ref r, int64_t off);

/* Values made before are not at hand any more: at a call, at the start of a block. */
void operand_forget(struct isel *s);

/* phi.c: numbers phis and edges; then the copies on the edge from -> to. */
void phi_prepare(struct isel *s);
void phi_copy(struct isel *s, blkid from, blkid to);

/* Appends an instruction. */
void put(struct isel *s, struct minsn i);
void put_alu_imm(struct isel *s, unsigned op, mreg dst, int32_t imm);
void put_alu_reg(struct isel *s, unsigned op, mreg dst, mreg src);
void put_const(struct isel *s, mreg dst, int64_t v);

#endif
