/*
 * span.h - memory accesses that one check can prove.
 *
 * Within a run of instructions that nothing jumps into, accesses through the same register lie
 * side by side: fields of a header, members of a struct.  The first of them, the leader, can
 * prove them all, by the lowest and the highest byte.  That says nothing of what happens when
 * they are not all inside: a branch may go around the others.  Then each is to be checked on
 * its own (jit.h: the twin).
 */
#ifndef SCRY_VM_SPAN_H
#define SCRY_VM_SPAN_H

#include "vm/vm.h"

enum { SPAN_MAX = 512 }; /* bytes; distant accesses are less likely to be made all */

struct span {
	bool is_leader, is_covered;
	int32_t from, to; /* leader: from its register */
};

/*
 * Per slot, or NULL when no access covers another; is_met: slots that are jumped to. The caller
 * frees it.
 */
struct span *vm_spans(const struct vm_prog *prog, const bool *is_met);

#endif
