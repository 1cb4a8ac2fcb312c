/*
 * Loads of slots: take the value that was stored, or loaded before.
 * needs: ssa, reachable    keeps: ssa, reachable, cfg
 *
 * On the way down the dominator tree, each word of each tracked slot (effect.h) remembers
 * which value gave which byte.  A block behind one other goes on with what that one left;
 * where paths meet everything is forgotten.
 */
#include "ir/effect.h"
#include "ir/pass.h"

#include <string.h>

enum {
	WORD = 8,
	SLOT_MAX = 4096, /* larger slots are left alone */
};

/* Which value a byte was written with, and as which part of it. */
struct origin {
	ref value;     /* 0 = not known */
	uint8_t start; /* the value's first byte in the word */
	uint8_t size;  /* and its length */
};

/* Of a slot: one that tells when all of it was forgotten, then its words of eight bytes. */
struct word {
	uint32_t stamp; /* when it was last changed */
	struct origin byte[WORD];
};

struct undo {
	uint32_t word;
	struct word was;
};

struct forwarder {
	struct fn *fn;
	struct arena scratch;
	struct dom dom;
	struct places places;
	struct renames renames;
	struct rewrite rw;
	uint32_t *head; /* by ref of slot: 1 + index in words, 0 = left alone */
	struct word *words;
	uint32_t *met; /* by block: the stamp where paths met last */
	uint32_t last_stamp;
	VEC(struct undo) undo;
	size_t *undo_mark; /* by depth of the walk */
	bool changed;	   /* a load became something else */
};

static size_t words_of(const struct ins *slot)
{
	return ((size_t)slot->imm + WORD - 1) / WORD;
}

/* The bytes that an access touches. */
struct spot {
	uint32_t head, word; /* in words */
	unsigned start;	     /* the first byte in the word */
	blkid blk;	     /* where the access stands */
};

/* Finds the spot of an access to one word of a slot; false when it is not such a simple one. */
static bool find_spot(const struct forwarder *f, const struct ins *i, struct spot *s)
{
	struct place p = place_of(&f->places, i->a, i->imm);

	if (p.kind != PLACE_SLOT || !p.exact || !f->head[p.slot])
		return false;
	if (p.off < 0 || p.off + i->size > ir_ins(f->fn, p.slot)->imm)
		return false;
	s->head = f->head[p.slot] - 1;
	s->word = s->head + 1 + p.off / WORD;
	s->start = p.off % WORD;
	s->blk = i->home;
	return s->start + i->size <= WORD;
}

/* Has the word not been forgotten, with its slot or where paths met? */
static bool is_fresh(const struct forwarder *f, const struct spot *s)
{
	uint32_t stamp = f->words[s->word].stamp;

	return stamp > f->met[s->blk] && stamp > f->words[s->head].stamp;
}

/* The word, to be changed in this scope of the walk. */
static struct word *touch(struct forwarder *f, uint32_t word)
{
	struct word *w = &f->words[word];

	vec_push(&f->scratch, &f->undo, (struct undo){ word, *w });
	w->stamp = ++f->last_stamp;
	return w;
}

static void record(struct forwarder *f, const struct spot *s, unsigned size, ref value)
{
	bool fresh = is_fresh(f, s);
	struct word *w = touch(f, s->word);

	if (!fresh)
		memset(w->byte, 0, sizeof(w->byte));
	for (unsigned k = s->start; k < s->start + size; k++)
		w->byte[k] = (struct origin){ value, s->start, size };
}

/* Nothing is known any more of what lies at a place: whole words, as this is rare. */
static void forget_words(struct forwarder *f, struct place p, unsigned size)
{
	int64_t last = ir_ins(f->fn, p.slot)->imm - 1;
	int64_t from = p.off < 0 ? 0 : p.off, to = p.off + size - 1;

	for (int64_t k = from / WORD; k <= (to < last ? to : last) / WORD; k++) {
		struct word *w = touch(f, f->head[p.slot] + k);

		memset(w->byte, 0, sizeof(w->byte));
	}
}

static void forget_place(struct forwarder *f, struct place p, unsigned size)
{
	if (p.kind != PLACE_SLOT || !f->head[p.slot])
		return;
	if (p.exact)
		forget_words(f, p, size);
	else
		touch(f, f->head[p.slot] - 1);
}

static void forget_args(struct forwarder *f, const struct ins *call)
{
	for (uint32_t k = 0; k < call->nargs; k++) {
		struct place p = place_of(&f->places, call->args[k], 0);

		p.exact = false;
		forget_place(f, p, 0);
	}
}

static bool is_zero(const struct forwarder *f, ref r)
{
	const struct ins *i = ir_ins(f->fn, r);

	return r && i->op == OP_CONST && !i->imm;
}

static bool all_zero(const struct forwarder *f, const struct word *w, unsigned start,
		     unsigned size)
{
	for (unsigned k = start; k < start + size; k++)
		if (!is_zero(f, w->byte[k].value))
			return false;
	return true;
}

/* The value that wrote exactly these bytes, or 0. */
static ref whole_value(const struct word *w, unsigned start, unsigned size)
{
	struct origin o = w->byte[start];

	if (o.start != start || o.size != size)
		return 0;
	for (unsigned k = start; k < start + size; k++)
		if (w->byte[k].value != o.value || w->byte[k].start != start ||
		    w->byte[k].size != size)
			return 0;
	return o.value;
}

static bool is_unknown(const struct word *w, unsigned start, unsigned size)
{
	for (unsigned k = start; k < start + size; k++)
		if (w->byte[k].value)
			return false;
	return true;
}

/* Replaces a load by what its word remembers, or lets the word remember the load. */
static void forward_load(struct forwarder *f, ref r, const struct spot *s)
{
	struct ins *i = ir_ins(f->fn, r);
	const struct word *w = &f->words[s->word];
	ref value = whole_value(w, s->start, i->size);

	if (!is_fresh(f, s) || is_unknown(w, s->start, i->size)) {
		record(f, s, i->size, r);
	} else if (value && i->size == WORD) {
		rename_value(&f->renames, r, value);
	} else if (value) {
		/* What was stored may have more bits than the slot kept. */
		i->op = OP_ZEXT;
		i->a = value;
		i->imm = 0;
		f->changed = true;
	} else if (all_zero(f, w, s->start, i->size)) {
		*i = (struct ins){ .op = OP_CONST, .home = i->home, .span = i->span };
		f->changed = true;
	}
}

static void visit_write(struct forwarder *f, const struct ins *i)
{
	struct spot s;

	if (i->op == OP_CALL) {
		if (!call_is_quiet(i))
			forget_args(f, i);
	} else if (i->op == OP_STORE && find_spot(f, i, &s)) {
		record(f, &s, i->size, i->b);
	} else {
		forget_place(f, place_of(&f->places, i->a, i->imm), i->size);
	}
}

static void visit(struct forwarder *f, ref r)
{
	struct ins *i = ir_ins(f->fn, r);
	struct spot s;

	rename_operands(&f->renames, i);
	if (i->op == OP_LOAD && find_spot(f, i, &s))
		forward_load(f, r, &s);
	else if (op_infos[i->op].flags & OP_WRITE)
		visit_write(f, i);
	if (renamed(&f->renames, r) == r)
		rewrite_keep(&f->rw, r);
}

static void forward_block(struct forwarder *f, blkid b)
{
	if (f->fn->blks.data[b].preds.len == 1)
		f->met[b] = f->met[f->dom.idom[b]];
	else
		f->met[b] = ++f->last_stamp;

	rewrite_begin(&f->rw, b);
	vec_each(r, &f->rw.old)
		visit(f, *r);
	rewrite_end(&f->rw);
}

static void undo_to(struct forwarder *f, size_t mark)
{
	while (f->undo.len > mark) {
		const struct undo *u = &f->undo.data[--f->undo.len];

		f->words[u->word] = u->was;
	}
}

static void forward_all(struct forwarder *f)
{
	struct dom_walk w;

	dom_walk_init(&w, &f->dom, &f->scratch);
	for (uint32_t k = 0; k < f->dom.n; k++) {
		while (dom_walk_leave(&w, k))
			undo_to(f, f->undo_mark[w.depth]);
		f->undo_mark[w.depth] = f->undo.len;
		dom_walk_enter(&w, k);
		forward_block(f, f->dom.tree[k]);
	}
	renames_apply(&f->renames, f->fn);
}

static void forwarder_init(struct forwarder *f, struct fn *fn)
{
	struct arena *a = &f->scratch;
	uint32_t n = 0;

	f->fn = fn;
	dom_build(&f->dom, fn, a);
	places_build(&f->places, fn, &f->dom, a);
	renames_init(&f->renames, fn, a);
	rewrite_init(&f->rw, fn, a);
	f->head = arena_array(a, uint32_t, fn->ins.len);
	for (ref r = 1; r < fn->ins.len; r++)
		if (f->places.tracked[r] && ir_ins(fn, r)->imm <= SLOT_MAX) {
			f->head[r] = n + 1;
			n += 1 + words_of(ir_ins(fn, r));
		}
	f->words = arena_array(a, struct word, n);
	f->met = arena_array(a, uint32_t, fn->blks.len);
	f->undo_mark = arena_array(a, size_t, fn->blks.len);
}

bool opt_mem(struct fn *fn)
{
	struct forwarder f = {};

	forwarder_init(&f, fn);
	forward_all(&f);
	arena_free(&f.scratch);
	return f.changed || f.rw.changed;
}
