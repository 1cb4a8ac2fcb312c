#include "cli/clang.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define TARGET_ARCH "-D__TARGET_ARCH_x86"
#define MULTIARCH   "-I/usr/include/x86_64-linux-gnu"
#elif defined(__aarch64__)
#define TARGET_ARCH "-D__TARGET_ARCH_arm64"
#define MULTIARCH   "-I/usr/include/aarch64-linux-gnu"
#else
#define TARGET_ARCH "-D__TARGET_ARCH_unknown"
#define MULTIARCH   "-I/usr/include"
#endif

/* Starts it with its output at the other end of *out; -errno. */
static int start(const char *path, pid_t *pid, int *out)
{
	const char *const args[] = { "clang",	"-O2", "-g", "-target", "bpf", TARGET_ARCH,
				     MULTIARCH, "-c",  "-o", "-",	path,  NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int err = -posix_spawnp(pid, "clang", &actions, NULL, (char *const *)args, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (err)
		close(ends[0]);
	else
		*out = ends[0];
	return err;
}

static int read_all(int fd, struct sb *out)
{
	char buf[16384];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			sb_write(out, buf, (size_t)n);
	return n < 0 ? -errno : 0;
}

int clang_compile(const char *path, struct sb *object, struct err *e)
{
	auto_close int out = -1;
	pid_t pid;
	int status, err = start(path, &pid, &out);

	if (err == -ENOENT) {
		err_set(e, err, "cannot import '%s': there is no clang to compile it", path);
		return err_hint(e, "install clang, or compile it where there is one: clang -O2 "
				   "-g -target bpf -c FILE.bpf.c -o FILE.bpf.o");
	}
	if (err)
		return err_set(e, err, "cannot start clang for '%s'", path);
	err = read_all(out, object);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err)
		return err_set(e, err, "cannot read what clang makes of '%s'", path);
	if (status)
		return err_set(e, -EINVAL, "cannot import '%s': clang refuses it", path);
	return 0;
}
