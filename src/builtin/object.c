/*
 * Builtins that hand an object of the kernel to the kernel: the verifier must know its type,
 * so the way to it is plain loads from the probe's arguments, not bytes read by a helper.
 */
#include "builtin/builtin.h"
#include "script/lower.h"
#include "script/meet.h"

#include <string.h>

static struct place object_place(struct unit *u, struct expr *e);

/* The pointer e, typed for the verifier where it is an argument or a member of one's object. */
static ref object_pointer(struct unit *u, struct expr *e)
{
	if (e->kind != E_FIELD)
		return lower_scalar(u, e);
	if (e->arg_index >= 0) {
		const struct argloc *loc = &u->shape.args[e->arg_index].loc;

		return loc->kind == LOC_CTX ? ir_load(&u->b, 8, u->ctx, (int32_t)loc->off)
					    : lower_scalar(u, e);
	}

	struct place p = object_place(u, e);
	return ir_load(&u->b, 8, p.ptr, (int32_t)p.off);
}

/* Where a part of an object lies. */
static struct place object_place(struct unit *u, struct expr *e)
{
	struct place p;

	if (e->kind == E_FIELD && e->arg_index < 0) {
		p = e->a->type->kind == T_PTR
			    ? (struct place){ PLACE_KERNEL, object_pointer(u, e->a), 0 }
			    : object_place(u, e->a);
		p.off += e->field.bit_off / 8;
		return p;
	}
	if (e->kind == E_UNARY)
		return (struct place){ PLACE_KERNEL, object_pointer(u, e->a), 0 };
	return lower_place(u, e);
}

/* Where e lies: a struct, or what a pointer points to. */
static struct place object_of(struct unit *u, struct expr *e)
{
	if (e->type->kind == T_PTR)
		return (struct place){ PLACE_KERNEL, object_pointer(u, e), 0 };
	return object_place(u, e);
}

static bool is_struct(const struct type *t, const char *name)
{
	if (t->kind == T_PTR)
		t = t->elem;
	return t->kind == T_STRUCT && t->name && !strcmp(t->name, name);
}

static bool refuse_probe(struct unit *u, struct expr *e)
{
	diag_hint(diag(u->c->dx, E0303_NOT_HERE, e->span,
		       arena_printf(u->c->arena, "%s() can not be used with \"%s\" probes",
				    e->name, u->group->provider->name)),
		  "the kernel allows it in fentry, fexit and iter programs");
	return false;
}

/* path(p, [size]): the kernel walks up from a struct path and writes the name to memory. */
static bool check_path(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct expr *n = e->nargs > 1 ? e->args[1] : NULL;

	if (u->group->prog_type != BPF_PROG_TYPE_TRACING || u->when != PROG_ATTACHED)
		return refuse_probe(u, e);
	if (!is_struct(e->args[0]->type, "path"))
		return builtin_bad_arg(
			u, e->args[0],
			arena_printf(c->arena, "path() expects a struct path (%s provided)",
				     type_text(c, e->args[0]->type)));
	if (n && (n->const_value < 1 || n->const_value > c->cfg->max_strlen))
		return builtin_bad_arg(u, n,
				       arena_printf(c->arena,
						    "path() writes from 1 to %u bytes",
						    c->cfg->max_strlen));
	e->type = type_string(c->tt, n ? (uint32_t)n->const_value : c->cfg->max_strlen);
	return true;
}

/*
 * The helper builds the name from its end and leaves bytes behind it: the text is copied.  An
 * object that is not there has no name.
 */
static void lower_path(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	uint32_t size = e->type->size, room = (size + 7) / 8 * 8;
	ref name = ir_slot(b, room);
	struct place object = object_of(u, e->args[0]), from = { PLACE_KERNEL, name, 0 };
	blkid some = ir_block(b), failed = ir_block(b), done = ir_block(b);

	ir_zero(b, name, 0, room);
	ir_br(b, object.ptr, some, done);
	ir_start(b, some);
	ref ret = ir_call(b, BPF_FUNC_d_path, 3, place_address(u, &object), name,
			  ir_const(b, size));
	count_if_negative(u, ret, COUNT_HELPER, e->span, "d_path", false);
	ir_br(b, ir_bin(b, OP_SLT, ret, ir_const(b, 0)), failed, done);
	ir_start(b, failed);
	ir_store(b, 1, name, 0, ir_const(b, 0));
	ir_jmp(b, done);
	ir_start(b, done);
	read_text(u, &from, ir_const(b, size < d->type->size ? size : d->type->size), d,
		  e->span);
}

/* skboutput(file, skb, length, offset): the kernel copies a packet, whatever it is made of. */
static bool check_skboutput(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct type *t = e->args[1]->type;
	const char *path;
	size_t len;

	if (u->group->prog_type != BPF_PROG_TYPE_TRACING || u->when != PROG_ATTACHED)
		return refuse_probe(u, e);
	if (t->kind != T_PTR || !is_struct(t, "sk_buff"))
		return builtin_bad_arg(u, e->args[1],
				       arena_printf(c->arena,
						    "skboutput() expects a struct sk_buff * "
						    "(%s provided)",
						    type_text(c, t)));
	literal_text(u, e->args[0], &path, &len);
	if (!len)
		return builtin_bad_arg(u, e->args[0], "skboutput() needs the name of a file");
	if (e->args[3]->const_value < 0 || e->args[3]->const_value >= PACKET_MAX)
		return builtin_bad_arg(u, e->args[3],
				       "the offset into a packet is from 0 to 65279");
	return true;
}

static uint32_t packets_map(struct plan *p)
{
	struct plan_kmap map = { .name = "packets",
				 .type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
				 .key_size = 4,
				 .value_size = 4,
				 .max_entries = p->ncpus_pow2 };

	if (!p->packets_kmap) {
		p->packets_kmap = (uint32_t)p->kmaps.len;
		vec_push(p->arena, &p->kmaps, map);
	}
	return p->packets_kmap;
}

/* What goes in front of the packet's bytes. */
static ref packet_head(struct unit *u, struct expr *e, ref len)
{
	struct irb *b = &u->b;
	struct plan *p = u->c->plan;
	struct plan_event *ev = event_new(u, EV_PACKET, e->span);
	ref head = ir_slot(b, PACKET_DATA);
	size_t n;

	literal_text(u, e->args[0], &ev->text, &n);
	ir_store(b, 4, head, PACKET_EVENT, ir_const(b, ev - p->events.data));
	ir_store(b, 4, head, PACKET_SKIP, ir_const(b, e->args[3]->const_value));
	ir_store(b, 8, head, PACKET_TIME, ir_call(b, BPF_FUNC_ktime_get_boot_ns, 0));
	ir_store(b, 8, head, PACKET_LEN, len);
	return head;
}

static ref at_most(struct irb *b, ref v, int64_t max)
{
	struct meet m = meet_new(b);
	blkid more = ir_block(b), fits = ir_block(b);

	ir_br(b, ir_bin(b, OP_ULT, ir_const(b, max), v), more, fits);
	ir_start(b, more);
	meet_from(b, &m, ir_const(b, max));
	ir_start(b, fits);
	meet_from(b, &m, v);
	return meet_here(b, &m);
}

static ref lower_skboutput(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	ref skb = object_pointer(u, e->args[1]);
	ref len = ir_ext(b, false, 4, lower_scalar(u, e->args[2]));
	ref head = packet_head(u, e, len), taken = at_most(b, len, PACKET_MAX);
	ref flags = ir_bin(b, OP_OR, ir_bin(b, OP_SHL, taken, ir_const(b, 32)),
			   ir_const(b, BPF_F_CURRENT_CPU));
	ref ret = ir_call(b, BPF_FUNC_skb_output, 5, skb, ir_map(b, packets_map(u->c->plan)),
			  flags, head, ir_const(b, PACKET_DATA));

	count_if_negative(u, ret, COUNT_HELPER, e->span, "skb_output", false);
	return ret;
}

BUILTINS(object) = {
	{ "skboutput", "i64 skboutput(lit, any, int, num)", BI_STMT | BI_PROBE, check_skboutput,
	  .lower = lower_skboutput,
	  .doc = "Writes bytes offset to length of a struct sk_buff to a pcap file of IP packets (fentry, fexit)." },
	{ "path", "? path(any, [num])", BI_PROBE, check_path, .lower_mem = lower_path,
	  .doc = "The name of a struct path, up to max_strlen or the given bytes (fentry, fexit, iter)." },
	{ 0 },
};
