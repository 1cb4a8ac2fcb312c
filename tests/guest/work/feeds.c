/* feeds [-t | -w] TIMES TEXT...: writes each TEXT (instructions:1000:user) to /proc/fakepmu,
 * TIMES times, under the name "feeding" and from functions with frames; with -t in a thread of
 * its own, with -w a second after its start, when the tracer knows what it has mapped.
 */
#include "work.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct feeding {
	int fd;
	long times;
	char **texts;
};

/* As libc's write() has no frame, it would hide its caller. */
static __attribute__((noinline)) void feed_one(int fd, const char *text)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(SYS_write), "D"(fd), "S"(text), "d"(strlen(text))
			 : "rcx", "r11", "memory");
	if (r < 0)
		errx(1, "write: %s", strerror((int)-r));
}

static __attribute__((noinline)) void *feed_all(void *arg)
{
	struct feeding *f = arg;

	prctl(PR_SET_NAME, "feeding");
	for (long i = 0; i < f->times; i++)
		for (char **text = f->texts; *text; text++)
			feed_one(f->fd, *text);
	prctl(PR_SET_NAME, "feeds");
	return NULL;
}

int main(int argc, char **argv)
{
	bool thread_of_its_own = argc > 1 && !strcmp(argv[1], "-t");
	bool waits = argc > 1 && !strcmp(argv[1], "-w");
	int at = thread_of_its_own || waits ? 2 : 1;
	struct feeding f = {
		.times = work_number(argc, argv, at, "feeds [-t | -w] TIMES TEXT..."),
		.texts = argv + at + 1,
		.fd = open("/proc/fakepmu", O_WRONLY),
	};
	pthread_t thread;

	if (f.fd < 0)
		err(1, "/proc/fakepmu");
	if (waits)
		sleep(1);
	if (!thread_of_its_own)
		feed_all(&f);
	else if (pthread_create(&thread, NULL, feed_all, &f) || pthread_join(thread, NULL))
		errx(1, "no thread");
	return 0;
}
