/*
 * gfp.h - the flags of a kernel allocation by name, as printf("%gr") shows them.
 */
#ifndef SCRY_OUTPUT_GFP_H
#define SCRY_OUTPUT_GFP_H

#include "base/sb.h"

#include <stdint.h>

/* "GFP_KERNEL|__GFP_ZERO"; bits without a name as 0x..., no bits as "0". */
void gfp_text(uint64_t flags, struct sb *out);

#endif
