/*
 * vm_types.h - the kernel's types for programs of object files on the machine (CO-RE): those of
 * the running kernel, or of a file.
 */
#ifndef SCRY_CLI_VM_TYPES_H
#define SCRY_CLI_VM_TYPES_H

#include "bpf/object.h"
#include "object/btf_text.h"
#include "types/type.h"

struct vm_types {
	const char *path; /* of a file of BTF, or an ELF file that has it; NULL: the kernel's */
	struct arena *arena;
	struct typetab tt;
	const struct btf *here; /* of the object */
	struct btf_bytes bytes;
	struct btf *base, *own;
	struct err err; /* why there are none */
};

/* To be filled in before: path. vm_types_fini() when the programs have been read. */
struct bpf_object_outside vm_types_begin(struct vm_types *t, struct arena *a);
void vm_types_fini(struct vm_types *t);

#endif
