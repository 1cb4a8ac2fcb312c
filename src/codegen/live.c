/*
 * Most variables appear in one block only and cost nothing but the walk over its instructions.
 * For those that are read in a block before they are written there, the blocks they are live in
 * are found from these reads, upwards, one variable at a time (Appel, "Modern Compiler
 * Implementation", 17.4): the work is proportional to the result, and no set of all variables
 * is ever kept per block.
 */
#include "codegen/live.h"

/* A list node in one pool: a block of a variable, or a variable of a block. */
struct node {
	uint32_t item;
	uint32_t next; /* index in the pool, 0 = end */
};

struct liver {
	struct arena *arena;
	const struct mfn *m;
	enum live_what what;
	uint32_t nvars;
	VEC(struct node) pool;
	uint32_t *reads;  /* by variable: list of blocks that read it before they write it */
	uint32_t *writes; /* by variable: list of blocks that write it */
	uint32_t *out;	  /* by block: list of variables live at its end */
	struct range **ranges;
};

static void list_add(struct liver *w, uint32_t *list, uint32_t item)
{
	vec_push(w->arena, &w->pool, (struct node){ item, *list });
	*list = w->pool.len - 1;
}

static void accesses(const struct liver *w, const struct minsn *i, struct mregs *out)
{
	if (w->what == LIVE_REGS) {
		mir_regs(i, out);
		return;
	}
	*out = (struct mregs){ 0 };
	if (i->kind != MK_SLOT)
		return;
	if (BPF_CLASS(i->code) == BPF_LDX)
		out->read[out->nread++] = i->arg;
	else
		out->write[out->nwrite++] = i->arg;
}

/* The frame pointer is always there and is nobody's to take. */
static bool is_tracked(const struct liver *w, uint32_t var)
{
	return w->what != LIVE_REGS || var != BPF_REG_10;
}

/* Fills reads and writes. */
static void scan_blocks(struct liver *w)
{
	uint32_t *read_in = arena_array(w->arena, uint32_t, w->nvars);
	uint32_t *written_in = arena_array(w->arena, uint32_t, w->nvars);
	struct mregs rs;

	for (uint32_t b = 0; b < w->m->blks.len; b++) {
		const struct mblk *blk = &w->m->blks.data[b];

		for (uint32_t i = blk->beg; i < blk->end; i++) {
			accesses(w, &w->m->ins.data[i], &rs);
			for (unsigned k = 0; k < rs.nread; k++) {
				uint32_t v = rs.read[k];

				if (written_in[v] == b + 1 || read_in[v] == b + 1)
					continue;
				read_in[v] = b + 1;
				list_add(w, &w->reads[v], b);
			}
			for (unsigned k = 0; k < rs.nwrite; k++) {
				uint32_t v = rs.write[k];

				if (written_in[v] == b + 1)
					continue;
				written_in[v] = b + 1;
				list_add(w, &w->writes[v], b);
			}
		}
	}
}

/* Marks on blocks, valid for the variable they carry, plus one. */
struct marks {
	uint32_t *in, *out, *writes;
	uint32_t *stack, sp;
};

static void enter(struct marks *k, uint32_t b, uint32_t mark)
{
	if (k->in[b] == mark)
		return;
	k->in[b] = mark;
	k->stack[k->sp++] = b;
}

static void walk_up(struct liver *w, struct marks *k, uint32_t v)
{
	const struct mfn *m = w->m;
	uint32_t mark = v + 1;

	for (uint32_t n = w->writes[v]; n; n = w->pool.data[n].next)
		k->writes[w->pool.data[n].item] = mark;
	for (uint32_t n = w->reads[v]; n; n = w->pool.data[n].next)
		enter(k, w->pool.data[n].item, mark);

	while (k->sp) {
		uint32_t b = k->stack[--k->sp];

		for (uint32_t p = m->pred_beg[b]; p < m->pred_beg[b + 1]; p++) {
			uint32_t pred = m->preds[p];

			if (k->out[pred] == mark)
				continue;
			k->out[pred] = mark;
			list_add(w, &w->out[pred], v);
			if (k->writes[pred] != mark)
				enter(k, pred, mark);
		}
	}
}

static void find_live_out(struct liver *w)
{
	uint32_t n = w->m->blks.len;
	struct marks k = {
		.in = arena_array(w->arena, uint32_t, n),
		.out = arena_array(w->arena, uint32_t, n),
		.writes = arena_array(w->arena, uint32_t, n),
		.stack = arena_array(w->arena, uint32_t, n),
	};

	for (uint32_t v = 0; v < w->nvars; v++)
		if (w->reads[v] && is_tracked(w, v))
			walk_up(w, &k, v);
}

/* Ranges are found from the back, so that a new one comes first or grows the first. */
static void add_range(struct liver *w, uint32_t v, uint32_t from, uint32_t to)
{
	struct range *first = w->ranges[v];

	if (first && first->from <= to) {
		if (from < first->from)
			first->from = from;
		return;
	}
	struct range *r = arena_new(w->arena, struct range);
	*r = (struct range){ from, to, first };
	w->ranges[v] = r;
}

static void written_at(struct liver *w, uint32_t v, uint32_t at, uint32_t blk_beg)
{
	struct range *first = w->ranges[v];

	/* Live from the start of the block as far as was known: in truth from here. */
	if (first && first->from == blk_beg)
		first->from = at;
	else
		add_range(w, v, at, at + 1);
}

static void find_ranges_in(struct liver *w, uint32_t b)
{
	const struct mblk *blk = &w->m->blks.data[b];
	uint32_t beg = 2 * blk->beg;
	struct mregs rs;

	for (uint32_t n = w->out[b]; n; n = w->pool.data[n].next)
		add_range(w, w->pool.data[n].item, beg, 2 * blk->end);
	for (uint32_t i = blk->end; i-- > blk->beg;) {
		accesses(w, &w->m->ins.data[i], &rs);
		for (unsigned k = 0; k < rs.nwrite; k++)
			written_at(w, rs.write[k], 2 * i + !rs.early, beg);
		for (unsigned k = 0; k < rs.nread; k++)
			if (is_tracked(w, rs.read[k]))
				add_range(w, rs.read[k], beg, 2 * i + 1);
	}
}

struct range **live_find(struct arena *a, const struct mfn *m, enum live_what what)
{
	uint32_t nvars = what == LIVE_REGS ? m->vregs.len : m->nslots;
	struct liver w = {
		.arena = a,
		.m = m,
		.what = what,
		.nvars = nvars,
		.reads = arena_array(a, uint32_t, nvars),
		.writes = arena_array(a, uint32_t, nvars),
		.out = arena_array(a, uint32_t, m->blks.len),
		.ranges = arena_array(a, struct range *, nvars),
	};

	vec_push(a, &w.pool, (struct node){ 0, 0 });
	scan_blocks(&w);
	find_live_out(&w);
	for (uint32_t b = m->blks.len; b-- > 0;)
		find_ranges_in(&w, b);
	return w.ranges;
}

uint32_t live_overlap(const struct range *x, const struct range *y)
{
	while (x && y) {
		if (x->to <= y->from)
			x = x->next;
		else if (y->to <= x->from)
			y = y->next;
		else
			return x->from > y->from ? x->from : y->from;
	}
	return UINT32_MAX;
}
