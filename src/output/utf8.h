/*
 * utf8.h - text that may be anything.
 */
#ifndef SCRY_OUTPUT_UTF8_H
#define SCRY_OUTPUT_UTF8_H

#include <stddef.h>

/*
 * Length of the sequence of several bytes at s (RFC 3629: shortest form, no surrogates), or 0:
 * ASCII, or no UTF-8. len > 0.
 */
size_t utf8_len(const char *s, size_t len);

#endif
