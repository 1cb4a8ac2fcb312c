/*
 * range.h - what is known of a number: its bits and its bounds, signed and unsigned.
 *
 * Every function is sound: the result holds each value that the operation can give for values
 * its operands hold.  The bits are tristate numbers (Vishwanathan, Shachnai, Narayana,
 * Nagarakatte: "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers", 2022).
 */
#ifndef SCRY_VM_RANGE_H
#define SCRY_VM_RANGE_H

#include "bpf/insn.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits that are 1 in mask are unknown; the others are as in value, where unknown ones are 0. */
struct tnum {
	uint64_t value, mask;
};

struct range {
	struct tnum bits;
	uint64_t umin, umax;
	int64_t smin, smax;
};

struct range range_const(uint64_t v);
struct range range_unknown(void);
/* 0 ... max */
struct range range_up_to(uint64_t max);
bool range_is_const(const struct range *r);
/* No value is left: what led here cannot happen. */
bool range_is_empty(const struct range *r);
bool range_has(const struct range *r, uint64_t v);
/* Is each value of a in b? */
bool range_within(const struct range *a, const struct range *b);

/* The low 32 bits, zero-extended; the low `bits` bits, sign-extended. */
struct range range_low32(const struct range *a);
struct range range_sign_extend(const struct range *a, unsigned bits);
/* a op b for an operation of BPF_ALU64 (wide) or BPF_ALU. */
struct range range_alu(unsigned op, const struct range *a, const struct range *b, bool wide);

/* Does "a op b" hold (1), fail (0), or is it open (-1)? op is BPF_JEQ ... BPF_JSLE. */
int range_decide(unsigned op, const struct range *a, const struct range *b, bool wide);
/* Keeps of a and b what fits to "a op b" being `holds`. */
void range_assume(unsigned op, struct range *a, struct range *b, bool wide, bool holds);

#endif
