/*
 * profile.h - the processor's counters over the runs of a BPF program.
 *
 * Two programs of our own run at the entry and at the exit of the one that is measured, on its
 * trampoline as fentry and fexit, and read the counters of the processor that it runs on.  A
 * difference holds the reading itself, too: some tens of cycles.
 */
#ifndef SCRY_OBJECT_PROFILE_H
#define SCRY_OBJECT_PROFILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_metric {
	const char *name;
	uint32_t type;	 /* PERF_TYPE_... */
	uint64_t config; /* PERF_COUNT_... */
};
/* All that there are, by bpftool's names; the last one has no name. */
extern const struct profile_metric PROFILE_METRICS[];
enum { PROFILE_METRICS_MAX = 6 };

/* Of one metric, as struct bpf_perf_event_value: nanoseconds, which differ when counters were
 * too few and took turns. */
struct profile_value {
	uint64_t value, enabled, running;
};

struct profile_result {
	uint64_t runs;
	/* Not counted: another run came in between, or they had begun before. */
	uint64_t missed;
	struct profile_value values[PROFILE_METRICS_MAX]; /* in the order of the metrics */
};

struct profile;
/*
 * Begins to measure the program behind the descriptor. Returns 0 and the profile, or -errno
 * with e set: -ENOENT when the machine has no such counter.
 */
int profile_open(int prog_fd, const struct profile_metric *const *metrics, size_t n,
		 struct profile **out, struct err *e);
/* Ends it, frees p, and gives what was counted. */
void profile_close(struct profile *p, struct profile_result *out);

#endif
