/*
 * busy user|kernel MS [cpu]: keeps a CPU busy for MS milliseconds, computing or filling random
 * bytes; with cpu, milliseconds of its own processor time, however long that takes.
 */
#include "work.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static double now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void compute(void)
{
	for (volatile int i = 0; i < 100000; i++)
		;
}

static void ask_kernel(void)
{
	static char buf[1 << 16];

	if (getrandom(buf, sizeof(buf), 0) < 0)
		err(1, "getrandom");
}

int main(int argc, char **argv)
{
	const char *usage = "busy user|kernel MS [cpu]";
	double ms = (double)work_number(argc, argv, 2, usage);
	clockid_t clock = argc > 3 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
	double end = now_ms(clock) + ms;
	void (*work)(void) = strcmp(argv[1], "kernel") ? compute : ask_kernel;

	while (now_ms(clock) < end)
		work();
	return 0;
}
