/* computes MS: uses MS milliseconds of a processor's time, and tells how many it used. */
#include "work.h"

#include <stdio.h>
#include <time.h>

static long used_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	long ms = work_number(argc, argv, 1, "computes MS");

	while (used_ms() < ms)
		for (volatile int i = 0; i < 10000; i++)
			;
	printf("%ld\n", used_ms());
	return 0;
}
