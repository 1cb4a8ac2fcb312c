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

struct function;
/* The module of a traceable function; "vmlinux" for the kernel itself. */
const char *function_home(const struct function *f);
/* Do its module and name match the patterns? module NULL: wherever it is. */
bool function_matches(const struct function *f, const char *module, const char *name);

/* How a provider lists functions. */
struct function_listing {
	const struct provider *provider;
	bool with_module; /* always, not only when the pattern has one */
	/* Of those that match, which can be traced; NULL: all. */
	bool (*accepts)(struct probe_env *env, const struct function *f);
};
/* A provider's list() of kernel functions; the targets live as long as the call of fn. */
int functions_list(struct probe_env *env, const struct function_listing *how,
		   const char *pattern, void (*fn)(void *arg, const struct target *t),
		   void *arg, struct err *e);

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
