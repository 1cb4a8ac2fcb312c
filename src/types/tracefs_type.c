#include "types/ctext.h"
#include "types/tracefs.h"

#include <string.h>

static const struct type *bytes(struct typetab *tt, uint32_t size)
{
	return type_array(tt, type_int(tt, 1, false), size);
}

/* One value: what the C text says if that agrees with the size, else an integer or bytes. */
static const struct type *value_type(struct typetab *tt, const struct tp_field *f,
				     uint32_t size, enum addr_space as)
{
	/* An integer's C name is not asked: the file knows better, and it may need BTF. */
	bool is_plain_int = type_is_int_size(size) && !strchr(f->type, '*') &&
			    !strstr(f->type, "struct ") && !strstr(f->type, "union ");

	if (is_plain_int) {
		if (!strcmp(f->type, "bool") && size == 1)
			return &type_bool;
		if (!strcmp(f->type, "char") && size == 1)
			return type_char(tt, f->is_signed);
		return type_int(tt, size, f->is_signed);
	}

	const struct type *t = type_complete(tt, ctext_type(tt, f->type, as));
	if (t->size == size && size)
		return t;
	return type_is_int_size(size) ? type_int(tt, size, f->is_signed) : bytes(tt, size);
}

static const struct type *array_type(struct typetab *tt, const struct tp_field *f,
				     enum addr_space as)
{
	uint32_t elem = f->nelems && f->size % f->nelems == 0 ? f->size / f->nelems : 0;

	/* A flexible array, or a size given by a macro's name. */
	if (!elem)
		elem = type_complete(tt, ctext_type(tt, f->type, as))->size;
	if (!elem || f->size % elem)
		return bytes(tt, f->size);
	return type_array(tt, value_type(tt, f, elem, as), f->size / elem);
}

static const struct type *field_type(struct typetab *tt, const struct tp_field *f,
				     enum addr_space as)
{
	if (f->is_user)
		as = AS_USER;
	switch (f->kind) {
	case TP_ARRAY: return array_type(tt, f, as);
	case TP_DATA_LOC:
	case TP_REL_LOC: return type_int(tt, 4, false);
	default: return value_type(tt, f, f->size, as);
	}
}

const struct type *tp_format_type(struct typetab *tt, const struct tp_format *f,
				  const char *name, enum addr_space as)
{
	struct type *t = arena_new(tt->arena, struct type);

	t->kind = T_STRUCT;
	t->name = arena_strdup(tt->arena, name);
	t->size = f->size;
	t->align = 8;
	t->nfields = f->nfields;
	t->fields = arena_array(tt->arena, struct field, f->nfields);
	for (uint32_t i = 0; i < f->nfields; i++) {
		const struct tp_field *from = &f->fields[i];

		t->fields[i] = (struct field){
			.name = from->name,
			.type = field_type(tt, from, as),
			.bit_off = from->offset * 8,
			.data_loc = from->kind == TP_DATA_LOC,
			.rel_loc = from->kind == TP_REL_LOC,
			.is_user = from->is_user,
		};
	}
	return t;
}
