#include "session/shell.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>

static int read_all(int fd, size_t max, struct sb *out)
{
	char buf[4096];
	ssize_t n = 0;

	while (max) {
		n = read(fd, buf, max < sizeof(buf) ? max : sizeof(buf));
		if (n <= 0)
			break;
		sb_write(out, buf, (size_t)n);
		max -= (size_t)n;
	}
	return n < 0 ? -errno : 0;
}

/* A command starts with signals as they are by default, whatever the session does with its own.
 */
static int spawn_shell(const char *cmd, int out_fd, pid_t *pid)
{
	const char *argv[] = { "sh", "-c", cmd, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, defaults;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDERR_FILENO);

	int err = posix_spawn(pid, "/bin/sh", &files, &attr, (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -err;
}

int shell_run(const char *cmd, struct sb *out)
{
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;

	int err = spawn_shell(cmd, ends[1], &pid);
	close(ends[1]);
	if (!err)
		err = read_all(ends[0], SIZE_MAX, out);
	close(ends[0]);
	if (err)
		return err;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int file_head(const char *path, size_t max, struct sb *out)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_all(fd, max, out);
}
