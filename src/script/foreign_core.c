/*
 * CO-RE: what an imported object says of the kernel's types by name, in numbers of the kernel
 * that runs.  A name ends before "___"; members are found by name, through anonymous ones.
 * Format: enum bpf_core_relo_kind and struct bpf_core_relo of linux/bpf.h.
 */
#include "script/foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The type that a relocation names, in the object and in the kernel. */
struct core_root {
	const struct type *here, *there; /* there NULL: the kernel has none */
};

/* One step of an access, in both worlds. */
struct core_walk {
	struct compiler *c;
	const struct type *here, *there;
	uint64_t bits;	    /* from the start of the kernel's type */
	struct field field; /* the last member of the kernel's, when it is a bit-field */
	bool is_bits;
};

static int bad_access(struct err *e)
{
	return err_set(e, -EINVAL, "bad object file: a CO-RE relocation that makes no sense");
}

static enum c_tag tag_of(const struct type *t, const char *name)
{
	if (!t->name || strcmp(t->name, name) != 0)
		return C_PLAIN; /* a typedef of it */
	if (t->kind == T_ENUM)
		return C_ENUM;
	if (t->kind == T_STRUCT)
		return t->is_union ? C_UNION : C_STRUCT;
	return C_PLAIN;
}

static bool find_root(struct compiler *c, const struct btf *btf, uint32_t id,
		      struct core_root *out)
{
	const char *name = btf_name(btf, id);
	const char *flavour = strstr(name, "___");

	if (!btf || !id || id >= btf_ntypes(btf))
		return false;
	out->here = btf_type(c->tt, btf, id);
	if (!out->here || type_is_error(out->here))
		return false;
	enum c_tag tag = tag_of(out->here, name);
	if (flavour)
		name = arena_strndup(c->arena, name, (size_t)(flavour - name));
	out->there = *name ? kernel_type(c, tag, name) : NULL;
	return true;
}

/* To a member; -ENOENT: the kernel's type has none of that name. */
static int step_member(struct core_walk *w, uint32_t index)
{
	struct field to;
	uint32_t n;
	const struct field *f = type_fields(w->c->tt, w->here, &n);

	if (index >= n)
		return -EINVAL;
	w->here = f[index].type;
	if (!*f[index].name)
		return 0;
	if (!w->there || w->there->kind != T_STRUCT ||
	    !type_member(w->c->tt, w->there, f[index].name, &to))
		return -ENOENT;
	w->bits += to.bit_off;
	w->there = to.type;
	w->field = to;
	w->is_bits = to.bit_size != 0;
	return 0;
}

static int step_element(struct core_walk *w, uint32_t index)
{
	if (!w->there || w->there->kind != T_ARRAY)
		return -ENOENT;
	w->here = w->here->elem;
	w->there = w->there->elem;
	w->bits += (uint64_t)index * w->there->size * 8;
	return 0;
}

/* Follows "0:1:2". */
static int walk(struct core_walk *w, const char *access)
{
	int ret = 0;

	for (unsigned depth = 0; !ret; depth++) {
		char *end;
		unsigned long index = strtoul(access, &end, 10);

		if (end == access || index > INT32_MAX)
			return -EINVAL;
		if (!depth)
			w->bits = w->there ? (uint64_t)index * w->there->size * 8 : 0;
		else if (w->here->kind == T_STRUCT)
			ret = step_member(w, (uint32_t)index);
		else if (w->here->kind == T_ARRAY)
			ret = step_element(w, (uint32_t)index);
		else
			ret = -EINVAL;
		if (!*end)
			break;
		access = end + 1;
	}
	return ret || w->there ? ret : -ENOENT;
}

/* The aligned word that holds all of a bit-field. */
static uint64_t bits_word(const struct core_walk *w, uint64_t *size)
{
	uint64_t bytes = w->field.type->size ? w->field.type->size : 8;

	while (bytes < 8 &&
	       w->bits + w->field.bit_size > (w->bits / 8 / bytes * bytes + bytes) * 8)
		bytes *= 2;
	*size = bytes;
	return w->bits / 8 / bytes * bytes;
}

static int field_value(struct core_walk *w, uint32_t kind, uint64_t *value)
{
	uint64_t size = w->there->size;
	uint64_t at = w->is_bits ? bits_word(w, &size) : w->bits / 8;
	uint64_t nbits = w->is_bits ? w->field.bit_size : size * 8;

	switch (kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET: *value = at; return 0;
	case BPF_CORE_FIELD_BYTE_SIZE: *value = size; return 0;
	case BPF_CORE_FIELD_SIGNED: *value = w->there->is_signed; return 0;
	case BPF_CORE_FIELD_LSHIFT_U64:
		*value = 64 - (w->bits + nbits - at * 8);
		return *value < 64 ? 0 : -EINVAL;
	case BPF_CORE_FIELD_RSHIFT_U64:
		*value = 64 - nbits;
		return nbits && nbits <= 64 ? 0 : -EINVAL;
	default: return -EINVAL;
	}
}

static int field_core(struct compiler *c, const struct core_root *root,
		      const struct bpf_object_core *what, uint64_t *value)
{
	struct core_walk w = { .c = c, .here = root->here, .there = root->there };
	int ret = walk(&w, what->access);

	if (what->kind == BPF_CORE_FIELD_EXISTS && ret != -EINVAL) {
		*value = !ret;
		return 0;
	}
	return ret ? ret : field_value(&w, what->kind, value);
}

static int enum_core(struct compiler *c, const struct core_root *root,
		     const struct bpf_object_core *what, uint64_t *value)
{
	uint32_t n, m = 0, index = (uint32_t)strtoul(what->access, NULL, 10);
	const struct enum_const *here = type_enum_consts(c->tt, root->here, &n), *there = NULL;

	if (root->here->kind != T_ENUM || index >= n)
		return -EINVAL;
	if (root->there && root->there->kind == T_ENUM)
		there = type_enum_consts(c->tt, root->there, &m);
	const char *flavour = strstr(here[index].name, "___");
	size_t len = flavour ? (size_t)(flavour - here[index].name) : strlen(here[index].name);
	while (m && (strncmp(there->name, here[index].name, len) != 0 || there->name[len])) {
		there++;
		m--;
	}
	bool exists = what->kind == BPF_CORE_ENUMVAL_EXISTS;
	*value = exists ? m != 0 : m ? (uint64_t)there->value : 0;
	return m || exists ? 0 : -ENOENT;
}

int foreign_core(struct compiler *c, const struct btf *btf, const struct bpf_object_core *what,
		 uint64_t *value, struct err *e)
{
	struct core_root root = {};
	int ret = -EINVAL;

	if (!find_root(c, btf, what->type, &root))
		return bad_access(e);
	switch (what->kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET ... BPF_CORE_FIELD_RSHIFT_U64:
		ret = field_core(c, &root, what, value);
		break;
	case BPF_CORE_TYPE_ID_LOCAL:
		*value = what->type;
		ret = 0;
		break;
	case BPF_CORE_TYPE_EXISTS:
		*value = root.there != NULL;
		ret = 0;
		break;
	case BPF_CORE_TYPE_SIZE:
		*value = root.there ? root.there->size : 0;
		ret = root.there ? 0 : -ENOENT;
		break;
	case BPF_CORE_ENUMVAL_EXISTS:
	case BPF_CORE_ENUMVAL_VALUE: ret = enum_core(c, &root, what, value); break;
	default:
		return err_set(e, -ENOTSUP, "it has a CO-RE relocation of kind %u, of %s",
			       what->kind, btf_name(btf, what->type));
	}
	return ret == -EINVAL ? bad_access(e) : ret;
}
