#include "session/maps.h"

#include "kernel/bpf.h"
#include "kernel/proc.h"
#include "output/sort.h"
#include "session/aggregate.h"
#include "session/clock.h"
#include "session/engine.h"
#include "session/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A slot of the globals, see plan.h. */
struct slot {
	uint64_t value, set;
};

static struct slot *slot_of(const struct session *s, const struct plan_map *m)
{
	return (struct slot *)(s->loaded.globals + m->off);
}

static uint64_t *stripe_of(const struct session *s, const struct plan_map *m, uint32_t i)
{
	const struct plan *p = s->plan;

	return (uint64_t *)(s->loaded.globals + p->stripes_off + (size_t)i * p->stripe_size +
			    m->off);
}

static uint64_t load_word(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static int map_kind(const struct type *value)
{
	switch (value->kind) {
	case T_HIST:
	case T_LHIST:
	case T_LLHIST: return MAP_HIST;
	case T_AVG:
	case T_STATS: return MAP_STATS;
	case T_TSERIES: return MAP_TSERIES;
	default: return MAP_PLAIN;
	}
}

static void put_value(struct session *s, const struct type *t, const void *bytes,
		      struct value *out)
{
	if (type_is_agg(t))
		agg_value(&s->scratch, t, bytes, out);
	else
		decode(&s->decoder, &s->scratch, t, bytes, out);
}

static struct map_view view_of(const struct plan_map *m)
{
	return (struct map_view){ .name = m->name,
				  .keyed = m->key != NULL,
				  .kind = map_kind(m->value) };
}

/* Types whose zero bytes say that there is nothing; user 0 is somebody. */
static bool has_neutral_zero(const struct type *t)
{
	return type_is_integral(t) || t->kind == T_PTR || t->kind == T_FLOAT ||
	       t->kind == T_STRING ||
	       (type_is_agg(t) && map_kind(t) != MAP_HIST && map_kind(t) != MAP_TSERIES);
}

/* What the program itself would read: print() of a scalar that holds nothing shows it. */
static bool zero_entry(struct session *s, const struct plan_map *m, struct map_entry *out)
{
	size_t size = type_is_agg(m->value) ? 8 * agg_words(m->value) : m->value->size;

	if (m->key || !has_neutral_zero(m->value))
		return false;
	put_value(s, m->value, arena_alloc(&s->scratch, size), &out->value);
	return true;
}

static bool read_slot(struct session *s, const struct plan_map *m, struct map_entry *out)
{
	const struct slot *slot = slot_of(s, m);
	uint64_t *value = arena_new(&s->scratch, uint64_t);

	if (!load_word(&slot->set))
		return false;
	*value = load_word(&slot->value);
	put_value(s, m->value, value, &out->value);
	return true;
}

/* The stripes of an aggregate, folded; NULL when it does not exist. */
static uint64_t *fold_stripes(struct session *s, const struct plan_map *m)
{
	uint32_t n = agg_words(m->value);
	uint64_t *sum = arena_array(&s->scratch, uint64_t, n);
	uint64_t *one = arena_array(&s->scratch, uint64_t, n);

	for (uint32_t i = 0; i < s->plan->ncpus_pow2; i++) {
		const uint64_t *words = stripe_of(s, m, i);

		for (uint32_t w = 0; w < n; w++)
			one[w] = load_word(&words[w]);
		agg_fold(m->value, sum, one);
	}
	return agg_exists(m->value, sum) ? sum : NULL;
}

static bool read_stripes(struct session *s, const struct plan_map *m, struct map_entry *out)
{
	const uint64_t *words = fold_stripes(s, m);

	if (!words)
		return false;
	put_value(s, m->value, words, &out->value);
	return true;
}

static int table_of(struct session *s, const struct plan_map *m, struct table *t, struct err *e)
{
	int err = table_read(t, &s->loaded, &s->plan->kmaps.data[m->kmap], m->value,
			     s->loaded.maps[m->kmap]);

	return err ? err_set(e, err, "read map %s", m->name) : 0;
}

/* A table while it is shown: what an entry becomes lives in the scratch arena. */
struct showing {
	struct session *s;
	const struct plan_map *map;
	struct table t;
	struct map_rank *ranks; /* of the entries to show, in order */
	int64_t div;
	struct arena_mark mark;
	struct value key; /* of the entry below */
	struct map_entry entry;
};

static const void *key_bytes(const struct showing *w, uint32_t i)
{
	return w->t.keys + (size_t)i * w->t.key_size;
}

static void get_key(const struct showing *w, uint32_t i, struct value *out)
{
	decode(&w->s->decoder, &w->s->scratch, w->map->key, key_bytes(w, i), out);
}

/* The series of all keys end with the newest interval of any of them. */
static void align_series(struct showing *w)
{
	const struct type *t = w->map->value;
	uint64_t newest = 0;

	for (size_t i = 0; i < w->t.n; i++) {
		const void *words = w->t.values + i * w->t.value_size;
		uint64_t mine = tseries_newest(t, words);

		newest = mine > newest ? mine : newest;
	}
	for (size_t i = 0; i < w->t.n; i++)
		tseries_set_newest(t, (void *)(w->t.values + i * w->t.value_size), newest);
}

/* Makes entry i of the table the showing's one. */
static void get_entry(struct showing *w, uint32_t i)
{
	arena_reset(&w->s->scratch, w->mark);
	put_value(w->s, w->map->value, w->t.values + (size_t)i * w->t.value_size,
		  &w->entry.value);
	if (!w->map->key)
		return;
	get_key(w, i, &w->key);
	w->entry.key = &w->key;
}

static const struct map_entry *table_entry(const struct map_view *m, size_t i)
{
	struct showing *w = (struct showing *)(uintptr_t)m->arg;

	get_entry(w, w->ranks[i].index);
	map_divide(&w->entry.value, w->div);
	return &w->entry;
}

static int compare_whole_keys(void *arg, uint32_t a, uint32_t b)
{
	struct showing *w = arg;
	struct value x, y;
	int order;

	arena_reset(&w->s->scratch, w->mark);
	if (decode_stacks_apart(&w->s->decoder, &w->s->scratch, w->map->key, key_bytes(w, a),
				key_bytes(w, b), &x, &y)) {
		order = map_compare_keys(&x, &y);
		if (order)
			return order;
	}
	get_key(w, a, &x);
	get_key(w, b, &y);
	return map_compare_keys(&x, &y);
}

static void rank_all(struct showing *w)
{
	uint64_t cut = w->s->decoder.cut; /* counts what is shown, later */

	w->ranks = xrealloc(NULL, w->t.n * sizeof(*w->ranks));
	for (size_t i = 0; i < w->t.n; i++) {
		get_entry(w, (uint32_t)i);
		w->ranks[i] = map_rank(&w->entry, (uint32_t)i);
	}
	map_sort(w->ranks, w->t.n, w->map->key ? compare_whole_keys : NULL, w);
	w->s->decoder.cut = cut;
}

static void show_table(struct session *s, const struct plan_map *m, struct table t,
		       uint64_t top, int64_t div)
{
	struct showing w = {
		.s = s, .map = m, .t = t, .div = div, .mark = arena_mark(&s->scratch)
	};
	struct map_view view = view_of(m);
	size_t skip = top && top < t.n ? t.n - top : 0;

	if (m->value->kind == T_TSERIES)
		align_series(&w);
	rank_all(&w);
	struct map_rank *all = w.ranks;
	w.ranks += skip; /* the largest stand at the end */
	view.nentries = t.n - skip;
	view.entry = table_entry;
	view.arg = &w;
	s->sink->map(s->out, &view);
	free(all);
}

static void show_scalar(struct session *s, const struct plan_map *m, struct map_entry *entry,
			bool exists, int64_t div, bool empty_too)
{
	struct map_view view = view_of(m);

	view.nentries = exists || (empty_too && zero_entry(s, m, entry));
	view.entry = map_array_entry;
	view.arg = entry;
	map_divide(&entry->value, div);
	if (view.nentries || empty_too)
		s->sink->map(s->out, &view);
}

static int print_table(struct session *s, const struct plan_map *m, uint64_t top, int64_t div,
		       bool empty_too, struct err *e)
{
	struct map_entry none = {};
	struct table t;
	int err = table_of(s, m, &t, e);

	if (!err && t.n)
		show_table(s, m, t, top, div);
	else if (!err && empty_too)
		show_scalar(s, m, &none, false, div, true);
	table_fini(&t);
	return err;
}

static void print_scalar(struct session *s, const struct plan_map *m, int64_t div,
			 bool empty_too)
{
	struct map_entry entry = {};
	bool exists =
		m->store == STORE_SLOT ? read_slot(s, m, &entry) : read_stripes(s, m, &entry);

	show_scalar(s, m, &entry, exists, div, empty_too);
}

static int print_map(struct session *s, const struct plan_map *m, uint64_t top, int64_t div,
		     bool empty_too, struct err *e)
{
	struct arena_mark mark = arena_mark(&s->scratch);
	int err = 0;

	if (m->store == STORE_SLOT || m->store == STORE_STRIPE)
		print_scalar(s, m, div, empty_too);
	else
		err = print_table(s, m, top, div, empty_too, e);
	arena_reset(&s->scratch, mark);
	return err;
}

int maps_print(struct session *s, const struct plan_map *m, uint64_t top, int64_t div,
	       struct err *e)
{
	return print_map(s, m, top, div, true, e);
}

int maps_print_all(struct session *s, struct err *e)
{
	int err = 0;

	for (size_t i = 0; i < s->plan->maps.len && !err; i++)
		err = print_map(s, &s->plan->maps.data[i], s->opt.top, 0, false, e);
	return err;
}

/* Empties the stripes word by word; programs that add meanwhile lose nothing. */
static void reset_stripes(struct session *s, const struct plan_map *m, uint64_t set)
{
	uint32_t n = agg_words(m->value);

	for (uint32_t i = 0; i < s->plan->ncpus_pow2; i++) {
		uint64_t *words = stripe_of(s, m, i);

		for (uint32_t w = 0; w < n; w++)
			__atomic_exchange_n(&words[w], 0, __ATOMIC_ACQ_REL);
	}
	if (set)
		__atomic_or_fetch(stripe_of(s, m, 0) + agg_set_word(m->value), set,
				  __ATOMIC_ACQ_REL);
}

static int delete_key(const struct loaded *l, int map, const void *key, const void *zero)
{
	(void)zero;
	return engine_map_delete(l, map, key);
}

/* Calls fn with each key that the hash holds now. */
static int each_key(struct session *s, const struct plan_map *m,
		    int (*fn)(const struct loaded *l, int map, const void *key,
			      const void *zero),
		    const void *zero, struct err *e)
{
	struct table t;
	int err = table_of(s, m, &t, e);

	for (size_t i = 0; i < t.n && !err; i++) {
		err = fn(&s->loaded, s->loaded.maps[m->kmap], t.keys + i * t.key_size, zero);
		if (!err && fn == delete_key)
			s->counters.cleared[m - s->plan->maps.data]++;
		if (err == -ENOENT) /* gone already */
			err = 0;
		if (err)
			err_set(e, err, "change map %s", m->name);
	}
	table_fini(&t);
	return err;
}

static int zero_key(const struct loaded *l, int map, const void *key, const void *zero)
{
	return engine_map_update(l, map, key, zero, BPF_EXIST);
}

int maps_clear(struct session *s, const struct plan_map *m, struct err *e)
{
	switch (m->store) {
	case STORE_SLOT:
		__atomic_store_n(&slot_of(s, m)->set, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&slot_of(s, m)->value, 0, __ATOMIC_RELEASE);
		break;
	case STORE_STRIPE: reset_stripes(s, m, 0); break;
	case STORE_HASH:
	case STORE_PERCPU_HASH: return each_key(s, m, delete_key, NULL, e);
	}
	return 0;
}

int maps_count(struct session *s, const struct plan_map *m, size_t *n, struct err *e)
{
	struct table t;
	int err = table_of(s, m, &t, e);

	*n = t.n;
	table_fini(&t);
	return err;
}

/* What zero() writes: zeros, and for aggregates the word that says they exist. */
static uint8_t *zero_bytes(const struct plan_map *m, uint32_t value_size)
{
	bool percpu = m->store == STORE_PERCPU_HASH;
	uint8_t *bytes = xcalloc(1, percpu ? kbpf_percpu_size(value_size) : value_size);

	if (type_is_agg(m->value))
		((uint64_t *)bytes)[agg_set_word(m->value)] = AGG_ZEROED;
	return bytes;
}

static int zero_table(struct session *s, const struct plan_map *m, struct err *e)
{
	uint8_t *zero = zero_bytes(m, s->plan->kmaps.data[m->kmap].value_size);
	int err = each_key(s, m, zero_key, zero, e);

	free(zero);
	return err;
}

int maps_zero(struct session *s, const struct plan_map *m, struct err *e)
{
	struct arena_mark mark = arena_mark(&s->scratch);
	bool exists;

	switch (m->store) {
	case STORE_SLOT: __atomic_store_n(&slot_of(s, m)->value, 0, __ATOMIC_RELEASE); break;
	case STORE_STRIPE:
		exists = fold_stripes(s, m) != NULL;
		arena_reset(&s->scratch, mark);
		if (exists)
			reset_stripes(s, m, AGG_ZEROED);
		break;
	case STORE_HASH:
	case STORE_PERCPU_HASH: return zero_table(s, m, e);
	}
	return 0;
}

int maps_print_round(struct session *s, struct err *e)
{
	struct arena_mark mark = arena_mark(&s->scratch);
	const char *text = clock_format(&s->scratch, "%H:%M:%S\n", clock_now());
	int err;

	s->sink->text(s->out, TEXT_TIME, text, strlen(text));
	arena_reset(&s->scratch, mark);
	/* Names of symbols take long to read: what comes between print and clear is lost. */
	vec_each(m, &s->plan->maps)
		if (m->key)
			decoder_prepare(&s->decoder, m->key);
	err = maps_print_all(s, e);
	for (size_t i = 0; i < s->plan->maps.len && !err && s->opt.clear_maps; i++)
		err = maps_clear(s, &s->plan->maps.data[i], e);
	return err;
}
