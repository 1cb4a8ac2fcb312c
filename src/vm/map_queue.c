/*
 * Queues and stacks: a ring of values.  A stack takes from the end it puts to.
 */
#include "vm/map.h"

#include "base/arena.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct queue {
	uint8_t *values; /* out of programs' reach: they only see copies */
	uint32_t first, count;
	bool lifo;
};

static int queue_init(struct vm_map *m, struct err *e)
{
	struct queue *q = m->priv = xcalloc(1, sizeof(*q));

	q->lifo = m->def.type == BPF_MAP_TYPE_STACK;
	q->values = vm_map_alloc(m->def.max_entries, m->def.value_size);
	if (q->values)
		return 0;
	return err_set(e, -ENOMEM, "map %s: no memory for %u values of %u bytes", m->def.name,
		       m->def.max_entries, m->def.value_size);
}

static void queue_fini(struct vm_map *m)
{
	struct queue *q = m->priv;

	if (q && q->values)
		munmap(q->values, (size_t)m->def.max_entries * m->def.value_size);
	free(q);
}

static uint8_t *slot(struct vm_map *m, uint32_t n)
{
	struct queue *q = m->priv;
	size_t index = ((size_t)q->first + n) % m->def.max_entries;

	return q->values + index * m->def.value_size;
}

static int queue_push(struct vm_map *m, const void *value, uint64_t flags)
{
	struct queue *q = m->priv;

	if (flags != BPF_ANY && flags != BPF_EXIST)
		return -EINVAL;
	if (q->count == m->def.max_entries) {
		if (flags != BPF_EXIST)
			return -E2BIG;
		q->first = (q->first + 1) % m->def.max_entries;
		q->count--;
	}
	memcpy(slot(m, q->count++), value, m->def.value_size);
	return 0;
}

/* An empty queue still writes the value: the caller's memory must not stay uninitialised. */
static int queue_pop(struct vm_map *m, void *value, bool remove)
{
	struct queue *q = m->priv;

	if (!q->count) {
		memset(value, 0, m->def.value_size);
		return -ENOENT;
	}
	memcpy(value, slot(m, q->lifo ? q->count - 1 : 0), m->def.value_size);
	if (remove) {
		q->count--;
		if (!q->lifo)
			q->first = (q->first + 1) % m->def.max_entries;
	}
	return 0;
}

const struct vm_map_ops VM_MAP_QUEUE = {
	.name = "queue",
	.no_key = true,
	.init = queue_init,
	.fini = queue_fini,
	.push = queue_push,
	.pop = queue_pop,
};

const struct vm_map_ops VM_MAP_STACK = {
	.name = "stack",
	.no_key = true,
	.init = queue_init,
	.fini = queue_fini,
	.push = queue_push,
	.pop = queue_pop,
};
