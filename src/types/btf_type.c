#include "types/btf_raw.h"

#include <string.h>

/* Sizes in bits must fit 32 bits; no C type of a kernel comes near. */
enum { SIZE_MAX_BYTES = 1 << 28 };

static const struct type *make(struct typetab *tt, const struct btf *b, uint32_t id, int depth);

/* BTF does not tell alignment: the largest that the size allows is at least the true one. */
static uint32_t guess_align(uint32_t size)
{
	return size % 8 == 0 ? 8 : size & -size;
}

static const struct type *make_int(struct typetab *tt, const struct btf *b,
				   const struct raw_type *raw)
{
	enum { SIGNED = 1, CHAR = 2, BOOL = 4 };
	unsigned encoding = *(const uint32_t *)raw_items(raw) >> 24 & 0xf;
	bool is_signed = encoding & SIGNED;

	if (encoding & BOOL && raw->size == 1)
		return &type_bool;
	if (raw->size == 1 && (encoding & CHAR || !strcmp(btf_str(b, raw->name_off), "char")))
		return type_char(tt, is_signed);
	if (type_is_int_size(raw->size))
		return type_int(tt, raw->size, is_signed);
	/* __int128, or nothing that C knows: words or bytes. */
	uint32_t word = raw->size % 8 ? 1 : 8;
	return type_array(tt, type_int(tt, word, false), raw->size / word);
}

static const struct type *make_float(struct typetab *tt, const struct raw_type *raw)
{
	struct type *t = arena_new(tt->arena, struct type);

	t->kind = T_FLOAT;
	t->size = raw->size;
	t->align = guess_align(raw->size);
	return t;
}

/* A struct, union, enum or function: what it consists of is left out. */
static struct type *new_tagged(struct typetab *tt, enum type_kind kind, const struct btf *b,
			       uint32_t id, const struct raw_type *raw)
{
	struct type *t = arena_new(tt->arena, struct type);

	t->kind = kind;
	t->align = 1;
	t->name = btf_str(b, raw->name_off);
	t->btf = b;
	t->btf_id = id;
	return t;
}

static const struct type *make_struct(struct typetab *tt, const struct btf *b, uint32_t id,
				      const struct raw_type *raw)
{
	struct type *t = new_tagged(tt, T_STRUCT, b, id, raw);

	t->is_union = raw_kind(raw) == BTF_UNION;
	t->size = raw->size <= SIZE_MAX_BYTES ? raw->size : 0;
	t->align = guess_align(t->size);
	return t;
}

static const struct type *make_enum(struct typetab *tt, const struct btf *b, uint32_t id,
				    const struct raw_type *raw)
{
	struct type *t = new_tagged(tt, T_ENUM, b, id, raw);

	t->is_signed = raw_flag(raw);
	t->size = t->align = type_is_int_size(raw->size) ? raw->size : 4;
	return t;
}

/* A forward declaration whose definition the kernel's files do not share: no members. */
static const struct type *make_fwd(struct typetab *tt, const struct btf *b, uint32_t id,
				   const struct raw_type *raw)
{
	struct type *t = new_tagged(tt, T_STRUCT, b, id, raw);

	t->is_union = raw_flag(raw);
	t->fields = arena_array(tt->arena, struct field, 0);
	return t;
}

/* Between a pointer and its target there may stand qualifiers and tags. */
static bool is_user_target(const struct btf *b, uint32_t id)
{
	for (int i = 0; i < BTF_DEPTH_MAX; i++) {
		const struct raw_type *t = btf_at(b, id);

		switch (raw_kind(t)) {
		case BTF_TYPE_TAG:
			if (!strcmp(btf_str(b, t->name_off), "user"))
				return true;
			break;
		case BTF_CONST:
		case BTF_VOLATILE:
		case BTF_RESTRICT: break;
		default: return false;
		}
		id = t->type;
	}
	return false;
}

static const struct type *make_ptr(struct typetab *tt, const struct btf *b,
				   const struct raw_type *raw, int depth)
{
	enum addr_space as = is_user_target(b, raw->type) ? AS_USER : AS_NONE;

	return type_ptr(tt, make(tt, b, raw->type, depth + 1), as);
}

static const struct type *make_array(struct typetab *tt, const struct btf *b,
				     const struct raw_type *raw, int depth)
{
	const struct raw_array *a = raw_items(raw);

	return type_array(tt, make(tt, b, a->type, depth + 1), a->nelems);
}

static const struct type *make_new(struct typetab *tt, const struct btf *b, uint32_t id,
				   const struct raw_type *raw, int depth)
{
	switch (raw_kind(raw)) {
	case BTF_INT: return make_int(tt, b, raw);
	case BTF_FLOAT: return make_float(tt, raw);
	case BTF_PTR: return make_ptr(tt, b, raw, depth);
	case BTF_ARRAY: return make_array(tt, b, raw, depth);
	case BTF_STRUCT:
	case BTF_UNION: return make_struct(tt, b, id, raw);
	case BTF_ENUM:
	case BTF_ENUM64: return make_enum(tt, b, id, raw);
	case BTF_FWD: return make_fwd(tt, b, id, raw);
	case BTF_FUNC:
	case BTF_FUNC_PROTO: return new_tagged(tt, T_FUNC, b, id, raw);
	default: return &type_void;
	}
}

/* Pointers and arrays recurse, one way only; where a damaged file makes a circle, depth ends
 * it. */
static const struct type *make(struct typetab *tt, const struct btf *b, uint32_t id, int depth)
{
	if (depth > BTF_DEPTH_MAX)
		return &type_void;
	id = btf_strip(b, id);
	while (b->base && id < b->first_id)
		b = b->base;

	const struct type *t = typetab_known(tt, b, id);
	if (t)
		return t;
	t = make_new(tt, b, id, btf_at(b, id), depth);
	typetab_remember(tt, b, id, t);
	return t;
}

const struct type *btf_type(struct typetab *tt, const struct btf *b, uint32_t id)
{
	return make(tt, b, id, 0);
}

struct raw_var {
	uint32_t type, offset, size;
};

const struct type *btf_section(struct typetab *tt, const struct btf *b, uint32_t id,
			       uint32_t size)
{
	const struct raw_type *raw = btf_at(b, id);
	const struct raw_var *vars = raw_items(raw);

	if (raw_kind(raw) != BTF_DATASEC)
		return NULL;
	struct type *t = arena_new(tt->arena, struct type);
	*t = (struct type){ .kind = T_RECORD, .size = size, .align = 8, .name = "" };
	t->fields = arena_array(tt->arena, struct field, raw_vlen(raw));
	for (uint32_t i = 0; i < raw_vlen(raw); i++) {
		const struct raw_type *var = btf_at(b, vars[i].type);
		const struct type *type = btf_type(tt, b, var->type);

		if (raw_kind(var) != BTF_VAR || vars[i].offset > size ||
		    type->size > size - vars[i].offset)
			continue;
		t->fields[t->nfields++] = (struct field){ .name = btf_str(b, var->name_off),
							  .type = type,
							  .bit_off = vars[i].offset * 8 };
	}
	return t;
}

/* Members end inside their struct; what a damaged file puts elsewhere does not exist. */
static bool is_inside(const struct type *t, const struct btf_member *m, const struct type *type)
{
	uint64_t bits = m->bit_size ? m->bit_size : (uint64_t)type->size * 8;

	if (m->bit_size && (!type_is_integral(type) || m->bit_size > type->size * 8))
		return false;
	if (!m->bit_size && m->bit_off % 8)
		return false;
	return m->bit_off + bits <= (uint64_t)t->size * 8;
}

static void complete_struct(struct typetab *tt, struct type *t, const struct raw_type *raw)
{
	t->fields = arena_array(tt->arena, struct field, raw_vlen(raw));
	for (uint32_t i = 0; i < raw_vlen(raw); i++) {
		struct btf_member m = btf_member_at(t->btf, raw, i);
		const struct type *type = btf_type(tt, t->btf, m.type);

		if (!is_inside(t, &m, type))
			continue;
		t->fields[t->nfields++] = (struct field){
			.name = m.name,
			.type = type,
			.bit_off = m.bit_off,
			.bit_size = m.bit_size,
			.is_user = type->kind == T_PTR && type->as == AS_USER,
		};
	}
}

static void complete_enum(struct typetab *tt, struct type *t, const struct raw_type *raw)
{
	t->nconsts = raw_vlen(raw);
	t->consts = arena_array(tt->arena, struct enum_const, t->nconsts);
	for (uint32_t i = 0; i < t->nconsts; i++)
		t->consts[i] = btf_enum_at(t->btf, raw, i);
}

void btf_complete(struct typetab *tt, struct type *t)
{
	const struct raw_type *raw = btf_at(t->btf, t->btf_id);

	switch (raw_kind(raw)) {
	case BTF_STRUCT:
	case BTF_UNION:
		/* Known by its name only until now: the size was not. */
		if (!t->size && raw->size <= SIZE_MAX_BYTES) {
			t->size = raw->size;
			t->align = guess_align(raw->size);
		}
		complete_struct(tt, t, raw);
		break;
	case BTF_ENUM:
	case BTF_ENUM64: complete_enum(tt, t, raw); break;
	default: break;
	}
}

/* The prototype behind a function, a typedef of one or a pointer to one. */
static const struct raw_type *find_proto(const struct btf *b, uint32_t id)
{
	for (int i = 0; i < BTF_DEPTH_MAX; i++) {
		const struct raw_type *t = btf_at(b, btf_strip(b, id));

		if (raw_kind(t) == BTF_FUNC_PROTO)
			return t;
		if (raw_kind(t) != BTF_FUNC && raw_kind(t) != BTF_PTR)
			return NULL;
		id = t->type;
	}
	return NULL;
}

int btf_func_params(struct typetab *tt, const struct btf *b, uint32_t id,
		    struct btf_param *params, int max, const struct type **ret)
{
	const struct raw_type *proto = find_proto(b, id);

	if (!proto)
		return -1;
	if (ret)
		*ret = btf_type(tt, b, proto->type);

	const struct raw_param *raw = raw_items(proto);
	int n = 0;
	for (uint32_t i = 0; i < raw_vlen(proto) && n < max; i++) {
		if (!raw[i].type && i + 1 == raw_vlen(proto))
			break;
		params[n++] = (struct btf_param){
			.name = btf_str(b, raw[i].name_off),
			.type = btf_type(tt, b, raw[i].type),
			.id = raw[i].type,
		};
	}
	return n;
}

uint32_t btf_func_result(const struct btf *b, uint32_t id)
{
	const struct raw_type *proto = find_proto(b, id);

	return proto ? proto->type : 0;
}

bool btf_func_variadic(const struct btf *b, uint32_t id)
{
	const struct raw_type *proto = find_proto(b, id);
	uint32_t n = proto ? raw_vlen(proto) : 0;
	const struct raw_param *raw = n ? raw_items(proto) : NULL;

	return n && !raw[n - 1].type;
}
