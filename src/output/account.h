/*
 * account.h - what a session answers for at its end: how often each probe ran, and what was
 * lost, missed, cut or failed on the way.
 *
 * All memory is the caller's. A number that nobody could count (runs without the option) is
 * left out by its has_ flag.
 */
#ifndef SCRY_OUTPUT_ACCOUNT_H
#define SCRY_OUTPUT_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* One program; a probe of several kinds of place has several. */
struct account_probe {
	const char *name;      /* its first place */
	unsigned line, col;    /* in the script; 0: scry's own */
	unsigned long nplaces; /* that it is attached to */
	bool has_runs;
	uint64_t runs;
	uint64_t missed;  /* the kernel did not run it: it, or its kprobe, was running */
	uint64_t lost;	  /* events that found the ring full */
	uint64_t no_room; /* runs that found no scratch memory and did nothing */
};

struct account_map {
	const char *name;
	uint64_t failed;  /* updates, mostly because the map was full */
	uint64_t evicted; /* entries that an LRU map gave up for new ones */
};

/* Any other thing that was counted. */
struct account_count {
	const char *name;  /* for programs: "failed_reads" */
	const char *words; /* for people: "reads of memory that failed and gave zeros" */
	uint64_t n;
	bool told; /* messages have said so already */
};

struct account {
	const struct account_probe *probes;
	unsigned nprobes;
	const struct account_map *maps;
	unsigned nmaps;
	const struct account_count *counts;
	unsigned ncounts;
	bool whole; /* show zeros, and what was told, too */
};

#endif
