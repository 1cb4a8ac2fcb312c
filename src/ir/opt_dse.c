/*
 * Drop stores to slots that nobody sees.
 * needs: ssa, reachable    keeps: ssa, reachable, cfg
 *
 * From each store to a tracked slot (effect.h) the search goes forwards along all paths, byte
 * by byte, until its bytes are read, overwritten, or the program ends.  So a key that is
 * zeroed and then filled loses the zeroes.  The search gives up after some steps, which keeps
 * the pass linear.
 */
#include "ir/effect.h"
#include "ir/pass.h"

#include <stdlib.h>

enum {
	BLOCKS_MAX = 32, /* looked at for one store */
	STEPS_MAX = 512, /* accesses looked at for one store */
	SLOT_MAX = 4096, /* larger slots are left alone */
};

/* A touch of a tracked slot, in the order slot, block, place in the block. */
struct access {
	ref slot;
	blkid blk;
	uint32_t at; /* index in the block */
	ref ins;
	int32_t off, end; /* the bytes */
	enum { READS, OVERWRITES, MAY_WRITE } kind;
};

struct search {
	blkid blk;
	uint64_t left; /* bytes of the store that are not overwritten when blk starts */
};

struct killer {
	struct fn *fn;
	struct arena scratch;
	struct dom dom;
	struct places places;
	VEC(struct access) list;
	bool *dead; /* by ref: a store nobody needs */
	/* The search for one store: the blocks seen, each with all bytes it was seen with. */
	struct search seen[BLOCKS_MAX];
	unsigned nseen, ndone, steps;
};

static void add_access(struct killer *k, struct access a, struct place p, unsigned size,
		       const struct ins *i)
{
	if (p.kind != PLACE_SLOT || ir_ins(k->fn, p.slot)->imm > SLOT_MAX)
		return;
	bool known = p.exact && p.off >= 0 && p.off <= SLOT_MAX;

	a.slot = p.slot;
	a.off = known ? p.off : 0;
	a.end = known ? p.off + size : SLOT_MAX;
	if (i->op != OP_STORE)
		a.kind = READS;
	else
		a.kind = known ? OVERWRITES : MAY_WRITE;
	vec_push(&k->scratch, &k->list, a);
}

static void note_accesses(struct killer *k, ref r, uint32_t at)
{
	const struct ins *i = ir_ins(k->fn, r);
	struct access a = { .blk = i->home, .at = at, .ins = r };

	if (is_access(i)) {
		add_access(k, a, place_of(&k->places, i->a, i->imm), i->size, i);
		return;
	}
	if (i->op != OP_CALL)
		return;
	for (uint32_t n = 0; n < i->nargs; n++) {
		struct place p = place_of(&k->places, i->args[n], 0);

		p.exact = false;
		add_access(k, a, p, 0, i);
	}
}

static int access_cmp(const void *x, const void *y)
{
	const struct access *a = x, *b = y;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	if (a->blk != b->blk)
		return a->blk < b->blk ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* The first access to the slot in the block, or where it would stand. */
static size_t first_access(const struct killer *k, ref slot, blkid b)
{
	struct access want = { .slot = slot, .blk = b };
	size_t lo = 0, hi = k->list.len;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (access_cmp(&k->list.data[mid], &want) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The bytes of the store that an access touches. */
static uint64_t touched(const struct access *store, const struct access *a)
{
	uint64_t bytes = 0;

	for (int32_t k = store->off; k < store->end; k++)
		if (k >= a->off && k < a->end)
			bytes |= UINT64_C(1) << (k - store->off);
	return bytes;
}

/*
 * Follows the accesses from index n on in the block b.  Returns false when one reads a byte
 * that is left, or when the search takes too long; takes out of *left what is overwritten.
 */
static bool follow(struct killer *k, const struct access *store, size_t n, blkid b,
		   uint64_t *left)
{
	for (; n < k->list.len && *left; n++) {
		const struct access *a = &k->list.data[n];

		if (a->slot != store->slot || a->blk != b)
			break;
		if (++k->steps > STEPS_MAX)
			return false;
		if (a->kind == READS && touched(store, a) & *left)
			return false;
		if (a->kind == OVERWRITES)
			*left &= ~touched(store, a);
	}
	return true;
}

/* Adds a block to the search. Returns false when there is no room. */
static bool look_into(struct killer *k, blkid b, uint64_t left)
{
	for (unsigned n = 0; n < k->nseen; n++) {
		if (k->seen[n].blk != b)
			continue;
		left |= k->seen[n].left;
		if (left == k->seen[n].left)
			return true;
		if (n >= k->ndone) {
			k->seen[n].left = left;
			return true;
		}
	}
	if (k->nseen == BLOCKS_MAX)
		return false;
	k->seen[k->nseen++] = (struct search){ b, left };
	return true;
}

static bool look_behind(struct killer *k, blkid b, uint64_t left)
{
	blkid succ[2];
	unsigned n = left ? ir_succs(k->fn, b, succ) : 0;

	for (unsigned s = 0; s < n; s++)
		if (!look_into(k, succ[s], left))
			return false;
	return true;
}

/* Is no byte of the store at index n of the list read before it is overwritten? */
static bool is_dead(struct killer *k, size_t n)
{
	const struct access *store = &k->list.data[n];
	uint64_t left = (UINT64_C(1) << (store->end - store->off)) - 1;

	k->nseen = k->ndone = k->steps = 0;
	if (!follow(k, store, n + 1, store->blk, &left) || !look_behind(k, store->blk, left))
		return false;
	while (k->ndone < k->nseen) {
		struct search s = k->seen[k->ndone++];

		n = first_access(k, store->slot, s.blk);
		if (!follow(k, store, n, s.blk, &s.left) || !look_behind(k, s.blk, s.left))
			return false;
	}
	return true;
}

/* Is the slot never read at all? The list holds its accesses from index n on. */
static bool never_read(const struct killer *k, size_t n)
{
	ref slot = k->list.data[n].slot;

	for (; n < k->list.len && k->list.data[n].slot == slot; n++)
		if (k->list.data[n].kind == READS)
			return false;
	return true;
}

static void find_dead(struct killer *k)
{
	bool unread = false;

	for (size_t n = 0; n < k->list.len; n++) {
		const struct access *a = &k->list.data[n];

		if (!n || a[-1].slot != a->slot)
			unread = never_read(k, n);
		if (unread || (a->kind == OVERWRITES && is_dead(k, n)))
			k->dead[a->ins] = true;
	}
}

static void list_accesses(struct killer *k)
{
	for (uint32_t n = 0; n < k->dom.n; n++) {
		const struct blk *blk = &k->fn->blks.data[k->dom.rpo[n]];

		for (uint32_t at = 0; at < blk->ins.len; at++)
			note_accesses(k, blk->ins.data[at], at);
	}
	if (k->list.len)
		qsort(k->list.data, k->list.len, sizeof(*k->list.data), access_cmp);
}

static bool drop_dead(struct killer *k)
{
	struct rewrite rw;

	rewrite_init(&rw, k->fn, &k->scratch);
	for (uint32_t n = 0; n < k->dom.n; n++) {
		rewrite_begin(&rw, k->dom.rpo[n]);
		vec_each(r, &rw.old)
			if (!k->dead[*r])
				rewrite_keep(&rw, *r);
		rewrite_end(&rw);
	}
	return rw.changed;
}

bool opt_dse(struct fn *fn)
{
	struct killer k = { .fn = fn };

	dom_build(&k.dom, fn, &k.scratch);
	places_build(&k.places, fn, &k.dom, &k.scratch);
	k.dead = arena_array(&k.scratch, bool, fn->ins.len);
	list_accesses(&k);
	find_dead(&k);
	bool changed = drop_dead(&k);
	arena_free(&k.scratch);
	return changed;
}
