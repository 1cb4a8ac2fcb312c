/*
 * x86.h - an encoder of x86-64 instructions, as much of it as the JIT needs.
 *
 * Registers are hardware numbers.  `wide` means 64-bit operands; 32-bit ones clear the upper
 * half of their destination, as the BPF machine's do.  Source: Intel SDM volume 2.
 */
#ifndef SCRY_VM_X86_H
#define SCRY_VM_X86_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum x86_reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* Conditions of jcc. */
enum x86_cond {
	CC_B = 0x2,
	CC_AE = 0x3,
	CC_E = 0x4,
	CC_NE = 0x5,
	CC_BE = 0x6,
	CC_A = 0x7,
	CC_S = 0x8,
	CC_NS = 0x9,
	CC_L = 0xc,
	CC_GE = 0xd,
	CC_LE = 0xe,
	CC_G = 0xf,
};

/* Opcodes "op r/m, reg", and the digit of "op r/m, imm" for the same. */
enum x86_op {
	X86_ADD = 0x01,
	X86_OR = 0x09,
	X86_AND = 0x21,
	X86_SUB = 0x29,
	X86_XOR = 0x31,
	X86_CMP = 0x39,
	X86_TEST = 0x85,
	X86_XCHG = 0x87,
	X86_MOV = 0x89,
};

/* Digits of the group opcodes. */
enum { X86_SHL = 4, X86_SHR = 5, X86_SAR = 7, X86_NEG = 3, X86_DIV = 6, X86_IDIV = 7 };

VEC_TYPE(x86_code, uint8_t);

void x86_byte(struct x86_code *c, unsigned b);
void x86_imm32(struct x86_code *c, int32_t v);
/* Overwrites the 32-bit distance at pos so that it leads to target. */
void x86_patch(struct x86_code *c, size_t pos, size_t target);

/* op dst, src */
void x86_rr(struct x86_code *c, bool wide, enum x86_op op, unsigned dst, unsigned src);
/* op dst, imm (ADD ... CMP) */
void x86_ri(struct x86_code *c, bool wide, enum x86_op op, unsigned dst, int32_t imm);
/* The same on memory: op [base+disp], reg; size is 1, 2, 4 or 8 bytes. */
void x86_mr(struct x86_code *c, unsigned size, enum x86_op op, unsigned base, int32_t disp,
	    unsigned reg);
/* reg = reg op [base+disp], 64 bit, for ADD ... CMP. */
void x86_rm(struct x86_code *c, enum x86_op op, unsigned reg, unsigned base, int32_t disp);
/* op qword [base+disp], imm and op dword [base+disp], imm */
void x86_mi(struct x86_code *c, bool wide, enum x86_op op, unsigned base, int32_t disp,
	    int32_t imm);
void x86_store_imm(struct x86_code *c, unsigned size, unsigned base, int32_t disp, int32_t imm);
void x86_load(struct x86_code *c, unsigned size, bool sign, unsigned dst, unsigned base,
	      int32_t disp);
/* [base+index+disp]; index is not rsp */
struct x86_mem {
	unsigned base, index; /* X86_NO_INDEX: none */
	int32_t disp;
};
enum { X86_NO_INDEX = RSP };
/* dst = [at], not extended by sign */
void x86_load_at(struct x86_code *c, unsigned size, unsigned dst, struct x86_mem at);
/* cmp [at], imm and test [at], imm; size is 1, 2 or 4 bytes. */
void x86_at_imm(struct x86_code *c, unsigned size, enum x86_op op, struct x86_mem at,
		int32_t imm);
/* xmm0 = 16 bytes at [base+disp]; one bit per byte of xmm0, its highest, in dst */
void x86_load_xmm0(struct x86_code *c, unsigned base, int32_t disp);
void x86_pmovmskb(struct x86_code *c, unsigned dst);
/* xmm0 &= 16 bytes, xmm0 = per byte -1 where equal, else 0; returns where the distance to them,
 * at a multiple of 16, is to be patched. */
size_t x86_pand_xmm0(struct x86_code *c);
size_t x86_pcmpeqb_xmm0(struct x86_code *c);
/* if (cc) dst = src, 32 bit */
void x86_cmov(struct x86_code *c, enum x86_cond cc, unsigned dst, unsigned src);
/* dst = src, from its low 1, 2 or 4 bytes; sign extends to 32 or (wide) 64 bits. */
void x86_extend(struct x86_code *c, bool wide, unsigned size, bool sign, unsigned dst,
		unsigned src);
void x86_lea(struct x86_code *c, unsigned dst, unsigned base, int32_t disp);
void x86_mov_imm(struct x86_code *c, unsigned dst, uint64_t v);
void x86_mul(struct x86_code *c, bool wide, unsigned dst, unsigned src);
void x86_mul_imm(struct x86_code *c, bool wide, unsigned dst, int32_t imm);
void x86_shift(struct x86_code *c, bool wide, unsigned digit, unsigned dst, uint8_t count);
void x86_shift_cl(struct x86_code *c, bool wide, unsigned digit, unsigned dst);
/* neg, div, idiv by digit */
void x86_unary(struct x86_code *c, bool wide, unsigned digit, unsigned reg);
void x86_test_imm(struct x86_code *c, bool wide, unsigned reg, int32_t imm);
void x86_bswap(struct x86_code *c, bool wide, unsigned reg);
void x86_swap16(struct x86_code *c, unsigned reg);
/* Sign of rax into rdx. */
void x86_cqo(struct x86_code *c, bool wide);
/* lock op [base], reg; and with two-byte opcodes: 0xc1 xadd, 0xb1 cmpxchg. */
void x86_lock(struct x86_code *c, bool wide, enum x86_op op, unsigned base, unsigned reg);
void x86_lock_0f(struct x86_code *c, bool wide, unsigned op, unsigned base, unsigned reg);
void x86_push(struct x86_code *c, unsigned reg);
void x86_pop(struct x86_code *c, unsigned reg);
void x86_ret(struct x86_code *c);
void x86_call_reg(struct x86_code *c, unsigned reg);
void x86_jmp_reg(struct x86_code *c, unsigned reg);
/* Jumps and calls with a distance to be patched; they return its position. */
size_t x86_jcc(struct x86_code *c, enum x86_cond cc);
size_t x86_jmp(struct x86_code *c);
/* To code that is there already, in 2 bytes where it is near. */
void x86_jcc_back(struct x86_code *c, enum x86_cond cc, size_t target);
/* Instructions that do nothing, up to a multiple of a power of two. */
void x86_align(struct x86_code *c, unsigned to);
size_t x86_call(struct x86_code *c);

#endif
