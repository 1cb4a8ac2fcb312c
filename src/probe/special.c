/*
 * begin and end: run once by scry itself, as raw tracepoint programs that the kernel runs on
 * request.
 */
#include "probe/match.h"

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
	(void)env, (void)t, (void)g, (void)e;
	*out = (struct shape){ .stack_ok = true };
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

static bool refuse_self(struct probe_env *env, const struct attach_text *at,
			struct targets *out)
{
	(void)out;
	diag(env->dx, E0006_NOT_YET, at->span, "a self probe");
	return false;
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
	.flags = PV_NO_COUNT_LIST | PV_NOT_YET,
	.doc = "When scry itself gets a signal.",
	.usage = "self:signal:SIGUSR1",
	.expand = refuse_self,
};
