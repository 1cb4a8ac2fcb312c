#include "kernel/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int perf_ring_open(struct perf_ring *r, int fd, unsigned pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mem;

	*r = (struct perf_ring){ .fd = fd, .page = page, .size = pages * page };
	mem = mmap(NULL, page + r->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED) {
		int err = -errno;

		close(fd);
		r->fd = -1;
		return err;
	}
	r->head = mem;
	return 0;
}

void perf_ring_close(struct perf_ring *r)
{
	if (r->head)
		munmap(r->head, r->page + r->size);
	if (r->fd >= 0)
		close(r->fd);
	*r = (struct perf_ring){ .fd = -1 };
}

/* The end of the data goes on at its start. */
static void copy_out(const struct perf_ring *r, void *out, size_t n)
{
	const char *data = (const char *)r->head + r->page;
	size_t at = r->head->data_tail & (r->size - 1), first = r->size - at;

	if (first > n)
		first = n;
	memcpy(out, data + at, first);
	memcpy((char *)out + first, data, n - first);
}

size_t perf_ring_peek(const struct perf_ring *r, void *out, size_t n)
{
	uint64_t end = __atomic_load_n(&r->head->data_head, __ATOMIC_ACQUIRE);
	uint64_t left = end - r->head->data_tail;
	struct perf_event_header header;

	if (left < sizeof(header))
		return 0;
	copy_out(r, &header, sizeof(header));
	if (header.size < sizeof(header) || header.size > left)
		return 0;
	copy_out(r, out, n < header.size ? n : header.size);
	return header.size;
}

void perf_ring_skip(struct perf_ring *r, size_t len)
{
	__atomic_store_n(&r->head->data_tail, r->head->data_tail + len, __ATOMIC_RELEASE);
}
