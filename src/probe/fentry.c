/*
 * fentry, fexit: kernel functions are entered and return, arguments and result by name and
 * type.
 *
 * Functions are those that BTF describes.  A program hangs on the function's own trampoline,
 * which hands it one word per argument, two for a struct of up to 16 bytes, and behind them the
 * result (kernel/bpf/trampoline.c, btf_ctx_access() in kernel/bpf/btf.c).  Each program is for
 * one function, whose BTF id it is loaded with.
 */
#include "kernel/bpf.h"
#include "kernel/proc.h"
#include "probe/functions.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "probe/providers.h"

#include <errno.h>
#include <string.h>

enum {
	ARGS_MAX = 12,	   /* MAX_BPF_FUNC_ARGS */
	BY_VALUE_MAX = 16, /* bytes of a struct among the arguments */
	OWN_FRAMES = 2,	   /* the program's and the trampoline's */
};

static bool is_exit(const struct provider *p)
{
	return p->flags & PV_RETVAL;
}

static const char *home_of(const struct target *t)
{
	return t->module ? t->module : "vmlinux";
}

/* The type of what a target names; false when it is gone. */
static bool find_type(struct probe_env *env, const struct target *t, struct function_type *out)
{
	const struct bpf_functions *list;
	struct err e;

	if (!t->prog)
		return function_find_type(env, home_of(t), t->symbol, out);
	list = lists_bpf_functions(env, &e);
	vec_each(f, list) {
		if (f->prog != t->prog || strcmp(f->name, t->symbol) != 0)
			continue;
		*out = (struct function_type){ .btf = f->btf, .id = f->type };
		return true;
	}
	return false;
}

static struct target *add_target(struct probe_env *env, const struct attach_text *at,
				 const char *module, const char *name, struct targets *out)
{
	const struct provider *p = provider_find(at->parts[0], NULL);
	struct target *t = expand_add(env, p, at, out);

	t->symbol = name;
	t->module = module;
	t->name = arena_printf(env->arena, "%s:%s:%s", p->name, home_of(t), name);
	return t;
}

/* What every trampoline itself calls (btf_id_deny in kernel/bpf/verifier.c). */
static bool is_denied(const char *name)
{
	static const char *const denied[] = {
		"migrate_disable",   "migrate_enable",	  "rcu_read_unlock_strict",
		"preempt_count_add", "preempt_count_sub", "__rcu_read_lock",
		"__rcu_read_unlock",
	};

	for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++)
		if (!strcmp(denied[i], name))
			return true;
	return false;
}

/* One argument goes into a trampoline as a word, or as two for a small struct. */
static bool fits(const struct type *type)
{
	if (type->kind == T_STRUCT)
		return !type->is_union && type->size <= BY_VALUE_MAX;
	return type->size <= 8;
}

/* Why the kernel makes no trampoline for a function of that type; NULL: it does. */
static const char *why_not(struct probe_env *env, const struct function_type *f)
{
	struct btf_param params[ARGS_MAX + 1];
	const struct type *ret = NULL;
	int n = btf_func_params(env->types, f->btf, f->id, params, ARGS_MAX + 1, &ret);

	if (is_denied(btf_name(f->btf, f->id)))
		return "it is part of what runs the program";
	if (n < 0 || n > ARGS_MAX || btf_func_variadic(f->btf, f->id))
		return "it has too many arguments";
	if (ret->kind == T_STRUCT)
		return "it returns a struct or union";
	for (int i = 0; i < n; i++)
		if (!fits(params[i].type))
			return "an argument of it is a union or too large";
	return NULL;
}

/* A traceable function that has a type and can have a trampoline. */
static bool is_eligible(struct probe_env *env, const struct function *f,
			struct function_type *type)
{
	return function_find_type(env, function_home(f), f->name, type) && !why_not(env, type);
}

/* The eligible functions that match; module NULL: wherever they are. */
static bool expand_wildcard(struct probe_env *env, const struct attach_text *at,
			    const char *module, const char *name, struct targets *out)
{
	struct err e = {};
	const struct functions *list = lists_functions(env, &e);
	size_t before = out->len;

	if (!list)
		return expand_unreadable(env, at, &e);
	vec_each(f, list) {
		struct function_type type;

		if (!function_matches(f, module, name) || !is_eligible(env, f, &type))
			continue;
		add_target(env, at, type.module, f->name, out)->from_wildcard = true;
	}
	return out->len > before || expand_no_match(env, at, NULL);
}

/* The kernel has that function, but what it says of its type does not do. */
static bool refuse(struct probe_env *env, const struct attach_text *at, const char *why)
{
	struct diag *d = diag(env->dx, E0208_ATTACH_POINT, at->span, why);

	diag_hint(d, "kprobe:%s may work", at->parts[at->nparts - 1]);
	return false;
}

static bool expand_one(struct probe_env *env, const struct attach_text *at, const char *module,
		       const char *name, struct targets *out)
{
	struct function_type type;
	const char *nearest, *reason;

	if (!function_find_type(env, module, name, &type)) {
		if (!function_exists(env, module, name, &nearest))
			return expand_no_match(env, at, nearest);
		return refuse(
			env, at,
			arena_printf(env->arena, "the type of %s is not known (no BTF)", name));
	}
	reason = why_not(env, &type);
	if (reason)
		return refuse(env, at,
			      arena_printf(env->arena, "%s cannot have %s probes: %s", name,
					   provider_find(at->parts[0], NULL)->name, reason));
	add_target(env, at, type.module, name, out);
	return true;
}

/* "bpf:NAME", "bpf:ID:NAME": functions of programs that the kernel holds. */
static bool expand_bpf(struct probe_env *env, const struct attach_text *at, struct targets *out)
{
	const char *name = at->parts[at->nparts - 1], *nearest = NULL;
	const struct provider *p = provider_find(at->parts[0], NULL);
	const struct bpf_functions *list;
	size_t before = out->len;
	struct err e = {};
	unsigned dist = 0;
	uint64_t id = 0;

	if (at->nparts == 4 && strcmp(at->parts[2], "*") != 0 &&
	    !expand_number(at->parts[2], &id)) {
		diag(env->dx, E0208_ATTACH_POINT, at->span,
		     arena_printf(env->arena, "'%s' is no number of a BPF program",
				  at->parts[2]));
		return false;
	}
	list = lists_bpf_functions(env, &e);
	if (!list)
		return expand_unreadable(env, at, &e);
	vec_each(f, list) {
		diag_nearer(name, f->name, &nearest, &dist);
		if ((id && f->prog != id) || !wildcard_match(name, f->name))
			continue;
		struct target *t = expand_add(env, p, at, out);
		t->symbol = f->name;
		t->prog = f->prog;
		t->name = arena_printf(env->arena, "%s:bpf:%u:%s", p->name, f->prog, f->name);
		t->from_wildcard = wildcard_has(name);
	}
	return out->len > before || expand_no_match(env, at, nearest);
}

static bool expand_fentry(struct probe_env *env, const struct attach_text *at,
			  struct targets *out)
{
	const char *name, *module;
	struct err e = {};

	if (at->nparts > 2 && !strcmp(at->parts[1], "bpf"))
		return expand_arity(env, at, 2, 3) && expand_bpf(env, at, out);
	if (!expand_arity(env, at, 1, 2))
		return false;
	name = at->parts[at->nparts - 1];
	module = at->nparts == 3 ? at->parts[1] : NULL;
	if (!*name || (module && !*module)) {
		diag(env->dx, E0208_ATTACH_POINT, at->span,
		     "the name of a function is missing");
		return false;
	}
	if (!lists_btf(env, NULL, &e)) {
		diag(env->dx, E0132_NO_BTF, at->span, provider_find(at->parts[0], NULL)->name,
		     e.msg);
		return false;
	}
	if (wildcard_has(name) || (module && wildcard_has(module)))
		return expand_wildcard(env, at, module, name, out);
	return expand_one(env, at, module, name, out);
}

/* One value of the context at *off, which moves behind it. */
static struct argloc take_word(const struct type *type, uint32_t *off)
{
	bool is_small = type->size && type->size < 8;
	struct argloc loc = {
		.kind = LOC_CTX,
		.off = *off,
		.size = is_small ? (uint8_t)type->size : 8,
		.is_signed = type->is_signed,
		.is_typed = type->kind == T_PTR,
	};

	*off += type->size > 8 ? 16 : 8;
	return loc;
}

static int shape_fentry(struct probe_env *env, const struct target *t, const struct group *g,
			struct shape *out, struct err *e)
{
	struct btf_param params[ARGS_MAX];
	struct function_type f;
	const struct type *ret = NULL;
	uint32_t off = 0;
	int n = -1;

	(void)g;
	*out = (struct shape){
		.has_func = lists_has_feature(env, FEATURE_GET_FUNC_IP),
		.has_ctx = true,
		.arg_space = AS_KERNEL,
		.stack_ok = true,
		.kstack_skip = OWN_FRAMES,
	};
	if (find_type(env, t, &f))
		n = btf_func_params(env->types, f.btf, f.id, params, ARGS_MAX, &ret);
	if (n < 0)
		return err_set(e, -ENOENT, "%s: its type is gone", t->name);

	struct probe_arg *args = arena_array(env->arena, struct probe_arg, n);
	for (int i = 0; i < n; i++)
		args[i] = (struct probe_arg){ .name = params[i].name,
					      .type = params[i].type,
					      .loc = take_word(params[i].type, &off) };
	out->args = args;
	out->nargs = (unsigned)n;
	if (is_exit(t->provider) && btf_func_result(f.btf, f.id)) {
		out->retval = take_word(ret, &off);
		out->retval_type = ret;
	}
	return 0;
}

static int group_fentry(struct probe_env *env, const struct targets *targets,
			const struct group_wants *wants, struct groups *out, struct err *e)
{
	size_t first = out->len;

	(void)wants;
	group_split(env, targets, true, out);
	for (size_t i = first; i < out->len; i++) {
		struct group *g = out->data[i];
		const struct target *t = g->targets.data[0];
		struct function_type f;

		if (!find_type(env, t, &f))
			return err_set(e, -ENOENT, "%s: its type is gone", t->name);
		g->way = ATTACH_TRAMPOLINE;
		g->why = "a trampoline";
		g->prog_type = BPF_PROG_TYPE_TRACING;
		g->expected_attach = is_exit(t->provider) ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
		g->attach_btf_id = f.id;
		g->attach_btf_module = f.module;
		g->attach_prog_id = t->prog;
		/*
		 * Trampolines do not take bpf_prog_active, which keeps a second program off the
		 * CPU of a first one, and may be preempted: per-CPU memory is not theirs alone.
		 */
		g->preemptible = true;
	}
	return 0;
}

static int fail(struct probe_env *env, const struct target *t, int err, struct err *e)
{
	err_set(e, err, "attach %s", t->name);
	if (err == -EACCES || err == -EPERM)
		return proc_hint_denied(e, "fentry and fexit probes");
	if (t->prog)
		return err_hint(e, "a program of that type, or one that is traced or not "
				   "compiled by the kernel, cannot be traced");
	if (err == -E2BIG)
		return err_hint(e, "the function has as many programs as a trampoline takes");
	if (!lists_has_feature(env, FEATURE_FENTRY))
		return err_hint(e, "this kernel has no %s probes; kprobe:%s may work",
				t->provider->name, t->symbol);
	if (err == -EOPNOTSUPP)
		return err_hint(e, "its arguments do not fit; kprobe:%s may work", t->symbol);
	return err_hint(e, "the function is not traceable (inlined, or marked as notrace)");
}

static int attach_fentry(struct probe_env *env, const struct group *g, int prog_fd,
			 struct links *out, struct err *e)
{
	enum { ENOTSUPP = 524 }; /* the kernel's own, which has no name out here */
	const struct target *t = g->targets.data[0];
	int link = kbpf_raw_tp_open(prog_fd, NULL);

	if (link == -ENOTSUPP)
		link = -EOPNOTSUPP;
	if (link >= 0) {
		links_add_link(out, link, true);
		return 0;
	}
	fail(env, t, link, e);
	return links_skip(out, t, link);
}

static int list_bpf(struct probe_env *env, const struct provider *p, const char *pattern,
		    void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	const struct bpf_functions *list = lists_bpf_functions(env, e);

	if (!list)
		return e->code;
	vec_each(f, list) {
		char name[512];
		struct target t = {
			.provider = p, .name = name, .symbol = f->name, .prog = f->prog
		};

		snprintf(name, sizeof(name), "%s:bpf:%u:%s", p->name, f->prog, f->name);
		if (wildcard_match(pattern + strlen("bpf:"), f->name) ||
		    wildcard_match(pattern, name + strlen(p->name) + 1))
			fn(arg, &t);
	}
	return 0;
}

static bool accepts(struct probe_env *env, const struct function *f)
{
	struct function_type type;

	return is_eligible(env, f, &type);
}

static int list_functions(struct probe_env *env, const struct provider *p, const char *pattern,
			  void (*fn)(void *arg, const struct target *t), void *arg,
			  struct err *e)
{
	const struct function_listing how = { p, true, accepts };

	if (!strncmp(pattern, "bpf:", strlen("bpf:")))
		return list_bpf(env, p, pattern, fn, arg, e);
	if (!lists_btf(env, NULL, e))
		return e->code;
	return functions_list(env, &how, pattern, fn, arg, e);
}

static int list_fentry(struct probe_env *env, const char *pattern,
		       void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	return list_functions(env, &provider_fentry, pattern, fn, arg, e);
}

static int list_fexit(struct probe_env *env, const char *pattern,
		      void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	return list_functions(env, &provider_fexit, pattern, fn, arg, e);
}

static int params_fentry(struct probe_env *env, const struct target *t,
			 void (*fn)(void *arg, const char *text), void *arg, struct err *e)
{
	struct function_type f;

	(void)e;
	if (find_type(env, t, &f))
		function_print_type(env, &f, is_exit(t->provider), fn, arg);
	return 0;
}

const struct provider provider_fentry = {
	.name = "fentry",
	.aliases = (const char *const[]){ "f", "kfunc", NULL },
	.flags = PV_NAMED_ARGS | PV_PID_IMPLICIT | PV_LAST_FIRST,
	.doc = "A kernel function is entered, arguments by name.",
	.usage = "fentry:[MODULE:]FUNCTION or fentry:bpf:[ID:]FUNCTION",
	.expand = expand_fentry,
	.shape = shape_fentry,
	.group = group_fentry,
	.attach = attach_fentry,
	.list = list_fentry,
	.params = params_fentry,
};

const struct provider provider_fexit = {
	.name = "fexit",
	.aliases = (const char *const[]){ "fr", "kretfunc", NULL },
	.flags = PV_NAMED_ARGS | PV_RETVAL | PV_PID_IMPLICIT | PV_NO_COUNT_LIST | PV_LAST_FIRST,
	.doc = "A kernel function returns, arguments and result by name.",
	.usage = "fexit:[MODULE:]FUNCTION or fexit:bpf:[ID:]FUNCTION",
	.expand = expand_fentry,
	.shape = shape_fentry,
	.group = group_fentry,
	.attach = attach_fentry,
	.list = list_fexit,
	.params = params_fentry,
};
