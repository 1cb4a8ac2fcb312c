/*
 * functions.h - questions about single kernel functions, answered without reading long lists
 * where that can be helped.
 */
#ifndef SCRY_PROBE_FUNCTIONS_H
#define SCRY_PROBE_FUNCTIONS_H

#include "probe/provider.h"

/*
 * Is there such a function? module NULL: anywhere. When there is none, *nearest is a near name
 * (in the arena) or NULL. Where nothing tells, the answer is yes, and attaching will show.
 */
bool function_exists(struct probe_env *env, const char *module, const char *name,
		     const char **nearest);

/* A function as BTF has it. */
struct function_type {
	const char *module; /* NULL: the kernel itself */
	const struct btf *btf;
	uint32_t id;
};
/*
 * Finds the type of a function; module NULL: the kernel's own, or that of the module that has
 * it. False when there is none.
 */
bool function_find_type(struct probe_env *env, const char *module, const char *name,
			struct function_type *out);

VEC_TYPE(addrs, uint64_t);
/* All addresses of functions of that name; none where they are hidden. */
void function_addrs(struct probe_env *env, const char *module, const char *name,
		    struct addrs *out);

/*
 * Looks up where the functions of the targets begin, given their addresses in the list of what
 * is traceable, which may lie a little behind. Fills entry of each; false when some are
 * missing.
 */
bool function_entries(struct probe_env *env, const struct targets *targets);

/* Bytes up to the next symbol; 0: not known, or there are several functions of that name. */
uint64_t function_size(struct probe_env *env, const char *module, const char *name);

/* Calls fn with "TYPE NAME" of each parameter, types as BTF has them. */
void function_print_params(const struct btf *btf, const struct btf_param *params, int n,
			   void (*fn)(void *arg, const char *text), void *arg);
/* The same of a function; with_result: its result, unless it has none, as "TYPE retval". */
void function_print_type(struct probe_env *env, const struct function_type *f, bool with_result,
			 void (*fn)(void *arg, const char *text), void *arg);

#endif
