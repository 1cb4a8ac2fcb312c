#include "object/stream.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

enum { PERF_PAGES = 64 };

static bool on_record(void *arg, const void *data, uint32_t len)
{
	struct streams *s = arg;

	s->fn(s->arg, s->now, data, len);
	return true;
}

static void on_sample(void *arg, int cpu, void *data, uint32_t len)
{
	(void)cpu;
	on_record(arg, data, len);
}

static void on_lost(void *arg, int cpu, unsigned long long n)
{
	struct streams *s = arg;

	(void)cpu;
	s->lost += n;
}

static int open_one(struct streams *s, const struct object_map *m)
{
	struct stream *new = vec_add(NULL, &s->list);

	*new = (struct stream){ .name = m->name, .fd = m->fd, .ring.fd = -1 };
	if (m->type == BPF_MAP_TYPE_RINGBUF)
		return ring_open(&new->ring, m->fd, m->max_entries);
	new->perf = perf_buffer__new(m->fd, PERF_PAGES, on_sample, on_lost, s, NULL);
	if (!new->perf)
		return -errno;
	new->fd = perf_buffer__epoll_fd(new->perf);
	return 0;
}

int streams_open(struct streams *s, const struct object *o, struct err *e)
{
	struct object_map m;

	for (unsigned i = 0; object_map_at(o, i, &m); i++) {
		if ((m.type != BPF_MAP_TYPE_RINGBUF &&
		     m.type != BPF_MAP_TYPE_PERF_EVENT_ARRAY) ||
		    m.fd < 0)
			continue;
		int err = open_one(s, &m);
		if (err)
			return err_set(e, err, "map the records of %s into memory", m.name);
	}
	return 0;
}

void streams_close(struct streams *s)
{
	vec_each(p, &s->list) {
		if (p->perf)
			perf_buffer__free(p->perf);
		else if (p->ring.fd >= 0)
			ring_close(&p->ring);
	}
	vec_free(&s->list);
}

void streams_read(struct streams *s,
		  void (*fn)(void *arg, const struct stream *from, const void *data,
			     uint32_t len),
		  void *arg)
{
	s->fn = fn;
	s->arg = arg;
	vec_each(p, &s->list) {
		s->now = p;
		if (p->perf)
			perf_buffer__consume(p->perf);
		else
			ring_read(&p->ring, on_record, s);
	}
}
