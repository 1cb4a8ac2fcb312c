/*
 * A filter without branches (select.h), in front of the one with them, where it goes when the
 * packet is too short:
 *
 *	cmp rcx, END; jb filter			all constant places are inside
 *	r8 = index; ... ja filter		and what is behind an index
 *	mov reg, CONSTANT			per end
 *	cmp [rdx+AT], K; cmovCC reg, reg	per comparison, from the last to the first
 *	mov eax, reg; ret
 */
#include "vm/jit.h"
#include "vm/select.h"

#include <string.h>

#ifdef __x86_64__

/* In the order in which they are taken: what the filter with branches needs is not lost before
 * it is known that it is not needed. r11 is scratch. */
static const uint8_t POOL[] = { R8, R9, R10, RAX, RSI, RDI, RCX };
enum { POOL_SIZE = sizeof(POOL), NO_REG = 0xff };

struct selecting {
	struct jit *j;
	struct select s;
	uint8_t index_reg[SELECT_VALUES]; /* of values that are indexes */
	uint8_t home[SELECT_ENDS + SELECT_NODES];
	uint16_t taken;	  /* a bit per register */
	VEC(size_t) outs; /* jumps to the filter with branches */
};

static unsigned take_reg(struct selecting *g)
{
	for (unsigned i = 0; i < POOL_SIZE; i++) {
		if (g->taken >> POOL[i] & 1)
			continue;
		g->taken |= (uint16_t)(1 << POOL[i]);
		return POOL[i];
	}
	return NO_REG;
}

static struct x86_mem place_of(const struct selecting *g, const struct select_value *load)
{
	return (struct x86_mem){ LEAF_PACKET, load->of ? g->index_reg[load->of] : X86_NO_INDEX,
				 (int32_t)load->k };
}

static void order(struct x86_code *c, unsigned size, unsigned reg)
{
	if (size == 2)
		x86_swap16(c, reg);
	if (size == 4)
		x86_bswap(c, false, reg);
}

/* reg = v */
static void compute(struct selecting *g, unsigned v, unsigned reg)
{
	const struct select_value *w = &g->s.values[v];
	struct x86_code *c = &g->j->c;

	if (w->kind == SELECT_LOAD) {
		x86_load_at(c, w->size, reg, place_of(g, w));
		order(c, w->size, reg);
		return;
	}
	compute(g, w->of, reg);
	switch (w->op) {
	case BPF_ADD: x86_ri(c, false, X86_ADD, reg, (int32_t)w->k); break;
	case BPF_SUB: x86_ri(c, false, X86_SUB, reg, (int32_t)w->k); break;
	case BPF_AND: x86_ri(c, false, X86_AND, reg, (int32_t)w->k); break;
	case BPF_OR: x86_ri(c, false, X86_OR, reg, (int32_t)w->k); break;
	case BPF_XOR: x86_ri(c, false, X86_XOR, reg, (int32_t)w->k); break;
	case BPF_LSH: x86_shift(c, false, X86_SHL, reg, (uint8_t)w->k); break;
	case BPF_RSH: x86_shift(c, false, X86_SHR, reg, (uint8_t)w->k); break;
	case BPF_MUL: x86_mul_imm(c, false, reg, (int32_t)w->k); break;
	}
}

static void constant_at(struct jit *j, size_t pos, const uint8_t bytes[SELECT_WIDE])
{
	struct to_constant k = { .pos = pos };

	memcpy(k.bytes, bytes, sizeof(k.bytes));
	vec_push(NULL, &j->constants, k);
}

/* The packet's bytes & mask == bytes, 16 at once. */
static void compare_wide(struct selecting *g, unsigned wide)
{
	const struct select_wide *w = &g->s.wides[wide];
	struct x86_code *c = &g->j->c;

	x86_load_xmm0(c, LEAF_PACKET, (int32_t)w->at);
	constant_at(g->j, x86_pand_xmm0(c), w->mask);
	constant_at(g->j, x86_pcmpeqb_xmm0(c), w->bytes);
	x86_pmovmskb(c, R11);
	x86_ri(c, false, X86_CMP, R11, 0xffff);
}

/* Leaves the answer in the flags. */
static void compare(struct selecting *g, const struct select_node *n)
{
	struct x86_code *c = &g->j->c;
	uint32_t mask;
	const struct select_value *load =
		n->raw ? vm_select_masked(&g->s, n->value, &mask) : NULL;

	if (n->wide) {
		compare_wide(g, n->wide);
	} else if (n->raw && n->op == BPF_JSET) {
		x86_at_imm(c, load->size, X86_TEST, place_of(g, load), (int32_t)n->mask);
	} else if (n->raw && n->mask == (uint32_t)load->max) {
		x86_at_imm(c, load->size, X86_CMP, place_of(g, load), (int32_t)n->k);
	} else if (n->raw) {
		x86_load_at(c, load->size, R11, place_of(g, load));
		x86_ri(c, false, X86_AND, R11, (int32_t)n->mask);
		if (n->k)
			x86_ri(c, false, X86_CMP, R11, (int32_t)n->k);
	} else {
		compute(g, n->value, R11);
		if (n->op == BPF_JSET)
			x86_test_imm(c, false, R11, (int32_t)n->k);
		else
			x86_ri(c, false, X86_CMP, R11, (int32_t)n->k);
	}
}

/* Forgets one use of a node's value; its register is free after the last. */
static bool drop_use(struct selecting *g, unsigned node)
{
	return !--g->s.nodes[node].uses;
}

static void release(struct selecting *g, unsigned node)
{
	g->taken &= (uint16_t) ~(1 << g->home[node]);
}

/* home = compared ? home of yes : home of no, in the place of one that nobody needs any more.
 */
static bool choose(struct selecting *g, unsigned node)
{
	const struct select_node *n = &g->s.nodes[node];
	bool yes_ends = drop_use(g, n->yes), no_ends = drop_use(g, n->no);
	enum x86_cond cc = jit_condition(n->op);
	unsigned dst = g->home[n->no], src = g->home[n->yes];

	if (!no_ends && yes_ends) {
		dst = g->home[n->yes];
		src = g->home[n->no];
		cc ^= 1;
	} else if (!no_ends) {
		unsigned reg = take_reg(g);

		if (reg == NO_REG)
			return false;
		x86_rr(&g->j->c, false, X86_MOV, reg, dst);
		dst = reg;
	}
	compare(g, n);
	x86_cmov(&g->j->c, cc, dst, src);
	if (yes_ends && no_ends)
		release(g, n->yes);
	g->home[node] = (uint8_t)dst;
	return true;
}

static void check_packet(struct selecting *g)
{
	struct x86_code *c = &g->j->c;

	if (g->s.end) {
		x86_ri(c, true, X86_CMP, LEAF_SIZE, (int32_t)g->s.end);
		vec_push(NULL, &g->outs, x86_jcc(c, CC_B));
	}
	for (unsigned i = 0; i < g->s.nindexes; i++) {
		const struct select_index *x = &g->s.indexes[i];
		unsigned reg = take_reg(g);

		g->index_reg[x->value] = (uint8_t)reg;
		compute(g, x->value, reg);
		x86_lea(c, R11, reg, (int32_t)x->end);
		x86_rr(c, true, X86_CMP, R11, LEAF_SIZE);
		vec_push(NULL, &g->outs, x86_jcc(c, CC_A));
	}
}

static bool emit(struct selecting *g)
{
	struct x86_code *c = &g->j->c;

	check_packet(g);
	for (unsigned i = 1; i < g->s.nnodes; i++) {
		const struct select_node *n = &g->s.nodes[i];

		if (!n->uses || n->value)
			continue;
		g->home[i] = (uint8_t)take_reg(g);
		if (g->home[i] == NO_REG)
			return false;
		x86_mov_imm(c, g->home[i], n->k);
	}
	for (unsigned i = 1; i < g->s.nnodes; i++) {
		const struct select_node *n = &g->s.nodes[i];

		if (n->uses && n->value && !choose(g, i))
			return false;
	}
	if (g->home[g->s.root] != RAX)
		x86_rr(c, false, X86_MOV, RAX, g->home[g->s.root]);
	x86_ret(c);
	return true;
}

bool jit_select(struct jit *j)
{
	struct selecting g = { .j = j };
	size_t start = j->c.len;
	bool done = !j->blind && vm_select_plan(&g.s, j->prog) && emit(&g);

	if (!done) {
		j->c.len = start;
		j->constants.len = 0;
	}
	vec_each(pos, &g.outs) {
		if (done)
			x86_patch(&j->c, *pos, j->c.len);
	}
	vec_free(&g.outs);
	return done;
}

#endif
