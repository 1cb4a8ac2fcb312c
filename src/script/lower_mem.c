/*
 * Values in memory: written straight to where they are wanted.
 */
#include "script/lower.h"

#include "builtin/builtin.h"

#include <string.h>

ref lower_at_most(struct unit *u, ref v, int64_t max)
{
	struct irb *b = &u->b;
	blkid cut = ir_block(b), keep = ir_block(b), done = ir_block(b);
	ref limit = ir_const(b, max);

	ir_br(b, ir_bin(b, OP_UGT, v, limit), cut, keep);
	ir_start(b, cut);
	ir_jmp(b, done);
	ir_start(b, keep);
	ir_jmp(b, done);
	ir_start(b, done);
	return ir_phi(b, 2, (ref[]){ limit, v });
}

ref lower_copy_text(struct unit *u, ref to, uint32_t room, ref from)
{
	struct irb *b = &u->b;
	ref n = ir_call(b, BPF_FUNC_probe_read_kernel_str, 3, to, ir_const(b, room), from);

	return ir_bin(b, OP_SUB, n, ir_const(b, 1));
}

ref lower_text_len(struct unit *u, ref text, uint32_t size)
{
	uint32_t room = size + 1; /* text may fill its memory */

	return lower_copy_text(u, ir_slot(&u->b, (room + 7) / 8 * 8), room, text);
}

/* Zeros behind the first n bytes of the destination, when it wants them. */
static void pad_from(struct unit *u, const struct dest *d, uint32_t n)
{
	if (d->pad && n < d->type->size)
		ir_zero(&u->b, d->ptr, d->off + (int32_t)n, d->type->size - n);
}

/* n bytes of text, and zeros behind them up to total. */
static void put_text(struct unit *u, const char *s, uint32_t n, uint32_t total,
		     const struct dest *d)
{
	struct irb *b = &u->b;

	for (uint32_t off = 0; off < total;) {
		unsigned unit = ir_widest((uint32_t)d->off + off, total - off);
		char bytes[8] = {};
		int64_t word;

		if (off < n)
			memcpy(bytes, s + off, n - off < unit ? n - off : unit);
		memcpy(&word, bytes, 8);
		ir_store(b, unit, d->ptr, d->off + (int32_t)off, ir_const(b, word));
		off += unit;
	}
	pad_from(u, d, total);
}

void store_text(struct unit *u, const char *s, size_t len, const struct dest *d)
{
	uint32_t n = len < d->type->size ? (uint32_t)len : d->type->size - 1;

	put_text(u, s, n, n + 1, d); /* with its NUL */
}

void store_text_cut(struct unit *u, const char *s, uint32_t n, const struct dest *d)
{
	if (n > d->type->size)
		n = d->type->size;
	put_text(u, s, n, n, d);
}

/*
 * What lies in the kernel's space is read by the old helper, which looks at the address and
 * takes the right one of its successors: nothing says of a kprobe's arg1 that it points to user
 * space.
 */
ref read_text(struct unit *u, const struct place *p, ref n, const struct dest *d,
	      struct span span)
{
	struct irb *b = &u->b;
	bool user = p->how == PLACE_USER;

	if (d->pad)
		ir_zero(b, d->ptr, d->off, d->type->size);
	ref to = d->off ? ir_bin(b, OP_ADD, d->ptr, ir_const(b, d->off)) : d->ptr;
	ref ret = ir_call(b, user ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_str, 3,
			  to, n, place_address(u, p));
	count_if_negative(u, ret, COUNT_READ, span,
			  user ? "probe_read_user_str" : "probe_read_str", true);
	return ret;
}

void read_text_whole(struct unit *u, const struct place *p, uint32_t n, const struct dest *d,
		     struct span span)
{
	struct irb *b = &u->b;
	ref ret = read_text(u, p, ir_const(b, n), d, span);

	blkid full = ir_block(b), done = ir_block(b);
	ir_br(b, ir_bin(b, OP_EQ, ret, ir_const(b, n)), full, done);
	ir_start(b, full);
	struct place last = { p->how, p->ptr, p->off + n - 1 };
	read_bytes(u, &last, 1, d->ptr, d->off + (int32_t)n - 1, span);
	ir_jmp(b, done);
	ir_start(b, done);
}

/* A char array of a struct: text up to its NUL, or all of it. */
static void read_char_array(struct unit *u, struct expr *e, const struct dest *d)
{
	struct place p = lower_place(u, e);

	if (p.how == PLACE_DIRECT)
		convert(u, p.ptr, (int32_t)p.off, e->type, d);
	else
		read_text_whole(u, &p, e->type->size, d, e->span);
}

static void convert_parts(struct unit *u, ref src, int32_t off, const struct type *from,
			  const struct dest *d)
{
	uint32_t n;
	const struct field *parts = type_fields(u->c->tt, from, &n);
	const struct field *t = type_fields(u->c->tt, d->type, &n);

	for (uint32_t i = 0; i < n; i++) {
		struct dest part = { d->ptr, d->off + (int32_t)(t[i].bit_off / 8), t[i].type,
				     d->pad };

		const struct field *f = part_like(parts, n, d->type, i);

		convert(u, src, off + (int32_t)(f->bit_off / 8), f->type, &part);
	}
}

/* The names of all probes, each in as many bytes as probe_text_type() has. */
static uint32_t names_table(struct compiler *c)
{
	struct plan *p = c->plan;
	uint32_t size = probe_text_type(c)->size;
	size_t n = p->probe_names.len;

	if (c->names_kmap)
		return c->names_kmap;
	char *table = arena_array(p->arena, char, n *size);
	for (size_t i = 0; i < n; i++)
		strcpy(table + i * size, p->probe_names.data[i]);
	vec_push(p->arena, &p->kmaps,
		 (struct plan_kmap){ .name = "probes",
				     .type = BPF_MAP_TYPE_ARRAY,
				     .key_size = 4,
				     .value_size = (uint32_t)n * size,
				     .max_entries = 1,
				     .init = table });
	return c->names_kmap = (uint32_t)p->kmaps.len - 1;
}

/* The verifier does not know that ids are below the number of names. */
static void probe_text_to(struct unit *u, ref id, const struct dest *d)
{
	struct irb *b = &u->b;
	uint32_t size = probe_text_type(u->c)->size;
	uint32_t n = size < d->type->size ? size : d->type->size;
	ref table = ir_mapval(b, names_table(u->c), 0);
	ref last = ir_const(b, (int64_t)u->c->plan->probe_names.len - 1);
	blkid in = ir_block(b), out = ir_block(b);
	struct meet m = meet_new(b);

	ir_br(b, ir_bin(b, OP_ULE, id, last), in, out);
	ir_start(b, in);
	meet_from(b, &m, id);
	ir_start(b, out);
	meet_from(b, &m, ir_const(b, 0));
	id = meet_here(b, &m);
	ir_copy(b, d->ptr, d->off,
		ir_bin(b, OP_ADD, table, ir_bin(b, OP_MUL, id, ir_const(b, size))), 0, n);
	pad_from(u, d, n);
}

void convert(struct unit *u, ref src, int32_t off, const struct type *from,
	     const struct dest *d)
{
	struct irb *b = &u->b;

	if (type_is_scalar(from)) {
		struct place p = { PLACE_DIRECT, src, off };
		ref v = read_scalar(u, &p, from, NULL, b->span);

		if (from->kind == T_PROBE && d->type->kind == T_STRING)
			probe_text_to(u, v, d);
		else
			ir_store(b, d->type->size, d->ptr, d->off, v);
	} else if ((from->kind == T_TUPLE || from->kind == T_RECORD) &&
		   !type_same(from, d->type)) {
		convert_parts(u, src, off, from, d);
	} else {
		uint32_t n = from->size < d->type->size ? from->size : d->type->size;

		ir_copy(b, d->ptr, d->off, src, off, n);
		pad_from(u, d, n);
	}
}

static void tuple_to(struct unit *u, struct expr *e, const struct dest *d)
{
	uint32_t n;
	const struct field *own = type_fields(u->c->tt, e->type, &n);
	const struct field *f = type_fields(u->c->tt, d->type, &n);

	if (d->pad) /* gaps between the parts */
		ir_zero(&u->b, d->ptr, d->off, d->type->size);
	for (uint32_t i = 0; i < n; i++) {
		struct dest part = { d->ptr, d->off + (int32_t)(f[i].bit_off / 8), f[i].type,
				     d->pad };

		lower_to(u, e->args[part_like(own, n, d->type, i) - own], &part);
	}
}

static void ternary_to(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), no = ir_block(b), done = ir_block(b);

	lower_cond(u, e->a, yes, no);
	ir_start(b, yes);
	lower_to(u, e->b, d);
	ir_jmp(b, done);
	ir_start(b, no);
	lower_to(u, e->c, d);
	ir_jmp(b, done);
	ir_start(b, done);
}

/* A struct, array or text that lies in the kernel or in a process. */
static void foreign_to(struct unit *u, struct expr *e, const struct dest *d)
{
	if (e->type->kind == T_STRING) {
		read_char_array(u, e, d);
		return;
	}
	struct place p = lower_place(u, e);
	read_bytes(u, &p, e->type->size, d->ptr, d->off, e->span);
	pad_from(u, d, e->type->size);
}

static void if_to(struct unit *u, struct stmt *s, const struct dest *d)
{
	struct irb *b = &u->b;
	blkid yes = ir_block(b), no = ir_block(b), done = ir_block(b);

	lower_cond(u, s->e, yes, no);
	ir_start(b, yes);
	lower_statements(u, s->body);
	lower_to(u, s->body->value, d);
	ir_jmp(b, done);
	ir_start(b, no);
	if (s->els->kind == S_IF) {
		if_to(u, s->els, d);
	} else {
		lower_statements(u, s->els);
		lower_to(u, s->els->value, d);
	}
	ir_jmp(b, done);
	ir_start(b, done);
}

static void part_to(struct unit *u, struct expr *e, const struct dest *d)
{
	convert(u, lower_addr(u, e->a), (int32_t)(e->field.bit_off / 8), e->type, d);
}

static void call_to(struct unit *u, struct expr *e, const struct dest *d)
{
	const struct var_sym *v;

	if (e->builtin) {
		e->builtin->lower_mem(u, e, d);
		return;
	}
	v = lower_subprog_call(u, e);
	convert(u, v->slot, 0, v->type, d);
}

static void memory_to(struct unit *u, struct expr *e, const struct dest *d)
{
	switch (e->kind) {
	case E_STRING:
		/* Keys are compared byte by byte: nothing may stand behind the NUL. */
		store_text(u, e->str.s,
			   e->is_bytes ? e->str.len : strnlen(e->str.s, e->str.len), d);
		break;
	case E_TUPLE:
	case E_RECORD: tuple_to(u, e, d); break;
	case E_COMPTIME: lower_to(u, e->a, d); break;
	case E_BLOCK:
		lower_statements(u, e->stmt);
		lower_to(u, e->stmt->value, d);
		break;
	case E_IF: if_to(u, e->stmt, d); break;
	case E_COND: ternary_to(u, e, d); break;
	case E_CAST: lower_cast_to(u, e, d); break;
	case E_TYPEINFO: lower_to(u, e->c, d); break;
	case E_FIELD:
		if (e->arg_index < 0 && e->a->type->kind == T_RECORD)
			part_to(u, e, d);
		else
			foreign_to(u, e, d);
		break;
	case E_INDEX:
	case E_UNARY: foreign_to(u, e, d); break;
	case E_NAME:
	case E_CALL: call_to(u, e, d); break;
	case E_ELEM: part_to(u, e, d); break;
	default: convert(u, lower_addr(u, e), 0, e->type, d);
	}
}

void lower_to(struct unit *u, struct expr *e, const struct dest *d)
{
	struct span outer = u->b.span;

	u->b.span = e->span;
	if (e->type->kind == T_PROBE && d->type->kind == T_STRING)
		probe_text_to(u, lower_scalar(u, e), d);
	else if (type_is_scalar(e->type))
		ir_store(&u->b, d->type->size, d->ptr, d->off, lower_scalar(u, e));
	else
		memory_to(u, e, d);
	u->b.span = outer;
}

ref lower_addr(struct unit *u, struct expr *e)
{
	if (e->kind == E_VAR)
		return e->var->slot;
	if (e->kind == E_MAP)
		return lower_map_addr(u, e);

	struct dest d = { ir_slot(&u->b, e->type->size), 0, e->type, true };
	lower_to(u, e, &d);
	return d.ptr;
}
