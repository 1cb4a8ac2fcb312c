#include "vm/select.h"

#include <stdlib.h>
#include <string.h>

enum {
	FARTHEST = 0xffff, /* of offsets and indexes; packets are mostly shorter */
	SEEN = 4 * SELECT_NODES,
};

/* What the registers hold before an instruction, as numbers of values; 0 where it is dead. */
struct state {
	uint8_t reg[BPF_REG_10 + 1];
};

/* What is decided from an instruction on. */
struct seen {
	uint32_t insn;
	struct state st;
	uint8_t node;
};

struct planner {
	struct select *s;
	const struct vm_prog *prog;
	uint16_t *live; /* per instruction: registers whose values are needed, a bit each */
	struct seen seen[SEEN];
	unsigned nseen;
};

/* --- values --- */

static unsigned value(struct select *s, struct select_value v)
{
	for (unsigned i = 1; i < s->nvalues; i++) {
		const struct select_value *w = &s->values[i];

		if (w->kind == v.kind && w->size == v.size && w->op == v.op && w->of == v.of &&
		    w->k == v.k)
			return i;
	}
	if (s->nvalues == SELECT_VALUES)
		return 0;
	s->values[s->nvalues] = v;
	return s->nvalues++;
}

static unsigned constant(struct select *s, uint32_t k)
{
	return value(s, (struct select_value){ .kind = SELECT_CONST, .k = k, .max = k });
}

static uint64_t max_of(unsigned op, uint64_t max, uint32_t k)
{
	if (op == BPF_AND)
		return max < k ? max : k;
	if (op == BPF_RSH)
		return max >> k;
	if (op == BPF_LSH && max << k <= UINT32_MAX)
		return max << k;
	return UINT32_MAX;
}

static unsigned computed(struct select *s, unsigned op, unsigned of, uint32_t k)
{
	bool shifts = op == BPF_LSH || op == BPF_RSH;

	if (s->values[of].kind != SELECT_LOAD && s->values[of].kind != SELECT_ALU)
		return 0;
	if (!shifts && op != BPF_ADD && op != BPF_SUB && op != BPF_AND && op != BPF_OR &&
	    op != BPF_XOR && op != BPF_MUL)
		return 0;
	k = shifts ? k & 31 : k;
	return value(s, (struct select_value){ .kind = SELECT_ALU,
					       .op = (uint8_t)op,
					       .of = (uint8_t)of,
					       .k = k,
					       .max = max_of(op, s->values[of].max, k) });
}

/* The second operand where it is a constant. */
static bool operand(const struct select *s, const struct state *st, const struct bpf_insn *p,
		    uint32_t *k)
{
	const struct select_value *v = &s->values[st->reg[p->src_reg]];

	*k = BPF_SRC(p->code) == BPF_K ? (uint32_t)p->imm : v->k;
	return BPF_SRC(p->code) == BPF_K || v->kind == SELECT_CONST;
}

/* Values are below 2^32, so 64-bit operations with numbers below 2^31 may be the same. */
static unsigned arithmetic(struct select *s, const struct state *st, const struct bpf_insn *p)
{
	unsigned op = BPF_OP(p->code), dst = st->reg[p->dst_reg];
	bool wide = BPF_CLASS(p->code) == BPF_ALU64;
	uint32_t k;

	if (p->off || op == BPF_END || op == BPF_NEG)
		return 0;
	if (op == BPF_MOV && BPF_SRC(p->code) == BPF_X)
		return st->reg[p->src_reg];
	if (!operand(s, st, p, &k) || (wide && (int32_t)k < 0))
		return 0;
	if (op == BPF_MOV)
		return constant(s, k);
	if (wide && op != BPF_AND)
		return 0;
	return computed(s, op, dst, k);
}

static bool note_index(struct select *s, unsigned v, uint32_t end)
{
	for (unsigned i = 0; i < s->nindexes; i++) {
		struct select_index *x = &s->indexes[i];

		if (x->value != v)
			continue;
		x->end = end > x->end ? end : x->end;
		return true;
	}
	if (s->nindexes == SELECT_INDEXES)
		return false;
	s->indexes[s->nindexes++] = (struct select_index){ (uint8_t)v, end };
	return true;
}

/* A load decides, too, whether the program goes on: one that cannot be checked ends the plan.
 */
static bool packet_load(struct select *s, struct state *st, const struct bpf_insn *p)
{
	bool indexed = BPF_MODE(p->code) == BPF_IND;
	unsigned size = insn_size(p->code), index = indexed ? st->reg[p->src_reg] : 0;
	uint32_t k = (uint32_t)p->imm, end;
	const struct select_value *x = &s->values[index];

	if (indexed && x->kind == SELECT_CONST) {
		k += x->k;
		index = 0;
	} else if (indexed && (!index || x->max > FARTHEST)) {
		return false;
	}
	end = k + size;
	if (k > FARTHEST || (index && !note_index(s, index, end)))
		return false;
	if (!index && end > s->end)
		s->end = end;
	st->reg[0] = (uint8_t)value(s, (struct select_value){ .kind = SELECT_LOAD,
							      .size = (uint8_t)size,
							      .of = (uint8_t)index,
							      .k = k,
							      .max = (1ull << 8 * size) - 1 });
	return true;
}

static bool is_jump(const struct vm_op *op, const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op->id != INSN_EXIT;
}

static bool always_jumps(const struct vm_op *op)
{
	return op->id == INSN_JA || op->id == INSN_JA32;
}

static bool step(struct select *s, struct state *st, const struct bpf_insn *p)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64: st->reg[p->dst_reg] = (uint8_t)arithmetic(s, st, p); return true;
	case BPF_LDX: st->reg[p->dst_reg] = 0; return true;
	case BPF_ST:
	case BPF_STX: return false;
	case BPF_LD:
		if (BPF_MODE(p->code) == BPF_ABS || BPF_MODE(p->code) == BPF_IND)
			return packet_load(s, st, p);
		st->reg[p->dst_reg] = 0;
	}
	return true;
}

/* Registers that an instruction reads, as far as values are followed. */
static uint16_t reads(const struct vm_op *op, const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code);
	uint16_t dst = (uint16_t)(1 << p->dst_reg), src = (uint16_t)(1 << p->src_reg);
	bool moves = BPF_OP(p->code) == BPF_MOV;

	if (op->id == INSN_EXIT)
		return 1;
	if (class == BPF_LD)
		return BPF_MODE(p->code) == BPF_IND ? src : 0;
	if (class == BPF_LDX || always_jumps(op))
		return 0;
	return (uint16_t)((moves && !is_jump(op, p) ? 0 : dst) |
			  (BPF_SRC(p->code) == BPF_X ? src : 0));
}

static uint16_t writes(const struct vm_op *op, const struct bpf_insn *p)
{
	bool from_packet = BPF_CLASS(p->code) == BPF_LD && BPF_MODE(p->code) != BPF_IMM;

	if (is_jump(op, p) || op->id == INSN_EXIT)
		return 0;
	return from_packet ? 1 : (uint16_t)(1 << p->dst_reg);
}

static void find_live(struct planner *pl)
{
	for (uint32_t i = pl->prog->n; i-- > 0;) {
		const struct bpf_insn *p = &pl->prog->insns[i];
		const struct vm_op *op = &pl->prog->ops[i];
		uint16_t live = 0;

		if (op->id == VM_OP_NONE) {
			pl->live[i] = pl->live[i + 1];
			continue;
		}
		if (op->id != INSN_EXIT && !always_jumps(op))
			live = pl->live[i + 1];
		if (is_jump(op, p))
			live |= pl->live[i + 1 + (uint32_t)op->jump];
		pl->live[i] = (uint16_t)((live & ~writes(op, p)) | reads(op, p));
	}
}

/* --- comparisons --- */

const struct select_value *vm_select_masked(const struct select *s, unsigned v, uint32_t *mask)
{
	const struct select_value *w = &s->values[v];

	*mask = UINT32_MAX;
	for (; w->kind == SELECT_ALU && w->op == BPF_AND; w = &s->values[w->of])
		*mask &= w->k;
	if (w->kind != SELECT_LOAD)
		return NULL;
	*mask &= (uint32_t)w->max;
	return w;
}

static uint32_t in_packet_order(uint32_t v, unsigned size)
{
	return size == 4   ? __builtin_bswap32(v)
	       : size == 2 ? __builtin_bswap16((uint16_t)v)
			   : v;
}

/* Equality and tests of bits need no order of bytes. Returns what is chosen always, or 0. */
static unsigned make_raw(const struct select *s, struct select_node *n)
{
	uint32_t mask;
	const struct select_value *load = vm_select_masked(s, n->value, &mask);

	if (n->op == BPF_JNE) {
		uint8_t yes = n->yes;

		n->op = BPF_JEQ;
		n->yes = n->no;
		n->no = yes;
	}
	if (!load || (n->op != BPF_JEQ && n->op != BPF_JSET))
		return 0;
	if (n->op == BPF_JSET)
		mask &= n->k;
	if (n->op == BPF_JSET ? !mask : n->k & ~mask)
		return n->no;
	n->raw = true;
	n->mask = in_packet_order(mask, load->size);
	n->k = in_packet_order(n->k, load->size);
	return 0;
}

static unsigned add_node(struct select *s, const struct select_node *n)
{
	for (unsigned i = 1; i < s->nnodes; i++) {
		const struct select_node *o = &s->nodes[i];

		if (o->value == n->value && o->op == n->op && o->k == n->k &&
		    o->mask == n->mask && o->yes == n->yes && o->no == n->no)
			return i;
	}
	if (s->nnodes == sizeof(s->nodes) / sizeof(*s->nodes))
		return 0;
	s->nodes[s->nnodes] = *n;
	return s->nnodes++;
}

static unsigned add_end(struct select *s, const struct select_value *r0)
{
	struct select_node end = { .k = r0->k };

	if (r0->kind != SELECT_CONST)
		return 0;
	s->nends = 0;
	unsigned node = add_node(s, &end);
	for (unsigned i = 1; i < s->nnodes; i++)
		s->nends += !s->nodes[i].value;
	return s->nends <= SELECT_ENDS ? node : 0;
}

static unsigned decide(struct planner *pl, uint32_t i, struct state st);

static unsigned add_branch(struct planner *pl, uint32_t i, const struct state *st)
{
	const struct bpf_insn *p = &pl->prog->insns[i];
	struct select_node n = { .value = st->reg[p->dst_reg], .op = BPF_OP(p->code) };
	unsigned kind = pl->s->values[n.value].kind, chosen;
	bool is_signed =
		n.op == BPF_JSGT || n.op == BPF_JSGE || n.op == BPF_JSLT || n.op == BPF_JSLE;

	if ((kind != SELECT_LOAD && kind != SELECT_ALU) || !operand(pl->s, st, p, &n.k))
		return 0;
	if (BPF_CLASS(p->code) == BPF_JMP && (is_signed || (int32_t)n.k < 0))
		return 0;
	n.yes = (uint8_t)decide(pl, i + 1 + (uint32_t)pl->prog->ops[i].jump, *st);
	n.no = n.yes ? (uint8_t)decide(pl, i + 1, *st) : 0;
	if (!n.no || n.yes == n.no)
		return n.no;
	chosen = make_raw(pl->s, &n);
	return chosen ? chosen : add_node(pl->s, &n);
}

/* The end, or the comparison, that the program comes to from instruction i. */
static unsigned walk(struct planner *pl, uint32_t i, struct state st)
{
	for (;;) {
		const struct bpf_insn *p = &pl->prog->insns[i];
		const struct vm_op *op = &pl->prog->ops[i];

		if (op->id == INSN_EXIT)
			return add_end(pl->s, &pl->s->values[st.reg[0]]);
		if (is_jump(op, p) && !always_jumps(op))
			return add_branch(pl, i, &st);
		if (op->id != VM_OP_NONE && !is_jump(op, p) && !step(pl->s, &st, p))
			return 0;
		i += 1 + (is_jump(op, p) ? (uint32_t)op->jump : 0);
	}
}

/*
 * A node for what is left to do with these values: ways that meet with other values get nodes
 * of their own. 0: it cannot be told.
 */
static unsigned decide(struct planner *pl, uint32_t i, struct state st)
{
	unsigned k;

	for (unsigned r = 0; r <= BPF_REG_10; r++) {
		if (!(pl->live[i] >> r & 1))
			st.reg[r] = 0;
	}
	for (k = 0; k < pl->nseen; k++) {
		if (pl->seen[k].insn == i && !memcmp(&pl->seen[k].st, &st, sizeof(st)))
			return pl->seen[k].node;
	}
	unsigned node = walk(pl, i, st);
	if (!node || pl->nseen == SEEN)
		return 0;
	pl->seen[pl->nseen++] = (struct seen){ i, st, (uint8_t)node };
	return node;
}

static void count_uses(struct select *s)
{
	s->nodes[s->root].uses = 1;
	for (unsigned i = s->nnodes; i-- > 1;) {
		const struct select_node *n = &s->nodes[i];

		if (!n->uses || !n->value)
			continue;
		s->nodes[n->yes].uses++;
		s->nodes[n->no].uses++;
	}
}

/* --- comparisons of many bytes --- */

/* A comparison as bytes that must be there, with what follows if so and if not. */
struct test {
	struct select_wide w;
	uint32_t end; /* of its bytes; they begin at w.at */
	uint8_t yes, no;
};

static bool as_test(const struct select *s, const struct select_node *n, struct test *t)
{
	uint32_t mask, k = n->op == BPF_JEQ ? n->k : 0;
	const struct select_value *load = n->raw ? vm_select_masked(s, n->value, &mask) : NULL;

	if (!load || load->of)
		return false;
	*t = (struct test){ .w.at = load->k,
			    .end = load->k + load->size,
			    .yes = n->op == BPF_JEQ ? n->yes : n->no,
			    .no = n->op == BPF_JEQ ? n->no : n->yes };
	for (unsigned i = 0; i < load->size; i++) {
		t->w.mask[i] = (uint8_t)(n->mask >> 8 * i);
		t->w.bytes[i] = (uint8_t)(k >> 8 * i);
	}
	return true;
}

static bool add_bytes(struct select_wide *w, const struct test *t)
{
	for (uint32_t i = t->w.at; i < t->end; i++) {
		uint8_t mask = t->w.mask[i - t->w.at], byte = t->w.bytes[i - t->w.at];
		uint32_t at = i - w->at;

		if ((w->bytes[at] ^ byte) & w->mask[at] & mask)
			return false;
		w->mask[at] |= mask;
		w->bytes[at] |= byte;
	}
	return true;
}

static bool contradicts(const struct test *t, const struct test *u)
{
	for (uint32_t i = t->w.at; i < t->end; i++) {
		uint32_t at = i - u->w.at;

		if (i >= u->w.at && i < u->end &&
		    (t->w.bytes[i - t->w.at] ^ u->w.bytes[at]) & t->w.mask[i - t->w.at] &
			    u->w.mask[at])
			return true;
	}
	return false;
}

/* Where a node leads when t holds: past those that want other bytes in its place. */
static unsigned given(const struct select *s, unsigned node, const struct test *t)
{
	struct test u;

	while (as_test(s, &s->nodes[node], &u) && contradicts(t, &u))
		node = u.no;
	return node;
}

/* Both, when what they look at fits; the window must be inside of the packet. */
static bool both(const struct select *s, struct test *t, const struct test *u)
{
	uint32_t start = t->w.at < u->w.at ? t->w.at : u->w.at;
	uint32_t end = t->end > u->end ? t->end : u->end;
	struct test sum = { .end = end, .yes = u->yes, .no = t->no };

	if (s->end < SELECT_WIDE || end - start > SELECT_WIDE)
		return false;
	sum.w.at = start;
	if (!add_bytes(&sum.w, t) || !add_bytes(&sum.w, u))
		return false;
	*t = sum;
	return true;
}

/* Takes over what follows n for no other, while it ends in the same place when it does not
 * hold. */
static void widen(struct select *s, struct select_node *n)
{
	struct test t, u;
	unsigned taken = 0;

	if (!as_test(s, n, &t))
		return;
	for (;;) {
		struct select_node *next = &s->nodes[t.yes];

		if (!next->value || next->uses != 1 || !as_test(s, next, &u) ||
		    u.no != given(s, t.no, &t) || !both(s, &t, &u))
			break;
		next->uses = 0;
		s->nodes[u.no].uses--;
		taken++;
	}
	if (!taken)
		return;
	n->op = BPF_JEQ;
	n->yes = t.yes;
	n->no = t.no;
	n->wide = (uint8_t)++s->nwides;
	/* Not past the end: the bytes move up in the window. */
	uint32_t over = t.w.at + SELECT_WIDE > s->end ? t.w.at + SELECT_WIDE - s->end : 0;
	struct select_wide *w = &s->wides[n->wide];

	*w = (struct select_wide){ .at = t.w.at - over };
	memcpy(w->mask + over, t.w.mask, SELECT_WIDE - over);
	memcpy(w->bytes + over, t.w.bytes, SELECT_WIDE - over);
}

bool vm_select_plan(struct select *s, const struct vm_prog *prog)
{
	struct planner pl = { .s = s, .prog = prog };

	*s = (struct select){ .nvalues = 1, .nnodes = 1 };
	pl.live = xcalloc(prog->n + 1u, sizeof(*pl.live));
	find_live(&pl);
	s->root = (uint8_t)decide(&pl, 0, (struct state){ 0 });
	free(pl.live);
	if (!s->root || !s->nodes[s->root].value)
		return false;
	count_uses(s);
	for (unsigned i = s->nnodes; i-- > 1;) {
		if (s->nodes[i].uses && s->nodes[i].value)
			widen(s, &s->nodes[i]);
	}
	return true;
}
