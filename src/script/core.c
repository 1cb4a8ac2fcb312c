#include "script/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The type that a relocation names, in the object and in the kernel. */
struct core_root {
	const struct type *here, *there; /* there NULL: the kernel has none */
};

/* One step of an access, in both worlds. */
struct core_walk {
	struct typetab *tt;
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

static bool find_root(const struct core_world *w, uint32_t id, struct core_root *out)
{
	if (!w->here || !id || id >= btf_ntypes(w->here))
		return false;
	const char *name = btf_name(w->here, id);
	const char *flavour = strstr(name, "___");

	out->here = btf_type(w->tt, w->here, id);
	if (!out->here || type_is_error(out->here))
		return false;
	enum c_tag tag = tag_of(out->here, name);
	if (flavour)
		name = arena_strndup(w->arena, name, (size_t)(flavour - name));
	out->there = *name ? w->find(w->arg, tag, name) : NULL;
	return true;
}

/* To a member; -ENOENT: the kernel's type has none of that name. */
static int step_member(struct core_walk *w, uint32_t index)
{
	struct field to;
	uint32_t n;
	const struct field *f = type_fields(w->tt, w->here, &n);

	if (index >= n)
		return -EINVAL;
	w->here = f[index].type;
	if (!*f[index].name)
		return 0;
	if (!w->there || w->there->kind != T_STRUCT ||
	    !type_member(w->tt, w->there, f[index].name, &to))
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

/* Pointers and numbers without a sign may have another width in the kernel than in the file. */
static bool is_word(const struct type *t)
{
	return t->kind == T_PTR || (t->kind == T_INT && !t->is_signed);
}

static int field_core(struct typetab *tt, const struct core_root *root,
		      const struct bpf_object_core *what, struct bpf_object_fact *out)
{
	struct core_walk w = { .tt = tt, .here = root->here, .there = root->there };
	int ret = walk(&w, what->access);

	if (what->kind == BPF_CORE_FIELD_EXISTS && ret != -EINVAL) {
		out->value = !ret;
		return 0;
	}
	if (ret)
		return ret;
	if (what->kind == BPF_CORE_FIELD_BYTE_OFFSET && !w.is_bits &&
	    w.here->size != w.there->size && w.here->kind == w.there->kind && is_word(w.here) &&
	    is_word(w.there)) {
		out->size_here = w.here->size;
		out->size = w.there->size;
	}
	return field_value(&w, what->kind, &out->value);
}

static const struct enum_const *find_const(const struct enum_const *all, uint32_t n,
					   const char *name)
{
	const char *flavour = strstr(name, "___");
	size_t len = flavour ? (size_t)(flavour - name) : strlen(name);

	for (uint32_t i = 0; i < n; i++)
		if (!strncmp(all[i].name, name, len) && !all[i].name[len])
			return &all[i];
	return NULL;
}

static int enum_core(struct typetab *tt, const struct core_root *root,
		     const struct bpf_object_core *what, struct bpf_object_fact *out)
{
	uint32_t n, m = 0, index = (uint32_t)strtoul(what->access, NULL, 10);
	const struct enum_const *here = type_enum_consts(tt, root->here, &n), *there = NULL;

	if (root->here->kind != T_ENUM || index >= n)
		return -EINVAL;
	if (root->there && root->there->kind == T_ENUM)
		there = type_enum_consts(tt, root->there, &m);
	there = find_const(there, m, here[index].name);
	bool exists = what->kind == BPF_CORE_ENUMVAL_EXISTS;
	out->value = exists ? there != NULL : there ? (uint64_t)there->value : 0;
	return there || exists ? 0 : -ENOENT;
}

/* Has the kernel's type all that the object's has: members of such kinds, constants? */
static bool matches(struct typetab *tt, const struct core_root *root)
{
	const struct type *here = root->here, *there = root->there;
	uint32_t n, m;

	if (!there || here->kind != there->kind || here->is_union != there->is_union)
		return false;
	if (here->kind == T_ENUM) {
		const struct enum_const *list = type_enum_consts(tt, here, &n);
		const struct enum_const *theirs = type_enum_consts(tt, there, &m);

		for (uint32_t i = 0; i < n; i++)
			if (!find_const(theirs, m, list[i].name))
				return false;
	} else if (here->kind == T_STRUCT) {
		const struct field *list = type_fields(tt, here, &n);
		struct field to;

		for (uint32_t i = 0; i < n; i++)
			if (*list[i].name && (!type_member(tt, there, list[i].name, &to) ||
					      to.type->kind != list[i].type->kind))
				return false;
	} else {
		return here->size == there->size;
	}
	return true;
}

/* As in libbpf, a type that the kernel does not have is 0 bytes long and has the id 0. */
static uint64_t type_core(struct typetab *tt, const struct core_root *root,
			  const struct bpf_object_core *what)
{
	const struct type *there = root->there;

	switch (what->kind) {
	case BPF_CORE_TYPE_ID_LOCAL: return what->type;
	case BPF_CORE_TYPE_EXISTS: return there != NULL;
	case BPF_CORE_TYPE_MATCHES: return matches(tt, root);
	case BPF_CORE_TYPE_SIZE: return there ? there->size : 0;
	default: return there ? there->btf_id : 0;
	}
}

int core_resolve(const struct core_world *w, const struct bpf_object_core *what,
		 struct bpf_object_fact *out, struct err *e)
{
	struct core_root root = {};
	int ret;

	*out = (struct bpf_object_fact){ 0 };
	if (!find_root(w, what->type, &root))
		return bad_access(e);
	switch (what->kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET ... BPF_CORE_FIELD_RSHIFT_U64:
		ret = field_core(w->tt, &root, what, out);
		break;
	case BPF_CORE_TYPE_ID_LOCAL ... BPF_CORE_TYPE_SIZE:
	case BPF_CORE_TYPE_MATCHES:
		out->value = type_core(w->tt, &root, what);
		ret = 0;
		break;
	case BPF_CORE_ENUMVAL_EXISTS:
	case BPF_CORE_ENUMVAL_VALUE: ret = enum_core(w->tt, &root, what, out); break;
	default:
		return err_set(e, -ENOTSUP, "it has a CO-RE relocation of kind %u, of %s",
			       what->kind, btf_name(w->here, what->type));
	}
	return ret == -EINVAL ? bad_access(e) : ret;
}
