/*
 * Ring buffers.  The data is mapped twice in a row, so that a record is always in one piece, as
 * the kernel does it; the records' headers are kept apart, where no program can spoil them, but
 * take the same room.
 */
#include "vm/map.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER = BPF_RINGBUF_HDR_SZ };

struct record {
	uint64_t pos; /* of its data, counted from the beginning of time */
	uint32_t size;
	enum { BUSY, DONE, DISCARDED } state;
};

struct ring {
	VEC(struct record) records; /* oldest first, from `first` on */
	size_t first;
	uint64_t consumer, producer;
	pthread_mutex_t reading; /* of vm_ring_read(), which does not keep writers out */
};

static void *map_twice(size_t size)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	uint8_t *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!ftruncate(fd, (off_t)size))
		p = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned half = 0; p != MAP_FAILED && half < 2; half++) {
		if (mmap(p + half * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 fd, 0) == MAP_FAILED) {
			munmap(p, 2 * size);
			p = MAP_FAILED;
		}
	}
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static int ring_init(struct vm_map *m, struct err *e)
{
	size_t size = m->def.max_entries, page = (size_t)sysconf(_SC_PAGESIZE);

	struct ring *r = m->priv = xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->reading, NULL);
	if (size % page || (size & (size - 1)))
		return err_set(e, -EINVAL,
			       "map %s: the size of a ring buffer is a power of two and a "
			       "multiple of %zu, not %zu",
			       m->def.name, page, size);
	m->mem = map_twice(size);
	m->mem_size = m->mem ? 2 * size : 0;
	if (!m->mem)
		return err_set(e, -ENOMEM, "map %s: no memory for %zu bytes", m->def.name,
			       size);
	return 0;
}

static void ring_fini(struct vm_map *m)
{
	struct ring *r = m->priv;

	if (m->mem)
		munmap(m->mem, m->mem_size);
	if (r) {
		vec_free(&r->records);
		pthread_mutex_destroy(&r->reading);
	}
	free(r);
}

const struct vm_map_ops VM_MAP_RING = {
	.name = "ringbuf",
	.no_key = true,
	.no_value = true,
	.init = ring_init,
	.fini = ring_fini,
};

static uint64_t footprint(uint64_t size)
{
	return (size + HEADER + 7) & ~7ull;
}

void *vm_ring_reserve(struct vm_map *m, uint64_t size)
{
	struct ring *r = m->priv;
	uint64_t room = m->def.max_entries;
	void *data = NULL;

	if (size >= room || footprint(size) > room)
		return NULL;
	pthread_mutex_lock(&m->lock);
	if (r->producer + footprint(size) - r->consumer < room) {
		uint64_t pos = r->producer + HEADER;

		vec_push(NULL, &r->records, (struct record){ pos, (uint32_t)size, BUSY });
		r->producer += footprint(size);
		data = m->mem + pos % room;
	}
	pthread_mutex_unlock(&m->lock);
	return data;
}

int vm_ring_commit(struct vm_map *m, void *data, bool discard)
{
	struct ring *r = m->priv;
	int ret = -EINVAL;

	pthread_mutex_lock(&m->lock);
	for (size_t i = r->records.len; i-- > r->first;) {
		struct record *rec = &r->records.data[i];

		if (rec->state == BUSY && m->mem + rec->pos % m->def.max_entries == data) {
			rec->state = discard ? DISCARDED : DONE;
			ret = 0;
			break;
		}
	}
	pthread_mutex_unlock(&m->lock);
	return ret;
}

/* Forgets the records before `first` once they are many. */
static void compact(struct ring *r)
{
	if (r->first < 64 || r->first < r->records.len / 2)
		return;
	r->records.len -= r->first;
	memmove(r->records.data, r->records.data + r->first,
		r->records.len * sizeof(struct record));
	r->first = 0;
}

/* Gives the oldest record's room back. */
static void drop_first(struct ring *r)
{
	r->consumer += footprint(r->records.data[r->first++].size);
	compact(r);
}

/* The oldest record if it is finished and began before `end`. */
static const void *oldest(struct vm_map *m, uint64_t end, size_t *size)
{
	struct ring *r = m->priv;
	const void *data = NULL;

	pthread_mutex_lock(&m->lock);
	while (r->first < r->records.len && r->records.data[r->first].state == DISCARDED)
		drop_first(r);
	if (r->first < r->records.len && r->records.data[r->first].state == DONE &&
	    r->consumer < end) {
		*size = r->records.data[r->first].size;
		data = m->mem + r->records.data[r->first].pos % m->def.max_entries;
	}
	pthread_mutex_unlock(&m->lock);
	return data;
}

const void *vm_ring_peek(struct vm_map *m, size_t *size)
{
	return oldest(m, UINT64_MAX, size);
}

void vm_ring_consume(struct vm_map *m)
{
	struct ring *r = m->priv;

	pthread_mutex_lock(&m->lock);
	if (r->first < r->records.len && r->records.data[r->first].state == DONE)
		drop_first(r);
	pthread_mutex_unlock(&m->lock);
}

/* What is written meanwhile is left for the next time, so that this ends. */
int vm_ring_read(struct vm_map *m, void (*fn)(void *, const void *, size_t), void *user)
{
	struct ring *r = m->priv;
	uint64_t end = vm_ring_query(m, BPF_RB_PROD_POS);
	const void *data;
	size_t size;
	int n = 0;

	pthread_mutex_lock(&r->reading);
	for (; (data = oldest(m, end, &size)); n++) {
		fn(user, data, size);
		vm_ring_consume(m);
	}
	pthread_mutex_unlock(&r->reading);
	return n;
}

uint64_t vm_ring_query(struct vm_map *m, uint64_t what)
{
	struct ring *r = m->priv;
	uint64_t value = 0;

	pthread_mutex_lock(&m->lock);
	switch (what) {
	case BPF_RB_AVAIL_DATA: value = r->producer - r->consumer; break;
	case BPF_RB_RING_SIZE: value = m->def.max_entries; break;
	case BPF_RB_CONS_POS: value = r->consumer; break;
	case BPF_RB_PROD_POS: value = r->producer; break;
	}
	pthread_mutex_unlock(&m->lock);
	return value;
}
