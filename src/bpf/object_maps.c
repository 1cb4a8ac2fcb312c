/*
 * Source of the format: the kernel's include/uapi/linux/btf.h. A number N is written as the
 * type int (*member)[N]; a type T as T *member.
 */
#include "bpf/object_maps.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

enum { MAX_DEPTH = 32, MAX_MEMBERS = 1000 };

struct btf {
	const uint8_t *types, *end; /* the type section */
	const char *strings;
	uint32_t strings_len;
};

static bool btf_init(struct btf *b, const void *data, size_t size)
{
	const struct btf_header *h = data;

	if (size < sizeof(*h) || (uintptr_t)data % 4 || h->magic != BTF_MAGIC ||
	    h->hdr_len < sizeof(*h) || h->hdr_len > size)
		return false;
	size -= h->hdr_len;
	if (h->type_off > size || h->type_len > size - h->type_off || h->str_off > size ||
	    h->str_len > size - h->str_off || !h->str_len || (h->hdr_len + h->type_off) % 4)
		return false;
	b->types = (const uint8_t *)data + h->hdr_len + h->type_off;
	b->end = b->types + h->type_len;
	b->strings = (const char *)data + h->hdr_len + h->str_off;
	b->strings_len = h->str_len;
	return !b->strings[h->str_len - 1];
}

static const char *name_at(const struct btf *b, uint32_t off)
{
	return off < b->strings_len ? b->strings + off : "";
}

/* Bytes behind a struct btf_type. */
static size_t tail_size(const struct btf_type *t)
{
	unsigned n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG: return 4;
	case BTF_KIND_ARRAY: return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM: return n * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
	case BTF_KIND_DATASEC: return n * sizeof(struct btf_var_secinfo);
	case BTF_KIND_FUNC_PROTO: return n * sizeof(struct btf_param);
	default: return 0;
	}
}

/* The type behind t, NULL at the end or where the data is cut off. */
static const struct btf_type *checked(const struct btf *b, const uint8_t *p)
{
	const struct btf_type *t = (const struct btf_type *)p;

	if ((size_t)(b->end - p) < sizeof(*t) ||
	    (size_t)(b->end - p) - sizeof(*t) < tail_size(t))
		return NULL;
	return t;
}

static const struct btf_type *next_type(const struct btf *b, const struct btf_type *t)
{
	return checked(b, (const uint8_t *)(t + 1) + tail_size(t));
}

static const struct btf_type *type_at(const struct btf *b, uint32_t id)
{
	const struct btf_type *t = checked(b, b->types);

	while (t && id-- > 1)
		t = next_type(b, t);
	return t;
}

static bool is_alias(unsigned kind)
{
	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE ||
	       kind == BTF_KIND_CONST || kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

static const struct btf_type *resolve(const struct btf *b, uint32_t id)
{
	const struct btf_type *t = id ? type_at(b, id) : NULL;

	for (unsigned depth = 0; t && is_alias(BTF_INFO_KIND(t->info)); depth++)
		t = depth < MAX_DEPTH ? type_at(b, t->type) : NULL;
	return t;
}

/* sizeof, 0 when there is none. */
static uint32_t size_of(const struct btf *b, uint32_t id)
{
	uint64_t count = 1;

	for (unsigned depth = 0; depth < MAX_DEPTH; depth++) {
		const struct btf_type *t = resolve(b, id);

		if (!t)
			return 0;
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_PTR: return (uint32_t)(count * 8);
		case BTF_KIND_ARRAY: {
			const struct btf_array *array = (const struct btf_array *)(t + 1);
			count *= array->nelems;
			id = array->type;
			break;
		}
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_FLOAT:
		case BTF_KIND_ENUM64: return (uint32_t)(count * t->size);
		default: return 0;
		}
		if (count > UINT32_MAX / 8)
			return 0;
	}
	return 0;
}

/* How much of a type is looked at: more has no map's value. */
struct look {
	const struct btf *btf;
	unsigned members, depth;
};

/* The tag, if it is one, of a pointer that only the kernel may write (kptr and its kin). */
static const char *kernels_pointer(const struct btf *b, const struct btf_type *ptr)
{
	static const char *const TAGS[] = { "kptr", "kptr_untrusted", "percpu_kptr", "uptr" };
	const struct btf_type *t = type_at(b, ptr->type);

	if (!t || !ptr->type || BTF_INFO_KIND(t->info) != BTF_KIND_TYPE_TAG)
		return NULL;
	for (size_t i = 0; i < sizeof(TAGS) / sizeof(*TAGS); i++)
		if (!strcmp(name_at(b, t->name_off), TAGS[i]))
			return TAGS[i];
	return NULL;
}

static const char *kernels_struct(const char *name)
{
	static const char *const STRUCTS[] = {
		"bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer",   "bpf_wq",
		"bpf_list_head", "bpf_list_node",     "bpf_rb_root", "bpf_rb_node",
		"bpf_refcount",	 "bpf_task_work",
	};

	for (size_t i = 0; i < sizeof(STRUCTS) / sizeof(*STRUCTS); i++)
		if (!strcmp(name, STRUCTS[i]))
			return STRUCTS[i];
	return NULL;
}

/* What of the type only the kernel gives a meaning to (btf_parse_fields() there), or NULL. */
static const char *kernels_field(struct look *l, uint32_t id)
{
	const struct btf_type *t = resolve(l->btf, id);
	const char *found = NULL;

	while (t && BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY && l->members++ < MAX_MEMBERS)
		t = resolve(l->btf, ((const struct btf_array *)(t + 1))->type);
	if (!t || l->depth == MAX_DEPTH)
		return NULL;
	unsigned kind = BTF_INFO_KIND(t->info);
	if (kind == BTF_KIND_PTR)
		return kernels_pointer(l->btf, t);
	if (kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION)
		return NULL;
	const struct btf_member *m = (const struct btf_member *)(t + 1);
	found = kernels_struct(name_at(l->btf, t->name_off));
	l->depth++;
	for (unsigned i = 0; !found && i < BTF_INFO_VLEN(t->info); i++)
		found = l->members++ < MAX_MEMBERS ? kernels_field(l, m[i].type) : NULL;
	l->depth--;
	return found;
}

/* What a member that is a pointer points to: a size of it as a type, or as a number. */
static bool member_value(const struct btf *b, const struct btf_member *m, bool number,
			 uint32_t *out)
{
	const struct btf_type *ptr = resolve(b, m->type);

	if (!ptr || BTF_INFO_KIND(ptr->info) != BTF_KIND_PTR)
		return false;
	if (!number) {
		*out = size_of(b, ptr->type);
		return *out != 0;
	}
	const struct btf_type *array = resolve(b, ptr->type);
	if (!array || BTF_INFO_KIND(array->info) != BTF_KIND_ARRAY)
		return false;
	*out = ((const struct btf_array *)(array + 1))->nelems;
	return true;
}

/* "values": an array of pointers to what the map holds; what they point to. */
static const struct btf_type *value_of(const struct btf *b, const struct btf_member *m)
{
	const struct btf_type *t = resolve(b, m->type);

	if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_ARRAY)
		return NULL;
	t = resolve(b, ((const struct btf_array *)(t + 1))->type);
	return t && BTF_INFO_KIND(t->info) == BTF_KIND_PTR ? resolve(b, t->type) : NULL;
}

/* Programs, or maps like *inner. */
static bool read_values(const struct btf *b, const struct btf_member *m,
			struct bpf_object_map *map, const struct btf_type **inner)
{
	const struct btf_type *t = value_of(b, m);

	if (!t)
		return false;
	map->values = m->offset / 8;
	if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO) {
		map->value_size = 4;
		return true;
	}
	*inner = t;
	return BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT;
}

static int check_value(const struct btf *b, const struct btf_member *m, const char *map,
		       struct err *e)
{
	const struct btf_type *ptr = resolve(b, m->type);
	struct look look = { .btf = b };
	const char *field = ptr ? kernels_field(&look, ptr->type) : NULL;

	return field ? err_set(e, -ENOTSUP,
			       "map %s: there is a %s in its values, which only a kernel "
			       "can give a meaning",
			       map, field)
		     : 0;
}

static int read_member(const struct btf *b, const struct btf_member *m,
		       struct bpf_object_map *map, const struct btf_type **inner, struct err *e)
{
	const char *name = name_at(b, m->name_off);
	const struct {
		const char *name;
		bool number;
		uint32_t *to;
	} MEMBERS[] = {
		{ "type", true, &map->type },
		{ "key", false, &map->key_size },
		{ "key_size", true, &map->key_size },
		{ "value", false, &map->value_size },
		{ "value_size", true, &map->value_size },
		{ "max_entries", true, &map->max_entries },
		{ "map_flags", true, &map->flags },
	};

	for (size_t i = 0; i < sizeof(MEMBERS) / sizeof(*MEMBERS); i++) {
		if (strcmp(MEMBERS[i].name, name))
			continue;
		if (!member_value(b, m, MEMBERS[i].number, MEMBERS[i].to))
			return err_set(e, -EINVAL, "map %s: its member %s has an odd type",
				       map->name, name);
		return MEMBERS[i].to == &map->value_size && !MEMBERS[i].number
			       ? check_value(b, m, map->name, e)
			       : 0;
	}
	if (!strcmp(name, "pinning"))
		return 0;
	if (!strcmp(name, "values") && read_values(b, m, map, inner))
		return 0;
	return err_set(e, -ENOTSUP, "map %s: its member %s is not supported", map->name, name);
}

static int read_members(const struct btf *b, const struct btf_type *def,
			struct bpf_object_map *map, const struct btf_type **inner,
			struct err *e)
{
	const struct btf_member *members = (const struct btf_member *)(def + 1);
	int ret = 0;

	*inner = NULL;
	for (unsigned i = 0; i < BTF_INFO_VLEN(def->info) && !ret; i++)
		ret = read_member(b, &members[i], map, inner, e);
	return ret;
}

int object_map_from_btf(const void *data, size_t size, const char *name,
			struct bpf_object_map *map, struct bpf_object_map *inner, struct err *e)
{
	const struct btf_type *t, *def = NULL, *in, *deeper;
	struct btf b;

	if (!data || !btf_init(&b, data, size))
		return err_set(e, -EINVAL, "map %s: the file has no BTF that describes it",
			       name);
	for (t = checked(&b, b.types); t && !def; t = next_type(&b, t)) {
		if (BTF_INFO_KIND(t->info) == BTF_KIND_VAR &&
		    !strcmp(name_at(&b, t->name_off), name))
			def = resolve(&b, t->type);
	}
	if (!def || BTF_INFO_KIND(def->info) != BTF_KIND_STRUCT)
		return err_set(e, -EINVAL, "map %s: the BTF does not describe it", name);
	int ret = read_members(&b, def, map, &in, e);
	if (ret || !in)
		return ret;
	if (!map->key_size)
		map->key_size = 4;
	map->value_size = 4;
	inner->name = name;
	ret = read_members(&b, in, inner, &deeper, e);
	if (!ret && (deeper || !inner->type))
		ret = err_set(e, -ENOTSUP, "map %s: what its values are is not supported",
			      name);
	inner->name = "";
	return ret;
}

int object_map_from_numbers(const void *definition, size_t size, struct bpf_object_map *map,
			    struct err *e)
{
	enum { AT_LEAST = 16, AT_MOST = 256 }; /* without flags; far more than any writer's */
	uint32_t numbers[5] = { 0 };
	const char *p = definition;

	if (size < AT_LEAST || size > AT_MOST)
		return err_set(e, -EINVAL, "map %s: a definition of %zu bytes is none",
			       map->name, size);
	memcpy(numbers, p, size < sizeof(numbers) ? size : sizeof(numbers));
	for (size_t i = sizeof(numbers); i < size; i++) {
		if (p[i])
			return err_set(e, -ENOTSUP,
				       "map %s: its definition says more than type, sizes, "
				       "entries and flags",
				       map->name);
	}
	map->type = numbers[0];
	map->key_size = numbers[1];
	map->value_size = numbers[2];
	map->max_entries = numbers[3];
	map->flags = numbers[4];
	if (map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || map->type == BPF_MAP_TYPE_HASH_OF_MAPS)
		return err_set(e, -ENOTSUP,
			       "map %s: which maps it holds, only .maps with BTF can say",
			       map->name);
	return 0;
}

bool object_extern_find(const void *data, size_t size, const char *name,
			struct object_extern *out)
{
	const struct btf_type *t, *type = NULL;
	struct btf b;

	if (!btf_init(&b, data, size))
		return false;
	for (t = checked(&b, b.types); t && !type; t = next_type(&b, t)) {
		if (BTF_INFO_KIND(t->info) != BTF_KIND_VAR ||
		    strcmp(name_at(&b, t->name_off), name) != 0)
			continue;
		*out = (struct object_extern){ .size = size_of(&b, t->type) };
		type = resolve(&b, t->type);
	}
	if (!type || !out->size)
		return false;
	unsigned kind = BTF_INFO_KIND(type->info);
	out->is_text = kind == BTF_KIND_ARRAY;
	out->is_enum = kind == BTF_KIND_ENUM;
	out->is_char = kind == BTF_KIND_INT && out->size == 1 &&
		       strcmp(name_at(&b, type->name_off), "_Bool") != 0;
	return true;
}
