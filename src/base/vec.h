/*
 * vec.h - a growing array of any type.
 *
 *	VEC(struct thing) things = {};
 *	vec_push(arena, &things, (struct thing){ ... });
 *	vec_each(t, &things)
 *		use(t);
 *
 * With an arena the elements live there and old copies stay behind until it is reset; with NULL
 * they live on the heap and vec_free() releases them.  Growing moves the elements: keep
 * indexes, not pointers.
 */
#ifndef SCRY_BASE_VEC_H
#define SCRY_BASE_VEC_H

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define VEC(type)                \
	struct {                 \
		type *data;      \
		size_t len, cap; \
	}

/* A named vector type, for struct members and parameters. */
#define VEC_TYPE(name, type)     \
	struct name {            \
		type *data;      \
		size_t len, cap; \
	}

/* Room for one more element of the given size; used by the macros only. */
void vec_grow(struct arena *a, void *vec, size_t elem_size);

#define vec_push(a, v, ...)                                                       \
	((v)->len == (v)->cap ? vec_grow((a), (v), sizeof(*(v)->data)) : (void)0, \
	 (v)->data[(v)->len++] = (__VA_ARGS__))

/* A zeroed new last element. */
#define vec_add(a, v)                                                             \
	((v)->len == (v)->cap ? vec_grow((a), (v), sizeof(*(v)->data)) : (void)0, \
	 memset(&(v)->data[(v)->len], 0, sizeof(*(v)->data)), &(v)->data[(v)->len++])

#define vec_each(p, v) \
	for (__typeof__((v)->data + 0) p = (v)->data; p && p < (v)->data + (v)->len; p++)

#define vec_last(v) ((v)->data[(v)->len - 1])
#define vec_free(v) (free((v)->data), (v)->data = NULL, (v)->len = (v)->cap = 0)

#endif
