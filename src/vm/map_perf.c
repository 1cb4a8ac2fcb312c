/*
 * Perf event arrays: an element is a buffer of records, which is open once user space wrote how
 * many bytes it has room for (the kernel wants the descriptor of a perf event there).  Stack
 * traces: there is no stack to take outside of a kernel, so they stay empty.
 */
#include "vm/map.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BUFFER = 1 << 26, MAX_FRAMES = 127 /* kernel.perf_event_max_stack */ };

/* A record: u32 size, its bytes. Those that were read are dropped when all were. */
struct buffer {
	uint32_t room;
	size_t read;
	VEC(uint8_t) bytes;
	uint64_t lost;
};

static uint32_t index_of(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static struct buffer *buffer(struct vm_map *m, uint32_t index)
{
	struct buffer *all = m->priv;

	return index < m->def.max_entries && all[index].room ? &all[index] : NULL;
}

static int perf_init(struct vm_map *m, struct err *e)
{
	if (m->def.key_size != 4 || m->def.value_size != 4)
		return err_set(e, -EINVAL,
			       "map %s: key and value of a perf_event_array have 4 bytes",
			       m->def.name);
	m->priv = calloc(m->def.max_entries, sizeof(struct buffer));
	return m->priv ? 0 : err_set(e, -ENOMEM, "map %s: no memory", m->def.name);
}

static void empty(struct buffer *b)
{
	vec_free(&b->bytes);
	*b = (struct buffer){ 0 };
}

static void perf_fini(struct vm_map *m)
{
	for (uint32_t i = 0; m->priv && i < m->def.max_entries; i++)
		empty((struct buffer *)m->priv + i);
	free(m->priv);
}

static void *perf_place(struct vm_map *m, const void *key, uint64_t flags, int *ret)
{
	uint32_t index = index_of(key);

	*ret = index >= m->def.max_entries ? -E2BIG : flags != BPF_ANY ? -EINVAL : 0;
	if (*ret)
		return NULL;
	struct buffer *b = (struct buffer *)m->priv + index;
	empty(b);
	return &b->room;
}

static int perf_delete(struct vm_map *m, const void *key)
{
	uint32_t index = index_of(key);
	struct buffer *b = buffer(m, index);

	if (!b)
		return index >= m->def.max_entries ? -E2BIG : -ENOENT;
	empty(b);
	return 0;
}

static int perf_next_key(struct vm_map *m, const void *key, void *next)
{
	uint32_t index = key ? index_of(key) : UINT32_MAX;

	index = index >= m->def.max_entries ? 0 : index + 1;
	if (index >= m->def.max_entries)
		return -ENOENT;
	memcpy(next, &index, sizeof(index));
	return 0;
}

const struct vm_map_ops VM_MAP_PERF = {
	.name = "perf_event_array",
	.only_helpers = true,
	.init = perf_init,
	.fini = perf_fini,
	.place = perf_place,
	.delete = perf_delete,
	.next_key = perf_next_key,
};

int vm_perf_output(struct vm_map *m, uint32_t index, const void *data, uint32_t size)
{
	int ret = index >= m->def.max_entries ? -E2BIG : -ENOENT;

	pthread_mutex_lock(&m->lock);
	struct buffer *b = buffer(m, index);
	uint32_t room = b && b->room < MAX_BUFFER ? b->room : MAX_BUFFER;
	if (b && b->bytes.len - b->read + sizeof(size) + size > room) {
		b->lost++;
		ret = -ENOSPC;
	} else if (b) {
		for (size_t i = 0; i < sizeof(size); i++)
			vec_push(NULL, &b->bytes, (uint8_t)(size >> 8 * i));
		for (uint32_t i = 0; i < size; i++)
			vec_push(NULL, &b->bytes, ((const uint8_t *)data)[i]);
		ret = 0;
	}
	pthread_mutex_unlock(&m->lock);
	return ret;
}

/* The oldest record, copied, as its reader may use the map; NULL when there is none. */
static uint8_t *take(struct vm_map *m, uint32_t index, uint32_t *size)
{
	uint8_t *copy = NULL;

	pthread_mutex_lock(&m->lock);
	struct buffer *b = buffer(m, index);
	if (b && b->read < b->bytes.len) {
		memcpy(size, b->bytes.data + b->read, sizeof(*size));
		copy = xcalloc(1, *size + 1u);
		memcpy(copy, b->bytes.data + b->read + sizeof(*size), *size);
		b->read += sizeof(*size) + *size;
		if (b->read == b->bytes.len)
			b->read = b->bytes.len = 0;
	}
	pthread_mutex_unlock(&m->lock);
	return copy;
}

int vm_perf_read(struct vm_map *m, uint32_t index, void (*fn)(void *, const void *, size_t),
		 void *user, uint64_t *lost)
{
	uint32_t size;
	uint8_t *record;
	int n = 0;

	for (; (record = take(m, index, &size)); n++) {
		fn(user, record, size);
		free(record);
	}
	pthread_mutex_lock(&m->lock);
	struct buffer *b = buffer(m, index);
	if (lost)
		*lost = b ? b->lost : 0;
	pthread_mutex_unlock(&m->lock);
	return b ? n : -ENOENT;
}

/* --- stack traces --- */

static int stacks_init(struct vm_map *m, struct err *e)
{
	uint32_t size = m->def.value_size;

	if (m->def.key_size != 4 || size % 8 || size / 8 > MAX_FRAMES)
		return err_set(
			e, -EINVAL,
			"map %s: a stack_trace has keys of 4 bytes and values of 8 bytes "
			"for each of up to %d frames",
			m->def.name, MAX_FRAMES);
	return 0;
}

static void stacks_fini(struct vm_map *m)
{
	(void)m;
}

static void *stacks_lookup(struct vm_map *m, const void *key)
{
	(void)m, (void)key;
	return NULL;
}

static int stacks_delete(struct vm_map *m, const void *key)
{
	return index_of(key) >= m->def.max_entries ? -E2BIG : -ENOENT;
}

static int stacks_next_key(struct vm_map *m, const void *key, void *next)
{
	(void)m, (void)key, (void)next;
	return -ENOENT;
}

const struct vm_map_ops VM_MAP_STACKS = {
	.name = "stack_trace",
	.only_helpers = true,
	.init = stacks_init,
	.fini = stacks_fini,
	.lookup = stacks_lookup,
	.delete = stacks_delete,
	.next_key = stacks_next_key,
};
