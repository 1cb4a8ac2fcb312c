/*
 * Casts and addresses, as IR.
 */
#include "script/lower.h"

#include <strings.h>

/* An array as the number that its bytes are. */
ref lower_array_word(struct unit *u, struct expr *e)
{
	struct place p = lower_place(u, e->a);

	return read_scalar(u, &p, e->type, NULL, e->span);
}

/* The bytes of a number, in the order that they have in memory. */
static void word_to(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	ref v = lower_scalar(u, e->a);
	unsigned size;

	for (uint32_t off = 0; off < d->type->size; off += size) {
		size = ir_widest((uint32_t)d->off + off, d->type->size - off);
		ir_store(b, size, d->ptr, d->off + (int32_t)off,
			 off ? ir_bin(b, OP_SHR, v, ir_const(b, 8 * off)) : v);
	}
}

void lower_cast_to(struct unit *u, struct expr *e, const struct dest *d)
{
	const struct type *from = e->a->type;

	if (type_is_scalar(from)) {
		word_to(u, e, d);
	} else if (from->kind == T_STRING && e->type->kind == T_ARRAY) {
		struct dest text = *d;

		text.type = type_string(u->c->tt, d->type->size);
		text.pad = true;
		lower_to(u, e->a, &text);
	} else {
		lower_to(u, e->a, d);
	}
}

/*
 * An address as a plain number, which the verifier takes anything to be done with: the memory
 * is read as the kernel's.  Swapped twice it is the same word.
 */
static ref plain(struct unit *u, ref at)
{
	return ir_bswap(&u->b, 8, ir_bswap(&u->b, 8, at));
}

ref lower_array_address(struct unit *u, struct expr *e)
{
	struct place p = lower_place(u, e);
	ref at = place_address(u, &p);

	return p.how == PLACE_DIRECT ? plain(u, at) : at;
}

ref lower_address_kept(struct unit *u, struct expr *e)
{
	return e->a->kind == E_VAR ? e->a->var->slot : lower_map_entry(u, e->a);
}

ref lower_address(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;

	if (e->a->kind == E_VAR)
		return plain(u, e->a->var->slot);

	ref at = lower_address_kept(u, e);
	blkid hit = ir_block(b), miss = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, at, hit, miss);
	ir_start(b, hit);
	meet_from(b, &m, plain(u, at));
	ir_start(b, miss);
	meet_from(b, &m, ir_const(b, 0));
	return meet_here(b, &m);
}

/* probe == "name": is it one of the attach points of that name? */
ref lower_is_probe(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	bool left = e->a->type->kind == T_PROBE;
	const struct expr *text = left ? e->b : e->a;
	ref id = lower_scalar(u, left ? e->a : e->b), is = 0;
	const struct plan *p = u->c->plan;

	for (size_t i = 0; i < p->probe_names.len; i++) {
		if (strcasecmp(p->probe_names.data[i], text->str.s) != 0)
			continue;
		ref this = ir_bin(b, OP_EQ, id, ir_const(b, (int64_t)i));
		is = is ? ir_bin(b, OP_OR, is, this) : this;
	}
	if (!is)
		is = ir_const(b, 0);
	return e->op == BIN_EQ ? is : ir_bin(b, OP_EQ, is, ir_const(b, 0));
}
