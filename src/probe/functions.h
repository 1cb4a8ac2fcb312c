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

VEC_TYPE(addrs, uint64_t);
/* All addresses of functions of that name; none where they are hidden. */
void function_addrs(struct probe_env *env, const char *module, const char *name,
		    struct addrs *out);

/* Calls fn with "TYPE NAME" of each parameter, types as BTF has them. */
void function_print_params(const struct btf *btf, const struct btf_param *params, int n,
			   void (*fn)(void *arg, const char *text), void *arg);

#endif
