/*
 * Maps, as IR: one small piece of code for each way of keeping a map (plan.h).
 */
#include "script/lower.h"

#include "builtin/builtin.h"

static ref slot_addr(struct unit *u, const struct map_sym *m)
{
	return ir_mapval(&u->b, KMAP_GLOBALS, m->plan->off);
}

ref lower_cpu_stripe(struct unit *u, uint32_t off)
{
	struct irb *b = &u->b;
	const struct plan *p = u->c->plan;
	ref base = ir_mapval(b, KMAP_GLOBALS, p->stripes_off + off);

	if (p->ncpus_pow2 == 1)
		return base;
	ref cpu = ir_call(b, BPF_FUNC_get_smp_processor_id, 0);
	cpu = ir_bin(b, OP_AND, cpu, ir_const(b, p->ncpus_pow2 - 1));
	return ir_bin(b, OP_ADD, base, ir_bin(b, OP_MUL, cpu, ir_const(b, p->stripe_size)));
}

/* The key bytes of @m[key] in memory; a keyless hash has one entry under 0. */
ref lower_key(struct unit *u, const struct map_sym *m, struct expr *key)
{
	struct dest d = { ir_slot(&u->b, m->key ? m->key->size : 8), 0, m->key, true };

	if (key)
		lower_to(u, key, &d);
	else
		ir_store(&u->b, 8, d.ptr, 0, ir_const(&u->b, 0));
	return d.ptr;
}

static ref lookup(struct unit *u, const struct map_sym *m, ref key)
{
	return ir_call(&u->b, H_MAP_LOOKUP, 2, ir_map(&u->b, m->plan->kmap), key);
}

static ref load_value(struct unit *u, const struct map_sym *m, ref at)
{
	struct place p = { PLACE_DIRECT, at, 0 };

	return read_scalar(u, &p, m->value, NULL, u->b.span);
}

static void count_miss(struct unit *u, const struct expr *e)
{
	if (!u->c->opt->tell_lookups)
		return;
	uint32_t off = counter_new(u, COUNT_LOOKUP, e->span, "map_lookup_elem", false);

	count_failure(u, off, ir_const(&u->b, 0));
}

ref lower_map_read(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	struct map_sym *m = e->map;

	if (type_is_agg(m->value))
		return lower_agg_read(u, e);
	if (m->plan->store == STORE_SLOT)
		return ir_load(b, 8, slot_addr(u, m), 0);

	blkid hit = ir_block(b), miss = ir_block(b);
	struct meet way = meet_new(b);
	ref at = lookup(u, m, lower_key(u, m, e->key));
	ir_br(b, at, hit, miss);
	ir_start(b, hit);
	meet_from(b, &way, load_value(u, m, at));
	ir_start(b, miss);
	count_miss(u, e);
	meet_from(b, &way, ir_const(b, 0));
	return meet_here(b, &way);
}

ref lower_map_addr(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	struct map_sym *m = e->map;
	uint32_t size = m->value->size;
	ref copy = ir_slot(b, size), at = lookup(u, m, lower_key(u, m, e->key));
	blkid hit = ir_block(b), miss = ir_block(b), done = ir_block(b);

	ir_br(b, at, hit, miss);
	ir_start(b, hit);
	ir_copy(b, copy, 0, at, 0, size);
	ir_jmp(b, done);
	ir_start(b, miss);
	count_miss(u, e);
	ir_zero(b, copy, 0, size);
	ir_jmp(b, done);
	ir_start(b, done);
	return copy;
}

ref lower_map_entry(struct unit *u, struct expr *e)
{
	if (e->map->plan->store == STORE_SLOT)
		return slot_addr(u, e->map);
	return lookup(u, e->map, lower_key(u, e->map, e->key));
}

static bool is_lru(const struct map_sym *m)
{
	return m->kind == BPF_MAP_TYPE_LRU_HASH || m->kind == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/*
 * Counts an entry of an LRU map that comes or goes, if so: what came, was not deleted and is
 * not there in the end was given up by the kernel.
 */
static void count_entry(struct unit *u, const struct map_sym *m, ref so, enum counter_kind kind)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), done = ir_block(b);

	uint32_t counter = counter_new(u, kind, b->span, NULL, true);
	counter_is_of_map(u, m);
	ir_br(b, so, yes, done);
	ir_start(b, yes);
	count_failure(u, counter, ir_const(b, 0));
	ir_jmp(b, done);
	ir_start(b, done);
}

static void update(struct unit *u, const struct map_sym *m, ref key, ref value)
{
	struct irb *b = &u->b;

	if (is_lru(m))
		count_entry(u, m, ir_bin(b, OP_EQ, lookup(u, m, key), ir_const(b, 0)),
			    COUNT_ADDED);
	ref ret = ir_call(b, H_MAP_UPDATE, 4, ir_map(b, m->plan->kmap), key, value,
			  ir_const(b, BPF_ANY));
	count_if_map_failed(u, ret, COUNT_MAP_FULL, b->span, "map_update_elem");
	counter_is_of_map(u, m);
}

/* Fills a value of the map's size in memory and updates the entry with it. */
static void update_scalar(struct unit *u, const struct map_sym *m, ref key, ref v)
{
	struct irb *b = &u->b;
	ref value = ir_slot(b, 8);

	if (m->value->size < 8)
		ir_store(b, 8, value, 0, ir_const(b, 0));
	ir_store(b, m->value->size, value, 0, v);
	update(u, m, key, value);
}

static void store_scalar(struct unit *u, struct map_sym *m, struct expr *key_expr, ref v)
{
	struct irb *b = &u->b;

	if (m->plan->store == STORE_SLOT) {
		ref at = slot_addr(u, m);

		ir_store(b, 8, at, 0, v);
		ir_store(b, 8, at, 8, ir_const(b, 1));
		return;
	}

	ref key = lower_key(u, m, key_expr);
	/*
	 * Where entries come and go it is most likely not there.  What runs once is kept short:
	 * for each inlined lookup the kernel moves the whole program, so that loading thousands
	 * of them would take the square of their number.
	 */
	if (m->deleted || u->when == PROG_BEGIN || u->when == PROG_END) {
		update_scalar(u, m, key, v);
		return;
	}
	blkid hit = ir_block(b), miss = ir_block(b), done = ir_block(b);
	ref at = lookup(u, m, key);
	ir_br(b, at, hit, miss);
	ir_start(b, hit);
	ir_store(b, m->value->size, at, 0, v);
	ir_jmp(b, done);
	ir_start(b, miss);
	update_scalar(u, m, key, v);
	ir_jmp(b, done);
	ir_start(b, done);
}

void lower_map_set(struct unit *u, struct expr *target, ref v)
{
	store_scalar(u, target->map, target->key, v);
}

void lower_map_store(struct unit *u, struct expr *target, struct expr *value)
{
	struct irb *b = &u->b;
	struct map_sym *m = target->map;

	if (type_is_scalar(m->value)) {
		store_scalar(u, m, target->key, lower_scalar(u, value));
		return;
	}

	uint32_t size = (m->value->size + 7) / 8 * 8;
	struct dest d = { ir_slot(b, size), 0, m->value, true };
	if (size > m->value->size)
		ir_zero(b, d.ptr, (int32_t)(m->value->size & ~7u), 8);
	lower_to(u, value, &d);
	update(u, m, lower_key(u, m, target->key), d.ptr);
}

/*
 * Finds the entry of a key, or inserts zeros for it; continues with its address.  Where that
 * fails (map full) the failure is counted and control goes to *done.  Inserting zeros with
 * NOEXIST and adding afterwards keeps every event when two CPUs meet a new key together.
 */
static ref find_or_insert(struct unit *u, const struct map_sym *m, struct expr *key_expr,
			  blkid *done)
{
	struct irb *b = &u->b;
	uint32_t counter = counter_new(u, COUNT_MAP_FULL, b->span, "map_update_elem", false);
	counter_is_of_map(u, m);
	blkid miss = ir_block(b), fail = ir_block(b), hit = ir_block(b);
	ref key = lower_key(u, m, key_expr);

	*done = ir_block(b);
	ref first = lookup(u, m, key);
	ir_br(b, first, hit, miss);

	ir_start(b, miss);
	ref ret = ir_call(b, H_MAP_UPDATE, 4, ir_map(b, m->plan->kmap), key,
			  ir_mapval(b, KMAP_GLOBALS, u->c->plan->zeros_off),
			  ir_const(b, BPF_NOEXIST));
	if (is_lru(m))
		count_entry(u, m, ir_bin(b, OP_EQ, ret, ir_const(b, 0)), COUNT_ADDED);
	ref second = lookup(u, m, key);
	ir_br(b, second, hit, fail);

	ir_start(b, fail);
	count_failure(u, counter, map_error(b, ret));
	ir_jmp(b, *done);

	ir_start(b, hit);
	return ir_phi(b, 2, (ref[]){ first, second });
}

void lower_map_agg(struct unit *u, struct expr *target, struct expr *call)
{
	struct irb *b = &u->b;
	struct map_sym *m = target->map;

	if (m->plan->store == STORE_STRIPE) {
		call->builtin->update(u, call, m->value, lower_cpu_stripe(u, m->plan->off));
		return;
	}
	blkid done;
	ref at = find_or_insert(u, m, target->key, &done);
	call->builtin->update(u, call, m->value, at);
	ir_jmp(b, done);
	ir_start(b, done);
}

void lower_map_add(struct unit *u, struct expr *target, ref v)
{
	struct irb *b = &u->b;
	struct map_sym *m = target->map;

	if (m->plan->store == STORE_SLOT) {
		ref at = slot_addr(u, m);

		ir_atomic_add(b, 8, at, 0, v);
		ir_store(b, 8, at, 8, ir_const(b, 1));
		return;
	}
	blkid done;
	ref at = find_or_insert(u, m, target->key, &done);
	ir_atomic_add(b, 8, at, 0, v);
	ir_jmp(b, done);
	ir_start(b, done);
}

/* A scalar map is emptied in place; its old "set" says whether there was something. */
static ref delete_slot(struct unit *u, const struct map_sym *m)
{
	struct irb *b = &u->b;
	ref at = slot_addr(u, m);
	ref was = ir_load(b, 8, at, 8);

	ir_store(b, 8, at, 8, ir_const(b, 0));
	ir_store(b, 8, at, 0, ir_const(b, 0));
	return was;
}

ref lower_map_delete(struct unit *u, struct expr *target, bool want, struct span span)
{
	struct irb *b = &u->b;
	struct map_sym *m = target->map;

	if (m->plan->store == STORE_SLOT)
		return delete_slot(u, m);
	if (m->plan->store == STORE_STRIPE)
		return lower_agg_clear(u, m);

	ref key = lower_key(u, m, target->key);
	ref ret = ir_call(b, H_MAP_DELETE, 2, ir_map(b, m->plan->kmap), key);
	if (is_lru(m))
		count_entry(u, m, ir_bin(b, OP_EQ, ret, ir_const(b, 0)), COUNT_REMOVED);
	if (want)
		return ir_bin(b, OP_EQ, ret, ir_const(b, 0));
	count_if_map_failed(u, ret, COUNT_DELETE, span, "map_delete_elem");
	counter_is_of_map(u, m);
	return 0;
}

ref lower_map_has(struct unit *u, struct expr *target)
{
	struct irb *b = &u->b;
	struct map_sym *m = target->map;

	if (m->plan->store == STORE_SLOT)
		return ir_bin(b, OP_NE, ir_load(b, 8, slot_addr(u, m), 8), ir_const(b, 0));
	return ir_bin(b, OP_NE, lookup(u, m, lower_key(u, m, target->key)), ir_const(b, 0));
}

ref lower_map_find(struct unit *u, struct expr *target, struct var_sym *v)
{
	struct irb *b = &u->b;
	struct map_sym *m = target->map;
	blkid hit = ir_block(b), miss = ir_block(b);
	struct meet way = meet_new(b);
	struct dest d = { v->slot, 0, v->type, true };
	ref at = lookup(u, m, lower_key(u, m, target->key));

	ir_br(b, at, hit, miss);
	ir_start(b, hit);
	if (type_is_agg(m->value))
		ir_store(b, 8, v->slot, 0, lower_agg_read(u, target));
	else if (type_is_scalar(m->value))
		ir_store(b, 8, v->slot, 0, load_value(u, m, at));
	else
		convert(u, at, 0, m->value, &d);
	meet_from(b, &way, ir_const(b, 1));
	ir_start(b, miss);
	meet_from(b, &way, ir_const(b, 0));
	return meet_here(b, &way);
}
