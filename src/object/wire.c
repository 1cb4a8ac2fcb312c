#include "object/wire.h"

#include <string.h>

enum { TYPE_DEPTH = 24, COUNT_MAX = 1 << 20 };

static void bytes(struct wire *w, void *p, size_t n)
{
	if (w->writing) {
		sb_write(w->out, p, n);
		return;
	}
	if (w->bad || (size_t)(w->end - w->at) < n) {
		w->bad = true;
		memset(p, 0, n);
		return;
	}
	memcpy(p, w->at, n);
	w->at += n;
}

static void u32(struct wire *w, uint32_t *v)
{
	bytes(w, v, sizeof(*v));
}

static void u64(struct wire *w, uint64_t *v)
{
	bytes(w, v, sizeof(*v));
}

static void flag(struct wire *w, bool *v)
{
	uint8_t byte = *v;

	bytes(w, &byte, 1);
	*v = byte & 1;
}

/* Whatever fits 32 bits: enums, ints. */
#define NUMBER(w, field)                         \
	do {                                     \
		uint32_t n_ = (uint32_t)(field); \
		u32(w, &n_);                     \
		(field) = (__typeof__(field))n_; \
	} while (0)

static void text(struct wire *w, const char **s)
{
	uint32_t n = w->writing && *s ? (uint32_t)strlen(*s) + 1 : 0;

	u32(w, &n);
	if (w->writing) {
		sb_write(w->out, *s, n ? n - 1 : 0);
		return;
	}
	*s = NULL;
	if (!n || w->bad)
		return;
	if ((size_t)(w->end - w->at) < n - 1) {
		w->bad = true;
		return;
	}
	*s = arena_strndup(w->arena, (const char *)w->at, n - 1);
	w->at += n - 1;
}

/* Texts that are never NULL. */
static void name(struct wire *w, const char **s)
{
	text(w, s);
	if (!*s)
		*s = "";
}

/* A number of things of which each takes a byte at least. */
static uint32_t count(struct wire *w, size_t have)
{
	uint32_t n = (uint32_t)have;

	u32(w, &n);
	if (!w->writing && (w->bad || n > COUNT_MAX || n > (size_t)(w->end - w->at))) {
		w->bad = true;
		return 0;
	}
	return n;
}

#define EACH(w, vec, p)                                                                       \
	for (uint32_t n_ = count(w, (vec)->len), i_ = 0; i_ < n_ && !(w)->bad; i_++)          \
		for (__typeof__((vec)->data + 0) p = (w)->writing ? &(vec)->data[i_]          \
								  : vec_add((w)->arena, vec); \
		     p; p = NULL)

static void span(struct wire *w, struct span *s)
{
	u32(w, &s->beg);
	u32(w, &s->end);
}

/* --- types --- */

static void type_ref(struct wire *w, const struct type **t);

static void fields(struct wire *w, struct type *t)
{
	uint32_t n = t->nfields;
	const struct field *have = w->writing ? type_fields(w->types, t, &n) : NULL;

	t->nfields = n = count(w, n);
	struct field *all = arena_array(w->arena, struct field, n + 1);
	for (uint32_t i = 0; i < n && !w->bad; i++) {
		if (have)
			all[i] = have[i];
		name(w, &all[i].name);
		type_ref(w, &all[i].type);
		u32(w, &all[i].bit_off);
		NUMBER(w, all[i].bit_size);
	}
	t->fields = all;
}

static void consts(struct wire *w, struct type *t)
{
	uint32_t n = 0;
	const struct enum_const *have = w->writing ? type_enum_consts(w->types, t, &n) : NULL;

	t->nconsts = n = count(w, n);
	t->consts = arena_array(w->arena, struct enum_const, n + 1);
	for (uint32_t i = 0; i < n && !w->bad; i++) {
		if (have)
			t->consts[i] = have[i];
		name(w, &t->consts[i].name);
		u64(w, (uint64_t *)&t->consts[i].value);
	}
}

/* What a pointer points to is not shown, so it is left out. */
static void type_ref(struct wire *w, const struct type **to)
{
	struct type *t = arena_new(w->arena, struct type);
	bool any = w->writing && *to;

	flag(w, &any);
	if (!any || ++w->depth > TYPE_DEPTH) {
		w->bad |= any;
		*to = w->writing ? *to : NULL;
		return;
	}
	if (w->writing)
		*t = *type_complete(w->types, *to);
	NUMBER(w, t->kind);
	u32(w, &t->size);
	u32(w, &t->align);
	flag(w, &t->is_signed);
	flag(w, &t->is_union);
	flag(w, &t->is_char);
	u32(w, &t->nelems);
	NUMBER(w, t->stack_mode);
	u32(w, &t->depth);
	u64(w, (uint64_t *)&t->hist.bits);
	u64(w, (uint64_t *)&t->hist.min);
	u64(w, (uint64_t *)&t->hist.max);
	u64(w, (uint64_t *)&t->hist.step);
	name(w, &t->name);
	if (t->kind == T_ARRAY)
		type_ref(w, &t->elem);
	if (t->kind == T_STRUCT || t->kind == T_TUPLE || t->kind == T_RECORD)
		fields(w, t);
	if (t->kind == T_ENUM)
		consts(w, t);
	if (!w->writing) {
		t->elem = t->kind == T_PTR ? &type_void : t->elem;
		*to = t;
	}
	w->depth--;
}

/* --- what the programs say --- */

static void format(struct wire *w, struct format *f)
{
	uint32_t n = count(w, f->npieces);

	f->npieces = n;
	NUMBER(w, f->nconvs);
	if (!w->writing)
		f->pieces = arena_array(w->arena, struct format_piece, n + 1);
	for (uint32_t i = 0; i < n && !w->bad; i++) {
		struct format_piece *p = &f->pieces[i];
		const char *s = w->writing ? arena_strndup(w->arena, p->text, p->len) : NULL;

		NUMBER(w, p->conv);
		NUMBER(w, p->buf_mode);
		flag(w, &p->left);
		flag(w, &p->plus);
		flag(w, &p->space);
		flag(w, &p->alt);
		flag(w, &p->zero);
		NUMBER(w, p->width);
		NUMBER(w, p->precision);
		NUMBER(w, p->int_size);
		u32(w, &p->off);
		name(w, &s);
		if (!w->writing) {
			p->text = s;
			p->len = strlen(s);
		}
	}
}

static void event(struct wire *w, struct plan_event *e)
{
	NUMBER(w, e->kind);
	span(w, &e->span);
	u32(w, &e->size);
	format(w, &e->format);
	text(w, &e->text);
	e->nargs = count(w, e->nargs);
	struct event_arg *args = arena_array(w->arena, struct event_arg, e->nargs + 1);
	for (unsigned i = 0; i < e->nargs && !w->bad; i++) {
		if (w->writing)
			args[i] = e->args[i];
		type_ref(w, &args[i].type);
		u32(w, &args[i].off);
	}
	if (!w->writing)
		e->args = args;
	u32(w, &e->map);
	u64(w, (uint64_t *)&e->top);
	u64(w, (uint64_t *)&e->div);
	u32(w, &e->join_max);
	u32(w, &e->join_size);
}

/* --- maps --- */

static void kmap(struct wire *w, struct plan_kmap *m)
{
	bool has_init = m->init;

	name(w, &m->name);
	NUMBER(w, m->type);
	u32(w, &m->key_size);
	u32(w, &m->value_size);
	u32(w, &m->max_entries);
	u32(w, &m->flags);
	flag(w, &has_init);
	if (!has_init || w->bad)
		return;
	if (w->writing) {
		sb_write(w->out, m->init, m->value_size);
		return;
	}
	if (m->value_size > (size_t)(w->end - w->at)) {
		w->bad = true;
		return;
	}
	void *init = arena_alloc(w->arena, m->value_size);
	bytes(w, init, m->value_size);
	m->init = init;
}

static void map(struct wire *w, struct plan_map *m)
{
	name(w, &m->name);
	type_ref(w, &m->key);
	type_ref(w, &m->value);
	NUMBER(w, m->store);
	u32(w, &m->kmap);
	u32(w, &m->off);
	u32(w, &m->max_entries);
	span(w, &m->span);
}

static void counter(struct wire *w, struct plan_counter *c)
{
	NUMBER(w, c->kind);
	span(w, &c->span);
	u32(w, &c->off);
	text(w, &c->helper);
	flag(w, &c->quiet);
}

/* --- programs --- */

static void provider(struct wire *w, const struct provider **p)
{
	const char *word = w->writing ? (*p)->name : NULL, *near;

	name(w, &word);
	if (w->writing)
		return;
	*p = provider_find(word, &near);
	w->bad |= !*p || strcmp((*p)->name, word) != 0;
}

static void target(struct wire *w, struct target *t)
{
	provider(w, &t->provider);
	name(w, &t->name);
	text(w, &t->user_name);
	span(w, &t->span);
	text(w, &t->category);
	text(w, &t->event);
	text(w, &t->module);
	text(w, &t->symbol);
	u64(w, &t->offset);
	u64(w, &t->period);
	u64(w, &t->frequency);
	u32(w, &t->config);
	u64(w, &t->addr);
	u64(w, &t->entry);
	u32(w, &t->len);
	u32(w, &t->access);
	flag(w, &t->from_wildcard);
	text(w, &t->file);
	u64(w, &t->file_offset);
	u64(w, &t->refcount_offset);
	text(w, &t->operands);
	u64(w, &t->pc);
}

static void group(struct wire *w, struct group *g)
{
	provider(w, &g->provider);
	EACH(w, &g->targets, t)
	{
		if (!w->writing)
			*t = arena_new(w->arena, struct target);
		target(w, *t);
	}
	NUMBER(w, g->way);
	name(w, &g->why);
	NUMBER(w, g->prog_type);
	NUMBER(w, g->expected_attach);
	u32(w, &g->attach_btf_id);
	text(w, &g->attach_btf_module);
	flag(w, &g->has_cookie);
	u32(w, &g->nselect);
	flag(w, &g->sleepable);
	flag(w, &g->preemptible);
}

static void image(struct wire *w, struct image *img, struct wire_prog *p)
{
	name(w, &img->name);
	u32(w, &img->ninsns);
	u32(w, &img->stack_size);
	img->nrelocs = count(w, img->nrelocs);
	if (!w->writing)
		img->relocs = arena_array(w->arena, struct reloc, img->nrelocs + 1);
	for (uint32_t i = 0; i < img->nrelocs; i++) {
		struct reloc *r = &img->relocs[i];

		u32(w, &r->insn);
		u32(w, &r->map);
		u32(w, &r->off);
		NUMBER(w, r->kind);
	}
	img->nfuncs = count(w, img->nfuncs);
	uint32_t n = img->nfuncs ? img->nfuncs : 1;
	if (!w->writing) {
		img->funcs = arena_array(w->arena, uint32_t, n);
		p->funcs = arena_array(w->arena, struct wire_func, n);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (img->nfuncs)
			u32(w, &img->funcs[i]);
		name(w, &p->funcs[i].section);
		u32(w, &p->funcs[i].at);
		u32(w, &p->funcs[i].n);
	}
	p->ncalls = count(w, p->ncalls);
	if (!w->writing)
		p->calls = arena_array(w->arena, struct wire_call, p->ncalls + 1);
	for (uint32_t i = 0; i < p->ncalls; i++) {
		u32(w, &p->calls[i].insn);
		u32(w, &p->calls[i].func);
	}
}

/* Spans go along only where they change. */
static void spans(struct wire *w, struct image *img)
{
	if (!w->writing) {
		if (img->ninsns > COUNT_MAX) {
			w->bad = true;
			return;
		}
		img->spans = arena_array(w->arena, struct span, img->ninsns + 1);
	}
	for (uint32_t i = 0; i < img->ninsns && !w->bad; i++) {
		bool same = w->writing && i && img->spans[i].beg == img->spans[i - 1].beg &&
			    img->spans[i].end == img->spans[i - 1].end;

		flag(w, &same);
		if (!same)
			span(w, &img->spans[i]);
		else if (!w->writing)
			img->spans[i] = img->spans[i ? i - 1 : 0];
	}
}

static void prog(struct wire *w, struct plan_prog *p, struct wire_prog *file)
{
	bool has_group = p->group;

	name(w, &p->name);
	NUMBER(w, p->when);
	u32(w, &p->probe_base);
	u32(w, &p->select_kmap);
	span(w, &p->span);
	flag(w, &has_group);
	if (has_group && !w->writing)
		p->group = arena_new(w->arena, struct group);
	if (has_group)
		group(w, p->group);
	image(w, &p->image, file);
	spans(w, &p->image);
}

static void sources(struct wire *w, struct plan *plan)
{
	uint32_t n = count(w, plan->sources->files.len);

	for (uint32_t i = 0; i < n && !w->bad; i++) {
		const struct source *s = w->writing ? &plan->sources->files.data[i] : NULL;
		const char *file = s ? s->name : NULL, *words = s ? s->text : NULL;

		name(w, &file);
		name(w, &words);
		if (!w->writing)
			sources_add(plan->sources, file, words, strlen(words));
	}
}

void wire_plan(struct wire *w, struct plan *plan, struct wire_prog **progs,
	       struct built_config *cfg)
{
	sources(w, plan);
	EACH(w, &plan->kmaps, m) kmap(w, m);
	EACH(w, &plan->maps, m) map(w, m);
	EACH(w, &plan->events, e) event(w, e);
	EACH(w, &plan->counters, c) counter(w, c);
	uint32_t n = count(w, plan->progs.len);
	if (!w->writing)
		*progs = arena_array(w->arena, struct wire_prog, n + 1);
	for (uint32_t i = 0; i < n && !w->bad; i++)
		prog(w, w->writing ? &plan->progs.data[i] : vec_add(w->arena, &plan->progs),
		     &(*progs)[i]);
	EACH(w, &plan->probe_names, s) name(w, s);
	EACH(w, &plan->strings, s) name(w, s);
	uint32_t *const numbers[] = { &plan->counters_off, &plan->zeros_off,
				      &plan->zeros_size,   &plan->slots_off,
				      &plan->stripes_off,  &plan->stripe_size,
				      &plan->ncpus_pow2,   &plan->nattached };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		u32(w, numbers[i]);
	flag(w, &plan->uses_ring);
	flag(w, &plan->uses_user_symbols);
	flag(w, &cfg->print_maps);
	flag(w, &cfg->source_lines);
	flag(w, &cfg->no_user_symbols);
	flag(w, &cfg->mangled);
	u32(w, &cfg->ring_pages);
	u32(w, &cfg->max_cat_bytes);
	text(w, &cfg->trunc_trailer);
}
