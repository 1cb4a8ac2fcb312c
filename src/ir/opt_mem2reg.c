/*
 * Turn slots into values.
 * needs: ssa, reachable    keeps: ssa, reachable, cfg
 *
 * A slot of at most 8 bytes is a variable when its address is used for nothing but loads and
 * stores of one width at offset 0.  Its stores become the current value, its loads take it,
 * and where different values meet stands a phi; a read before any store gives 0.
 *
 * Phis stand on the iterated dominance frontier of the stores (Cytron et al. 1991), but only
 * where the variable is live, or a long row of statements would give their common exit a phi
 * for each variable of each of them.
 */
#include "ir/effect.h"
#include "ir/pass.h"

enum { SLOT_MAX = 8 };

/* One of a list of blocks. */
struct site {
	blkid blk;
	struct site *next;
};

struct var {
	ref slot;
	uint8_t size;	      /* of all accesses, 0 = none yet */
	bool lost;	      /* its address is used for something else */
	struct site *stores;  /* blocks that store to it */
	struct site *exposed; /* blocks that load it before they store to it */
	uint32_t stored_in;   /* 1 + the last block of stores, of exposed */
	uint32_t exposed_in;
	ref value; /* while renaming: what it holds here; 0 = nothing yet */
};

/* A phi that was placed for a variable. */
struct placed {
	ref phi;
	uint32_t var;
	struct placed *next; /* in the same block */
};

/* What a variable held before this scope of the walk changed it. */
struct undo {
	uint32_t var;
	ref value;
};

VEC_TYPE(blk_vec, blkid);

struct promoter {
	struct fn *fn;
	struct arena scratch;
	struct dom dom;
	struct frontiers df;
	uint32_t *var_of; /* by ref: 1 + index of the slot's variable, 0 = none */
	VEC(struct var) vars;
	struct placed **phis;	    /* by block */
	uint32_t (*pred_index)[2];  /* by block: where its edges stand in the target's preds */
	uint32_t *live, *def, *has; /* by block: 1 + variable last marked */
	struct blk_vec todo;
	struct renames renames;
	struct rewrite rw;
	VEC(struct undo) undo;
	size_t *undo_mark; /* by depth of the walk: undo.len when the block was entered */
	ref zero;	   /* what a variable without a value holds */
};

static struct var *var_at(struct promoter *p, ref slot)
{
	return p->var_of[slot] ? &p->vars.data[p->var_of[slot] - 1] : NULL;
}

/* ---- which slots ---- */

static void find_slots(struct promoter *p)
{
	for (uint32_t k = 0; k < p->dom.n; k++)
		vec_each(r, &p->fn->blks.data[p->dom.rpo[k]].ins) {
			const struct ins *i = ir_ins(p->fn, *r);

			if (i->op != OP_SLOT || i->imm > SLOT_MAX)
				continue;
			vec_push(&p->scratch, &p->vars, (struct var){ .slot = *r });
			p->var_of[*r] = p->vars.len;
		}
}

/* Is operand k of i the address of a load or store that fits what was seen before? */
static bool fits(const struct promoter *p, const struct ins *i, unsigned k, const struct var *v)
{
	return (i->op == OP_LOAD || i->op == OP_STORE) && !k && !i->imm &&
	       i->size <= ir_ins(p->fn, v->slot)->imm && (!v->size || v->size == i->size);
}

static void note_uses(struct promoter *p, struct ins *i)
{
	unsigned n;
	const ref *ops = ir_operands(i, &n);

	for (unsigned k = 0; k < n; k++) {
		struct var *v = var_at(p, ops[k]);

		if (!v)
			continue;
		if (fits(p, i, k, v))
			v->size = i->size;
		else
			v->lost = true;
	}
}

static bool choose(struct promoter *p)
{
	bool any = false;

	find_slots(p);
	for (uint32_t k = 0; k < p->dom.n; k++)
		vec_each(r, &p->fn->blks.data[p->dom.rpo[k]].ins)
			note_uses(p, ir_ins(p->fn, *r));
	vec_each(v, &p->vars) {
		if (v->lost)
			p->var_of[v->slot] = 0;
		any |= !v->lost;
	}
	return any;
}

/* ---- where phis go ---- */

static void add_site(struct promoter *p, struct site **list, blkid b)
{
	struct site *s = arena_new(&p->scratch, struct site);

	*s = (struct site){ b, *list };
	*list = s;
}

static void note_sites(struct promoter *p, blkid b)
{
	vec_each(r, &p->fn->blks.data[b].ins) {
		const struct ins *i = ir_ins(p->fn, *r);
		struct var *v = is_access(i) ? var_at(p, i->a) : NULL;

		if (!v || v->stored_in == b + 1)
			continue;
		if (i->op == OP_STORE) {
			add_site(p, &v->stores, b);
			v->stored_in = b + 1;
		} else if (v->exposed_in != b + 1) {
			add_site(p, &v->exposed, b);
			v->exposed_in = b + 1;
		}
	}
}

/* Adds b to the list unless mark[b] says that the variable has been there. */
static void visit_once(struct promoter *p, uint32_t *mark, uint32_t var, blkid b)
{
	if (mark[b] == var + 1)
		return;
	mark[b] = var + 1;
	vec_push(&p->scratch, &p->todo, b);
}

/* Marks the blocks at whose start the variable's value may still be read. */
static void find_live(struct promoter *p, uint32_t var)
{
	const struct var *v = &p->vars.data[var];

	for (const struct site *s = v->stores; s; s = s->next)
		p->def[s->blk] = var + 1;
	for (const struct site *s = v->exposed; s; s = s->next)
		visit_once(p, p->live, var, s->blk);
	while (p->todo.len) {
		blkid b = p->todo.data[--p->todo.len];

		vec_each(pred, &p->fn->blks.data[b].preds)
			if (p->def[*pred] != var + 1)
				visit_once(p, p->live, var, *pred);
	}
}

static void place_phi(struct promoter *p, uint32_t var, blkid b)
{
	uint32_t n = p->fn->blks.data[b].preds.len;
	struct placed *pl = arena_new(&p->scratch, struct placed);
	struct ins phi = { .op = OP_PHI, .nargs = n, .home = b };

	phi.args = arena_array(p->fn->arena, ref, n);
	phi.span = ir_ins(p->fn, p->vars.data[var].slot)->span;
	*pl = (struct placed){ p->fn->ins.len, var, p->phis[b] };
	p->phis[b] = pl;
	vec_push(p->fn->arena, &p->fn->ins, phi);
}

static void place_phis(struct promoter *p, uint32_t var)
{
	find_live(p, var);
	for (const struct site *s = p->vars.data[var].stores; s; s = s->next)
		vec_push(&p->scratch, &p->todo, s->blk);
	while (p->todo.len) {
		blkid b = p->todo.data[--p->todo.len];

		for (uint32_t k = p->df.first[b]; k < p->df.first[b + 1]; k++) {
			blkid join = p->df.blks[k];

			if (p->live[join] != var + 1 || p->has[join] == var + 1)
				continue;
			place_phi(p, var, join);
			visit_once(p, p->has, var, join);
		}
	}
}

/* ---- renaming ---- */

static ref value_of(struct promoter *p, const struct var *v)
{
	if (v->value)
		return v->value;
	if (!p->zero) {
		vec_push(p->fn->arena, &p->fn->ins, (struct ins){ .op = OP_CONST });
		p->zero = p->fn->ins.len - 1;
	}
	return p->zero;
}

static void set_value(struct promoter *p, struct var *v, ref value)
{
	uint32_t var = v - p->vars.data;

	vec_push(&p->scratch, &p->undo, (struct undo){ var, v->value });
	v->value = value;
}

static void take_load(struct promoter *p, struct var *v, ref r)
{
	ref value = value_of(p, v);
	struct ins *i = ir_ins(p->fn, r);

	if (i->size == 8) {
		rename_value(&p->renames, r, value);
		return;
	}
	/* What was stored may have more bits than the slot kept. */
	i->op = OP_ZEXT;
	i->a = value;
	i->imm = 0;
	rewrite_keep(&p->rw, r);
}

static void rename_ins(struct promoter *p, ref r)
{
	const struct ins *i = ir_ins(p->fn, r);
	struct var *v = is_access(i) ? var_at(p, i->a) : NULL;

	if (v && i->op == OP_STORE)
		set_value(p, v, renamed(&p->renames, i->b));
	else if (v)
		take_load(p, v, r);
	else if (i->op != OP_SLOT || !var_at(p, r))
		rewrite_keep(&p->rw, r);
}

/* Gives the phis of the blocks behind b the values at its end. */
static void fill_phis(struct promoter *p, blkid b)
{
	blkid succ[2];
	unsigned n = ir_succs(p->fn, b, succ);

	for (unsigned k = 0; k < n; k++)
		for (struct placed *pl = p->phis[succ[k]]; pl; pl = pl->next) {
			ref value = value_of(p, &p->vars.data[pl->var]);

			ir_ins(p->fn, pl->phi)->args[p->pred_index[b][k]] = value;
		}
}

static void rename_block(struct promoter *p, blkid b)
{
	rewrite_begin(&p->rw, b);
	for (struct placed *pl = p->phis[b]; pl; pl = pl->next) {
		set_value(p, &p->vars.data[pl->var], pl->phi);
		rewrite_keep(&p->rw, pl->phi);
	}
	vec_each(r, &p->rw.old)
		rename_ins(p, *r);
	rewrite_end(&p->rw);
	fill_phis(p, b);
}

static void forget_to(struct promoter *p, size_t mark)
{
	while (p->undo.len > mark) {
		const struct undo *u = &p->undo.data[--p->undo.len];

		p->vars.data[u->var].value = u->value;
	}
}

static void rename_all(struct promoter *p)
{
	struct dom_walk w;

	dom_walk_init(&w, &p->dom, &p->scratch);
	for (uint32_t k = 0; k < p->dom.n; k++) {
		while (dom_walk_leave(&w, k))
			forget_to(p, p->undo_mark[w.depth]);
		p->undo_mark[w.depth] = p->undo.len;
		dom_walk_enter(&w, k);
		rename_block(p, p->dom.tree[k]);
	}
	renames_apply(&p->renames, p->fn);
}

static void place_zero(struct promoter *p)
{
	if (!p->zero)
		return;
	rewrite_begin(&p->rw, 0);
	rewrite_keep(&p->rw, p->zero);
	vec_each(r, &p->rw.old)
		rewrite_keep(&p->rw, *r);
	rewrite_end(&p->rw);
}

/* Finds for each edge its index in the target's list of predecessors. */
static void index_edges(struct promoter *p)
{
	for (blkid b = 0; b < p->fn->blks.len; b++) {
		const struct blk *blk = &p->fn->blks.data[b];

		for (uint32_t k = 0; k < blk->preds.len; k++) {
			blkid from = blk->preds.data[k], succ[2];
			unsigned n = ir_succs(p->fn, from, succ);

			p->pred_index[from][n == 2 && succ[1] == b] = k;
		}
	}
}

static void promote(struct promoter *p)
{
	size_t nblks = p->fn->blks.len;

	p->phis = arena_array(&p->scratch, struct placed *, nblks);
	p->pred_index = arena_alloc(&p->scratch, nblks * sizeof(*p->pred_index));
	p->live = arena_array(&p->scratch, uint32_t, nblks);
	p->def = arena_array(&p->scratch, uint32_t, nblks);
	p->has = arena_array(&p->scratch, uint32_t, nblks);
	p->undo_mark = arena_array(&p->scratch, size_t, nblks);
	index_edges(p);
	dom_frontiers(&p->df, &p->dom, p->fn, &p->scratch);
	for (uint32_t k = 0; k < p->dom.n; k++)
		note_sites(p, p->dom.rpo[k]);
	for (uint32_t var = 0; var < p->vars.len; var++)
		if (!p->vars.data[var].lost)
			place_phis(p, var);
	renames_init(&p->renames, p->fn, &p->scratch);
	rewrite_init(&p->rw, p->fn, &p->scratch);
	rename_all(p);
	place_zero(p);
}

bool opt_mem2reg(struct fn *fn)
{
	struct promoter p = { .fn = fn };

	dom_build(&p.dom, fn, &p.scratch);
	p.var_of = arena_array(&p.scratch, uint32_t, fn->ins.len);
	bool any = choose(&p);
	if (any)
		promote(&p);
	arena_free(&p.scratch);
	return any;
}
