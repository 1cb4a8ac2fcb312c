/*
 * Builtins that make text and bytes.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

static enum addr_space space_of(struct unit *u, const struct type *t)
{
	return t->kind == T_PTR && t->as != AS_NONE ? t->as : u->shape.arg_space;
}

static const char raise_strlen[] = "raise max_strlen in the config";

/* The second argument of str() and buf(): how much memory its value takes. */
static bool check_length(struct unit *u, struct expr *n, uint32_t max, const char *why,
			 uint32_t *size)
{
	*size = max;
	if (!n->is_const)
		return true;
	if (n->const_value < 0) {
		diag(u->c->dx, E0302_ARG_TYPE, n->span, "a length cannot be negative");
		return false;
	}
	if (n->const_value > max) {
		if (u->c->final)
			diag_hint(diag(u->c->dx, W0108_STR_SHORTENED, n->span,
				       (long long)n->const_value, max),
				  "%s", why);
		return true;
	}
	*size = n->const_value ? (uint32_t)n->const_value : 1;
	return true;
}

static bool check_str(struct unit *u, struct expr *e)
{
	uint32_t size = u->c->cfg->max_strlen;
	struct expr *p = e->args[0];
	const char *s;
	size_t len;

	if ((p->kind == E_PARAM && e->nargs == 1) || p->kind == E_STRING) {
		if (!literal_text(u, p, &s, &len))
			return false;
		p->type = type_string(u->c->tt, (uint32_t)len + 1);
		if (len >= size && e->nargs == 1 && !p->is_param) {
			diag(u->c->dx, E0135_STRING_LONG, p->span, size - 1, s);
			return false;
		}
	} else {
		check_value(u, p);
	}
	if (p->type->kind == T_PROBE && e->nargs == 1) {
		e->type = probe_text_type(u->c);
		return true;
	}
	probe_as_text(u, p);
	const struct type *t = p->type;
	bool is_string = t->kind == T_STRING;
	if (type_is_error(t))
		return false;
	if (!is_string && !type_is_integral(t) && t->kind != T_PTR) {
		diag(u->c->dx, E0302_ARG_TYPE, p->span,
		     arena_printf(u->c->arena,
				  "str() expects a string or a pointer (%s provided)",
				  type_text(u->c, t)));
		return false;
	}
	if (e->nargs > 1 && !check_length(u, e->args[1], size, raise_strlen, &size))
		return false;
	if (is_string && t->size < size)
		size = t->size;
	e->type = type_string(u->c->tt, size);
	return true;
}

/* min(n, max), so that the kernel's verifier sees the bound; max when n is not given. */
static ref bounded(struct unit *u, struct expr *n, uint32_t max)
{
	if (!n || n->is_const)
		return ir_const(&u->b, n && n->const_value < max ? n->const_value : max);

	return lower_at_most(u, lower_scalar(u, n), max);
}

static void lower_str(struct unit *u, struct expr *e, const struct dest *d)
{
	struct expr *p = e->args[0], *n = e->nargs > 1 ? e->args[1] : NULL;

	bool is_text = p->type->kind == T_STRING || p->type->kind == T_PROBE;

	if (p->kind == E_STRING && !n && p->str.len >= e->type->size) {
		store_text_cut(u, p->str.s, e->type->size, d);
		return;
	}
	if (is_text && !n) {
		struct dest same = { d->ptr, d->off, d->type, d->pad };

		lower_to(u, p, &same);
		return;
	}
	struct place at =
		is_text ? place_of_pointer(u, lower_addr(u, p), AS_KERNEL)
			: place_of_pointer(u, lower_scalar(u, p), space_of(u, p->type));
	uint32_t size = e->type->size < d->type->size ? e->type->size : d->type->size;
	if (n)
		read_text(u, &at, bounded(u, n, size), d, e->span);
	else
		read_text_whole(u, &at, size, d, e->span);
}

static bool check_buf(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t = e->args[0]->type;
	bool whole = t->kind == T_STRING || t->kind == T_ARRAY;
	uint32_t size = whole ? t->size : c->cfg->max_strlen;

	if (!whole && !type_is_integral(t) && t->kind != T_PTR) {
		diag(c->dx, E0302_ARG_TYPE, e->args[0]->span,
		     arena_printf(c->arena,
				  "buf() expects a pointer, an array or a string (%s provided)",
				  type_text(c, t)));
		return false;
	}
	if (!whole && e->nargs < 2) {
		diag(c->dx, E0301_ARITY, e->span,
		     "buf() requires a length argument unless it is given an array or a string");
		return false;
	}
	if (e->nargs > 1 &&
	    !check_length(u, e->args[1], size, whole ? "it has no more" : raise_strlen, &size))
		return false;
	e->args[0]->is_bytes = true;
	e->type = type_buffer(c->tt, size);
	return true;
}

static void lower_buf(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	struct expr *p = e->args[0];
	uint32_t max = e->type->size - 4;
	ref n = bounded(u, e->nargs > 1 ? e->args[1] : NULL, max);
	struct place at;

	if (d->pad)
		ir_zero(b, d->ptr, d->off, d->type->size);
	if (p->type->kind == T_STRING || (p->type->kind == T_ARRAY && p->kind == E_VAR))
		at = (struct place){ PLACE_KERNEL, lower_addr(u, p), 0 };
	else if (p->type->kind == T_ARRAY)
		at = lower_place(u, p);
	else
		at = place_of_pointer(u, lower_scalar(u, p), space_of(u, p->type));

	bool user = at.how == PLACE_USER;
	ir_store(b, 4, d->ptr, d->off, n);
	/* Either space, as in read_text(). */
	ref ret = ir_call(b, user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read, 3,
			  ir_bin(b, OP_ADD, d->ptr, ir_const(b, d->off + 4)), n,
			  place_address(u, &at));
	count_if_negative(u, ret, COUNT_READ, e->span, user ? "probe_read_user" : "probe_read",
			  true);
}

enum { JOIN_MAX = 16, JOIN_SIZE = 1024 };

static void join_one(struct unit *u, const struct place *vec, int i, const struct record *r,
		     blkid end, struct span span)
{
	struct irb *b = &u->b;
	const struct type *text = type_string(u->c->tt, JOIN_SIZE);
	struct dest d = { r->ptr, EVENT_HEADER + i * JOIN_SIZE, text, false };
	struct place slot = { vec->how, vec->ptr, vec->off + 8 * i };
	ref s = read_scalar(u, &slot, type_int(u->c->tt, 8, false), NULL, span);
	blkid go_on = ir_block(b);

	ir_br(b, s, go_on, end);
	ir_start(b, go_on);
	struct place at = { vec->how, s, 0 };
	read_text(u, &at, ir_const(b, JOIN_SIZE), &d, span);
}

static ref lower_join(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	struct plan_event *ev = event_new(u, EV_JOIN, e->span);
	struct place vec =
		place_of_pointer(u, lower_scalar(u, e->args[0]), space_of(u, e->args[0]->type));
	const char *sep = " ";
	struct record r;
	size_t len;

	if (e->nargs > 1)
		literal_text(u, e->args[1], &sep, &len);
	ev->text = sep;
	ev->join_max = JOIN_MAX;
	ev->join_size = JOIN_SIZE;
	ev->size = EVENT_HEADER + JOIN_MAX * JOIN_SIZE;

	record_begin(u, ev, &r);
	blkid end = ir_block(b);
	for (int i = 0; i < JOIN_MAX; i++) /* an empty entry ends the list */
		ir_store(b, 1, r.ptr, EVENT_HEADER + i * JOIN_SIZE, ir_const(b, 0));
	for (int i = 0; i < JOIN_MAX; i++)
		join_one(u, &vec, i, &r, end, e->span);
	ir_jmp(b, end);
	ir_start(b, end);
	record_end(u, &r);
	return 0;
}

/* strncmp(a, b, n): n is a constant, so that the comparison is straight code. */
static bool check_strncmp(struct unit *u, struct expr *e)
{
	enum { COMPARE_MAX = 256 };
	const struct expr *n = e->args[2];

	if (n->const_value >= 0 && n->const_value <= COMPARE_MAX)
		return true;
	diag(u->c->dx, E0302_ARG_TYPE, n->span, "strncmp() compares from 0 to 256 bytes");
	return false;
}

/* Both sides are padded with zeros, so words can be compared without looking for the NUL. */
static ref lower_strncmp(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	const struct type *ta = e->args[0]->type, *tb = e->args[1]->type;
	uint32_t n = (uint32_t)e->args[2]->const_value;
	uint32_t shorter = ta->size < tb->size ? ta->size : tb->size;
	blkid differ = ir_block(b), same = ir_block(b), done = ir_block(b);
	ref x = lower_addr(u, e->args[0]), y = lower_addr(u, e->args[1]);

	if (n > shorter) /* the shorter one ends in a NUL by then */
		n = shorter;
	for (uint32_t off = 0; off < n;) {
		uint32_t unit = n - off >= 8 ? 8 : n - off >= 4 ? 4 : n - off >= 2 ? 2 : 1;
		blkid next = ir_block(b);
		ref eq = ir_bin(b, OP_EQ, ir_load(b, unit, x, (int32_t)off),
				ir_load(b, unit, y, (int32_t)off));

		ir_br(b, eq, next, differ);
		ir_start(b, next);
		off += unit;
	}
	ir_jmp(b, same);
	ir_start(b, same);
	ref zero = ir_const(b, 0);
	ir_jmp(b, done);
	ir_start(b, differ);
	ref one = ir_const(b, 1);
	ir_jmp(b, done);
	ir_start(b, done);
	return ir_phi(b, 2, (ref[]){ zero, one });
}

static bool check_strlen(struct unit *u, struct expr *e)
{
	const struct expr *a = e->args[0];

	if (a->kind == E_STRING)
		set_const(u->c, e, (int64_t)strnlen(a->str.s, a->str.len), false);
	e->type = type_int(u->c->tt, 8, false);
	return true;
}

static ref lower_strlen(struct unit *u, struct expr *e)
{
	return lower_text_len(u, lower_addr(u, e->args[0]), e->args[0]->type->size);
}

static bool check_strcap(struct unit *u, struct expr *e)
{
	set_const(u->c, e, e->args[0]->type->size, false);
	e->type = type_int(u->c->tt, 8, false);
	return true;
}

/* As long as any string may be; what is beyond is cut. */
static bool check_str_concat(struct unit *u, struct expr *e)
{
	e->type = type_string(u->c->tt, u->c->cfg->max_strlen);
	return true;
}

/*
 * The second text goes to where the first one's NUL is, in memory that is large enough for
 * both, whatever their lengths: so the verifier needs no relation between the two.
 */
static void lower_str_concat(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	uint32_t first = e->args[0]->type->size + 1, second = e->args[1]->type->size + 1;
	ref both = ir_slot(b, (first + second + 7) / 8 * 8);
	struct place from = { PLACE_KERNEL, both, 0 };

	ir_zero(b, both, 0, (first + second + 7) / 8 * 8);
	ref n = lower_copy_text(u, both, first, lower_addr(u, e->args[0]));
	ref end = lower_at_most(u, n, first - 1);
	lower_copy_text(u, ir_bin(b, OP_ADD, both, end), second, lower_addr(u, e->args[1]));
	read_text(u, &from, ir_const(b, d->type->size), d, e->span);
}

BUILTINS(string) = {
	{ "str", "? str(raw, [int])", 0, check_str, .lower_mem = lower_str,
	  .doc = "The text at an address, up to max_strlen or the given bytes, NUL included." },
	{ "buf", "? buf(any, [int])", 0, check_buf, .lower_mem = lower_buf,
	  .doc = "The bytes at an address; shown with %r, %rx, %rh." },
	{ "join", "none join(int, [lit])", BI_STMT | BI_SENDS, .lower = lower_join,
	  .doc = "Prints a char *[] (argv): up to 16 texts of 1,024 bytes, with a separator." },
	{ "strncmp", "u64 strncmp(str, str, num)", 0, check_strncmp, .lower = lower_strncmp,
	  .doc = "0 when the first n bytes of two strings are equal, else 1." },
	{ "strlen", "? strlen(str)", 0, check_strlen, .lower = lower_strlen,
	  .doc = "The length of a text, without its NUL." },
	{ "strcap", "? strcap(str)", 0, check_strcap,
	  .doc = "How many bytes a string takes, NUL included, however long its text is." },
	{ "str_concat", "? str_concat(str, str)", 0, check_str_concat,
	  .lower_mem = lower_str_concat,
	  .doc = "The second text behind the first, up to max_strlen bytes." },
	{ 0 },
};
