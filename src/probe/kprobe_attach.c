#include "probe/kprobe_attach.h"

#include "base/strmap.h"
#include "kernel/bpf.h"
#include "kernel/perf.h"
#include "kernel/proc.h"
#include "probe/functions.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>

static bool is_ret(const struct provider *p)
{
	return p->flags & PV_RETVAL;
}

static struct group *add_group(struct probe_env *env, const struct targets *targets,
			       enum attach_way way, const char *why, struct groups *out)
{
	struct group *g = group_add(env, targets->data[0]->provider, out);

	g->targets = *targets;
	g->way = way;
	g->why = why;
	g->prog_type = BPF_PROG_TYPE_KPROBE;
	if (way == ATTACH_KPROBE_MULTI)
		g->expected_attach = BPF_TRACE_KPROBE_MULTI;
	return g;
}

static void add_each(struct probe_env *env, const struct targets *targets, enum attach_way way,
		     const char *why, struct groups *out)
{
	vec_each(t, targets) {
		struct targets one = {};

		vec_push(env->arena, &one, *t);
		add_group(env, &one, way, why, out);
	}
}

/* One perf event for each target. */
static void group_perf(struct probe_env *env, const struct targets *targets,
		       const struct group_wants *wants, const char *why, struct groups *out)
{
	bool ask = wants->which && targets->len > 1;
	bool cookie = ask && lists_has_feature(env, FEATURE_ATTACH_COOKIE);

	if (!targets->len)
		return;
	if (wants->one_each || (ask && !cookie))
		add_each(env, targets, ATTACH_PERF, why, out);
	else
		add_group(env, targets, ATTACH_PERF, why, out)->has_cookie = cookie;
}

/*
 * One link for all targets.  Where it matters which one fired, the kernel finds the cookie by
 * the function's entry, which is not what available_filter_functions_addrs has, behind an
 * ENDBR.  Without entries the functions are named; of those with the same name a name gives the
 * first one, so the others have a program to themselves.
 */
static void group_multi(struct probe_env *env, const struct targets *targets,
			const struct group_wants *wants, struct groups *out)
{
	static const char why[] = "kprobe.multi";
	struct targets named = {}, again = {};
	struct strmap seen;

	if (!targets->len)
		return;
	if (!wants->which || function_entries(env, targets)) {
		add_group(env, targets, ATTACH_KPROBE_MULTI, why, out)->has_cookie =
			wants->which;
		return;
	}
	strmap_init(&seen, env->arena);
	vec_each(t, targets) {
		bool is_new = !strmap_gets(&seen, (*t)->symbol);

		strmap_sets(&seen, (*t)->symbol, *t);
		vec_push(env->arena, is_new ? &named : &again, *t);
	}
	add_group(env, &named, ATTACH_KPROBE_MULTI, why, out)->has_cookie = true;
	add_each(env, &again, ATTACH_KPROBE_MULTI, why, out);
}

/* One by one takes the kernel some milliseconds each. */
static void warn_slow(struct probe_env *env, const struct targets *targets, const char *why)
{
	enum { MANY = 200 };

	if (targets->len > MANY)
		diag(env->dx, W0202_ONE_BY_ONE, targets->data[0]->span, targets->len, why);
}

int kprobe_group(struct probe_env *env, const struct targets *targets,
		 const struct group_wants *wants, struct groups *out, struct err *e)
{
	struct targets multi = {}, single = {};
	const char *why = "a perf event each";
	bool can_multi = false;

	(void)e;
	vec_each(t, targets)
		vec_push(env->arena, (*t)->from_wildcard ? &multi : &single, *t);
	if (multi.len > 1 && !wants->one_each) {
		if (env->no_kprobe_multi)
			why = "a perf event each: kprobe.multi is switched off";
		else if (lists_has_feature(env, FEATURE_KPROBE_MULTI))
			can_multi = true;
		else
			why = "a perf event each: the kernel has no kprobe.multi";
		if (!can_multi)
			warn_slow(env, &multi, strchr(why, ':') + 2);
	}
	if (can_multi) {
		group_multi(env, &multi, wants, out);
		group_perf(env, &single, wants, "a perf event each", out);
	} else {
		group_perf(env, targets, wants, why, out);
	}
	return 0;
}

/* The same functions in the same order? Then a cookie means the same to both, too. */
static bool same_places(const struct targets *a, const struct targets *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (a->data[i]->addr != b->data[i]->addr ||
		    strcmp(a->data[i]->symbol, b->data[i]->symbol) != 0)
			return false;
	return true;
}

bool kprobe_join(struct probe_env *env, struct group *g, const struct group *ret,
		 uint32_t *is_return)
{
	if (g->way != ATTACH_KPROBE_MULTI || ret->way != ATTACH_KPROBE_MULTI ||
	    is_ret(g->provider) || !is_ret(ret->provider) ||
	    !same_places(&g->targets, &ret->targets))
		return false;
	if (env->no_kprobe_session) {
		g->why = "kprobe.multi; kprobe.session is switched off";
		return false;
	}
	if (!lists_has_feature(env, FEATURE_KPROBE_SESSION)) {
		g->why = "kprobe.multi; the kernel has no kprobe.session, which would serve "
			 "the kretprobe too";
		return false;
	}
	*is_return = btf_find(kernel_btf(env->types, NULL), BTF_FUNCS, KBPF_SESSION_IS_RETURN);
	g->has_cookie |= ret->has_cookie;
	g->why = "kprobe.session, together with the kretprobe";
	g->expected_attach = (enum bpf_attach_type)KBPF_TRACE_KPROBE_SESSION;
	return true;
}

static int fail(const struct target *t, int err, struct err *e)
{
	err_set(e, err, "attach %s", t->name);
	switch (err) {
	case -ENOENT: return err_hint(e, "the kernel has no such function");
	case -EINVAL:
	case -EILSEQ:
		return err_hint(e,
				t->offset || !t->symbol
					? "no instruction begins there, or it cannot be probed"
					: "the kernel does not allow probes there");
	case -EACCES:
	case -EPERM: return proc_hint_denied(e, "kprobes");
	default: return err;
	}
}

static int open_at(const struct target *t, int pmu, const char *symbol, uint64_t addr)
{
	struct perf_kprobe k = { .pmu = pmu,
				 .symbol = symbol,
				 .addr = addr,
				 .offset = t->offset,
				 .is_ret = is_ret(t->provider) };

	return perf_open_kprobe(&k);
}

/* The name stands for several functions: attaches to every one of them. */
static int attach_namesakes(struct probe_env *env, const struct group *g, size_t index, int pmu,
			    int prog_fd, struct links *out)
{
	const struct target *t = g->targets.data[index];
	struct addrs addrs = {};
	int r = -EADDRNOTAVAIL;

	if (t->addr)
		vec_push(env->arena, &addrs, t->addr);
	else
		function_addrs(env, t->module, t->symbol, &addrs);
	vec_each(addr, &addrs) {
		int event = open_at(t, pmu, NULL, *addr + t->offset);

		r = event < 0 ? event : links_add_event(out, g, index, event, prog_fd, true);
		if (r)
			break;
	}
	return r;
}

static int attach_event(struct probe_env *env, const struct group *g, size_t index, int pmu,
			int prog_fd, struct links *out)
{
	const struct target *t = g->targets.data[index];
	if (!t->symbol) {
		int event = open_at(t, pmu, NULL, t->addr);

		return event < 0 ? event : links_add_event(out, g, index, event, prog_fd, true);
	}

	const char *symbol =
		t->module ? arena_printf(env->arena, "%s:%s", t->module, t->symbol) : t->symbol;
	int event = open_at(t, pmu, symbol, 0);

	if (event == -EADDRNOTAVAIL)
		return attach_namesakes(env, g, index, pmu, prog_fd, out);
	return event < 0 ? event : links_add_event(out, g, index, event, prog_fd, true);
}

static int attach_events(struct probe_env *env, const struct group *g, int prog_fd,
			 struct links *out, struct err *e)
{
	int pmu = perf_pmu_type("kprobe");

	if (pmu < 0) {
		err_set(e, -EOPNOTSUPP, "attach %s: this kernel has no kprobes",
			g->targets.data[0]->name);
		err_hint(e, "tracepoint and rawtracepoint probes may work");
		return err_hint_unmounted(e, PERF_PMU_PATH);
	}
	return links_attach_each(env, g, pmu, prog_fd, attach_event, fail, out, e);
}

/* What a link is made from: names, or addresses, by target. */
struct multi {
	const struct group *g;
	const char **syms;
	uint64_t *addrs, *cookies;
	int prog_fd;
	struct links *links;
	unsigned refusals;
};

static int link_range(const struct multi *m, size_t from, size_t n)
{
	return kbpf_link_kprobe_multi(
		m->prog_fd, &(struct kbpf_kprobe_multi){
				    .syms = m->syms ? m->syms + from : NULL,
				    .addrs = m->addrs ? m->addrs + from : NULL,
				    .cookies = m->g->has_cookie ? m->cookies + from : NULL,
				    .n = (uint32_t)n,
				    .is_ret = is_ret(m->g->provider),
				    .attach_type = (uint32_t)m->g->expected_attach,
			    });
}

/*
 * Of a list with one function that cannot be attached to, gone with its module since the list
 * was read, the kernel takes nothing.  So such a list is halved until what is wrong in it is
 * found; a kernel that refuses many refuses them all.
 */
static int attach_range(struct multi *m, size_t from, size_t n)
{
	enum { REFUSALS_MAX = 32 };
	int link = link_range(m, from, n), err;

	if (link >= 0) {
		links_add_link(m->links, link, true);
		return 0;
	}
	if ((link != -EINVAL && link != -ENOENT && link != -ESRCH) ||
	    m->refusals == REFUSALS_MAX)
		return link;
	if (n == 1) {
		m->refusals++;
		return links_skip(m->links, m->g->targets.data[from], link);
	}
	err = attach_range(m, from, n / 2);
	return err ? err : attach_range(m, from + n / 2, n - n / 2);
}

static int attach_multi(const struct group *g, int prog_fd, struct links *out, struct err *e)
{
	size_t n = g->targets.len, before = out->list.len;
	const char **syms = xcalloc(n, sizeof(*syms));
	uint64_t *addrs = xcalloc(n, sizeof(*addrs)), *cookies = xcalloc(n, sizeof(*cookies));
	struct multi m = { .g = g, .cookies = cookies, .prog_fd = prog_fd, .links = out };
	bool by_addr = !g->has_cookie, by_entry = true;
	int err;

	for (size_t i = 0; i < n; i++) {
		const struct target *t = g->targets.data[i];

		by_addr &= t->addr != 0;
		by_entry &= t->entry != 0;
	}
	for (size_t i = 0; i < n; i++) {
		const struct target *t = g->targets.data[i];

		syms[i] = t->symbol;
		addrs[i] = by_entry ? t->entry : t->addr;
		cookies[i] = i;
	}
	m.syms = by_addr || by_entry ? NULL : syms;
	m.addrs = by_addr || by_entry ? addrs : NULL;
	err = attach_range(&m, 0, n);
	free(syms);
	free(addrs);
	free(cookies);
	if (!err && out->list.len > before)
		return 0;
	err_set(e, err ? err : -EINVAL, "attach %s and %zu more by %s",
		g->targets.data[0]->name, n - 1,
		g->expected_attach == BPF_TRACE_KPROBE_MULTI ? "kprobe.multi"
							     : "kprobe.session");
	if (err == -EPERM || err == -EACCES)
		return proc_hint_denied(e, "kprobes");
	return err_hint(e, "try --no-feature kprobe_multi");
}

int kprobe_attach(struct probe_env *env, const struct group *g, int prog_fd, struct links *out,
		  struct err *e)
{
	if (g->way == ATTACH_KPROBE_MULTI)
		return attach_multi(g, prog_fd, out, e);
	return attach_events(env, g, prog_fd, out, e);
}
