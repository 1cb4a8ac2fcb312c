/*
 * constants.h - the kernel's #defines that scripts use, without its headers.
 */
#ifndef SCRY_CFRONT_CONSTANTS_H
#define SCRY_CFRONT_CONSTANTS_H

#include <stdbool.h>
#include <stdint.h>

/* Finds a constant of constants.def by its name. */
bool c_constant(const char *name, int64_t *value);

#endif
