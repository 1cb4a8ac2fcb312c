/*
 * rawtracepoint: the arguments of a tracepoint as the kernel passes them, without a record.
 *
 * A raw tracepoint EV is known by its BTF type btf_trace_EV, a function of (void *, arguments);
 * its program sees one word per argument.
 */
#include "kernel/bpf.h"
#include "probe/functions.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "probe/providers.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>

#define BTF_PREFIX "btf_trace_"
/* The most arguments a tracepoint has (include/trace/bpf_probe.h). */
enum { ARGS_MAX = 12 };

static const struct argloc words[ARGS_MAX] = {
#define WORD(n)                                          \
	{                                                \
		.kind = LOC_CTX, .off = (n)*8, .size = 8 \
	}
	WORD(0), WORD(1), WORD(2), WORD(3), WORD(4),  WORD(5),
	WORD(6), WORD(7), WORD(8), WORD(9), WORD(10), WORD(11),
#undef WORD
};

static void add_target(struct probe_env *env, const struct attach_text *at, const char *module,
		       const char *event, struct targets *out, bool from_wildcard)
{
	struct target *t = expand_add(env, &provider_rawtracepoint, at, out);

	t->event = arena_strdup(env->arena, event);
	t->module = arena_strdup(env->arena, module);
	t->name = arena_printf(env->arena, "rawtracepoint:%s:%s", module, event);
	t->from_wildcard = from_wildcard;
}

struct each_event {
	struct probe_env *env;
	const char *pattern; /* of modules to look into */
	const char *module;  /* at present */
	void (*fn)(void *arg, const char *module, const char *event);
	void *arg;
};

static bool each_typedef(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	const struct each_event *each = arg;

	(void)b, (void)id;
	if (!strncmp(name, BTF_PREFIX, strlen(BTF_PREFIX)))
		each->fn(each->arg, each->module, name + strlen(BTF_PREFIX));
	return true;
}

static bool each_module(void *arg, const char *module)
{
	struct each_event *each = arg;
	const struct btf *btf = wildcard_match(each->pattern, module)
					? lists_btf(each->env, module, NULL)
					: NULL;

	each->module = module;
	if (btf)
		btf_each(btf, BTF_TYPEDEFS, each_typedef, each);
	return true;
}

/*
 * Calls fn with every raw tracepoint of the modules that match; without BTF with those that are
 * events.
 */
static int each_event(struct probe_env *env, const char *modules,
		      void (*fn)(void *arg, const char *module, const char *event), void *arg,
		      struct err *e)
{
	struct each_event each = { env, modules, NULL, fn, arg };
	const struct events *events;

	if (kernel_btf(env->types, e)) {
		each_module(&each, "vmlinux");
		lists_each_module(each_module, &each);
		return 0;
	}
	events = lists_events(env, e);
	if (!events)
		return e->code;
	vec_each(ev, events)
		if (strcmp(ev->category, "syscalls") != 0)
			fn(arg, "vmlinux", ev->name);
	return 0;
}

static bool is_known(struct probe_env *env, const char *module, const char *event)
{
	const struct btf *btf = lists_btf(env, module, NULL);
	char name[128];

	snprintf(name, sizeof(name), BTF_PREFIX "%s", event);
	return btf && btf_find(btf, BTF_TYPEDEFS, name);
}

struct search {
	struct probe_env *env;
	const struct attach_text *at;
	const char *pattern;
	struct targets *out;
	const char *nearest;
	unsigned dist;
	bool is_wild;
};

static void take_match(void *arg, const char *module, const char *event)
{
	struct search *s = arg;

	if (wildcard_match(s->pattern, event))
		add_target(s->env, s->at, module, event, s->out, s->is_wild);
	else if (!s->is_wild)
		diag_nearer(s->pattern, event, &s->nearest, &s->dist);
}

static bool expand_rawtracepoint(struct probe_env *env, const struct attach_text *at,
				 struct targets *out)
{
	struct search s = { .env = env, .at = at, .out = out };
	const char *module;
	size_t before = out->len;
	struct err e = {};

	if (!expand_arity(env, at, 1, 2))
		return false;
	module = at->nparts == 3 ? at->parts[1] : "*";
	s.pattern = at->parts[at->nparts - 1];
	s.is_wild = wildcard_has(s.pattern);
	/* Most are the kernel's own: modules are opened only when it has none like it. */
	if (!s.is_wild && wildcard_match(module, "vmlinux") && is_known(env, NULL, s.pattern)) {
		add_target(env, at, "vmlinux", s.pattern, out, false);
		return true;
	}
	if (each_event(env, module, take_match, &s, &e))
		return expand_unreadable(env, at, &e);
	return out->len > before || expand_no_match(env, at, s.nearest);
}

/*
 * Parameters by BTF, without the first, which belongs to the mechanism; -1: not known.  The
 * function that calls the probes has the names; the type has none, but is there in all kernels.
 */
static int btf_params(struct probe_env *env, const struct target *t, struct btf_param *params)
{
	static const struct {
		enum btf_what what;
		const char *prefix;
	} sources[] = { { BTF_FUNCS, "__traceiter_" }, { BTF_TYPEDEFS, BTF_PREFIX } };
	const struct btf *btf = lists_btf(env, t->module, NULL);
	struct btf_param all[ARGS_MAX + 1];

	for (size_t i = 0; btf && i < sizeof(sources) / sizeof(*sources); i++) {
		char name[128];
		uint32_t id;
		int n;

		snprintf(name, sizeof(name), "%s%s", sources[i].prefix, t->event);
		id = btf_find(btf, sources[i].what, name);
		n = id ? btf_func_params(env->types, btf, id, all, ARGS_MAX + 1, NULL) : -1;
		if (n < 1)
			continue;
		memcpy(params, all + 1, (size_t)(n - 1) * sizeof(*params));
		return n - 1;
	}
	return -1;
}

static struct probe_arg make_arg(struct arena *a, const struct btf_param *p, int index)
{
	const char *name = p->name && *p->name ? p->name : arena_printf(a, "arg%d", index);

	return (struct probe_arg){
		.name = name,
		.type = p->type,
		.loc = { .kind = LOC_CTX,
			 .off = (uint32_t)index * 8,
			 .size = (uint8_t)(p->type->size && p->type->size < 8 ? p->type->size
									      : 8),
			 .is_signed = p->type->is_signed },
	};
}

static int shape_rawtracepoint(struct probe_env *env, const struct target *t,
			       const struct group *g, struct shape *out, struct err *e)
{
	struct btf_param params[ARGS_MAX];
	int n = btf_params(env, t, params);
	struct probe_arg *args;

	(void)g, (void)e;
	*out = (struct shape){
		.regs = words,
		.nregs = n < 0 ? ARGS_MAX : (unsigned)n,
		.has_ctx = true,
		.arg_space = AS_KERNEL,
		.stack_ok = true,
	};
	if (n < 0)
		return 0;
	args = arena_array(env->arena, struct probe_arg, n);
	for (int i = 0; i < n; i++)
		args[i] = make_arg(env->arena, &params[i], i);
	out->args = args;
	out->nargs = (unsigned)n;
	return 0;
}

static int params_rawtracepoint(struct probe_env *env, const struct target *t,
				void (*fn)(void *arg, const char *text), void *arg,
				struct err *e)
{
	struct btf_param params[ARGS_MAX];
	int n = btf_params(env, t, params);

	(void)e;
	function_print_params(lists_btf(env, t->module, NULL), params, n, fn, arg);
	return 0;
}

static int group_rawtracepoints(struct probe_env *env, const struct targets *targets,
				const struct group_wants *wants, struct groups *out,
				struct err *e)
{
	size_t first = out->len;

	(void)e;
	/* Links of raw tracepoints have cookies only since 6.10: one program each tells as
	 * well. */
	group_split(env, targets, wants->one_each || wants->which, out);
	for (size_t i = first; i < out->len; i++) {
		out->data[i]->way = ATTACH_RAW_TP;
		out->data[i]->why = "raw tracepoints";
		out->data[i]->prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	}
	return 0;
}

static int attach_rawtracepoints(struct probe_env *env, const struct group *g, int prog_fd,
				 struct links *out, struct err *e)
{
	size_t before = out->list.len;

	(void)env;
	links_reserve(before + g->targets.len);
	vec_each(t, &g->targets) {
		int link = kbpf_raw_tp_open(prog_fd, (*t)->event);

		if (link >= 0) {
			links_add_link(out, link, false);
			continue;
		}
		err_set(e, link, "attach %s", (*t)->name);
		if (link == -EINVAL)
			err_hint(e, "it has fewer arguments than the script uses");
		if (links_skip(out, *t, link))
			return link;
	}
	return links_check(out, before, e);
}

struct listing {
	const char *pattern;
	void (*fn)(void *arg, const struct target *t);
	void *arg;
};

static void list_one(void *arg, const char *module, const char *event)
{
	const struct listing *l = arg;
	char name[256];
	struct target t = { .provider = &provider_rawtracepoint,
			    .name = name,
			    .event = event,
			    .module = module };

	snprintf(name, sizeof(name), "rawtracepoint:%s:%s", module, event);
	if (wildcard_match(l->pattern, name + strlen("rawtracepoint:")) ||
	    wildcard_match(l->pattern, event))
		l->fn(l->arg, &t);
}

static int list_rawtracepoints(struct probe_env *env, const char *pattern,
			       void (*fn)(void *arg, const struct target *t), void *arg,
			       struct err *e)
{
	struct listing l = { pattern, fn, arg };

	return each_event(env, "*", list_one, &l, e);
}

const struct provider provider_rawtracepoint = {
	.name = "rawtracepoint",
	.aliases = (const char *const[]){ "rt", NULL },
	.flags = PV_ENTRY_ARGS | PV_NAMED_ARGS | PV_PID_IMPLICIT,
	.doc = "A static probe of the kernel, arguments as the kernel has them.",
	.usage = "rawtracepoint[:MODULE]:EVENT",
	.expand = expand_rawtracepoint,
	.shape = shape_rawtracepoint,
	.group = group_rawtracepoints,
	.attach = attach_rawtracepoints,
	.list = list_rawtracepoints,
	.params = params_rawtracepoint,
};
