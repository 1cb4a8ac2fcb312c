/*
 * profile and interval: the CPU clock as a perf event, on every CPU or on one.
 *
 * A rate in hz becomes a period: the clock is a timer of fixed rate anyway, and the kernel's
 * limit on frequencies (perf_event_max_sample_rate) is none for periods.
 */
#include "kernel/proc.h"
#include "probe/links.h"
#include "probe/match.h"
#include "probe/sampling.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <string.h>

enum { NSEC_PER_USEC = 1000, NSEC_PER_SEC = 1000000000 };

struct unit {
	const char *name;
	uint64_t ns;
};

static const struct unit units[] = {
	{ "s", NSEC_PER_SEC }, { "ms", 1000000 }, { "us", NSEC_PER_USEC }, { NULL, 0 }
};
/* Of durations as literals have them. */
static const struct unit duration_units[] = {
	{ "ns", 1 },
	{ "us", NSEC_PER_USEC },
	{ "ms", 1000000 },
	{ "s", NSEC_PER_SEC },
	{ "m", 60ull * NSEC_PER_SEC },
	{ "h", 3600ull * NSEC_PER_SEC },
	{ "d", 86400ull * NSEC_PER_SEC },
	{ NULL, 0 },
};

static const struct unit *find_unit(const struct unit *list, const char *name)
{
	for (; list->name; list++)
		if (!strcmp(list->name, name))
			return list;
	return NULL;
}

static bool bad_rate(struct probe_env *env, const struct attach_text *at, const char *why)
{
	diag(env->dx, E0207_RATE, at->span, provider_find(at->parts[0], NULL)->name, why);
	return false;
}

/* "10ms": one number and its unit. */
static bool parse_duration(struct probe_env *env, const struct attach_text *at,
			   struct target *t)
{
	const char *text = at->parts[1];
	size_t digits = strspn(text, "0123456789_");
	const struct unit *unit = find_unit(duration_units, text + digits);
	uint64_t n;

	if (!digits)
		return bad_rate(env, at, arena_printf(env->arena, "'%s' is no duration", text));
	if (!unit) {
		diag(env->dx, E0206_TIME_UNIT, at->span,
		     text[digits] ? text + digits : "a number alone");
		return false;
	}
	if (!expand_number(arena_strndup(env->arena, text, digits), &n) ||
	    __builtin_mul_overflow(n, unit->ns, &t->period))
		return bad_rate(env, at, "the duration is too long");
	if (t->period < NSEC_PER_USEC)
		return bad_rate(env, at,
				arena_printf(env->arena,
					     "minimum is 1000 or 1us, found %" PRIu64
					     " nanoseconds",
					     t->period));
	t->name = arena_printf(env->arena, "%s:us:%" PRIu64, t->provider->name,
			       t->period / NSEC_PER_USEC);
	return true;
}

/* "hz", "99" */
static bool parse_rate(struct probe_env *env, const struct attach_text *at, struct target *t)
{
	const struct unit *unit = find_unit(units, at->parts[1]);
	bool is_hz = !strcmp(at->parts[1], "hz");
	uint64_t n;

	if (!unit && !is_hz) {
		diag(env->dx, E0206_TIME_UNIT, at->span, at->parts[1]);
		return false;
	}
	if (!expand_number(at->parts[2], &n) || !n)
		return bad_rate(env, at,
				arena_printf(env->arena, "'%s' is not a positive integer",
					     at->parts[2]));
	if (is_hz) {
		t->frequency = n;
		t->period = NSEC_PER_SEC / n;
		return t->period > 0 || bad_rate(env, at, "the frequency is too high");
	}
	if (__builtin_mul_overflow(n, unit->ns, &t->period))
		return bad_rate(env, at, "the period is too long");
	return true;
}

static bool expand_timer(struct probe_env *env, const struct attach_text *at,
			 struct targets *out)
{
	const struct provider *p = provider_find(at->parts[0], NULL);
	struct target *t;

	if (!expand_arity(env, at, 1, 2))
		return false;
	t = expand_add(env, p, at, out);
	if (at->nparts == 2 ? parse_duration(env, at, t) : parse_rate(env, at, t))
		return true;
	out->len--;
	return false;
}

static struct perf_count clock_count(const struct target *t)
{
	return (struct perf_count){ .type = PERF_TYPE_SOFTWARE,
				    .config = PERF_COUNT_SW_CPU_CLOCK,
				    .period = t->period };
}

static int attach_profile(struct probe_env *env, const struct group *g, int prog_fd,
			  struct links *out, struct err *e)
{
	for (size_t i = 0; i < g->targets.len; i++) {
		struct perf_count count = clock_count(g->targets.data[i]);
		int r = sampling_attach(env, g, i, &count, prog_fd, out, e);

		if (r)
			return r;
	}
	return 0;
}

static int attach_interval(struct probe_env *env, const struct group *g, int prog_fd,
			   struct links *out, struct err *e)
{
	unsigned cpu = cpu_first_online();

	(void)env;
	links_reserve(out->list.len + g->targets.len);
	for (size_t i = 0; i < g->targets.len; i++) {
		struct perf_count count = clock_count(g->targets.data[i]);
		int r = sampling_attach_cpu(g, i, &count, cpu, prog_fd, out, e);

		if (r)
			return r;
	}
	return 0;
}

const struct provider provider_profile = {
	.name = "profile",
	.aliases = (const char *const[]){ "p", NULL },
	.flags = PV_NO_COUNT_LIST,
	.doc = "At a fixed rate on every CPU.",
	.usage = "profile:hz:N, profile:s|ms|us:N or profile:DURATION",
	.expand = expand_timer,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_profile,
};

const struct provider provider_interval = {
	.name = "interval",
	.aliases = (const char *const[]){ "i", NULL },
	.flags = PV_NO_COUNT_LIST | PV_NO_TASK | PV_TIMED,
	.doc = "At a fixed rate on one CPU.",
	.usage = "interval:hz:N, interval:s|ms|us:N or interval:DURATION",
	.expand = expand_timer,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_interval,
};
