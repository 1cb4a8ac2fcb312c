/*
 * What a program reports: records in the ring buffer, written in place, and counters.
 */
#include "script/lower.h"

uint32_t counter_new(struct unit *u, enum counter_kind kind, struct span span,
		     const char *helper, bool quiet)
{
	struct plan *p = u->c->plan;
	struct plan_counter k = {
		.kind = kind,
		.span = span,
		.off = p->counters_off + 16 * (uint32_t)p->counters.len,
		.helper = helper,
		.quiet = quiet,
		.prog = u->prog_index,
		.map = -1,
	};

	vec_push(p->arena, &p->counters, k);
	return k.off;
}

void counter_is_of_map(struct unit *u, const struct map_sym *m)
{
	struct plan *p = u->c->plan;

	p->counters.data[p->counters.len - 1].map = (int32_t)m->index;
}

void count_failure(struct unit *u, uint32_t counter_off, ref code)
{
	struct irb *b = &u->b;
	ref at = ir_mapval(b, KMAP_GLOBALS, counter_off);

	ir_atomic_add(b, 8, at, 0, ir_const(b, 1));
	ir_store(b, 8, at, 8, code);
}

void count_if_negative(struct unit *u, ref ret, enum counter_kind kind, struct span span,
		       const char *helper, bool quiet)
{
	struct irb *b = &u->b;
	uint32_t off = counter_new(u, kind, span, helper, quiet);
	blkid bad = ir_block(b), done = ir_block(b);

	ir_br(b, ir_bin(b, OP_SLT, ret, ir_const(b, 0)), bad, done);
	ir_start(b, bad);
	count_failure(u, off, ret);
	ir_jmp(b, done);
	ir_start(b, done);
}

void count_if_map_failed(struct unit *u, ref ret, enum counter_kind kind, struct span span,
			 const char *helper)
{
	struct irb *b = &u->b;
	uint32_t off = counter_new(u, kind, span, helper, false);
	blkid bad = ir_block(b), done = ir_block(b);

	ir_br(b, ret, bad, done);
	ir_start(b, bad);
	count_failure(u, off, map_error(b, ret));
	ir_jmp(b, done);
	ir_start(b, done);
}

ref map_error(struct irb *b, ref ret)
{
	return ir_ext(b, true, 4, ret);
}

struct plan_event *event_new(struct unit *u, enum event_kind kind, struct span span)
{
	struct plan *p = u->c->plan;
	struct plan_event *ev = vec_add(p->arena, &p->events);

	ev->kind = kind;
	ev->span = span;
	ev->size = EVENT_HEADER;
	p->uses_ring |= kind != EV_PACKET;
	return ev;
}

void record_begin(struct unit *u, const struct plan_event *ev, struct record *r)
{
	struct irb *b = &u->b;
	uint64_t index = (uint64_t)(ev - u->c->plan->events.data);
	blkid lost = ir_block(b), ok = ir_block(b);

	if (!u->lost_counter)
		u->lost_counter = counter_new(u, COUNT_LOST, u->probe->head, NULL, false);
	r->done = ir_block(b);
	r->ptr = ir_call(b, BPF_FUNC_ringbuf_reserve, 3, ir_map(b, KMAP_RING),
			 ir_const(b, ev->size), ir_const(b, 0));
	ir_br(b, r->ptr, ok, lost);
	ir_start(b, lost);
	count_failure(u, u->lost_counter, ir_const(b, 0));
	ir_jmp(b, r->done);
	ir_start(b, ok);
	ir_store(b, 8, r->ptr, 0,
		 ir_const(b, (int64_t)(index | (uint64_t)u->prog_index << 32)));
}

void record_end(struct unit *u, struct record *r)
{
	ir_call(&u->b, BPF_FUNC_ringbuf_submit, 2, r->ptr, ir_const(&u->b, 0));
	ir_jmp(&u->b, r->done);
	ir_start(&u->b, r->done);
}

static const struct event_arg *lay_out(struct unit *u, struct plan_event *ev,
				       struct expr **args, unsigned nargs)
{
	struct event_arg *list = arena_array(u->c->arena, struct event_arg, nargs);

	for (unsigned i = 0; i < nargs; i++) {
		list[i].type = args[i]->type;
		list[i].off = ev->size;
		ev->size += (args[i]->type->size + 7) / 8 * 8;
	}
	return list;
}

void event_send(struct unit *u, struct plan_event *ev, struct expr **args, unsigned nargs)
{
	struct irb *b = &u->b;
	uint32_t index = (uint32_t)(ev - u->c->plan->events.data);
	const struct event_arg *list = lay_out(u, ev, args, nargs);
	ref *scalars = arena_array(u->c->arena, ref, nargs + 1);
	struct record r;

	ev->args = list;
	ev->nargs = nargs;
	/* Numbers first: the time between reserve and submit keeps others' records waiting. */
	for (unsigned i = 0; i < nargs; i++)
		if (type_is_scalar(args[i]->type))
			scalars[i] = lower_scalar(u, args[i]);
	record_begin(u, &u->c->plan->events.data[index], &r);
	for (unsigned i = 0; i < nargs; i++) {
		struct dest d = { r.ptr, (int32_t)list[i].off, args[i]->type, false };

		if (scalars[i])
			ir_store(b, args[i]->type->size, r.ptr, d.off, scalars[i]);
		else
			lower_to(u, args[i], &d);
	}
	record_end(u, &r);
}
