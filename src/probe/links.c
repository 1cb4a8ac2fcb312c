#include "probe/links.h"

#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "kernel/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void links_reserve(size_t n)
{
	enum { OTHER_FILES = 64 };

	proc_allow_files(2 * n + OTHER_FILES);
}

void links_add_link(struct links *links, int link, bool is_slow)
{
	vec_push(NULL, &links->list, (struct link){ .event = -1, link, is_slow });
}

void links_add_walk(struct links *links, int iter)
{
	vec_push(NULL, &links->walks, iter);
}

void links_add_pin(struct links *links, const struct target *t)
{
	vec_push(NULL, &links->pinned, t);
}

int links_add_event(struct links *links, const struct group *g, size_t index, int event,
		    int prog_fd, bool is_slow)
{
	int link = kbpf_link_perf(prog_fd, event, index);

	if (link == -EINVAL && !g->has_cookie && !perf_set_prog(event, prog_fd))
		link = -1; /* before 5.15 the event itself holds the program */
	else if (link < 0) {
		close(event);
		return link;
	}
	vec_push(NULL, &links->list, (struct link){ event, link, is_slow });
	return 0;
}

int links_skip(struct links *links, const struct target *t, int err)
{
	vec_push(NULL, &links->skipped, (struct link_skip){ t, err });
	return t->from_wildcard ? 0 : err;
}

int links_check(const struct links *links, size_t before, const struct err *e)
{
	return links->list.len == before ? e->code : 0;
}

/* The session takes these signals as files, so until it listens they only wait. */
static bool is_interrupted(void)
{
	sigset_t set;

	return !sigpending(&set) && (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
				     sigismember(&set, SIGHUP));
}

int links_attach_each(struct probe_env *env, const struct group *g, int pmu, int prog_fd,
		      int (*attach)(struct probe_env *env, const struct group *g, size_t index,
				    int pmu, int prog_fd, struct links *out),
		      int (*fail)(const struct target *t, int err, struct err *e),
		      struct links *out, struct err *e)
{
	size_t before = out->list.len;

	links_reserve(before + g->targets.len);
	for (size_t i = 0; i < g->targets.len; i++) {
		const struct target *t = g->targets.data[i];
		int err = attach(env, g, i, pmu, prog_fd, out);

		if (is_interrupted())
			return err_set(e, -EINTR, "stopped when %zu of %zu were attached: %s",
				       i + 1, g->targets.len, g->targets.data[0]->name);
		if (!err)
			continue;
		fail(t, err, e);
		if (links_skip(out, t, err))
			return err;
	}
	return links_check(out, before, e);
}

/* Releases the program: with the link; without one, with the event. */
static void release_prog(struct link *l)
{
	int *fd = l->link >= 0 ? &l->link : &l->event;

	close(*fd);
	*fd = -1;
}

static void release_rest(struct link *l)
{
	if (l->link >= 0)
		close(l->link);
	if (l->event >= 0)
		close(l->event);
}

struct share {
	struct link *list;
	size_t n, step;
};

static void *release_share(void *arg)
{
	const struct share *s = arg;

	for (size_t i = 0; i < s->n; i += s->step)
		release_prog(&s->list[i]);
	return NULL;
}

/* Waits of several threads for a grace period are one wait. */
static void release_progs(struct link *list, size_t n)
{
	enum { THREADS = 64, STACK = 64 << 10 };
	pthread_t threads[THREADS];
	struct share shares[THREADS];
	pthread_attr_t attr;
	size_t nthreads = n < THREADS ? n : THREADS;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (size_t i = 0; i < nthreads; i++) {
		shares[i] = (struct share){ list + i, n - i, nthreads };
		if (pthread_create(&threads[i], &attr, release_share, &shares[i])) {
			release_share(&shares[i]);
			threads[i] = pthread_self();
		}
	}
	for (size_t i = 0; i < nthreads; i++)
		if (!pthread_equal(threads[i], pthread_self()))
			pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
}

static int compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void close_span(int first, int last)
{
	if (first > last || !close_range((unsigned)first, (unsigned)last, 0))
		return;
	for (int fd = first; fd <= last && fd < 1 << 16; fd++)
		close(fd);
}

/* Closes all descriptors but those in list and done, so that nobody waits for ours. */
static void close_others(const struct link *list, size_t n, int done)
{
	int *keep = xcalloc(2 * n + 1, sizeof(*keep));
	size_t nkeep = 0;
	int next = 0;

	keep[nkeep++] = done;
	for (size_t i = 0; i < n; i++) {
		if (list[i].event >= 0)
			keep[nkeep++] = list[i].event;
		if (list[i].link >= 0)
			keep[nkeep++] = list[i].link;
	}
	qsort(keep, nkeep, sizeof(*keep), compare_int);
	for (size_t i = 0; i < nkeep; i++) {
		close_span(next, keep[i] - 1);
		next = keep[i] + 1;
	}
	close_span(next, INT32_MAX);
	free(keep);
}

/* The child: nobody's session, nobody's directory, nobody's files. */
static _Noreturn void run_child(struct link *list, size_t n, int done)
{
	/* The caller waits for its child only, not for the one that does the work. */
	if (fork())
		_exit(0);
	setsid();
	if (chdir("/"))
		_exit(1);
	close_others(list, n, done);
	release_progs(list, n);
	close(done);
	for (size_t i = 0; i < n; i++)
		release_rest(&list[i]);
	_exit(0);
}

/* Returns false when there can be no child. */
static bool hand_over(struct link *list, size_t n)
{
	enum { PATIENCE_MS = 500 };
	struct pollfd wait = { .events = POLLIN };
	int done[2];
	pid_t pid;

	if (pipe2(done, O_CLOEXEC))
		return false;
	pid = fork();
	if (!pid)
		run_child(list, n, done[1]);
	close(done[1]);
	if (pid > 0) {
		for (size_t i = 0; i < n; i++)
			release_rest(&list[i]);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		wait.fd = done[0];
		poll(&wait, 1, PATIENCE_MS);
	}
	close(done[0]);
	return pid > 0;
}

void links_unwatch(struct links *links, uint64_t addr)
{
	size_t kept = 0;

	vec_each(l, &links->list) {
		/* Failed ones may succeed now. */
		bool failed = l->event < 0;

		if (!l->watched || (l->watch_addr != addr && !failed)) {
			links->list.data[kept++] = *l;
			continue;
		}
		release_prog(l);
		release_rest(l);
	}
	links->list.len = kept;
}

void links_detach(struct links *links)
{
	size_t nslow = 0;

	vec_each(l, &links->list) {
		if (l->is_slow)
			links->list.data[nslow++] = *l;
		else
			release_rest(l);
	}
	if (nslow && !hand_over(links->list.data, nslow))
		for (size_t i = 0; i < nslow; i++)
			release_rest(&links->list.data[i]);
	vec_free(&links->list);
	vec_each(iter, &links->walks)
		close(*iter);
	vec_free(&links->walks);
	vec_free(&links->pinned);
	vec_free(&links->skipped);
}
