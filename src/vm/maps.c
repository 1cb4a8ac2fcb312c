#include "vm/map.h"

#include "base/arena.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Flags of map creation that change nothing here. */
enum {
	HARMLESS_FLAGS = BPF_F_NO_PREALLOC | BPF_F_MMAPABLE | BPF_F_NO_COMMON_LRU |
			 BPF_F_RDONLY_PROG /* is the verifier's business */
};

enum { MAX_KEY = 1 << 20 };

void *vm_map_alloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	void *p = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* --- arrays --- */

static int array_init(struct vm_map *m, struct err *e)
{
	if (m->def.key_size != 4)
		return err_set(e, -EINVAL, "map %s: the key of an array has 4 bytes, not %u",
			       m->def.name, m->def.key_size);
	m->mem_size = (size_t)m->def.max_entries * m->cpus * m->value_stride;
	m->mem = vm_map_alloc(m->def.max_entries, (size_t)m->cpus * m->value_stride);
	if (!m->mem)
		return err_set(e, -ENOMEM, "map %s: no memory for %u values of %u bytes",
			       m->def.name, m->def.max_entries, m->def.value_size);
	return 0;
}

static void array_fini(struct vm_map *m)
{
	if (m->mem)
		munmap(m->mem, m->mem_size);
}

static uint32_t array_index(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static void *array_lookup(struct vm_map *m, const void *key)
{
	uint32_t index = array_index(key);

	if (index >= m->def.max_entries)
		return NULL;
	return m->mem + (size_t)index * m->cpus * m->value_stride;
}

static void *array_place(struct vm_map *m, const void *key, uint64_t flags, int *ret)
{
	void *value = array_lookup(m, key);

	*ret = !value ? -E2BIG : flags == BPF_NOEXIST ? -EEXIST : 0;
	return *ret ? NULL : value;
}

static int array_next_key(struct vm_map *m, const void *key, void *next)
{
	uint32_t index = key ? array_index(key) : UINT32_MAX;

	index = index >= m->def.max_entries ? 0 : index + 1;
	if (index >= m->def.max_entries)
		return -ENOENT;
	memcpy(next, &index, sizeof(index));
	return 0;
}

/* Slots of a prog array or an array of maps hold a number, 0 when empty. */
static void *ids_lookup(struct vm_map *m, const void *key)
{
	uint32_t *slot = array_lookup(m, key);

	return slot && *slot ? slot : NULL;
}

static void *ids_place(struct vm_map *m, const void *key, uint64_t flags, int *ret)
{
	void *slot = array_lookup(m, key);

	*ret = !slot ? -E2BIG : flags != BPF_ANY ? -EINVAL : 0;
	return *ret ? NULL : slot;
}

static int ids_delete(struct vm_map *m, const void *key)
{
	uint32_t *slot = array_lookup(m, key);

	if (!slot)
		return -E2BIG;
	if (!*slot)
		return -ENOENT;
	*slot = 0;
	return 0;
}

static const struct vm_map_ops ARRAY = {
	.name = "array",
	.init = array_init,
	.fini = array_fini,
	.lookup = array_lookup,
	.place = array_place,
	.next_key = array_next_key,
};

static const struct vm_map_ops PERCPU_ARRAY = {
	.name = "percpu_array",
	.per_cpu = true,
	.init = array_init,
	.fini = array_fini,
	.lookup = array_lookup,
	.place = array_place,
	.next_key = array_next_key,
};

static const struct vm_map_ops PROG_ARRAY = {
	.name = "prog_array",
	.holds_ids = true,
	.init = array_init,
	.fini = array_fini,
	.lookup = ids_lookup,
	.place = ids_place,
	.delete = ids_delete,
	.next_key = array_next_key,
};

static const struct vm_map_ops ARRAY_OF_MAPS = {
	.name = "array_of_maps",
	.holds_ids = true,
	.init = array_init,
	.fini = array_fini,
	.lookup = ids_lookup,
	.place = ids_place,
	.delete = ids_delete,
	.next_key = array_next_key,
};

/* --- all kinds --- */

static const struct vm_map_ops *const KINDS[] = {
	[BPF_MAP_TYPE_HASH] = &VM_MAP_HASH,
	[BPF_MAP_TYPE_ARRAY] = &ARRAY,
	[BPF_MAP_TYPE_PROG_ARRAY] = &PROG_ARRAY,
	[BPF_MAP_TYPE_PERCPU_HASH] = &VM_MAP_PERCPU_HASH,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = &PERCPU_ARRAY,
	[BPF_MAP_TYPE_LRU_HASH] = &VM_MAP_LRU,
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = &VM_MAP_PERCPU_LRU,
	[BPF_MAP_TYPE_LPM_TRIE] = &VM_MAP_LPM,
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = &ARRAY_OF_MAPS,
	[BPF_MAP_TYPE_HASH_OF_MAPS] = &VM_MAP_HASH_OF_MAPS,
	[BPF_MAP_TYPE_QUEUE] = &VM_MAP_QUEUE,
	[BPF_MAP_TYPE_STACK] = &VM_MAP_STACK,
	[BPF_MAP_TYPE_RINGBUF] = &VM_MAP_RING,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = &VM_MAP_PERF,
	[BPF_MAP_TYPE_STACK_TRACE] = &VM_MAP_STACKS,
};

static int check_def(const struct vm_map *m, struct err *e)
{
	const struct scry_vm_map *d = &m->def;

	if (d->flags & ~(uint32_t)HARMLESS_FLAGS)
		return err_set(e, -EINVAL, "map %s: unknown flags 0x%x", d->name, d->flags);
	if (!d->max_entries)
		return err_set(e, -EINVAL, "map %s: no room: max_entries is 0", d->name);
	if (m->ops->no_key ? d->key_size != 0 : !d->key_size || d->key_size > MAX_KEY)
		return err_set(e, -EINVAL, "map %s: type %s cannot have a key of %u bytes",
			       d->name, m->ops->name, d->key_size);
	if (m->ops->no_value ? d->value_size != 0 : !d->value_size || d->value_size > 1u << 30)
		return err_set(e, -EINVAL, "map %s: type %s cannot have a value of %u bytes",
			       d->name, m->ops->name, d->value_size);
	if (m->ops->holds_ids && d->value_size != 4)
		return err_set(e, -EINVAL, "map %s: the value of a %s has 4 bytes, not %u",
			       d->name, m->ops->name, d->value_size);
	return 0;
}

struct vm_map *vm_map_new(const struct scry_vm_map *def, uint32_t cpus, struct err *e)
{
	const struct vm_map_ops *ops =
		def->type < sizeof(KINDS) / sizeof(*KINDS) ? KINDS[def->type] : NULL;

	if (!ops) {
		err_set(e, -ENOTSUP, "map %s: maps of type %u are not supported",
			def->name ? def->name : "", def->type);
		return NULL;
	}

	struct vm_map *m = xcalloc(1, sizeof(*m));
	m->def = *def;
	m->def.name = xstrdup(def->name ? def->name : ops->name);
	m->ops = ops;
	m->cpus = ops->per_cpu ? cpus : 1;
	m->value_stride = (def->value_size + 7) & ~7u;
	pthread_mutex_init(&m->lock, NULL);
	if (check_def(m, e) || ops->init(m, e)) {
		vm_map_free(m);
		return NULL;
	}
	return m;
}

void vm_map_free(struct vm_map *m)
{
	if (!m)
		return;
	m->ops->fini(m);
	pthread_mutex_destroy(&m->lock);
	free((char *)m->def.name);
	free(m);
}

void *vm_map_find(struct vm_map *m, const void *key, uint32_t cpu)
{
	if (!m->ops->lookup)
		return NULL;
	pthread_mutex_lock(&m->lock);
	uint8_t *value = m->ops->lookup(m, key);
	pthread_mutex_unlock(&m->lock);
	return value ? value + (size_t)(cpu % m->cpus) * m->value_stride : NULL;
}

uint32_t vm_map_find_id(struct vm_map *m, const void *key)
{
	uint32_t id = 0;

	pthread_mutex_lock(&m->lock);
	const void *slot = m->ops->lookup(m, key);
	if (slot)
		memcpy(&id, slot, sizeof(id));
	pthread_mutex_unlock(&m->lock);
	return id;
}

/* Writes n copies from `from`, a stride apart, starting with copy `first`. */
static int set_copies(struct vm_map *m, const void *key, const void *from, uint64_t flags,
		      uint32_t first, uint32_t n)
{
	int ret = -EINVAL;

	if (!m->ops->place || flags > BPF_EXIST)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	uint8_t *value = m->ops->place(m, key, flags, &ret);
	if (value) {
		value += (size_t)first * m->value_stride;
		for (uint32_t i = 0; i < n; i++)
			memcpy(value + (size_t)i * m->value_stride,
			       (const uint8_t *)from + (size_t)i * m->value_stride,
			       m->def.value_size);
	}
	pthread_mutex_unlock(&m->lock);
	return ret;
}

int vm_map_set(struct vm_map *m, const void *key, const void *value, uint64_t flags,
	       uint32_t cpu)
{
	if (m->ops->holds_ids || m->ops->only_helpers)
		return -EINVAL;
	return set_copies(m, key, value, flags, cpu % m->cpus, 1);
}

int vm_map_set_all(struct vm_map *m, const void *key, const void *value, uint64_t flags)
{
	if (m->ops->push)
		return vm_map_push(m, value, flags);
	return set_copies(m, key, value, flags, 0, m->cpus);
}

int vm_map_get_all(struct vm_map *m, const void *key, void *value)
{
	if (m->ops->pop)
		return vm_map_pop(m, value, false);
	if (!m->ops->lookup)
		return -ENOTSUP;
	pthread_mutex_lock(&m->lock);
	const uint8_t *from = m->ops->lookup(m, key);
	if (from && m->cpus == 1)
		memcpy(value, from, m->def.value_size);
	else if (from)
		memcpy(value, from, (size_t)m->cpus * m->value_stride);
	pthread_mutex_unlock(&m->lock);
	return from ? 0 : -ENOENT;
}

int vm_map_remove(struct vm_map *m, const void *key)
{
	if (!m->ops->delete)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	int ret = m->ops->delete (m, key);
	pthread_mutex_unlock(&m->lock);
	return ret;
}

int vm_map_next(struct vm_map *m, const void *key, void *next)
{
	if (!m->ops->next_key)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	int ret = m->ops->next_key(m, key, next);
	pthread_mutex_unlock(&m->lock);
	return ret;
}

int vm_map_push(struct vm_map *m, const void *value, uint64_t flags)
{
	if (!m->ops->push)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	int ret = m->ops->push(m, value, flags);
	pthread_mutex_unlock(&m->lock);
	return ret;
}

int vm_map_pop(struct vm_map *m, void *value, bool remove)
{
	if (!m->ops->pop)
		return -EINVAL;
	pthread_mutex_lock(&m->lock);
	int ret = m->ops->pop(m, value, remove);
	pthread_mutex_unlock(&m->lock);
	return ret;
}
