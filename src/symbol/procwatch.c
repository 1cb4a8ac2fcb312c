#include "symbol/procwatch.h"

#include "base/arena.h"
#include "base/auto.h"
#include "base/vec.h"
#include "kernel/perf.h"
#include "kernel/perf_ring.h"
#include "kernel/proc.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>

/*
 * Of a ring; powers of two. A process that is executed and ends leaves some 600 bytes: with 128
 * pages the reader may be away for 100 ms while there are 10,000 of them a second on one CPU.
 */
enum { DATA_PAGES = 128, DATA_PAGES_MANY = 32, CPUS_MANY = 16 };

/* A record in w->bytes. */
struct record {
	uint64_t time;
	size_t off;
};

struct procwatch {
	struct usyms *us;
	int poll;
	bool is_eager;
	uint64_t lost;
	VEC(struct perf_ring) rings;
	/* Of one reading. */
	struct sb bytes;
	VEC(struct record) records;
};

/* Returns false when there can be no ring. */
static bool add_ring(struct procwatch *w, pid_t pid, unsigned cpu, unsigned pages)
{
	struct epoll_event ev = { .events = EPOLLIN };
	size_t size = pages * (size_t)sysconf(_SC_PAGESIZE);
	uint32_t wakeup = w->is_eager ? 1 : (uint32_t)size / 2;
	int fd = perf_open_mappings(pid, cpu, wakeup);
	struct perf_ring r;

	if (fd < 0 || perf_ring_open(&r, fd, pages))
		return false;
	if (epoll_ctl(w->poll, EPOLL_CTL_ADD, r.fd, &ev)) {
		perf_ring_close(&r);
		return false;
	}
	vec_push(NULL, &w->rings, r);
	return true;
}

struct procwatch *procwatch_open(struct usyms *us, pid_t pid, bool is_eager)
{
	auto_arena struct arena scratch = {};
	struct procwatch *w = xcalloc(1, sizeof(*w));
	struct cpu_list cpus = {};

	w->us = us;
	w->is_eager = is_eager;
	w->poll = epoll_create1(EPOLL_CLOEXEC);
	cpus_online(&scratch, &cpus);
	unsigned pages = cpus.len < CPUS_MANY ? DATA_PAGES : DATA_PAGES_MANY;
	vec_each(cpu, &cpus) {
		if (w->poll >= 0 && add_ring(w, pid, *cpu, pages))
			continue;
		procwatch_close(w);
		return NULL;
	}
	return w;
}

void procwatch_close(struct procwatch *w)
{
	if (!w)
		return;
	vec_each(r, &w->rings)
		perf_ring_close(r);
	if (w->poll >= 0)
		close(w->poll);
	vec_free(&w->rings);
	vec_free(&w->records);
	sb_free(&w->bytes);
	free(w);
}

uint64_t procwatch_lost(const struct procwatch *w)
{
	return w ? w->lost : 0;
}

int procwatch_fd(const struct procwatch *w)
{
	return w->poll;
}

/* Takes the records up to a time out of one ring. */
static void read_ring(struct procwatch *w, struct perf_ring *r, uint64_t until)
{
	char bytes[PERF_RECORD_BYTES];
	size_t len;

	while ((len = perf_ring_peek(r, bytes, sizeof(bytes)))) {
		struct record new = { .off = w->bytes.len };

		if (len < sizeof(struct perf_event_header) + sizeof(new.time))
			break;
		memcpy(&new.time, bytes + len - sizeof(new.time), sizeof(new.time));
		if (new.time > until)
			break;
		vec_push(NULL, &w->records, new);
		sb_write(&w->bytes, bytes, len);
		perf_ring_skip(r, len);
	}
}

static int compare_times(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* Records as perf_event.h describes them, without the header. */
struct mmap2 {
	uint32_t pid, tid;
	uint64_t addr, len, offset;
	uint32_t major, minor;
	uint64_t inode, generation;
	uint32_t prot, flags;
	char path[];
};

struct ids {
	uint32_t pid, other; /* COMM: thread; FORK: parent */
};

static void on_mapping(struct procwatch *w, const struct mmap2 *r, size_t size)
{
	struct mapping m = {
		.start = r->addr,
		.end = r->addr + r->len,
		.offset = r->offset,
		.inode = r->inode,
		.major = r->major,
		.minor = r->minor,
		.is_code = true,
		.path = r->path,
	};

	if (size <= sizeof(*r) || !memchr(r->path, '\0', size - sizeof(*r)) ||
	    !(r->prot & PROT_EXEC) || m.end <= m.start)
		return;
	if (!strncmp(m.path, "//", 2)) /* memory without a file */
		m.path = "";
	usyms_add_mapping(w->us, (pid_t)r->pid, &m);
}

/* FORK, EXIT: pid, parent, thread, its parent. */
static uint32_t ids_thread(const char *body, size_t size)
{
	uint32_t ids[4] = {};

	memcpy(ids, body, size < sizeof(ids) ? size : sizeof(ids));
	return ids[2];
}

/* LOST: which event, how many records. */
static uint64_t number_lost(const char *body, size_t size)
{
	uint64_t numbers[2] = {};

	memcpy(numbers, body, size < sizeof(numbers) ? size : sizeof(numbers));
	return numbers[1];
}

static void on_record(struct procwatch *w, const char *bytes)
{
	struct perf_event_header header;
	const char *body = bytes + sizeof(header);
	struct ids ids;

	memcpy(&header, bytes, sizeof(header));
	size_t size = header.size - sizeof(header);
	if (size < sizeof(ids))
		return;
	memcpy(&ids, body, sizeof(ids));
	switch (header.type) {
	case PERF_RECORD_MMAP2: on_mapping(w, (const struct mmap2 *)body, size); break;
	case PERF_RECORD_COMM:
		if (header.misc & PERF_RECORD_MISC_COMM_EXEC)
			usyms_start_over(w->us, (pid_t)ids.pid);
		break;
	case PERF_RECORD_FORK:
		if (ids.pid != ids.other) /* else it is a thread */
			usyms_fork(w->us, (pid_t)ids.other, (pid_t)ids.pid);
		break;
	case PERF_RECORD_EXIT:
		if (ids.pid == ids_thread(body, size)) /* else a thread is gone */
			usyms_ended(w->us, (pid_t)ids.pid);
		break;
	case PERF_RECORD_LOST: w->lost += number_lost(body, size); break;
	default: break;
	}
}

bool procwatch_read(struct procwatch *w)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sb_clear(&w->bytes);
	w->records.len = 0;
	/* What is newer waits, so that no ring is ahead of another. */
	vec_each(r, &w->rings)
		read_ring(w, r, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	if (!w->records.len)
		return false;
	qsort(w->records.data, w->records.len, sizeof(*w->records.data), compare_times);
	vec_each(r, &w->records)
		on_record(w, w->bytes.s + r->off);
	return true;
}
