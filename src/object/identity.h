/*
 * identity.h - what a built object is made for: this version of scry and this kernel.
 */
#ifndef SCRY_OBJECT_IDENTITY_H
#define SCRY_OBJECT_IDENTITY_H

#include "base/err.h"
#include "base/sb.h"

#include <stddef.h>

void identity_write(struct sb *out);
/*
 * The length of the identity that data begins with, when it is ours. -EINVAL with e set: it is
 * of another version or kernel, or none at all.
 */
long identity_check(const char *data, size_t size, struct err *e);

#endif
