/*
 * core.h - CO-RE: what an object's instructions say of the kernel's types by name, in numbers
 * of the kernel that runs.
 *
 * A name ends before "___"; members are found by name, through anonymous ones.
 * Format: enum bpf_core_relo_kind and struct bpf_core_relo of linux/bpf.h.
 */
#ifndef SCRY_SCRIPT_CORE_H
#define SCRY_SCRIPT_CORE_H

#include "bpf/object.h"
#include "cfront/cfront.h"
#include "types/btf.h"

/* The types of both worlds. */
struct core_world {
	struct arena *arena;
	struct typetab *tt;
	const struct btf *here; /* of the object; NULL: it has none */
	/* The kernel's type of that name, or NULL. */
	const struct type *(*find)(void *arg, enum c_tag tag, const char *name);
	void *arg;
};

/* 0, -ENOENT when the kernel has no such thing, or another error with words. */
int core_resolve(const struct core_world *w, const struct bpf_object_core *what,
		 struct bpf_object_fact *out, struct err *e);

#endif
