#include "codegen/operand.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/* How an operation becomes instructions; code is what the machine calls it. */
struct pattern {
	void (*select)(struct isel *s, ref r, const struct ins *i);
	uint8_t code;
};
static const struct pattern patterns[OP_COUNT];

/* The same test with its operands exchanged. */
static unsigned mirror_jump(unsigned op)
{
	switch (op) {
	case BPF_JLT: return BPF_JGT;
	case BPF_JLE: return BPF_JGE;
	case BPF_JGT: return BPF_JLT;
	case BPF_JGE: return BPF_JLE;
	case BPF_JSLT: return BPF_JSGT;
	case BPF_JSLE: return BPF_JSGE;
	case BPF_JSGT: return BPF_JSLT;
	case BPF_JSGE: return BPF_JSLE;
	}
	return op;
}

static bool is_compare(const struct ins *i)
{
	return op_infos[i->op].flags & OP_COMPARE;
}

static bool is_const(const struct isel *s, ref r, int64_t v)
{
	return s->values[r].kind == VALUE_CONST && s->values[r].off == v;
}

/* --- conditions --------------------------------------------------------------------------- */

/* A test that a jump can make: a op b. */
struct cond {
	unsigned op; /* BPF_JEQ ... */
	ref a, b;    /* b = 0: compared with 0 */
	bool inverted;
};

static struct cond compare_cond(const struct isel *s, const struct ins *i)
{
	if (s->values[i->a].kind == VALUE_CONST)
		return (struct cond){ mirror_jump(patterns[i->op].code), i->b, i->a, false };
	return (struct cond){ patterns[i->op].code, i->a, i->b, false };
}

/* Is r the test `x == 0` or `x != 0`? */
static bool is_zero_test(const struct isel *s, ref r, struct cond *c)
{
	const struct ins *i = ir_ins(s->fn, r);

	if (i->op != OP_EQ && i->op != OP_NE)
		return false;
	*c = compare_cond(s, i);
	return is_const(s, c->b, 0);
}

/* What a branch on r tests: negations of a comparison and masks need no register. */
static struct cond branch_cond(const struct isel *s, ref r)
{
	bool inverted = false;
	struct cond c;

	while (is_zero_test(s, r, &c) && is_compare(ir_ins(s->fn, c.a))) {
		inverted ^= c.op == BPF_JEQ;
		r = c.a;
	}
	if (is_zero_test(s, r, &c)) {
		inverted ^= c.op == BPF_JEQ;
		r = c.a;
	} else if (is_compare(ir_ins(s->fn, r))) {
		c = compare_cond(s, ir_ins(s->fn, r));
		c.inverted = inverted;
		return c;
	}

	const struct ins *i = ir_ins(s->fn, r);
	if (i->op == OP_AND && !operand_is_made(s, i->a))
		return (struct cond){ BPF_JSET, i->a, i->b, inverted };
	return (struct cond){ BPF_JNE, r, 0, inverted };
}

/* The jump that makes the test; its target is left to the caller. */
static struct minsn cond_insn(struct isel *s, const struct cond *c)
{
	struct minsn j = { .code = BPF_JMP | c->op | BPF_K };
	int32_t imm = 0;

	j.dst = operand_reg(s, c->a);
	if (c->b && !operand_is_imm(s, c->b, &imm)) {
		j.code = BPF_JMP | c->op | BPF_X;
		j.src = operand_reg(s, c->b);
	}
	j.imm = imm;
	return j;
}

/* --- what is wanted in registers ---------------------------------------------------------- */

static void ask(struct isel *s, ref r)
{
	if (!r || operand_is_made(s, r))
		return;
	if (s->uses[r]++)
		return;
	vec_push(s->m->arena, &s->asked, r);

	int param = operand_param(ir_ins(s->fn, r));
	if (param >= 0 && !s->param[param])
		s->param[param] = mir_vreg(s->m);
}

static void ask_memory(struct isel *s, ref r)
{
	if (!operand_is_made(s, r))
		ask(s, s->values[r].id);
}

static void ask_cond(struct isel *s, struct cond c)
{
	ask(s, c.a);
	ask(s, c.b);
}

static void ask_operands(struct isel *s, const struct ins *i)
{
	switch (i->op) {
	case OP_LOAD: ask_memory(s, i->a); return;
	case OP_STORE:
	case OP_ATOMIC_ADD:
	case OP_XCHG:
	case OP_CMPXCHG:
		ask_memory(s, i->a);
		ask(s, i->b);
		ask(s, i->c);
		return;
	case OP_CALL:
	case OP_PHI:
		for (unsigned k = 0; k < i->nargs; k++)
			ask(s, i->args[k]);
		return;
	case OP_BR: ask_cond(s, branch_cond(s, i->a)); return;
	}
	ask(s, i->a);
	ask(s, i->b);
}

/* Starts from what has an effect. */
static void ask_all(struct isel *s)
{
	for (uint32_t p = 0; p < s->o->n; p++)
		vec_each(r, &s->fn->blks.data[s->o->blks[p]].ins) {
			const struct ins *i = ir_ins(s->fn, *r);

			if (op_infos[i->op].flags & OP_EFFECT)
				ask_operands(s, i);
		}
	while (s->asked.len) {
		ref r = s->asked.data[--s->asked.len];
		const struct ins *i = ir_ins(s->fn, r);

		if (!(op_infos[i->op].flags & OP_EFFECT))
			ask_operands(s, i);
	}
}

/* --- instructions ------------------------------------------------------------------------- */

static void select_compare(struct isel *s, ref r, const struct ins *i)
{
	struct cond c = compare_cond(s, i);
	struct minsn set = cond_insn(s, &c);

	set.kind = MK_SET;
	set.arg = operand_home(s, r);
	put(s, set);
}

static bool commutes(const struct ins *i)
{
	return op_infos[i->op].flags & OP_COMMUTES;
}

/* The immediate that may stand for the right operand r of op, if any. */
static bool right_imm(const struct isel *s, unsigned op, ref r, int32_t *imm)
{
	if (!operand_is_imm(s, r, imm))
		return false;
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		*imm &= 63;
	/* The kernel refuses to divide by a constant zero, though not by a register. */
	return *imm || (op != BPF_DIV && op != BPF_MOD);
}

static void select_binary(struct isel *s, ref r, const struct ins *i)
{
	unsigned op = patterns[i->op].code;
	mreg dst = operand_home(s, r), right;
	ref a = i->a, b = i->b;
	int32_t imm;

	/* The left operand is copied: better the one that nobody needs afterwards. */
	if (commutes(i) && (s->values[a].kind == VALUE_CONST ||
			    (!operand_is_made(s, b) && s->uses[a] > 1 && s->uses[b] == 1))) {
		a = i->b;
		b = i->a;
	}
	if (op == BPF_AND && is_const(s, b, UINT32_MAX) && !operand_is_made(s, a)) {
		put(s, (struct minsn){ .code = BPF_ALU | BPF_MOV | BPF_X,
				       .dst = dst,
				       .src = operand_home(s, a) });
		return;
	}
	if (right_imm(s, op, b, &imm)) {
		operand_into(s, dst, a);
		put_alu_imm(s, op, dst, imm);
		return;
	}
	right = operand_reg(s, b);
	operand_into(s, dst, a);
	put_alu_reg(s, op, dst, right);
}

static void select_unary(struct isel *s, ref r, const struct ins *i)
{
	mreg dst = operand_home(s, r);

	operand_into(s, dst, i->a);
	if (i->op == OP_NOT)
		put_alu_imm(s, BPF_XOR, dst, -1);
	else
		put_alu_imm(s, BPF_NEG, dst, 0);
}

static void select_zext(struct isel *s, ref r, const struct ins *i)
{
	mreg dst = operand_home(s, r);

	if (i->size == 4) {
		put(s, (struct minsn){ .code = BPF_ALU | BPF_MOV | BPF_X,
				       .dst = dst,
				       .src = operand_reg(s, i->a) });
		return;
	}
	operand_into(s, dst, i->a);
	if (i->size < 4)
		put_alu_imm(s, BPF_AND, dst, (1 << (i->size * 8)) - 1);
}

static void select_sext(struct isel *s, ref r, const struct ins *i)
{
	mreg dst = operand_home(s, r);
	int bits = i->size * 8;

	if (bits < 64 && s->target->isa >= 4) {
		put(s, (struct minsn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				       .dst = dst,
				       .src = operand_reg(s, i->a),
				       .off = bits });
		return;
	}
	operand_into(s, dst, i->a);
	if (bits < 64) {
		put_alu_imm(s, BPF_LSH, dst, 64 - bits);
		put_alu_imm(s, BPF_ARSH, dst, 64 - bits);
	}
}

static void select_bswap(struct isel *s, ref r, const struct ins *i)
{
	unsigned swap = __BYTE_ORDER == __LITTLE_ENDIAN ? BPF_TO_BE : BPF_TO_LE;
	mreg dst = operand_home(s, r);

	operand_into(s, dst, i->a);
	put(s,
	    (struct minsn){ .code = BPF_ALU | BPF_END | swap, .dst = dst, .imm = i->size * 8 });
}

static unsigned size_code(unsigned size)
{
	switch (size) {
	case 1: return BPF_B;
	case 2: return BPF_H;
	case 4: return BPF_W;
	}
	return BPF_DW;
}

static void select_load(struct isel *s, ref r, const struct ins *i)
{
	struct mem at = operand_mem(s, i->a, i->imm);

	put(s, (struct minsn){ .code = BPF_LDX | BPF_MEM | size_code(i->size),
			       .dst = operand_home(s, r),
			       .src = at.base,
			       .off = at.off });
}

/* The constant r as the immediate of a store, which keeps only its lowest size bytes. */
static bool store_imm(const struct isel *s, ref r, unsigned size, int32_t *imm)
{
	if (s->values[r].kind != VALUE_CONST)
		return false;
	*imm = s->values[r].off;
	return size < 8 || fits_s32(s->values[r].off);
}

static void select_store(struct isel *s, ref r, const struct ins *i)
{
	(void)r;
	struct mem at = operand_mem(s, i->a, i->imm);
	struct minsn st = { .dst = at.base, .off = at.off };
	int32_t imm;

	if (store_imm(s, i->b, i->size, &imm)) {
		st.code = BPF_ST | BPF_MEM | size_code(i->size);
		st.imm = imm;
	} else {
		st.code = BPF_STX | BPF_MEM | size_code(i->size);
		st.src = operand_reg(s, i->b);
	}
	put(s, st);
}

static void put_atomic(struct isel *s, const struct ins *i, struct mem at, mreg src, int op)
{
	if (i->size < 4)
		BUG("atomic operation on %u bytes", i->size);
	if ((op & BPF_FETCH) && s->target->isa < 3)
		s->status = err_set(s->e, -ENOTSUP, "%s: needs a kernel with atomic exchange",
				    s->fn->name);
	put(s, (struct minsn){ .code = BPF_STX | BPF_ATOMIC | size_code(i->size),
			       .dst = at.base,
			       .src = src,
			       .off = at.off,
			       .imm = op });
}

static void select_atomic_add(struct isel *s, ref r, const struct ins *i)
{
	struct mem at = operand_mem(s, i->a, i->imm);

	(void)r;
	put_atomic(s, i, at, operand_reg(s, i->b), BPF_ADD);
}

static void select_xchg(struct isel *s, ref r, const struct ins *i)
{
	struct mem at = operand_mem(s, i->a, i->imm);
	mreg dst = operand_home(s, r);

	operand_into(s, dst, i->b);
	put_atomic(s, i, at, dst, BPF_XCHG);
}

/* Gives r the result that the machine left in r0. */
static void take_result(struct isel *s, ref r)
{
	if (s->uses[r])
		put_alu_reg(s, BPF_MOV, operand_home(s, r), BPF_REG_0);
}

static void select_cmpxchg(struct isel *s, ref r, const struct ins *i)
{
	struct mem at = operand_mem(s, i->a, i->imm);
	mreg src = operand_reg(s, i->c);

	operand_into(s, BPF_REG_0, i->b);
	put_atomic(s, i, at, src, BPF_CMPXCHG);
	take_result(s, r);
}

/* Arguments in registers go first: what is made on the way needs none of its own. */
/* What the instruction says of whom it calls; image_link() settles functions. */
static uint8_t call_kind(const struct ins *i)
{
	if (is_helper_call(i))
		return 0;
	return i->imm < CALL_KERNEL ? BPF_PSEUDO_CALL : BPF_PSEUDO_KFUNC_CALL;
}

static void select_call(struct isel *s, ref r, const struct ins *i)
{
	for (unsigned k = 0; k < i->nargs; k++)
		if (!operand_is_made(s, i->args[k]))
			operand_into(s, BPF_REG_1 + k, i->args[k]);
	for (unsigned k = 0; k < i->nargs; k++)
		if (operand_is_made(s, i->args[k]))
			operand_into(s, BPF_REG_1 + k, i->args[k]);
	put(s, (struct minsn){ .code = BPF_JMP | BPF_CALL,
			       .kind = MK_CALL,
			       .arg = i->nargs,
			       .callee = call_kind(i),
			       .imm = (uint32_t)i->imm });
	operand_forget(s);
	take_result(s, r);
}

/* --- the ends of blocks ------------------------------------------------------------------- */

static struct mblk *current(struct isel *s)
{
	return &vec_last(&s->m->blks);
}

static void start_block(struct isel *s, uint32_t depth)
{
	struct mblk *b = vec_add(s->m->arena, &s->m->blks);

	b->beg = s->m->ins.len;
	b->depth = depth;
	operand_forget(s);
}

static void end_block(struct isel *s)
{
	current(s)->end = s->m->ins.len;
}

/* Is scratch memory an element that this program takes for itself while it runs? */
static bool is_claimed(const struct isel *s)
{
	return s->scratch && s->target->scratch_copies > 1;
}

/* Every program that ends lets another one have its element. */
static void put_release(struct isel *s)
{
	if (is_claimed(s))
		put(s, (struct minsn){ .code = BPF_ST | BPF_MEM | BPF_DW,
				       .dst = s->scratch,
				       .off = SCRATCH_BUSY });
}

static void put_return(struct isel *s, int64_t v)
{
	put_const(s, BPF_REG_0, v);
	put(s, (struct minsn){ .code = BPF_JMP | BPF_EXIT });
}

/* The machine block made from an IR block: the prologue comes before them all. */
static uint32_t machine_block(const struct isel *s, blkid b)
{
	return s->o->index[b] + s->nprologue;
}

static void select_jmp(struct isel *s, ref r, const struct ins *i)
{
	(void)r;
	phi_copy(s, s->cur, i->blk[0]);
	put(s, (struct minsn){ .code = BPF_JMP | BPF_JA });
	current(s)->succ[current(s)->nsucc++] = machine_block(s, i->blk[0]);
}

static void select_br(struct isel *s, ref r, const struct ins *i)
{
	struct cond c = branch_cond(s, i->a);

	(void)r;
	put(s, cond_insn(s, &c));
	current(s)->succ[0] = machine_block(s, i->blk[c.inverted]);
	current(s)->succ[1] = machine_block(s, i->blk[!c.inverted]);
	current(s)->nsucc = 2;
}

static void select_ret(struct isel *s, ref r, const struct ins *i)
{
	(void)r;
	put_release(s);
	if (!i->a) {
		put_return(s, 0);
		return;
	}
	operand_into(s, BPF_REG_0, i->a);
	put(s, (struct minsn){ .code = BPF_JMP | BPF_EXIT });
}

/* The verifier wants to see an end even where control never comes. */
static void select_unreachable(struct isel *s, ref r, const struct ins *i)
{
	(void)r, (void)i;
	put_release(s);
	put_return(s, 0);
}

/* Sources of values: made where they are used, set by the prologue or by phi_copy(). */
static void select_nothing(struct isel *s, ref r, const struct ins *i)
{
	(void)s, (void)r, (void)i;
}

static const struct pattern patterns[OP_COUNT] = {
	[OP_NONE] = { select_nothing },
	[OP_CONST] = { select_nothing },
	[OP_CTX] = { select_nothing },
	[OP_PARAM] = { select_nothing },
	[OP_SLOT] = { select_nothing },
	[OP_MAP] = { select_nothing },
	[OP_FUNC] = { select_nothing },
	[OP_MAPVAL] = { select_nothing },
	[OP_PHI] = { select_nothing },
	[OP_ADD] = { select_binary, BPF_ADD },
	[OP_SUB] = { select_binary, BPF_SUB },
	[OP_MUL] = { select_binary, BPF_MUL },
	[OP_UDIV] = { select_binary, BPF_DIV },
	[OP_UMOD] = { select_binary, BPF_MOD },
	[OP_AND] = { select_binary, BPF_AND },
	[OP_OR] = { select_binary, BPF_OR },
	[OP_XOR] = { select_binary, BPF_XOR },
	[OP_SHL] = { select_binary, BPF_LSH },
	[OP_SHR] = { select_binary, BPF_RSH },
	[OP_SAR] = { select_binary, BPF_ARSH },
	[OP_NEG] = { select_unary, BPF_NEG },
	[OP_NOT] = { select_unary, BPF_XOR },
	[OP_SEXT] = { select_sext },
	[OP_ZEXT] = { select_zext },
	[OP_BSWAP] = { select_bswap },
	[OP_EQ] = { select_compare, BPF_JEQ },
	[OP_NE] = { select_compare, BPF_JNE },
	[OP_ULT] = { select_compare, BPF_JLT },
	[OP_ULE] = { select_compare, BPF_JLE },
	[OP_UGT] = { select_compare, BPF_JGT },
	[OP_UGE] = { select_compare, BPF_JGE },
	[OP_SLT] = { select_compare, BPF_JSLT },
	[OP_SLE] = { select_compare, BPF_JSLE },
	[OP_SGT] = { select_compare, BPF_JSGT },
	[OP_SGE] = { select_compare, BPF_JSGE },
	[OP_LOAD] = { select_load },
	[OP_STORE] = { select_store },
	[OP_ATOMIC_ADD] = { select_atomic_add },
	[OP_XCHG] = { select_xchg },
	[OP_CMPXCHG] = { select_cmpxchg },
	[OP_CALL] = { select_call },
	[OP_JMP] = { select_jmp },
	[OP_BR] = { select_br },
	[OP_RET] = { select_ret },
	[OP_UNREACHABLE] = { select_unreachable },
};

/* --- the whole ---------------------------------------------------------------------------- */

enum { SCRATCH_KEY = -8 }; /* its place on the stack */

/*
 * Fetches the address of an element of the scratch map.  The key lies in the slots' part of the
 * stack, whose contents are not defined yet.
 */
static void put_scratch_lookup(struct isel *s, uint32_t element, uint32_t miss)
{
	const struct value map = { VALUE_MAP, s->target->scratch_map, 0 };
	const struct value key = { VALUE_STACK, 0, SCRATCH_KEY };

	put(s, (struct minsn){ .code = BPF_ST | BPF_MEM | BPF_W,
			       .dst = BPF_REG_10,
			       .off = SCRATCH_KEY,
			       .imm = element });
	operand_make(s, BPF_REG_1, map);
	operand_make(s, BPF_REG_2, key);
	put(s, (struct minsn){ .code = BPF_JMP | BPF_CALL,
			       .kind = MK_CALL,
			       .arg = 2,
			       .imm = BPF_FUNC_map_lookup_elem });
	put_alu_reg(s, BPF_MOV, s->scratch, BPF_REG_0);
	put(s, (struct minsn){ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst = s->scratch });
	current(s)->succ[current(s)->nsucc++] = miss;
}

/* Marks an element as taken, and goes on with the body if nobody had done so before. */
static void put_claim(struct isel *s, uint32_t taken)
{
	mreg busy = mir_vreg(s->m);

	put_const(s, busy, 1);
	put(s, (struct minsn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
			       .dst = s->scratch,
			       .off = SCRATCH_BUSY,
			       .src = busy,
			       .imm = BPF_XCHG });
	put(s, (struct minsn){ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst = busy });
	current(s)->succ[current(s)->nsucc++] = machine_block(s, 0);
	current(s)->succ[current(s)->nsucc++] = taken;
}

static void put_scratch_prologue(struct isel *s)
{
	uint32_t miss = s->nprologue + s->o->n;

	if (!is_claimed(s)) {
		put_scratch_lookup(s, 0, miss);
		current(s)->succ[current(s)->nsucc++] = machine_block(s, 0);
		end_block(s);
		return;
	}
	for (uint32_t k = 0; k < s->target->scratch_copies; k++) {
		bool last = k + 1 == s->target->scratch_copies;

		if (k)
			start_block(s, 0);
		put_scratch_lookup(s, k, miss);
		current(s)->succ[current(s)->nsucc++] = 2 * k + 1;
		end_block(s);
		start_block(s, 0);
		put_claim(s, last ? miss : 2 * k + 2);
		end_block(s);
	}
}

static void put_prologue(struct isel *s)
{
	start_block(s, 0);
	for (unsigned k = 0; k < PARAMS_MAX; k++)
		if (s->param[k])
			put_alu_reg(s, BPF_MOV, s->param[k], BPF_REG_1 + k);
	if (s->scratch) {
		put_scratch_prologue(s);
		return;
	}
	put(s, (struct minsn){ .code = BPF_JMP | BPF_JA });
	current(s)->succ[current(s)->nsucc++] = machine_block(s, 0);
	end_block(s);
}

/* Without scratch memory the program counts a miss and does nothing else. */
static void put_miss(struct isel *s)
{
	const struct value counter = { VALUE_MAPVAL, s->target->miss_map, s->target->miss_off };
	mreg at = mir_vreg(s->m), one = mir_vreg(s->m);

	start_block(s, 0);
	operand_make(s, at, counter);
	put_const(s, one, 1);
	put(s, (struct minsn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
			       .dst = at,
			       .src = one,
			       .imm = BPF_ADD });
	put_return(s, 0);
	end_block(s);
}

static void select_block(struct isel *s, uint32_t place)
{
	s->cur = s->o->blks[place];
	start_block(s, s->o->depth[place]);
	vec_each(r, &s->fn->blks.data[s->cur].ins) {
		const struct ins *i = ir_ins(s->fn, *r);

		if (!s->uses[*r] && !(op_infos[i->op].flags & OP_EFFECT))
			continue;
		s->span = i->span;
		patterns[i->op].select(s, *r, i);
	}
	end_block(s);
}

int isel(struct mfn *m, const struct fn *fn, const struct order *o, const struct frame *f,
	 const struct codegen_target *target, struct err *e)
{
	struct isel s = {
		.m = m,
		.fn = fn,
		.o = o,
		.f = f,
		.target = target,
		.e = e,
		.values = arena_array(m->arena, struct value, fn->ins.len),
		.vreg = arena_array(m->arena, mreg, fn->ins.len),
		.uses = arena_array(m->arena, uint32_t, fn->ins.len),
		.scratch = f->scratch_size ? mir_vreg(m) : 0,
	};

	s.nprologue = is_claimed(&s) ? 2 * target->scratch_copies : 1;
	phi_prepare(&s);
	operand_find_values(&s);
	ask_all(&s);

	put_prologue(&s);
	for (uint32_t p = 0; p < o->n; p++)
		select_block(&s, p);
	s.span = (struct span){ 0 };
	if (s.scratch)
		put_miss(&s);
	mir_link(m);
	return s.status;
}
