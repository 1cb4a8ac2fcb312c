/*
 * late LIBRARY N [WAIT]: calls a function of a library that is loaded while the program runs.
 *
 * Waits WAIT milliseconds (500), loads LIBRARY, waits again, and has its late_run() call
 * late_probe() N times.  With SHARED defined this is that library.
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
#include <unistd.h>

enum { WAIT_MS = 500 };

STAY void late_probe(void)
{
	sink++;
}

int main(int argc, char **argv)
{
	static const char usage[] = "late LIBRARY N [WAIT]";
	long n = work_number(argc, argv, 2, usage);
	useconds_t wait =
		1000 * (useconds_t)(argc > 3 ? work_number(argc, argv, 3, usage) : WAIT_MS);

	usleep(wait);
	void *library = dlopen(argv[1], RTLD_NOW);
	int (*run)(void (*fn)(void), long n) = library ? dlsym(library, "late_run") : NULL;
	if (!run)
		errx(1, "%s", dlerror());
	usleep(wait);
	run(late_probe, n);
	return sink < n;
}

#endif
