/*
 * The invariants of the IR, as docs/ir.md lists them.
 *
 * Everything is checked once, in one walk over the blocks and one over the instructions, so
 * that debug builds can afford it after every pass.  Uses in blocks that cannot be reached
 * need a definition but no dominance.
 */
#include "ir/dom.h"

#include <inttypes.h>
#include <string.h>

struct checker {
	const struct fn *fn;
	struct arena *arena;  /* for the message */
	struct arena scratch; /* for the rest */
	const char *wrong;    /* the first thing found wrong */
	struct dom dom;
	uint32_t *place; /* by ref: 1 + index in its block, 0 = stands nowhere */
	uint32_t *from;	 /* by block: 1 + the block whose edges are being looked at */
};

__attribute__((format(printf, 2, 3))) static bool bad(struct checker *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!c->wrong)
		c->wrong = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	return false;
}

static const struct blk *block(const struct checker *c, blkid b)
{
	return &c->fn->blks.data[b];
}

static bool size_ok(const struct ins *i)
{
	switch (i->op) {
	case OP_BSWAP: return i->size == 2 || i->size == 4 || i->size == 8;
	case OP_ATOMIC_ADD:
	case OP_XCHG:
	case OP_CMPXCHG: return i->size == 4 || i->size == 8;
	default: return i->size == 1 || i->size == 2 || i->size == 4 || i->size == 8;
	}
}

static bool imm_ok(const struct ins *i)
{
	switch (i->op) {
	case OP_SLOT: return i->imm > 0 && i->imm <= INT32_MAX;
	case OP_CALL:
		return i->imm > 0 && i->imm >> 32 <= CALL_KERNEL >> 32 &&
		       (uint32_t)i->imm <= INT32_MAX;
	case OP_PARAM: return i->imm >= 0 && i->imm < PARAMS_MAX;
	case OP_FUNC:
	case OP_MAP: return i->imm >= 0 && i->imm <= UINT32_MAX;
	case OP_CONST:
	case OP_MAPVAL: return true;
	default: return i->imm >= INT32_MIN && i->imm <= INT32_MAX;
	}
}

static bool nargs_ok(const struct ins *i)
{
	switch (i->op) {
	case OP_CALL: return i->nargs <= 5;
	case OP_PHI: return i->nargs > 0;
	default: return i->nargs == op_infos[i->op].nargs;
	}
}

/* What can be said about an instruction without looking at others. */
static bool check_form(struct checker *c, ref r)
{
	const struct ins *i = ir_ins(c->fn, r);

	if (i->op == OP_NONE || i->op >= OP_COUNT)
		return bad(c, "v%" PRIu32 " is no instruction", r);

	const struct op_info *op = &op_infos[i->op];
	if (op->flags & OP_SIZE && !size_ok(i))
		return bad(c, "v%" PRIu32 " (%s) of %u bytes", r, op->text, i->size);
	if (op->flags & OP_IMM && !imm_ok(i))
		return bad(c, "v%" PRIu32 " (%s) has immediate %" PRId64, r, op->text, i->imm);
	if (!nargs_ok(i))
		return bad(c, "v%" PRIu32 " (%s) has %" PRIu32 " operands", r, op->text,
			   i->nargs);
	return true;
}

/* Where an instruction may stand: phis first, one terminator last. */
static bool check_order(struct checker *c, blkid b, size_t at)
{
	const struct blk *blk = block(c, b);
	ref r = blk->ins.data[at];
	const struct ins *i = ir_ins(c->fn, r);
	bool term = op_infos[i->op].flags & OP_TERM, last = at + 1 == blk->ins.len;

	if (last && !term)
		return bad(c, "b%" PRIu32 " has no terminator", b);
	if (term && !last)
		return bad(c, "b%" PRIu32 " goes on after its terminator", b);
	if (i->op == OP_PHI && at && ir_ins(c->fn, blk->ins.data[at - 1])->op != OP_PHI)
		return bad(c, "v%" PRIu32 ": a phi stands after other instructions", r);
	return true;
}

static bool place_block(struct checker *c, blkid b)
{
	const struct blk *blk = block(c, b);

	if (!blk->ins.len)
		return bad(c, "b%" PRIu32 " is empty", b);
	for (size_t at = 0; at < blk->ins.len; at++) {
		ref r = blk->ins.data[at];

		if (!r || r >= c->fn->ins.len)
			return bad(c, "b%" PRIu32 " lists v%" PRIu32, b, r);
		if (c->place[r])
			return bad(c, "v%" PRIu32 " stands twice", r);
		if (ir_ins(c->fn, r)->home != b)
			return bad(c,
				   "v%" PRIu32 " stands in b%" PRIu32 ", its home is b%" PRIu32,
				   r, b, ir_ins(c->fn, r)->home);
		if (!check_form(c, r) || !check_order(c, b, at))
			return false;
		c->place[r] = at + 1;
	}
	return true;
}

static bool check_targets(struct checker *c, blkid b)
{
	blkid succ[2];
	unsigned n = ir_succs(c->fn, b, succ);

	for (unsigned k = 0; k < n; k++) {
		if (succ[k] >= c->fn->blks.len || block(c, succ[k])->dead)
			return bad(c, "b%" PRIu32 " goes to b%" PRIu32 ", which is not there",
				   b, succ[k]);
		if (!succ[k])
			return bad(c, "b%" PRIu32 " goes to the entry", b);
	}
	if (n == 2 && succ[0] == succ[1])
		return bad(c, "b%" PRIu32 " branches twice to b%" PRIu32, b, succ[0]);
	return true;
}

static bool check_preds(struct checker *c, blkid b)
{
	vec_each(p, &block(c, b)->preds) {
		blkid succ[2];

		if (*p >= c->fn->blks.len || block(c, *p)->dead)
			return bad(c,
				   "b%" PRIu32 " has predecessor b%" PRIu32
				   ", which is not there",
				   b, *p);

		unsigned n = ir_succs(c->fn, *p, succ);
		if (!(n > 0 && succ[0] == b) && !(n > 1 && succ[1] == b))
			return bad(c,
				   "b%" PRIu32 " has predecessor b%" PRIu32
				   ", which does not go there",
				   b, *p);
		if (c->from[*p] == b + 1)
			return bad(c, "b%" PRIu32 " has predecessor b%" PRIu32 " twice", b, *p);
		c->from[*p] = b + 1;
	}
	return true;
}

/* No edge is listed twice or wrongly, so equal numbers mean that none is missing. */
static bool check_edges(struct checker *c)
{
	size_t edges = 0, preds = 0;

	for (blkid b = 0; b < c->fn->blks.len; b++) {
		blkid succ[2];

		if (block(c, b)->dead)
			continue;
		if (!check_targets(c, b) || !check_preds(c, b))
			return false;
		edges += ir_succs(c->fn, b, succ);
		preds += block(c, b)->preds.len;
	}
	return edges == preds || bad(c, "a predecessor is missing");
}

/* Is the value of r there at the end of block b (at == UINT32_MAX) or before place at of it? */
static bool check_use(struct checker *c, ref user, ref r, blkid b, uint32_t at)
{
	if (!r || r >= c->fn->ins.len || !c->place[r])
		return bad(c, "v%" PRIu32 " uses v%" PRIu32 ", which is not defined", user, r);

	const struct ins *def = ir_ins(c->fn, r);
	if (!(op_infos[def->op].flags & OP_RESULT))
		return bad(c, "v%" PRIu32 " uses v%" PRIu32 " (%s), which gives no value", user,
			   r, op_infos[def->op].text);
	if (!dom_reachable(&c->dom, b))
		return true;
	if (def->home == b
		    ? c->place[r] < at
		    : dom_reachable(&c->dom, def->home) && dom_dominates(&c->dom, def->home, b))
		return true;
	return bad(c, "v%" PRIu32 " uses v%" PRIu32 ", which does not dominate it", user, r);
}

static bool check_phi(struct checker *c, ref r)
{
	const struct ins *i = ir_ins(c->fn, r);
	const struct blk *blk = block(c, i->home);

	if (i->nargs != blk->preds.len)
		return bad(c, "v%" PRIu32 ": phi of %" PRIu32 " values for %zu predecessors", r,
			   i->nargs, blk->preds.len);
	for (uint32_t k = 0; k < i->nargs; k++)
		if (!check_use(c, r, i->args[k], blk->preds.data[k], UINT32_MAX))
			return false;
	return true;
}

static bool check_ins(struct checker *c, ref r)
{
	struct ins *i = ir_ins(c->fn, r);
	unsigned n;
	const ref *ops = ir_operands(i, &n);

	if (i->op == OP_PHI)
		return check_phi(c, r);
	for (unsigned k = 0; k < n; k++)
		if (!check_use(c, r, ops[k], i->home, c->place[r]))
			return false;
	return true;
}

static bool check_uses(struct checker *c)
{
	for (blkid b = 0; b < c->fn->blks.len; b++) {
		if (block(c, b)->dead)
			continue;
		vec_each(r, &block(c, b)->ins)
			if (!check_ins(c, *r))
				return false;
	}
	return true;
}

static bool check_fn(struct checker *c)
{
	if (!c->fn->blks.len || block(c, 0)->dead)
		return bad(c, "there is no entry block");
	for (blkid b = 0; b < c->fn->blks.len; b++)
		if (!block(c, b)->dead && !place_block(c, b))
			return false;
	if (!check_edges(c))
		return false;
	dom_build(&c->dom, c->fn, &c->scratch);
	return check_uses(c);
}

const char *ir_check(const struct fn *fn, struct arena *a)
{
	struct checker c = { .fn = fn, .arena = a };

	c.place = arena_array(&c.scratch, uint32_t, fn->ins.len);
	c.from = arena_array(&c.scratch, uint32_t, fn->blks.len);
	check_fn(&c);
	arena_free(&c.scratch);
	return c.wrong;
}
