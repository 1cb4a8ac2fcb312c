#include "probe/sampling.h"

#include "base/auto.h"
#include "kernel/proc.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"

#include <errno.h>

int sampling_shape(struct probe_env *env, const struct target *t, const struct group *g,
		   struct shape *out, struct err *e)
{
	(void)t, (void)g, (void)e;
	if (env->no_kernel) {
		*out = (struct shape){};
		return 0;
	}
	*out = (struct shape){
		.has_ctx = true,
		.ctx_type = type_struct_named(env->types, "bpf_perf_event_data", false),
		.stack_ok = true,
	};
	return 0;
}

int sampling_group(struct probe_env *env, const struct targets *targets,
		   const struct group_wants *wants, struct groups *out, struct err *e)
{
	bool ask = wants->which && targets->len > 1;
	/* Events that new threads inherit come without the cookie. */
	bool cookie = ask && !env_event_pid(env) && !env->no_kernel &&
		      lists_has_feature(env, FEATURE_ATTACH_COOKIE);
	size_t first = out->len;

	(void)e;
	group_split(env, targets, wants->one_each || (ask && !cookie), out);
	for (size_t i = first; i < out->len; i++) {
		out->data[i]->way = ATTACH_PERF;
		out->data[i]->prog_type = BPF_PROG_TYPE_PERF_EVENT;
		out->data[i]->has_cookie = cookie;
		out->data[i]->why = "perf events";
	}
	return 0;
}

static int fail(const struct group *g, size_t index, int err, struct err *e)
{
	const struct target *t = g->targets.data[index];

	err_set(e, err, "attach %s", t->name);
	if (err == -ENOENT || err == -EOPNOTSUPP)
		err_hint(e, "this machine has no such counter");
	else if (err == -EACCES || err == -EPERM)
		err_hint(e, "run as root; perf_event_paranoid may forbid it to others");
	return err;
}

int sampling_attach_cpu(const struct group *g, size_t index, const struct perf_count *count,
			unsigned cpu, int prog_fd, struct links *out, struct err *e)
{
	int event = perf_open_cpu(count, cpu);
	int r = event < 0 ? event : links_add_event(out, g, index, event, prog_fd, false);

	return r ? fail(g, index, r, e) : 0;
}

static int attach_cpus(const struct group *g, size_t index, const struct perf_count *count,
		       int prog_fd, struct links *out, struct err *e)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};

	cpus_online(&a, &cpus);
	links_reserve(out->list.len + cpus.len);
	vec_each(cpu, &cpus) {
		int r = sampling_attach_cpu(g, index, count, *cpu, prog_fd, out, e);

		/* -ENODEV: switched off since the list was read */
		if (r && r != -ENODEV)
			return r;
	}
	return 0;
}

static int attach_threads(struct probe_env *env, const struct group *g, size_t index,
			  const struct perf_count *count, int prog_fd, struct links *out,
			  struct err *e)
{
	auto_arena struct arena a = {};
	struct tid_list tids = {};
	int r = proc_threads(&a, env->pid, &tids);

	if (r)
		return err_set(e, r == -ENOENT ? -ESRCH : r, "attach %s: no process %d",
			       g->targets.data[index]->name, (int)env->pid);
	links_reserve(out->list.len + tids.len);
	vec_each(tid, &tids) {
		int event = perf_open_thread(count, *tid);

		if (event == -ESRCH)
			continue; /* it ended meanwhile */
		r = event < 0 ? event : links_add_event(out, g, index, event, prog_fd, false);
		if (r)
			return fail(g, index, r, e);
	}
	return 0;
}

int sampling_attach(struct probe_env *env, const struct group *g, size_t index,
		    const struct perf_count *count, int prog_fd, struct links *out,
		    struct err *e)
{
	if (env_event_pid(env))
		return attach_threads(env, g, index, count, prog_fd, out, e);
	return attach_cpus(g, index, count, prog_fd, out, e);
}
