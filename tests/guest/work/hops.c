/* hops COUNT: goes from one processor to another COUNT times, under the name "hopping". */
#include "work.h"

#include <sched.h>
#include <sys/prctl.h>

static void go(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "processor %d", cpu);
}

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "hops COUNT");

	go(0);
	prctl(PR_SET_NAME, "hopping");
	for (long i = 1; i <= count; i++)
		go(i % 2);
	prctl(PR_SET_NAME, "hops");
	return 0;
}
