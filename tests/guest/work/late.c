/*
 * late LIBRARY N WAIT [MS]: calls a function of a library that is loaded while the program
 * runs.
 *
 * Waits WAIT milliseconds, or for a line in the FIFO of that name, loads LIBRARY, waits MS
 * (500) milliseconds, and has its late_run() call late_probe() N times.  With SHARED defined
 * this is that library.
 */
#include "work.h"

#define STAY __attribute__((noinline, noclone, noipa))

static volatile int sink;

#ifdef SHARED

STAY int late_inner(void (*fn)(void), int by)
{
	fn();
	return sink += by;
}

STAY int late_run(void (*fn)(void), long n)
{
	for (long i = 0; i < n; i++)
		late_inner(fn, 1);
	return sink++;
}

#else

#include <dlfcn.h>

enum { BETWEEN_MS = 500 };

STAY void late_probe(void)
{
	sink++;
}

int main(int argc, char **argv)
{
	static const char usage[] = "late LIBRARY N WAIT [MS]";
	long n = work_number(argc, argv, 2, usage);
	long between = argc > 4 ? work_number(argc, argv, 4, usage) : BETWEEN_MS;

	work_wait(argc, argv, 3, usage);
	void *library = dlopen(argv[1], RTLD_NOW);
	int (*run)(void (*fn)(void), long n) = library ? dlsym(library, "late_run") : NULL;
	if (!run)
		errx(1, "%s", dlerror());
	usleep(1000 * (useconds_t)between);
	run(late_probe, n);
	return sink < n;
}

#endif
