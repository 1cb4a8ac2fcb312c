/* syscalls NAME...: makes these system calls once each, past what libc makes of them. */
#include "work.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define SCRATCH "/tmp/syscalls"

static int scratch(void)
{
	int fd = open(SCRATCH, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || write(fd, "scratch", 7) != 7)
		err(1, "write %s", SCRATCH);
	return fd;
}

static long do_nanosleep(void)
{
	struct timespec t = { .tv_sec = 1, .tv_nsec = 250 * 1000 * 1000 };

	return syscall(SYS_nanosleep, &t, NULL);
}

static long do_kill(void)
{
	signal(SIGUSR1, SIG_IGN);
	return kill(getpid(), SIGUSR1);
}

static long do_open(void)
{
	return syscall(SYS_open, "/no/such/file", O_RDONLY) < 0 ? 0 : -1;
}

static long do_statfs(void)
{
	struct statfs s;

	return statfs("/tmp", &s);
}

static long do_stat(void)
{
	struct stat s;

	return syscall(SYS_stat, "/no/such/stat", &s) < 0 ? 0 : -1;
}

static long do_lstat(void)
{
	struct stat s;

	return syscall(SYS_lstat, "/etc/passwd", &s);
}

static long do_statx(void)
{
	struct statx s;

	return statx(AT_FDCWD, "/init", 0, STATX_SIZE, &s);
}

static long do_sync(void)
{
	sync();
	return 0;
}

static long do_syncfs(void)
{
	return syncfs(scratch());
}

static long do_fsync(void)
{
	return fsync(scratch());
}

static long do_fdatasync(void)
{
	return fdatasync(scratch());
}

static long do_sync_file_range(void)
{
	return sync_file_range(scratch(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

static long do_msync(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, scratch(), 0);

	return page == MAP_FAILED ? -1 : msync(page, 4096, MS_SYNC);
}

static long do_setuid(void)
{
	return setuid(0);
}

static long do_setfsuid(void)
{
	return syscall(SYS_setfsuid, 65534);
}

static long do_setresuid(void)
{
	return setresuid(0, 0, 65534);
}

static long do_unix(void)
{
	char buf[16];
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) || write(fd[0], "ping\n", 5) != 5)
		return -1;
	return read(fd[1], buf, sizeof(buf)) == 5 ? 0 : -1;
}

static const struct {
	const char *name;
	long (*make)(void);
} CALLS[] = {
	{ "nanosleep", do_nanosleep }, { "kill", do_kill },
	{ "open", do_open },	       { "statfs", do_statfs },
	{ "stat", do_stat },	       { "lstat", do_lstat },
	{ "statx", do_statx },	       { "sync", do_sync },
	{ "syncfs", do_syncfs },       { "fsync", do_fsync },
	{ "fdatasync", do_fdatasync }, { "sync_file_range", do_sync_file_range },
	{ "msync", do_msync },	       { "setuid", do_setuid },
	{ "setfsuid", do_setfsuid },   { "setresuid", do_setresuid },
	{ "unix", do_unix },
};

static void make(const char *name)
{
	for (size_t i = 0; i < sizeof(CALLS) / sizeof(*CALLS); i++) {
		if (strcmp(CALLS[i].name, name))
			continue;
		if (CALLS[i].make() < 0)
			err(1, "%s", name);
		return;
	}
	errx(2, "usage: syscalls NAME...");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		make(argv[i]);
	return 0;
}
