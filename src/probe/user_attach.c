#include "probe/user_attach.h"

#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "kernel/proc.h"
#include "probe/arch.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"

#include <errno.h>
#include <string.h>

/* In <linux/errno.h>, which user space does not have: the instruction cannot be probed. */
enum { ENOTSUPP_KERNEL = 524 };

/* Does the kernel hook the return? The places of a file are all alike. */
static bool is_ret(const struct group *g)
{
	return (g->provider->flags & PV_RETVAL) && !g->targets.data[0]->by_insn;
}

static struct group *start_group(struct probe_env *env, const struct target *first,
				 const char *why, struct groups *out)
{
	struct group *g = group_add(env, first->provider, out);

	g->way = ATTACH_PERF;
	g->why = why;
	g->prog_type = BPF_PROG_TYPE_KPROBE;
	g->preemptible = true;
	return g;
}

/* The group that a target can join, or NULL. */
static struct group *find_group(struct groups *groups, size_t first, const struct target *t,
				bool (*fits)(const struct target *a, const struct target *b))
{
	for (size_t i = first; i < groups->len; i++) {
		const struct target *head = groups->data[i]->targets.data[0];

		if (!strcmp(head->file, t->file) && (!fits || fits(head, t)))
			return groups->data[i];
	}
	return NULL;
}

/* How a group is attached, now that all its targets are known. */
static void settle(struct group *g, bool has_multi, bool cookie)
{
	bool single = g->targets.len == 1;

	g->has_cookie = cookie && !single;
	if (single || !has_multi)
		return;
	g->way = ATTACH_UPROBE_MULTI;
	g->why = "uprobe.multi";
	g->expected_attach = (enum bpf_attach_type)KBPF_TRACE_UPROBE_MULTI;
}

void user_group(struct probe_env *env, const struct targets *targets,
		const struct group_wants *wants,
		bool (*with_each_other)(const struct target *a, const struct target *b),
		struct groups *out)
{
	const char *why = "a perf event each";
	bool cookie, has_multi = false;
	size_t first = out->len;

	cookie = wants->which && targets->len > 1 &&
		 lists_has_feature(env, FEATURE_ATTACH_COOKIE);
	if (targets->len > 1) {
		if (env->no_uprobe_multi)
			why = "a perf event each: uprobe.multi is switched off";
		else if (lists_has_feature(env, FEATURE_UPROBE_MULTI))
			has_multi = true;
		else
			why = "a perf event each: the kernel has no uprobe.multi";
	}
	vec_each(t, targets) {
		bool alone = wants->own_place || (wants->which && !cookie);
		struct group *g = alone ? NULL : find_group(out, first, *t, with_each_other);

		if (!g)
			g = start_group(env, *t, why, out);
		vec_push(env->arena, &g->targets, *t);
	}
	for (size_t i = first; i < out->len; i++)
		settle(out->data[i], has_multi, cookie);
}

void user_shape(struct probe_env *env, struct shape *out)
{
	*out = (struct shape){
		.func_ip = arch_host.ip,
		.has_func = true,
		.has_ctx = true,
		.ctx_type = type_struct_named(env->types, "pt_regs", false),
		.arg_space = AS_USER,
		.stack_ok = true,
	};
}

static int fail(const struct target *t, int err, struct err *e)
{
	err_set(e, err, "attach %s", t->name);
	switch (err) {
	case -EACCES:
	case -EPERM: return proc_hint_denied(e, "uprobes");
	case -EINVAL: return err_hint(e, "there is no code in the file at that place");
	case -EIO:
	case -ENOTSUPP_KERNEL:
		return err_hint(e, "the kernel cannot probe the instruction there");
	case -ESRCH: return err_hint(e, "the process has ended");
	default: return err;
	}
}

/* The places of one name are one to who asks for `probe`: they have the first one's index. */
static size_t cookie_of(const struct group *g, size_t i)
{
	size_t first = 0;

	while (strcmp(g->targets.data[first]->name, g->targets.data[i]->name) != 0)
		first++;
	return first;
}

static int attach_event(struct probe_env *env, const struct group *g, size_t i, int pmu,
			int prog_fd, struct links *out)
{
	const struct target *t = g->targets.data[i];
	struct perf_uprobe u = { .pmu = pmu,
				 .path = t->file,
				 .offset = t->file_offset,
				 .refcount = t->refcount_offset,
				 .is_ret = is_ret(g),
				 .pid = env_event_pid(env) };
	int event = perf_open_uprobe(&u);

	return event < 0 ? event
			 : links_add_event(out, g, cookie_of(g, i), event, prog_fd, true);
}

static int attach_events(struct probe_env *env, const struct group *g, int prog_fd,
			 struct links *out, struct err *e)
{
	int pmu = perf_pmu_type("uprobe");

	if (pmu < 0) {
		err_set(e, -EOPNOTSUPP, "attach %s: this kernel has no uprobes",
			g->targets.data[0]->name);
		return err_hint_unmounted(e, PERF_PMU_PATH);
	}
	return links_attach_each(env, g, pmu, prog_fd, attach_event, fail, out, e);
}

static int link_multi(struct probe_env *env, const struct group *g, int prog_fd)
{
	size_t n = g->targets.len;
	uint64_t *words = xcalloc(3 * n, sizeof(*words));
	uint64_t *offsets = words, *refcounts = words + n, *cookies = words + 2 * n;
	bool counted = false;

	for (size_t i = 0; i < n; i++) {
		const struct target *t = g->targets.data[i];

		offsets[i] = t->file_offset;
		refcounts[i] = t->refcount_offset;
		cookies[i] = cookie_of(g, i);
		counted |= t->refcount_offset != 0;
	}
	int link = kbpf_link_uprobe_multi(prog_fd,
					  &(struct kbpf_uprobe_multi){
						  .path = g->targets.data[0]->file,
						  .offsets = offsets,
						  .refcounts = counted ? refcounts : NULL,
						  .cookies = g->has_cookie ? cookies : NULL,
						  .n = (uint32_t)n,
						  .is_ret = is_ret(g),
						  .pid = env_event_pid(env),
					  });
	free(words);
	return link;
}

int user_attach(struct probe_env *env, const struct group *g, int prog_fd, struct links *out,
		struct err *e)
{
	int link;

	if (g->way != ATTACH_UPROBE_MULTI)
		return attach_events(env, g, prog_fd, out, e);
	link = link_multi(env, g, prog_fd);
	if (link < 0) {
		err_set(e, link, "attach %s and %zu more by uprobe.multi",
			g->targets.data[0]->name, g->targets.len - 1);
		return err_hint(e, "try --no-feature uprobe_multi");
	}
	links_add_link(out, link, true);
	return 0;
}
