/* busy user|kernel MS: keeps a CPU busy for MS milliseconds, computing or filling random bytes.
 */
#include "work.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
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
	double end = now_ms() + (double)work_number(argc, argv, 2, "busy user|kernel MS");
	void (*work)(void) = strcmp(argv[1], "kernel") ? compute : ask_kernel;

	while (now_ms() < end)
		work();
	return 0;
}
