/*
 * watchpoint: memory is read, written or executed, as the processor's breakpoint registers see
 * it.
 *
 * An address of the kernel is watched on every CPU; one of a process needs to know which.  What
 * an argument of a function points to is known when the function is called: until then such a
 * target is attached to nothing, see watchpoint.h and script/watch.h.
 */
#include "probe/watchpoint.h"

#include "probe/arch.h"
#include "probe/match.h"
#include "probe/providers.h"
#include "probe/sampling.h"

#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <string.h>

static bool bad_point(struct probe_env *env, const struct attach_text *at, const char *why)
{
	diag(env->dx, E0208_ATTACH_POINT, at->span, why);
	return false;
}

/* The access of a mode, its letters in any order; 0: no mode, or not on this processor. */
static uint32_t parse_access(const char *mode)
{
	static const struct {
		char letter;
		uint32_t bit;
	} letters[] = { { 'r', HW_BREAKPOINT_R },
			{ 'w', HW_BREAKPOINT_W },
			{ 'x', HW_BREAKPOINT_X } };
	char sorted[4] = "";
	uint32_t access = 0;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		if (!strchr(mode, letters[i].letter))
			continue;
		sorted[n++] = letters[i].letter;
		access |= letters[i].bit;
	}
	if (strlen(mode) != n)
		return 0;
	for (const char *const *m = arch_host.watch_modes; *m; m++)
		if (!strcmp(*m, sorted))
			return access;
	return 0;
}

static bool check_mode(struct probe_env *env, const struct attach_text *at, struct target *t)
{
	const char *list = arch_host.watch_modes[0];

	t->access = parse_access(at->parts[3]);
	if (t->access)
		return true;
	for (const char *const *m = arch_host.watch_modes + 1; *m; m++)
		list = arena_printf(env->arena, "%s, %s", list, *m);
	return bad_point(env, at,
			 arena_printf(env->arena, "mode '%s' is not one of this machine: %s",
				      at->parts[3], list));
}

/* "FUNCTION+argN" */
static bool parse_argument(struct probe_env *env, const struct attach_text *at,
			   struct target *t)
{
	const char *plus = strstr(at->parts[1], "+arg");
	uint64_t n;

	if (!plus || plus == at->parts[1] || !expand_number(plus + strlen("+arg"), &n))
		return false;
	t->symbol = arena_strndup(env->arena, at->parts[1], (size_t)(plus - at->parts[1]));
	t->config = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	return true;
}

static bool check_place(struct probe_env *env, const struct attach_text *at, struct target *t)
{
	uint64_t len;

	if (!parse_argument(env, at, t) && (!expand_number(at->parts[1], &t->addr) || !t->addr))
		return bad_point(env, at,
				 arena_printf(env->arena,
					      "'%s' is no address, and no FUNCTION+argN",
					      at->parts[1]));
	if (!expand_number(at->parts[2], &len) || !len || len > 8 || (len & (len - 1)))
		return bad_point(env, at, "the length of a watchpoint is 1, 2, 4 or 8 bytes");
	if (t->addr % len)
		return bad_point(env, at, "the address must be a multiple of the length");
	t->len = (uint32_t)len;
	if (t->addr >= arch_host.kernel_base || env->pid)
		return true;
	diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
		       t->symbol ? "a function's argument belongs to a process"
				 : "an address of user space belongs to a process"),
		  "add -p PID or -c COMMAND");
	return false;
}

/* Children that wait would wait for ever: only the process itself is let go on. */
static bool check_follow(struct probe_env *env, const struct attach_text *at,
			 const struct target *t)
{
	if (!t->symbol || t->in_passing || !env->pid_in_program)
		return true;
	diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
		       "with --follow a process cannot wait for its watchpoint"),
		  "asyncwatchpoint does not have it wait");
	return false;
}

static bool expand_watchpoint(struct probe_env *env, const struct attach_text *at,
			      struct targets *out)
{
	const struct provider *p = provider_find(at->parts[0], NULL);
	struct target part = { .in_passing = p == &provider_asyncwatchpoint };
	struct target *t;

	if (!expand_arity(env, at, 3, 3) || !check_place(env, at, &part) ||
	    !check_mode(env, at, &part) || !check_follow(env, at, &part))
		return false;
	t = expand_add(env, p, at, out);
	t->addr = part.addr;
	t->symbol = part.symbol;
	t->config = part.config;
	t->len = part.len;
	t->access = part.access;
	t->in_passing = part.in_passing;
	t->name = t->symbol
			  ? arena_printf(env->arena, "%s:%s:%s:%u:%u:%s", p->name, env->program,
					 t->symbol, t->config, t->len, at->parts[3])
			  : arena_printf(env->arena, "%s:%llu:%u:%s", p->name,
					 (unsigned long long)t->addr, t->len, at->parts[3]);
	return true;
}

static int watch_place(struct probe_env *env, const struct group *g, size_t index,
		       const struct perf_count *count, int prog_fd, struct links *out,
		       struct err *e)
{
	size_t before = out->list.len;
	int r = sampling_attach(env, g, index, count, prog_fd, out, e);

	for (; before < out->list.len; before++) {
		out->list.data[before].watched = g->targets.data[index];
		out->list.data[before].watch_addr = count->addr;
	}
	if (r == -ENOSPC)
		err_hint(e, "all breakpoint registers of the processor are taken");
	else if (r == -EINVAL || r == -EOPNOTSUPP)
		err_hint(e, "the processor, or the kernel, does not watch this place");
	return r;
}

static struct perf_count count_of(const struct target *t, uint64_t addr)
{
	return (struct perf_count){
		.type = PERF_TYPE_BREAKPOINT,
		.period = 1,
		.addr = addr,
		/* The processor stops at an instruction, however long it is. */
		.len = t->access == HW_BREAKPOINT_X ? sizeof(long) : t->len,
		.access = t->access,
	};
}

static int attach_watchpoint(struct probe_env *env, const struct group *g, int prog_fd,
			     struct links *out, struct err *e)
{
	for (size_t i = 0; i < g->targets.len; i++) {
		const struct target *t = g->targets.data[i];
		struct perf_count count = count_of(t, t->addr);
		int r;

		if (t->symbol)
			continue;
		/* Until then the address is one of ours. */
		count.from_exec = env->pid_waits && t->addr < arch_host.kernel_base;
		r = watch_place(env, g, i, &count, prog_fd, out, e);
		if (r)
			return r;
	}
	return 0;
}

static bool is_watched(const struct links *links, const struct target *t, uint64_t addr)
{
	vec_each(l, &links->list)
		if (l->watched == t && l->watch_addr == addr)
			return true;
	return false;
}

int watchpoint_set(struct probe_env *env, const struct group *g, size_t index, uint64_t addr,
		   int prog_fd, struct links *out, struct err *e)
{
	const struct target *t = g->targets.data[index];
	struct perf_count count = count_of(t, addr);

	int r;

	if (is_watched(out, t, addr))
		return 0;
	if (addr % t->len)
		r = err_set(e, -EINVAL, "it is not a multiple of %u", t->len);
	else
		r = watch_place(env, g, index, &count, prog_fd, out, e);
	/* It is said once, not with each call. */
	if (r)
		vec_push(NULL, &out->list,
			 (struct link){ -1, -1, .watched = t, .watch_addr = addr });
	return r;
}

const struct provider provider_watchpoint = {
	.name = "watchpoint",
	.aliases = (const char *const[]){ "w", NULL },
	.flags = PV_NO_COUNT_LIST,
	.doc = "Memory is read, written or executed.",
	.usage = "watchpoint:ADDRESS:LENGTH:MODE or watchpoint:FUNCTION+argN:LENGTH:MODE",
	.expand = expand_watchpoint,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_watchpoint,
};

const struct provider provider_asyncwatchpoint = {
	.name = "asyncwatchpoint",
	.aliases = (const char *const[]){ "aw", NULL },
	.flags = PV_NO_COUNT_LIST,
	.doc = "The same, and the process does not wait until the watchpoint is set.",
	.usage = "asyncwatchpoint:FUNCTION+argN:LENGTH:MODE",
	.expand = expand_watchpoint,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_watchpoint,
};
