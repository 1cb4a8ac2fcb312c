#include "session/packets.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "kernel/perf_ring.h"
#include "kernel/proc.h"
#include "session/clock.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	/* of a ring: what anybody may lock, kernel.perf_event_mlock_kb; a power of two */
	DATA_PAGES = 128,
	/* A record of the ring: a header, u32 size, and what plan.h says. */
	RAW_OFF = sizeof(struct perf_event_header) + sizeof(uint32_t),
};

/* pcap-savefile(5): the file's header, and that of a packet. */
struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, linktype;
};

struct packet_header {
	uint32_t sec, usec, taken, len;
};

static const struct file_header HEADER = {
	.magic = 0xa1b2c3d4, /* microseconds, in the byte order of this machine */
	.major = 2,
	.minor = 4,
	.snaplen = UINT16_MAX,
	.linktype = 101, /* LINKTYPE_RAW: IPv4 or IPv6, as the first byte says */
};

struct packet_file {
	const char *path;
	FILE *f;
};

struct packets {
	const struct plan *plan;
	int poll;
	VEC(struct perf_ring) rings;
	VEC(struct packet_file) files;
	char record[PERF_RECORD_BYTES];
};

static int write_failed(struct err *e, const char *path)
{
	int code = errno ? -errno : -EIO;

	return err_set(e, code, "write %s: %s", path, strerror(-code));
}

static FILE *file_of(const struct packets *p, const char *path)
{
	for (size_t i = 0; i < p->files.len; i++)
		if (!strcmp(p->files.data[i].path, path))
			return p->files.data[i].f;
	return NULL;
}

static int add_file(struct packets *p, const char *path, struct err *e)
{
	struct packet_file file = { path, NULL };

	if (file_of(p, path))
		return 0;
	file.f = fopen(path, "we");
	if (!file.f)
		return write_failed(e, path);
	vec_push(NULL, &p->files, file);
	return fwrite(&HEADER, sizeof(HEADER), 1, file.f) == 1 ? 0 : write_failed(e, path);
}

static int add_ring(struct packets *p, int map, unsigned cpu)
{
	size_t size = DATA_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = perf_open_output(cpu, (uint32_t)size / 4);
	uint32_t index = cpu, value = (uint32_t)fd;
	struct perf_ring r;
	int err = fd < 0 ? fd : perf_ring_open(&r, fd, DATA_PAGES);

	if (err)
		return err;
	vec_push(NULL, &p->rings, r);
	if (epoll_ctl(p->poll, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	return kbpf_map_update(map, &index, &value, BPF_ANY);
}

static int open_rings(struct packets *p, int map, struct err *e)
{
	auto_arena struct arena scratch = {};
	struct cpu_list cpus = {};
	int err = 0;

	p->poll = epoll_create1(EPOLL_CLOEXEC);
	if (p->poll < 0)
		return err_set(e, -errno, "wait for packets");
	cpus_online(&scratch, &cpus);
	vec_each(cpu, &cpus)
		if (!err)
			err = add_ring(p, map, *cpu);
	return err ? err_set(e, err, "make the rings for packets") : 0;
}

int packets_open(struct packets **out, const struct plan *plan, const struct loaded *l,
		 struct err *e)
{
	struct packets *p;
	int err = 0;

	*out = NULL;
	if (!plan->packets_kmap)
		return 0;
	*out = p = xcalloc(1, sizeof(*p));
	p->plan = plan;
	p->poll = -1;
	vec_each(ev, &plan->events)
		if (!err && ev->kind == EV_PACKET)
			err = add_file(p, ev->text, e);
	return err ? err : open_rings(p, l->maps[plan->packets_kmap], e);
}

int packets_fd(const struct packets *p)
{
	return p->poll;
}

static uint32_t word_at(const char *bytes, size_t off)
{
	uint32_t v;

	memcpy(&v, bytes + off, sizeof(v));
	return v;
}

static uint64_t time_at(const char *raw)
{
	uint64_t v;

	memcpy(&v, raw + PACKET_TIME, sizeof(v));
	return v;
}

/* The first n bytes of the next packet; records of losses, counted elsewhere, are left out. */
static size_t next_packet(struct perf_ring *r, char *out, size_t n)
{
	struct perf_event_header header;
	size_t len;

	while ((len = perf_ring_peek(r, out, n))) {
		memcpy(&header, out, sizeof(header));
		if (header.type == PERF_RECORD_SAMPLE && len >= RAW_OFF + PACKET_DATA)
			return len;
		perf_ring_skip(r, len);
	}
	return 0;
}

/* The ring whose next packet is the oldest, or NULL. */
static struct perf_ring *oldest(const struct packets *p)
{
	char head[RAW_OFF + PACKET_DATA];
	struct perf_ring *found = NULL;
	uint64_t first = 0;

	vec_each(r, &p->rings) {
		if (!next_packet(r, head, sizeof(head)))
			continue;
		uint64_t t = time_at(head + RAW_OFF);
		if (!found || t < first) {
			found = r;
			first = t;
		}
	}
	return found;
}

/* The record's own size is rounded up: how much of it is packet follows from what was asked. */
static int write_packet(const struct packets *p, const char *raw, size_t size, struct err *e)
{
	uint32_t event = word_at(raw, PACKET_EVENT), skip = word_at(raw, PACKET_SKIP);
	uint32_t len = word_at(raw, PACKET_LEN), taken = len < PACKET_MAX ? len : PACKET_MAX;
	struct timespec t = clock_to_wall(CLOCK_BOOTTIME, time_at(raw));

	if (event >= p->plan->events.len || taken > size - PACKET_DATA)
		BUG("a packet of %u bytes for event %u in a record of %zu", taken, event, size);
	if (skip >= taken)
		return 0;

	struct packet_header h = { (uint32_t)t.tv_sec, (uint32_t)t.tv_nsec / 1000, taken - skip,
				   len - skip };
	const char *path = p->plan->events.data[event].text;
	FILE *f = file_of(p, path);
	if (fwrite(&h, sizeof(h), 1, f) != 1 ||
	    fwrite(raw + PACKET_DATA + skip, h.taken, 1, f) != 1)
		return write_failed(e, path);
	return 0;
}

int packets_read(struct packets *p, struct err *e)
{
	struct perf_ring *r;
	int err = 0;

	if (!p)
		return 0;
	while (!err && (r = oldest(p))) {
		size_t len = perf_ring_peek(r, p->record, sizeof(p->record));

		err = write_packet(p, p->record + RAW_OFF, len - RAW_OFF, e);
		perf_ring_skip(r, len);
	}
	vec_each(file, &p->files)
		if (!err && fflush(file->f))
			err = write_failed(e, file->path);
	return err;
}

void packets_close(struct packets *p)
{
	if (!p)
		return;
	vec_each(r, &p->rings)
		perf_ring_close(r);
	vec_each(file, &p->files)
		fclose(file->f);
	if (p->poll >= 0)
		close(p->poll);
	vec_free(&p->rings);
	vec_free(&p->files);
	free(p);
}
