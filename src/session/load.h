/*
 * load.h - a plan's maps and programs into the kernel.
 */
#ifndef SCRY_SESSION_LOAD_H
#define SCRY_SESSION_LOAD_H

#include "base/diag.h"
#include "script/plan.h"

struct scry_vm;

/* Descriptors, or, with vm, numbers of the machine; engine.h works on either. */
struct loaded {
	struct scry_vm *vm; /* NULL: the kernel */
	int *maps;	    /* one per plan.kmaps; -1: not needed */
	int *progs;	    /* one per plan.progs */
	size_t nmaps, nprogs;
	uint8_t *globals; /* value of the globals map, shared with the programs */
	size_t globals_size;
	uint32_t ring_size;
};

struct load_options {
	bool on_vm;	     /* into the machine in user space */
	uint32_t ring_pages; /* 0: as many as the number of CPUs asks for */
};

/*
 * Creates the maps, then loads the programs; fills in the plan's relocations on the way.
 * Returns 0 or -errno with e set; when the verifier rejected a program, that is reported to dx
 * and e->code is 0.  Whatever happened, unload() releases what was made.
 */
int load(struct loaded *l, struct plan *plan, const struct load_options *opt, struct diags *dx,
	 struct err *e);
/*
 * A map for one of m's elements, an array with so many of its own, which can be mapped into
 * memory. Returns a descriptor, or -errno.
 */
int load_inner_map(const struct plan_kmap *m, uint32_t entries);
void unload(struct loaded *l);

#endif
