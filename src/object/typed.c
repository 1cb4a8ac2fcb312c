#include "object/typed.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/bpf_ids.h"
#include "kernel/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void typed_init_bytes(struct typed *t, const void *btf, uint32_t size)
{
	struct err e;

	*t = (struct typed){};
	typetab_init(&t->types, &t->arena);
	t->plan.types = &t->types;
	decoder_init(&t->decoder, &t->plan);
	if (btf)
		t->btf = btf_from_bytes(btf, size, NULL, &e);
}

void typed_init(struct typed *t, uint32_t btf_id)
{
	struct err e;

	typed_init_bytes(t, NULL, 0);
	if (!btf_id)
		return;
	auto_close int fd = kbpf_open_id(KBPF_BTF, btf_id);
	if (fd >= 0 && !kbpf_btf_bytes(fd, &t->bytes))
		t->btf = btf_from_bytes(t->bytes.s, t->bytes.len, NULL, &e);
}

void typed_fini(struct typed *t)
{
	decoder_fini(&t->decoder);
	btf_free(t->btf);
	sb_free(&t->bytes);
	arena_free(&t->arena);
}

static bool is_percpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

static bool is_array(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static const struct type *find_type(struct typed_map *m, uint32_t id, uint32_t size)
{
	const struct type *t = NULL;

	if (!m->t.btf || !id)
		return NULL;
	t = btf_section(&m->t.types, m->t.btf, id, size);
	if (!t)
		t = btf_type(&m->t.types, m->t.btf, id);
	return t->size == size ? t : NULL;
}

int typed_map_init(struct typed_map *m, int fd)
{
	struct bpf_map_info info;
	int err = kbpf_map_info(fd, &info);

	*m = (struct typed_map){ .fd = fd };
	typed_init(&m->t, err ? 0 : info.btf_id);
	if (err)
		return err;
	m->info = info;
	m->is_percpu = is_percpu(info.type);
	m->value_bytes = m->is_percpu ? kbpf_percpu_size(info.value_size) : info.value_size;
	m->key = find_type(m, info.btf_key_type_id, info.key_size);
	m->value = find_type(m, info.btf_value_type_id, info.value_size);
	if (!m->key && is_array(info.type))
		m->key = type_int(&m->t.types, 4, false);
	return 0;
}

void typed_map_describe(struct typed_map *m, const void *btf, uint32_t size, uint32_t key_id,
			uint32_t value_id)
{
	const struct type *key;

	if (m->t.btf || !btf)
		return;
	typed_fini(&m->t);
	typed_init_bytes(&m->t, btf, size);
	key = find_type(m, key_id, m->info.key_size);
	if (is_array(m->info.type) && !key)
		key = type_int(&m->t.types, 4, false);
	m->key = key;
	m->value = find_type(m, value_id, m->info.value_size);
}

void typed_map_fini(struct typed_map *m)
{
	typed_fini(&m->t);
}

bool typed_map_walks(const struct typed_map *m)
{
	switch (m->info.type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_BLOOM_FILTER:
	case BPF_MAP_TYPE_STRUCT_OPS:
	case BPF_MAP_TYPE_PROG_ARRAY: return false;
	}
	return true;
}

void typed_value(struct typed *t, struct arena *a, const struct type *type, const void *bytes,
		 size_t size, struct value *out)
{
	if (type) {
		decode(&t->decoder, a, type, bytes, out);
		return;
	}
	auto_sb struct sb hex = {};
	for (size_t i = 0; i < size; i++)
		sb_printf(&hex, "%s%02x", i ? " " : "", ((const uint8_t *)bytes)[i]);
	*out = (struct value){ .kind = V_TEXT,
			       .text = arena_strdup(a, sb_str(&hex)),
			       .len = hex.len };
}

static void map_value(struct typed_map *m, struct arena *a, const uint8_t *bytes,
		      struct value *out)
{
	size_t stride = (m->info.value_size + 7u) & ~7u;
	unsigned n = cpus_possible();

	if (!m->is_percpu) {
		typed_value(&m->t, a, m->value, bytes, m->info.value_size, out);
		return;
	}
	struct value *items = arena_array(a, struct value, n);
	for (unsigned i = 0; i < n; i++)
		typed_value(&m->t, a, m->value, bytes + i * stride, m->info.value_size,
			    &items[i]);
	*out = (struct value){ .kind = V_ARRAY, .items = items, .nitems = n };
}

/* The entries of a map being shown: keys and values as bytes, in the order of order[]. */
struct entries {
	struct typed_map *m;
	struct sb keys, values;
	uint32_t *order;
	size_t n;
	struct arena arena; /* of the entry below */
	struct value key;
	struct map_entry entry;
};

static const char *key_at(const struct entries *en, uint32_t i)
{
	return en->keys.s + (size_t)i * en->m->info.key_size;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Entries may come and go meanwhile; more than the map has room for are not read. */
static int read_entries(struct entries *en, bool skip_zeros, struct err *e)
{
	const struct typed_map *m = en->m;
	auto_free uint8_t *key = xcalloc(1, m->info.key_size + 1u);
	auto_free uint8_t *value = xcalloc(1, m->value_bytes + 1);
	const void *from = NULL;
	int err = 0;

	for (uint64_t i = 0; i < m->info.max_entries; i++) {
		err = kbpf_map_next_key(m->fd, from, key);
		if (err)
			break;
		from = key;
		if (kbpf_map_lookup(m->fd, key, value) ||
		    (skip_zeros && is_array(m->info.type) && is_zero(value, m->value_bytes)))
			continue;
		sb_write(&en->keys, key, m->info.key_size);
		sb_write(&en->values, value, m->value_bytes);
		en->n++;
	}
	return err && err != -ENOENT ? err_set(e, err, "read map %s", m->info.name) : 0;
}

static int compare(const void *pa, const void *pb, void *arg)
{
	struct entries *en = arg;
	uint32_t size = en->m->info.key_size, a = *(const uint32_t *)pa,
		 b = *(const uint32_t *)pb;

	/* Little-endian numbers from their last byte. */
	if (size <= 8 && en->m->key && type_is_integral(en->m->key)) {
		for (uint32_t i = size; i-- > 0;) {
			uint8_t x = (uint8_t)key_at(en, a)[i], y = (uint8_t)key_at(en, b)[i];
			bool sign = i + 1 == size && en->m->key->is_signed;

			if (x != y)
				return (sign ? (int8_t)x < (int8_t)y : x < y) ? -1 : 1;
		}
		return 0;
	}
	return memcmp(key_at(en, a), key_at(en, b), size);
}

static const struct map_entry *entry_at(const struct map_view *v, size_t i)
{
	struct entries *en = (struct entries *)(uintptr_t)v->arg;
	uint32_t k = en->order[i];

	arena_free(&en->arena);
	en->arena = (struct arena){};
	typed_value(&en->m->t, &en->arena, en->m->key, key_at(en, k), en->m->info.key_size,
		    &en->key);
	map_value(en->m, &en->arena,
		  (const uint8_t *)en->values.s + (size_t)k * en->m->value_bytes,
		  &en->entry.value);
	en->entry.key = &en->key;
	return &en->entry;
}

/* A section of data is one value, which needs no key. */
static bool is_section(const struct typed_map *m)
{
	return m->info.type == BPF_MAP_TYPE_ARRAY && m->info.max_entries == 1 && m->value &&
	       m->value->kind == T_RECORD;
}

static void show(struct entries *en, const struct sink *sink, FILE *out)
{
	bool keyed = en->m->info.key_size && !is_section(en->m);
	struct map_view view = { .name = en->m->info.name,
				 .keyed = keyed,
				 .nentries = en->n,
				 .entry = entry_at,
				 .arg = en };

	en->order = xcalloc(en->n + 1, sizeof(*en->order));
	for (size_t i = 0; i < en->n; i++)
		en->order[i] = (uint32_t)i;
	qsort_r(en->order, en->n, sizeof(*en->order), compare, en);
	if (!keyed && en->n) {
		entry_at(&view, 0);
		en->entry.key = NULL;
		view.entry = map_array_entry;
		view.arg = &en->entry;
	}
	sink->map(out, &view);
	free(en->order);
	sb_free(&en->keys);
	sb_free(&en->values);
	arena_free(&en->arena);
}

int typed_map_show(struct typed_map *m, const struct sink *sink, FILE *out, bool skip_zeros,
		   struct err *e)
{
	struct entries en = { .m = m };
	int err = typed_map_walks(m) ? read_entries(&en, skip_zeros, e) : 0;

	show(&en, sink, out);
	return err;
}

int typed_map_show_entry(struct typed_map *m, const void *key, bool take,
			 const struct sink *sink, FILE *out, struct err *e)
{
	struct entries en = { .m = m, .n = 1 };
	auto_free uint8_t *value = xcalloc(1, m->value_bytes + 1);
	int err = take ? kbpf_map_take(m->fd, value) : kbpf_map_lookup(m->fd, key, value);

	if (err == -ENOENT && !key)
		return err_set(e, err, "map %s is empty", m->info.name);
	if (err == -ENOENT)
		return err_set(e, err, "map %s has no such key", m->info.name);
	if (err)
		return err_set(e, err, "read map %s", m->info.name);
	sb_write(&en.keys, key ? key : "", m->info.key_size);
	sb_write(&en.values, value, m->value_bytes);
	show(&en, sink, out);
	return 0;
}
