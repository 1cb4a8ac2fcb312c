/*
 * watchpoint: memory is read, written or executed, as the processor's breakpoint registers see
 * it.
 *
 * An address of the kernel is watched on every CPU; one of a process needs to know which.
 */
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

static bool check_place(struct probe_env *env, const struct attach_text *at, struct target *t)
{
	uint64_t len;

	if (!expand_number(at->parts[1], &t->addr) || !t->addr) {
		struct diag *d =
			diag(env->dx, E0208_ATTACH_POINT, at->span,
			     arena_printf(env->arena, "'%s' is no address", at->parts[1]));

		if (strstr(at->parts[1], "+arg"))
			diag_hint(d,
				  "what an argument points to is not watched; a uprobe prints "
				  "the address: { printf(\"0x%%llx\\n\", arg0); }");
		return false;
	}
	if (!expand_number(at->parts[2], &len) || !len || len > 8 || (len & (len - 1)))
		return bad_point(env, at, "the length of a watchpoint is 1, 2, 4 or 8 bytes");
	if (t->addr % len)
		return bad_point(env, at, "the address must be a multiple of the length");
	t->len = (uint32_t)len;
	if (t->addr >= arch_host.kernel_base || env->pid)
		return true;
	diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
		       "an address of user space belongs to a process"),
		  "add -p PID or -c COMMAND");
	return false;
}

static bool expand_watchpoint(struct probe_env *env, const struct attach_text *at,
			      struct targets *out)
{
	struct target part = {};
	struct target *t;

	if (!expand_arity(env, at, 3, 3) || !check_place(env, at, &part) ||
	    !check_mode(env, at, &part))
		return false;
	t = expand_add(env, &provider_watchpoint, at, out);
	t->addr = part.addr;
	t->len = part.len;
	t->access = part.access;
	t->name = arena_printf(env->arena, "watchpoint:%llu:%u:%s", (unsigned long long)t->addr,
			       t->len, at->parts[3]);
	return true;
}

static int attach_watchpoint(struct probe_env *env, const struct group *g, int prog_fd,
			     struct links *out, struct err *e)
{
	for (size_t i = 0; i < g->targets.len; i++) {
		const struct target *t = g->targets.data[i];
		struct perf_count count = {
			.type = PERF_TYPE_BREAKPOINT,
			.period = 1,
			.addr = t->addr,
			/* The processor stops at an instruction, however long it is. */
			.len = t->access == HW_BREAKPOINT_X ? sizeof(long) : t->len,
			.access = t->access,
			/* Until then the address is one of ours. */
			.from_exec = env->pid_waits && t->addr < arch_host.kernel_base,
		};
		size_t before = out->list.len;
		int r = sampling_attach(env, g, i, &count, prog_fd, out, e);

		for (; before < out->list.len; before++)
			out->list.data[before].watched = t;
		if (r == -ENOSPC)
			err_hint(e, "all breakpoint registers of the processor are taken");
		else if (r == -EINVAL || r == -EOPNOTSUPP)
			err_hint(e, "the processor, or the kernel, does not watch this place");
		if (r)
			return r;
	}
	return 0;
}

const struct provider provider_watchpoint = {
	.name = "watchpoint",
	.aliases = (const char *const[]){ "w", NULL },
	.flags = PV_NO_COUNT_LIST,
	.doc = "Memory is read, written or executed.",
	.usage = "watchpoint:ADDRESS:LENGTH:MODE",
	.expand = expand_watchpoint,
	.shape = sampling_shape,
	.group = sampling_group,
	.attach = attach_watchpoint,
};
