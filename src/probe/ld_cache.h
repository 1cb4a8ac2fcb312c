/*
 * ld_cache.h - the dynamic loader's cache of libraries, /etc/ld.so.cache.
 *
 * The format of glibc 2.2 and later ("glibc-ld.so.cache1.1"; elf/dl-cache.h): a header, entries
 * of 24 bytes, texts.  What is not in that format has no libraries in it.
 */
#ifndef SCRY_PROBE_LD_CACHE_H
#define SCRY_PROBE_LD_CACHE_H

#include "base/vec.h"

VEC_TYPE(ld_paths, const char *);

/* Appends the paths of libraries called name, or name.so... ; in the cache's order. */
void ld_cache_find(struct arena *a, const char *cache, const char *name, struct ld_paths *out);

#endif
