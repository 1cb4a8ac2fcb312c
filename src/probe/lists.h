/*
 * lists.h - what the running kernel offers to attach to: each list read once, when first asked.
 *
 * All of it hangs on env->cache and is released by probe_env_fini().
 */
#ifndef SCRY_PROBE_LISTS_H
#define SCRY_PROBE_LISTS_H

#include "kernel/feature.h"
#include "kernel/tracefs.h"
#include "probe/bpf_functions.h"
#include "probe/provider.h"

/* The tracing file system, opened on first use; NULL with e set. */
struct tracefs *lists_tracefs(struct probe_env *env, struct err *e);

/* What the kernel can do; see kernel/feature.h. */
bool lists_has_feature(struct probe_env *env, enum feature id);

/* A function that can be traced. */
struct function {
	const char *name;
	const char *module; /* "" for the kernel itself */
	uint64_t addr;	    /* 0: not known */
};
VEC_TYPE(functions, struct function);
/*
 * The traceable functions in the kernel's order, without compiler-made parts of functions.
 * Where addresses are not known each name appears once. NULL with e set.
 */
const struct functions *lists_functions(struct probe_env *env, struct err *e);

/*
 * The types of a module, or of the kernel itself for NULL and "vmlinux". NULL with e set when
 * it has none or is not loaded; e may be NULL.
 */
const struct btf *lists_btf(struct probe_env *env, const char *module, struct err *e);
/* Calls fn with each module that has types of its own until it returns false. */
void lists_each_module(bool (*fn)(void *arg, const char *module), void *arg);

/* The functions of loaded BPF programs; NULL with e set. */
const struct bpf_functions *lists_bpf_functions(struct probe_env *env, struct err *e);

struct event {
	const char *category, *name;
};
VEC_TYPE(events, struct event);
/* The tracepoints in the kernel's order; NULL with e set. */
const struct events *lists_events(struct probe_env *env, struct err *e);

#endif
