/*
 * ir_eval.h - runs IR, to compare a function before and after a pass.
 *
 * The slowest and plainest way: one word per value, phis by the block that was left.  Addresses
 * are numbers that depend on nothing a pass may change: ctx, the maps and each slot have their
 * own region.  Helpers are made up, but do what effect.h lets them do: read and write what they
 * are given, change a map behind the program's back, and give results that depend on it all.
 */
#ifndef SCRY_TESTS_IR_EVAL_H
#define SCRY_TESTS_IR_EVAL_H

#include "ir/ir.h"

#include <string.h>

/* Bytes in the value of every map; may be set by who includes this. */
#ifndef EVAL_MAP_SIZE
#define EVAL_MAP_SIZE 64
#endif

enum {
	EVAL_CTX = 0x10000,
	EVAL_MAP = 0x20000,
	EVAL_SLOT = 0x100000,
	EVAL_CTX_SIZE = 64,
	EVAL_SLOT_SPAN = 4096, /* addresses per slot */
	EVAL_STEPS = 100000,
};

/* What can be seen of a run. */
struct eval_result {
	uint64_t value; /* what ret gave */
	uint64_t trace; /* a hash of all calls with what they were given */
	uint8_t map[EVAL_MAP_SIZE];
	const char *fault; /* NULL, or why the run ended early */
};

struct eval {
	struct fn *fn;
	struct arena arena;
	uint64_t *val;
	uint8_t **slot; /* by ref */
	uint8_t ctx[EVAL_CTX_SIZE];
	struct eval_result out;
};

static uint64_t eval_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

/* The memory behind an address and how many bytes of it there are; NULL: none. */
static uint8_t *eval_memory(struct eval *e, uint64_t addr, size_t *len)
{
	uint64_t slot = (addr - EVAL_SLOT) / EVAL_SLOT_SPAN;
	size_t off = (addr - EVAL_SLOT) % EVAL_SLOT_SPAN, size;

	if (addr >= EVAL_CTX && addr < EVAL_CTX + EVAL_CTX_SIZE) {
		*len = EVAL_CTX + EVAL_CTX_SIZE - addr;
		return e->ctx + (addr - EVAL_CTX);
	}
	if (addr >= EVAL_MAP && addr < EVAL_MAP + EVAL_MAP_SIZE) {
		*len = EVAL_MAP + EVAL_MAP_SIZE - addr;
		return e->out.map + (addr - EVAL_MAP);
	}
	if (addr < EVAL_SLOT || slot >= e->fn->ins.len || !e->slot[slot])
		return NULL;
	size = ir_ins(e->fn, slot)->imm;
	if (off >= size)
		return NULL;
	*len = size - off;
	return e->slot[slot] + off;
}

static uint8_t *eval_access(struct eval *e, const struct ins *i)
{
	size_t len;
	uint8_t *p = eval_memory(e, e->val[i->a] + i->imm, &len);

	if (p && len >= i->size)
		return p;
	e->out.fault = "access out of bounds";
	return NULL;
}

static uint64_t eval_get(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static uint64_t eval_load_store(struct eval *e, const struct ins *i)
{
	uint8_t *p = eval_access(e, i);
	uint64_t old, b, mask = UINT64_MAX >> (64 - 8 * i->size);

	if (!p)
		return 0;
	old = eval_get(p, i->size);
	b = e->val[i->b];
	switch (i->op) {
	case OP_STORE:
	case OP_XCHG: memcpy(p, &b, i->size); break;
	case OP_ATOMIC_ADD:
		b += old;
		memcpy(p, &b, i->size);
		break;
	case OP_CMPXCHG:
		if (old == (b & mask))
			memcpy(p, &e->val[i->c], i->size);
		break;
	}
	return old;
}

/* Reads all of what the argument points to, then scribbles on it. */
static uint64_t eval_argument(struct eval *e, uint64_t arg, uint64_t h, bool writes)
{
	size_t len;
	uint8_t *p = eval_memory(e, arg, &len);

	h = eval_mix(h, arg);
	if (!p || arg < EVAL_SLOT)
		return h;
	for (size_t k = 0; k < len; k++) {
		h = eval_mix(h, p[k]);
		if (writes && h & 1)
			p[k] = h >> 8;
	}
	return h;
}

static uint64_t eval_probe_read(struct eval *e, const struct ins *i)
{
	size_t to_len, from_len;
	uint64_t len = e->val[i->args[1]];
	uint8_t *to = eval_memory(e, e->val[i->args[0]], &to_len);
	uint8_t *from = eval_memory(e, e->val[i->args[2]], &from_len);

	if (!to || to_len < len) {
		e->out.fault = "bad probe read";
		return 0;
	}
	if (from && from_len >= len)
		memmove(to, from, len);
	else
		memset(to, 0, len);
	return 0;
}

static uint64_t eval_call(struct eval *e, const struct ins *i)
{
	uint64_t h = eval_mix(17, i->imm);

	switch (i->imm) {
	case 1: /* map_lookup_elem: by the key's content, NULL or the map's value */
		h = eval_argument(e, e->val[i->args[1]], h, false);
		return h & 4 ? EVAL_MAP : 0;
	case 8:
	case 14: return eval_mix(h, eval_get(e->ctx, 8));
	case 113: return eval_probe_read(e, i);
	}
	for (uint32_t k = 0; k < i->nargs; k++)
		h = eval_argument(e, e->val[i->args[k]], h, true);
	e->out.trace = eval_mix(e->out.trace, h);
	e->out.map[h % 8]++;
	return h;
}

static uint64_t eval_ins(struct eval *e, ref r)
{
	const struct ins *i = ir_ins(e->fn, r);
	int64_t v;

	switch (i->op) {
	case OP_CONST: return i->imm;
	case OP_CTX: return EVAL_CTX;
	case OP_MAP: return 0x1000 + i->imm;
	case OP_MAPVAL: return EVAL_MAP + (uint32_t)i->imm;
	case OP_SLOT:
		if (!e->slot[r])
			e->slot[r] = arena_alloc(&e->arena, i->imm);
		return EVAL_SLOT + (uint64_t)r * EVAL_SLOT_SPAN;
	case OP_CALL: return eval_call(e, i);
	case OP_LOAD:
	case OP_STORE:
	case OP_ATOMIC_ADD:
	case OP_XCHG:
	case OP_CMPXCHG: return eval_load_store(e, i);
	}
	if (!ir_fold(i->op, i->size, e->val[i->a], e->val[i->b], &v))
		e->out.fault = "unknown operation";
	return v;
}

/* All phis of a block take their values at once. */
static size_t eval_phis(struct eval *e, const struct blk *b, blkid from)
{
	uint64_t *tmp = arena_array(&e->arena, uint64_t, b->ins.len);
	size_t n, k = 0;

	while (k < b->preds.len && b->preds.data[k] != from)
		k++;
	for (n = 0; ir_ins(e->fn, b->ins.data[n])->op == OP_PHI; n++)
		tmp[n] = e->val[ir_ins(e->fn, b->ins.data[n])->args[k]];
	for (size_t m = 0; m < n; m++)
		e->val[b->ins.data[m]] = tmp[m];
	return n;
}

static void eval_run(struct eval *e)
{
	blkid cur = 0, from = 0;

	for (int steps = 0; !e->out.fault;) {
		const struct blk *b = &e->fn->blks.data[cur];
		size_t n = eval_phis(e, b, from);

		for (; n + 1 < b->ins.len && !e->out.fault; n++)
			e->val[b->ins.data[n]] = eval_ins(e, b->ins.data[n]);
		if ((steps += b->ins.len) > EVAL_STEPS)
			e->out.fault = "too many steps";

		const struct ins *t = ir_ins(e->fn, b->ins.data[n]);
		if (t->op == OP_RET) {
			e->out.value = e->val[t->a];
			return;
		}
		if (t->op == OP_UNREACHABLE)
			e->out.fault = "reached the unreachable";
		from = cur;
		cur = t->blk[t->op == OP_BR && !e->val[t->a]];
	}
}

/* Runs fn with a ctx filled from the seed and the map as given. */
static inline struct eval_result ir_eval_map(struct fn *fn, uint64_t seed,
					     const uint8_t map[EVAL_MAP_SIZE])
{
	struct eval e = { .fn = fn };

	e.val = arena_array(&e.arena, uint64_t, fn->ins.len);
	e.slot = arena_array(&e.arena, uint8_t *, fn->ins.len);
	for (unsigned k = 0; k < EVAL_CTX_SIZE; k++)
		e.ctx[k] = eval_mix(seed, k) >> 20;
	memcpy(e.out.map, map, EVAL_MAP_SIZE);
	eval_run(&e);
	arena_free(&e.arena);
	return e.out;
}

/* Runs fn with a ctx and map filled from the seed. */
static inline struct eval_result ir_eval(struct fn *fn, uint64_t seed)
{
	uint8_t map[EVAL_MAP_SIZE];

	for (unsigned k = 0; k < EVAL_MAP_SIZE; k++)
		map[k] = eval_mix(seed, k + 1000) >> 20;
	return ir_eval_map(fn, seed, map);
}

#endif
