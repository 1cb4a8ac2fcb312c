/*
 * sampling.h - programs on counting perf events: profile, interval, software, hardware.
 */
#ifndef SCRY_PROBE_SAMPLING_H
#define SCRY_PROBE_SAMPLING_H

#include "kernel/perf.h"
#include "probe/provider.h"

/* provider.shape and provider.group of them all. */
int sampling_shape(struct probe_env *env, const struct target *t, const struct group *g,
		   struct shape *out, struct err *e);
int sampling_group(struct probe_env *env, const struct targets *targets,
		   const struct group_wants *wants, struct groups *out, struct err *e);

/*
 * Attaches target index of the group: on every CPU, or, when env->pid is set, to the threads
 * of that process. Returns 0 or -errno with e set.
 */
int sampling_attach(struct probe_env *env, const struct group *g, size_t index,
		    const struct perf_count *count, int prog_fd, struct links *out,
		    struct err *e);
/* The same on one CPU, whatever runs there. */
int sampling_attach_cpu(const struct group *g, size_t index, const struct perf_count *count,
			unsigned cpu, int prog_fd, struct links *out, struct err *e);

#endif
