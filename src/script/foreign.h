/*
 * foreign.h - functions that are no code of the script's: those of BPF objects that it imports
 * (reference section 1.5), and those of the kernel that programs may call (kfuncs).
 *
 * Their types come from BTF.  An imported function is linked, with what it calls and the maps
 * and data it uses, into each program that calls it; what is not called costs nothing and may
 * even be what cannot be linked.
 */
#ifndef SCRY_SCRIPT_FOREIGN_H
#define SCRY_SCRIPT_FOREIGN_H

#include "bpf/object.h"
#include "builtin/builtin.h"
#include "script/unit.h"

/* In r1-r5. */
enum { FOREIGN_ARGS = 5 };

struct foreign {
	struct builtin row; /* what a call of it is to the checker and the lowering */
	struct foreign_object *object; /* NULL: of the kernel */
	struct span span;	       /* of the import */
	uint32_t btf_id;	       /* of the function, 0: nothing says its types */
	bool typed, linked;
	const char *why; /* it cannot be called, or NULL */
	struct btf_param params[FOREIGN_ARGS + 1];
	int nparams;
	const struct type *ret;
	struct image image; /* its relocations name maps of the object from 1, until placed */
	bool placed;
	struct foreign *next;
};

/* The functions of an object become known; reports what is wrong with the file. */
void foreign_import(struct compiler *c, const struct import_file *f, struct span span);
/* The imported function of that name, or NULL. */
struct foreign *foreign_find(const struct unit *u, const char *name);
/*
 * The function of the kernel of that name, if it is one that programs call, perhaps of other
 * kinds than this one; else NULL.
 */
struct foreign *foreign_of_kernel(const struct unit *u, const char *name);
/* Does the kernel let the program call it? So too where we may not ask. */
bool foreign_is_allowed(const struct unit *u, uint32_t btf_id);
const struct type *foreign_check_call(struct unit *u, struct expr *e, struct foreign *f);
/* Its maps are among those of the plan from now on. */
void foreign_place(struct compiler *c, struct foreign *f);

#endif
