#include "session/counters.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "session/session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { TELL_EVERY_MS = 1000, MAP_FULL_CODE = -7 };

/* Of a map that is not preallocated; see check_map.c. */
#define NO_ROOM                                                                    \
	" Large values come faster than the kernel makes room for them. Room for " \
	"fewer is made at the start, e.g. `let @a = hash(500)`"

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t word(const struct session *s, uint32_t off)
{
	return __atomic_load_n((const uint64_t *)(s->loaded.globals + off), __ATOMIC_RELAXED);
}

uint64_t counter_times(const struct session *s, const struct plan_counter *c)
{
	return word(s, c->off);
}

bool counter_is_no_failure(const struct plan_counter *c)
{
	return c->kind == COUNT_ADDED || c->kind == COUNT_REMOVED;
}

void counters_init(struct counters *c, const struct plan *plan)
{
	*c = (struct counters){
		.told = xcalloc(plan->counters.len, sizeof(*c->told)),
		.prog_missed = xcalloc(plan->progs.len, sizeof(*c->prog_missed)),
		.cleared = xcalloc(plan->maps.len, sizeof(*c->cleared)),
	};
}

void counters_fini(struct counters *c)
{
	free(c->told);
	free(c->prog_missed);
	free(c->cleared);
	c->told = c->prog_missed = c->cleared = NULL;
}

static void put_words(const struct plan_counter *c, int code, struct sb *out)
{
	switch (c->kind) {
	case COUNT_SCRATCH:
		sb_puts(out, "No scratch memory was free; the probe did not run.");
		break;
	case COUNT_MAP_FULL:
		if (code == MAP_FULL_CODE)
			sb_puts(out,
				"Map full; can't update element. Try increasing max_map_keys "
				"config or manually setting the max entries in a map "
				"declaration e.g. `let @a = hash(5000)`");
		else
			sb_printf(out, "Can't update map element: %s.%s", strerror(-code),
				  code == -ENOMEM ? NO_ROOM : "");
		break;
	case COUNT_DELETE:
		sb_puts(out, "Can't delete map element because it does not exist.");
		break;
	case COUNT_LOOKUP:
		sb_puts(out, "Can't lookup map element because it does not exist.");
		break;
	case COUNT_HELPER:
	case COUNT_READ: sb_puts(out, strerror(code < 0 ? -code : EFAULT)); break;
	case COUNT_DIV_ZERO:
		sb_puts(out,
			"Divide or modulo by 0 detected. This can lead to unexpected results. "
			"1 is being used as the result.");
		break;
	case COUNT_INDEX:
		sb_puts(out, "Array index out of bounds. 0 is being used as the result.");
		break;
	case COUNT_STACK: sb_puts(out, "Error reading a stack."); break;
	case COUNT_UNWIND:
		sb_puts(out,
			"A user stack ended early: there is no way known out of a function.");
		break;
	case COUNT_UNWIND_FP:
		sb_puts(out,
			"A user stack was walked by frame pointers: there were no unwind tables "
			"of the process yet.");
		break;
	case COUNT_NEEDLE:
		sb_puts(out,
			"The text to look for is longer than 64 bytes. It counts as not found.");
		break;
	case COUNT_LOST:
	case COUNT_ADDED:
	case COUNT_REMOVED: break;
	}
}

static void tell(struct session *s, const struct plan_counter *c, uint64_t times)
{
	int code = (int)word(s, c->off + 8);
	struct runtime_problem p = session_place(s, c->span);
	auto_sb struct sb sb = {};

	put_words(c, code, &sb);
	if (times > 1)
		sb_printf(&sb, " (%" PRIu64 " times)", times);
	p.msg = sb_str(&sb);
	p.helper = c->helper;
	p.retcode = code;
	session_problem(s, &p);
}

static bool is_told(const struct session *s, const struct plan_counter *c)
{
	if (c->kind == COUNT_LOST || counter_is_no_failure(c))
		return false; /* told as a sum; not to be told */
	return c->quiet ? s->opt.all_problems || s->opt.strict : !s->opt.no_warnings;
}

static void tell_lost(struct session *s, uint64_t lost)
{
	if (lost == s->counters.lost_told)
		return;
	s->sink->lost(session_notices(s), lost - s->counters.lost_told);
	s->counters.lost_told = lost;
}

void counters_poll(struct session *s, bool now)
{
	struct counters *t = &s->counters;
	uint64_t time = now_ms(), lost = s->counters.unread;
	const struct plan *plan = s->plan;

	if (!now && time < t->next_ms)
		return;
	t->next_ms = time + TELL_EVERY_MS;
	for (size_t i = 0; i < plan->counters.len; i++) {
		const struct plan_counter *c = &plan->counters.data[i];
		uint64_t times = counter_times(s, c);

		if (c->kind == COUNT_LOST)
			lost += times;
		if (times == t->told[i] || !is_told(s, c))
			continue;
		tell(s, c, times - t->told[i]);
		t->told[i] = times;
	}
	tell_lost(s, lost);
}

void counters_forget(struct session *s)
{
	for (size_t i = 0; i < s->plan->counters.len; i++) {
		memset(s->loaded.globals + s->plan->counters.data[i].off, 0,
		       2 * sizeof(uint64_t));
		s->counters.told[i] = 0;
	}
	s->counters.unread = s->counters.lost_told = 0;
}

/* Runs that the kernel left out because the program was running on that CPU already. */
static uint64_t tell_missed(struct session *s, size_t i)
{
	const struct plan_prog *prog = &s->plan->progs.data[i];
	struct bpf_prog_info info;
	auto_sb struct sb sb = {};

	if (s->loaded.vm || prog->when != PROG_ATTACHED ||
	    kbpf_prog_info(s->loaded.progs[i], &info) || !info.recursion_misses)
		return 0;

	struct runtime_problem p = session_place(s, prog->span);
	sb_printf(&sb, "%s: %" PRIu64 " events were missed, they came while it was running.",
		  prog->name, (uint64_t)info.recursion_misses);
	p.msg = sb_str(&sb);
	if (!s->opt.no_warnings)
		s->sink->problem(session_notices(s), &p);
	return info.recursion_misses;
}

void counters_take_missed(struct session *s)
{
	vec_each(link, &s->links.list)
		if (link->link >= 0)
			s->counters.prog_missed[link->prog] += kbpf_link_missed(link->link);
	for (size_t i = 0; i < s->plan->progs.len; i++)
		s->counters.missed += s->counters.prog_missed[i];
}

static void tell_links_missed(struct session *s)
{
	struct runtime_problem p = {};
	auto_sb struct sb sb = {};

	if (!s->counters.missed || s->opt.no_warnings)
		return;
	sb_printf(&sb, "%" PRIu64 " events were missed by kprobes that were busy.",
		  s->counters.missed);
	p.msg = sb_str(&sb);
	s->sink->problem(session_notices(s), &p);
}

static void tell_total(struct session *s)
{
	struct runtime_problem p = {};
	auto_sb struct sb sb = {};

	if (!s->counters.lost_told)
		return;
	sb_printf(&sb, "Total lost event count: %" PRIu64, s->counters.lost_told);
	p.msg = sb_str(&sb);
	s->sink->problem(session_notices(s), &p);
}

bool counters_finish(struct session *s)
{
	uint64_t sum = s->counters.missed;

	counters_poll(s, true);
	tell_total(s);
	tell_links_missed(s);
	vec_each(c, &s->plan->counters)
		sum += counter_is_no_failure(c) || c->kind == COUNT_LOOKUP
			       ? 0
			       : counter_times(s, c);
	for (size_t i = 0; i < s->plan->progs.len; i++)
		sum += tell_missed(s, i);
	return sum > 0;
}
