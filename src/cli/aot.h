/*
 * aot.h - programs that carry their script (--aot): scry itself, a built object, and 16 bytes
 * that say so: "scry-aot" and the object's size, 64 bits, little-endian.
 */
#ifndef SCRY_CLI_AOT_H
#define SCRY_CLI_AOT_H

#include "base/err.h"
#include "base/sb.h"

#include <stdbool.h>
#include <sys/types.h>

/* Where in an open file the object it carries is; false: it carries none. */
bool aot_find(int fd, off_t *at, size_t *size);
/* The running program's own file, on the heap, when it carries one; else NULL. */
char *aot_own_path(void);
/* Writes the program for an object. Returns 0 or -errno with e filled in. */
int aot_write(const char *path, const struct sb *object, struct err *e);

#endif
