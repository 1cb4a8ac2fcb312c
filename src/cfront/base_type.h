/*
 * base_type.h - whether a word may be part of a base type's name; see cfront_base_type().
 */
#ifndef SCRY_CFRONT_BASE_TYPE_H
#define SCRY_CFRONT_BASE_TYPE_H

#include <stdbool.h>

bool is_base_word(const char *word);

#endif
