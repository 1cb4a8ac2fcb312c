/*
 * storm COUNT SPAWNERS PROGRAM [ARG]...: runs a program COUNT times, SPAWNERS of them at a
 * time, as fast as the kernel makes processes, and says "PROCESSES in MS ms, RATE /s".
 */
#include "work.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The child borrows the parent's memory until it executes: nothing is copied for it. */
static void spawn(char **argv)
{
	static char *const none[] = { NULL };
	int status;
	pid_t pid = vfork();

	if (!pid) {
		execve(argv[0], argv, none);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "%s: did not end well", argv[0]);
}

int main(int argc, char **argv)
{
	const char *usage = "storm COUNT SPAWNERS PROGRAM [ARG]...";
	long count = work_number(argc, argv, 1, usage);
	long spawners = work_number(argc, argv, 2, usage);
	double start = now();

	if (argc < 4 || spawners < 1)
		errx(2, "usage: %s", usage);
	for (long i = 0; i < spawners; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid)
			continue;
		for (long n = count / spawners + (i < count % spawners); n; n--)
			spawn(argv + 3);
		_exit(0);
	}
	for (int status; wait(&status) > 0;)
		if (status)
			return 1;

	double ms = now() - start;

	printf("%ld in %.0f ms, %.0f /s\n", count, ms, (double)count * 1e3 / ms);
	return 0;
}
