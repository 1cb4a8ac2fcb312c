/*
 * table.h - a copy of a hash map's contents in two flat blocks.
 */
#ifndef SCRY_SESSION_TABLE_H
#define SCRY_SESSION_TABLE_H

#include "script/plan.h"
#include "session/load.h"

struct table {
	uint8_t *keys, *values; /* n entries each, on the heap */
	size_t n;
	uint32_t key_size, value_size; /* of an entry; per-CPU values are folded to one */
};

/* Reads all entries of a hash. Returns 0 or -errno; free with table_fini() in any case. */
int table_read(struct table *t, const struct loaded *l, const struct plan_kmap *kmap,
	       const struct type *value, int fd);
void table_fini(struct table *t);

#endif
