/*
 * Reading memory that is not the program's own: the context, the kernel's, a process's.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

#include <string.h>

struct place place_of_pointer(struct unit *u, ref ptr, enum addr_space as)
{
	(void)u;
	return (struct place){ as == AS_USER ? PLACE_USER : PLACE_KERNEL, ptr, 0 };
}

ref place_address(struct unit *u, const struct place *p)
{
	return p->off ? ir_bin(&u->b, OP_ADD, p->ptr, ir_const(&u->b, p->off)) : p->ptr;
}

void read_bytes(struct unit *u, const struct place *p, uint32_t size, ref dst, int32_t off,
		struct span span)
{
	struct irb *b = &u->b;
	bool user = p->how == PLACE_USER;
	ref to = off ? ir_bin(b, OP_ADD, dst, ir_const(b, off)) : dst;

	if (p->how == PLACE_DIRECT) {
		ir_copy(b, dst, off, p->ptr, (int32_t)p->off, size);
		return;
	}
	ref ret = ir_call(b, user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel, 3,
			  to, ir_const(b, size), place_address(u, p));
	count_if_negative(u, ret, COUNT_READ, span,
			  user ? "probe_read_user" : "probe_read_kernel", true);
}

/* A bit-field: the smallest aligned word around it is read, then shifted down. */
static ref read_bits(struct unit *u, const struct place *p, const struct field *f,
		     bool is_signed, struct span span)
{
	struct irb *b = &u->b;
	uint32_t first = f->bit_off % 8, bytes = (first + f->bit_size + 7) / 8;
	unsigned size = bytes > 4 ? 8 : bytes > 2 ? 4 : bytes;
	struct place word = { p->how, p->ptr, p->off };
	ref v = read_scalar(u, &word, type_int(u->c->tt, size, false), NULL, span);

	v = ir_bin(b, OP_SHL, v, ir_const(b, 64 - first - f->bit_size));
	return ir_bin(b, is_signed ? OP_SAR : OP_SHR, v, ir_const(b, 64 - f->bit_size));
}

ref read_scalar(struct unit *u, const struct place *p, const struct type *t,
		const struct field *bits, struct span span)
{
	struct irb *b = &u->b;
	ref v;

	if (bits)
		return read_bits(u, p, bits, t->is_signed, span);
	if (p->how == PLACE_DIRECT) {
		v = ir_load(b, t->size, p->ptr, (int32_t)p->off);
	} else {
		ref slot = ir_slot(b, 8);

		read_bytes(u, p, t->size, slot, 0, span);
		v = ir_load(b, t->size, slot, 0);
	}
	return t->size < 8 && t->is_signed ? ir_ext(b, true, t->size, v) : v;
}

/* The struct, array or pointer below a field: pointers are followed, parts of a whole are not.
 */
static struct place place_below(struct unit *u, struct expr *e)
{
	if (e->type->kind == T_PTR)
		return place_of_pointer(u, lower_scalar(u, e), e->type->as);
	return lower_place(u, e);
}

/* Where the virtual base of an object begins, which its table of functions says. */
static struct place virtual_base(struct unit *u, const struct place *p, const struct field *f,
				 struct span span)
{
	struct irb *b = &u->b;
	const struct type *word = type_int(u->c->tt, 8, true);
	ref object = ir_bin(b, OP_ADD, p->ptr, ir_const(b, p->off + f->vtable_at));
	struct place at = { p->how, object, 0 };

	at.ptr = read_scalar(u, &at, word, NULL, span);
	at.off = f->vtable_slot;
	at.ptr = ir_bin(b, OP_ADD, object, read_scalar(u, &at, word, NULL, span));
	at.off = 0;
	return at;
}

static struct place arg_place(struct unit *u, const struct expr *e)
{
	return argloc_place(u, &u->shape.args[e->arg_index].loc);
}

/*
 * What is read where nothing is: memory of zeros, so that the read does not fail as well.  A
 * process's memory and large elements have none; the read at 0 fails and gives zeros, too.
 */
static ref zeros(struct unit *u, const struct place *p, uint32_t size)
{
	enum { ZEROS_MAX = 64 };
	struct irb *b = &u->b;

	if (p->how == PLACE_USER || size > ZEROS_MAX)
		return ir_const(b, 0);
	ref slot = ir_slot(b, (size + 7) / 8 * 8);
	ir_zero(b, slot, 0, size);
	return slot;
}

static struct place index_place(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	struct place p = place_below(u, e->a);
	const struct type *t = e->a->type;
	uint32_t n, size = 1, nelems = t->kind == T_STRING ? t->size : t->nelems;

	if (t->kind != T_STRING) {
		type_fields(u->c->tt, t->elem, &n);
		size = t->elem->size;
	}
	if (e->b->is_const) {
		p.off += e->b->const_value * (int64_t)size;
		return p;
	}

	/* Behind the end of an array of known size there is nothing to read: zero, and counted.
	 */
	ref i = lower_scalar(u, e->b);
	if (t->kind != T_PTR && nelems) {
		ref zero = zeros(u, &p, size);
		uint32_t off = counter_new(u, COUNT_INDEX, e->span, NULL, false);
		blkid ok = ir_block(b), bad = ir_block(b);
		struct meet m = meet_new(b);

		ir_br(b, ir_bin(b, OP_ULT, i, ir_const(b, nelems)), ok, bad);
		ir_start(b, ok);
		ref step = ir_bin(b, OP_MUL, i, ir_const(b, size));
		meet_from(b, &m, ir_bin(b, OP_ADD, p.ptr, step));
		ir_start(b, bad);
		count_failure(u, off, i);
		meet_from(b, &m, zero);
		p.ptr = meet_here(b, &m);
		if (p.how == PLACE_DIRECT)
			p.how = PLACE_KERNEL;
		return p;
	}
	p.ptr = ir_bin(b, OP_ADD, p.ptr, ir_bin(b, OP_MUL, i, ir_const(b, size)));
	return p;
}

/*
 * ctx of a sample is no memory that looks like its type: the kernel translates plain loads from
 * it (struct bpf_perf_event_data), and what else reads there finds pointers of its own.
 */
static bool is_perf_context(const struct unit *u, const struct expr *e)
{
	return e->builtin && !strcmp(e->builtin->name, "ctx") &&
	       u->group->prog_type == BPF_PROG_TYPE_PERF_EVENT;
}

struct place lower_place(struct unit *u, struct expr *e)
{
	struct place p;

	switch (e->kind) {
	case E_FIELD:
		if (e->arg_index >= 0)
			return arg_place(u, e);
		p = is_perf_context(u, e->a) ? (struct place){ PLACE_DIRECT, u->ctx, 0 }
					     : place_below(u, e->a);
		if (e->field.vtable_slot)
			p = virtual_base(u, &p, &e->field, e->span);
		p.off += e->field.bit_off / 8;
		return p;
	case E_INDEX: return index_place(u, e);
	case E_UNARY: /* *p, or *n: the address is the number */
		return place_of_pointer(u, lower_scalar(u, e->a),
					e->a->type->kind == T_PTR ? e->a->type->as : AS_KERNEL);
	default: return (struct place){ PLACE_DIRECT, lower_addr(u, e), 0 };
	}
}
