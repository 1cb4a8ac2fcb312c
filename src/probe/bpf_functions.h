/*
 * bpf_functions.h - the functions of the BPF programs that the kernel holds, for fentry and
 * fexit: those that came with types.
 */
#ifndef SCRY_PROBE_BPF_FUNCTIONS_H
#define SCRY_PROBE_BPF_FUNCTIONS_H

#include "probe/provider.h"

struct bpf_function {
	const char *name;
	uint32_t prog; /* the program's id */
	uint32_t type; /* the function's in btf */
	const struct btf *btf;
};
VEC_TYPE(bpf_functions, struct bpf_function);

struct bpf_function_list;

/*
 * All of them, in the order of program ids, read when first asked. NULL with e set when the
 * kernel does not tell. The list hangs on *list.
 */
const struct bpf_functions *bpf_functions_get(struct bpf_function_list **list, struct err *e);
void bpf_functions_free(struct bpf_function_list *list);

#endif
