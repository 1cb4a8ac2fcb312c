/*
 * The compiler's stages in their order.
 */
#include "script/compile.h"

#include "builtin/builtin.h"
#include "script/dump.h"
#include "script/foreign.h"
#include "script/lower.h"
#include "script/parse.h"
#include "script/split.h"
#include "script/watch.h"
#include "types/kernel_types.h"

#include <string.h>
#include <unistd.h>

/* What the text of a probe asks for, by the names in it. */
static void scan_expr(const struct expr *e, struct group_wants *w);
static void scan_stmt(const struct stmt *s, struct group_wants *w);

static void scan_name(const char *name, struct group_wants *w)
{
	if (!strcmp(name, "args"))
		w->one_each = w->other_args = true;
	w->own_place |= !strcmp(name, "uaddr");
	w->which |= !strcmp(name, "probe");
	w->func |= !strcmp(name, "func");
	w->retval |= !strcmp(name, "retval");
}

static bool is_args_ret(const struct expr *e)
{
	return e->kind == E_FIELD && e->a->kind == E_NAME && !strcmp(e->a->name, "args") &&
	       !strcmp(e->name, "ret");
}

static void scan_expr(const struct expr *e, struct group_wants *w)
{
	if (!e)
		return;
	if (is_args_ret(e)) {
		w->one_each = true;
		return;
	}
	if (e->kind == E_NAME || e->kind == E_CALL)
		scan_name(e->name, w);
	scan_expr(e->a, w);
	scan_expr(e->b, w);
	scan_expr(e->c, w);
	scan_expr(e->key, w);
	for (unsigned i = 0; i < e->nargs; i++)
		scan_expr(e->args[i], w);
	scan_stmt(e->stmt, w);
}

static void scan_stmt(const struct stmt *s, struct group_wants *w)
{
	for (; s; s = s->next) {
		w->result |= s->kind == S_RETURN && s->e;
		scan_expr(s->e, w);
		scan_expr(s->e2, w);
		scan_expr(s->target, w);
		scan_stmt(s->body, w);
		scan_stmt(s->els, w);
		scan_stmt(s->first, w);
		scan_expr(s->value, w);
	}
}

static enum prog_when when_of(const struct provider *pv)
{
	if (!(pv->flags & PV_OURS))
		return PROG_ATTACHED;
	static const struct {
		const char *provider;
		enum prog_when when;
	} ours[] = { { "begin", PROG_BEGIN },
		     { "end", PROG_END },
		     { "self", PROG_SIGNAL },
		     { "test", PROG_TEST },
		     { "bench", PROG_BENCH } };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (!strcmp(pv->name, ours[i].provider))
			return ours[i].when;
	BUG("a probe of type %s is run by nobody", pv->name);
}

/* Is the unit's program part of the plan? All units are checked, whatever the plan is for. */
static bool is_wanted(const struct compiler *c, const struct unit *u)
{
	switch (u->when) {
	case PROG_BEGIN:
	case PROG_END: return true;
	case PROG_SIGNAL:
	case PROG_ATTACHED: return c->plan->purpose == FOR_TRACE;
	case PROG_TEST: return c->plan->purpose == FOR_TESTS;
	case PROG_BENCH: return c->plan->purpose == FOR_BENCHES;
	}
	return false;
}

/* Results are told by name, so that no two tests and no two benchmarks share one. */
static bool is_named_twice(struct compiler *c, const struct unit *u)
{
	if (u->when != PROG_TEST && u->when != PROG_BENCH)
		return false;
	vec_each(other, &c->units) {
		if ((*other)->when != u->when || (*other)->unplaced ||
		    strcmp((*other)->target->name, u->target->name) != 0)
			continue;
		struct diag *d = diag(
			c->dx, E0208_ATTACH_POINT, u->target->span,
			arena_printf(c->arena, "there are two probes %s", u->target->name));
		diag_note(d, (*other)->target->span, "the first one is here");
		return true;
	}
	return false;
}

static const char *shown_name(const struct target *t)
{
	return t->user_name ? t->user_name : t->name;
}

static bool have_names(const struct plan *p, size_t base, const struct targets *targets)
{
	for (size_t i = 0; i < targets->len; i++)
		if (strcmp(p->probe_names.data[base + i], shown_name(targets->data[i])) != 0)
			return false;
	return true;
}

/*
 * The first of the targets' attach point ids, which follow each other.  Two programs on one
 * place have the same: they are one key of a map.
 */
static uint32_t probe_ids(struct compiler *c, const struct targets *targets)
{
	struct plan *p = c->plan;
	size_t base = 0;

	for (; base + targets->len <= p->probe_names.len; base++)
		if (have_names(p, base, targets))
			return (uint32_t)base;
	base = p->probe_names.len;
	vec_each(t, targets)
		vec_push(c->arena, &p->probe_names, shown_name(*t));
	return (uint32_t)base;
}

static bool add_unit(struct compiler *c, struct probe *p, struct group *g, bool returns)
{
	struct unit *u = arena_new(c->arena, struct unit);
	struct err e = {};

	u->c = c;
	u->probe = p;
	u->group = g;
	u->target = g->targets.data[0];
	u->when = when_of(g->provider);
	u->returns = returns;
	/* The first unit has the tree itself, so that -d ast shows what was settled. */
	u->body = p->compiled ? stmt_clone(c->arena, p->body) : p->body;
	u->pred = p->compiled && p->pred ? expr_clone(c->arena, p->pred) : p->pred;
	p->compiled = true;
	strmap_init(&u->vars, c->arena);
	if (g->provider->shape(c->opt->env, u->target, g, &u->shape, &e)) {
		struct diag *d = diag(c->dx, E0131_PARAM_TYPE, u->target->span, e.msg);

		diag_hint(d, "%s", e.hint);
		return false;
	}

	if (is_named_twice(c, u))
		return false;
	u->probe_base = probe_ids(c, &g->targets);
	c->plan->nattached += p->continues || !is_wanted(c, u) ? 0 : (unsigned)g->targets.len;
	c->plan->ntests += u->when == PROG_TEST;
	c->plan->nbenches += u->when == PROG_BENCH;
	vec_push(c->arena, &c->units, u);
	return true;
}

/* The targets of one provider among those of a probe, which keep their order. */
static void take_provider(struct compiler *c, struct targets *all, struct targets *out)
{
	const struct provider *pv = NULL;

	vec_each(t, all) {
		if (*t && (!pv || (*t)->provider == pv)) {
			pv = (*t)->provider;
			vec_push(c->arena, out, *t);
			*t = NULL;
		}
	}
}

static bool group_probe(struct compiler *c, struct probe *p, struct targets *all)
{
	struct group_wants wants = {};

	scan_expr(p->pred, &wants);
	scan_stmt(p->body, &wants);
	for (;;) {
		struct targets some = {};
		struct groups groups = {};
		struct err e = {};

		take_provider(c, all, &some);
		if (!some.len)
			return true;

		struct group_wants mine = wants;
		const struct provider *pv = some.data[0]->provider;
		mine.one_each &= (pv->flags & PV_NAMED_ARGS) != 0;
		if (pv->group(c->opt->env, &some, &mine, &groups, &e)) {
			struct diag *d = diag(c->dx, E0131_PARAM_TYPE, p->head, e.msg);

			diag_hint(d, "%s", e.hint);
			return false;
		}
		vec_each(g, &groups) {
			if (!add_unit(c, p, *g, mine.result))
				return false;
		}
	}
}

/*
 * A probe that has no place is checked all the same, so that all mistakes of a script come out
 * in one run.  What its event has is not known and gives no message.
 */
static void add_unplaced(struct compiler *c, struct probe *p)
{
	struct unit *u = arena_new(c->arena, struct unit);
	struct provider *pv = arena_new(c->arena, struct provider);
	struct target *t = arena_new(c->arena, struct target);
	const struct attach_point *ap = &p->points.data[0];
	const char *nearest;
	const struct provider *known = provider_find(ap->parts[0], &nearest);

	pv->name = known ? known->name : ap->parts[0];
	pv->flags = known ? known->flags & PV_USER : 0;
	t->provider = pv;
	t->name = ap->text;
	u->c = c;
	u->probe = p;
	u->group = arena_new(c->arena, struct group);
	u->group->provider = pv;
	u->target = t;
	u->unplaced = true;
	u->body = p->body;
	u->pred = p->pred;
	strmap_init(&u->vars, c->arena);
	vec_push(c->arena, &c->units, u);
}

/* Leaves the targets whose names --probe-filter lets through. */
static void keep_wanted(struct compiler *c, struct targets *targets)
{
	size_t kept = 0;

	if (!c->opt->only_probes)
		return;
	vec_each(t, targets) {
		if (!regexec(c->opt->only_probes, shown_name(*t), 0, NULL, 0))
			targets->data[kept++] = *t;
	}
	targets->len = kept;
}

static void expand_probe(struct compiler *c, struct probe *p)
{
	struct targets targets = {};
	struct probe_env *env = c->opt->env;
	int missing = c->cfg->missing_probes;
	bool ok = true;

	if (missing == MISSING_AUTO)
		missing = p->points.len > 1 ? MISSING_WARN : MISSING_ERROR;
	env->missing = missing;
	env->probe_inline = c->cfg->probe_inline;
	vec_each(ap, &p->points) {
		struct attach_text at = {
			.span = ap->span,
			.text = ap->text,
			.user_name = ap->user_name,
			.parts = ap->parts,
			.nparts = ap->nparts,
		};

		ok &= probe_expand(env, &at, &targets);
	}
	if (ok && !targets.len && c->cfg->missing_probes == MISSING_AUTO) {
		diag(c->dx, E0209_NO_TARGET, p->head);
		ok = false;
	}
	keep_wanted(c, &targets);
	if (ok)
		ok = group_probe(c, p, &targets);
	if (!ok && !p->compiled)
		add_unplaced(c, p);
}

static void hint_setting(struct diag *d, const char *key)
{
	const char *near = script_config_nearest(key);

	if (near)
		diag_hint(d, "did you mean %s?", near);
}

static void apply_config(struct compiler *c)
{
	vec_each(e, &c->script->config) {
		const char *wrong =
			script_config_set(c->cfg, c->arena, CONFIG_SCRIPT, e->key, e->value);
		const char *now = script_config_renamed(e->key);

		if (wrong)
			hint_setting(diag(c->dx, E0134_CONFIG, e->span, e->key, wrong), e->key);
		else if (now)
			diag(c->dx, W0121_RENAMED, e->span, e->key, now);
		else if (script_config_is_idle(e->key))
			diag(c->dx, W0122_IDLE, e->span, e->key);
	}
}

static void check_limits(struct compiler *c)
{
	if (c->plan->nattached > c->cfg->max_probes)
		diag(c->dx, E0412_PROBES, (struct span){}, c->plan->nattached,
		     c->cfg->max_probes);
	/* Each program counts once, however many probes it has. */
	if (c->plan->progs.len > c->cfg->max_bpf_progs)
		diag(c->dx, E0411_PROGRAMS, (struct span){}, c->plan->progs.len,
		     c->cfg->max_bpf_progs);
}

/* The kernel's hash tables take no more. */
#define MAP_ENTRIES_MAX (1u << 31)

static void declare_maps(struct compiler *c)
{
	static const struct {
		const char *name;
		enum bpf_map_type type;
	} kinds[] = {
		{ "hash", BPF_MAP_TYPE_HASH },
		{ "lruhash", BPF_MAP_TYPE_LRU_HASH },
		{ "percpuhash", BPF_MAP_TYPE_PERCPU_HASH },
		{ "percpulruhash", BPF_MAP_TYPE_LRU_PERCPU_HASH },
	};

	vec_each(d, &c->script->map_decls) {
		struct map_sym *m = arena_new(c->arena, struct map_sym);

		m->name = d->name;
		m->first = m->declared = d->span;
		m->max_entries = (uint32_t)d->n;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (!strcmp(kinds[i].name, d->kind))
				m->kind = kinds[i].type;
		if (!m->kind)
			diag(c->dx, E0133_MAP_KIND, d->kind_span, d->kind);
		if (!d->n || d->n > MAP_ENTRIES_MAX)
			diag(c->dx, E0154_MAP_SIZE, d->n_span, MAP_ENTRIES_MAX,
			     (unsigned long long)d->n);
		if (strmap_gets(&c->maps, m->name))
			diag(c->dx, E0010_TWICE, d->span,
			     arena_printf(c->arena, "declaration of %s", m->name));
		strmap_sets(&c->maps, m->name, m);
	}
}

/* C in the script, and the kernel's types behind it. */
static const struct type *find_c_type(void *arg, enum c_tag tag, const char *name)
{
	return kernel_type(arg, tag, name);
}

static bool find_kernel_const(void *arg, const char *name, int64_t *value)
{
	struct compiler *c = arg;
	const struct btf *btf = kernel_btf(c->tt, NULL);
	uint32_t id;

	return btf && btf_find_const(btf, name, value, &id);
}

static bool load_c(struct compiler *c)
{
	struct cfront_env env = {
		.types = c->tt,
		.find_type = find_c_type,
		.find_const = find_kernel_const,
		.open_header = header_open,
		.arg = c,
	};

	c->cf = cfront_new(c->arena, &env);
	if (!c->script->c_items.len && !c->opt->nincludes)
		return true;
	if (access(c->tt->btf_path ? c->tt->btf_path : BTF_KERNEL_PATH, R_OK) == 0)
		cfront_predefine(c->cf, "BPFTRACE_HAVE_BTF", "1");
	for (unsigned i = 0; i < c->opt->nincludes; i++)
		if (!cfront_include(c->cf, c->opt->includes[i], c->dx))
			return false;
	return cfront_load(c->cf, c->script->c_items.data, c->script->c_items.len, c->dx);
}

static void check_until_settled(struct compiler *c)
{
	enum { PASSES_MAX = 12 };

	for (int i = 0; i < PASSES_MAX; i++) {
		c->changed = false;
		vec_each(u, &c->units)
			check_unit(*u);
		c->guessing = false;
		if (!c->changed)
			break;
	}
}

static size_t maps_without_type(const struct compiler *c)
{
	size_t n = 0;

	vec_each(m, &c->maps.entries)
		n += !((struct map_sym *)m->value)->value;
	return n;
}

/*
 * Passes over all programs until no type grows any more; then one that reports.  A map whose
 * values are made of its own, as in @n = @n + 1, has got none by then: what they are computed
 * with tells.
 */
static void settle_types(struct compiler *c)
{
	c->dx->muted = true;
	check_until_settled(c);
	for (size_t left, before = SIZE_MAX; (left = maps_without_type(c)) < before && left;) {
		before = left;
		c->guessing = true;
		check_until_settled(c);
	}
	c->dx->muted = false;
	diags_recount(c->dx);
	c->final = true;
	vec_each(u, &c->units)
		check_unit(*u);
}

static void optimize(struct compiler *c, struct fn *fn)
{
	if (c->opt->dump_passes)
		dump_pass(c, "lowering", fn);
	ir_optimize_without(fn, c->opt->without_passes, c->opt->dump_passes ? dump_pass : NULL,
			    c);
	dump_ir(c, fn);
}

/* Runs of one program at a time on a CPU, when one can be preempted by the next. */
enum { PREEMPTED_RUNS = 4 };

static void note_functions(const struct fn *fn, bool *used)
{
	vec_each(blk, &fn->blks) {
		if (blk->dead)
			continue;
		vec_each(r, &blk->ins) {
			const struct ins *i = ir_ins(fn, *r);

			if (i->op == OP_FUNC)
				used[i->imm] = true;
		}
	}
}

static void renumber_functions(struct fn *fn, const uint32_t *number)
{
	vec_each(i, &fn->ins) {
		if (i->op == OP_FUNC)
			i->imm = number[i->imm];
	}
}

/* The kernel refuses code that nothing leads to: the body of a loop that the passes removed. */
static void drop_unused_functions(struct unit *u)
{
	struct arena *a = u->c->arena;
	bool *used = arena_array(a, bool, u->fns.len);
	uint32_t *number = arena_array(a, uint32_t, u->fns.len);
	size_t kept = 0;

	used[0] = true;
	for (size_t k = 0; k < u->fns.len; k++) { /* bodies stand behind what calls them */
		if (!used[k])
			continue;
		note_functions(u->fns.data[k], used);
		number[k] = (uint32_t)kept;
		u->fns.data[kept++] = u->fns.data[k];
	}
	u->fns.len = kept;
	vec_each(fn, &u->fns)
		renumber_functions(*fn, number);
}

static void add_scratch(struct compiler *c, uint32_t size, uint32_t copies)
{
	vec_push(c->arena, &c->plan->kmaps,
		 (struct plan_kmap){
			 .name = "scratch",
			 .type = BPF_MAP_TYPE_PERCPU_ARRAY,
			 .key_size = 4,
			 .value_size = (size + 7) / 8 * 8,
			 .max_entries = copies,
			 .scratch = true,
		 });
}

/* The functions that are active at the same time share the stack; the kernel counts in units.
 */
static uint32_t stack_of_each(const struct unit *u)
{
	enum { STACK_ALL = 512, STACK_UNIT = 32 };
	uint32_t foreign = 0;

	vec_each(f, &u->foreigns)
		if (foreign < (*f)->image.stack_size)
			foreign = (*f)->image.stack_size;
	return (STACK_ALL - foreign) / (u->depth_max + 1) / STACK_UNIT * STACK_UNIT;
}

/* Puts the functions of a program together, those it calls among them. */
static void link_program(struct compiler *c, struct unit *u, const struct image *parts)
{
	const struct image **foreign =
		arena_array(c->arena, const struct image *, u->foreigns.len + 1);

	for (size_t i = 0; i < u->foreigns.len; i++) {
		foreign_place(c, u->foreigns.data[i]);
		foreign[i] = &u->foreigns.data[i]->image;
	}
	image_link(c->arena, parts, (uint32_t)u->fns.len, foreign, (uint32_t)u->foreigns.len,
		   &c->plan->progs.data[u->prog_index].image);
}

static bool generate(struct compiler *c, struct unit *u)
{
	struct plan *p = c->plan;
	struct image *parts = arena_array(c->arena, struct image, u->fns.len);
	struct codegen_target target = {
		.on_stack_limit = c->cfg->on_stack_limit ? c->cfg->on_stack_limit : 1,
		.stack_max = stack_of_each(u),
		.scratch_copies =
			u->group->preemptible && c->opt->isa >= 3 ? PREEMPTED_RUNS : 1,
		.miss_map = KMAP_GLOBALS,
		.miss_off = counter_new(u, COUNT_SCRATCH, u->probe->head, NULL, false),
		.isa = c->opt->isa,
	};
	struct err e = {};

	for (size_t i = 0; i < u->fns.len; i++) {
		target.scratch_map = (uint32_t)p->kmaps.len;
		if (codegen(c->arena, u->fns.data[i], &target, &parts[i], &e)) {
			diag(c->dx, E0401_TOO_BIG, u->probe->head, e.msg);
			return false;
		}
		if (parts[i].scratch_size)
			add_scratch(c, parts[i].scratch_size, target.scratch_copies);
	}
	link_program(c, u, parts);
	return true;
}

static void compile_unit(struct compiler *c, struct unit *u)
{
	struct plan_prog prog = {
		.name = u->target->name,
		.when = u->when,
		.group = u->group,
		.probe_base = u->probe_base,
		.span = u->probe->head,
	};

	u->prog_index = (uint32_t)c->plan->progs.len;
	vec_push(c->arena, &c->plan->progs, prog);

	lower_unit(u);
	vec_each(fn, &u->fns) {
		const char *wrong = ir_check(*fn, c->arena);

		if (wrong)
			BUG("%s: %s", u->target->name, wrong);
		optimize(c, *fn);
	}
	drop_unused_functions(u);
	generate(c, u);
}

static void start_plan(struct compiler *c)
{
	struct plan *p = c->plan = arena_new(c->arena, struct plan);

	p->arena = c->arena;
	p->sources = c->sources;
	p->types = c->tt;
	p->purpose = c->opt->purpose;
	vec_push(c->arena, &p->kmaps,
		 (struct plan_kmap){
			 .name = "globals",
			 .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .max_entries = 1,
			 .flags = BPF_F_MMAPABLE,
		 });
	vec_push(c->arena, &p->kmaps,
		 (struct plan_kmap){ .name = "ring", .type = BPF_MAP_TYPE_RINGBUF });
}

uint32_t plan_string(struct plan *p, const char *s)
{
	for (size_t i = 0; i < p->strings.len; i++)
		if (!strcmp(p->strings.data[i], s))
			return (uint32_t)i;
	vec_push(p->arena, &p->strings, s);
	return (uint32_t)p->strings.len - 1;
}

static void finish_plan(struct compiler *c)
{
	struct plan *p = c->plan;

	p->kmaps.data[KMAP_GLOBALS].value_size =
		p->counters_off + 16 * (uint32_t)p->counters.len + 16;
}

static bool front_end(struct compiler *c, const struct source *text)
{
	struct parse_options opt = { c->opt->params, c->opt->nparams };
	const struct source main = *text, *src = &main; /* imports move the table */

	c->script = parse_script(c->arena, c->dx, src, &opt);
	c->damaged = c->script->probe_errors > 0;
	if (c->dx->errors > c->script->probe_errors)
		return false;
	apply_config(c);
	c->opt->env->max_probes = c->cfg->max_probes;
	if (!load_imports(c, src))
		return false;
	load_c(c);
	declare_maps(c);
	declare_macros(c);
	declare_subprogs(c);
	split_long_probes(c);
	for (struct probe *p = c->script->probes; p; p = p->next)
		expand_probe(c, p);
	settle_types(c);
	builtin_check_options(c);
	dump_ast(c, src->name);
	return !diag_failed(c->dx);
}

struct plan *compile_script(struct arena *a, struct diags *dx, struct sources *sources,
			    const struct source *src, struct script_config *cfg,
			    const struct compile_options *opt)
{
	struct compiler c = {
		.arena = a,
		.dx = dx,
		.sources = sources,
		.tt = opt->env->types,
		.opt = opt,
		.cfg = cfg,
	};

	strmap_init(&c.maps, a);
	strmap_init(&c.options, a);
	start_plan(&c);
	if (!front_end(&c, src))
		return NULL;
	settle_maps(&c);
	filter_prepare(&c);
	watch_prepare(&c);
	if (diag_failed(dx))
		return NULL;
	vec_each(u, &c.units) {
		if (is_wanted(&c, *u))
			compile_unit(&c, *u);
	}
	if (opt->purpose == FOR_TRACE)
		join_programs(&c);
	check_limits(&c);
	finish_plan(&c);
	return diag_failed(dx) ? NULL : c.plan;
}
