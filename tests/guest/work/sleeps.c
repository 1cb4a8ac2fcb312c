/* sleeps COUNT MS: sleeps COUNT times for MS milliseconds by clock_nanosleep. */
#include "work.h"

#include <time.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "sleeps COUNT MS");
	long ms = work_number(argc, argv, 2, "sleeps COUNT MS");
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (count--)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	return 0;
}
