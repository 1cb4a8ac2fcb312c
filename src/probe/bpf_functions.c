#include "probe/bpf_functions.h"

#include "base/auto.h"
#include "kernel/progs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Programs of one object share their types. */
struct own_types {
	uint32_t id;
	void *bytes;
	struct btf *btf;
};

struct bpf_function_list {
	struct bpf_functions functions;
	VEC(struct own_types) types;
};

static const struct btf *types_of(struct bpf_function_list *l, uint32_t id)
{
	struct own_types t = { .id = id };
	struct err e;
	size_t size;

	vec_each(known, &l->types) {
		if (known->id == id)
			return known->btf;
	}
	t.bytes = kbtf_bytes(id, &size);
	t.btf = t.bytes ? btf_from_bytes(t.bytes, size, NULL, &e) : NULL;
	vec_push(NULL, &l->types, t);
	return t.btf;
}

static void add_program(struct bpf_function_list *l, int fd, uint32_t prog)
{
	auto_free uint32_t *types = NULL;
	uint32_t id;
	int n = kprog_functions(fd, &id, &types);
	const struct btf *btf = n > 0 ? types_of(l, id) : NULL;

	for (int i = 0; btf && i < n; i++) {
		const char *name = btf_name(btf, types[i]);

		if (*name)
			vec_push(NULL, &l->functions,
				 (struct bpf_function){ name, prog, types[i], btf });
	}
}

const struct bpf_functions *bpf_functions_get(struct bpf_function_list **list, struct err *e)
{
	struct bpf_function_list *l;
	uint32_t id = 0;
	int fd;

	if (*list)
		return &(*list)->functions;
	l = *list = xcalloc(1, sizeof(*l));
	while ((fd = kprog_next(&id)) >= 0) {
		add_program(l, fd, id);
		close(fd);
	}
	if (fd == -ENOENT)
		return &l->functions;
	bpf_functions_free(l);
	*list = NULL;
	err_set(e, fd, "list the BPF programs of the kernel");
	return NULL;
}

void bpf_functions_free(struct bpf_function_list *l)
{
	if (!l)
		return;
	vec_each(t, &l->types) {
		btf_free(t->btf);
		free(t->bytes);
	}
	vec_free(&l->types);
	vec_free(&l->functions);
	free(l);
}
