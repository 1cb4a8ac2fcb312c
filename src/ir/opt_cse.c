/*
 * Compute the same thing once: value numbering over the dominator tree.
 * needs: ssa, reachable    keeps: ssa, reachable, cfg
 *
 * A later computation is replaced by an earlier one that dominates it; nothing moves.  Loads
 * take part as long as nothing may have written to the memory in between, and calls of helpers
 * whose result is fixed for one run.  Two kinds are left alone for the verifier's sake:
 *  - Comparisons.  A branch teaches the verifier about an operand only when it tests it.
 *  - Arithmetic that leads to an address or to a helper's argument, across blocks: a branch in
 *    between may be the check of its operands, and the earlier result was made before it.
 */
#include "ir/effect.h"
#include "ir/pass.h"

#include <string.h>

/* What makes two instructions the same; all of it is compared, so there is no padding. */
struct key {
	int64_t imm;
	uint32_t op, size;
	ref a, b;
	uint32_t block; /* 1 + the only block where it counts, 0 = wherever it dominates */
	uint32_t stamp; /* of the memory a load sees */
};

struct entry {
	struct key key;
	ref value;
	uint32_t next; /* in the same bucket: 1 + index */
};

/* What was known of a memory before this scope of the walk changed it. */
struct undo {
	ref memory;
	uint32_t stamp;
};

/*
 * A memory is a tracked slot, or 0 for everything that is neither slot nor ctx.  Its stamp is
 * a new number at each write; where paths meet, all memories get a new one at once.
 */
struct numberer {
	struct fn *fn;
	struct arena scratch;
	struct dom dom;
	struct places places;
	struct renames renames;
	struct rewrite rw;
	bool *leads;	     /* by ref: leads to an address or an argument */
	uint32_t *stamp;     /* by ref of memory: at the last write seen on this path */
	uint32_t *met;	     /* by block: the stamp where paths met last */
	uint32_t last_stamp; /* of all */
	uint32_t *buckets;   /* 1 + index of the last entry */
	uint32_t mask;
	VEC(struct entry) entries;
	VEC(struct undo) undo;
	struct scope {
		size_t entries, undo;
	} * scopes; /* by depth of the walk */
};

/* ---- what leads to an address ---- */

static void note_lead(struct numberer *n, struct ref_vec *todo, ref r)
{
	if (n->leads[r])
		return;
	n->leads[r] = true;
	vec_push(&n->scratch, todo, r);
}

static void note_leads_of(struct numberer *n, struct ref_vec *todo, struct ins *i)
{
	if (is_access(i))
		note_lead(n, todo, i->a);
	if (i->op != OP_CALL)
		return;
	for (uint32_t k = 0; k < i->nargs; k++)
		note_lead(n, todo, i->args[k]);
}

static void find_leads(struct numberer *n)
{
	struct ref_vec todo = {};

	for (uint32_t k = 0; k < n->dom.n; k++)
		vec_each(r, &n->fn->blks.data[n->dom.rpo[k]].ins)
			note_leads_of(n, &todo, ir_ins(n->fn, *r));
	while (todo.len) {
		struct ins *i = ir_ins(n->fn, todo.data[--todo.len]);
		unsigned nops;
		const ref *ops = ir_operands(i, &nops);

		if (!(op_infos[i->op].flags & OP_PURE) && i->op != OP_PHI)
			continue;
		for (unsigned k = 0; k < nops; k++)
			note_lead(n, &todo, ops[k]);
	}
}

/* A value no branch can narrow. */
static bool is_settled(const struct numberer *n, ref r)
{
	switch (ir_ins(n->fn, r)->op) {
	case OP_CONST:
	case OP_CTX:
	case OP_PARAM:
	case OP_FUNC:
	case OP_SLOT:
	case OP_MAP:
	case OP_MAPVAL: return true;
	default: return false;
	}
}

/* Must an earlier result in another block not stand for r? */
static bool is_local(const struct numberer *n, ref r)
{
	unsigned nops;
	const ref *ops = ir_operands(ir_ins(n->fn, r), &nops);

	if (!n->leads[r])
		return false;
	for (unsigned k = 0; k < nops; k++)
		if (!is_settled(n, ops[k]))
			return true;
	return false;
}

/* ---- what memory holds ---- */

static void wrote(struct numberer *n, ref memory)
{
	vec_push(&n->scratch, &n->undo, (struct undo){ memory, n->stamp[memory] });
	n->stamp[memory] = ++n->last_stamp;
}

static void note_writes(struct numberer *n, const struct ins *i)
{
	struct place p;

	if (!(op_infos[i->op].flags & OP_WRITE))
		return;
	if (i->op != OP_CALL) {
		p = place_of(&n->places, i->a, i->imm);
		wrote(n, p.kind == PLACE_SLOT ? p.slot : 0);
		return;
	}
	if (call_is_quiet(i))
		return;
	wrote(n, 0);
	for (uint32_t k = 0; k < i->nargs; k++) {
		p = place_of(&n->places, i->args[k], 0);
		if (p.kind == PLACE_SLOT)
			wrote(n, p.slot);
	}
}

/* The stamp of what a load reads; 0 for ctx, which nothing writes. */
static uint32_t stamp_of(const struct numberer *n, const struct ins *load)
{
	struct place p = place_of(&n->places, load->a, load->imm);
	ref memory = p.kind == PLACE_SLOT ? p.slot : 0;
	uint32_t met = n->met[load->home];

	if (p.kind == PLACE_CTX)
		return 0;
	return n->stamp[memory] > met ? n->stamp[memory] : met;
}

/* A block behind one other sees the memory that one left. */
static void enter_memory(struct numberer *n, blkid b)
{
	if (n->fn->blks.data[b].preds.len == 1)
		n->met[b] = n->met[n->dom.idom[b]];
	else
		n->met[b] = ++n->last_stamp;
}

/* ---- the table ---- */

static uint32_t hash(const struct key *k)
{
	uint64_t h = (uint64_t)k->imm * 0x9e3779b97f4a7c15;

	h = (h ^ h >> 32 ^ k->op ^ k->size << 8) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 32 ^ ((uint64_t)k->a << 32 | k->b)) * 0xc4ceb9fe1a85ec53;
	h = (h ^ h >> 32 ^ ((uint64_t)k->block << 32 | k->stamp)) * 0x9e3779b97f4a7c15;
	return h >> 32;
}

/* Fills the key of an instruction; returns false when it must stay what it is. */
static bool make_key(const struct numberer *n, ref r, struct key *k)
{
	const struct ins *i = ir_ins(n->fn, r);
	const struct op_info *op = &op_infos[i->op];

	*k = (struct key){ .imm = i->imm, .op = i->op, .size = i->size, .a = i->a, .b = i->b };
	if (i->op == OP_LOAD) {
		k->stamp = stamp_of(n, i);
		return true;
	}
	if (i->op == OP_CALL && call_is_fixed(i) && i->nargs <= 2) {
		k->a = i->nargs > 0 ? i->args[0] : 0;
		k->b = i->nargs > 1 ? i->args[1] : 0;
		return true;
	}
	if (!(op->flags & OP_PURE) || op->flags & OP_COMPARE)
		return false;
	if (op->flags & OP_COMMUTES && k->a > k->b) {
		k->a = i->b;
		k->b = i->a;
	}
	k->block = is_local(n, r) ? i->home + 1 : 0;
	return true;
}

/* The value of an equal instruction, or 0; r is then the one for the following. */
static ref find_or_add(struct numberer *n, const struct key *k, ref r)
{
	uint32_t *bucket = &n->buckets[hash(k) & n->mask];

	for (uint32_t e = *bucket; e; e = n->entries.data[e - 1].next)
		if (!memcmp(&n->entries.data[e - 1].key, k, sizeof(*k)))
			return n->entries.data[e - 1].value;
	vec_push(&n->scratch, &n->entries, (struct entry){ *k, r, *bucket });
	*bucket = n->entries.len;
	return 0;
}

static void leave_scope(struct numberer *n, const struct scope *s)
{
	while (n->entries.len > s->entries) {
		const struct entry *e = &n->entries.data[--n->entries.len];

		n->buckets[hash(&e->key) & n->mask] = e->next;
	}
	while (n->undo.len > s->undo) {
		const struct undo *u = &n->undo.data[--n->undo.len];

		n->stamp[u->memory] = u->stamp;
	}
}

/* ---- the walk ---- */

static void number_block(struct numberer *n, blkid b)
{
	enter_memory(n, b);
	rewrite_begin(&n->rw, b);
	vec_each(r, &n->rw.old) {
		struct ins *i = ir_ins(n->fn, *r);
		struct key k;
		ref same = 0;

		rename_operands(&n->renames, i);
		note_writes(n, i);
		if (make_key(n, *r, &k))
			same = find_or_add(n, &k, *r);
		if (same)
			rename_value(&n->renames, *r, same);
		else
			rewrite_keep(&n->rw, *r);
	}
	rewrite_end(&n->rw);
}

static void number_all(struct numberer *n)
{
	struct dom_walk w;

	dom_walk_init(&w, &n->dom, &n->scratch);
	for (uint32_t k = 0; k < n->dom.n; k++) {
		while (dom_walk_leave(&w, k))
			leave_scope(n, &n->scopes[w.depth]);
		n->scopes[w.depth] = (struct scope){ n->entries.len, n->undo.len };
		dom_walk_enter(&w, k);
		number_block(n, n->dom.tree[k]);
	}
	renames_apply(&n->renames, n->fn);
}

static void numberer_init(struct numberer *n, struct fn *fn)
{
	struct arena *a = &n->scratch;
	size_t nins = fn->ins.len, buckets = 16;

	n->fn = fn;
	dom_build(&n->dom, fn, a);
	places_build(&n->places, fn, &n->dom, a);
	renames_init(&n->renames, fn, a);
	rewrite_init(&n->rw, fn, a);
	n->leads = arena_array(a, bool, nins);
	n->stamp = arena_array(a, uint32_t, nins);
	n->met = arena_array(a, uint32_t, fn->blks.len);
	n->scopes = arena_array(a, struct scope, fn->blks.len);
	while (buckets < nins)
		buckets *= 2;
	n->buckets = arena_array(a, uint32_t, buckets);
	n->mask = buckets - 1;
}

bool opt_cse(struct fn *fn)
{
	struct numberer n = {};

	numberer_init(&n, fn);
	find_leads(&n);
	number_all(&n);
	arena_free(&n.scratch);
	return n.rw.changed;
}
