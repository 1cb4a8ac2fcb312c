/*
 * strmap.h - a hash map from byte strings (or 64-bit numbers) to pointers.
 *
 * Keys are not copied: they must live as long as the map.  Everything lives in the arena the
 * map was made with; there is nothing to free.  Iteration is in order of insertion, so that
 * whatever is printed from a map is the same on every run.
 */
#ifndef SCRY_BASE_STRMAP_H
#define SCRY_BASE_STRMAP_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct strmap_entry {
	const char *key;
	size_t len;
	uint64_t hash;
	void *value;
};

struct strmap {
	struct arena *arena;
	VEC(struct strmap_entry) entries;
	uint32_t *slots; /* entry index + 1, 0 = free; a power of two of them */
	size_t nslots;
};

void strmap_init(struct strmap *m, struct arena *a);
/* The value of key, or NULL. */
void *strmap_get(const struct strmap *m, const char *key, size_t len);
void *strmap_gets(const struct strmap *m, const char *key);
/* Sets the value, replacing an earlier one. */
void strmap_set(struct strmap *m, const char *key, size_t len, void *value);
void strmap_sets(struct strmap *m, const char *key, void *value);

#endif
