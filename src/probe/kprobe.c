/*
 * kprobe, kretprobe: where kernel functions are entered, or at an instruction, and where they
 * return.
 *
 * One function is a perf event.  Many, from a wildcard, are one kprobe.multi link where the
 * kernel has that, else a perf event each with one program for all of them.  Which one fired is
 * told by the cookie.
 */
#include "base/strmap.h"
#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "probe/arch.h"
#include "probe/functions.h"
#include "probe/kprobe_attach.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "probe/providers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_ret(const struct provider *p)
{
	return p->flags & PV_RETVAL;
}

static bool bad_point(struct probe_env *env, const struct attach_text *at, const char *why)
{
	diag(env->dx, E0208_ATTACH_POINT, at->span, why);
	return false;
}

/* Takes "+OFFSET" off the function's name; the rest is in t->symbol. */
static bool split_offset(struct probe_env *env, const struct attach_text *at, const char *text,
			 struct target *t)
{
	const char *plus = strchr(text, '+');

	t->symbol = text;
	if (!plus)
		return true;
	if (is_ret(t->provider))
		return bad_point(env, at,
				 "kretprobes can not be attached to a function offset");
	if (wildcard_has(text))
		return bad_point(env, at, "an offset needs the name of one function");
	if (!expand_number(plus + 1, &t->offset))
		return bad_point(env, at,
				 arena_printf(env->arena, "'%s' is no offset", plus + 1));
	t->symbol = arena_strndup(env->arena, text, (size_t)(plus - text));
	return true;
}

/* "0xADDR": anywhere in the kernel's code, which --unsafe must allow. */
static bool expand_address(struct probe_env *env, const struct attach_text *at,
			   const struct provider *p, const char *text, struct targets *out)
{
	struct target *t;
	uint64_t addr;

	if (at->nparts > 2)
		return bad_point(env, at, "an address stands alone");
	if (!expand_number(text, &addr) || !addr)
		return bad_point(env, at, arena_printf(env->arena, "'%s' is no address", text));
	if (!env->unsafe) {
		diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
			       "a kprobe at an address can crash the system"),
			  "--unsafe allows it");
		return false;
	}
	t = expand_add(env, p, at, out);
	t->addr = addr;
	return true;
}

/* An offset must lie in the function, as far as its size is known; --unsafe does not ask. */
static bool check_offset(struct probe_env *env, const struct attach_text *at,
			 const struct target *t)
{
	uint64_t size;

	if (!t->offset || env->unsafe)
		return true;
	size = function_size(env, t->module, t->symbol);
	if (!size || t->offset < size)
		return true;
	return bad_point(env, at,
			 arena_printf(env->arena,
				      "offset %llu is outside of %s, which has %llu bytes",
				      (unsigned long long)t->offset, t->symbol,
				      (unsigned long long)size));
}

/* Functions whose module and name match; pattern NULL: any module. */
static bool expand_wildcard(struct probe_env *env, const struct provider *p,
			    const struct attach_text *at, const char *module,
			    const char *symbol, struct targets *out)
{
	struct err e = {};
	const struct functions *list = lists_functions(env, &e);
	size_t before = out->len;

	if (!list)
		return expand_unreadable(env, at, &e);
	vec_each(f, list) {
		struct target *t;

		if (!function_matches(f, module, symbol))
			continue;
		t = expand_add(env, p, at, out);
		t->symbol = f->name;
		t->module = *f->module ? f->module : NULL;
		t->addr = f->addr;
		t->from_wildcard = true;
		t->name = module ? arena_printf(env->arena, "%s:%s:%s", p->name,
						function_home(f), f->name)
				 : arena_printf(env->arena, "%s:%s", p->name, f->name);
	}
	return out->len > before || expand_no_match(env, at, NULL);
}

static bool expand_kprobe(struct probe_env *env, const struct attach_text *at,
			  struct targets *out)
{
	const struct provider *p = provider_find(at->parts[0], NULL);
	struct target part = { .provider = p };
	const char *nearest, *text;
	struct target *t;

	if (!expand_arity(env, at, 1, 2))
		return false;
	text = at->parts[at->nparts - 1];
	part.module = at->nparts == 3 ? at->parts[1] : NULL;
	if (!*text || (part.module && !*part.module))
		return bad_point(env, at,
				 "kprobes should be attached to a function or an address");
	if (text[0] == '0' && (text[1] | 32) == 'x')
		return expand_address(env, at, p, text, out);
	if (!split_offset(env, at, text, &part))
		return false;
	if (wildcard_has(part.symbol) || (part.module && wildcard_has(part.module)))
		return expand_wildcard(env, p, at, part.module, part.symbol, out);
	if (!function_exists(env, part.module, part.symbol, &nearest))
		return expand_no_match(env, at, nearest);
	if (!check_offset(env, at, &part))
		return false;
	t = expand_add(env, p, at, out);
	t->symbol = part.symbol;
	t->offset = part.offset;
	if (part.module && strcmp(part.module, "vmlinux") != 0)
		t->module = part.module;
	return true;
}

static int shape_kprobe(struct probe_env *env, const struct target *t, const struct group *g,
			struct shape *out, struct err *e)
{
	bool has_ip = lists_has_feature(env, FEATURE_GET_FUNC_IP);

	(void)g, (void)e;
	*out = (struct shape){
		.has_func = true,
		.has_ctx = true,
		.ctx_type = type_struct_named(env->types, "pt_regs", false),
		.arg_space = AS_KERNEL,
		.stack_ok = true,
	};
	if (is_ret(t->provider)) {
		out->retval = arch_host.retval;
		out->retval_type = type_int(env->types, 8, true);
		out->has_func = has_ip;
		return 0;
	}
	out->regs = arch_host.args;
	out->nregs = arch_host.nargs;
	/* get_func_ip knows entries only. */
	if (t->offset || !t->symbol || !has_ip)
		out->func_ip = arch_host.ip;
	return 0;
}

static int list_kprobes(struct probe_env *env, const char *pattern,
			void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	const struct function_listing how = { .provider = &provider_kprobe };

	return functions_list(env, &how, pattern, fn, arg, e);
}

static int list_kretprobes(struct probe_env *env, const char *pattern,
			   void (*fn)(void *arg, const struct target *t), void *arg,
			   struct err *e)
{
	const struct function_listing how = { .provider = &provider_kretprobe };

	return functions_list(env, &how, pattern, fn, arg, e);
}

static int params_kprobe(struct probe_env *env, const struct target *t,
			 void (*fn)(void *arg, const char *text), void *arg, struct err *e)
{
	struct function_type f;

	(void)e;
	if (t->symbol && function_find_type(env, t->module, t->symbol, &f))
		function_print_type(env, &f, is_ret(t->provider), fn, arg);
	return 0;
}

const struct provider provider_kprobe = {
	.name = "kprobe",
	.aliases = (const char *const[]){ "k", NULL },
	.flags = PV_ENTRY_ARGS | PV_PID_IMPLICIT | PV_LAST_FIRST,
	.doc = "A kernel function is entered, or an instruction of it reached.",
	.usage = "kprobe:[MODULE:]FUNCTION[+OFFSET], kprobe:0xADDRESS",
	.expand = expand_kprobe,
	.shape = shape_kprobe,
	.group = kprobe_group,
	.join = kprobe_join,
	.attach = kprobe_attach,
	.list = list_kprobes,
	.params = params_kprobe,
};

const struct provider provider_kretprobe = {
	.name = "kretprobe",
	.aliases = (const char *const[]){ "kr", NULL },
	.flags = PV_RETVAL | PV_PID_IMPLICIT | PV_NO_COUNT_LIST,
	.doc = "A kernel function returns.",
	.usage = "kretprobe:[MODULE:]FUNCTION, kretprobe:0xADDRESS",
	.expand = expand_kprobe,
	.shape = shape_kprobe,
	.group = kprobe_group,
	.attach = kprobe_attach,
	.list = list_kretprobes,
};
