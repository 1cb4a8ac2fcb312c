#include "session/table.h"

#include "kernel/bpf.h"
#include "kernel/proc.h"
#include "session/aggregate.h"
#include "session/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 };

/* Entries as the kernel gives them; per-CPU values side by side. */
struct reader {
	struct table *t;
	const struct type *value;
	const struct loaded *l;
	int fd;
	bool percpu;
	unsigned ncpus;
	size_t room;	     /* entries that t's blocks hold */
	uint8_t *batch_keys; /* what one batch reads, count entries */
	uint8_t *batch_values;
	size_t given_size; /* bytes of an entry's values as the kernel gives them */
};

static void reserve(struct reader *r, size_t n)
{
	struct table *t = r->t;

	if (n <= r->room)
		return;
	while (r->room < n)
		r->room = r->room ? 2 * r->room : 64;
	t->keys = xrealloc(t->keys, r->room * t->key_size);
	t->values = xrealloc(t->values, r->room * t->value_size);
}

/* Takes over n entries, folding values that exist once per CPU. */
static void add(struct reader *r, const uint8_t *keys, const uint8_t *values, size_t n)
{
	struct table *t = r->t;

	if (!n)
		return;
	reserve(r, t->n + n);
	memcpy(t->keys + t->n * t->key_size, keys, n * t->key_size);
	for (size_t i = 0; i < n; i++) {
		uint8_t *to = t->values + (t->n + i) * t->value_size;
		const uint8_t *from = values + i * r->given_size;

		if (!r->percpu) {
			memcpy(to, from, t->value_size);
			continue;
		}
		memset(to, 0, t->value_size);
		for (unsigned cpu = 0; cpu < r->ncpus; cpu++)
			agg_fold(r->value, (uint64_t *)to,
				 (const uint64_t *)(from + cpu * t->value_size));
	}
	t->n += n;
}

static void make_batch(struct reader *r, size_t count)
{
	r->batch_keys = xrealloc(r->batch_keys, count * r->t->key_size);
	r->batch_values = xrealloc(r->batch_values, count * r->given_size);
}

static int read_batches(struct reader *r)
{
	uint32_t place_size = r->t->key_size > 4 ? r->t->key_size : 4;
	uint8_t *place = xcalloc(1, place_size);
	size_t room = BATCH;
	bool first = true;
	int err;

	make_batch(r, room);
	do {
		uint32_t count = (uint32_t)room;

		err = engine_map_lookup_batch(r->l, r->fd, first ? NULL : place, place,
					      r->batch_keys, r->batch_values, &count);
		if (err == -ENOSPC) { /* one bucket of the hash holds more */
			room *= 2;
			make_batch(r, room);
			err = 0;
			continue;
		}
		if (!err || err == -ENOENT)
			add(r, r->batch_keys, r->batch_values, count);
		first = false;
	} while (!err);
	free(place);
	return err == -ENOENT ? 0 : err;
}

/*
 * One key after the other, for kernels without batches.  A key deleted under our feet makes the
 * kernel start over, hence the limit.
 */
static int read_singly(struct reader *r, uint32_t max_entries)
{
	uint8_t *keys = xcalloc(2, r->t->key_size);
	uint8_t *key = keys, *next = keys + r->t->key_size;
	int err = engine_map_next_key(r->l, r->fd, NULL, next);

	make_batch(r, 1);
	for (uint32_t i = 0; !err && i < 2 * max_entries; i++) {
		uint8_t *was = key;

		if (!engine_map_lookup(r->l, r->fd, next, r->batch_values))
			add(r, next, r->batch_values, 1);
		key = next;
		next = was;
		err = engine_map_next_key(r->l, r->fd, key, next);
	}
	free(keys);
	return err == -ENOENT ? 0 : err;
}

int table_read(struct table *t, const struct loaded *l, const struct plan_kmap *kmap,
	       const struct type *value, int fd)
{
	bool percpu = kmap->type == BPF_MAP_TYPE_PERCPU_HASH ||
		      kmap->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	struct reader r = { .t = t, .l = l, .value = value, .fd = fd, .percpu = percpu };

	*t = (struct table){ .key_size = kmap->key_size, .value_size = kmap->value_size };
	r.ncpus = percpu ? cpus_possible() : 1;
	r.given_size = percpu ? kbpf_percpu_size(kmap->value_size) : kmap->value_size;

	int err = read_batches(&r);
	if (err == -EINVAL || err == -EOPNOTSUPP)
		err = read_singly(&r, kmap->max_entries);
	free(r.batch_keys);
	free(r.batch_values);
	return err;
}

void table_fini(struct table *t)
{
	free(t->keys);
	free(t->values);
	*t = (struct table){};
}
