#include "vm/x86.h"

#include <string.h>

void x86_byte(struct x86_code *c, unsigned b)
{
	vec_push(NULL, c, (uint8_t)b);
}

void x86_imm32(struct x86_code *c, int32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		x86_byte(c, (uint32_t)v >> (8 * i) & 0xff);
}

void x86_patch(struct x86_code *c, size_t pos, size_t target)
{
	int32_t distance = (int32_t)((int64_t)target - (int64_t)pos - 4);

	memcpy(&c->data[pos], &distance, sizeof(distance));
}

/* The prefix: needed for 64 bits, for r8 ... r15, and for the low bytes of rsi, rdi and so on.
 */
static void rex(struct x86_code *c, bool wide, unsigned reg, unsigned rm, bool force)
{
	unsigned bits = (unsigned)wide << 3 | (reg >> 3) << 2 | rm >> 3;

	if (bits || force)
		x86_byte(c, 0x40 | bits);
}

static void modrm(struct x86_code *c, unsigned mod, unsigned reg, unsigned rm)
{
	x86_byte(c, mod << 6 | (reg & 7) << 3 | (rm & 7));
}

/* [base+disp]: rsp and r12 need a SIB byte, rbp and r13 always a displacement. */
static void mem(struct x86_code *c, unsigned reg, unsigned base, int32_t disp)
{
	bool is_short = disp == (int8_t)disp;
	unsigned mod = !disp && (base & 7) != RBP ? 0 : is_short ? 1 : 2;

	modrm(c, mod, reg, base);
	if ((base & 7) == RSP)
		x86_byte(c, 0x24);
	if (mod == 1)
		x86_byte(c, (uint8_t)disp);
	if (mod == 2)
		x86_imm32(c, disp);
}

void x86_rr(struct x86_code *c, bool wide, enum x86_op op, unsigned dst, unsigned src)
{
	rex(c, wide, src, dst, false);
	x86_byte(c, op);
	modrm(c, 3, src, dst);
}

/* The digit that "op r/m, imm" has for an opcode "op r/m, reg". */
static unsigned digit_of(enum x86_op op)
{
	return op >> 3;
}

static void group1_imm(struct x86_code *c, int32_t imm)
{
	if (imm == (int8_t)imm)
		x86_byte(c, (uint8_t)imm);
	else
		x86_imm32(c, imm);
}

void x86_ri(struct x86_code *c, bool wide, enum x86_op op, unsigned dst, int32_t imm)
{
	rex(c, wide, 0, dst, false);
	x86_byte(c, imm == (int8_t)imm ? 0x83 : 0x81);
	modrm(c, 3, digit_of(op), dst);
	group1_imm(c, imm);
}

void x86_mr(struct x86_code *c, unsigned size, enum x86_op op, unsigned base, int32_t disp,
	    unsigned reg)
{
	if (size == 2)
		x86_byte(c, 0x66);
	rex(c, size == 8, reg, base, size == 1);
	x86_byte(c, size == 1 ? op & ~1u : op);
	mem(c, reg, base, disp);
}

void x86_rm(struct x86_code *c, enum x86_op op, unsigned reg, unsigned base, int32_t disp)
{
	rex(c, true, reg, base, false);
	x86_byte(c, op | 2);
	mem(c, reg, base, disp);
}

void x86_mi(struct x86_code *c, bool wide, enum x86_op op, unsigned base, int32_t disp,
	    int32_t imm)
{
	rex(c, wide, 0, base, false);
	x86_byte(c, imm == (int8_t)imm ? 0x83 : 0x81);
	mem(c, digit_of(op), base, disp);
	group1_imm(c, imm);
}

void x86_store_imm(struct x86_code *c, unsigned size, unsigned base, int32_t disp, int32_t imm)
{
	if (size == 2)
		x86_byte(c, 0x66);
	rex(c, size == 8, 0, base, false);
	x86_byte(c, size == 1 ? 0xc6 : 0xc7);
	mem(c, 0, base, disp);
	for (unsigned i = 0; i < (size < 4 ? size : 4); i++)
		x86_byte(c, (uint32_t)imm >> (8 * i) & 0xff);
}

/* The opcode that loads or moves with extension; 64-bit loads need none. */
static void extend_op(struct x86_code *c, unsigned size, bool sign)
{
	if (size == 8 || (size == 4 && !sign)) {
		x86_byte(c, 0x8b);
	} else if (size == 4) {
		x86_byte(c, 0x63);
	} else {
		x86_byte(c, 0x0f);
		x86_byte(c, (sign ? 0xbe : 0xb6) | (size == 2));
	}
}

void x86_load(struct x86_code *c, unsigned size, bool sign, unsigned dst, unsigned base,
	      int32_t disp)
{
	rex(c, size == 8 || sign, dst, base, false);
	extend_op(c, size, sign);
	mem(c, dst, base, disp);
}

/* The prefix and the operand of [base+index+disp], the opcode of 1 or 2 bytes between them. */
static void rex_at(struct x86_code *c, bool wide, unsigned reg, struct x86_mem at)
{
	unsigned index = at.index == X86_NO_INDEX ? 0 : at.index;
	unsigned bits =
		(unsigned)wide << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | at.base >> 3;

	if (bits)
		x86_byte(c, 0x40 | bits);
}

static void mem_at(struct x86_code *c, unsigned reg, struct x86_mem at)
{
	bool is_short = at.disp == (int8_t)at.disp;

	if (at.index == X86_NO_INDEX) {
		mem(c, reg, at.base, at.disp);
		return;
	}
	modrm(c, is_short ? 1 : 2, reg, RSP);
	x86_byte(c, (at.index & 7) << 3 | (at.base & 7));
	if (is_short)
		x86_byte(c, (uint8_t)at.disp);
	else
		x86_imm32(c, at.disp);
}

void x86_load_at(struct x86_code *c, unsigned size, unsigned dst, struct x86_mem at)
{
	rex_at(c, size == 8, dst, at);
	extend_op(c, size, false);
	mem_at(c, dst, at);
}

void x86_at_imm(struct x86_code *c, unsigned size, enum x86_op op, struct x86_mem at,
		int32_t imm)
{
	bool tests = op == X86_TEST;

	if (size == 2)
		x86_byte(c, 0x66);
	rex_at(c, false, 0, at);
	x86_byte(c, (tests ? 0xf6 : 0x80) | (size > 1));
	mem_at(c, tests ? 0 : digit_of(op), at);
	for (unsigned i = 0; i < size; i++)
		x86_byte(c, (uint32_t)imm >> (8 * i) & 0xff);
}

void x86_cmov(struct x86_code *c, enum x86_cond cc, unsigned dst, unsigned src)
{
	rex(c, false, dst, src, false);
	x86_byte(c, 0x0f);
	x86_byte(c, 0x40 | cc);
	modrm(c, 3, dst, src);
}

void x86_extend(struct x86_code *c, bool wide, unsigned size, bool sign, unsigned dst,
		unsigned src)
{
	rex(c, wide, dst, src, size == 1);
	extend_op(c, size, sign);
	modrm(c, 3, dst, src);
}

void x86_lea(struct x86_code *c, unsigned dst, unsigned base, int32_t disp)
{
	rex(c, true, dst, base, false);
	x86_byte(c, 0x8d);
	mem(c, dst, base, disp);
}

void x86_mov_imm(struct x86_code *c, unsigned dst, uint64_t v)
{
	if (!v) {
		x86_rr(c, false, X86_XOR, dst, dst);
	} else if (v <= UINT32_MAX) {
		rex(c, false, 0, dst, false);
		x86_byte(c, 0xb8 | (dst & 7));
		x86_imm32(c, (int32_t)v);
	} else if ((int64_t)v == (int32_t)v) {
		rex(c, true, 0, dst, false);
		x86_byte(c, 0xc7);
		modrm(c, 3, 0, dst);
		x86_imm32(c, (int32_t)v);
	} else {
		rex(c, true, 0, dst, false);
		x86_byte(c, 0xb8 | (dst & 7));
		x86_imm32(c, (int32_t)v);
		x86_imm32(c, (int32_t)(v >> 32));
	}
}

void x86_mul(struct x86_code *c, bool wide, unsigned dst, unsigned src)
{
	rex(c, wide, dst, src, false);
	x86_byte(c, 0x0f);
	x86_byte(c, 0xaf);
	modrm(c, 3, dst, src);
}

void x86_mul_imm(struct x86_code *c, bool wide, unsigned dst, int32_t imm)
{
	rex(c, wide, dst, dst, false);
	x86_byte(c, 0x69);
	modrm(c, 3, dst, dst);
	x86_imm32(c, imm);
}

void x86_shift(struct x86_code *c, bool wide, unsigned digit, unsigned dst, uint8_t count)
{
	rex(c, wide, 0, dst, false);
	x86_byte(c, 0xc1);
	modrm(c, 3, digit, dst);
	x86_byte(c, count);
}

void x86_shift_cl(struct x86_code *c, bool wide, unsigned digit, unsigned dst)
{
	rex(c, wide, 0, dst, false);
	x86_byte(c, 0xd3);
	modrm(c, 3, digit, dst);
}

void x86_unary(struct x86_code *c, bool wide, unsigned digit, unsigned reg)
{
	rex(c, wide, 0, reg, false);
	x86_byte(c, 0xf7);
	modrm(c, 3, digit, reg);
}

void x86_test_imm(struct x86_code *c, bool wide, unsigned reg, int32_t imm)
{
	rex(c, wide, 0, reg, false);
	x86_byte(c, 0xf7);
	modrm(c, 3, 0, reg);
	x86_imm32(c, imm);
}

void x86_bswap(struct x86_code *c, bool wide, unsigned reg)
{
	rex(c, wide, 0, reg, false);
	x86_byte(c, 0x0f);
	x86_byte(c, 0xc8 | (reg & 7));
}

void x86_swap16(struct x86_code *c, unsigned reg)
{
	x86_byte(c, 0x66);
	rex(c, false, 0, reg, false);
	x86_byte(c, 0xc1);
	modrm(c, 3, 1, reg);
	x86_byte(c, 8);
}

void x86_cqo(struct x86_code *c, bool wide)
{
	rex(c, wide, 0, 0, false);
	x86_byte(c, 0x99);
}

void x86_lock(struct x86_code *c, bool wide, enum x86_op op, unsigned base, unsigned reg)
{
	x86_byte(c, 0xf0);
	x86_mr(c, wide ? 8 : 4, op, base, 0, reg);
}

void x86_lock_0f(struct x86_code *c, bool wide, unsigned op, unsigned base, unsigned reg)
{
	x86_byte(c, 0xf0);
	rex(c, wide, reg, base, false);
	x86_byte(c, 0x0f);
	x86_byte(c, op);
	mem(c, reg, base, 0);
}

void x86_push(struct x86_code *c, unsigned reg)
{
	rex(c, false, 0, reg, false);
	x86_byte(c, 0x50 | (reg & 7));
}

void x86_pop(struct x86_code *c, unsigned reg)
{
	rex(c, false, 0, reg, false);
	x86_byte(c, 0x58 | (reg & 7));
}

void x86_ret(struct x86_code *c)
{
	x86_byte(c, 0xc3);
}

void x86_call_reg(struct x86_code *c, unsigned reg)
{
	rex(c, false, 0, reg, false);
	x86_byte(c, 0xff);
	modrm(c, 3, 2, reg);
}

void x86_jmp_reg(struct x86_code *c, unsigned reg)
{
	rex(c, false, 0, reg, false);
	x86_byte(c, 0xff);
	modrm(c, 3, 4, reg);
}

static size_t distance(struct x86_code *c)
{
	x86_imm32(c, 0);
	return c->len - 4;
}

size_t x86_jcc(struct x86_code *c, enum x86_cond cc)
{
	x86_byte(c, 0x0f);
	x86_byte(c, 0x80 | cc);
	return distance(c);
}

void x86_jcc_back(struct x86_code *c, enum x86_cond cc, size_t target)
{
	int64_t distance = (int64_t)target - (int64_t)c->len - 2;

	if (distance < INT8_MIN) {
		x86_patch(c, x86_jcc(c, cc), target);
		return;
	}
	x86_byte(c, 0x70 | cc);
	x86_byte(c, (uint8_t)distance);
}

void x86_align(struct x86_code *c, unsigned to)
{
	static const uint8_t NOPS[][8] = {
		{ 0x90 },
		{ 0x66, 0x90 },
		{ 0x0f, 0x1f, 0x00 },
		{ 0x0f, 0x1f, 0x40, 0x00 },
		{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	};

	for (size_t left = -c->len % to, n; left; left -= n) {
		n = left < 8 ? left : 8;
		for (size_t i = 0; i < n; i++)
			x86_byte(c, NOPS[n - 1][i]);
	}
}

size_t x86_jmp(struct x86_code *c)
{
	x86_byte(c, 0xe9);
	return distance(c);
}

size_t x86_call(struct x86_code *c)
{
	x86_byte(c, 0xe8);
	return distance(c);
}

void x86_load_xmm0(struct x86_code *c, unsigned base, int32_t disp)
{
	x86_byte(c, 0xf3);
	rex(c, false, 0, base, false);
	x86_byte(c, 0x0f);
	x86_byte(c, 0x6f);
	mem(c, 0, base, disp);
}

void x86_pmovmskb(struct x86_code *c, unsigned dst)
{
	x86_byte(c, 0x66);
	rex(c, false, dst, 0, false);
	x86_byte(c, 0x0f);
	x86_byte(c, 0xd7);
	modrm(c, 3, dst, 0);
}

/* op xmm0, [rip+distance] */
static size_t xmm0_with(struct x86_code *c, unsigned op)
{
	x86_byte(c, 0x66);
	x86_byte(c, 0x0f);
	x86_byte(c, op);
	modrm(c, 0, 0, RBP);
	return distance(c);
}

size_t x86_pand_xmm0(struct x86_code *c)
{
	return xmm0_with(c, 0xdb);
}

size_t x86_pcmpeqb_xmm0(struct x86_code *c)
{
	return xmm0_with(c, 0x74);
}
