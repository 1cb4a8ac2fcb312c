#include "cli/vm_types.h"

#include "script/core.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>

static void begin(void *arg, const void *btf, size_t size)
{
	struct vm_types *t = arg;
	struct err e = {};

	/* The reader wants its bytes aligned. */
	if (size)
		t->here = btf_in_arena(t->arena, memcpy(arena_alloc(t->arena, size), btf, size),
				       size, &e);
}

static const struct btf *open_file(struct vm_types *t)
{
	if (t->own || t->err.code)
		return t->own;
	if (btf_bytes_of_file(&t->bytes, t->path, NULL, &t->err))
		return NULL;
	if (t->bytes.base.len)
		t->base = btf_from_bytes(t->bytes.base.s, t->bytes.base.len, NULL, &t->err);
	if (!t->bytes.base.len || t->base)
		t->own = btf_from_bytes(t->bytes.own.s, t->bytes.own.len, t->base, &t->err);
	t->tt.btf = t->own;
	t->tt.btf_failed = !t->own;
	return t->own;
}

static const struct btf *there(struct vm_types *t)
{
	return t->path ? open_file(t) : kernel_btf(&t->tt, &t->err);
}

static const struct type *find(void *arg, enum c_tag tag, const char *name)
{
	struct vm_types *t = arg;
	const struct btf *btf = there(t);
	uint32_t id = tag == C_PLAIN  ? btf_find_type(btf, name)
		      : tag == C_ENUM ? btf_find(btf, BTF_ENUMS, name)
				      : btf_find(btf, BTF_STRUCTS, name);

	return id ? btf_type(&t->tt, btf, id) : NULL;
}

static int fact(void *arg, const struct bpf_object_core *what, struct bpf_object_fact *out,
		struct err *e)
{
	struct vm_types *t = arg;
	const struct core_world w = { t->arena, &t->tt, t->here, find, t };

	/* ENOENT would say that a type is missing in there. */
	if (!there(t))
		return err_set(
			e, -ENOTSUP,
			"the kernel's types are wanted (CO-RE), --btf FILE names them: %s",
			t->err.msg);
	return core_resolve(&w, what, out, e);
}

struct bpf_object_outside vm_types_begin(struct vm_types *t, struct arena *a)
{
	t->arena = t->tt.arena = a;
	return (struct bpf_object_outside){ .core = fact, .begin = begin, .arg = t };
}

void vm_types_fini(struct vm_types *t)
{
	if (t->path)
		btf_free(t->own);
	else
		btf_free((struct btf *)t->tt.btf);
	btf_free(t->base);
	btf_bytes_fini(&t->bytes);
}
