/*
 * The interpreter of classic BPF: one piece of code per instruction, each of which jumps to the
 * next one's.
 */
#include "bpf/classic.h"

#include <endian.h>
#include <string.h>

static bool load(const uint8_t *packet, uint32_t caplen, uint32_t at, unsigned size,
		 uint32_t *a)
{
	uint32_t word;

	if (at > caplen || caplen - at < size)
		return false;
	packet += at;
	if (size == 4)
		memcpy(&word, packet, sizeof(word));
	*a = size == 1	 ? packet[0]
	     : size == 2 ? (uint32_t)packet[0] << 8 | packet[1]
			 : be32toh(word);
	return true;
}

/* With a constant and with x: an instruction of arithmetic, and a jump. */
#define ALUS(X)                     \
	X(ADD, a + b)               \
	X(SUB, a - b)               \
	X(MUL, a *b)                \
	X(AND, a &b)                \
	X(OR, a | b)                \
	X(XOR, a ^ b)               \
	X(LSH, b < 32 ? a << b : 0) \
	X(RSH, b < 32 ? a >> b : 0)
#define DIVISIONS(X)  \
	X(DIV, a / b) \
	X(MOD, a % b)
#define JUMPS(X)       \
	X(JEQ, a == b) \
	X(JGT, a > b)  \
	X(JGE, a >= b) \
	X(JSET, (a & b) != 0)
#define LOADS(X) \
	X(B, 1)  \
	X(H, 2)  \
	X(W, 4)

#define NEXT()                     \
	do {                       \
		p++;               \
		goto *AT[p->code]; \
	} while (0)

uint32_t classic_run(const struct sock_filter *p, const uint8_t *packet, uint32_t caplen,
		     uint32_t len)
{
	/* By code, which is a byte: classic_check() lets no other through. */
	static const void *const AT[256] = {
#define ALU(op, ...)  [BPF_ALU | BPF_##op] = &&op##_K, [BPF_ALU | BPF_##op | BPF_X] = &&op##_X,
#define JUMP(op, ...) [BPF_JMP | BPF_##op] = &&op##_K, [BPF_JMP | BPF_##op | BPF_X] = &&op##_X,
#define LOAD(s, ...) \
	[BPF_LD | BPF_ABS | BPF_##s] = &&abs_##s, [BPF_LD | BPF_IND | BPF_##s] = &&ind_##s,
		ALUS(ALU) DIVISIONS(ALU) JUMPS(JUMP) LOADS(LOAD)
#undef ALU
#undef JUMP
#undef LOAD
			[BPF_ALU | BPF_NEG] = &&neg,
		[BPF_JMP | BPF_JA] = &&ja,
		[BPF_LD | BPF_IMM] = &&ld_imm,
		[BPF_LD | BPF_LEN | BPF_W] = &&ld_len,
		[BPF_LD | BPF_MEM] = &&ld_mem,
		[BPF_LDX | BPF_IMM] = &&ldx_imm,
		[BPF_LDX | BPF_LEN | BPF_W] = &&ldx_len,
		[BPF_LDX | BPF_MEM] = &&ldx_mem,
		[BPF_LDX | BPF_MSH | BPF_B] = &&ldx_msh,
		[BPF_ST] = &&st,
		[BPF_STX] = &&stx,
		[BPF_MISC | BPF_TAX] = &&tax,
		[BPF_MISC | BPF_TXA] = &&txa,
		[BPF_RET | BPF_K] = &&ret_k,
		[BPF_RET | BPF_A] = &&ret_a,
	};
	uint32_t a = 0, x = 0, m[BPF_MEMWORDS] = { 0 };

	goto *AT[p->code];

#define ALU_ON(label, operand, expr)    \
	label : {                       \
		uint32_t b = (operand); \
		a = (expr);             \
		NEXT();                 \
	}
#define DIVIDE_ON(label, operand, expr) \
	label : {                       \
		uint32_t b = (operand); \
		if (!b)                 \
			return 0;       \
		a = (expr);             \
		NEXT();                 \
	}
#define JUMP_ON(label, operand, expr)        \
	label : {                            \
		uint32_t b = (operand);      \
		p += (expr) ? p->jt : p->jf; \
		NEXT();                      \
	}
#define ALU(op, expr)	 ALU_ON(op##_K, p->k, expr) ALU_ON(op##_X, x, expr)
#define DIVIDE(op, expr) DIVIDE_ON(op##_K, p->k, expr) DIVIDE_ON(op##_X, x, expr)
#define JUMP(op, expr)	 JUMP_ON(op##_K, p->k, expr) JUMP_ON(op##_X, x, expr)
#define LOAD_ON(label, at, size, to)             \
	label:                                   \
	if (!load(packet, caplen, at, size, to)) \
		return 0;
#define LOAD(s, size)                            \
	LOAD_ON(abs_##s, p->k, size, &a) NEXT(); \
	LOAD_ON(ind_##s, x + p->k, size, &a) NEXT();
	ALUS(ALU)
	DIVISIONS(DIVIDE)
	JUMPS(JUMP)
	LOADS(LOAD)

	LOAD_ON(ldx_msh, p->k, 1, &x)
	x = 4 * (x & 0xf);
	NEXT();

#define STEP(label, statement) \
	label:                 \
	statement;             \
	NEXT();
	STEP(neg, a = -a)
	STEP(ja, p += p->k)
	STEP(ld_imm, a = p->k)
	STEP(ld_len, a = len)
	STEP(ld_mem, a = m[p->k])
	STEP(ldx_imm, x = p->k)
	STEP(ldx_len, x = len)
	STEP(ldx_mem, x = m[p->k])
	STEP(st, m[p->k] = a)
	STEP(stx, m[p->k] = x)
	STEP(tax, x = a)
	STEP(txa, a = x)

ret_k:
	return p->k;
ret_a:
	return a;
}
