/*
 * software and hardware: every N-th event of a perf counter, on all CPUs.
 */
#include "probe/match.h"
#include "probe/providers.h"
#include "probe/sampling.h"

#include <linux/perf_event.h>
#include <string.h>

struct counter {
	const char *name, *alias;
	uint32_t config;
	uint64_t period; /* when none is given */
};

static const struct counter software[] = {
	{ "alignment-faults", NULL, PERF_COUNT_SW_ALIGNMENT_FAULTS, 1 },
	{ "bpf-output", NULL, PERF_COUNT_SW_BPF_OUTPUT, 1 },
	{ "context-switches", "cs", PERF_COUNT_SW_CONTEXT_SWITCHES, 1000 },
	{ "cpu-clock", "cpu", PERF_COUNT_SW_CPU_CLOCK, 1000000 },
	{ "cpu-migrations", NULL, PERF_COUNT_SW_CPU_MIGRATIONS, 1 },
	{ "dummy", NULL, PERF_COUNT_SW_DUMMY, 1 },
	{ "emulation-faults", NULL, PERF_COUNT_SW_EMULATION_FAULTS, 1 },
	{ "major-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1 },
	{ "minor-faults", NULL, PERF_COUNT_SW_PAGE_FAULTS_MIN, 100 },
	{ "page-faults", "faults", PERF_COUNT_SW_PAGE_FAULTS, 100 },
	{ "task-clock", NULL, PERF_COUNT_SW_TASK_CLOCK, 1 },
	{ NULL },
};

static const struct counter hardware[] = {
	{ "backend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, 1000000 },
	{ "branch-instructions", "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000 },
	{ "branch-misses", NULL, PERF_COUNT_HW_BRANCH_MISSES, 100000 },
	{ "bus-cycles", NULL, PERF_COUNT_HW_BUS_CYCLES, 100000 },
	{ "cache-misses", NULL, PERF_COUNT_HW_CACHE_MISSES, 1000000 },
	{ "cache-references", NULL, PERF_COUNT_HW_CACHE_REFERENCES, 1000000 },
	{ "cpu-cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000 },
	{ "frontend-stalls", NULL, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, 1000000 },
	{ "instructions", NULL, PERF_COUNT_HW_INSTRUCTIONS, 1000000 },
	{ "ref-cycles", NULL, PERF_COUNT_HW_REF_CPU_CYCLES, 1000000 },
	{ NULL },
};

static const struct counter *counters_of(const struct provider *p)
{
	return p == &provider_hardware ? hardware : software;
}

static const struct counter *find_counter(const struct counter *list, const char *name,
					  const char **nearest)
{
	unsigned dist = 0;

	*nearest = NULL;
	for (; list->name; list++) {
		if (!strcmp(list->name, name) || (list->alias && !strcmp(list->alias, name)))
			return list;
		diag_nearer(name, list->name, nearest, &dist);
		if (list->alias)
			diag_nearer(name, list->alias, nearest, &dist);
	}
	return NULL;
}

static bool expand_counter(struct probe_env *env, const struct attach_text *at,
			   struct targets *out)
{
	const struct provider *p = provider_find(at->parts[0], NULL);
	const struct counter *c;
	const char *nearest;
	struct target *t;
	uint64_t period;

	if (!expand_arity(env, at, 1, 2))
		return false;
	c = find_counter(counters_of(p), at->parts[1], &nearest);
	if (!c)
		return expand_no_match(env, at, nearest);
	/* "software:faults:" is how lists show it: no count */
	period = c->period;
	if (at->nparts == 3 && *at->parts[2] &&
	    (!expand_number(at->parts[2], &period) || !period)) {
		diag(env->dx, E0207_RATE, at->span, p->name,
		     arena_printf(env->arena, "count '%s' is not a positive integer",
				  at->parts[2]));
		return false;
	}
	t = expand_add(env, p, at, out);
	t->event = c->name;
	t->config = c->config;
	t->period = period;
	return true;
}

static int attach_counter(struct probe_env *env, const struct group *g, int prog_fd,
			  struct links *out, struct err *e)
{
	for (size_t i = 0; i < g->targets.len; i++) {
		const struct target *t = g->targets.data[i];
		struct perf_count count = {
			.type = t->provider == &provider_hardware ? PERF_TYPE_HARDWARE
								  : PERF_TYPE_SOFTWARE,
			.config = t->config,
			.period = t->period,
		};
		int r = sampling_attach(env, g, i, &count, prog_fd, out, e);

		if (r)
			return r;
	}
	return 0;
}

static void list_one(const struct provider *p, const char *name, const char *pattern,
		     void (*fn)(void *arg, const struct target *t), void *arg)
{
	char full[64];
	struct target t = { .provider = p, .name = full, .event = name };
	const char *rest = full + strlen(p->name) + 1;

	snprintf(full, sizeof(full), "%s:%s:", p->name, name);
	/* A pattern may or may not have the colon at the end. */
	if (wildcard_match(pattern, rest) || wildcard_match(pattern, name))
		fn(arg, &t);
}

static void list_counters(const struct provider *p, const char *pattern,
			  void (*fn)(void *arg, const struct target *t), void *arg)
{
	for (const struct counter *c = counters_of(p); c->name; c++) {
		list_one(p, c->name, pattern, fn, arg);
		if (c->alias)
			list_one(p, c->alias, pattern, fn, arg);
	}
}

static int list_software(struct probe_env *env, const char *pattern,
			 void (*fn)(void *arg, const struct target *t), void *arg,
			 struct err *e)
{
	(void)env, (void)e;
	list_counters(&provider_software, pattern, fn, arg);
	return 0;
}

static int list_hardware(struct probe_env *env, const char *pattern,
			 void (*fn)(void *arg, const struct target *t), void *arg,
			 struct err *e)
{
	(void)env, (void)e;
	list_counters(&provider_hardware, pattern, fn, arg);
	return 0;
}

const struct provider provider_software = {
	.name = "software",
	.aliases = (const char *const[]){ "s", NULL },
	.doc = "Every N-th event that the kernel counts: faults, switches.",
	.usage = "software:EVENT[:COUNT]",
	.expand = expand_counter,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_counter,
	.list = list_software,
};

const struct provider provider_hardware = {
	.name = "hardware",
	.aliases = (const char *const[]){ "h", NULL },
	.doc = "Every N-th event that the processor counts: cycles, cache misses.",
	.usage = "hardware:EVENT[:COUNT]",
	.expand = expand_counter,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_counter,
	.list = list_hardware,
};
