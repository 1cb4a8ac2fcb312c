/*
 * perf_ring.h - the reading end of a perf event's ring (perf_event_open(2), "MMAP layout").
 *
 * Records come out in the order in which the kernel wrote them, each with its struct
 * perf_event_header.  One reader only.
 */
#ifndef SCRY_KERNEL_PERF_RING_H
#define SCRY_KERNEL_PERF_RING_H

#include <stddef.h>
#include <stdint.h>

struct perf_event_mmap_page;

struct perf_ring {
	int fd; /* of the event, owned */
	size_t page, size;
	struct perf_event_mmap_page *head; /* one page, the data behind it */
};

enum { PERF_RECORD_BYTES = UINT16_MAX }; /* no record is longer */

/* Takes the event over, also on failure; pages is a power of two. Returns 0 or -errno. */
int perf_ring_open(struct perf_ring *r, int fd, unsigned pages);
void perf_ring_close(struct perf_ring *r);
/* Copies the first n bytes of the record that comes next. Returns its length; 0: there is none.
 */
size_t perf_ring_peek(const struct perf_ring *r, void *out, size_t n);
/* Gives the room of the next record, of that length, back to the kernel. */
void perf_ring_skip(struct perf_ring *r, size_t len);

#endif
