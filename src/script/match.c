/*
 * Text against a table.
 *
 * A chunk of bytes is read in a row and the state is looked at once behind them: it is final
 * when the pattern was found, when it cannot be found any more, or when the text has ended,
 * since the NUL leads to one of the two final states.  The kernel's verifier goes through every
 * round, and its work grows with the square of their number: so long texts have longer chunks.
 */
#include "script/match.h"

#include <string.h>

enum { CHUNK_MIN = 16, ROUNDS_MAX = 128, BYTES = 256, BYTES_LOG2 = 8 };

/* Byte `off` of a literal, as a place in the script: escapes are longer there. */
static struct span place_in_literal(struct unit *u, const struct expr *e, size_t off,
				    size_t len)
{
	const char *text = source_text(u->c->sources, u->c->arena, e->span);
	uint32_t beg = e->span.beg;
	size_t n = strlen(text), at = 1;

	if (e->kind != E_STRING || !n || (*text != '"' && *text != '/'))
		return e->span;
	if (*text == '/') {
		off -= e->regex == REGEX_FOLD ? strlen("(?i)") : 0;
		return (struct span){ beg + 1 + (uint32_t)off,
				      beg + 1 + (uint32_t)(off + len) };
	}
	size_t first = 0, end = 0;
	for (size_t i = 0; at < n && i <= off + len; i++) {
		if (i == off)
			first = at;
		if (i == off + len)
			end = at;
		if (text[at] == '\\' && at + 1 < n) {
			at++;
			if (text[at] == 'x')
				at += 1 + strspn(text + at + 1, "0123456789abcdefABCDEF");
			else if (text[at] >= '0' && text[at] <= '7')
				at += strspn(text + at, "01234567");
			else
				at++;
		} else {
			at++;
		}
	}
	if (!first || end <= first)
		return e->span;
	return (struct span){ beg + (uint32_t)first, beg + (uint32_t)end };
}

static bool report(struct unit *u, const struct expr *pattern, const struct regex_error *err)
{
	if (err->too_large)
		diag(u->c->dx, E0146_PATTERN_SIZE, pattern->span, DFA_STATES_MAX);
	else
		diag(u->c->dx, E0145_PATTERN, place_in_literal(u, pattern, err->off, err->len),
		     err->why);
	return false;
}

bool check_match(struct unit *u, struct expr *e, struct expr *pattern, enum pattern_kind kind)
{
	struct regex_error err = {};
	struct dfa *d;
	const char *s;
	size_t len;

	if (e->data)
		return true;
	if (!literal_text(u, pattern, &s, &len)) {
		if (!type_is_error(check_expr(u, pattern)))
			diag(u->c->dx, E0147_PATTERN_LITERAL, pattern->span);
		return false;
	}
	pattern->type = type_string(u->c->tt, (uint32_t)len + 1);
	d = arena_new(u->c->arena, struct dfa);
	if (!regex_compile(u->c->arena, s, len, kind, d, &err))
		return report(u, pattern, &err);
	e->data = d;
	return true;
}

const struct type *check_match_operator(struct unit *u, struct expr *e)
{
	const struct type *t = check_value(u, e->a);

	if (!check_match(u, e, e->b, PATTERN_REGEX) || type_is_error(t))
		return &type_error;
	if (t->kind == T_STRING || probe_as_text(u, e->a))
		return &type_bool;

	struct diag *d = diag(u->c->dx, E0112_OPERAND, e->span, binary_op_text[e->op],
			      type_text(u->c, t), type_text(u->c, e->b->type));
	if (t->kind == T_PTR || t->kind == T_INT)
		diag_hint(d, "str() reads the text at an address");
	return &type_error;
}

ref lower_chunked(struct unit *u, struct expr *e, uint32_t chunk, uint32_t *size)
{
	*size = (e->type->size + chunk - 1) / chunk * chunk;
	if (*size == e->type->size)
		return lower_addr(u, e);

	struct dest d = { ir_slot(&u->b, *size), 0, type_string(u->c->tt, *size), true };
	lower_to(u, e, &d);
	return d.ptr;
}

/* The table in memory of the program: a row per state, as many rows as a mask can tell. */
struct table {
	ref base;
	unsigned width; /* bytes of an entry */
	unsigned mask;	/* of a state's number; 0: its width is mask enough */
};

static uint32_t table_map(struct unit *u, const void *table, uint32_t size)
{
	static const char name[] = "pattern";
	struct plan *p = u->c->plan;

	for (uint32_t i = KMAP_FIRST_FREE; i < p->kmaps.len; i++) {
		const struct plan_kmap *m = &p->kmaps.data[i];

		if (m->name == name && m->value_size == size && !memcmp(m->init, table, size))
			return i;
	}
	vec_push(p->arena, &p->kmaps,
		 (struct plan_kmap){
			 .name = name,
			 .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = size,
			 .max_entries = 1,
			 .init = table,
		 });
	return (uint32_t)p->kmaps.len - 1;
}

static struct table make_table(struct unit *u, const struct dfa *d)
{
	unsigned rows = 2;
	struct table t = { .width = d->nstates > BYTES ? 2 : 1 };

	while (rows < d->nstates)
		rows *= 2;
	t.mask = rows == BYTES ? 0 : rows - 1;

	uint32_t size = rows * BYTES * t.width;
	uint8_t *bytes = arena_alloc(u->c->plan->arena, size);
	for (size_t i = 0; i < (size_t)d->nstates * BYTES; i++) {
		uint16_t to = d->next[i / BYTES][i % BYTES];

		bytes[i * t.width] = (uint8_t)to;
		if (t.width == 2)
			bytes[i * 2 + 1] = (uint8_t)(to >> 8);
	}
	t.base = ir_mapval(&u->b, table_map(u, bytes, size), 0);
	return t;
}

/* Where the byte c leads to from a state; c is 0: the end. */
static ref look_up(struct irb *b, const struct table *t, ref state, ref c)
{
	if (t->mask)
		state = ir_bin(b, OP_AND, state, ir_const(b, t->mask));
	ref at = ir_bin(b, OP_SHL, state, ir_const(b, BYTES_LOG2));
	if (c)
		at = ir_bin(b, OP_ADD, at, c);
	if (t->width == 2)
		at = ir_bin(b, OP_SHL, at, ir_const(b, 1));
	return ir_load(b, t->width, ir_bin(b, OP_ADD, t->base, at), 0);
}

static uint32_t chunk_of(uint32_t size)
{
	uint32_t chunk = CHUNK_MIN;

	while (size > chunk * ROUNDS_MAX)
		chunk *= 2;
	return chunk;
}

static ref match(struct unit *u, const struct dfa *d, ref text, uint32_t size, uint32_t chunk)
{
	struct irb *b = &u->b;
	struct table t = make_table(u, d);
	ref at = ir_slot(b, 8), state = ir_slot(b, 8);
	blkid head = ir_block(b), body = ir_block(b), next = ir_block(b), full = ir_block(b);
	struct meet m = meet_new(b);

	ir_store(b, 8, at, 0, ir_const(b, 0));
	ir_store(b, 8, state, 0, ir_const(b, d->start));
	ir_jmp(b, head);
	ir_start(b, head);
	ref off = ir_load(b, 8, at, 0), s = ir_load(b, 8, state, 0);
	ir_br(b, ir_bin(b, OP_ULT, off, ir_const(b, size)), body, full);

	ir_start(b, body);
	ref here = ir_bin(b, OP_ADD, text, off), now = s;
	for (uint32_t i = 0; i < chunk; i++)
		now = look_up(b, &t, now, ir_load(b, 1, here, (int32_t)i));
	ir_store(b, 8, state, 0, now);
	ir_store(b, 8, at, 0, ir_bin(b, OP_ADD, off, ir_const(b, chunk)));
	blkid final = ir_block(b);
	ir_br(b, ir_bin(b, OP_ULE, now, ir_const(b, DFA_ACCEPT)), final, next);
	ir_start(b, next);
	ir_jmp(b, head);

	ir_start(b, final);
	meet_from(b, &m, now);
	ir_start(b, full); /* the text fills its memory: its NUL is to be thought */
	meet_from(b, &m, look_up(b, &t, s, 0));
	return meet_here(b, &m);
}

ref lower_match(struct unit *u, struct expr *e, struct expr *text)
{
	const struct dfa *d = e->data;
	uint32_t size, chunk = chunk_of(text->type->size);
	ref at = lower_chunked(u, text, chunk, &size);

	if (d->start <= DFA_ACCEPT)
		return ir_const(&u->b, d->start);
	return match(u, d, at, size, chunk);
}

ref lower_match_operator(struct unit *u, struct expr *e)
{
	ref is = lower_match(u, e, e->a);

	if (e->op == BIN_MATCH)
		return is;
	return ir_bin(&u->b, OP_XOR, is, ir_const(&u->b, 1));
}
