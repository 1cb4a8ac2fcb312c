/*
 * Register allocation by linear scan over live ranges with holes.
 *
 * After Traub, Holloway, Smith, "Quality and Speed in Linear-scan Register Allocation" (PLDI
 * 1998) and Wimmer, Moessenboeck, "Optimized Interval Splitting in a Linear Scan Register
 * Allocator" (VEE 2005), without splitting.
 *
 * live.c says where each virtual register holds a wanted value: a list of ranges of positions
 * with holes between them.  The registers are visited in the order in which they come to life.
 * Those visited before are, at the current position, each in one of four states: over; active
 * (in a range: holds its machine register); inactive (in a hole: will want its register back);
 * spilled.  The machine registers have ranges of their own, from the instructions that name
 * them: r1-r5 from the move that sets an argument to the call, r0-r5 at each call, which
 * destroys them.  So a value that lives across a call finds nothing free but r6-r9, and nobody
 * has to say so.
 *
 * A register is free for the newcomer when no range of its owners, active, inactive or fixed,
 * meets a range of the newcomer.  Of the free ones it takes the one it has the most copies from
 * or to (its hints), so that these vanish: call results stay in r0, arguments are computed in
 * place, a loop's `i = i + 1` happens in one register.  Without hints it takes the one that is
 * needed again soonest, and leaves those with long free stretches to others.
 *
 * When none is free, the cheapest must go: either the newcomer or all who stand in its way in
 * one register.  The price is the number of reads and writes, each counted eightfold per loop
 * around it, divided by the length: long and rarely used goes first.  Whoever goes is marked,
 * and the scan goes on.  If anyone was marked, spill.c rewrites the program so that the marked
 * registers live in memory and visit short-lived new registers (pieces), and all is done again.
 *
 * Why this ends: what a marked register leaves behind is shorter each time, and the third
 * generation spans one instruction and its load or store, and costs infinitely much.  One
 * instruction has at most three registers of that kind, none is alive across a call, and r6-r9
 * are never fixed; so in a program of nothing else everybody finds a place.
 *
 * Cost: each step looks at the ten machine registers and at the inactive ones.  The latter are
 * bounded: beyond MAX_INACTIVE, newcomers have their holes filled before they are placed.
 *
 * What the kernel's verifier needs is kept by construction.  It follows a pointer or a bound
 * from the register that was tested to its copies and to 64-bit spills of it, so spills are
 * always whole words.  Kernels before 6.8 do not connect two loads of one spilled number, so a
 * number that is tested and used afterwards should rather stay in a register: conditional jumps
 * count as several uses.
 */
#include "codegen/regalloc.h"

#include "base/auto.h"
#include "base/err.h"
#include "codegen/live.h"
#include "codegen/spill.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INACTIVE = 64, MAX_ROUNDS = 64, MAX_LOOP_WEIGHT = 5, TEST_USES = 4 };

/* A copy between two registers: both would like to be the same. */
struct hint {
	mreg other;
	float weight;
	uint32_t next; /* index in hints, 0 = end */
};

struct interval {
	struct range *ranges; /* those before the current position are dropped */
	uint32_t beg, end;
	float weight;
	uint32_t hints; /* index of the first */
	mreg wish;	/* the machine register with the heaviest copy from or to it, if any */
	float wish_weight;
	bool placed;
};

struct scan {
	struct arena *arena;
	struct mfn *m;
	struct interval *ivs; /* by register, the machine's first */
	VEC(struct hint) hints;
	mreg *order; /* virtual registers by start */
	uint32_t norder;
	mreg active[MREG_ALLOCATABLE]; /* by machine register, 0 = none */
	VEC(mreg) inactive[MREG_ALLOCATABLE];
	uint32_t ninactive;
	bool *spilled; /* by register */
	uint32_t nspilled;
};

/* --- intervals ---------------------------------------------------------------------------- */

static void add_hint(struct scan *w, mreg r, mreg other, float weight)
{
	struct interval *iv = &w->ivs[r];

	if (!mir_is_virtual(other) && weight > iv->wish_weight) {
		iv->wish = other;
		iv->wish_weight = weight;
	}
	vec_push(w->arena, &w->hints, (struct hint){ other, weight, iv->hints });
	iv->hints = w->hints.len - 1;
}

static void weigh(struct scan *w, const struct minsn *i, float freq)
{
	bool is_test = BPF_CLASS(i->code) == BPF_JMP && i->kind == MK_PLAIN;
	struct mregs rs;

	mir_regs(i, &rs);
	for (unsigned k = 0; k < rs.nread; k++)
		w->ivs[rs.read[k]].weight += is_test ? TEST_USES * freq : freq;
	for (unsigned k = 0; k < rs.nwrite; k++)
		w->ivs[rs.write[k]].weight += freq;

	if (mir_is_copy(i) && i->src != BPF_REG_10) {
		add_hint(w, i->dst, i->src, freq);
		add_hint(w, i->src, i->dst, freq);
	}
}

static void weigh_all(struct scan *w)
{
	vec_each(b, &w->m->blks) {
		uint32_t depth = b->depth < MAX_LOOP_WEIGHT ? b->depth : MAX_LOOP_WEIGHT;
		float freq = 1u << (3 * depth);

		for (uint32_t i = b->beg; i < b->end; i++)
			weigh(w, &w->m->ins.data[i], freq);
	}
}

static int by_start(const void *x, const void *y, void *arg)
{
	const struct interval *ivs = arg;
	mreg a = *(const mreg *)x, b = *(const mreg *)y;

	if (ivs[a].beg != ivs[b].beg)
		return ivs[a].beg < ivs[b].beg ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void measure(struct interval *iv, struct range *ranges, enum vlevel level)
{
	uint32_t length = 0;

	iv->ranges = ranges;
	iv->beg = ranges->from;
	for (const struct range *r = ranges; r; r = r->next) {
		length += r->to - r->from;
		iv->end = r->to;
	}
	iv->weight = level == VREG_TINY ? FLT_MAX : iv->weight / length;
}

static void find_intervals(struct scan *w)
{
	uint32_t n = w->m->vregs.len;
	struct range **ranges = live_find(w->arena, w->m, LIVE_REGS);

	w->ivs = arena_array(w->arena, struct interval, n);
	w->order = arena_array(w->arena, mreg, n);
	w->spilled = arena_array(w->arena, bool, n);
	vec_push(w->arena, &w->hints, (struct hint){ 0 });
	weigh_all(w);

	for (mreg r = 0; r < n; r++) {
		if (!ranges[r])
			continue;
		measure(&w->ivs[r], ranges[r], w->m->vregs.data[r].level);
		if (mir_is_virtual(r))
			w->order[w->norder++] = r;
	}
	qsort_r(w->order, w->norder, sizeof(*w->order), by_start, w->ivs);
}

/* --- the scan ----------------------------------------------------------------------------- */

/* Drops the ranges that are over; returns the current or next one, NULL at the end. */
static const struct range *advance(struct interval *iv, uint32_t now)
{
	while (iv->ranges && iv->ranges->to <= now)
		iv->ranges = iv->ranges->next;
	return iv->ranges;
}

static void advance_reg(struct scan *w, mreg reg, uint32_t now)
{
	mreg holder = w->active[reg];
	size_t kept = 0;

	advance(&w->ivs[reg], now);
	if (holder) {
		const struct range *r = advance(&w->ivs[holder], now);

		if (!r || r->from > now)
			w->active[reg] = 0;
		if (r && r->from > now) {
			vec_push(w->arena, &w->inactive[reg], holder);
			w->ninactive++;
		}
	}
	for (size_t k = 0; k < w->inactive[reg].len; k++) {
		mreg v = w->inactive[reg].data[k];
		const struct range *r = advance(&w->ivs[v], now);

		if (r && r->from <= now)
			w->active[reg] = v;
		else if (r)
			w->inactive[reg].data[kept++] = v;
	}
	w->ninactive -= w->inactive[reg].len - kept;
	w->inactive[reg].len = kept;
}

/* What stands between a newcomer and a machine register. */
struct choice {
	mreg reg;
	bool fixed;    /* an instruction asks for it meanwhile */
	bool taken;    /* others have to go first ... */
	float price;   /* ... at this price */
	float hint;    /* copies that would vanish */
	uint32_t next; /* when it is needed again, after the newcomer's end */
};

static bool meets(const struct interval *x, const struct interval *y)
{
	return live_overlap(x->ranges, y->ranges) != UINT32_MAX;
}

static void note_owner(const struct scan *w, mreg owner, const struct interval *iv,
		       struct choice *c)
{
	const struct interval *o = &w->ivs[owner];

	if (meets(o, iv)) {
		c->taken = true;
		c->price += o->weight;
	}
}

/* The start of the first range behind end. */
static uint32_t next_need(const struct range *r, uint32_t end)
{
	while (r && r->from < end)
		r = r->next;
	return r ? r->from : UINT32_MAX;
}

static uint32_t next_need_of_all(const struct scan *w, mreg reg, uint32_t end)
{
	uint32_t first = next_need(w->ivs[reg].ranges, end);

	for (size_t k = 0; k < w->inactive[reg].len; k++) {
		uint32_t next = next_need(w->ivs[w->inactive[reg].data[k]].ranges, end);

		if (next < first)
			first = next;
	}
	return first;
}

static struct choice look_at(const struct scan *w, mreg reg, mreg v)
{
	const struct interval *iv = &w->ivs[v];
	struct choice c = { .reg = reg };

	c.fixed = meets(&w->ivs[reg], iv);
	if (c.fixed)
		return c;
	if (w->active[reg])
		note_owner(w, w->active[reg], iv, &c);
	for (size_t k = 0; k < w->inactive[reg].len; k++)
		note_owner(w, w->inactive[reg].data[k], iv, &c);
	if (!c.taken)
		c.next = next_need_of_all(w, reg, iv->end);
	return c;
}

static bool is_better(const struct choice *x, const struct choice *y)
{
	if (x->fixed != y->fixed)
		return y->fixed;
	if (x->taken != y->taken)
		return y->taken;
	if (x->taken)
		return x->price < y->price;
	if (x->hint != y->hint)
		return x->hint > y->hint;
	return x->next < y->next;
}

/* By machine register, the weight of the copies that vanish when v gets it. */
static void find_hints(const struct scan *w, mreg v, float hint[MREG_ALLOCATABLE])
{
	for (uint32_t h = w->ivs[v].hints; h; h = w->hints.data[h].next) {
		mreg other = w->hints.data[h].other;
		float weight = w->hints.data[h].weight;

		if (!mir_is_virtual(other))
			hint[other] += weight;
		else if (w->ivs[other].placed)
			hint[w->m->vregs.data[other].phys] += weight;
		else if (w->ivs[other].wish_weight > 0)
			hint[w->ivs[other].wish] += weight / 2;
	}
}

static struct choice choose(const struct scan *w, mreg v)
{
	float hint[MREG_ALLOCATABLE] = { 0 };
	struct choice best = look_at(w, 0, v);

	find_hints(w, v, hint);
	best.hint = hint[0];
	for (mreg reg = 1; reg < MREG_ALLOCATABLE; reg++) {
		struct choice c = look_at(w, reg, v);

		c.hint = hint[reg];
		if (is_better(&c, &best))
			best = c;
	}
	return best;
}

static void spill(struct scan *w, mreg v)
{
	w->ivs[v].placed = false;
	w->spilled[v] = true;
	w->nspilled++;
}

static void evict(struct scan *w, mreg reg, const struct interval *iv)
{
	size_t kept = 0;

	if (w->active[reg] && meets(&w->ivs[w->active[reg]], iv)) {
		spill(w, w->active[reg]);
		w->active[reg] = 0;
	}
	for (size_t k = 0; k < w->inactive[reg].len; k++) {
		mreg v = w->inactive[reg].data[k];

		if (meets(&w->ivs[v], iv))
			spill(w, v);
		else
			w->inactive[reg].data[kept++] = v;
	}
	w->ninactive -= w->inactive[reg].len - kept;
	w->inactive[reg].len = kept;
}

static void fill_holes(struct interval *iv)
{
	iv->ranges->to = iv->end;
	iv->ranges->next = NULL;
}

static void place(struct scan *w, mreg v)
{
	struct interval *iv = &w->ivs[v];

	for (mreg reg = 0; reg < MREG_ALLOCATABLE; reg++)
		advance_reg(w, reg, iv->beg);
	if (w->ninactive > MAX_INACTIVE)
		fill_holes(iv);

	struct choice c = choose(w, v);
	if (c.fixed || (c.taken && c.price >= iv->weight)) {
		spill(w, v);
		return;
	}
	if (c.taken)
		evict(w, c.reg, iv);
	w->active[c.reg] = v;
	w->m->vregs.data[v].phys = c.reg;
	iv->placed = true;
}

/* Tries to give everybody a register; otherwise rewrites the program and returns false. */
static bool scan_once(struct mfn *m)
{
	auto_arena struct arena scratch = { 0 };
	struct scan w = { .arena = &scratch, .m = m };

	find_intervals(&w);
	for (uint32_t k = 0; k < w.norder; k++)
		place(&w, w.order[k]);
	if (!w.nspilled)
		return true;
	spill_rewrite(m, w.spilled);
	return false;
}

uint32_t regalloc(struct mfn *m, uint32_t above)
{
	for (unsigned round = 0; !scan_once(m); round++)
		if (round == MAX_ROUNDS)
			BUG("registers still spilled after %u rounds", round);
	return spill_place_slots(m, above);
}
