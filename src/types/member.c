#include "types/dwarf.h"
#include "types/kernel_types.h"

#include <string.h>

/*
 * Anonymous members may nest, and a damaged BTF may nest them in circles: the search gives up
 * at this depth, or after this many members.
 */
enum { DEPTH_MAX = 16, MEMBERS_MAX = 1 << 16 };

static bool is_complete(const struct type *t)
{
	switch (t->kind) {
	case T_STRUCT: return t->fields;
	case T_ENUM: return t->consts;
	default: return true;
	}
}

const struct type *type_complete(struct typetab *tt, const struct type *t)
{
	if (is_complete(t))
		return t;

	/* Types are immutable to all others; filling in what was left out happens here only. */
	struct type *open = (struct type *)t;

	if (t->dwarf) {
		dwarf_complete(tt, open);
		return t;
	}
	if (!t->btf && t->name[0] && kernel_btf(tt, NULL)) {
		open->btf = tt->btf;
		open->btf_id =
			btf_find(tt->btf, t->kind == T_ENUM ? BTF_ENUMS : BTF_STRUCTS, t->name);
	}
	if (t->btf && t->btf_id)
		btf_complete(tt, open);
	return t;
}

const struct field *type_fields(struct typetab *tt, const struct type *t, uint32_t *n)
{
	type_complete(tt, t);
	*n = t->nfields;
	return t->fields;
}

const struct enum_const *type_enum_consts(struct typetab *tt, const struct type *t, uint32_t *n)
{
	type_complete(tt, t);
	*n = t->nconsts;
	return t->consts;
}

static bool find_virtual(struct typetab *tt, const struct type *t, const char *name, int depth,
			 int *budget, struct field *out);

static bool find_member(struct typetab *tt, const struct type *t, const char *name, int depth,
			int *budget, struct field *out)
{
	uint32_t n;
	const struct field *fields = type_fields(tt, t, &n);

	for (uint32_t i = 0; i < n && --*budget > 0; i++) {
		const struct field *f = &fields[i];

		if (f->name[0]) {
			if (strcmp(f->name, name) != 0)
				continue;
			*out = *f;
			return true;
		}
		if (f->type->kind == T_STRUCT && depth < DEPTH_MAX &&
		    find_member(tt, f->type, name, depth + 1, budget, out)) {
			if (out->vtable_slot)
				out->vtable_at += f->bit_off / 8;
			else
				out->bit_off += f->bit_off;
			return true;
		}
	}
	return depth < DEPTH_MAX && find_virtual(tt, t, name, depth, budget, out);
}

static bool find_virtual(struct typetab *tt, const struct type *t, const char *name, int depth,
			 int *budget, struct field *out)
{
	for (uint32_t i = 0; i < t->nvirtual_bases; i++) {
		const struct field *f = &t->virtual_bases[i];

		/* A base's own virtual base would take two steps. */
		if (!find_member(tt, f->type, name, depth + 1, budget, out) || out->vtable_slot)
			continue;
		out->vtable_slot = f->vtable_slot;
		return true;
	}
	return false;
}

bool type_member(struct typetab *tt, const struct type *t, const char *name, struct field *out)
{
	int budget = MEMBERS_MAX;

	return name[0] && find_member(tt, t, name, 0, &budget, out);
}
