/*
 * feature.h - what the running kernel can do, found out by trying.
 *
 * A kernel's version says little: distributors bring features back and leave options out.  So
 * each answer is asked from the kernel itself, by a tiny program, map or perf event that is
 * gone again when the answer is known, and kept in struct features.
 */
#ifndef SCRY_KERNEL_FEATURE_H
#define SCRY_KERNEL_FEATURE_H

#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>

enum feature {
#define FEATURE(id, group, name, probe, arg) FEATURE_##id,
#include "kernel/feature.def"
#undef FEATURE
	FEATURES
};

enum feature_group {
	GROUP_SYSTEM,
	GROUP_BUILD,
	GROUP_HELPERS,
	GROUP_KERNEL,
	GROUP_MAPS,
	GROUP_PROBES,
};

/* Zeroed at first; one per session. */
struct features {
	signed char known[FEATURES]; /* 0: not asked yet, 1: yes, -1: no */
	/*
	 * The BTF id of a kernel function or typedef, 0 when there is none. What needs it
	 * counts as missing while this is NULL.
	 */
	uint32_t (*btf_id)(void *arg, bool is_func, const char *name);
	void *btf_arg;
};

/* One thing asked: of a row, or of the answer's text for rows that are no yes or no. */
bool feature_has(struct features *f, enum feature id);
/* The feature of that name in --info ("get_func_ip"), or FEATURES. */
enum feature feature_find(const char *name);
const char *feature_name(enum feature id);
/* Asks for everything and appends it as --info shows it. */
void features_print(struct features *f, struct sb *out);

#endif
