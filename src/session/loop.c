#include "session/loop.h"

#include "session/attach.h"
#include "session/engine.h"
#include "session/events.h"
#include "session/maps.h"
#include "session/packets.h"
#include "symbol/procwatch.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/*
 * Signals are looked at again after so many records or so much time: a record may ask for a map
 * of a million entries to be printed.  At the end, what the ring still holds gets DRAIN_MS.
 */
enum { RECORDS_AT_ONCE = 8192, RECORDS_PER_LOOK = 64, SLICE_MS = 50, DRAIN_MS = 2000 };
/* ms between looks at the counters, and at what a process maps */
enum { WAKE_MS = 1000, LOOK_MS = 5, LOOK_MAX_MS = 160 };
/* ms between looks at a busy ring, and how many of them may find nothing before it counts as
 * idle. */
enum { NAP_MS = 1, NAPS_IDLE = 4 };

enum wakeup {
	FROM_SIGNALS,
	FROM_USER_SIGNAL,
	FROM_RING,
	FROM_PROCESS,
	FROM_OUTPUT,
	FROM_WATCH,
	FROM_WALK,
	FROM_EVERY,
	FROM_PACKETS,
	NSOURCES
};

static int watch(struct loop *l, int fd, uint32_t events, enum wakeup from)
{
	struct epoll_event ev = { .events = events, .data.u32 = from };

	return epoll_ctl(l->poll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* A terminal that goes away ends the session like ^C, unless nohup has it ignored. */
static void ending_signals(sigset_t *set)
{
	struct sigaction hangup;

	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(set, SIGHUP);
}

/* SIGUSR1: blocked for good, so that it never kills. */
static int open_user_signal(struct loop *l)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->user_signal = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->user_signal < 0 ? -errno
				  : watch(l, l->user_signal, EPOLLIN, FROM_USER_SIGNAL);
}

static int add_timer(struct loop *l, size_t prog, uint64_t ns)
{
	struct timespec period = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
	struct itimerspec when = { period, period };
	struct epoll_event ev = { .events = EPOLLIN,
				  .data.u32 = NSOURCES + (uint32_t)l->timers.len };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	vec_push(NULL, &l->timers, (struct loop_timer){ fd, prog });
	if (timerfd_settime(fd, 0, &when, NULL) || epoll_ctl(l->poll, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	return 0;
}

/* The probes that are left without the kernel: those of interval. */
static int open_timers(struct loop *l, const struct session *s)
{
	const struct plan *plan = s->plan;
	int err = 0;

	for (size_t i = 0; s->loaded.vm && i < plan->progs.len; i++) {
		if (plan->progs.data[i].when != PROG_ATTACHED)
			continue;
		vec_each(t, &plan->progs.data[i].group->targets) {
			if (!err)
				err = add_timer(l, i, (*t)->period);
		}
	}
	return err;
}

/* Turns that nobody had time for are left out, as the kernel does. */
static int on_timer(const struct loop *l, struct session *s, uint32_t i, struct err *e)
{
	const struct loop_timer *t = &l->timers.data[i];
	uint64_t turns;

	if (read(t->fd, &turns, sizeof(turns)) != sizeof(turns))
		return 0;
	return engine_prog_run(&s->loaded, s->loaded.progs[t->prog],
			       s->plan->progs.data[t->prog].name, e);
}

/* The timer that has the maps printed while the trace runs. */
static int open_every(struct loop *l, const struct session *s)
{
	struct timespec t = { .tv_sec = (time_t)(s->opt.every_ns / 1000000000),
			      .tv_nsec = (long)(s->opt.every_ns % 1000000000) };
	struct itimerspec spec = { t, t };

	if (!s->opt.every_ns)
		return 0;
	l->every = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->every < 0 || timerfd_settime(l->every, 0, &spec, NULL))
		return -errno;
	return watch(l, l->every, EPOLLIN, FROM_EVERY);
}

int loop_open(struct loop *l, struct session *s, struct err *e)
{
	sigset_t set;
	int err = 0;

	ending_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*l = LOOP_CLOSED;
	l->poll = epoll_create1(EPOLL_CLOEXEC);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->poll < 0 || l->signals < 0)
		return err_set(e, -errno, "wait for signals");

	err = watch(l, l->signals, EPOLLIN, FROM_SIGNALS);
	if (!err)
		err = open_user_signal(l);
	if (!err)
		err = open_timers(l, s);
	if (!err)
		err = open_every(l, s);
	if (!err && s->plan->uses_ring && !s->loaded.vm)
		err = watch(l, s->ring.fd, EPOLLIN, FROM_RING);
	if (!err && s->child->pidfd >= 0)
		err = watch(l, s->child->pidfd, EPOLLIN, FROM_PROCESS);
	if (!err && s->watch)
		err = watch(l, procwatch_fd(s->watch), EPOLLIN, FROM_WATCH);
	if (s->watch && s->child->pid && !s->plan->unwind_follow)
		l->look_ms = LOOK_MS;
	if (!err && s->packets)
		err = watch(l, packets_fd(s->packets), EPOLLIN, FROM_PACKETS);
	if (err)
		return err_set(e, err, "wait for events");
	/* A pipe tells when its reader is gone; a plain file refuses to be watched. */
	watch(l, fileno(s->out), 0, FROM_OUTPUT);
	return 0;
}

struct drain {
	struct session *s;
	struct err *e;
	int err;
	unsigned left;
	uint64_t until; /* ms, of the monotonic clock */
	uint64_t stop;	/* position in the ring */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Reading the clock for each of a million small records would cost more than a few of them. */
static bool is_over(const struct drain *d, const void *data)
{
	bool look = d->left % RECORDS_PER_LOOK == 0 || event_is_long(d->s, data);

	return !d->left || d->s->ring.seen >= d->stop || (look && now_ms() >= d->until);
}

static bool on_record(void *arg, const void *data, uint32_t len)
{
	struct drain *d = arg;

	if (!d->s->deaf)
		d->err = event_handle(d->s, data, len, d->e);
	d->left--;
	return !d->err && !d->s->write_err && !is_over(d, data);
}

static void read_records(struct session *s,
			 bool (*fn)(void *arg, const void *data, uint32_t len), void *arg)
{
	if (s->loaded.vm)
		engine_ring_read(&s->loaded, s->loaded.maps[KMAP_RING], fn, arg);
	else
		ring_read(&s->ring, fn, arg);
}

static bool has_records(const struct session *s)
{
	return s->loaded.vm ? engine_ring_pending(&s->loaded, s->loaded.maps[KMAP_RING])
			    : ring_pending(&s->ring) > 0;
}

/* Handles at most n records, for at most ms milliseconds or one record. */
static int read_ring(struct session *s, unsigned n, unsigned ms, struct err *e)
{
	struct drain d = { s, e, 0, n, now_ms() + ms, UINT64_MAX };

	if (s->watch) {
		/* What later records need to be named is not known yet. */
		d.stop = s->loaded.vm || !s->plan->uses_ring
				 ? UINT64_MAX
				 : s->ring.seen + ring_pending(&s->ring);
		procwatch_read(s->watch);
	}
	if (!s->plan->uses_ring || s->write_err)
		return 0;
	read_records(s, on_record, &d);
	if (s->opt.buffering == BUFFER_LINE && fflush(s->out) && !s->write_err)
		s->write_err = -errno;
	return d.err;
}

static bool count_record(void *arg, const void *data, uint32_t len)
{
	(void)data, (void)len;
	++*(uint64_t *)arg;
	return true;
}

/*
 * A commit that wakes us costs the traced process twice what the rest of the event does.  So
 * while records come at more than one per millisecond, nobody wakes us: we look by ourselves.
 */
static void stay_awake(struct loop *l, struct session *s, bool awake)
{
	struct epoll_event ev = { .events = awake ? 0 : EPOLLIN, .data.u32 = FROM_RING };

	s->ring.awake = awake;
	l->idle = 0;
	epoll_ctl(l->poll, EPOLL_CTL_MOD, s->ring.fd, &ev);
}

static int on_ring(struct loop *l, struct session *s, struct err *e)
{
	uint64_t now = now_ms();

	if (now == l->woken)
		stay_awake(l, s, true);
	l->woken = now;
	return read_ring(s, RECORDS_AT_ONCE, SLICE_MS, e);
}

/* The look of one who stays awake; after some in vain the kernel shall wake us again. */
static int look_again(struct loop *l, struct session *s, struct err *e)
{
	uint64_t before = s->ring.seen;
	int err;

	s->ring.awake = l->idle < NAPS_IDLE;
	err = read_ring(s, RECORDS_AT_ONCE, SLICE_MS, e);
	if (!s->ring.awake)
		stay_awake(l, s, false);
	else
		l->idle = s->ring.seen == before ? l->idle + 1 : 0;
	return err;
}

/*
 * How long to wait for what happens: not at all while much of the ring is still to be read. A
 * record that is not committed holds back those behind it, and is waited for.
 */
static int wait_ms(const struct loop *l, const struct session *s)
{
	if (s->ring.awake)
		return !l->idle && ring_pending(&s->ring) > s->ring.size / 4 ? 0 : NAP_MS;
	if (l->look_ms)
		return l->look_ms;
	return s->plan->counters.len ? WAKE_MS : -1;
}

/*
 * What a process maps shall be known while it lives. To be woken by each record would slow its
 * children down, when they are many: they are looked at, less often while nothing comes.
 */
static void look_at_processes(struct loop *l, struct session *s)
{
	bool any = procwatch_read(s->watch);

	if (any && l->look_ms)
		l->look_ms = LOOK_MS;
	else if (l->look_ms < LOOK_MAX_MS)
		l->look_ms *= 2;
}

int loop_drain(struct session *s, struct err *e)
{
	int err = read_ring(s, UINT_MAX, DRAIN_MS, e);

	/* What could not be shown in time is lost, and said to be. */
	if (!err && s->plan->uses_ring && !s->write_err && !s->deaf)
		read_records(s, count_record, &s->counters.unread);
	events_obey_exit(s);
	return err ? err : packets_read(s->packets, e);
}

static void forgive(int signo)
{
	(void)signo; /* what it asks for is being done */
}

/*
 * Takes the signals that came so far; the next one is fatal. When none came, the session ends
 * by itself, and a first one asks for nothing else: it must not cost the maps that are being
 * printed.
 */
static bool take_signals(struct loop *l)
{
	struct sigaction once = { .sa_handler = forgive,
				  .sa_flags = SA_RESETHAND | SA_RESTART };
	struct signalfd_siginfo info;
	sigset_t set;

	while (read(l->signals, &info, sizeof(info)) == sizeof(info))
		l->signalled = true;
	ending_signals(&set);
	for (int signo = 1; signo < NSIG && !l->signalled; signo++) {
		if (sigismember(&set, signo) == 1)
			sigaction(signo, &once, NULL);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return l->signalled;
}

void loop_close(struct loop *l)
{
	if (l->poll >= 0)
		close(l->poll);
	if (l->signals >= 0) {
		take_signals(l);
		close(l->signals);
	}
	if (l->user_signal >= 0)
		close(l->user_signal);
	if (l->every >= 0)
		close(l->every);
	walk_stop(&l->walk);
	vec_each(t, &l->timers)
		close(t->fd);
	vec_free(&l->timers);
	*l = LOOP_CLOSED;
}

/* All maps, behind what was sent so far. */
static int show_maps(struct session *s, int (*print)(struct session *s, struct err *e),
		     struct err *e)
{
	int err = read_ring(s, RECORDS_AT_ONCE, SLICE_MS, e);

	if (err || s->deaf)
		return err;
	err = print(s, e);
	if (s->opt.buffering == BUFFER_LINE && fflush(s->out) && !s->write_err)
		s->write_err = -errno;
	return err;
}

/*
 * Runs the programs of self:signal once for each time that it came.  Without such programs the
 * signal has all maps printed, as up to bpftrace 0.21.
 */
static int on_user_signal(struct loop *l, struct session *s, struct err *e)
{
	struct signalfd_siginfo info;
	int err = 0;

	while (!err && read(l->user_signal, &info, sizeof(info)) == sizeof(info))
		err = plan_has(s->plan, PROG_SIGNAL)
			      ? attach_run(s->plan, &s->loaded, PROG_SIGNAL, e)
			      : show_maps(s, maps_print_all, e);
	return err;
}

int loop_walk(struct loop *l, struct session *s, struct err *e)
{
	int err = s->links.walks.len ? walk_start(&l->walk, &s->links, e) : 0;

	/* Of what was pinned others ask: with nothing else to walk through, that was all. */
	s->ending |= s->links.pinned.len && !s->links.walks.len;

	if (err || l->walk.fd < 0)
		return err;
	err = watch(l, l->walk.fd, EPOLLIN, FROM_WALK);
	return err ? err_set(e, err, "wait for events") : 0;
}

/* Turns that were missed are not made up for. */
static int on_every(const struct loop *l, struct session *s, struct err *e)
{
	uint64_t turns;

	if (read(l->every, &turns, sizeof(turns)) != sizeof(turns))
		return 0;
	return show_maps(s, maps_print_round, e);
}

static int dispatch(struct loop *l, struct session *s, enum wakeup from, struct err *e)
{
	switch (from) {
	case FROM_SIGNALS: s->ending |= take_signals(l); break;
	case FROM_USER_SIGNAL: return on_user_signal(l, s, e);
	case FROM_RING: return on_ring(l, s, e);
	case FROM_PROCESS: s->ending = true; break;
	case FROM_OUTPUT: s->write_err = s->write_err ? s->write_err : -EPIPE; break;
	case FROM_WATCH: procwatch_read(s->watch); break;
	case FROM_WALK: s->ending = true; return walk_result(&l->walk, e);
	case FROM_EVERY: return on_every(l, s, e);
	case FROM_PACKETS: break; /* read in each turn */
	case NSOURCES: break;
	}
	return 0;
}

int loop_run(struct loop *l, struct session *s, struct err *e)
{
	struct epoll_event ready[NSOURCES];
	int err = 0;

	while (!err && !s->ending && !s->write_err) {
		/* Nobody wakes us for what our own programs sent. */
		if (s->loaded.vm)
			err = read_ring(s, RECORDS_AT_ONCE, SLICE_MS, e);
		bool more = s->loaded.vm && s->plan->uses_ring && has_records(s);
		if (s->loaded.vm && !more)
			events_obey_exit(s);
		if (err || s->ending)
			break;
		int n = epoll_wait(l->poll, ready, NSOURCES, more ? 0 : wait_ms(l, s));

		if (n < 0 && errno != EINTR)
			return err_set(e, -errno, "wait for events");
		for (int i = 0; i < n && !err; i++)
			err = ready[i].data.u32 < NSOURCES
				      ? dispatch(l, s, ready[i].data.u32, e)
				      : on_timer(l, s, ready[i].data.u32 - NSOURCES, e);
		if (!err && s->ring.awake)
			err = look_again(l, s, e);
		if (!s->plan->uses_ring || !has_records(s))
			events_obey_exit(s);
		counters_poll(s, false);
		if (s->watch && (s->unwind || l->look_ms))
			look_at_processes(l, s); /* libraries that were loaded meanwhile */
		if (!err)
			err = packets_read(s->packets, e);
	}
	return err;
}
