#include "probe/user_abi.h"

#include "probe/arch.h"

#include <string.h>

enum {
	IN_REGS_MAX = 16, /* bytes of a struct that is passed in registers */
	FLOAT_REGS = 8,
	FIELDS_MAX = 256,
};

struct call {
	struct typetab *tt;
	unsigned nints, nfloats; /* registers used */
	uint32_t stack;		 /* bytes used of it */
};

static struct dwarf_place nowhere(const char *why)
{
	return (struct dwarf_place){ .kind = DWARF_NOWHERE, .why = why };
}

static struct dwarf_place in_float(void)
{
	return nowhere("it is in a floating-point register, which probes cannot read");
}

static struct dwarf_place on_stack(struct call *c, uint32_t size, uint32_t align)
{
	struct dwarf_place p = { .kind = DWARF_MEMORY, .reg = arch_host.sp_dwarf };

	c->stack = (c->stack + align - 1) / align * align;
	p.off = arch_host.entry_cfa + c->stack;
	c->stack += (size + 7) / 8 * 8;
	return p;
}

static struct dwarf_place in_words(struct call *c, unsigned nwords, uint32_t size,
				   uint32_t align)
{
	struct dwarf_place p = { .kind = nwords == 2 ? DWARF_PAIR : DWARF_REG };

	if (c->nints + nwords > arch_host.nargs)
		return on_stack(c, size, align);
	p.reg = arch_host.args_dwarf[c->nints];
	if (nwords == 2)
		p.reg2 = arch_host.args_dwarf[c->nints + 1];
	c->nints += nwords;
	return p;
}

/* The address of the value is passed. */
static struct dwarf_place by_ref(struct call *c)
{
	struct dwarf_place p = in_words(c, 1, 8, 8);

	if (p.kind == DWARF_MEMORY)
		p.is_ref = true;
	p.kind = DWARF_MEMORY;
	return p;
}

struct classes {
	bool has_int[2], has_float[2]; /* of each 8 bytes */
	bool is_unaligned;
	unsigned budget;
};

static void classify(struct typetab *tt, const struct type *t, uint32_t off, struct classes *k)
{
	uint32_t n = 0;

	if (!k->budget || off >= IN_REGS_MAX)
		return;
	k->budget--;
	if (t->kind == T_ARRAY) {
		for (uint32_t i = 0; i < t->nelems && i < IN_REGS_MAX; i++)
			classify(tt, t->elem, off + i * t->elem->size, k);
	} else if (t->kind == T_STRUCT) {
		const struct field *f = type_fields(tt, t, &n);

		for (uint32_t i = 0; i < n; i++) {
			uint32_t at = off + f[i].bit_off / 8;

			k->is_unaligned |= !f[i].bit_size && f[i].type->kind != T_STRUCT &&
					   f[i].type->align && at % f[i].type->align;
			classify(tt, f[i].type, at, k);
		}
	} else if (t->kind == T_FLOAT) {
		k->has_float[off / 8] = true;
		k->is_unaligned |= t->size > 8; /* long double: never in registers */
	} else if (t->size) {
		k->has_int[off / 8] = true;
	}
}

static struct dwarf_place place_struct(struct call *c, const struct type *t)
{
	struct classes k = { .budget = FIELDS_MAX };

	classify(c->tt, t, 0, &k);
	if (t->dwarf && !t->size)
		return nowhere("the debug information only declares its type");
	if (!k.has_int[0] && !k.has_float[0] && !k.has_int[1] && !k.has_float[1])
		return nowhere("it is empty");
	if (t->size > IN_REGS_MAX && arch_host.big_by_ref)
		return by_ref(c);
	if (t->size > IN_REGS_MAX || k.is_unaligned || !k.budget)
		return on_stack(c, t->size, 8);

	unsigned nwords = t->size > 8 ? 2 : 1, nints = 0;
	for (unsigned i = 0; i < nwords; i++)
		nints += k.has_int[i];
	if (nints == nwords)
		return in_words(c, nwords, t->size, 8);
	if (c->nints + nints > arch_host.nargs || c->nfloats + nwords - nints > FLOAT_REGS)
		return on_stack(c, t->size, 8);
	c->nints += nints;
	c->nfloats += nwords - nints;
	return in_float();
}

static struct dwarf_place place_one(struct call *c, const struct dwarf_param *p)
{
	const struct type *t = p->type;

	if (p->is_by_ref)
		return by_ref(c);
	switch (t->kind) {
	case T_STRUCT: return place_struct(c, t);
	case T_ARRAY: return in_words(c, 2, 16, 16); /* __int128 */
	case T_FLOAT:
		if (t->size > 8 || c->nfloats == FLOAT_REGS)
			return on_stack(c, t->size, t->size > 8 ? 16 : 8);
		c->nfloats++;
		return in_float();
	default: return in_words(c, 1, 8, 8);
	}
}

void user_abi_place(struct typetab *tt, const struct dwarf_param *params, unsigned n,
		    const struct type *result, bool returns_by_ref, struct dwarf_place *out)
{
	struct call c = { .tt = tt };
	struct classes k = { .budget = FIELDS_MAX };
	bool known = true;

	if (result->kind == T_STRUCT)
		classify(tt, result, 0, &k);
	returns_by_ref |=
		result->kind == T_STRUCT && (result->size > IN_REGS_MAX || k.is_unaligned);
	if (returns_by_ref && !arch_host.big_by_ref)
		c.nints++;
	for (unsigned i = 0; i < n; i++) {
		/* One that is not known leaves open where the next ones are. */
		known &= params[i].type->size > 0 || params[i].type->kind == T_STRUCT;
		out[i] = known ? place_one(&c, &params[i])
			       : nowhere("its type, or that of one before it, is not known");
	}
}
