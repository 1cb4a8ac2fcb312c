/*
 * kfunc.h - which functions of the kernel programs of a kind may call.
 *
 * The kernel registers them by kinds of programs and tells nobody which; what it does with a
 * program that calls one is the answer (Documentation/bpf/kfuncs.rst).
 */
#ifndef SCRY_KERNEL_KFUNC_H
#define SCRY_KERNEL_KFUNC_H

#include "kernel/bpf.h"

/*
 * May a program like that one, whose instructions do not count, call the function with that id
 * in the kernel's own BTF? 1 or 0; -EPERM: we may not load programs of that kind at all.
 */
int kfunc_allowed(const struct kbpf_prog *like, uint32_t id);

#endif
