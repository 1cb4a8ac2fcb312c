#include "object/prints.h"

#include "base/auto.h"
#include "kernel/tracefs.h"
#include "probe/provider.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for the other end of the pipe to be closed, then removes the instance. */
static _Noreturn void keep(const struct tracefs *fs, const char *dir, int fd)
{
	char c;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	/* Held open by us, whoever reads the output would wait for us. */
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	close(STDIN_FILENO);
	while (read(fd, &c, 1) < 0 && errno == EINTR)
		;
	/* The pipe of the instance is closed a moment after ours. */
	for (int i = 0; tracefs_remove(fs, dir) == -EBUSY && i < 100; i++)
		usleep(10000);
	_exit(0);
}

static int start_keeper(struct prints *p, const struct tracefs *fs, const char *dir)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid_t pid = fork();
	if (!pid) {
		close(ends[1]);
		if (fork())
			_exit(0);
		keep(fs, dir, ends[0]);
	}
	close(ends[0]);
	p->keeper = ends[1];
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid < 0 ? -errno : 0;
}

int prints_open(struct prints *p, struct err *e)
{
	struct tracefs *fs = tracefs_open(e);
	char dir[64], path[128];

	*p = PRINTS_CLOSED;
	if (!fs)
		return e->code;
	snprintf(dir, sizeof(dir), "instances/scry-%d", (int)getpid());
	int err = tracefs_make(fs, dir);
	if (!err)
		err = start_keeper(p, fs, dir);
	snprintf(path, sizeof(path), "%s/events/bpf_trace/bpf_trace_printk/enable", dir);
	if (!err)
		err = tracefs_write(fs, path, "1");
	snprintf(path, sizeof(path), "%s/trace_pipe", dir);
	if (!err) {
		p->pipe = tracefs_open_stream(fs, path);
		err = p->pipe < 0 ? p->pipe : 0;
	}
	tracefs_close(fs);
	return err ? err_set(e, err, "make a trace instance for bpf_trace_printk()") : 0;
}

void prints_close(struct prints *p)
{
	if (p->pipe >= 0)
		close(p->pipe);
	if (p->keeper >= 0)
		close(p->keeper);
	sb_free(&p->rest);
	*p = PRINTS_CLOSED;
}

/* The text of "  comm-1 [000] ..... 12.3: bpf_trace_printk: text". */
static const char *text_of(const char *line)
{
	static const char mark[] = "bpf_trace_printk: ";
	const char *s = strstr(line, mark);

	return s ? s + strlen(mark) : NULL;
}

static bool fits(const char *text, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (wildcard_match(patterns[i], text))
			return true;
	return false;
}

void prints_read(struct prints *p, const char *const *patterns, size_t n,
		 void (*line)(void *arg, const char *text, size_t len), void *arg)
{
	char buf[16 << 10], *start, *end;
	ssize_t got;

	while ((got = read(p->pipe, buf, sizeof(buf))) > 0)
		sb_write(&p->rest, buf, (size_t)got);
	/* Without anything new there is no whole line, and behind rest.len lie old ones. */
	start = p->rest.len ? p->rest.s : NULL;
	for (; start && (end = strchr(start, '\n')); start = end + 1) {
		*end = '\0';
		const char *text = text_of(start);
		if (text && fits(text, patterns, n))
			line(arg, text, strlen(text));
	}
	size_t left = start ? strlen(start) : 0;
	if (left)
		memmove(p->rest.s, start, left + 1);
	p->rest.len = left;
}
