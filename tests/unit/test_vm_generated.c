/*
 * Programs made from nearly correct random pieces: what our verifier accepts runs without a
 * fault, and the kernel's verifier accepts it as well.
 */
#include "scry_vm.h"
#include "vm_kernel.h"
#include "vm_random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { VALUE_SIZE = 32, RECORD_SIZE = 16, SLOTS = 4, FUNCTIONS = 4 };

/* What the generator believes of a register: most pieces respect it, some do not. */
enum kind { NOTHING, NUMBER, CONTEXT, FRAME, VALUE, PACKET };

struct maker {
	struct program *p;
	bool xdp;
	enum kind kind[11];
	uint32_t starts[MAX_INSNS], nstarts; /* where instructions begin */
	uint32_t jumps[MAX_INSNS], njumps;   /* to be given targets */
	enum kind slots[SLOTS];		     /* below r10 - 64: what was stored */
	struct {
		uint32_t at, function;
	} calls[MAX_INSNS];
	uint32_t ncalls;
};

static unsigned reg_of(struct maker *m, enum kind k)
{
	if (pick(40)) {
		unsigned first = pick(10);

		for (unsigned i = 0; i < 10; i++) {
			if (m->kind[(first + i) % 10] == k)
				return (first + i) % 10;
		}
	}
	return pick(11);
}

static void begin(struct maker *m)
{
	if (m->nstarts < MAX_INSNS)
		m->starts[m->nstarts++] = m->p->n;
}

static void emit(struct maker *m, uint8_t code, unsigned dst, unsigned src, int off,
		 int32_t imm)
{
	begin(m);
	put(m->p, code, dst, src, off, imm);
}

static unsigned any_size(int *off)
{
	static const uint8_t SIZES[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	static const int BYTES[] = { 1, 2, 4, 8 };
	unsigned k = pick(4);

	if (pick(20))
		*off -= *off % BYTES[k];
	return SIZES[k];
}

static void make_number(struct maker *m)
{
	unsigned dst = pick(10);

	emit(m, (pick(4) ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_K, dst, 0, 0,
	     pick(2) ? (int32_t)pick(40) : number());
	m->kind[dst] = NUMBER;
}

static void make_alu(struct maker *m)
{
	static const uint8_t OPS[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD,  BPF_OR,
				       BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_AND };
	unsigned op = OPS[pick(12)], dst = reg_of(m, NUMBER),
		 wide = pick(3) ? BPF_ALU64 : BPF_ALU;
	bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;

	if (dst == 10)
		return;
	if (pick(2))
		emit(m, (uint8_t)(wide | op | BPF_X), dst, reg_of(m, NUMBER), 0, 0);
	else
		emit(m, (uint8_t)(wide | op | BPF_K), dst, 0, 0,
		     is_shift  ? (int32_t)pick(wide == BPF_ALU ? 32 : 64)
		     : pick(3) ? (int32_t)pick(VALUE_SIZE + 2)
			       : number());
}

static void make_sign_extension(struct maker *m)
{
	static const int16_t BITS[] = { 8, 16, 32 };
	unsigned dst = pick(10);

	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, dst, reg_of(m, NUMBER), BITS[pick(3)], 0);
	m->kind[dst] = NUMBER;
}

static void make_copy(struct maker *m)
{
	unsigned dst = pick(10), src = reg_of(m, (enum kind)(1 + pick(4)));

	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
	m->kind[dst] = m->kind[src];
}

static void make_context_load(struct maker *m)
{
	static const int16_t FIELDS[] = {
		0, 4, 8, 12, 16, 32, 36, 40, 48, 52, 64, 68, 76, 44, 2
	};
	unsigned dst = pick(10), src = reg_of(m, CONTEXT);

	emit(m, BPF_LDX | BPF_MEM | BPF_W, dst, src, FIELDS[pick(pick(8) ? 12 : 15)], 0);
	m->kind[dst] = NUMBER;
}

static void make_stack_pointer(struct maker *m)
{
	unsigned dst = pick(10);

	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, dst, 10, 0, 0);
	emit(m, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, -8 * (int32_t)(1 + pick(8)));
	m->kind[dst] = FRAME;
}

static void make_stack_store(struct maker *m)
{
	int off = -(int)(1 + pick(pick(20) ? 64 : 520));
	unsigned size = any_size(&off), base = pick(3) ? 10 : reg_of(m, FRAME);

	off -= off % 8 && size == BPF_DW ? 8 + off % 8 : 0;
	if (base != 10)
		off = off % 32;
	switch (pick(3)) {
	case 0: emit(m, (uint8_t)(BPF_ST | BPF_MEM | size), base, 0, off, number()); break;
	case 1:
		emit(m, (uint8_t)(BPF_STX | BPF_MEM | size), base, reg_of(m, NUMBER), off, 0);
		break;
	default:
		emit(m, BPF_STX | BPF_MEM | BPF_DW, base, reg_of(m, (enum kind)(2 + pick(3))),
		     off & ~7, 0);
	}
}

static void make_stack_load(struct maker *m)
{
	int off = -(int)(1 + pick(64));
	unsigned size = any_size(&off), dst = pick(10), base = pick(3) ? 10 : reg_of(m, FRAME);

	emit(m, (uint8_t)(BPF_LDX | (pick(4) || size == BPF_DW ? BPF_MEM : INSN_MEMSX) | size),
	     dst, base, base == 10 ? off : off % 32, 0);
	m->kind[dst] = NUMBER;
}

static void make_jump(struct maker *m)
{
	static const uint8_t OPS[] = { BPF_JEQ,	 BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
				       BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET };
	unsigned class = pick(3) ? BPF_JMP : BPF_JMP32, op = OPS[pick(11)];

	m->jumps[m->njumps++] = m->p->n;
	if (pick(3))
		emit(m, (uint8_t)(class | op | BPF_K), reg_of(m, NUMBER), 0, 0,
		     pick(3) ? (int32_t)pick(VALUE_SIZE + 2) : number());
	else
		emit(m, (uint8_t)(class | op | BPF_X), reg_of(m, NUMBER), reg_of(m, NUMBER), 0,
		     0);
}

static void make_lookup(struct maker *m)
{
	unsigned keep = 6 + pick(4);

	emit(m, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, (int32_t)pick(4));
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	emit(m, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, pick(12) ? -8 : -4);
	emit(m, BPF_LD | BPF_IMM | BPF_DW, 1, 1, 0, 1);
	put(m->p, 0, 0, 0, 0, 0);
	emit(m, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	for (unsigned r = 1; r <= 5; r++)
		m->kind[r] = NOTHING;
	m->kind[0] = VALUE;
	if (pick(3)) {
		emit(m, BPF_ALU64 | BPF_MOV | BPF_X, keep, 0, 0, 0);
		m->kind[keep] = VALUE;
	}
	if (pick(12)) {
		m->jumps[m->njumps++] = m->p->n;
		emit(m, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
	}
}

static void make_value_access(struct maker *m)
{
	int off = (int)pick(VALUE_SIZE + (pick(10) ? 0 : 4)) - !pick(30);
	unsigned size = any_size(&off), base = reg_of(m, VALUE), dst = pick(10);

	switch (pick(4)) {
	case 0:
		emit(m, (uint8_t)(BPF_STX | BPF_MEM | size), base, reg_of(m, NUMBER), off, 0);
		break;
	case 1:
		emit(m, BPF_STX | BPF_ATOMIC | BPF_DW, base, reg_of(m, NUMBER), off & ~7,
		     pick(2) ? BPF_ADD : BPF_ADD | BPF_FETCH);
		break;
	default:
		emit(m, (uint8_t)(BPF_LDX | BPF_MEM | size), dst, base, off, 0);
		m->kind[dst] = NUMBER;
	}
}

static void make_value_index(struct maker *m)
{
	unsigned base = reg_of(m, VALUE), index = reg_of(m, NUMBER);

	if (base == 10 || index == 10)
		return;
	switch (pick(4)) {
	case 0:
		emit(m, BPF_ALU64 | BPF_AND | BPF_K, index, 0, 0, (int32_t)pick(VALUE_SIZE));
		break;
	case 1:
		m->jumps[m->njumps++] = m->p->n;
		emit(m, BPF_JMP | (pick(2) ? BPF_JGT : BPF_JSGT) | BPF_K, index, 0, 0,
		     (int32_t)pick(VALUE_SIZE));
		break;
	case 2: emit(m, BPF_ALU | BPF_RSH | BPF_K, index, 0, 0, 27); break;
	}
	emit(m, BPF_ALU64 | (pick(8) ? BPF_ADD : BPF_SUB) | BPF_X, base, index, 0, 0);
}

static void make_loop(struct maker *m)
{
	unsigned counter = 6 + pick(4), bound = 1 + pick(6);

	emit(m, BPF_ALU64 | BPF_MOV | BPF_K, counter, 0, 0, 0);
	m->kind[counter] = NUMBER;
	uint32_t head = m->p->n;
	make_alu(m);
	make_stack_store(m);
	emit(m, BPF_ALU64 | BPF_ADD | BPF_K, counter, 0, 0, 1);
	emit(m, BPF_JMP | BPF_JLT | BPF_K, counter, 0, (int)head - (int)m->p->n - 1,
	     (int32_t)bound);
}

static void make_helper(struct maker *m)
{
	unsigned dst = 6 + pick(4);

	emit(m, BPF_JMP | BPF_CALL, 0, 0, 0,
	     pick(2) ? BPF_FUNC_get_prandom_u32 : BPF_FUNC_ktime_get_ns);
	for (unsigned r = 1; r <= 5; r++)
		m->kind[r] = NOTHING;
	m->kind[0] = NUMBER;
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, dst, 0, 0, 0);
	m->kind[dst] = NUMBER;
}

/* The packet and its end from the context, and a comparison, mostly of the right kind. */
static void make_packet(struct maker *m)
{
	static const uint8_t OPS[] = { BPF_JGT, BPF_JGT, BPF_JGT, BPF_JGE, BPF_JLT, BPF_JLE };
	unsigned data = pick(10), end = (data + 1 + pick(4)) % 10,
		 limit = (end + 1 + pick(3)) % 10;
	unsigned context = reg_of(m, CONTEXT), op = OPS[pick(6)];
	bool packet_first = pick(4);

	if (!m->xdp || data == limit || context == data || context == end)
		return;
	if (m->kind[data] != PACKET || !pick(3))
		emit(m, BPF_LDX | BPF_MEM | BPF_W, data, context, 0, 0);
	emit(m, BPF_LDX | BPF_MEM | BPF_W, end, context, 4, 0);
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, limit, data, 0, 0);
	emit(m, BPF_ALU64 | BPF_ADD | BPF_K, limit, 0, 0, (int32_t)pick(24));
	m->jumps[m->njumps++] = m->p->n;
	emit(m, (uint8_t)(BPF_JMP | op | BPF_X), packet_first ? limit : end,
	     packet_first ? end : limit, 0, 0);
	m->kind[data] = PACKET;
	m->kind[limit] = pick(2) ? PACKET : NOTHING;
	m->kind[end] = NOTHING;
}

static void make_packet_access(struct maker *m)
{
	int off = (int)pick(20) - !pick(20);
	unsigned size = any_size(&off), base = reg_of(m, PACKET), dst = pick(10);

	if (!m->xdp)
		return;
	if (!pick(4)) {
		emit(m, (uint8_t)(BPF_STX | BPF_MEM | size), base, reg_of(m, NUMBER), off, 0);
		return;
	}
	emit(m, (uint8_t)(BPF_LDX | BPF_MEM | size), dst, base, off, 0);
	m->kind[dst] = NUMBER;
	if (pick(3) || base == 10 || base == dst)
		return;
	/* Onwards by a length that the packet holds. */
	if (pick(8))
		emit(m, BPF_ALU64 | BPF_AND | BPF_K, dst, 0, 0, 15);
	emit(m, BPF_ALU64 | (pick(8) ? BPF_ADD : BPF_SUB) | BPF_X, base, dst, 0, 0);
}

/* --- shapes of programs in the wild --- */

static int slot_off(unsigned slot)
{
	return -72 - 8 * (int)slot;
}

static void make_spill(struct maker *m)
{
	unsigned slot = pick(SLOTS), src = reg_of(m, (enum kind)(1 + pick(5)));

	if (pick(4)) {
		emit(m, BPF_STX | BPF_MEM | BPF_DW, 10, src, slot_off(slot), 0);
		m->slots[slot] = m->kind[src];
		return;
	}
	emit(m, BPF_STX | BPF_MEM | BPF_W, 10, reg_of(m, NUMBER), slot_off(slot), 0);
	m->slots[slot] = NUMBER;
}

/* Whole, in halves, or with a sign. */
static void make_fill(struct maker *m)
{
	unsigned slot = pick(SLOTS), dst = pick(10);

	if (pick(5) && m->slots[slot] != NUMBER) {
		emit(m, BPF_LDX | BPF_MEM | BPF_DW, dst, 10, slot_off(slot), 0);
		m->kind[dst] = m->slots[slot];
		return;
	}
	emit(m,
	     (uint8_t)(BPF_LDX | (pick(2) ? BPF_MEM : INSN_MEMSX) | (pick(2) ? BPF_W : BPF_B)),
	     dst, 10, slot_off(slot) + (pick(4) ? 0 : 4), 0);
	m->kind[dst] = NUMBER;
}

/* On what was stored, pointers too, which the kernel lets nobody change. */
static void make_atomic(struct maker *m)
{
	static const int32_t OPS[] = { BPF_ADD, BPF_OR | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG,
				       BPF_AND, BPF_XOR | BPF_FETCH };
	unsigned src = reg_of(m, pick(6) ? NUMBER : VALUE), slot = pick(SLOTS);
	int32_t op = OPS[pick(6)];

	if (src == 10)
		return;
	emit(m, BPF_STX | BPF_ATOMIC | (pick(3) ? BPF_DW : BPF_W), 10, src,
	     slot_off(slot) + (pick(16) ? 0 : 4), op);
	if (op & BPF_FETCH)
		m->kind[op == BPF_CMPXCHG ? 0 : src] = NUMBER;
}

static void make_signed_load(struct maker *m)
{
	static const uint8_t SIZES[] = { BPF_B, BPF_H, BPF_W };
	unsigned k = pick(3), dst = pick(10), base = reg_of(m, pick(2) ? VALUE : PACKET);

	emit(m, (uint8_t)(BPF_LDX | INSN_MEMSX | SIZES[k]), dst, base,
	     (int)(pick(VALUE_SIZE) & ~((1u << k) - 1)), 0);
	m->kind[dst] = NUMBER;
}

static void make_byte_order(struct maker *m)
{
	static const int32_t BITS[] = { 16, 32, 64 };
	static const uint8_t CODES[] = { BPF_ALU | BPF_END | BPF_TO_LE,
					 BPF_ALU | BPF_END | BPF_TO_BE,
					 BPF_ALU64 | BPF_END | BPF_TO_LE };
	unsigned dst = reg_of(m, NUMBER);

	if (dst != 10)
		emit(m, CODES[pick(3)], dst, 0, 0, BITS[pick(3)]);
}

/* The stack at a place that only the bounds of a number tell. */
static void make_stack_index(struct maker *m)
{
	unsigned base = 6 + pick(4), index = reg_of(m, NUMBER), dst = pick(10);

	if (index == 10 || index == base)
		return;
	emit(m, BPF_ALU64 | BPF_AND | BPF_K, index, 0, 0, (int32_t)pick(10));
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, base, 10, 0, 0);
	emit(m, BPF_ALU64 | BPF_ADD | BPF_X, base, index, 0, 0);
	if (pick(2)) {
		emit(m, BPF_LDX | BPF_MEM | BPF_B, dst, base, -72 + (int)pick(64), 0);
		m->kind[dst] = NUMBER;
	} else {
		emit(m, BPF_STX | BPF_MEM | BPF_B, base, reg_of(m, NUMBER), -72 + (int)pick(64),
		     0);
	}
	m->kind[base] = NOTHING;
	m->kind[index] = NUMBER;
}

static void forget_arguments(struct maker *m)
{
	for (unsigned r = 1; r <= 5; r++)
		m->kind[r] = NOTHING;
	m->kind[0] = NUMBER;
}

/* A helper that fills so many bytes of stack as a number says. */
static void make_load_bytes(struct maker *m)
{
	unsigned len = reg_of(m, NUMBER), context = reg_of(m, CONTEXT);
	static const int32_t MASKS[] = { 7, 15, 31, 32, 63, 64 };

	if (m->xdp || len == 10 || len < 6 || context < 6 || context == 10)
		return;
	if (pick(4))
		emit(m, BPF_ALU64 | BPF_AND | BPF_K, len, 0, 0, MASKS[pick(6)]);
	else
		emit(m, BPF_ALU | BPF_MOV | BPF_X, len, len, 0, 0);
	if (pick(3)) {
		m->jumps[m->njumps++] = m->p->n;
		emit(m, BPF_JMP | (pick(2) ? BPF_JEQ : BPF_JGT) | BPF_K, len, 0, 0,
		     pick(2) ? 0 : (int32_t)pick(64));
	}
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 1, context, 0, 0);
	emit(m, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (int32_t)pick(16));
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
	emit(m, BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -8 * (int32_t)(1 + pick(8)));
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 4, len, 0, 0);
	emit(m, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	forget_arguments(m);
}

/* A record of a ring buffer, mostly looked at and given back. */
static void make_record(struct maker *m)
{
	unsigned keep = 6 + pick(4);
	int off = (int)pick(RECORD_SIZE);
	unsigned size = any_size(&off);

	emit(m, BPF_LD | BPF_IMM | BPF_DW, 1, 1, 0, 2);
	put(m->p, 0, 0, 0, 0, 0);
	emit(m, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, RECORD_SIZE);
	emit(m, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	emit(m, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_reserve);
	forget_arguments(m);
	emit(m, BPF_ALU64 | BPF_MOV | BPF_X, keep, 0, 0, 0);
	m->kind[keep] = m->kind[0] = NOTHING;
	if (pick(10)) {
		m->jumps[m->njumps++] = m->p->n;
		emit(m, BPF_JMP | BPF_JEQ | BPF_K, keep, 0, 0, 0);
	}
	emit(m, (uint8_t)(BPF_STX | BPF_MEM | size), keep, reg_of(m, NUMBER), off, 0);
	if (!pick(8))
		make_jump(m);
	if (pick(10)) {
		emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 1, keep, 0, 0);
		emit(m, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
		emit(m, BPF_JMP | BPF_CALL, 0, 0, 0,
		     pick(2) ? BPF_FUNC_ringbuf_submit : BPF_FUNC_ringbuf_discard);
		forget_arguments(m);
		m->kind[0] = NOTHING;
	}
	if (!pick(12))
		emit(m, BPF_LDX | BPF_MEM | BPF_B, 0, keep, 0, 0);
}

static void make_call(struct maker *m)
{
	static const enum kind ARGS[] = { NUMBER, VALUE, FRAME, CONTEXT };

	for (unsigned r = 1; r <= 2; r++) {
		unsigned from = reg_of(m, ARGS[pick(4)]);

		if (from >= 6)
			emit(m, BPF_ALU64 | BPF_MOV | BPF_X, r, from, 0, 0);
		else
			emit(m, BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, (int32_t)pick(40));
	}
	m->calls[m->ncalls].at = m->p->n;
	m->calls[m->ncalls++].function = pick(FUNCTIONS);
	emit(m, BPF_JMP | BPF_CALL, 0, 1, 0, 0);
	forget_arguments(m);
}

static void make_turns(struct maker *m)
{
	unsigned from = reg_of(m, pick(3) ? FRAME : VALUE), n = reg_of(m, NUMBER);

	if (pick(2) || n < 6)
		emit(m, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, (int32_t)pick(100));
	else
		emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 1, n, 0, 0);
	m->calls[m->ncalls].at = m->p->n;
	m->calls[m->ncalls++].function = FUNCTIONS;
	emit(m, BPF_LD | BPF_IMM | BPF_DW, 2, 4, 0, 0);
	put(m->p, 0, 0, 0, 0, 0);
	if (from < 6 || from == 10) {
		emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
		emit(m, BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -8 * (int32_t)(1 + pick(8)));
	} else {
		emit(m, BPF_ALU64 | BPF_MOV | BPF_X, 3, from, 0, 0);
	}
	emit(m, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
	emit(m, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_loop);
	forget_arguments(m);
}

static void make_long_jump(struct maker *m)
{
	m->jumps[m->njumps++] = m->p->n;
	emit(m, BPF_JMP | BPF_JEQ | BPF_K, reg_of(m, NUMBER), 0, 0, (int32_t)pick(8));
	m->jumps[m->njumps++] = m->p->n;
	emit(m, BPF_JMP | BPF_JSET | BPF_K, reg_of(m, NUMBER), 0, 0, (int32_t)pick(8));
}

/* A function of the program over its two arguments, which may be anything. */
static void put_function(struct program *p, unsigned which)
{
	int off = (int)pick(VALUE_SIZE);

	switch (which) {
	case 0: /* a sum */
		put(p, BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0);
		put(p, BPF_ALU64 | BPF_ADD | BPF_X, 0, 2, 0, 0);
		break;
	case 1: /* a byte at the first, if that is not 0 */
		put(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1, 0);
		put(p, BPF_LDX | BPF_MEM | BPF_B, 0, 1, off % 8, 0);
		break;
	case 2: /* its own stack, at an index that is cut */
		put(p, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 5);
		put(p, BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, pick(8) ? 7 : 8);
		put(p, BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
		put(p, BPF_ALU64 | BPF_ADD | BPF_X, 3, 2, 0, 0);
		put(p, BPF_LDX | BPF_MEM | BPF_B, 0, 3, -8, 0);
		break;
	default: /* a store through the first */
		put(p, BPF_STX | BPF_MEM | BPF_W, 1, 2, off & 4, 0);
		put(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	}
	put(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A callback of bpf_loop(): r1 is the turn, r2 what the caller gave. */
static void put_callback(struct program *p)
{
	if (pick(3))
		put(p, BPF_LDX | BPF_MEM | BPF_DW, 3, 2, 0, 0);
	else
		put(p, BPF_ALU64 | BPF_MOV | BPF_X, 3, 1, 0, 0);
	put(p, BPF_ALU64 | BPF_ADD | BPF_X, 3, 1, 0, 0);
	put(p, BPF_STX | BPF_MEM | BPF_DW, 2, pick(10) ? 3 : 2, 0, 0);
	put(p, BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0);
	put(p, BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, pick(6) ? 1 : 3);
	put(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Behind the program: those functions that are called. */
static void put_functions(struct maker *m)
{
	for (uint32_t which = 0; which <= FUNCTIONS; which++) {
		uint32_t start = m->p->n;
		bool used = false;

		for (uint32_t c = 0; c < m->ncalls; c++) {
			if (m->calls[c].function != which)
				continue;
			m->p->insns[m->calls[c].at].imm = (int32_t)(start - m->calls[c].at - 1);
			used = true;
		}
		if (used && which < FUNCTIONS)
			put_function(m->p, which);
		else if (used)
			put_callback(m->p);
	}
}

static void nearly_correct(struct program *p, bool xdp)
{
	static void (*const PIECES[])(struct maker *) = {
		make_spill,
		make_fill,
		make_spill,
		make_fill,
		make_atomic,
		make_signed_load,
		make_byte_order,
		make_stack_index,
		make_load_bytes,
		make_record,
		make_call,
		make_turns,
		make_long_jump,
		make_number,
		make_alu,
		make_alu,
		make_copy,
		make_jump,
		make_context_load,
		make_stack_load,
		make_stack_store,
		make_lookup,
		make_value_access,
		make_loop,
		make_stack_pointer,
		make_helper,
		make_value_index,
		make_stack_store,
		make_value_access,
		make_alu,
		make_sign_extension,
		make_packet,
		make_packet_access,
		make_packet,
		make_packet_access,
	};
	struct maker m = { .p = p, .xdp = xdp, .kind = { [1] = CONTEXT } };

	p->n = 0;
	emit(&m, BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	m.kind[6] = CONTEXT;
	for (unsigned r = 7; r < 9; r++) {
		emit(&m, BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, (int32_t)pick(50));
		m.kind[r] = NUMBER;
	}
	for (unsigned n = 2 + pick(pick(3) ? 8 : 20); n && p->n < MAX_INSNS - 90; n--)
		PIECES[pick(sizeof(PIECES) / sizeof(*PIECES))](&m);
	uint32_t end = p->n;
	emit(&m, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	emit(&m, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (uint32_t j = 0; j < m.njumps; j++) {
		uint32_t from = m.jumps[j], to = end;

		/* Some go to the end, some to an instruction behind them. */
		for (unsigned tries = pick(4); tries; tries--) {
			uint32_t other = m.starts[pick(m.nstarts)];
			to = other > from && other <= end ? other : to;
		}
		p->insns[from].off = (int16_t)(to - from - 1);
	}
	put_functions(&m);
}

enum { MAPS = 2, RING_BYTES = 4096 };

static const struct scry_vm_map DEFS[MAPS] = {
	{ BPF_MAP_TYPE_HASH, 8, VALUE_SIZE, 4 },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, RING_BYTES },
};

static int kernel_map(const struct scry_vm_map *def)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = def->type;
	attr.key_size = def->key_size;
	attr.value_size = def->value_size;
	attr.max_entries = def->max_entries;
	return vm_kernel_bpf(BPF_MAP_CREATE, &attr);
}

static int offer(const struct program *p, enum bpf_prog_type type, const int maps[MAPS],
		 struct sb *log)
{
	struct program copy = *p;

	for (uint32_t i = 0; i < copy.n; i++) {
		if (insn_is_wide(&copy.insns[i]) && copy.insns[i].src_reg == BPF_PSEUDO_MAP_FD)
			copy.insns[i].imm = maps[copy.insns[i].imm - 1];
	}
	int fd = vm_kernel_load(type, copy.insns, copy.n, log);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Sign extension and the like came with 6.6. */
static bool kernel_has_all_instructions(void)
{
	struct program p = { .n = 0 };

	put(&p, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1);
	put(&p, BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 8, 0);
	put(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return !offer(&p, BPF_PROG_TYPE_SOCKET_FILTER, NULL, NULL);
}

/* An older kernel's complaint about an instruction that it does not know. */
static bool is_about_encoding(const struct sb *log)
{
	return log->len &&
	       (strstr(log->s, "reserved field") || strstr(log->s, "unknown opcode"));
}

/* Accepted, and then lost: a callback that bpf_loop() calls 0 times is no program to compile.
 */
static bool is_kernels_own_bug(const struct sb *log)
{
	return log->len && strstr(log->s, "verifier bug: ");
}

/*
 * What was accepted runs with all checks on and none of them strikes. The packet of XDP is
 * where 32 bits can name it, as the context's fields do.
 */
static void check_runs(struct scry_vm *vm, int prog, const struct program *p, uint8_t *packet)
{
	uint32_t skb[48];

	scry_vm_memory_add(vm, packet, 16, true);
	for (unsigned n = 0; n < 4; n++) {
		struct scry_vm_input in = { .mem = skb, .mem_size = sizeof(skb) };
		struct scry_vm_result out;

		for (unsigned i = 0; i < 48; i++)
			skb[i] = n ? pick(UINT32_MAX) : i;
		skb[0] = (uint32_t)(uintptr_t)packet;
		skb[1] = (uint32_t)(uintptr_t)packet + 16;
		if (!scry_vm_run(vm, prog, &in, &out))
			continue;
		print_program(p);
		fail_msg("accepted, but: %s", out.words);
	}
}

static void nothing_is_accepted_that_the_kernel_rejects(void **state)
{
	(void)state;
	const int maps[MAPS] = { kernel_map(&DEFS[0]), kernel_map(&DEFS[1]) };
	uint8_t *packet = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned both = 0, ours = 0, kernels = 0, neither = 0, bugs = 0;

	const bool knows_all = kernel_has_all_instructions();

	assert_true(packet != MAP_FAILED);
	start_random();
	for (unsigned n = rounds(4000); n; n--) {
		struct scry_vm *vm = scry_vm_new();
		bool xdp = n % 2;
		struct scry_vm_program info = { .context = xdp ? SCRY_VM_XDP : SCRY_VM_SOCKET };
		enum bpf_prog_type type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SOCKET_FILTER;
		struct scry_vm_verdict verdict;
		auto_sb struct sb log = { 0 };
		struct program p;

		nearly_correct(&p, xdp);
		uint64_t key = 0, value[VALUE_SIZE / 8] = { 1, 2, 3, 4 };
		int id = scry_vm_map_add(vm, &DEFS[0]);
		scry_vm_map_add(vm, &DEFS[1]);
		scry_vm_map_update(vm, id, &key, value, 0);
		int prog = scry_vm_load(vm, p.insns, p.n, &info);
		bool accept = prog > 0 && !scry_vm_verify(vm, prog, &verdict);
		bool kernel =
			maps[0] >= 0 ? !offer(&p, type, maps, accept ? &log : NULL) : accept;

		if (accept && !kernel &&
		    ((!knows_all && is_about_encoding(&log)) || is_kernels_own_bug(&log))) {
			bugs += is_kernels_own_bug(&log);
			scry_vm_free(vm);
			continue;
		}
		*(accept ? (kernel ? &both : &ours) : (kernel ? &kernels : &neither)) += 1;
		if (accept && !kernel) {
			print_program(&p);
			fputs(log.len > 2000 ? log.s + log.len - 2000 : sb_str(&log), stderr);
			fail_msg("accepted, but the kernel rejects it");
		}
		if (!accept && kernel && getenv("SCRY_VERBOSE"))
			print_message("stricter: %s\n",
				      prog > 0 ? verdict.words : scry_vm_error(vm));
		if (accept)
			check_runs(vm, prog, &p, packet);
		scry_vm_free(vm);
	}
	munmap(packet, 4096);
	for (unsigned i = 0; i < MAPS; i++)
		close(maps[i]);
	print_message("accepted by both %u, by the kernel only %u, by neither %u; bugs of the "
		      "kernel's verifier: %u\n",
		      both, kernels, neither, bugs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_accepted_that_the_kernel_rejects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
