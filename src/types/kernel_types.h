/*
 * kernel_types.h - the running kernel's types, opened when a script first needs one.
 */
#ifndef SCRY_TYPES_KERNEL_TYPES_H
#define SCRY_TYPES_KERNEL_TYPES_H

#include "types/btf.h"

/*
 * The kernel's BTF, opened on the first call and kept in tt->btf, whose owner frees it.  NULL
 * with e set when the kernel has none (CONFIG_DEBUG_INFO_BTF) or it cannot be read; e may be
 * NULL.  A failure is not tried again.
 */
const struct btf *kernel_btf(struct typetab *tt, struct err *e);

#endif
