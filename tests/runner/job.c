#include "job.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- processes --- */

static void put_environment(const struct test *t)
{
	const char *script = case_get(t, KW_PROG);

	if (script)
		setenv("PROG", script, 1);
	vec_each(l, &t->lines)
		if (l->keyword == KW_ENV)
			putenv((char *)l->text);
}

_Noreturn static void become(const struct test *t, const char *command, int out, int err)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	put_environment(t);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Starts a command as the leader of a process group of its own. */
static pid_t start(const struct test *t, const char *command, int out, int err)
{
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		become(t, command, out, err);
	}
	setpgid(pid, pid);
	return pid;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Notes which of the job's processes have ended; their groups' stragglers end with them. */
static void reap(struct job *job)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == job->tracer) {
			job->tracer = 0;
			job->status = exit_status(status);
		} else if (pid == job->workload) {
			job->workload = 0;
			job->workload_status = exit_status(status);
			if (job->tracer)
				kill(job->tracer, SIGINT);
		} else if (pid == job->helper) {
			job->helper = 0;
			job->workload_status = exit_status(status);
		} else {
			continue;
		}
		kill(-pid, SIGKILL);
	}
}

static void kill_group(pid_t pid)
{
	if (pid && !kill(-pid, SIGKILL))
		waitpid(pid, NULL, 0);
}

/* --- what they say --- */

/* Cuts announcements out of what was said; they are whole lines. */
static void find_announcement(struct job *job, struct sb *out)
{
	static const char LINE[] = JOB_ATTACHED "\n";
	size_t len = strlen(LINE);

	for (char *at; out->len && (at = strstr(out->s, LINE));) {
		memmove(at, at + len, strlen(at + len) + 1);
		out->len -= len;
		job->attached = true;
	}
}

static void read_stream(struct job *job, enum job_stream s)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(job->fd[s], chunk, sizeof(chunk))) > 0)
		sb_write(&job->said[s], chunk, (size_t)n);
	if (!n) {
		close(job->fd[s]);
		job->fd[s] = -1;
	}
	if (s != JOB_WORK)
		find_announcement(job, &job->said[s]);
}

/* Waits until something happens and takes it in; false when the time is up. */
static bool step(struct job *job)
{
	struct pollfd p[JOB_STREAMS + 1];
	struct signalfd_siginfo info;
	double left = job->deadline - now();

	for (int s = 0; s < JOB_STREAMS; s++)
		p[s] = (struct pollfd){ .fd = job->fd[s], .events = POLLIN };
	p[JOB_STREAMS] = (struct pollfd){ .fd = job->children, .events = POLLIN };

	if (left <= 0 || poll(p, JOB_STREAMS + 1, (int)(left * 1000) + 1) == 0)
		return false;
	for (int s = 0; s < JOB_STREAMS; s++)
		if (p[s].revents)
			read_stream(job, s);
	if (p[JOB_STREAMS].revents && read(job->children, &info, sizeof(info)) > 0)
		reap(job);
	return true;
}

/* --- the course of a case --- */

static bool time_is_up(struct job *job, const char *during)
{
	sb_printf(&job->trouble, "%s: no end within %g s", during,
		  job->deadline - job->started);
	return false;
}

/* The write end of a stream; its read end is kept in the job. */
static int open_stream(struct job *job, enum job_stream s)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	job->fd[s] = ends[0];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[1];
}

static bool run_before(struct job *job, int out)
{
	vec_each(l, &job->test->lines) {
		if (l->keyword != KW_BEFORE)
			continue;
		job->helper = start(job->test, l->text, out, out);
		while (job->helper)
			if (!step(job))
				return time_is_up(job, "BEFORE");
		if (!job->workload_status)
			continue;
		sb_printf(&job->trouble, "BEFORE %s: exit status %d", l->text,
			  job->workload_status);
		return false;
	}
	return true;
}

/* PROG becomes a command that takes the script from the environment, so nothing is quoted. */
static void tracer_command(const struct test *t, struct sb *command)
{
	const char *run = case_get(t, KW_RUN);

	if (run)
		sb_puts(command, run);
	else
		sb_printf(command, "exec $SCRY %s -e \"$PROG\" %s", case_get_or(t, KW_ARGS, ""),
			  case_get_or(t, KW_PARAMS, ""));
}

static bool run_tracer(struct job *job, int out, int err, int work)
{
	const char *after = case_get(job->test, KW_AFTER);
	auto_sb struct sb command = { 0 };
	bool started = false;

	tracer_command(job->test, &command);
	job->tracer = start(job->test, sb_str(&command), out, err);
	while (job->tracer) {
		if (after && job->attached && !started) {
			started = true;
			job->workload = start(job->test, after, work, work);
		}
		if (!step(job))
			return time_is_up(job, started && !job->workload ? "after the workload"
					       : job->attached		 ? "attached"
									 : "not attached");
	}
	if (after && !started)
		sb_puts(&job->trouble, "ended before the workload could start");
	else if (job->workload_status)
		sb_printf(&job->trouble, "AFTER %s: exit status %d", after,
			  job->workload_status);
	return !job->trouble.len;
}

static bool run_stages(struct job *job)
{
	auto_close int out = open_stream(job, JOB_OUT);
	auto_close int err = open_stream(job, JOB_ERR);
	auto_close int work = open_stream(job, JOB_WORK);

	return run_before(job, work) && run_tracer(job, out, err, work);
}

bool job_run(struct job *job)
{
	sigset_t child;
	unsigned timeout = (unsigned)atoi(case_get_or(job->test, KW_TIMEOUT, "0"));

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	job->children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	job->started = now();
	timeout = timeout ? timeout : job->timeout;
	/* An emulated machine is slow, and the more so on a busy one. */
	job->deadline = job->started + (getenv("GUEST") ? 3 : 1) * timeout;

	bool ended = run_stages(job);

	kill_group(job->tracer);
	kill_group(job->workload);
	kill_group(job->helper);
	for (int s = 0; s < JOB_STREAMS; s++)
		if (job->fd[s] >= 0)
			read_stream(job, s);
	job->seconds = now() - job->started;
	return ended;
}

void job_fini(struct job *job)
{
	for (int s = 0; s < JOB_STREAMS; s++) {
		auto_close_fn(&job->fd[s]);
		sb_free(&job->said[s]);
	}
	auto_close_fn(&job->children);
	sb_free(&job->trouble);
}
