/*
 * Builtins about the entries of maps.
 */
#include "builtin/builtin.h"
#include "builtin/symbol.h"
#include "script/meet.h"
#include "types/agg.h"
#include "types/kernel_types.h"

static bool map_exists(struct unit *u, const struct expr *m)
{
	if (m->map->value || !u->c->final)
		return true;
	report_undefined(u, m);
	return false;
}

/* f(@m, key), and the old f(@m[key]), f(@scalar): the key moves into the map's brackets. */
static bool check_entry(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	struct expr *m = e->args[0];

	if (m->kind != E_MAP)
		return builtin_bad_arg(u, m,
				       arena_printf(c->arena, "%s() expects a map", e->name));
	if (e->nargs > 1) {
		if (m->key && m->key != e->args[1]) {
			diag(c->dx, E0301_ARITY, e->span,
			     arena_printf(
				     c->arena,
				     "%s() takes the key in the map's brackets or as the second argument, not both",
				     e->name));
			return false;
		}
		m->key = e->args[1];
	}
	check_map_use(u, m);
	return map_exists(u, m);
}

static bool is_scalar_agg(const struct expr *m)
{
	return !m->key && m->map->value && type_is_agg(m->map->value);
}

/* delete(@a[k], @b[k2]), of bpftrace 0.21: several entries, as a statement. */
static bool is_several(const struct expr *e)
{
	const struct expr *m = e->args[0];

	return e->nargs > 1 && e->unused && m->kind == E_MAP && m->key &&
	       m->key != e->args[1] && e->args[1]->kind == E_MAP;
}

static bool check_delete_several(struct unit *u, struct expr *e)
{
	bool ok = true;

	for (unsigned i = 0; i < e->nargs; i++) {
		struct expr *m = e->args[i];

		if (m->kind != E_MAP) {
			ok = builtin_bad_arg(u, m, "delete() expects a map");
			continue;
		}
		check_map_use(u, m);
		m->map->deleted = true;
		ok &= map_exists(u, m);
	}
	return ok;
}

static bool check_delete(struct unit *u, struct expr *e)
{
	struct expr *m = e->args[0];

	if (is_several(e))
		return check_delete_several(u, e);
	if (e->nargs > 2) {
		diag(u->c->dx, E0301_ARITY, e->span,
		     arena_printf(u->c->arena, "delete() takes up to 2 arguments (%u provided)",
				  e->nargs));
		return false;
	}
	if (!check_entry(u, e))
		return false;
	if (is_scalar_agg(m) && agg_is_long(m->map->value) && !e->unused)
		return builtin_bad_arg(u, m,
				       "delete() of a histogram without keys gives no value");
	m->map->deleted = true;
	return true;
}

static bool check_has_key(struct unit *u, struct expr *e)
{
	if (!check_entry(u, e))
		return false;
	return !is_scalar_agg(e->args[0]) ||
	       builtin_bad_arg(u, e->args[0], "has_key() expects a map with keys");
}

/* Only a delete whose result is used may meet a key that is not there in silence. */
static ref lower_delete(struct unit *u, struct expr *e)
{
	for (unsigned i = 1; is_several(e) && i < e->nargs; i++)
		lower_map_delete(u, e->args[i], false, e->span);
	return lower_map_delete(u, e->args[0], !e->unused, e->span);
}

static ref lower_has_key(struct unit *u, struct expr *e)
{
	return lower_map_has(u, e->args[0]);
}

/* find(@m, key, $v) is checked as if it were $v = @m[key]. */
static bool check_find(struct unit *u, struct expr *e)
{
	struct expr *m = e->args[0], *v = e->args[2];
	struct stmt *assign = e->data;

	if (v->kind != E_VAR)
		return builtin_bad_arg(u, v, "find() expects a variable to store the value in");
	if (!check_entry(u, e))
		return false;
	if (!m->key)
		return builtin_bad_arg(u, m, "find() expects a map with keys");
	if (!assign) {
		assign = e->data = arena_new(u->c->arena, struct stmt);
		*assign = (struct stmt){
			.kind = S_ASSIGN, .span = e->span, .op = -1, .target = v, .e = m
		};
	}
	scope_whole(u, v->name, v->span); /* no statement of the script's makes it */
	check_stmt(u, assign);
	return true;
}

static ref lower_find(struct unit *u, struct expr *e)
{
	return lower_map_find(u, e->args[0], e->args[2]->var);
}

/* What len() of a map is made of. */
struct map_len {
	bool is_counted;      /* by the kernel; else we go over the entries */
	uint32_t counter_off; /* of the per-CPU counter's address in struct bpf_map */
	struct percpu percpu;
};

/*
 * The kernel counts a hash's entries per CPU, in bpf_map.elem_count (kernel/bpf/map_iter.c
 * sums it up as we do), which programs may read through the map's own address: since Linux 6.6,
 * and where the kernel tells the addresses of its variables.
 */
static bool find_counter(struct unit *u, struct map_len *len)
{
	struct compiler *c = u->c;
	const struct btf *btf = c->opt->env->no_kernel ? NULL : kernel_btf(c->tt, NULL);
	uint32_t id = btf ? btf_find(btf, BTF_STRUCTS, "bpf_map") : 0;
	struct field f;

	if (!id || !type_member(c->tt, btf_type(c->tt, btf, id), "elem_count", &f))
		return false;
	len->counter_off = f.bit_off / 8;
	return percpu_is_known(&len->percpu);
}

static bool check_len_map(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	struct map_len *len = arena_new(c->arena, struct map_len);

	map_of(u, e->args[0]);
	e->args[0]->type = &type_none;
	if (!map_exists(u, e->args[0]))
		return false;
	if (c->final && !e->args[0]->map->keyed)
		return builtin_bad_arg(u, e->args[0],
				       "len() expects a map with keys, or a stack");
	e->data = len;
	if (!c->final)
		return true;
	len->is_counted = find_counter(u, len);
	if (len->is_counted || !kernel_lacks(u, "for_each_map_elem"))
		return true;
	diag(c->dx, E0402_FEATURE, e->span,
	     "for_each_map_elem, for len() of a map (Linux 5.13)");
	return false;
}

static bool check_len(struct unit *u, struct expr *e)
{
	struct expr *a = e->args[0];

	if (a->kind == E_MAP && !a->key)
		return check_len_map(u, e);

	const struct type *t = check_value(u, a);
	if (t->kind == T_KSTACK || t->kind == T_USTACK)
		return true;
	return !type_is_error(t) && builtin_bad_arg(u, a, "len() expects a map or a stack");
}

/* The sum over all CPUs. */
static ref lower_counter(struct unit *u, struct expr *e, ref counter)
{
	const struct map_len *len = e->data;
	struct irb *b = &u->b;
	ref sum = ir_slot(b, 8);
	struct counted c;

	ir_store(b, 8, sum, 0, ir_const(b, 0));
	ref cpu = each_cpu(u, &c);
	struct place at =
		place_of_pointer(u, percpu_address(u, &len->percpu, counter, cpu), AS_KERNEL);
	ref n = read_scalar(u, &at, type_int(u->c->tt, 8, false), NULL, e->span);
	ir_store(b, 8, sum, 0, ir_bin(b, OP_ADD, ir_load(b, 8, sum, 0), n));
	counted_end(b, &c);
	return ir_load(b, 8, sum, 0);
}

/* Later patches of Linux 6.1 have the counter in the struct, and count nothing: it is NULL. */
static ref lower_len_map(struct unit *u, struct expr *e)
{
	const struct map_len *len = e->data;
	const struct map_sym *m = e->args[0]->map;
	struct irb *b = &u->b;

	if (!len->is_counted)
		return lower_count_entries(u, m);

	ref counter = ir_load(b, 8, ir_map(b, m->plan->kmap), (int32_t)len->counter_off);
	blkid some = ir_block(b), none = ir_block(b);
	struct meet n = meet_new(b);

	ir_br(b, ir_bin(b, OP_NE, counter, ir_const(b, 0)), some, none);
	ir_start(b, some);
	meet_from(b, &n, lower_counter(u, e, counter));
	ir_start(b, none);
	meet_from(b, &n, lower_count_entries(u, m));
	return meet_here(b, &n);
}

static ref lower_len(struct unit *u, struct expr *e)
{
	enum { COUNT_OFF = 0 }; /* of a stack's number of frames */

	if (e->data)
		return lower_len_map(u, e);
	return ir_load(&u->b, 4, lower_addr(u, e->args[0]), COUNT_OFF);
}

BUILTINS(map) = {
	{ "delete", "bool delete(raw, raw...)", BI_STMT, check_delete, .lower = lower_delete,
	  .doc = "Removes a key; true if it was there." },
	{ "has_key", "bool has_key(raw, [raw])", 0, check_has_key, .lower = lower_has_key,
	  .doc = "Is there such a key?" },
	{ "find", "bool find(raw, raw, raw)", BI_STMT, check_find, .lower = lower_find,
	  .doc = "find(@m, key, $v): is there such a key? If so, $v gets its value." },
	{ "len", "i64 len(raw)", 0, check_len, .lower = lower_len,
	  .doc = "The number of a map's entries, or of a stack's frames." },
	{ 0 },
};
