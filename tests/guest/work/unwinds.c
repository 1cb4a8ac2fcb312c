/*
 * unwinds N [MS [WAIT]]: stacks of known functions that no frame pointer leads through.
 *
 * Waits WAIT milliseconds (500), or for a line in the FIFO of that name, then calls
 * unwind_probe() N times each from the bottom of: recursion (20 deep), a comparison of libc's
 * qsort, a function with alloca(), one whose stack is realigned, a signal's handler.  Then
 * spends MS milliseconds of its own time in spin_inner().
 */
#include "work.h"

#include <alloca.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STAY __attribute__((noinline, noclone, noipa))

enum { WAIT_US = 500000 };

static const char usage[] = "unwinds N [MS [WAIT]]";
static volatile int sink;

/* What follows a call keeps it from being a jump. */
#define AFTER (sink++)

STAY void unwind_probe(int kind)
{
	sink = kind;
}

STAY int recurse(int n)
{
	if (n)
		recurse(n - 1);
	else
		unwind_probe(1);
	return AFTER;
}

STAY int compare(const void *a, const void *b)
{
	unwind_probe(2);
	AFTER;
	return *(const int *)a - *(const int *)b;
}

STAY int sort(void)
{
	int two[] = { 2, 1 };

	qsort(two, 2, sizeof(*two), compare);
	return two[0] + AFTER;
}

STAY int with_alloca(int n)
{
	char *p = alloca((size_t)n);

	p[n - 1] = 1;
	sink = p[n / 2];
	unwind_probe(3);
	return p[n - 1] + AFTER;
}

STAY int realigned(int n)
{
	char aligned[64] __attribute__((aligned(64)));
	char *p = alloca((size_t)n);

	aligned[n % 64] = p[0] = 1;
	sink = (int)((unsigned long)aligned % 64);
	unwind_probe(4);
	return aligned[n % 64] + p[0] + AFTER;
}

STAY void handler(int signo)
{
	(void)signo;
	unwind_probe(5);
	AFTER;
}

STAY int raises(void)
{
	kill(getpid(), SIGUSR1);
	return AFTER;
}

STAY int all(void)
{
	recurse(20);
	sort();
	with_alloca(1000);
	realigned(100);
	raises();
	return AFTER;
}

STAY int spin_inner(int n)
{
	while (n--)
		sink += n;
	return AFTER;
}

STAY int spin(long ms)
{
	clock_t end = clock() + ms * (CLOCKS_PER_SEC / 1000);

	while (clock() < end)
		spin_inner(100000);
	return AFTER;
}

int main(int argc, char **argv)
{
	signal(SIGUSR1, handler);
	if (argc > 3)
		work_wait(argc, argv, 3, usage);
	else
		usleep(WAIT_US);
	for (long n = work_number(argc, argv, 1, usage); n; n--)
		all();
	if (argc > 2)
		spin(work_number(argc, argv, 2, usage));
	return AFTER < 0;
}
