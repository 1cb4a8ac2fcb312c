/*
 * softfloat.h - floating-point numbers in integer code: BPF has no instructions for them.
 *
 * A double is the word of its bits (IEEE 754 binary64).  Results are those of the processor:
 * rounded to nearest, ties to even; denormal numbers are kept; what is no number is the quiet
 * NaN 0x7ff8000000000000, whatever NaN went in.  The algorithms are the usual ones of software
 * floating point (Hauser's SoftFloat), written without branches: the kernel's verifier follows
 * each way of each branch.
 *
 * Instructions of BPF: an operation 200 to 260, a comparison 30.
 */
#ifndef SCRY_IR_SOFTFLOAT_H
#define SCRY_IR_SOFTFLOAT_H

#include "ir/ir.h"

ref float_add(struct irb *b, ref x, ref y);
ref float_sub(struct irb *b, ref x, ref y);
ref float_mul(struct irb *b, ref x, ref y);
ref float_div(struct irb *b, ref x, ref y);
ref float_neg(struct irb *b, ref x);

/* 0 or 1; op is OP_EQ, OP_NE or one of OP_SLT ... OP_SGE. With a NaN only NE is true. */
ref float_compare(struct irb *b, enum ir_op op, ref x, ref y);
ref float_is_nan(struct irb *b, ref x);

/* The double that is nearest to an integer. */
ref float_from_int(struct irb *b, ref v, bool is_signed);
/*
 * The integer part. Beyond the integers it is the nearest of them: INT64_MIN, INT64_MAX, 0,
 * UINT64_MAX; 0 of a NaN.
 */
ref float_to_int(struct irb *b, ref x, bool is_signed);
/* A float of 32 bits, in the low half of a word that is 0 above, as the same double. */
ref float_widen(struct irb *b, ref x);

/*
 * A word that grows with the number, never 0 nor ~0 but for NaNs: bits of positive numbers with
 * the sign set, all bits of negative ones inverted. And the way back.
 */
ref float_to_order(struct irb *b, ref x);
ref float_from_order(struct irb *b, ref v);

#endif
