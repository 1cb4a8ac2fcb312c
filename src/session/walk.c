#include "session/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* -EAGAIN: the kernel takes a breath after a million objects. */
static int read_all(int iter)
{
	char text[4096];
	ssize_t n;

	do {
		n = read(iter, text, sizeof(text));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	return n < 0 ? -errno : 0;
}

static _Noreturn void run_walker(const struct links *links, int done)
{
	int err = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < links->walks.len && !err; i++)
		err = read_all(links->walks.data[i]);
	_exit(write(done, &err, sizeof(err)) != sizeof(err));
}

int walk_start(struct walk *w, const struct links *links, struct err *e)
{
	int done[2];

	if (pipe2(done, O_CLOEXEC))
		return err_set(e, -errno, "start the walk of iter probes");
	w->pid = fork();
	if (!w->pid)
		run_walker(links, done[1]);
	close(done[1]);
	w->fd = done[0];
	return w->pid < 0 ? err_set(e, -errno, "start the walk of iter probes") : 0;
}

int walk_result(const struct walk *w, struct err *e)
{
	int err = -EINTR; /* the walker said nothing: somebody killed it */

	if (read(w->fd, &err, sizeof(err)) < 0)
		err = -errno;
	return err ? err_set(e, err, "walk through iter probes") : 0;
}

void walk_stop(struct walk *w)
{
	if (w->fd < 0)
		return;
	close(w->fd);
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	*w = WALK_NONE;
}
