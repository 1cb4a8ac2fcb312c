/*
 * Fold constants and simplify arithmetic.
 * needs: ssa, reachable    keeps: ssa, reachable; cfg where no branch became constant
 *
 * The kernel's verifier will follow every value of the result, so a value may become simpler
 * only in ways it can follow as well:
 *  - An operand is looked through only when it stands in the same block.  Between two blocks a
 *    branch may have narrowed the operand, and what is built on its parts would not know.
 *  - Bits are known to be zero only where the verifier knows it too (see width_of).
 *  - `sub` stays `sub`, and nothing but constants moves within an address.
 *  - br keeps its comparison with 0: it may be the check of a pointer.
 */
#include "ir/effect.h"
#include "ir/pass.h"

#include <limits.h>

struct folder {
	struct fn *fn;
	struct arena scratch;
	struct dom dom;
	struct renames renames;
	struct rewrite rw;
	struct ref_vec late; /* constants that were phis; they go behind the phis */
	bool changed, cut;   /* cut: a branch became a jump */
};

/* A rule's result: leave the instruction, take its changed copy, or use another value. */
enum outcome { SAME, CHANGED, REPLACED };

/* An instruction being simplified: a copy, as the original moves when constants are added. */
struct work {
	struct folder *f;
	ref r;
	struct ins i;
	ref by; /* REPLACED */
};

static const struct ins *def(const struct work *w, ref r)
{
	return ir_ins(w->f->fn, r);
}

/* The definition of r when it stands in the same block, else NULL. */
static const struct ins *def_here(const struct work *w, ref r)
{
	const struct ins *i = def(w, r);

	return i->home == w->i.home ? i : NULL;
}

static bool is_const(const struct work *w, ref r, int64_t *v)
{
	const struct ins *i = def(w, r);

	if (i->op != OP_CONST)
		return false;
	*v = i->imm;
	return true;
}

static bool is_compare(const struct ins *i)
{
	return op_infos[i->op].flags & OP_COMPARE;
}

static ref new_const(struct work *w, int64_t v)
{
	return rewrite_new(&w->f->rw, (struct ins){ .op = OP_CONST, .imm = v }, w->r);
}

static enum outcome use(struct work *w, ref by)
{
	w->by = by;
	return REPLACED;
}

static enum outcome become_const(struct work *w, int64_t v)
{
	struct ins i = { .op = OP_CONST, .imm = v, .home = w->i.home, .span = w->i.span };

	w->i = i;
	return CHANGED;
}

static enum outcome become(struct work *w, enum ir_op op, ref a, ref b)
{
	w->i.op = op;
	w->i.nargs = op_infos[op].nargs;
	w->i.a = a;
	w->i.b = b;
	return CHANGED;
}

static enum outcome become_ext(struct work *w, enum ir_op op, unsigned size, ref a)
{
	w->i.size = size;
	return become(w, op, a, 0);
}

/* ---- what is known of a value ---- */

static unsigned bits_of(uint64_t v)
{
	return v ? 64 - __builtin_clzll(v) : 1;
}

static unsigned width_of_and(const struct folder *f, const struct ins *i)
{
	const struct ins *b = ir_ins(f->fn, i->b);

	return b->op == OP_CONST ? bits_of((uint64_t)b->imm) : 64;
}

static unsigned width_of_shr(const struct folder *f, const struct ins *i)
{
	const struct ins *b = ir_ins(f->fn, i->b);

	return b->op == OP_CONST && b->imm > 0 && b->imm < 64 ? 64 - b->imm : 64;
}

/* How many low bits may be set, as far as the verifier of every kernel knows it. */
static unsigned width_of(const struct folder *f, ref r)
{
	const struct ins *i = ir_ins(f->fn, r);

	if (is_compare(i))
		return 1;
	switch (i->op) {
	case OP_CONST: return bits_of((uint64_t)i->imm);
	case OP_LOAD:
	case OP_ZEXT: return i->size * 8;
	case OP_AND: return width_of_and(f, i);
	case OP_SHR: return width_of_shr(f, i);
	default: return 64;
	}
}

/* Can r be no address? Then what the verifier forbids on addresses may be done with it. */
static bool is_number(const struct work *w, ref r)
{
	const struct ins *i = def(w, r);

	switch (i->op) {
	case OP_CONST:
	case OP_MUL:
	case OP_UDIV:
	case OP_UMOD:
	case OP_AND:
	case OP_OR:
	case OP_XOR:
	case OP_SHL:
	case OP_SHR:
	case OP_SAR:
	case OP_NEG:
	case OP_NOT:
	case OP_SEXT:
	case OP_ZEXT:
	case OP_BSWAP: return true;
	case OP_LOAD: return i->size < 8;
	default: return is_compare(i);
	}
}

/* ---- comparisons ---- */

static const struct compare {
	uint8_t inverse; /* true when this is false */
	uint8_t mirror;	 /* the same with the operands exchanged */
	bool of_equals;	 /* what it gives for equal operands */
} compares[OP_COUNT] = {
	[OP_EQ] = { OP_NE, OP_EQ, true },     [OP_NE] = { OP_EQ, OP_NE, false },
	[OP_ULT] = { OP_UGE, OP_UGT, false }, [OP_UGE] = { OP_ULT, OP_ULE, true },
	[OP_ULE] = { OP_UGT, OP_UGE, true },  [OP_UGT] = { OP_ULE, OP_ULT, false },
	[OP_SLT] = { OP_SGE, OP_SGT, false }, [OP_SGE] = { OP_SLT, OP_SLE, true },
	[OP_SLE] = { OP_SGT, OP_SGE, true },  [OP_SGT] = { OP_SLE, OP_SLT, false },
};

/* Compares again what r compares, so that a branch on it tests the operands themselves. */
static enum outcome restate(struct work *w, ref r, bool inverted)
{
	const struct ins *inner = def(w, r);

	return become(w, inverted ? compares[inner->op].inverse : inner->op, inner->a,
		      inner->b);
}

/* eq or ne of a value that is 0 or 1 with a constant. */
static enum outcome fold_truth(struct work *w, int64_t c)
{
	if (c == 0)
		return restate(w, w->i.a, w->i.op == OP_EQ);
	if (c == 1)
		return restate(w, w->i.a, w->i.op == OP_NE);
	return become_const(w, w->i.op == OP_NE);
}

static enum outcome fold_compare(struct work *w)
{
	enum ir_op op = w->i.op;
	int64_t c;

	if (w->i.a == w->i.b)
		return become_const(w, compares[op].of_equals);
	if (is_const(w, w->i.a, &c))
		return become(w, compares[op].mirror, w->i.b, w->i.a);
	if (!is_const(w, w->i.b, &c))
		return SAME;
	if (op == OP_ULT && c == 0)
		return become_const(w, 0);
	if (op == OP_UGE && c == 0)
		return become_const(w, 1);
	if (op != OP_EQ && op != OP_NE)
		return SAME;
	if (is_compare(def(w, w->i.a)))
		return fold_truth(w, c);
	if (bits_of((uint64_t)c) > width_of(w->f, w->i.a))
		return become_const(w, op == OP_NE);
	return SAME;
}

/* ---- binary operations ---- */

/* x op c where the result needs no operation. */
static const struct identity {
	uint8_t op;
	int64_t c;
	enum { GIVES_X, GIVES_C, GIVES_ZERO } result;
} identities[] = {
	{ OP_ADD, 0, GIVES_X },	    { OP_SUB, 0, GIVES_X },  { OP_MUL, 1, GIVES_X },
	{ OP_MUL, 0, GIVES_C },	    { OP_UDIV, 1, GIVES_X }, { OP_UDIV, 0, GIVES_C },
	{ OP_UMOD, 1, GIVES_ZERO }, { OP_UMOD, 0, GIVES_X }, { OP_AND, 0, GIVES_C },
	{ OP_AND, -1, GIVES_X },    { OP_OR, 0, GIVES_X },   { OP_OR, -1, GIVES_C },
	{ OP_XOR, 0, GIVES_X },	    { OP_SHL, 0, GIVES_X },  { OP_SHR, 0, GIVES_X },
	{ OP_SAR, 0, GIVES_X },
};

static enum outcome fold_identity(struct work *w, int64_t c)
{
	for (size_t k = 0; k < sizeof(identities) / sizeof(*identities); k++) {
		const struct identity *id = &identities[k];

		if (id->op != w->i.op || id->c != c)
			continue;
		return id->result == GIVES_X   ? use(w, w->i.a)
		       : id->result == GIVES_C ? use(w, w->i.b)
					       : become_const(w, 0);
	}
	return SAME;
}

/* Both operands are the same value. */
static enum outcome fold_same(struct work *w)
{
	switch (w->i.op) {
	case OP_SUB:
	case OP_XOR:
	case OP_UMOD: return become_const(w, 0);
	case OP_AND:
	case OP_OR: return use(w, w->i.a);
	default: return SAME;
	}
}

/* Multiplication and division by a power of two. */
static enum outcome fold_power(struct work *w, uint64_t c)
{
	ref a = w->i.a;

	if (c < 2 || c & (c - 1))
		return SAME;
	switch (w->i.op) {
	case OP_MUL: return become(w, OP_SHL, a, new_const(w, __builtin_ctzll(c)));
	case OP_UDIV: return become(w, OP_SHR, a, new_const(w, __builtin_ctzll(c)));
	case OP_UMOD: return become(w, OP_AND, a, new_const(w, c - 1));
	default: return SAME;
	}
}

/* (x op c1) op c2 is x op c, for these. */
static bool combine(enum ir_op op, int64_t c1, int64_t c2, int64_t *c)
{
	switch (op) {
	case OP_ADD:
	case OP_MUL:
	case OP_AND:
	case OP_OR:
	case OP_XOR: return ir_fold(op, 0, c1, c2, c);
	case OP_SHL:
	case OP_SHR: *c = c1 + c2; return c1 >= 0 && c1 < 64 && c2 >= 0 && c2 < 64 && *c < 64;
	default: return false;
	}
}

static enum outcome fold_chain(struct work *w, int64_t c2)
{
	const struct ins *inner = def_here(w, w->i.a);
	int64_t c1, c;

	if (!inner || inner->op != w->i.op || !is_const(w, inner->b, &c1) ||
	    !combine(w->i.op, c1, c2, &c))
		return SAME;

	ref x = inner->a;
	return become(w, w->i.op, x, new_const(w, c));
}

static enum outcome fold_mapval(struct work *w, int64_t c)
{
	const struct ins *a = def(w, w->i.a);

	if (w->i.op != OP_ADD || a->op != OP_MAPVAL)
		return SAME;

	int64_t off = (int64_t)(uint32_t)a->imm + c;
	if (c < INT32_MIN || c > INT32_MAX || off < 0 || off > UINT32_MAX)
		return SAME;
	w->i.imm = (int64_t)(((uint64_t)a->imm >> 32 << 32) | (uint32_t)off);
	return become(w, OP_MAPVAL, 0, 0);
}

/* A mask that leaves all bits that may be set, and xor of a truth value with 1. */
static enum outcome fold_mask(struct work *w, uint64_t c)
{
	unsigned width = width_of(w->f, w->i.a);
	uint64_t low = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

	if (w->i.op == OP_AND && (c & low) == low)
		return use(w, w->i.a);
	if (w->i.op == OP_XOR && c == 1 && is_compare(def(w, w->i.a)))
		return restate(w, w->i.a, true);
	return SAME;
}

static enum outcome fold_with_const(struct work *w, int64_t c)
{
	enum outcome o = fold_identity(w, c);

	if (o == SAME)
		o = fold_power(w, c);
	if (o == SAME)
		o = fold_mask(w, c);
	if (o == SAME)
		o = fold_mapval(w, c);
	if (o == SAME)
		o = fold_chain(w, c);
	return o;
}

static enum outcome fold_bin(struct work *w)
{
	int64_t a = 0, b = 0, c;
	bool ca = is_const(w, w->i.a, &a), cb = is_const(w, w->i.b, &b);

	if (ca && cb && ir_fold(w->i.op, w->i.size, a, b, &c))
		return become_const(w, c);
	if (is_compare(&w->i))
		return fold_compare(w);
	if (w->i.a == w->i.b)
		return fold_same(w);
	if (ca && op_infos[w->i.op].flags & OP_COMMUTES)
		return become(w, w->i.op, w->i.b, w->i.a);
	return cb ? fold_with_const(w, b) : SAME;
}

/* ---- operations on one value ---- */

/* Is inner an extension of which the instruction takes no more than was extended? */
static bool is_wider_ext(const struct work *w, const struct ins *inner)
{
	return (inner->op == OP_ZEXT || inner->op == OP_SEXT) && inner->size >= w->i.size &&
	       is_number(w, inner->a);
}

static enum outcome fold_zext(struct work *w)
{
	const struct ins *inner = def_here(w, w->i.a);
	unsigned bits = w->i.size * 8;
	int64_t mask;

	if (width_of(w->f, w->i.a) <= bits)
		return use(w, w->i.a);
	if (!inner)
		return SAME;
	if (is_wider_ext(w, inner))
		return become_ext(w, OP_ZEXT, w->i.size, inner->a);
	if (inner->op == OP_AND && is_const(w, inner->b, &mask) &&
	    !((uint64_t)~mask << (64 - bits)))
		return become_ext(w, OP_ZEXT, w->i.size, inner->a);
	return SAME;
}

static enum outcome fold_sext(struct work *w)
{
	const struct ins *any = def(w, w->i.a), *inner = def_here(w, w->i.a);

	if (w->i.size == 8 || width_of(w->f, w->i.a) < w->i.size * 8u)
		return use(w, w->i.a);
	if (any->op == OP_SEXT && any->size <= w->i.size)
		return use(w, w->i.a);
	if (inner && is_wider_ext(w, inner))
		return become_ext(w, OP_SEXT, w->i.size, inner->a);
	return SAME;
}

static enum outcome fold_un(struct work *w)
{
	const struct ins *inner = def(w, w->i.a);
	int64_t a, c;

	if (is_const(w, w->i.a, &a) && ir_fold(w->i.op, w->i.size, a, 0, &c))
		return become_const(w, c);
	switch (w->i.op) {
	case OP_ZEXT: return fold_zext(w);
	case OP_SEXT: return fold_sext(w);
	case OP_NEG:
	case OP_NOT: return inner->op == w->i.op ? use(w, inner->a) : SAME;
	default: return SAME;
	}
}

/* ---- the rest ---- */

/* A constant that is added to the address goes into the offset. */
static enum outcome fold_access(struct work *w)
{
	const struct ins *addr = def(w, w->i.a);
	int64_t c;

	if (addr->op == OP_ADD && is_const(w, addr->b, &c) && c >= SHRT_MIN && c <= SHRT_MAX &&
	    w->i.imm + c >= SHRT_MIN && w->i.imm + c <= SHRT_MAX) {
		w->i.a = addr->a;
		w->i.imm += c;
		return CHANGED;
	}
	if (w->i.op != OP_STORE)
		return SAME;

	/* A store takes the low bits only; but part of an address may not be stored. */
	const struct ins *v = def(w, w->i.b);
	if (is_wider_ext(w, v)) {
		w->i.b = v->a;
		return CHANGED;
	}
	return SAME;
}

static enum outcome fold_br(struct work *w)
{
	int64_t c;

	if (!is_const(w, w->i.a, &c))
		return SAME;
	w->i.op = OP_JMP;
	w->i.nargs = 0;
	w->i.a = 0;
	w->i.blk[0] = w->i.blk[c ? 0 : 1];
	w->i.blk[1] = 0;
	w->f->cut = true;
	return CHANGED;
}

/* All operands are one constant. Others are left to opt_cfg. */
static enum outcome fold_phi(struct work *w)
{
	int64_t c, first = 0;

	for (uint32_t k = 0; k < w->i.nargs; k++) {
		if (!is_const(w, renamed(&w->f->renames, w->i.args[k]), &c))
			return SAME;
		if (!k)
			first = c;
		if (c != first)
			return SAME;
	}
	return become_const(w, first);
}

static enum outcome fold_once(struct work *w)
{
	if (is_access(&w->i))
		return fold_access(w);
	switch (w->i.op) {
	case OP_BR: return fold_br(w);
	case OP_PHI: return fold_phi(w);
	}
	if (!(op_infos[w->i.op].flags & OP_PURE))
		return SAME;
	switch (w->i.nargs) {
	case 1: return fold_un(w);
	case 2: return fold_bin(w);
	default: return SAME;
	}
}

/* Simplifies r until no rule applies; every rule leaves less to do. */
static void fold_ins(struct folder *f, ref r)
{
	struct work w = { .f = f, .r = r };
	bool was_phi = ir_ins(f->fn, r)->op == OP_PHI;
	enum outcome o;

	if (!was_phi)
		rename_operands(&f->renames, ir_ins(f->fn, r));
	w.i = *ir_ins(f->fn, r);
	while ((o = fold_once(&w)) == CHANGED) {
		*ir_ins(f->fn, r) = w.i;
		f->changed = true;
	}
	if (o == REPLACED) {
		rename_value(&f->renames, r, w.by);
		f->changed = true;
		return;
	}
	if (was_phi && w.i.op == OP_CONST)
		vec_push(&f->scratch, &f->late, r);
	else
		rewrite_keep(&f->rw, r);
}

/* Constants that were phis go between the phis and the rest. */
static void flush_late(struct folder *f)
{
	vec_each(r, &f->late)
		rewrite_keep(&f->rw, *r);
	f->late.len = 0;
}

static void fold_block(struct folder *f, blkid b)
{
	rewrite_begin(&f->rw, b);
	vec_each(r, &f->rw.old) {
		if (ir_ins(f->fn, *r)->op != OP_PHI)
			flush_late(f);
		fold_ins(f, *r);
	}
	rewrite_end(&f->rw);
}

bool opt_fold(struct fn *fn)
{
	struct folder f = { .fn = fn };

	dom_build(&f.dom, fn, &f.scratch);
	renames_init(&f.renames, fn, &f.scratch);
	rewrite_init(&f.rw, fn, &f.scratch);
	for (uint32_t k = 0; k < f.dom.n; k++)
		fold_block(&f, f.dom.rpo[k]);
	renames_apply(&f.renames, fn);
	if (f.cut)
		cfg_prune(fn);
	arena_free(&f.scratch);
	return f.changed;
}
