/* Operands of static probes on x86_64, in AT&T syntax. */
#include "probe/arch.h"
#include "probe/usdt_reader.h"

#include <ctype.h>
#include <string.h>

/* A register of the machine: where it lies in the context, in its own width. */
struct reg {
	uint32_t off;
	unsigned size;
};

enum { WIDTHS = 5 };

static bool find_reg(const char *name, struct reg *out)
{
	/* In the kernel's struct pt_regs; and in assembler, by width: 8, 4, 2, 1 and the byte
	 * above that. */
	static const struct {
		const char *kernel;
		const char *names[WIDTHS];
	} rows[] = {
		{ "ax", { "rax", "eax", "ax", "al", "ah" } },
		{ "bx", { "rbx", "ebx", "bx", "bl", "bh" } },
		{ "cx", { "rcx", "ecx", "cx", "cl", "ch" } },
		{ "dx", { "rdx", "edx", "dx", "dl", "dh" } },
		{ "si", { "rsi", "esi", "si", "sil" } },
		{ "di", { "rdi", "edi", "di", "dil" } },
		{ "bp", { "rbp", "ebp", "bp", "bpl" } },
		{ "sp", { "rsp", "esp", "sp", "spl" } },
		{ "r8", { "r8", "r8d", "r8w", "r8b" } },
		{ "r9", { "r9", "r9d", "r9w", "r9b" } },
		{ "r10", { "r10", "r10d", "r10w", "r10b" } },
		{ "r11", { "r11", "r11d", "r11w", "r11b" } },
		{ "r12", { "r12", "r12d", "r12w", "r12b" } },
		{ "r13", { "r13", "r13d", "r13w", "r13b" } },
		{ "r14", { "r14", "r14d", "r14w", "r14b" } },
		{ "r15", { "r15", "r15d", "r15w", "r15b" } },
		{ "ip", { "rip" } },
	};
	static const unsigned sizes[WIDTHS] = { 8, 4, 2, 1, 1 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct arch_reg *reg = arch_find_reg(&arch_x86_64, rows[i].kernel);

		for (int w = 0; w < WIDTHS && reg; w++) {
			if (!rows[i].names[w] || strcmp(rows[i].names[w], name) != 0)
				continue;
			out->size = sizes[w];
			out->off = reg->off + (w == WIDTHS - 1);
			return true;
		}
	}
	return false;
}

/* "%NAME"; what it is not is in *why. */
static bool take_reg(struct usdt_reader *r, struct reg *out, const char **why)
{
	char name[8];

	if (!usdt_take(r, '%'))
		return false;
	usdt_take_word(r, name, sizeof(name));
	if (find_reg(name, out))
		return true;
	if (*name && (name[1] == 'm' || !strcmp(name, "st")))
		*why = "lies in a floating-point or vector register, which is not read";
	else if (usdt_at(r, ':'))
		*why = "lies in thread-local memory, which is not read";
	return false;
}

static bool take_scale(struct usdt_reader *r, uint8_t *scale)
{
	int64_t n = 1;

	if (usdt_take(r, ',') && !usdt_take_number(r, &n))
		return false;
	*scale = (uint8_t)n;
	return n == 1 || n == 2 || n == 4 || n == 8;
}

/* "(%base,%index,scale)", all parts optional. */
static bool take_registers(struct usdt_reader *r, struct argloc *out, bool *is_ip)
{
	struct reg base, index, ip = { UINT32_MAX, 0 };

	*is_ip = false;
	if (!usdt_take(r, '('))
		return true;
	find_reg("rip", &ip);
	if (usdt_at(r, '%')) {
		if (!take_reg(r, &base, &out->why) || base.size != 8)
			return false;
		*is_ip = base.off == ip.off;
		out->off = base.off;
	}
	if (usdt_take(r, ',')) {
		if (!take_reg(r, &index, &out->why) || index.size != 8 ||
		    !take_scale(r, &out->scale))
			return false;
		out->off2 = index.off;
	}
	return usdt_take(r, ')');
}

/*
 * A symbol's address in the process: as far from the probe, whose address the instruction
 * pointer tells, as in the file.
 */
static bool make_relative(const struct usdt_reader *r, struct argloc *out)
{
	struct reg ip;

	if (!find_reg("rip", &ip))
		return false;
	out->off = ip.off;
	out->imm -= (int64_t)r->symbols->pc;
	return true;
}

static bool take_memory(struct usdt_reader *r, struct argloc *out)
{
	struct usdt_sum sum;
	bool is_ip;

	out->kind = LOC_USER;
	out->off = LOC_NO_REG;
	if (r->at == r->end || !usdt_take_sum(r, "(", &sum) || !take_registers(r, out, &is_ip))
		return false;
	out->imm = sum.value;
	if (!sum.has_symbol)
		return !is_ip;
	/* A symbol beside a base register would need a second one for the distance. */
	if (out->off != LOC_NO_REG && !is_ip)
		return false;
	return make_relative(r, out);
}

static bool take_operand(struct usdt_reader *r, struct argloc *out)
{
	struct reg reg;

	if (usdt_at(r, '%')) {
		if (!take_reg(r, &reg, &out->why))
			return false;
		out->kind = LOC_CTX;
		out->off = reg.off;
		if (!out->size)
			out->size = (uint8_t)reg.size;
		return out->size == 1 || reg.off % 8 == 0;
	}
	if (usdt_take(r, '$')) {
		struct usdt_sum sum;

		out->kind = LOC_CONST;
		if (r->at == r->end || !usdt_take_sum(r, "(", &sum) || sum.has_symbol)
			return false;
		out->imm = sum.value;
		return true;
	}
	return take_memory(r, out);
}

/* A name where a number, '%' or '$' would be. */
static bool has_symbols(const char *text)
{
	for (const char *p = text; *p; p++) {
		bool starts = p == text || p[-1] == '@' || p[-1] == '+' || p[-1] == ' ';

		if (starts && (isalpha((unsigned char)*p) || *p == '_' || *p == '.'))
			return true;
	}
	return false;
}

const struct usdt_syntax usdt_x86_64 = { take_operand, has_symbols };
