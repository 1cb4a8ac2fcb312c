/*
 * scry map event_pipe: what programs write to an array of perf events, as it comes.
 */
#include "base/auto.h"
#include "cli/cmd_map.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <string.h>

enum { PAGES = 16 };

struct pipe {
	struct bpf_task *t;
	int cpu, index; /* -1: all */
};

/* With PERF_SAMPLE_TIME | PERF_SAMPLE_RAW. */
struct sample {
	struct perf_event_header header;
	uint64_t time;
	uint32_t size;
	uint8_t data[];
} __attribute__((packed));

struct lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

static void put_sample(struct facts *f, int cpu, int index, const struct sample *s)
{
	facts_say(f, "== @%" PRIu64 ".%09" PRIu64 " CPU: %d index: %d =====\n",
		  s->time / 1000000000, s->time % 1000000000, cpu, index);
	if (!f->json) {
		map_put_hex(s->data, s->size);
		putchar('\n');
		return;
	}
	jw_number(&f->w, "timestamp", s->time);
	jw_list(&f->w, "data");
	for (uint32_t i = 0; i < s->size; i++)
		jw_number(&f->w, NULL, s->data[i]);
	jw_close(&f->w);
}

static void put_lost(struct facts *f, const struct lost *l)
{
	facts_say(f, "lost %" PRIu64 " events\n", l->lost);
	facts_object(f, "lost");
	facts_number(f, "id", NULL, l->id, "");
	facts_number(f, "lost", NULL, l->lost, "");
	facts_close(f);
}

static enum bpf_perf_event_ret put_record(void *arg, int cpu, struct perf_event_header *record)
{
	struct pipe *p = arg;
	struct facts *f = &p->t->facts;
	int index = p->index < 0 ? cpu : p->index;

	facts_object(f, NULL);
	facts_number(f, "type", NULL, record->type, "");
	facts_number(f, "cpu", NULL, (uint64_t)cpu, "");
	facts_number(f, "index", NULL, (uint64_t)index, "");
	if (record->type == PERF_RECORD_SAMPLE)
		put_sample(f, cpu, index, (const struct sample *)record);
	else if (record->type == PERF_RECORD_LOST)
		put_lost(f, (const struct lost *)record);
	else
		facts_say(f, "unknown event type=%u size=%u\n", record->type, record->size);
	facts_close(f);
	fflush(stdout);
	return LIBBPF_PERF_EVENT_CONT;
}

static int take_number(struct bpf_task *t, const char *what, int *out)
{
	const char *word = bpf_next_is(t, what) ? bpf_next_word(t) : "";
	char *end;
	long v = strtol(word, &end, 0);

	if (!*word || *end || v < 0 || v > 1 << 20)
		return err_set(&t->err, -EINVAL, "%s N is missing: both cpu and index, or none",
			       what);
	*out = (int)v;
	return 0;
}

static int read_until_stopped(struct bpf_task *t, struct perf_buffer *pb)
{
	auto_close int stop = bpf_stop_signals();
	struct pollfd fds[] = { { .fd = stop, .events = POLLIN },
				{ .fd = perf_buffer__epoll_fd(pb), .events = POLLIN } };

	facts_list(&t->facts, NULL);
	fflush(stdout);
	while (!fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		perf_buffer__consume(pb);
	}
	facts_close(&t->facts);
	return 0;
}

static int pipe_events(struct bpf_task *t, struct opened *o)
{
	struct pipe p = { t, -1, -1 };
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW | PERF_SAMPLE_TIME,
		.sample_period = 1,
		.wakeup_events = 1,
		.size = sizeof(attr),
	};
	LIBBPF_OPTS(perf_buffer_raw_opts, opts);

	if (o->m.info.type != BPF_MAP_TYPE_PERF_EVENT_ARRAY) {
		err_set(&t->err, -EINVAL, "map %s is no perf_event_array", o->m.info.name);
		return err_hint(&t->err,
				"scry run OBJECT shows the records of its ring buffers");
	}
	if (t->words.n && (take_number(t, "cpu", &p.cpu) || take_number(t, "index", &p.index) ||
			   bpf_end_of_words(t)))
		return t->err.code;
	opts.cpus = &p.cpu;
	opts.map_keys = &p.index;
	opts.cpu_cnt = p.cpu >= 0;
	struct perf_buffer *pb =
		perf_buffer__new_raw(o->fd, PAGES, &attr, put_record, &p, &opts);
	if (!pb)
		return err_set(&t->err, -errno, "open perf events for map %s", o->m.info.name);
	int err = read_until_stopped(t, pb);
	perf_buffer__free(pb);
	return err;
}

int map_event_pipe(struct bpf_task *t)
{
	return map_with(t, pipe_events);
}
