/*
 * Programs made from random pieces, from a fixed seed (SCRY_SEED, SCRY_ROUNDS change it):
 *  - any instructions at all: interpreter and JIT end alike, whatever the program does;
 *  - nearly correct ones: what our verifier accepts runs without a fault, and the kernel's
 *    verifier accepts it as well.
 */
#include "base/auto.h"
#include "bpf/disasm.h"
#include "scry_vm.h"
#include "vm_kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { MAX_INSNS = 256, VALUE_SIZE = 32 };

struct program {
	struct bpf_insn insns[MAX_INSNS];
	uint32_t n;
};

static uint64_t seed;

static uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static unsigned rounds(unsigned normally)
{
	const char *s = getenv("SCRY_ROUNDS");

	return s ? (unsigned)atoi(s) : normally;
}

static void start_random(void)
{
	const char *s = getenv("SCRY_SEED");

	seed = s ? strtoull(s, NULL, 0) | 1 : 0x5eed5eed5eedull;
}

static void put(struct program *p, uint8_t code, unsigned dst, unsigned src, int off,
		int32_t imm)
{
	if (p->n < MAX_INSNS)
		p->insns[p->n++] =
			(struct bpf_insn){ code, dst & 0xf, src & 0xf, (int16_t)off, imm };
}

static int32_t number(void)
{
	static const int32_t EDGES[] = { 0,  1,	 -1,	    7,	       8,   31,
					 32, 63, INT32_MAX, INT32_MIN, 255, 4096 };

	return pick(2) ? EDGES[pick(12)] : (int32_t)(pick(1u << 31) - (1u << 30));
}

static void print_program(const struct program *p)
{
	auto_sb struct sb out = { 0 };

	for (uint32_t i = 0; i < p->n;) {
		sb_printf(&out, "%3u: ", i);
		i += bpf_disasm(&out, p->insns, p->n, i, NULL);
		sb_putc(&out, '\n');
	}
	fputs(sb_str(&out), stderr);
}

/* --- interpreter against JIT --- */

/* A random encoding of any row that needs nothing of its surroundings but a jump's distance. */
static void put_any(struct program *p)
{
	enum insn_id id = (enum insn_id)pick(INSN_COUNT);
	const struct insn_row *row = insn_row(id);
	unsigned class = BPF_CLASS(row->code);
	struct bpf_insn i = { .code = row->code, .imm = number() };

	if (strchr(row->text[0], '{') || class == BPF_LD || id == INSN_CALL ||
	    id == INSN_CALLX || id == INSN_CALL_BTF || id == INSN_MAY_GOTO ||
	    id == INSN_CALL_LOCAL)
		return;
	i.dst_reg = pick(10) & 0xf;
	i.src_reg = pick(11) & 0xf;
	if (class == BPF_LDX || class == BPF_STX || class == BPF_ST) {
		/* Mostly at places that exist: r10 and r9, a pointer into the context. */
		unsigned base = pick(4) ? (pick(2) ? 10 : 9) : pick(11);
		i.off = (int16_t)(base == 10 ? -8 * (int)(1 + pick(66)) : (int)pick(70) - 2);
		if (class == BPF_LDX) {
			i.src_reg = base & 0xf;
			i.dst_reg = pick(9) & 0xf;
		} else {
			i.dst_reg = base & 0xf;
			i.src_reg = pick(10) & 0xf;
		}
		if (row->value == INSN_LOAD_ACQ) {
			i.dst_reg = pick(9) & 0xf;
			i.src_reg = base & 0xf;
		}
	}
	if (row->select == SEL_OFF)
		i.off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		i.imm = row->value;
	if (class == BPF_JMP || class == BPF_JMP32)
		i.off = (int16_t)(pick(12) - 3);
	if (id == INSN_JA32)
		i.imm = (int32_t)pick(12) - 3, i.off = 0;
	p->insns[p->n++] = i;
}

/* Clears the fields that the instruction must leave 0. */
static void make_canonical(struct program *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		static const struct bpf_insn KEEP;
		struct bpf_insn *q = &p->insns[i];

		for (unsigned k = 0; k < 4 && insn_find(q, 1) == INSN_COUNT; k++) {
			if (k == 0)
				q->imm = KEEP.imm;
			else if (k == 1)
				q->src_reg = 0;
			else if (k == 2)
				q->off = 0;
			else
				q->dst_reg = 0;
		}
		if (insn_find(q, 1) == INSN_COUNT)
			*q = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	}
}

static void any_program(struct program *p)
{
	p->n = 0;
	for (unsigned r = 0; r < 9; r++)
		if (r != 1 && r != 2)
			put(p, BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, number());
	put(p, BPF_ALU64 | BPF_MOV | BPF_X, 9, 1, 0, 0);
	for (unsigned n = 10 + pick(60); n; n--)
		put_any(p);
	put(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	make_canonical(p);
	for (uint32_t i = 0; i < p->n; i++) {
		struct bpf_insn *q = &p->insns[i];
		unsigned class = BPF_CLASS(q->code);
		int last = (int)p->n - 1 - (int)i - 1;

		if ((class != BPF_JMP && class != BPF_JMP32) || q->code == (BPF_JMP | BPF_EXIT))
			continue;
		int32_t d = q->code == (BPF_JMP32 | BPF_JA) ? q->imm : q->off;
		d = d > last ? last : d;
		d = d < -(int)i - 1 ? 0 : d;
		if (q->code == (BPF_JMP32 | BPF_JA))
			q->imm = d;
		else
			q->off = (int16_t)d;
	}
}

struct outcome {
	int ret;
	struct scry_vm_result out;
	uint8_t mem[64];
};

static void run_with(struct scry_vm *vm, int prog, unsigned flags, uint8_t *mem,
		     struct outcome *o)
{
	struct scry_vm_input in = { .mem = mem, .mem_size = 64, .flags = flags, .steps = 2000 };

	for (unsigned i = 0; i < 64; i++)
		mem[i] = (uint8_t)(i * 37);
	o->ret = scry_vm_run(vm, prog, &in, &o->out);
	memcpy(o->mem, mem, 64);
}

static void interpreter_and_jit_agree_on_anything(void **state)
{
	(void)state;
	unsigned ends[2] = { 0, 0 };

	start_random();
	for (unsigned n = rounds(4000); n; n--) {
		struct scry_vm *vm = scry_vm_new();
		struct outcome a, b;
		struct program p;
		uint8_t mem[64];

		any_program(&p);
		int prog = scry_vm_load(vm, p.insns, p.n, NULL);
		if (prog < 0) {
			print_program(&p);
			fail_msg("%s", scry_vm_error(vm));
		}
		assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
		run_with(vm, prog, SCRY_VM_INTERPRET, mem, &a);
		run_with(vm, prog, 0, mem, &b);
		ends[a.ret != 0]++;
		if (a.ret != b.ret || (!a.ret && a.out.r0 != b.out.r0) ||
		    a.out.insn != b.out.insn || a.out.steps_left != b.out.steps_left ||
		    memcmp(a.mem, b.mem, 64)) {
			print_program(&p);
			fail_msg("interpreter %d %s 0x%llx, JIT %d %s 0x%llx", a.ret,
				 a.out.words, (unsigned long long)a.out.r0, b.ret, b.out.words,
				 (unsigned long long)b.out.r0);
		}
		scry_vm_free(vm);
	}
	print_message("%u programs ended well, %u by a fault\n", ends[0], ends[1]);
}

/* --- our verifier against the kernel's --- */

/* What the generator believes of a register: most pieces respect it, some do not. */
enum kind { NOTHING, NUMBER, CONTEXT, FRAME, VALUE, PACKET };

struct maker {
	struct program *p;
	bool xdp;
	enum kind kind[11];
	uint32_t starts[MAX_INSNS], nstarts; /* where instructions begin */
	uint32_t jumps[MAX_INSNS], njumps;   /* to be given targets */
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

static void nearly_correct(struct program *p, bool xdp)
{
	static void (*const PIECES[])(struct maker *) = {
		make_number,	    make_alu,		make_alu,
		make_copy,	    make_jump,		make_context_load,
		make_stack_load,    make_stack_store,	make_lookup,
		make_value_access,  make_loop,		make_stack_pointer,
		make_helper,	    make_value_index,	make_stack_store,
		make_value_access,  make_alu,		make_sign_extension,
		make_packet,	    make_packet_access, make_packet,
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
	for (unsigned n = 5 + pick(20); n && p->n < MAX_INSNS - 40; n--)
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
}

static int kernel_map(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = 8;
	attr.value_size = VALUE_SIZE;
	attr.max_entries = 4;
	return vm_kernel_bpf(BPF_MAP_CREATE, &attr);
}

static int offer(const struct program *p, enum bpf_prog_type type, int map, struct sb *log)
{
	struct program copy = *p;

	for (uint32_t i = 0; i < copy.n; i++) {
		if (insn_is_wide(&copy.insns[i]))
			copy.insns[i].imm = map;
	}
	int fd = vm_kernel_load(type, copy.insns, copy.n, log);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
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
	auto_close int map = kernel_map();
	uint8_t *packet = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned both = 0, ours = 0, kernels = 0, neither = 0;

	assert_true(packet != MAP_FAILED);
	start_random();
	for (unsigned n = rounds(4000); n; n--) {
		struct scry_vm *vm = scry_vm_new();
		struct scry_vm_map def = { BPF_MAP_TYPE_HASH, 8, VALUE_SIZE, 4 };
		bool xdp = n % 2;
		struct scry_vm_program info = { .context = xdp ? SCRY_VM_XDP : SCRY_VM_SOCKET };
		enum bpf_prog_type type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SOCKET_FILTER;
		struct scry_vm_verdict verdict;
		auto_sb struct sb log = { 0 };
		struct program p;

		nearly_correct(&p, xdp);
		uint64_t key = 0, value[VALUE_SIZE / 8] = { 1, 2, 3, 4 };
		int id = scry_vm_map_add(vm, &def);
		scry_vm_map_update(vm, id, &key, value, 0);
		int prog = scry_vm_load(vm, p.insns, p.n, &info);
		bool accept = prog > 0 && !scry_vm_verify(vm, prog, &verdict);
		bool kernel = map >= 0 ? !offer(&p, type, map, accept ? &log : NULL) : accept;

		*(accept ? (kernel ? &both : &ours) : (kernel ? &kernels : &neither)) += 1;
		if (accept && !kernel) {
			print_program(&p);
			print_message("%s",
				      log.len > 2000 ? log.s + log.len - 2000 : sb_str(&log));
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
	print_message("accepted by both %u, by the kernel only %u, by neither %u\n", both,
		      kernels, neither);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interpreter_and_jit_agree_on_anything),
		cmocka_unit_test(nothing_is_accepted_that_the_kernel_rejects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
