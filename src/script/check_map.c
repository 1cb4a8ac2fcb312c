/*
 * Maps: what a use of one says about its key and value, and where each is kept.
 */
#include "script/unit.h"

#include <stdlib.h>
#include <string.h>

struct map_sym *map_of(struct unit *u, struct expr *e)
{
	struct map_sym *m = strmap_gets(&u->c->maps, e->name);

	if (!m) {
		m = arena_new(u->c->arena, struct map_sym);
		m->name = e->name;
		m->first = e->span;
		m->max_entries = u->c->cfg->max_map_keys;
		strmap_sets(&u->c->maps, m->name, m);
	}
	e->map = m;
	return m;
}

static bool key_allowed(const struct type *t)
{
	return t->size && !type_is_agg(t) && t->kind != T_NONE && t->kind != T_FUNC;
}

/* Each part of a multi-part key; a key that is one value has one part. */
static bool parts_allowed(struct unit *u, const struct expr *key)
{
	const struct type *t = key->type;
	uint32_t n = 1;
	const struct field *f =
		t->kind == T_TUPLE && t->size ? type_fields(u->c->tt, t, &n) : NULL;

	for (uint32_t i = 0; i < n; i++) {
		const struct type *part = f ? f[i].type : t;

		if (!key_allowed(part)) {
			diag(u->c->dx, E0117_KEY_TYPE, key->span, type_text(u->c, part));
			return false;
		}
	}
	return true;
}

static void key_used(struct unit *u, struct map_sym *m, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t = check_value(u, e->key);

	if (type_is_error(t) || !parts_allowed(u, e->key))
		return;
	t = m->key ? unify(c, m->key, t) : t;
	if (!t) {
		struct diag *d = diag(c->dx, E0107_MAP_KEY, e->key->span, m->name,
				      type_text(c, e->key->type), type_text(c, m->key));

		diag_note(d, m->key_span, "the key got its type here");
		if ((e->key->type->kind == T_PTR) != (m->key->kind == T_PTR) &&
		    (type_is_integral(e->key->type) || type_is_integral(m->key)))
			diag_hint(d, "cast one of them, e.g. with (uint64)");
		return;
	}
	t = widened(c, t);
	if (!m->key || !type_same(m->key, t)) {
		if (!m->key)
			m->key_span = e->key->span;
		m->key = t;
		c->changed = true;
	}
}

struct map_sym *check_map_use(struct unit *u, struct expr *e)
{
	struct map_sym *m = map_of(u, e);

	if (e->key && m->scalar) {
		diag_note(diag(u->c->dx, E0111_MAP_KEYED, e->span, m->name), m->first,
			  "the first use");
	} else if (!e->key && m->keyed) {
		diag_note(diag(u->c->dx, E0110_MAP_SCALAR, e->span, m->name), m->first,
			  "the first use");
	} else if (e->key) {
		m->keyed = true;
		key_used(u, m, e);
	} else {
		m->scalar = true;
	}
	e->type = m->value ? m->value : &type_error;
	return m;
}

void map_assigned(struct unit *u, struct map_sym *m, const struct type *t, struct span span)
{
	struct compiler *c = u->c;

	m->assigned = true;
	if (type_is_error(t))
		return;
	if (t->kind == T_NONE || t->kind == T_FUNC) {
		diag(c->dx, E0118_VALUE_TYPE, span, type_text(c, t),
		     arena_printf(c->arena, "assigned to %s", m->name));
		return;
	}

	const struct type *now = m->value ? unify(c, m->value, t) : t;
	if (!now) {
		struct diag *d = diag(c->dx, E0108_MAP_VALUE, span, m->name, type_text(c, t),
				      type_text(c, m->value));

		diag_note(d, m->value_span, "the value got its type here");
		if (type_is_agg(t) && t->kind == m->value->kind)
			diag_hint(d, "all calls for one map have the same parameters");
		return;
	}
	now = widened(c, now);
	if (!m->value || !type_same(m->value, now) || m->value->flexible != now->flexible) {
		if (!m->value)
			m->value_span = span;
		m->value = now;
		c->changed = true;
	}
}

/*
 * A per-CPU hash that is not preallocated takes new keys from a small store that the kernel
 * fills in the background: a burst of them finds it empty, and the update fails. Each costs the
 * traced process some 20 us, too. A preallocated one costs start-up time (0.9 s for a million
 * keys, 40 ms for 123 MB) and memory for every key and CPU. So: up to that share of the
 * machine's memory, within bounds.
 */
enum { PREALLOC_ALWAYS = 64 << 20, PREALLOC_LIMIT = 256 << 20, PREALLOC_SHARE = 32 };

static bool is_preallocated(const struct compiler *c, const struct plan_kmap *k)
{
	uint64_t size = (uint64_t)k->value_size * k->max_entries * c->opt->ncpus;

	return size <= PREALLOC_ALWAYS ||
	       (size <= PREALLOC_LIMIT && size <= c->opt->memory / PREALLOC_SHARE);
}

static void hash_kmap(struct compiler *c, const struct map_sym *m, struct plan_map *pm)
{
	struct plan *p = c->plan;
	bool percpu = pm->store == STORE_PERCPU_HASH;
	struct plan_kmap k = {
		.name = m->name[1] ? m->name + 1 : "anonymous",
		.type = percpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH,
		.key_size = m->key ? m->key->size : 8,
		.value_size = percpu ? agg_words(m->value) * 8 : (m->value->size + 7) / 8 * 8,
		.max_entries = m->key ? m->max_entries : 1,
	};

	if (m->kind == BPF_MAP_TYPE_LRU_HASH || m->kind == BPF_MAP_TYPE_LRU_PERCPU_HASH)
		k.type = percpu ? BPF_MAP_TYPE_LRU_PERCPU_HASH : BPF_MAP_TYPE_LRU_HASH;
	else if (percpu && !is_preallocated(c, &k))
		k.flags = BPF_F_NO_PREALLOC;
	pm->kmap = (uint32_t)p->kmaps.len;
	vec_push(p->arena, &p->kmaps, k);
}

static void place_map(struct compiler *c, struct map_sym *m)
{
	struct plan *p = c->plan;
	struct plan_map pm = {
		.name = m->name,
		.key = m->key,
		.value = m->value,
		.max_entries = m->max_entries,
		.span = m->first,
	};

	if (type_is_agg(m->value))
		pm.store = m->keyed ? STORE_PERCPU_HASH : STORE_STRIPE;
	else
		pm.store = !m->keyed && type_is_scalar(m->value) ? STORE_SLOT : STORE_HASH;

	if (pm.store == STORE_SLOT) {
		pm.off = p->stripes_off; /* so far: the end of the slots */
		p->stripes_off += 16;
	} else if (pm.store == STORE_STRIPE) {
		pm.off = p->stripe_size;
		p->stripe_size += agg_words(m->value) * 8;
	} else {
		hash_kmap(c, m, &pm);
	}
	m->index = (uint32_t)p->maps.len;
	vec_push(p->arena, &p->maps, pm);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct map_sym *const *)a)->name, (*(struct map_sym *const *)b)->name);
}

static uint32_t round_up(uint32_t n, uint32_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* The globals in the order that plan.h shows; the counters grow behind everything else. */
static void place_globals(struct compiler *c)
{
	enum { CACHE_LINE = 64 };
	struct plan *p = c->plan;

	p->ncpus_pow2 = 1;
	while (p->ncpus_pow2 < c->opt->ncpus)
		p->ncpus_pow2 *= 2;
	p->stripes_off = round_up(p->stripes_off, CACHE_LINE);
	p->stripe_size = round_up(p->stripe_size, CACHE_LINE);
	p->counters_off = p->stripes_off + p->stripe_size * p->ncpus_pow2;
}

void settle_maps(struct compiler *c)
{
	struct plan *p = c->plan;
	VEC(struct map_sym *) list = {};

	p->zeros_size = 8; /* lower_loop.c wants a word */
	vec_each(e, &c->maps.entries) {
		struct map_sym *m = e->value;

		if (!m->value && m->declared.beg)
			diag(c->dx, W0115_UNUSED_MAP, m->declared, m->name);
		if (!m->value)
			continue;
		vec_push(c->arena, &list, m);
		if (type_is_agg(m->value) && agg_words(m->value) * 8 > p->zeros_size)
			p->zeros_size = agg_words(m->value) * 8;
	}
	if (list.len)
		qsort(list.data, list.len, sizeof(*list.data), by_name);

	p->zeros_off = GLOBALS_HEAD;
	p->slots_off = p->stripes_off = p->zeros_off + p->zeros_size;
	vec_each(m, &list)
		place_map(c, *m);
	place_globals(c);
	vec_each(m, &list)
		(*m)->plan = &p->maps.data[(*m)->index];
}
