#include "base/strmap.h"

#include <string.h>

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h ^ (h >> 32);
}

void strmap_init(struct strmap *m, struct arena *a)
{
	*m = (struct strmap){ .arena = a };
}

static uint32_t *find_slot(const struct strmap *m, const char *key, size_t len, uint64_t hash)
{
	for (size_t i = hash & (m->nslots - 1);; i = (i + 1) & (m->nslots - 1)) {
		uint32_t *slot = &m->slots[i];

		if (!*slot)
			return slot;
		const struct strmap_entry *e = &m->entries.data[*slot - 1];
		if (e->hash == hash && e->len == len && !memcmp(e->key, key, len))
			return slot;
	}
}

static void rehash(struct strmap *m)
{
	m->nslots = m->nslots ? m->nslots * 2 : 16;
	m->slots = arena_array(m->arena, uint32_t, m->nslots);
	for (size_t i = 0; i < m->entries.len; i++) {
		const struct strmap_entry *e = &m->entries.data[i];

		*find_slot(m, e->key, e->len, e->hash) = (uint32_t)i + 1;
	}
}

void *strmap_get(const struct strmap *m, const char *key, size_t len)
{
	if (!m->nslots)
		return NULL;
	uint32_t slot = *find_slot(m, key, len, hash_bytes(key, len));
	return slot ? m->entries.data[slot - 1].value : NULL;
}

void *strmap_gets(const struct strmap *m, const char *key)
{
	return strmap_get(m, key, strlen(key));
}

void strmap_set(struct strmap *m, const char *key, size_t len, void *value)
{
	uint64_t hash = hash_bytes(key, len);

	if ((m->entries.len + 1) * 2 > m->nslots)
		rehash(m);

	uint32_t *slot = find_slot(m, key, len, hash);
	if (*slot) {
		m->entries.data[*slot - 1].value = value;
		return;
	}
	vec_push(m->arena, &m->entries, (struct strmap_entry){ key, len, hash, value });
	*slot = (uint32_t)m->entries.len;
}

void strmap_sets(struct strmap *m, const char *key, void *value)
{
	strmap_set(m, key, strlen(key), value);
}
