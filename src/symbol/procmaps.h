/*
 * procmaps.h - what a process has mapped: /proc/PID/maps, line by line.
 */
#ifndef SCRY_SYMBOL_PROCMAPS_H
#define SCRY_SYMBOL_PROCMAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start, end; /* addresses, end is behind the last */
	uint64_t offset;     /* of start in the file */
	uint64_t inode;	     /* 0: no file */
	uint32_t major, minor;
	bool is_code; /* executable */
	bool is_gone; /* the file was deleted or replaced since */
	/* The file as the process sees it, "[vdso]" and the like, or "". */
	const char *path;
};

/* Cuts line in place; false when it is not what the kernel writes. path points into line. */
bool procmaps_parse(char *line, struct mapping *out);
/*
 * Calls fn with each mapping, in ascending order, until it returns false; the mapping is fn's
 * during the call only. Returns 0 or -errno; a process that has ended has no mappings.
 */
int procmaps_each(pid_t pid, bool (*fn)(void *arg, const struct mapping *m), void *arg);

#endif
