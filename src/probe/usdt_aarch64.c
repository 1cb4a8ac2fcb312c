/* Operands of static probes on aarch64, as GCC and clang print them. */
#include "probe/arch.h"
#include "probe/usdt_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A register of the machine: where it lies in the context, in its own width. */
struct reg {
	uint32_t off; /* LOC_NO_REG: the one that is always 0 */
	unsigned size;
};

/* x0 ... x30, w0 ... w30, sp, wsp, xzr, wzr, and the names of the calling convention. */
static bool find_reg(const char *name, struct reg *out)
{
	static const char *const others[][2] = { { "sp", "sp" },   { "wsp", "sp" },
						 { "fp", "r29" },  { "lr", "r30" },
						 { "ip0", "r16" }, { "ip1", "r17" } };
	const struct arch_reg *row;
	char kernel[8];

	out->size = *name == 'w' ? 4 : 8;
	if (!strcmp(name, "xzr") || !strcmp(name, "wzr")) {
		out->off = LOC_NO_REG;
		return true;
	}
	if (*name != 'x' && *name != 'w' && *name != 'r')
		snprintf(kernel, sizeof(kernel), "%s", name);
	else
		snprintf(kernel, sizeof(kernel), "r%s", name + 1);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(name, others[i][0]))
			snprintf(kernel, sizeof(kernel), "%s", others[i][1]);
	row = arch_find_reg(&arch_aarch64, kernel);
	/* Of those with names only these can be operands. */
	if (!row || (kernel[0] != 'r' && strcmp(kernel, "sp") != 0))
		return false;
	out->off = row->off;
	return true;
}

static bool take_reg(struct usdt_reader *r, struct reg *out, const char **why)
{
	char name[8];

	usdt_take_word(r, name, sizeof(name));
	if (find_reg(name, out))
		return true;
	if (*name && strchr("bhsdqv", *name))
		*why = "lies in a floating-point or vector register, which is not read";
	return false;
}

static void skip_blanks(struct usdt_reader *r)
{
	while (usdt_take(r, ' '))
		;
}

/* The address' low twelve bits, which are the same wherever the file is loaded. */
static bool take_low12(struct usdt_reader *r, int64_t *out)
{
	struct usdt_sum sum;

	if ((size_t)(r->end - r->at) < strlen(":lo12:") ||
	    strncmp(r->at, ":lo12:", strlen(":lo12:")) != 0)
		return false;
	r->at += strlen(":lo12:");
	if (!usdt_take_sum(r, "]", &sum) || !sum.has_symbol)
		return false;
	*out = sum.value & 0xfff;
	return true;
}

/* "#16", "-8", "#:lo12:table" */
static bool take_offset(struct usdt_reader *r, struct argloc *out)
{
	struct usdt_sum sum;

	usdt_take(r, '#');
	if (usdt_at(r, ':'))
		return take_low12(r, &out->imm);
	if (!usdt_take_sum(r, "]", &sum) || sum.has_symbol)
		return false;
	out->imm = sum.value;
	return true;
}

/* "x2", "x2, lsl 3" */
static bool take_index(struct usdt_reader *r, struct argloc *out)
{
	struct reg index;
	char word[8];
	int64_t shift = 0;

	if (!take_reg(r, &index, &out->why))
		return false;
	if (index.size != 8) {
		out->why = "lies at an address with a narrow index, which is not read";
		return false;
	}
	if (usdt_take(r, ',')) {
		skip_blanks(r);
		usdt_take_word(r, word, sizeof(word));
		skip_blanks(r);
		usdt_take(r, '#');
		if (strcmp(word, "lsl") != 0 || !usdt_take_number(r, &shift) || shift > 3)
			return false;
	}
	if (index.off == LOC_NO_REG)
		return true;
	out->off2 = index.off;
	out->scale = (uint8_t)(1 << shift);
	return true;
}

/* "[x0]", "[sp, 16]", "[x1, x2, lsl 3]" */
static bool take_memory(struct usdt_reader *r, struct argloc *out)
{
	struct reg base;

	out->kind = LOC_USER;
	if (!take_reg(r, &base, &out->why) || base.size != 8 || base.off == LOC_NO_REG)
		return false;
	out->off = base.off;
	if (usdt_take(r, ',')) {
		skip_blanks(r);
		if (r->at < r->end && strchr("xw", *r->at) ? !take_index(r, out)
							   : !take_offset(r, out))
			return false;
	}
	return usdt_take(r, ']');
}

static bool take_operand(struct usdt_reader *r, struct argloc *out)
{
	struct reg reg;
	struct usdt_sum sum;

	if (usdt_take(r, '['))
		return take_memory(r, out);
	out->kind = LOC_CONST;
	if (r->at < r->end && strchr("#-+0123456789", *r->at)) {
		usdt_take(r, '#');
		if (r->at == r->end || !usdt_take_sum(r, "", &sum) || sum.has_symbol)
			return false;
		out->imm = sum.value;
		return true;
	}
	if (!take_reg(r, &reg, &out->why))
		return false;
	out->size = out->size ? out->size : (uint8_t)reg.size;
	if (reg.off == LOC_NO_REG)
		return true;
	out->kind = LOC_CTX;
	out->off = reg.off;
	return true;
}

static bool has_symbols(const char *text)
{
	return strstr(text, ":lo12:");
}

const struct usdt_syntax usdt_aarch64 = { take_operand, has_symbols };
