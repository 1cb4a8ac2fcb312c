/* threads COUNT CALLS: COUNT threads, each calls getppid CALLS times. */
#include "work.h"

#include <pthread.h>
#include <unistd.h>

static void *call(void *calls)
{
	for (long i = 0; i < (long)calls; i++)
		getppid();
	return NULL;
}

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "threads COUNT CALLS");
	long calls = work_number(argc, argv, 2, "threads COUNT CALLS");

	while (count--) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, call, (void *)calls) ||
		    pthread_join(thread, NULL))
			errx(1, "pthread_create");
	}
	return 0;
}
