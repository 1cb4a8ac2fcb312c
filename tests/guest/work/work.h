/*
 * work.h - what all workloads share.
 *
 * A workload does a counted thing and nothing else that a case could count by mistake: its
 * thing happens under the program's own name as comm.  Exit status 2 is a wrong command line,
 * 1 a thing that could not be done.
 */
#ifndef SCRY_WORK_H
#define SCRY_WORK_H

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Argument i as a number; ends the program when there is none. */
static inline long work_number(int argc, char **argv, int i, const char *usage)
{
	char *end;
	long n = i < argc ? strtol(argv[i], &end, 0) : -1;

	if (n < 0 || *end)
		errx(2, "usage: %s", usage);
	return n;
}

/* Argument i as milliseconds to wait, or as a FIFO in which a line is waited for. */
static inline void work_wait(int argc, char **argv, int i, const char *usage)
{
	char line[2];

	if (i >= argc || argv[i][0] != '/') {
		usleep(1000 * (useconds_t)work_number(argc, argv, i, usage));
		return;
	}
	int fd = open(argv[i], O_RDONLY);
	if (fd < 0 || read(fd, line, sizeof(line)) <= 0)
		err(1, "%s", argv[i]);
	close(fd);
}

#endif
