/*
 * Classic BPF as BPF.  A is r0 and X is r7, both always 32 bits wide; the packet is read by the
 * legacy instructions, which want the context in r6 and end the program with 0 outside of the
 * packet, as classic BPF does; memory slots are on the stack; r8 is scratch.
 */
#include "base/vec.h"
#include "bpf/classic.h"

#include <errno.h>
#include <string.h>

enum { A = BPF_REG_0, CTX = BPF_REG_6, X = BPF_REG_7, TMP = BPF_REG_8, FRAME = BPF_REG_10 };

/* A jump whose distance is known once all is translated. */
struct jump {
	uint32_t insn, target; /* target: a classic instruction */
};

struct translation {
	struct arena *arena;
	VEC(struct bpf_insn) out;
	VEC(struct jump) jumps;
	uint32_t *starts; /* per classic instruction */
	uint32_t i;	  /* the one being translated */
};

static void put(struct translation *t, unsigned code, unsigned dst, unsigned src, int off,
		uint32_t imm)
{
	vec_push(t->arena, &t->out,
		 (struct bpf_insn){ (uint8_t)code, dst & 0xf, src & 0xf, (int16_t)off,
				    (int32_t)imm });
}

static void jump(struct translation *t, unsigned code, unsigned src, uint32_t imm,
		 uint32_t distance)
{
	vec_push(t->arena, &t->jumps,
		 (struct jump){ (uint32_t)t->out.len, t->i + 1 + distance });
	put(t, code, code == (BPF_JMP | BPF_JA) ? 0 : A, src, 0, imm);
}

static int slot(uint32_t k)
{
	return -4 * (int)(k + 1);
}

/* "if a op b goto jt; goto jf", shorter where one of them is the next instruction. */
static void conditional(struct translation *t, const struct sock_filter *p)
{
	static const struct {
		uint8_t op, opposite;
	} OPPOSITES[] = { { BPF_JEQ, BPF_JNE }, { BPF_JGT, BPF_JLE }, { BPF_JGE, BPF_JLT } };
	unsigned src = BPF_SRC(p->code), reg = src == BPF_X ? X : 0;
	uint32_t k = src == BPF_X ? 0 : p->k;

	for (unsigned i = 0; i < 3 && !p->jt; i++) {
		if (OPPOSITES[i].op != BPF_OP(p->code))
			continue;
		jump(t, BPF_JMP32 | OPPOSITES[i].opposite | src, reg, k, p->jf);
		return;
	}
	jump(t, BPF_JMP32 | BPF_OP(p->code) | src, reg, k, p->jt);
	if (p->jf)
		jump(t, BPF_JMP | BPF_JA, 0, 0, p->jf);
}

static void end_with_zero_unless_x(struct translation *t)
{
	put(t, BPF_JMP32 | BPF_JNE | BPF_K, X, 0, 2, 0);
	put(t, BPF_ALU | BPF_MOV | BPF_K, A, 0, 0, 0);
	put(t, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A shift by 32 or more gives 0 in classic BPF; in BPF the count is taken modulo 32. */
static void shift_by_x(struct translation *t, unsigned op)
{
	put(t, BPF_JMP32 | BPF_JLT | BPF_K, X, 0, 2, 32);
	put(t, BPF_ALU | BPF_MOV | BPF_K, A, 0, 0, 0);
	put(t, BPF_JMP | BPF_JA, 0, 0, 1, 0);
	put(t, BPF_ALU | op | BPF_X, A, X, 0, 0);
}

static void arithmetic(struct translation *t, const struct sock_filter *p)
{
	unsigned op = BPF_OP(p->code);

	if (op == BPF_NEG) {
		put(t, BPF_ALU | BPF_NEG, A, 0, 0, 0);
	} else if (BPF_SRC(p->code) == BPF_K) {
		put(t, BPF_ALU | op | BPF_K, A, 0, 0, p->k);
	} else if (op == BPF_LSH || op == BPF_RSH) {
		shift_by_x(t, op);
	} else {
		if (op == BPF_DIV || op == BPF_MOD)
			end_with_zero_unless_x(t);
		put(t, BPF_ALU | op | BPF_X, A, X, 0, 0);
	}
}

static void load_a(struct translation *t, const struct sock_filter *p)
{
	switch (BPF_MODE(p->code)) {
	case BPF_IMM: put(t, BPF_ALU | BPF_MOV | BPF_K, A, 0, 0, p->k); break;
	case BPF_LEN: put(t, BPF_LDX | BPF_MEM | BPF_W, A, CTX, 0, 0); break;
	case BPF_MEM: put(t, BPF_LDX | BPF_MEM | BPF_W, A, FRAME, slot(p->k), 0); break;
	case BPF_ABS: put(t, p->code, 0, 0, 0, p->k); break;
	case BPF_IND: put(t, p->code, 0, X, 0, p->k); break;
	}
}

/* Does a load of the header's length keep A? Unless the next instruction loads it anyway. */
static bool keeps_a(const struct sock_filter *p)
{
	return BPF_CLASS(p[1].code) != BPF_LD; /* there is one: the last is ret */
}

/* X = 4 * (byte & 0xf), past A. */
static void load_header_length(struct translation *t, const struct sock_filter *p)
{
	if (keeps_a(p))
		put(t, BPF_ALU | BPF_MOV | BPF_X, TMP, A, 0, 0);
	put(t, BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, p->k);
	put(t, BPF_ALU | BPF_AND | BPF_K, A, 0, 0, 0xf);
	put(t, BPF_ALU | BPF_LSH | BPF_K, A, 0, 0, 2);
	put(t, BPF_ALU | BPF_MOV | BPF_X, X, A, 0, 0);
	if (keeps_a(p))
		put(t, BPF_ALU | BPF_MOV | BPF_X, A, TMP, 0, 0);
}

static void load_x(struct translation *t, const struct sock_filter *p)
{
	switch (BPF_MODE(p->code)) {
	case BPF_IMM: put(t, BPF_ALU | BPF_MOV | BPF_K, X, 0, 0, p->k); break;
	case BPF_LEN: put(t, BPF_LDX | BPF_MEM | BPF_W, X, CTX, 0, 0); break;
	case BPF_MEM: put(t, BPF_LDX | BPF_MEM | BPF_W, X, FRAME, slot(p->k), 0); break;
	case BPF_MSH: load_header_length(t, p); break;
	}
}

static void translate_one(struct translation *t, const struct sock_filter *p)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_LD: load_a(t, p); break;
	case BPF_LDX: load_x(t, p); break;
	case BPF_ST: put(t, BPF_STX | BPF_MEM | BPF_W, FRAME, A, slot(p->k), 0); break;
	case BPF_STX: put(t, BPF_STX | BPF_MEM | BPF_W, FRAME, X, slot(p->k), 0); break;
	case BPF_ALU: arithmetic(t, p); break;
	case BPF_JMP:
		if (BPF_OP(p->code) == BPF_JA)
			jump(t, BPF_JMP | BPF_JA, 0, 0, p->k);
		else
			conditional(t, p);
		break;
	case BPF_RET:
		if (BPF_RVAL(p->code) != BPF_A)
			put(t, BPF_ALU | BPF_MOV | BPF_K, A, 0, 0, p->k);
		put(t, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		break;
	case BPF_MISC:
		if (BPF_MISCOP(p->code) == BPF_TAX)
			put(t, BPF_ALU | BPF_MOV | BPF_X, X, A, 0, 0);
		else
			put(t, BPF_ALU | BPF_MOV | BPF_X, A, X, 0, 0);
		break;
	}
}

/* --- what begins as 0 --- */

enum { BIT_A = 1, BIT_X = 2 };

static unsigned reads(const struct sock_filter *p)
{
	unsigned by_x = BPF_SRC(p->code) == BPF_X ? BIT_X : 0;

	switch (BPF_CLASS(p->code)) {
	case BPF_LD: return BPF_MODE(p->code) == BPF_IND ? BIT_X : 0;
	case BPF_LDX: return BPF_MODE(p->code) == BPF_MSH && keeps_a(p) ? BIT_A : 0;
	case BPF_ST: return BIT_A;
	case BPF_STX: return BIT_X;
	case BPF_JMP: return BPF_OP(p->code) == BPF_JA ? 0 : BIT_A | by_x;
	case BPF_ALU: return BIT_A | by_x;
	case BPF_RET: return BPF_RVAL(p->code) == BPF_A ? BIT_A : 0;
	default: return BPF_MISCOP(p->code) == BPF_TAX ? BIT_A : BIT_X;
	}
}

static unsigned writes(const struct sock_filter *p)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_LD:
	case BPF_ALU: return BIT_A;
	case BPF_LDX: return BIT_X;
	case BPF_MISC: return BPF_MISCOP(p->code) == BPF_TAX ? BIT_X : BIT_A;
	default: return 0;
	}
}

/* Which of A and X some way reads before it has written them. Jumps go forward only. */
static unsigned read_first(struct arena *a, const struct sock_filter *insns, uint32_t n)
{
	uint8_t *unwritten = arena_array(a, uint8_t, n);
	unsigned found = 0;

	unwritten[0] = BIT_A | BIT_X;
	for (uint32_t i = 0; i < n; i++) {
		const struct sock_filter *p = &insns[i];
		unsigned class = BPF_CLASS(p->code);
		uint8_t after = (uint8_t)(unwritten[i] & ~writes(p));

		found |= reads(p) & unwritten[i];
		if (class == BPF_JMP && BPF_OP(p->code) == BPF_JA) {
			unwritten[i + 1 + p->k] |= after;
		} else if (class == BPF_JMP) {
			unwritten[i + 1 + p->jt] |= after;
			unwritten[i + 1 + p->jf] |= after;
		} else if (class != BPF_RET) {
			unwritten[i + 1] |= after;
		}
	}
	return found;
}

/* A, X and the slots begin as 0; those that are not read need not. */
static void begin(struct translation *t, const struct sock_filter *insns, uint32_t n)
{
	unsigned first = read_first(t->arena, insns, n);
	uint32_t read = 0;

	put(t, BPF_ALU64 | BPF_MOV | BPF_X, CTX, BPF_REG_1, 0, 0);
	if (first & BIT_A)
		put(t, BPF_ALU | BPF_MOV | BPF_K, A, 0, 0, 0);
	if (first & BIT_X)
		put(t, BPF_ALU | BPF_MOV | BPF_K, X, 0, 0, 0);
	for (uint32_t i = 0; i < n; i++) {
		unsigned class = BPF_CLASS(insns[i].code);

		if ((class == BPF_LD || class == BPF_LDX) && BPF_MODE(insns[i].code) == BPF_MEM)
			read |= 1u << insns[i].k;
	}
	for (uint32_t k = 0; k < BPF_MEMWORDS; k++) {
		if (read >> k & 1)
			put(t, BPF_ST | BPF_MEM | BPF_W, FRAME, 0, slot(k), 0);
	}
}

static int check_offsets(const struct sock_filter *insns, uint32_t n, struct err *e)
{
	for (uint32_t i = 0; i < n; i++) {
		unsigned class = BPF_CLASS(insns[i].code), mode = BPF_MODE(insns[i].code);

		if (((class == BPF_LD && mode == BPF_ABS) || mode == BPF_MSH) &&
		    class <= BPF_LDX && (int32_t)insns[i].k < 0)
			return err_set(e, -ENOTSUP,
				       "instruction %u: Linux's ancillary data (offset %d) "
				       "is not in a packet",
				       i, (int32_t)insns[i].k);
	}
	return 0;
}

int classic_translate(struct arena *a, const struct sock_filter *insns, uint32_t n,
		      struct bpf_insn **out, uint32_t *out_n, struct err *e)
{
	struct translation t = { .arena = a };
	int ret = check_offsets(insns, n, e);

	if (ret)
		return ret;
	t.starts = arena_array(a, uint32_t, n);
	begin(&t, insns, n);
	for (t.i = 0; t.i < n; t.i++) {
		t.starts[t.i] = (uint32_t)t.out.len;
		translate_one(&t, &insns[t.i]);
	}
	vec_each(j, &t.jumps) {
		t.out.data[j->insn].off = (int16_t)(t.starts[j->target] - j->insn - 1);
	}
	*out = t.out.data;
	*out_n = (uint32_t)t.out.len;
	return 0;
}
