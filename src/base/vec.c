#include "base/vec.h"

#include <string.h>

VEC_TYPE(any_vec, void);

void vec_grow(struct arena *a, void *vec, size_t elem_size)
{
	struct any_vec *v = vec;
	size_t cap = v->cap ? v->cap * 2 : 8;

	if (a) {
		void *data = arena_alloc(a, cap * elem_size);

		if (v->len)
			memcpy(data, v->data, v->len * elem_size);
		v->data = data;
	} else {
		v->data = xrealloc(v->data, cap * elem_size);
	}
	v->cap = cap;
}
