/*
 * begin, end, self, test, bench: run by scry itself, as programs that the kernel runs on
 * request.
 */
#include "probe/match.h"
#include "probe/providers.h"

#include <string.h>

static bool expand_begin_end(struct probe_env *env, const struct attach_text *at,
			     struct targets *out)
{
	if (!expand_arity(env, at, 0, 0))
		return false;
	expand_add(env, provider_find(at->parts[0], NULL), at, out);
	return true;
}

static int shape_nothing(struct probe_env *env, const struct target *t, const struct group *g,
			 struct shape *out, struct err *e)
{
	(void)t, (void)g, (void)e;
	*out = (struct shape){ .stack_ok = !env->no_kernel };
	return 0;
}

static int group_each(struct probe_env *env, const struct targets *targets,
		      const struct group_wants *wants, struct groups *out, struct err *e)
{
	size_t first = out->len;

	(void)wants, (void)e;
	group_split(env, targets, true, out);
	for (size_t i = first; i < out->len; i++) {
		out->data[i]->way = ATTACH_NONE;
		out->data[i]->prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	}
	return 0;
}

static int attach_nothing(struct probe_env *env, const struct group *g, int prog_fd,
			  struct links *out, struct err *e)
{
	(void)env, (void)g, (void)prog_fd, (void)out, (void)e;
	return 0;
}

static bool expand_self(struct probe_env *env, const struct attach_text *at,
			struct targets *out)
{
	if (!expand_arity(env, at, 2, 2))
		return false;
	if (strcmp(at->parts[1], "signal") != 0) {
		diag(env->dx, E0208_ATTACH_POINT, at->span,
		     arena_printf(env->arena, "self probes are of signals, not of '%s'",
				  at->parts[1]));
		return false;
	}
	if (strcmp(at->parts[2], "SIGUSR1") != 0) {
		diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
			       arena_printf(env->arena, "%s is not a supported signal",
					    at->parts[2])),
			  "SIGUSR1 is");
		return false;
	}
	expand_add(env, &provider_self, at, out);
	return true;
}

static bool expand_named(struct probe_env *env, const struct attach_text *at,
			 struct targets *out)
{
	if (!expand_arity(env, at, 1, 1))
		return false;
	expand_add(env, provider_find(at->parts[0], NULL), at, out);
	return true;
}

static int list_self(struct probe_env *env, const char *pattern,
		     void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	struct target t = { .provider = &provider_self, .name = "self:signal:SIGUSR1" };

	(void)env, (void)e;
	if (wildcard_match(pattern, "signal:SIGUSR1"))
		fn(arg, &t);
	return 0;
}

const struct provider provider_begin = {
	.name = "begin",
	.aliases = (const char *const[]){ "BEGIN", NULL },
	.flags = PV_OURS | PV_NO_COUNT_LIST,
	.doc = "Before anything else is attached.",
	.usage = "begin",
	.expand = expand_begin_end,
	.shape = shape_nothing,
	.group = group_each,
	.attach = attach_nothing,
};

const struct provider provider_end = {
	.name = "end",
	.aliases = (const char *const[]){ "END", NULL },
	.flags = PV_OURS | PV_NO_COUNT_LIST,
	.doc = "After everything is detached, before maps are printed.",
	.usage = "end",
	.expand = expand_begin_end,
	.shape = shape_nothing,
	.group = group_each,
	.attach = attach_nothing,
};

const struct provider provider_self = {
	.name = "self",
	.flags = PV_OURS | PV_NO_COUNT_LIST,
	.doc = "When scry itself gets a signal.",
	.usage = "self:signal:SIGUSR1",
	.expand = expand_self,
	.shape = shape_nothing,
	.group = group_each,
	.attach = attach_nothing,
	.list = list_self,
};

const struct provider provider_test = {
	.name = "test",
	.flags = PV_OURS | PV_NO_COUNT_LIST,
	.doc = "A test of the script, run by --test.",
	.usage = "test:NAME",
	.expand = expand_named,
	.shape = shape_nothing,
	.group = group_each,
	.attach = attach_nothing,
};

const struct provider provider_bench = {
	.name = "bench",
	.aliases = (const char *const[]){ "BENCH", NULL },
	.flags = PV_OURS | PV_NO_COUNT_LIST,
	.doc = "A benchmark of the script, run by --bench.",
	.usage = "bench:NAME",
	.expand = expand_named,
	.shape = shape_nothing,
	.group = group_each,
	.attach = attach_nothing,
};
