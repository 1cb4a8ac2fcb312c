/*
 * perf.h - perf events as places to attach BPF programs to.
 *
 * Functions return a descriptor or -errno.  Events are opened switched on, but with nothing to
 * do until a program is attached.
 */
#ifndef SCRY_KERNEL_PERF_H
#define SCRY_KERNEL_PERF_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A tracepoint by its tracefs id. Its program runs on every CPU. */
int perf_open_tracepoint(uint64_t id);

#define PERF_PMU_PATH "/sys/bus/event_source/devices/"

/* Number of a dynamic perf event source ("kprobe", "uprobe"), or -errno. */
int perf_pmu_type(const char *name);

struct perf_kprobe {
	int pmu;	    /* perf_pmu_type("kprobe") */
	const char *symbol; /* "f", "module:f"; NULL: addr */
	uint64_t addr;
	uint64_t offset; /* from symbol */
	bool is_ret;
};
/* Its program runs on every CPU. -ENOENT: no such function; -EINVAL: it cannot be probed. */
int perf_open_kprobe(const struct perf_kprobe *k);

struct perf_uprobe {
	int pmu; /* perf_pmu_type("uprobe") */
	const char *path;
	uint64_t offset;   /* of the instruction in the file */
	uint64_t refcount; /* offset of a 16-bit counter of users in the file, or 0 */
	bool is_ret;
	pid_t pid; /* 0: all processes */
};
/* -EINVAL: not in executable code; -EOPNOTSUPP, -ENOTSUP: an instruction that cannot be probed.
 */
int perf_open_uprobe(const struct perf_uprobe *u);

/* A counting event that fires every period counts (for cpu-clock: ns), or so often a second. */
struct perf_count {
	uint32_t type;	 /* PERF_TYPE_... */
	uint64_t config; /* PERF_COUNT_... */
	uint64_t period; /* either */
	uint64_t freq;	 /* or */
	bool from_exec;	 /* of a thread: not before it executes a program */
	/* PERF_TYPE_BREAKPOINT */
	uint64_t addr;
	uint32_t len, access; /* bytes, HW_BREAKPOINT_... */
};
/* What the kernel is asked for; see perf_event_open(2). */
struct perf_event_attr perf_count_attr(const struct perf_count *c);
/* On one CPU, whatever runs there. */
int perf_open_cpu(const struct perf_count *c, unsigned cpu);
/* For one thread wherever it runs, and for the threads that it will start. */
int perf_open_thread(const struct perf_count *c, pid_t tid);

/*
 * Records of what processes map as code, execute and fork, on one CPU; pid 0: of all processes,
 * else of that one and its children to come. Each record ends in its time (CLOCK_MONOTONIC).
 * The descriptor, once mapped, polls readable when wakeup bytes are waiting.
 */
int perf_open_mappings(pid_t pid, unsigned cpu, uint32_t wakeup);

/*
 * Records that programs write on one CPU, by way of the element of that CPU in a
 * BPF_MAP_TYPE_PERF_EVENT_ARRAY. The descriptor, once mapped, polls readable when wakeup bytes
 * are waiting.
 */
int perf_open_output(unsigned cpu, uint32_t wakeup);

/*
 * Attaches a program for as long as the event is open. Where there are links (5.15), use
 * kbpf_link_perf() instead: it carries a cookie and can be released before the event.
 */
int perf_set_prog(int perf_fd, int prog_fd);

#endif
