/*
 * ring.h - the reading end of a BPF ring buffer (Documentation/bpf/ringbuf.rst).
 *
 * Programs reserve a record, fill it in and commit it; records come out in the order of their
 * reservation, whole, each once.  A record not yet committed holds back those behind it.  One
 * reader only.
 */
#ifndef SCRY_KERNEL_RING_H
#define SCRY_KERNEL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd; /* of the map, borrowed: poll it for POLLIN */
	uint32_t size;
	uint64_t seen;	    /* position up to which records are handed out */
	uint64_t last;	    /* of the record handed out last */
	uint64_t published; /* up to which the kernel may write again */
	/*
	 * Set by the reader while it comes back by itself, soon: no commit wakes it then, which
	 * is an interrupt to the processor that commits.  The map polls as readable all the
	 * time.  The next ring_read() after this was unset makes commits wake again.
	 */
	bool awake;
	uint64_t *consumer;
	const uint64_t *producer;
	const unsigned char *data; /* mapped twice in a row, so that no record wraps */
};

/* Size must be the map's max_entries: a power of two pages. Returns 0 or -errno. */
int ring_open(struct ring *r, int map_fd, uint32_t size);
void ring_close(struct ring *r);
/*
 * Hands out every record committed so far; data is valid during the call only. Stops early,
 * behind that record, when fn returns false. Returns the number of records.
 */
size_t ring_read(struct ring *r, bool (*fn)(void *arg, const void *data, uint32_t len),
		 void *arg);
/* Bytes written and not yet read. */
size_t ring_pending(const struct ring *r);

#endif
