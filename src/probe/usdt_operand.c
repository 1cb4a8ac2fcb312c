#include "probe/usdt_operand.h"

#include "probe/arch.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The operand being read; every function moves at past what it took. */
struct reader {
	const char *at, *end;
	const struct usdt_symbols *symbols;
};

static bool at_char(const struct reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

static bool take(struct reader *r, char c)
{
	if (!at_char(r, c))
		return false;
	r->at++;
	return true;
}

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
		const struct arch_reg *reg = arch_find_reg(&arch_host, rows[i].kernel);

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

static bool take_reg(struct reader *r, struct reg *out)
{
	char name[8];
	size_t n = 0;

	if (!take(r, '%'))
		return false;
	while (r->at < r->end && isalnum((unsigned char)*r->at) && n < sizeof(name) - 1)
		name[n++] = *r->at++;
	name[n] = '\0';
	return find_reg(name, out);
}

static bool take_number(struct reader *r, int64_t *out)
{
	char *end;

	if (r->at == r->end || !isdigit((unsigned char)*r->at))
		return false;
	*out = (int64_t)strtoull(r->at, &end, 0);
	r->at = end;
	return r->at <= r->end;
}

static bool is_symbol_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static bool take_symbol(struct reader *r, uint64_t *addr)
{
	char name[256];
	size_t n = 0;

	while (r->at < r->end && is_symbol_char(*r->at) && n < sizeof(name) - 1)
		name[n++] = *r->at++;
	name[n] = '\0';
	return n && r->symbols->find && r->symbols->find(r->symbols->arg, name, addr);
}

/* "-8", "table+16", "16+table": a number and at most one symbol. */
struct sum {
	int64_t value;
	bool has_symbol;
};

static bool take_sum(struct reader *r, struct sum *out)
{
	*out = (struct sum){};
	while (r->at < r->end && *r->at != '(') {
		int64_t sign = take(r, '-') ? -1 : 1, n;
		uint64_t addr;

		take(r, '+');
		if (take_number(r, &n)) {
			out->value += sign * n;
		} else if (sign > 0 && !out->has_symbol && take_symbol(r, &addr)) {
			out->value += (int64_t)addr;
			out->has_symbol = true;
		} else {
			return false;
		}
	}
	return true;
}

static bool take_scale(struct reader *r, uint8_t *scale)
{
	int64_t n = 1;

	if (take(r, ',') && !take_number(r, &n))
		return false;
	*scale = (uint8_t)n;
	return n == 1 || n == 2 || n == 4 || n == 8;
}

/* "(%base,%index,scale)", all parts optional. */
static bool take_registers(struct reader *r, struct argloc *out, bool *is_ip)
{
	struct reg base, index, ip = { UINT32_MAX, 0 };

	*is_ip = false;
	if (!take(r, '('))
		return true;
	find_reg("rip", &ip);
	if (at_char(r, '%')) {
		if (!take_reg(r, &base) || base.size != 8)
			return false;
		*is_ip = base.off == ip.off;
		out->off = base.off;
	}
	if (take(r, ',')) {
		if (!take_reg(r, &index) || index.size != 8 || !take_scale(r, &out->scale))
			return false;
		out->off2 = index.off;
	}
	return take(r, ')');
}

/*
 * A symbol's address in the process: as far from the probe, whose address the instruction
 * pointer tells, as in the file.
 */
static bool make_relative(const struct reader *r, struct argloc *out)
{
	struct reg ip;

	if (!find_reg("rip", &ip))
		return false;
	out->off = ip.off;
	out->imm -= (int64_t)r->symbols->pc;
	return true;
}

static bool take_memory(struct reader *r, struct argloc *out)
{
	struct sum sum;
	bool is_ip;

	out->kind = LOC_USER;
	out->off = LOC_NO_REG;
	if (r->at == r->end || !take_sum(r, &sum) || !take_registers(r, out, &is_ip))
		return false;
	out->imm = sum.value;
	if (!sum.has_symbol)
		return !is_ip;
	/* A symbol beside a base register would need a second one for the distance. */
	if (out->off != LOC_NO_REG && !is_ip)
		return false;
	return make_relative(r, out);
}

static bool take_operand(struct reader *r, struct argloc *out)
{
	struct reg reg;

	if (at_char(r, '%')) {
		if (!take_reg(r, &reg))
			return false;
		out->kind = LOC_CTX;
		out->off = reg.off;
		return out->size <= 8;
	}
	if (take(r, '$')) {
		struct sum sum;

		out->kind = LOC_CONST;
		if (r->at == r->end || !take_sum(r, &sum) || sum.has_symbol)
			return false;
		out->imm = sum.value;
		return true;
	}
	return take_memory(r, out);
}

/* "-4@", "8@"; without it the argument is a word. "4f@" is floating point. */
static bool take_size(struct reader *r, struct argloc *out)
{
	const char *mark = memchr(r->at, '@', (size_t)(r->end - r->at));
	int64_t n;

	out->size = 8;
	if (!mark)
		return true;
	out->is_signed = take(r, '-');
	if (!take_number(r, &n) || r->at != mark || !type_is_int_size((uint32_t)n))
		return false;
	out->size = (uint8_t)n;
	r->at++;
	return true;
}

static struct argloc parse_one(const char *text, size_t len, const struct usdt_symbols *symbols)
{
	struct reader r = { text, text + len, symbols };
	struct argloc loc = {};

	if (take_size(&r, &loc) && take_operand(&r, &loc) && r.at == r.end)
		return loc;
	return (struct argloc){ .kind = LOC_NONE };
}

unsigned usdt_operands_parse(const char *text, const struct usdt_symbols *symbols,
			     struct argloc *out, unsigned max)
{
	unsigned n = 0;

	for (text += strspn(text, " "); *text && n < max; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		out[n++] = parse_one(text, len, symbols);
		text += len;
	}
	return n;
}

bool usdt_operands_need_pc(const char *text)
{
	for (const char *p = text; *p; p++) {
		bool starts = p == text || p[-1] == '@' || p[-1] == '+' || p[-1] == ' ';

		if (starts && (isalpha((unsigned char)*p) || *p == '_' || *p == '.'))
			return true;
	}
	return false;
}
