/*
 * Hash maps: chained buckets over a fixed pool of entries, so that a value never moves.
 * LRU maps evict the entry that was used longest ago, exactly; the kernel's is approximate.  An
 * LPM trie is kept as a hash of (prefix length, masked address) with a count per length: a
 * lookup asks for each length in use, longest first.
 */
#include "vm/map.h"

#include "base/arena.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { NIL = UINT32_MAX, LPM_MAX_DATA = 256, HOPS_PER_STEP = 16 };

struct entry {
	uint32_t next; /* in its bucket, or in the free list */
	uint32_t hash;
	uint32_t newer, older; /* LRU order */
};

struct hash {
	struct entry *entries;
	uint8_t *keys; /* apart from the values, out of programs' reach */
	uint32_t *buckets;
	uint32_t nbuckets; /* a power of two */
	uint32_t free;
	uint32_t unused; /* entries from here on were never used */
	uint32_t newest, oldest;
	uint32_t hops; /* of the last search */
	bool lru;
	uint32_t *per_length; /* LPM: entries of each prefix length */
};

static uint32_t hash_bytes(const uint8_t *p, size_t len)
{
	uint64_t h = 0x9e3779b97f4a7c15ull ^ len;

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	uint64_t w = 0;
	memcpy(&w, p, len);
	h = (h ^ w) * 0xc4ceb9fe1a85ec53ull;
	return (uint32_t)(h ^ h >> 29);
}

static int hash_init(struct vm_map *m, struct err *e)
{
	struct hash *h = m->priv = xcalloc(1, sizeof(*h));
	size_t n = m->def.max_entries, copies = (size_t)m->cpus * m->value_stride;

	h->nbuckets = 1;
	while (h->nbuckets < n && h->nbuckets < 1u << 31)
		h->nbuckets *= 2;
	h->free = h->newest = h->oldest = NIL;
	h->entries = vm_map_alloc(n, sizeof(*h->entries));
	h->keys = vm_map_alloc(n, m->def.key_size);
	h->buckets = vm_map_alloc(h->nbuckets, sizeof(*h->buckets));
	m->mem = vm_map_alloc(n, copies);
	m->mem_size = m->mem ? n * copies : 0;
	if (h->entries && h->keys && h->buckets && m->mem)
		return 0;
	return err_set(e, -ENOMEM, "map %s: no memory for %u entries of %u bytes", m->def.name,
		       m->def.max_entries, m->def.key_size + m->def.value_size);
}

static int lru_init(struct vm_map *m, struct err *e)
{
	int ret = hash_init(m, e);

	((struct hash *)m->priv)->lru = true;
	return ret;
}

static void unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size ? size : 1);
}

static void hash_fini(struct vm_map *m)
{
	struct hash *h = m->priv;
	size_t n = m->def.max_entries;

	if (!h)
		return;
	unmap(h->entries, n * sizeof(*h->entries));
	unmap(h->keys, n * m->def.key_size);
	unmap(h->buckets, h->nbuckets * sizeof(*h->buckets));
	unmap(m->mem, m->mem_size);
	free(h->per_length);
	free(h);
}

static uint8_t *key_of(const struct vm_map *m, uint32_t i)
{
	return ((struct hash *)m->priv)->keys + (size_t)i * m->def.key_size;
}

static uint8_t *value_of(const struct vm_map *m, uint32_t i)
{
	return m->mem + (size_t)i * m->cpus * m->value_stride;
}

static void lru_unlink(struct hash *h, uint32_t i)
{
	struct entry *it = &h->entries[i];

	*(it->newer == NIL ? &h->newest : &h->entries[it->newer].older) = it->older;
	*(it->older == NIL ? &h->oldest : &h->entries[it->older].newer) = it->newer;
}

static void lru_add(struct hash *h, uint32_t i)
{
	struct entry *it = &h->entries[i];

	it->newer = NIL;
	it->older = h->newest;
	*(h->newest == NIL ? &h->oldest : &h->entries[h->newest].newer) = i;
	h->newest = i;
}

/* Buckets hold the entry's index + 1, so that fresh memory means empty. */
static uint32_t *bucket_of(struct hash *h, uint32_t hash)
{
	return &h->buckets[hash & (h->nbuckets - 1)];
}

static uint32_t find(const struct vm_map *m, const void *key, uint32_t hash)
{
	struct hash *h = m->priv;

	h->hops = 0;
	for (uint32_t i = *bucket_of(h, hash) - 1; i != NIL; i = h->entries[i].next) {
		h->hops++;
		if (h->entries[i].hash == hash && !memcmp(key_of(m, i), key, m->def.key_size))
			return i;
	}
	return NIL;
}

static void *hash_lookup(struct vm_map *m, const void *key)
{
	struct hash *h = m->priv;
	uint32_t i = find(m, key, hash_bytes(key, m->def.key_size));

	if (i == NIL)
		return NULL;
	if (h->lru) {
		lru_unlink(h, i);
		lru_add(h, i);
	}
	return value_of(m, i);
}

static void remove_entry(struct vm_map *m, uint32_t i)
{
	struct hash *h = m->priv;
	uint32_t *bucket = bucket_of(h, h->entries[i].hash);

	if (*bucket - 1 == i) {
		*bucket = h->entries[i].next + 1;
	} else {
		uint32_t before = *bucket - 1;

		while (h->entries[before].next != i)
			before = h->entries[before].next;
		h->entries[before].next = h->entries[i].next;
	}
	if (h->lru)
		lru_unlink(h, i);
	h->entries[i].next = h->free;
	h->free = i;
}

/* A free entry, NIL when the map is full. */
static uint32_t take_entry(struct vm_map *m)
{
	struct hash *h = m->priv;

	if (h->free == NIL && h->unused < m->def.max_entries)
		return h->unused++;
	if (h->free == NIL && h->lru)
		remove_entry(m, h->oldest);

	uint32_t i = h->free;
	if (i != NIL)
		h->free = h->entries[i].next;
	return i;
}

static uint32_t insert(struct vm_map *m, const void *key, uint32_t hash)
{
	struct hash *h = m->priv;
	uint32_t hops = h->hops, i = take_entry(m);

	if (i == NIL)
		return NIL;
	/* Keys can be chosen to meet in one bucket; then all searches are paid as if there. */
	if (hops / HOPS_PER_STEP > m->price)
		m->price = hops / HOPS_PER_STEP;
	h->entries[i].hash = hash;
	h->entries[i].next = *bucket_of(h, hash) - 1;
	*bucket_of(h, hash) = i + 1;
	if (h->lru)
		lru_add(h, i);
	memcpy(key_of(m, i), key, m->def.key_size);
	memset(value_of(m, i), 0, (size_t)m->cpus * m->value_stride);
	return i;
}

static void *hash_place(struct vm_map *m, const void *key, uint64_t flags, int *ret)
{
	uint32_t hash = hash_bytes(key, m->def.key_size);
	uint32_t i = find(m, key, hash);

	*ret = 0;
	if (i != NIL && flags == BPF_NOEXIST)
		*ret = -EEXIST;
	else if (i == NIL && flags == BPF_EXIST)
		*ret = -ENOENT;
	else if (i == NIL && (i = insert(m, key, hash)) == NIL)
		*ret = -E2BIG;
	return *ret ? NULL : value_of(m, i);
}

static int hash_delete(struct vm_map *m, const void *key)
{
	uint32_t i = find(m, key, hash_bytes(key, m->def.key_size));

	if (i == NIL)
		return -ENOENT;
	remove_entry(m, i);
	return 0;
}

/* In the order of the buckets; an unknown key starts over, as in the kernel. */
static int hash_next_key(struct vm_map *m, const void *key, void *next)
{
	struct hash *h = m->priv;
	uint32_t bucket = 0, i = NIL;

	if (key) {
		uint32_t hash = hash_bytes(key, m->def.key_size);
		uint32_t at = find(m, key, hash);

		if (at != NIL) {
			i = h->entries[at].next;
			bucket = (hash & (h->nbuckets - 1)) + 1;
		}
	}
	while (i == NIL && bucket < h->nbuckets)
		i = h->buckets[bucket++] - 1;
	if (i == NIL)
		return -ENOENT;
	memcpy(next, key_of(m, i), m->def.key_size);
	return 0;
}

const struct vm_map_ops VM_MAP_HASH = {
	.name = "hash",
	.init = hash_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
	.place = hash_place,
	.delete = hash_delete,
	.next_key = hash_next_key,
};

const struct vm_map_ops VM_MAP_PERCPU_HASH = {
	.name = "percpu_hash",
	.per_cpu = true,
	.init = hash_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
	.place = hash_place,
	.delete = hash_delete,
	.next_key = hash_next_key,
};

const struct vm_map_ops VM_MAP_LRU = {
	.name = "lru_hash",
	.init = lru_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
	.place = hash_place,
	.delete = hash_delete,
	.next_key = hash_next_key,
};

const struct vm_map_ops VM_MAP_PERCPU_LRU = {
	.name = "lru_percpu_hash",
	.per_cpu = true,
	.init = lru_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
	.place = hash_place,
	.delete = hash_delete,
	.next_key = hash_next_key,
};

const struct vm_map_ops VM_MAP_HASH_OF_MAPS = {
	.name = "hash_of_maps",
	.holds_ids = true,
	.init = hash_init,
	.fini = hash_fini,
	.lookup = hash_lookup,
	.place = hash_place,
	.delete = hash_delete,
	.next_key = hash_next_key,
};

/* --- longest prefix match --- */

struct lpm_key {
	uint32_t bits;
	uint8_t data[LPM_MAX_DATA];
};

static uint32_t lpm_max_bits(const struct vm_map *m)
{
	return (m->def.key_size - 4) * 8;
}

static int lpm_init(struct vm_map *m, struct err *e)
{
	if (m->def.key_size < 5 || m->def.key_size > 4 + LPM_MAX_DATA)
		return err_set(e, -EINVAL,
			       "map %s: the key of an LPM trie has 5 to %d bytes, not %u",
			       m->def.name, 4 + LPM_MAX_DATA, m->def.key_size);
	if (!(m->def.flags & BPF_F_NO_PREALLOC))
		return err_set(e, -EINVAL,
			       "map %s: an LPM trie needs the flag BPF_F_NO_PREALLOC",
			       m->def.name);

	int ret = hash_init(m, e);
	((struct hash *)m->priv)->per_length = xcalloc(lpm_max_bits(m) + 1, sizeof(uint32_t));
	return ret;
}

/* The key with only its first `bits` bits. Returns false when its own length is no length. */
static bool lpm_masked(const struct vm_map *m, const void *key, uint32_t bits,
		       struct lpm_key *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out, key, m->def.key_size);
	if (out->bits > lpm_max_bits(m))
		return false;
	out->bits = bits < out->bits ? bits : out->bits;
	for (uint32_t i = 0; i < m->def.key_size - 4; i++) {
		if (out->bits >= 8 * (i + 1))
			continue;
		uint32_t keep = out->bits > 8 * i ? out->bits - 8 * i : 0;
		out->data[i] &= (uint8_t)(0xff00 >> keep);
	}
	return true;
}

static void *lpm_lookup(struct vm_map *m, const void *key)
{
	struct hash *h = m->priv;
	struct lpm_key k;

	if (!lpm_masked(m, key, UINT32_MAX, &k))
		return NULL;
	for (uint32_t bits = k.bits + 1; bits-- > 0;) {
		if (!h->per_length[bits])
			continue;
		lpm_masked(m, key, bits, &k);
		void *value = hash_lookup(m, &k);
		if (value)
			return value;
	}
	return NULL;
}

static void *lpm_place(struct vm_map *m, const void *key, uint64_t flags, int *ret)
{
	struct hash *h = m->priv;
	struct lpm_key k;

	*ret = -EINVAL;
	if (!lpm_masked(m, key, UINT32_MAX, &k))
		return NULL;
	bool is_new = !hash_lookup(m, &k);
	void *value = hash_place(m, &k, flags, ret);
	/* A search asks for each length in use. */
	if (value && is_new)
		m->price += !h->per_length[k.bits]++;
	if (*ret == -E2BIG)
		*ret = -ENOSPC;
	return value;
}

static int lpm_delete(struct vm_map *m, const void *key)
{
	struct hash *h = m->priv;
	struct lpm_key k;

	if (!lpm_masked(m, key, UINT32_MAX, &k))
		return -EINVAL;
	int ret = hash_delete(m, &k);
	if (!ret)
		m->price -= !--h->per_length[k.bits] && m->price;
	return ret;
}

static int lpm_next_key(struct vm_map *m, const void *key, void *next)
{
	struct lpm_key k;

	if (!key || !lpm_masked(m, key, UINT32_MAX, &k))
		return hash_next_key(m, NULL, next);
	return hash_next_key(m, &k, next);
}

const struct vm_map_ops VM_MAP_LPM = {
	.name = "lpm_trie",
	.init = lpm_init,
	.fini = hash_fini,
	.lookup = lpm_lookup,
	.place = lpm_place,
	.delete = lpm_delete,
	.next_key = lpm_next_key,
};
