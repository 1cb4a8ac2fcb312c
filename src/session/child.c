#include "session/child.h"

#include "base/arena.h"
#include "base/auto.h"
#include "kernel/proc.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The quote that closes the one at p, or NULL: then it is a character like others. */
static const char *closing(const char *p)
{
	char quote = *p;

	while (*++p && *p != quote)
		if (quote == '"' && *p == '\\' && p[1])
			p++;
	return *p ? p : NULL;
}

/* Takes the first word off *rest, in place and unquoted; *rest is NULL behind the last. */
static char *take_word(char **rest)
{
	char *word = *rest, *to = word;
	const char *p = word, *end = NULL;

	for (; *p && (end || *p != ' '); p++) {
		if (p == end) {
			end = NULL;
		} else if (!end && (*p == '\'' || *p == '"') && closing(p)) {
			end = closing(p);
		} else {
			if (end && *end == '"' && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
				p++;
			*to++ = *p;
		}
	}
	*rest = *p ? word + (p - word) + 1 : NULL;
	*to = '\0';
	return word;
}

/*
 * The command's words, split at each single space outside quotes; words and list are one block
 * to free().
 */
static char **split_words(const char *cmd)
{
	size_t len = strlen(cmd), n = 1;

	for (const char *p = cmd; *p; p++)
		n += *p == ' ';

	char **argv = xcalloc(1, (n + 1) * sizeof(*argv) + len + 1);
	char *rest = memcpy(argv + n + 1, cmd, len + 1);
	for (size_t i = 0; rest; i++)
		argv[i] = take_word(&rest);
	return argv;
}

static bool is_executable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* Puts the path of the program that execvp would run into buf. */
static bool find_program(const char *name, char *buf, size_t size)
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(buf, size, "%s", name);
		return is_executable(buf);
	}
	if (!*name)
		return false;
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; dirs;) {
		size_t len = strcspn(dirs, ":");

		snprintf(buf, size, "%.*s/%s", len ? (int)len : 1, len ? dirs : ".", name);
		if (is_executable(buf))
			return true;
		dirs = dirs[len] ? dirs + len + 1 : NULL;
	}
	return false;
}

/* In the child: waits for the gate, then becomes the command. Only async-signal-safe calls. */
static _Noreturn void run_command(int gate, const char *path, char **argv)
{
	sigset_t none;
	char go;

	/* Signals as a command expects them, whatever scry does with its own. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);

	if (read(gate, &go, 1) != 1)
		_exit(0);
	execv(path, argv);
	int code = errno;
	_exit(write(gate, &code, sizeof(code)) < 0 ? 126 : 127);
}

int child_start(struct child *c, const char *cmd, struct err *e)
{
	auto_free char **argv = split_words(cmd);
	char path[PATH_MAX];
	int ends[2];

	*c = CHILD_NONE;
	if (!find_program(argv[0], path, sizeof(path)))
		return err_set(e, -ENOENT, "-c: '%s' does not exist or is not executable",
			       argv[0]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(e, -errno, "-c: make a socket pair");

	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		run_command(ends[1], path, argv);
	}
	int code = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (code) {
		close(ends[0]);
		return err_set(e, code, "-c: start a process for '%s'", argv[0]);
	}
	*c = (struct child){
		.pid = pid,
		.pidfd = pidfd_open_pid(pid),
		.gate = ends[0],
		.ours = true,
		.program = xstrdup(path),
	};
	if (c->pidfd < 0) {
		code = err_set(e, c->pidfd, "-c: watch process %d", pid);
		child_end(c);
	}
	return code;
}

int child_watch(struct child *c, pid_t pid, struct err *e)
{
	int fd = pidfd_open_pid(pid);

	*c = CHILD_NONE;
	if (fd == -ESRCH)
		return err_set(e, fd, "-p: there is no process %d", pid);
	if (fd == -EINVAL || fd == -ENOENT)
		return err_set(e, fd, "-p: %d is a thread, not a process", pid);
	if (fd < 0)
		return err_set(e, fd, "-p: watch process %d", pid);
	c->pid = pid;
	c->pidfd = fd;
	return 0;
}

int child_release(struct child *c, struct err *e)
{
	int code = 0;

	if (c->gate < 0)
		return 0;
	/* The socket closes when the command is executed, or brings the errno of why not. */
	if (send(c->gate, "", 1, MSG_NOSIGNAL) == 1 &&
	    read(c->gate, &code, sizeof(code)) != sizeof(code))
		code = 0;
	close(c->gate);
	c->gate = -1;
	return code ? err_set(e, -code, "-c: execute the command") : 0;
}

void child_end(struct child *c)
{
	if (c->gate >= 0)
		close(c->gate);
	if (c->ours && c->pid) {
		/* Not reaped yet, so that the pid cannot be somebody else's by now. */
		kill(c->pid, SIGTERM);
		waitpid(c->pid, NULL, WNOHANG);
	}
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c->program);
	*c = CHILD_NONE;
}
