/*
 * Dominators after Lengauer and Tarjan, "A Fast Algorithm for Finding Dominators in a
 * Flowgraph" (1979), the O(m log n) version; frontiers after Cytron et al. (1991), found as in
 * Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
 *
 * The simpler iterative algorithm of the latter is quadratic on what we compile most: a long
 * row of checks that all leave to one exit.  Nothing recurses, as functions may be deep.
 */
#include "ir/dom.h"

#include "base/auto.h"

#include <string.h>

enum { NONE = UINT32_MAX };

/* Blocks are numbered from 0 in the order a depth-first walk finds them. */
struct solver {
	const struct fn *fn;
	struct dom *dom;
	uint32_t n;
	uint32_t *num;	  /* by block: its number, or NONE */
	blkid *vertex;	  /* the rest by number: the block, */
	uint32_t *parent; /* its parent in the depth-first tree, */
	uint32_t *semi;	  /* its semidominator, */
	uint32_t *idom;	  /* its dominator, */
	uint32_t *link;	  /* its ancestor in the forest of finished blocks, */
	uint32_t *best;	  /* the number with the least semi on the way to link, */
	uint32_t *bucket; /* the first whose semidominator it is, */
	uint32_t *next;	  /* and the next in the same bucket */
	uint32_t *stack;
};

static uint32_t *numbers(struct arena *a, size_t n)
{
	uint32_t *p = arena_array(a, uint32_t, n);

	return memset(p, 0xff, n * sizeof(*p));
}

static void solver_init(struct solver *s, const struct fn *fn, struct dom *d, struct arena *a)
{
	size_t n = fn->blks.len;

	*s = (struct solver){ .fn = fn, .dom = d };
	s->num = numbers(a, n);
	s->vertex = numbers(a, n);
	s->parent = numbers(a, n);
	s->semi = numbers(a, n);
	s->idom = numbers(a, n);
	s->link = numbers(a, n);
	s->best = numbers(a, n);
	s->bucket = numbers(a, n);
	s->next = numbers(a, n);
	s->stack = numbers(a, n);
}

static void discover(struct solver *s, blkid b, uint32_t parent)
{
	uint32_t v = s->n++;

	s->num[b] = v;
	s->vertex[v] = b;
	s->parent[v] = parent;
	s->semi[v] = v;
	s->best[v] = v;
}

/* Numbers what is reachable, and fills rpo from the end. */
static void search(struct solver *s, struct arena *a)
{
	uint8_t *tried = arena_array(a, uint8_t, s->fn->blks.len);
	blkid *post = numbers(a, s->fn->blks.len);
	uint32_t depth = 0, done = 0;

	discover(s, 0, NONE);
	s->stack[depth++] = 0;
	while (depth) {
		uint32_t v = s->stack[depth - 1];
		blkid succ[2];

		if (tried[v] == ir_succs(s->fn, s->vertex[v], succ)) {
			post[done++] = s->vertex[v];
			depth--;
			continue;
		}
		blkid to = succ[tried[v]++];
		if (s->num[to] == NONE) {
			discover(s, to, v);
			s->stack[depth++] = s->num[to];
		}
	}
	for (uint32_t k = 0; k < done; k++)
		s->dom->rpo[done - 1 - k] = post[k];
}

/* The number with the least semidominator on the path of links above v; shortens the path. */
static uint32_t eval(struct solver *s, uint32_t v)
{
	uint32_t depth = 0;

	if (s->link[v] == NONE)
		return v;
	for (uint32_t u = v; s->link[s->link[u]] != NONE; u = s->link[u])
		s->stack[depth++] = u;
	while (depth) {
		uint32_t u = s->stack[--depth], up = s->link[u];

		if (s->semi[s->best[up]] < s->semi[s->best[u]])
			s->best[u] = s->best[up];
		s->link[u] = s->link[up];
	}
	return s->best[v];
}

static void find_semi(struct solver *s, uint32_t w)
{
	vec_each(p, &s->fn->blks.data[s->vertex[w]].preds) {
		if (s->num[*p] == NONE)
			continue;

		uint32_t u = eval(s, s->num[*p]);
		if (s->semi[u] < s->semi[w])
			s->semi[w] = s->semi[u];
	}
	s->next[w] = s->bucket[s->semi[w]];
	s->bucket[s->semi[w]] = w;
}

static void solve(struct solver *s)
{
	for (uint32_t w = s->n - 1; w > 0; w--) {
		uint32_t up = s->parent[w];

		find_semi(s, w);
		s->link[w] = up;
		for (uint32_t v = s->bucket[up]; v != NONE; v = s->next[v]) {
			uint32_t u = eval(s, v);

			s->idom[v] = s->semi[u] < s->semi[v] ? u : up;
		}
		s->bucket[up] = NONE;
	}
	for (uint32_t w = 1; w < s->n; w++)
		if (s->idom[w] != s->semi[w])
			s->idom[w] = s->idom[s->idom[w]];
}

/* Lays the tree out in preorder, the children of a block in reverse postorder. */
static void lay_out(struct solver *s, struct dom *d, struct arena *a)
{
	size_t nblks = s->fn->blks.len;
	blkid *child = numbers(a, nblks), *sibling = numbers(a, nblks);
	uint32_t depth = 0, at = 0;

	for (uint32_t k = d->n - 1; k > 0; k--) {
		blkid b = d->rpo[k];

		sibling[b] = child[d->idom[b]];
		child[d->idom[b]] = b;
	}
	s->stack[depth++] = 0;
	d->in[0] = 0;
	d->tree[at++] = 0;
	while (depth) {
		blkid b = s->stack[depth - 1], c = child[b];

		if (c == NONE) {
			d->out[b] = at;
			depth--;
			continue;
		}
		child[b] = sibling[c];
		d->in[c] = at;
		d->tree[at++] = c;
		s->stack[depth++] = c;
	}
}

void dom_build(struct dom *d, const struct fn *fn, struct arena *a)
{
	auto_arena struct arena scratch = {};
	struct solver s;
	size_t n = fn->blks.len;

	d->rpo = numbers(a, n);
	d->tree = numbers(a, n);
	d->idom = numbers(a, n);
	d->in = numbers(a, n);
	d->out = numbers(a, n);
	solver_init(&s, fn, d, &scratch);
	search(&s, &scratch);
	d->n = s.n;
	solve(&s);
	d->idom[0] = 0;
	for (uint32_t w = 1; w < s.n; w++)
		d->idom[s.vertex[w]] = s.vertex[s.idom[w]];
	lay_out(&s, d, &scratch);
}

struct frontier_entry {
	blkid of, blk;
};
VEC_TYPE(frontier_vec, struct frontier_entry);

/* Adds b to the frontier of every block from its predecessor p up to b's dominator. */
static void climb(const struct dom *d, blkid b, blkid p, blkid *last, struct frontier_vec *v,
		  struct arena *a)
{
	/* What is marked was climbed from another predecessor, and so was all above it. */
	while (p != d->idom[b] && last[p] != b) {
		last[p] = b;
		vec_push(a, v, (struct frontier_entry){ p, b });
		p = d->idom[p];
	}
}

void dom_frontiers(struct frontiers *f, const struct dom *d, const struct fn *fn,
		   struct arena *a)
{
	auto_arena struct arena scratch = {};
	blkid *last = numbers(&scratch, fn->blks.len);
	struct frontier_vec v = {};

	for (uint32_t k = 0; k < d->n; k++) {
		const struct blk *blk = &fn->blks.data[d->rpo[k]];

		if (blk->preds.len < 2)
			continue;
		vec_each(p, &blk->preds)
			if (dom_reachable(d, *p))
				climb(d, d->rpo[k], *p, last, &v, &scratch);
	}

	f->first = arena_array(a, uint32_t, fn->blks.len + 2);
	f->blks = arena_array(a, blkid, v.len);
	vec_each(e, &v)
		f->first[e->of + 2]++;
	for (size_t b = 2; b < fn->blks.len + 2; b++)
		f->first[b] += f->first[b - 1];
	/* first[x + 1] moves from x's start to its end, which is where x + 1 starts. */
	vec_each(e, &v)
		f->blks[f->first[e->of + 1]++] = e->blk;
}

void dom_walk_init(struct dom_walk *w, const struct dom *d, struct arena *a)
{
	*w = (struct dom_walk){ .dom = d, .open = arena_array(a, blkid, d->n) };
}

bool dom_walk_leave(struct dom_walk *w, uint32_t k)
{
	if (!w->depth || k < w->dom->out[w->open[w->depth - 1]])
		return false;
	w->depth--;
	return true;
}

void dom_walk_enter(struct dom_walk *w, uint32_t k)
{
	w->open[w->depth++] = w->dom->tree[k];
}
