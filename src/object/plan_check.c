/*
 * What was read from a file must not lead the session outside of its memory, whoever wrote the
 * file.  The programs themselves are the verifier's to judge.
 */
#include "object/wire.h"
#include "types/agg.h"

#include <errno.h>

enum { SIZE_MAX_TYPE = 1 << 26, DEPTH_MAX = 24 };

static bool type_fits(const struct type *t, int depth);

static bool fields_fit(const struct type *t, int depth)
{
	for (uint32_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		uint64_t bits = f->bit_size;

		if (!f->type || !type_fits(f->type, depth + 1) || f->bit_size > 64)
			return false;
		if (!bits)
			bits = (uint64_t)f->type->size * 8 + f->bit_off % 8;
		if (f->bit_off + bits > (uint64_t)t->size * 8)
			return false;
	}
	return true;
}

static bool agg_fits(const struct type *t)
{
	const int64_t limit = INT64_C(1) << 40;

	if (t->hist.bits < 0 || t->hist.bits > 16 || t->hist.step < 0)
		return false;
	if (t->kind == T_LHIST &&
	    (t->hist.step < 1 || t->hist.min < -limit || t->hist.max > limit ||
	     t->hist.max <= t->hist.min ||
	     (t->hist.max - t->hist.min) / t->hist.step > HIST_BUCKETS_MAX))
		return false;
	if (t->kind == T_LLHIST &&
	    (t->hist.bits < 2 || t->hist.min < 0 || t->hist.max < t->hist.min ||
	     t->hist.max > 64 || t->hist.step < 1 || t->hist.step > HIST_BUCKETS_MAX))
		return false;
	if (t->kind == T_TSERIES &&
	    (t->hist.step < 1 || t->hist.max < 1 || t->hist.max > TSERIES_SLOTS_MAX ||
	     t->hist.bits > TSERIES_SUM))
		return false;
	return (uint64_t)agg_words(t) * 8 == t->size;
}

static bool type_fits(const struct type *t, int depth)
{
	if (depth > DEPTH_MAX || t->size > SIZE_MAX_TYPE)
		return false;
	switch (t->kind) {
	case T_NONE:
	case T_STRING: return true;
	case T_BOOL:
	case T_INT:
	case T_ENUM:
	case T_PTR: return type_is_int_size(t->size);
	case T_FLOAT: return true;
	case T_BUFFER: return t->size >= 4;
	case T_ARRAY:
		return t->elem && type_fits(t->elem, depth + 1) &&
		       (uint64_t)t->elem->size * t->nelems <= t->size;
	case T_STRUCT:
	case T_TUPLE:
	case T_RECORD: return fields_fit(t, depth);
	case T_KSYM:
	case T_PROBE:
	case T_USERNAME: return t->size >= 8;
	case T_USYM:
	case T_TIMESTAMP:
	case T_CGROUP_PATH: return t->size >= 16;
	case T_INET: return t->size >= 24;
	case T_MAC: return t->size >= 6;
	case T_KSTACK:
	case T_USTACK: return t->stack_mode <= STACK_BUILD_ID && t->size >= 8 + 8ull * t->depth;
	default: return type_is_agg(t) && agg_fits(t);
	}
}

static bool is_inside(uint64_t off, uint64_t size, uint64_t whole)
{
	return off <= whole && size <= whole - off;
}

static bool kmaps_fit(const struct plan *p)
{
	if (p->kmaps.len < KMAP_FIRST_FREE || !p->ncpus_pow2 || p->ncpus_pow2 > 1 << 16)
		return false;
	const struct plan_kmap *g = &p->kmaps.data[KMAP_GLOBALS];
	vec_each(m, &p->kmaps)
		if (m->key_size > 1 << 16 || m->value_size > SIZE_MAX_TYPE)
			return false;
	return g->type == BPF_MAP_TYPE_ARRAY && g->value_size >= 8 && g->max_entries == 1 &&
	       (g->flags & BPF_F_MMAPABLE) &&
	       is_inside(p->stripes_off, (uint64_t)p->stripe_size * p->ncpus_pow2,
			 g->value_size) &&
	       !(p->stripes_off % 8) && !(p->stripe_size % 8) &&
	       is_inside(p->zeros_off, p->zeros_size, g->value_size);
}

static bool map_fits(const struct plan *p, const struct plan_map *m)
{
	uint32_t globals = p->kmaps.data[KMAP_GLOBALS].value_size;

	if (!m->value || !type_fits(m->value, 0) || (m->key && !type_fits(m->key, 0)))
		return false;
	switch (m->store) {
	case STORE_SLOT: return !m->key && !(m->off % 8) && is_inside(m->off, 16, globals);
	case STORE_STRIPE:
		return !m->key && type_is_agg(m->value) && !(m->off % 8) &&
		       is_inside(m->off, m->value->size, p->stripe_size);
	case STORE_HASH:
	case STORE_PERCPU_HASH:
		return m->kmap < p->kmaps.len &&
		       p->kmaps.data[m->kmap].value_size >= m->value->size &&
		       p->kmaps.data[m->kmap].key_size >= (m->key ? m->key->size : 0) &&
		       (m->store == STORE_HASH || type_is_agg(m->value));
	}
	return false;
}

static bool event_fits(const struct plan *p, const struct plan_event *e)
{
	bool of_map = e->kind == EV_PRINT_MAP || e->kind == EV_CLEAR || e->kind == EV_ZERO;
	bool of_text = e->kind == EV_TIME || e->kind == EV_JOIN;

	uint32_t least = e->kind == EV_UNWATCH ? EVENT_ADDRESS : EVENT_HEADER;

	if (e->kind > EV_UNWATCH || e->size < least || e->size > SIZE_MAX_TYPE ||
	    (of_map && e->map >= p->maps.len) || (of_text && !e->text))
		return false;
	for (unsigned i = 0; i < e->nargs; i++)
		if (!e->args[i].type || !type_fits(e->args[i].type, 0) ||
		    !is_inside(e->args[i].off, e->args[i].type->size, e->size))
			return false;
	for (size_t i = 0; i < e->format.npieces; i++) {
		const struct format_piece *f = &e->format.pieces[i];
		if (f->width > FORMAT_WIDTH_MAX || f->width < 0 ||
		    (f->conv && !type_is_int_size(f->int_size ? f->int_size : 1)))
			return false;
	}
	size_t convs = 0;
	for (size_t i = 0; i < e->format.npieces; i++)
		convs += e->format.pieces[i].conv != 0;
	if (convs != e->format.nconvs || (e->format.nconvs && e->format.nconvs > e->nargs))
		return false;
	if (e->kind == EV_PRINT_VALUE && e->nargs < 1)
		return false;
	return e->kind != EV_JOIN ||
	       (e->nargs >= 1 &&
		is_inside(e->args[0].off, (uint64_t)e->join_max * e->join_size, e->size));
}

static bool prog_fits(const struct plan *p, const struct plan_prog *g)
{
	const struct image *img = &g->image;

	if (g->when > PROG_ATTACHED || g->select_kmap >= p->kmaps.len ||
	    (g->when == PROG_ATTACHED && (!g->group || !g->group->targets.len)))
		return false;
	if (g->group && (g->group->way > ATTACH_ITER || !g->group->provider->attach) &&
	    g->when == PROG_ATTACHED)
		return false;
	for (uint32_t i = 0; i < img->nrelocs; i++)
		if (img->relocs[i].map >= p->kmaps.len ||
		    (uint64_t)img->relocs[i].insn + 1 >= img->ninsns)
			return false;
	for (uint32_t i = 0; i < img->nfuncs; i++)
		if (img->funcs[i] >= img->ninsns ||
		    (i ? img->funcs[i] <= img->funcs[i - 1] : img->funcs[0]))
			return false;
	return true;
}

int plan_check(const struct plan *p, struct err *e)
{
	uint32_t globals = kmaps_fit(p) ? p->kmaps.data[KMAP_GLOBALS].value_size : 0;

	if (!globals)
		return err_set(e, -EINVAL, "its globals do not fit together");
	vec_each(m, &p->maps)
		if (!map_fits(p, m))
			return err_set(e, -EINVAL, "its map %.64s does not fit", m->name);
	vec_each(v, &p->events)
		if (!event_fits(p, v))
			return err_set(e, -EINVAL, "its event %zu does not fit",
				       (size_t)(v - p->events.data));
	vec_each(c, &p->counters)
		if (c->kind > COUNT_NEEDLE || c->off % 8 || !is_inside(c->off, 16, globals))
			return err_set(e, -EINVAL, "its counter %zu does not fit",
				       (size_t)(c - p->counters.data));
	vec_each(g, &p->progs)
		if (!prog_fits(p, g))
			return err_set(e, -EINVAL, "its program %.64s does not fit", g->name);
	return 0;
}
