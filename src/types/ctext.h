/*
 * ctext.h - C type names as tracepoint formats write them: "const char *", "struct foo *".
 */
#ifndef SCRY_TYPES_CTEXT_H
#define SCRY_TYPES_CTEXT_H

#include "types/type.h"

/*
 * The type that a text names; pointers in it point into as.  A struct is known by its name
 * until its fields are asked; another unknown name is looked up in the kernel's BTF.  What
 * nobody knows is void.
 */
const struct type *ctext_type(struct typetab *tt, const char *text, enum addr_space as);

#endif
