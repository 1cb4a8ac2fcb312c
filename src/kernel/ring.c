#include "kernel/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_open(struct ring *r, int map_fd, uint32_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;
	int err;

	*r = (struct ring){ .fd = map_fd, .size = size };
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer =
		mmap(NULL, page + 2 * (size_t)size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		err = -errno;
		munmap(consumer, page);
		return err;
	}
	r->consumer = consumer;
	r->producer = producer;
	r->data = (const unsigned char *)producer + page;
	r->seen = r->last = r->published = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
	return 0;
}

void ring_close(struct ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!r->consumer)
		return;
	munmap(r->consumer, page);
	munmap((void *)(uintptr_t)r->producer, page + 2 * (size_t)r->size);
	*r = (struct ring){ .fd = -1 };
}

/*
 * Gives the space back to the kernel.  The kernel wakes the reader when it commits the record
 * at the consumer position, so positions published late cost no wakeups while we are reading.
 * A reader that is awake keeps its last record, unless that takes room which others may need.
 */
static void publish(struct ring *r)
{
	bool keep = r->awake && r->seen - r->last <= r->size / 16;

	r->published = keep ? r->last : r->seen;
	__atomic_store_n(r->consumer, r->published, __ATOMIC_SEQ_CST);
}

/* Reads on to the first record that is not committed yet; *more becomes false when fn stops. */
static size_t read_run(struct ring *r, bool (*fn)(void *arg, const void *data, uint32_t len),
		       void *arg, bool *more)
{
	uint64_t end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	size_t n = 0;

	while (*more && r->seen < end) {
		const unsigned char *rec = r->data + (r->seen & (r->size - 1));
		uint32_t head = __atomic_load_n((const uint32_t *)rec, __ATOMIC_ACQUIRE);
		uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (head & BPF_RINGBUF_BUSY_BIT)
			break;
		r->last = r->seen;
		r->seen += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7u;
		if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
			*more = fn(arg, rec + BPF_RINGBUF_HDR_SZ, len);
			n++;
		}
		if (r->seen - r->published >= r->size / 8)
			publish(r);
	}
	publish(r);
	return n;
}

size_t ring_read(struct ring *r, bool (*fn)(void *arg, const void *data, uint32_t len),
		 void *arg)
{
	size_t n = 0, run;
	bool more = true, wakes;

	/*
	 * A commit woke nobody unless it found the position published: so look once more after
	 * that was done.
	 */
	do {
		wakes = r->published == r->seen;
		run = read_run(r, fn, arg, &more);
		n += run;
	} while (more && !r->awake && (run || !wakes));
	return n;
}

size_t ring_pending(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - r->seen;
}
