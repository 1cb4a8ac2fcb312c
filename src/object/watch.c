#include "object/watch.h"

#include "base/auto.h"
#include "kernel/ring.h"
#include "object/prints.h"
#include "object/stream.h"
#include "object/typed.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { FROM_SIGNALS, FROM_CHILD, FROM_PRINTS, FROM_STREAMS };

struct watch {
	struct object *o;
	const struct watch_options *opt;
	struct err *e;
	struct typed types; /* of the object's programs: records are described by them */
	struct streams streams;
	struct prints prints;
	struct arena scratch;
	int poll, signals;
	bool ending;
};

/* --- what comes --- */

static void show_text(void *arg, const char *text, size_t len)
{
	struct watch *w = arg;
	auto_sb struct sb line = {};

	sb_write(&line, text, len);
	sb_putc(&line, '\n');
	w->opt->sink->text(w->opt->out, TEXT_PRINTF, line.s, line.len);
}

/* "map: value" as text, {map: value} in formats that are read by programs. */
static void show_record(void *arg, const struct stream *from, const void *data, uint32_t len)
{
	struct watch *w = arg;
	const struct type *type = from->type;
	auto_sb struct sb line = {};
	struct value v;

	if (type && type->size > len)
		type = NULL; /* shorter than it should be: shown as it is */
	typed_value(&w->types, &w->scratch, type, data, len, &v);
	if (w->opt->sink->notices_apart) {
		sb_printf(&line, "%s: ", from->name);
		value_text(&v, &line);
		show_text(w, line.s, line.len);
	} else {
		const char *name = from->name;
		struct value record = {
			.kind = V_RECORD, .items = &v, .names = &name, .nitems = 1
		};
		w->opt->sink->value(w->opt->out, &record);
	}
	arena_free(&w->scratch);
	w->scratch = (struct arena){};
}

static void read_walk(struct watch *w, int fd)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		w->opt->sink->text(w->opt->out, TEXT_PRINTF, buf, (size_t)n);
}

static void drain(struct watch *w)
{
	streams_read(&w->streams, show_record, w);
	if (w->prints.pipe >= 0)
		prints_read(&w->prints, w->o->prints.data, w->o->prints.len, show_text, w);
	fflush(w->opt->out);
}

/* --- before --- */

/* What the file itself says; a type that is asked for counts more. */
static void take_told_types(struct watch *w)
{
	vec_each(r, &w->o->records) {
		uint32_t id = w->types.btf ? btf_find_type(w->types.btf, r->type) : 0;

		vec_each(s, &w->streams.list)
			if (id && !strcmp(s->name, r->map))
				s->type = btf_type(&w->types.types, w->types.btf, id);
	}
}

static int find_types(struct watch *w)
{
	take_told_types(w);
	for (size_t i = 0; i < w->opt->ntypes; i++) {
		const struct watch_type *t = &w->opt->types[i];
		uint32_t id = w->types.btf ? btf_find_type(w->types.btf, t->type) : 0;
		bool used = false;

		if (!id)
			return err_set(w->e, -ENOENT, "%s: there is no type '%s' in its BTF",
				       w->o->path, t->type);
		vec_each(s, &w->streams.list) {
			if (t->map && strcmp(t->map, s->name) != 0)
				continue;
			s->type = btf_type(&w->types.types, w->types.btf, id);
			used = true;
		}
		if (!used)
			return err_set(w->e, -ENOENT, "%s: %s is no map of records in it",
				       w->o->path, t->map ? t->map : "there");
	}
	return 0;
}

static int watch_fd(struct watch *w, int fd, uint32_t from)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = from };

	return epoll_ctl(w->poll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_signals(struct watch *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	w->poll = epoll_create1(EPOLL_CLOEXEC);
	if (w->signals < 0 || w->poll < 0)
		return -errno;
	return watch_fd(w, w->signals, FROM_SIGNALS);
}

static int open_sources(struct watch *w)
{
	int err = open_signals(w);

	if (!err && w->opt->child->pidfd >= 0)
		err = watch_fd(w, w->opt->child->pidfd, FROM_CHILD);
	if (err)
		return err_set(w->e, err, "wait for events");
	if (w->o->is_printing)
		err = prints_open(&w->prints, w->e);
	if (!err && w->prints.pipe >= 0)
		watch_fd(w, w->prints.pipe, FROM_PRINTS);
	if (!err)
		err = streams_open(&w->streams, w->o, w->e);
	vec_each(s, &w->streams.list)
		watch_fd(w, s->fd, FROM_STREAMS);
	return err ? err : find_types(w);
}

/* --- while --- */

static int wait_for_end(struct watch *w)
{
	struct epoll_event ready[8];

	/* Walks are over when they were read; with nothing else there is nothing to wait for.
	 */
	w->ending = !w->o->links.len && !w->o->holds.len && w->opt->child->pidfd < 0;
	while (!w->ending) {
		int n = epoll_wait(w->poll, ready, 8, -1);

		if (n < 0 && errno != EINTR)
			return err_set(w->e, -errno, "wait for events");
		for (int i = 0; i < n; i++)
			w->ending |= ready[i].data.u32 <= FROM_CHILD;
		drain(w);
	}
	return 0;
}

/* Everything is detached and still there to be looked at. */
static int show_maps(struct watch *w)
{
	struct object_map m;
	uint32_t size = 0;
	const void *btf = object_btf(w->o, &size);
	int err = 0;

	for (unsigned i = 0; object_map_at(w->o, i, &m) && !err && !w->opt->no_maps; i++) {
		struct typed_map t;

		/* libbpf's own bookkeeping of USDT is nobody's answer. */
		if (m.is_const || m.fd < 0 || !strncmp(m.name, "__bpf_usdt", 10))
			continue;
		err = typed_map_init(&t, m.fd);
		typed_map_describe(&t, btf, size, m.key_id, m.value_id);
		if (err)
			err_set(w->e, err, "read map %s", m.name);
		else if (typed_map_walks(&t))
			err = typed_map_show(&t, w->opt->sink, w->opt->out, true, w->e);
		typed_map_fini(&t);
	}
	return err;
}

static int run(struct watch *w, void (*attached)(void *arg, const struct object *o), void *arg)
{
	int err = open_sources(w);

	if (!err)
		err = object_attach(w->o, w->opt->where, w->e);
	if (err)
		return err;
	attached(arg, w->o);
	err = child_release(w->opt->child, w->e);
	if (!err) {
		vec_each(fd, &w->o->walks)
			read_walk(w, *fd);
		err = wait_for_end(w);
	}
	object_detach(w->o);
	drain(w);
	if (w->streams.lost)
		fprintf(stderr, "Lost %llu records\n", (unsigned long long)w->streams.lost);
	return err ? err : show_maps(w);
}

int object_watch(struct object *o, const struct watch_options *opt,
		 void (*attached)(void *arg, const struct object *o), void *arg, struct err *e)
{
	struct watch w = { .o = o, .opt = opt, .e = e, .poll = -1, .signals = -1 };

	w.prints = PRINTS_CLOSED;
	uint32_t size = 0;
	const void *btf = object_btf(o, &size);

	typed_init(&w.types, object_btf_id(o));
	/* A kernel that does not take the BTF (of GCC 12) leaves that of the file. */
	if (!w.types.btf && btf) {
		typed_fini(&w.types);
		typed_init_bytes(&w.types, btf, size);
	}
	int err = run(&w, attached, arg);
	prints_close(&w.prints);
	streams_close(&w.streams);
	typed_fini(&w.types);
	arena_free(&w.scratch);
	if (w.poll >= 0)
		close(w.poll);
	if (w.signals >= 0)
		close(w.signals);
	return err;
}
