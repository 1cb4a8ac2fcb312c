#include "bpf/classic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How tcpdump writes the operand of an instruction. */
enum operand {
	OPERAND_NONE,
	OPERAND_X,	 /* x */
	OPERAND_DECIMAL, /* #5 */
	OPERAND_HEX,	 /* #0x5 */
	OPERAND_ABS,	 /* [5] */
	OPERAND_IND,	 /* [x + 5] */
	OPERAND_SLOT,	 /* M[5] */
	OPERAND_HEADER,	 /* 4*([5]&0xf) */
	OPERAND_LENGTH,	 /* #pktlen */
	OPERAND_TARGET,	 /* the instruction jumped to */
};

static const struct {
	uint16_t code;
	const char *name;
	enum operand operand;
} OPS[] = {
	{ BPF_RET | BPF_K, "ret", OPERAND_DECIMAL },
	{ BPF_RET | BPF_A, "ret", OPERAND_NONE },
	{ BPF_LD | BPF_W | BPF_ABS, "ld", OPERAND_ABS },
	{ BPF_LD | BPF_H | BPF_ABS, "ldh", OPERAND_ABS },
	{ BPF_LD | BPF_B | BPF_ABS, "ldb", OPERAND_ABS },
	{ BPF_LD | BPF_W | BPF_LEN, "ld", OPERAND_LENGTH },
	{ BPF_LD | BPF_W | BPF_IND, "ld", OPERAND_IND },
	{ BPF_LD | BPF_H | BPF_IND, "ldh", OPERAND_IND },
	{ BPF_LD | BPF_B | BPF_IND, "ldb", OPERAND_IND },
	{ BPF_LD | BPF_IMM, "ld", OPERAND_HEX },
	{ BPF_LDX | BPF_IMM, "ldx", OPERAND_HEX },
	{ BPF_LDX | BPF_W | BPF_LEN, "ldx", OPERAND_LENGTH },
	{ BPF_LDX | BPF_MSH | BPF_B, "ldxb", OPERAND_HEADER },
	{ BPF_LD | BPF_MEM, "ld", OPERAND_SLOT },
	{ BPF_LDX | BPF_MEM, "ldx", OPERAND_SLOT },
	{ BPF_ST, "st", OPERAND_SLOT },
	{ BPF_STX, "stx", OPERAND_SLOT },
	{ BPF_JMP | BPF_JA, "ja", OPERAND_TARGET },
	{ BPF_JMP | BPF_JGT | BPF_K, "jgt", OPERAND_HEX },
	{ BPF_JMP | BPF_JGE | BPF_K, "jge", OPERAND_HEX },
	{ BPF_JMP | BPF_JEQ | BPF_K, "jeq", OPERAND_HEX },
	{ BPF_JMP | BPF_JSET | BPF_K, "jset", OPERAND_HEX },
	{ BPF_JMP | BPF_JGT | BPF_X, "jgt", OPERAND_X },
	{ BPF_JMP | BPF_JGE | BPF_X, "jge", OPERAND_X },
	{ BPF_JMP | BPF_JEQ | BPF_X, "jeq", OPERAND_X },
	{ BPF_JMP | BPF_JSET | BPF_X, "jset", OPERAND_X },
	{ BPF_ALU | BPF_ADD | BPF_X, "add", OPERAND_X },
	{ BPF_ALU | BPF_SUB | BPF_X, "sub", OPERAND_X },
	{ BPF_ALU | BPF_MUL | BPF_X, "mul", OPERAND_X },
	{ BPF_ALU | BPF_DIV | BPF_X, "div", OPERAND_X },
	{ BPF_ALU | BPF_MOD | BPF_X, "mod", OPERAND_X },
	{ BPF_ALU | BPF_AND | BPF_X, "and", OPERAND_X },
	{ BPF_ALU | BPF_OR | BPF_X, "or", OPERAND_X },
	{ BPF_ALU | BPF_XOR | BPF_X, "xor", OPERAND_X },
	{ BPF_ALU | BPF_LSH | BPF_X, "lsh", OPERAND_X },
	{ BPF_ALU | BPF_RSH | BPF_X, "rsh", OPERAND_X },
	{ BPF_ALU | BPF_ADD | BPF_K, "add", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_SUB | BPF_K, "sub", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_MUL | BPF_K, "mul", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_DIV | BPF_K, "div", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_MOD | BPF_K, "mod", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_AND | BPF_K, "and", OPERAND_HEX },
	{ BPF_ALU | BPF_OR | BPF_K, "or", OPERAND_HEX },
	{ BPF_ALU | BPF_XOR | BPF_K, "xor", OPERAND_HEX },
	{ BPF_ALU | BPF_LSH | BPF_K, "lsh", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_RSH | BPF_K, "rsh", OPERAND_DECIMAL },
	{ BPF_ALU | BPF_NEG, "neg", OPERAND_NONE },
	{ BPF_MISC | BPF_TAX, "tax", OPERAND_NONE },
	{ BPF_MISC | BPF_TXA, "txa", OPERAND_NONE },
};

enum { NOPS = sizeof(OPS) / sizeof(*OPS) };

static unsigned find_op(uint16_t code)
{
	unsigned i = 0;

	while (i < NOPS && OPS[i].code != code)
		i++;
	return i;
}

/* --- checking --- */

static int bad(uint32_t i, struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "instruction %u: %s", i, what);
}

static bool is_conditional(const struct sock_filter *p)
{
	return BPF_CLASS(p->code) == BPF_JMP && BPF_OP(p->code) != BPF_JA;
}

static int check_one(const struct sock_filter *p, uint32_t i, uint32_t n, struct err *e)
{
	unsigned op = find_op(p->code);
	uint32_t behind = n - i - 1;

	if (op == NOPS)
		return err_set(e, -EINVAL, "instruction %u: unknown opcode 0x%x", i, p->code);
	if (OPS[op].operand == OPERAND_SLOT && p->k >= BPF_MEMWORDS)
		return bad(i, e, "there are 16 memory slots");
	if (is_conditional(p) ? p->jt >= behind || p->jf >= behind
			      : OPS[op].operand == OPERAND_TARGET && p->k >= behind)
		return bad(i, e, "jumps out of the program");
	if ((p->code == (BPF_ALU | BPF_DIV | BPF_K) ||
	     p->code == (BPF_ALU | BPF_MOD | BPF_K)) &&
	    !p->k)
		return bad(i, e, "divides by 0");
	if ((p->code == (BPF_ALU | BPF_LSH | BPF_K) ||
	     p->code == (BPF_ALU | BPF_RSH | BPF_K)) &&
	    p->k >= 32)
		return bad(i, e, "shifts by 32 or more");
	return 0;
}

int classic_check(const struct sock_filter *insns, uint32_t n, struct err *e)
{
	if (!n || n > BPF_MAXINSNS)
		return err_set(e, -EINVAL, "%u instructions; a filter has 1 to %d", n,
			       BPF_MAXINSNS);
	for (uint32_t i = 0; i < n; i++) {
		int ret = check_one(&insns[i], i, n, e);
		if (ret)
			return ret;
	}
	return BPF_CLASS(insns[n - 1].code) == BPF_RET
		       ? 0
		       : bad(n - 1, e, "a filter ends with ret");
}

/* --- text --- */

static bool read_number(const char **p, const char *end, unsigned long max, unsigned long *v)
{
	char *stop;

	while (*p < end && strchr(" \t\r\n,", **p))
		++*p;
	if (*p == end || **p < '0' || **p > '9')
		return false;
	errno = 0;
	*v = strtoul(*p, &stop, 10);
	if (errno || stop > end || *v > max)
		return false;
	*p = stop;
	return true;
}

int classic_read(struct arena *a, const char *text, size_t len, struct sock_filter **insns,
		 uint32_t *n, struct err *e)
{
	const char *p = arena_strndup(a, text, len), *end = p + len;
	unsigned long count, code, jt, jf, k;

	if (!read_number(&p, end, BPF_MAXINSNS, &count))
		return err_set(e, -EINVAL,
			       "a filter begins with the number of its instructions");
	*insns = arena_array(a, struct sock_filter, count + 1);
	*n = (uint32_t)count;
	for (uint32_t i = 0; i < *n; i++) {
		if (!read_number(&p, end, UINT16_MAX, &code) ||
		    !read_number(&p, end, 255, &jt) || !read_number(&p, end, 255, &jf) ||
		    !read_number(&p, end, UINT32_MAX, &k))
			return bad(i, e, "four numbers are wanted: code, jt, jf, k");
		(*insns)[i] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf,
						    (uint32_t)k };
	}
	return classic_check(*insns, *n, e);
}

static void put_operand(char *buf, size_t size, enum operand operand, uint32_t i, uint32_t k)
{
	switch (operand) {
	case OPERAND_NONE: *buf = '\0'; break;
	case OPERAND_X: snprintf(buf, size, "x"); break;
	case OPERAND_DECIMAL: snprintf(buf, size, "#%d", (int)k); break;
	case OPERAND_HEX: snprintf(buf, size, "#0x%x", k); break;
	case OPERAND_ABS: snprintf(buf, size, "[%d]", (int)k); break;
	case OPERAND_IND: snprintf(buf, size, "[x + %d]", (int)k); break;
	case OPERAND_SLOT: snprintf(buf, size, "M[%d]", (int)k); break;
	case OPERAND_HEADER: snprintf(buf, size, "4*([%d]&0xf)", (int)k); break;
	case OPERAND_LENGTH: snprintf(buf, size, "#pktlen"); break;
	case OPERAND_TARGET: snprintf(buf, size, "%d", (int)(i + 1 + k)); break;
	}
}

void classic_disasm(struct sb *out, const struct sock_filter *insns, uint32_t i)
{
	const struct sock_filter *p = &insns[i];
	unsigned op = find_op(p->code);
	char operand[32];

	if (op == NOPS) {
		sb_printf(out, "(%03u) unimp    0x%x", i, p->code);
		return;
	}
	put_operand(operand, sizeof(operand), OPS[op].operand, i, p->k);
	if (is_conditional(p))
		sb_printf(out, "(%03u) %-8s %-16s jt %u\tjf %u", i, OPS[op].name, operand,
			  i + 1 + p->jt, i + 1 + p->jf);
	else
		sb_printf(out, "(%03u) %-8s %s", i, OPS[op].name, operand);
}

void classic_print_c(struct sb *out, const struct sock_filter *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sb_printf(out, "{ 0x%x, %u, %u, 0x%08x },\n", insns[i].code, insns[i].jt,
			  insns[i].jf, insns[i].k);
}

void classic_print_numbers(struct sb *out, const struct sock_filter *insns, uint32_t n)
{
	sb_printf(out, "%u\n", n);
	for (uint32_t i = 0; i < n; i++)
		sb_printf(out, "%u %u %u %u\n", insns[i].code, insns[i].jt, insns[i].jf,
			  insns[i].k);
}
