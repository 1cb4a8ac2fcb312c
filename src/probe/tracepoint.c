/*
 * tracepoint: the kernel's static probes, through perf events.  What a program sees is a record
 * in memory, whose fields the event's format file describes.
 */
#include "base/auto.h"
#include "kernel/perf.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "probe/providers.h"
#include "probe/syscalls.h"
#include "types/tracefs.h"

#include <errno.h>
#include <string.h>

static struct target *add_target(struct probe_env *env, const struct attach_text *at,
				 const struct event *ev, struct targets *out)
{
	struct target *t = expand_add(env, &provider_tracepoint, at, out);

	t->category = ev->category;
	t->event = ev->name;
	t->name = arena_printf(env->arena, "tracepoint:%s:%s", ev->category, ev->name);
	return t;
}

static bool expand_wildcard(struct probe_env *env, const struct attach_text *at,
			    struct targets *out)
{
	struct err e = {};
	const struct events *events = lists_events(env, &e);
	size_t before = out->len;

	if (!events)
		return expand_unreadable(env, at, &e);
	vec_each(ev, events)
		if (wildcard_match(at->parts[1], ev->category) &&
		    wildcard_match(at->parts[2], ev->name))
			add_target(env, at, ev, out)->from_wildcard = true;
	return out->len > before || expand_no_match(env, at, NULL);
}

/*
 * What to do about an event that is not there: take the nearest, of the same category or of the
 * same name, or see to a category that nothing has.
 */
static const char *missing_hint(struct probe_env *env, const struct attach_text *at)
{
	const char *word = attach_rest(env->arena, at), *category = at->parts[1], *best = NULL;
	const struct events *events;
	bool has_category = false;
	unsigned dist = 0;
	struct err e;

	events = lists_events(env, &e);
	if (!events)
		return NULL;
	vec_each(ev, events) {
		bool same = !strcmp(ev->category, category);
		const char *better = best;
		char full[256];

		has_category |= same;
		if (!same && strcmp(ev->name, at->parts[2]) != 0)
			continue;
		snprintf(full, sizeof(full), "%s:%s", ev->category, ev->name);
		diag_nearer(word, full, &better, &dist);
		if (better != best)
			best = arena_strdup(env->arena, full);
	}
	if (best)
		return arena_printf(env->arena, "did you mean %s?", best);
	if (has_category)
		return arena_printf(env->arena,
				    "`scry -l 'tracepoint:%s:*'` shows what there is",
				    category);
	return arena_printf(env->arena,
			    "no tracepoint is of category %s: is its module loaded? (modprobe)",
			    category);
}

/* Of the event of that name, or NULL. */
static const char *category_of(struct probe_env *env, const char *event)
{
	struct err e;
	const struct events *events = lists_events(env, &e);

	if (!events)
		return NULL;
	vec_each(ev, events)
		if (!strcmp(ev->name, event))
			return ev->category;
	return NULL;
}

static bool expand_tracepoint(struct probe_env *env, const struct attach_text *at,
			      struct targets *out)
{
	struct tracefs *t;
	struct event ev;
	struct err e = {};

	if (at->nparts < 3) {
		struct diag *d = diag(env->dx, E0208_ATTACH_POINT, at->span,
				      "tracepoint probe must have a target");

		const char *category = at->nparts > 1 ? category_of(env, at->parts[1]) : NULL;

		if (category)
			diag_hint(d, "did you mean tracepoint:%s:%s?", category, at->parts[1]);
		else
			diag_hint(d, "write %s", provider_tracepoint.usage);
		return false;
	}
	if (!expand_arity(env, at, 2, 2))
		return false;
	if (wildcard_has(at->parts[1]) || wildcard_has(at->parts[2]))
		return expand_wildcard(env, at, out);
	t = lists_tracefs(env, &e);
	if (!t)
		return expand_unreadable(env, at, &e);
	ev = (struct event){ at->parts[1], at->parts[2] };
	if (!tracefs_has_event(t, ev.category, ev.name, &e)) {
		if (e.code != -ENOENT)
			return expand_unreadable(env, at, &e);
		return expand_missing(env, at, missing_hint(env, at));
	}
	add_target(env, at, &ev, out);
	return true;
}

static int read_format(struct probe_env *env, const struct target *t, struct tp_format *out,
		       struct err *e)
{
	struct tracefs *fs = lists_tracefs(env, e);
	auto_sb struct sb text = {};
	int r = fs ? tracefs_format(fs, t->category, t->event, &text, e) : e->code;

	return r ? r : tp_format_parse(env->arena, sb_str(&text), text.len, out, e);
}

static enum addr_space arg_space(const struct target *t)
{
	return !strcmp(t->category, "syscalls") ? AS_USER : AS_KERNEL;
}

static struct probe_arg make_arg(struct typetab *tt, const struct field *f)
{
	struct probe_arg arg = {
		.name = f->name,
		.type = f->type,
		.loc = { .kind = LOC_CTX,
			 .off = f->bit_off / 8,
			 .size = (uint8_t)(f->type->size <= 8 ? f->type->size : 8),
			 .is_signed = f->type->is_signed },
	};

	if (f->data_loc || f->rel_loc) {
		arg.data_loc = true;
		arg.data_base = f->rel_loc ? arg.loc.off + 4 : 0;
		/* The record itself is kernel memory, whatever its pointers point to. */
		arg.type = type_ptr(tt, type_char(tt, true), AS_KERNEL);
	}
	return arg;
}

static int shape_tracepoint(struct probe_env *env, const struct target *t,
			    const struct group *g, struct shape *out, struct err *e)
{
	struct tp_format format;
	const struct type *record;
	const struct field *fields;
	struct probe_arg *args;
	uint32_t n;
	int r;

	if (g && g->way == ATTACH_SYSCALL_TP) {
		syscalls_shape(env, g, out);
		return 0;
	}
	*out = (struct shape){ .arg_space = arg_space(t), .stack_ok = true };
	r = read_format(env, t, &format, e);
	if (r)
		return r;
	record = tp_format_type(env->types, &format, t->event, out->arg_space);
	fields = type_fields(env->types, record, &n);
	args = arena_array(env->arena, struct probe_arg, n);
	for (uint32_t i = 0; i < n; i++)
		if (!format.fields[i].is_common)
			args[out->nargs++] = make_arg(env->types, &fields[i]);
	out->args = args;
	return 0;
}

static int params_tracepoint(struct probe_env *env, const struct target *t,
			     void (*fn)(void *arg, const char *text), void *arg, struct err *e)
{
	struct tp_format format;
	int r = read_format(env, t, &format, e);

	for (uint32_t i = 0; !r && i < format.nfields; i++)
		if (!format.fields[i].is_common)
			fn(arg, format.fields[i].decl);
	return r;
}

static int group_tracepoints(struct probe_env *env, const struct targets *targets,
			     const struct group_wants *wants, struct groups *out, struct err *e)
{
	struct targets rest = {};
	bool ask, cookie;
	size_t first;

	(void)e;
	syscalls_group(env, targets, wants, out, &rest);
	ask = wants->which && rest.len > 1;
	cookie = ask && lists_has_feature(env, FEATURE_ATTACH_COOKIE);
	first = out->len;
	group_split(env, &rest, wants->one_each || (ask && !cookie), out);
	for (size_t i = first; i < out->len; i++) {
		struct group *g = out->data[i];

		g->way = ATTACH_PERF;
		g->prog_type = BPF_PROG_TYPE_TRACEPOINT;
		g->has_cookie = cookie;
		g->why = ask && !cookie ? "one program each: the kernel has no attach cookies"
					: "a perf event each";
	}
	return 0;
}

static int attach_one(struct probe_env *env, const struct group *g, size_t index, int prog_fd,
		      struct links *out, struct err *e)
{
	const struct target *t = g->targets.data[index];
	struct tracefs *fs = lists_tracefs(env, e);
	uint64_t id;
	int r = fs ? tracefs_event_id(fs, t->category, t->event, &id, e) : e->code;

	if (!r) {
		int event = perf_open_tracepoint(id);

		r = event < 0 ? event : links_add_event(out, g, index, event, prog_fd, true);
		if (r)
			err_set(e, r, "attach %s", t->name);
	}
	return r ? links_skip(out, t, r) : 0;
}

static int attach_tracepoints(struct probe_env *env, const struct group *g, int prog_fd,
			      struct links *out, struct err *e)
{
	size_t before = out->list.len;

	if (g->way == ATTACH_SYSCALL_TP)
		return syscalls_attach(g, prog_fd, out, e);
	links_reserve(before + g->targets.len);
	for (size_t i = 0; i < g->targets.len; i++) {
		int r = attach_one(env, g, i, prog_fd, out, e);

		if (r)
			return r;
	}
	return links_check(out, before, e);
}

/* "CATEGORY" and "EVENT" alone will do; a wildcard may reach over the colon. */
static bool is_listed(const char *pattern, const struct event *ev, const char *rest)
{
	return wildcard_match(pattern, rest) || !strcmp(pattern, ev->category) ||
	       !strcmp(pattern, ev->name);
}

static int list_tracepoints(struct probe_env *env, const char *pattern,
			    void (*fn)(void *arg, const struct target *t), void *arg,
			    struct err *e)
{
	const struct events *events = lists_events(env, e);

	if (!events)
		return e->code;
	vec_each(ev, events) {
		char name[256];
		struct target t = { .provider = &provider_tracepoint,
				    .name = name,
				    .category = ev->category,
				    .event = ev->name };

		snprintf(name, sizeof(name), "tracepoint:%s:%s", ev->category, ev->name);
		if (is_listed(pattern, ev, name + strlen("tracepoint:")))
			fn(arg, &t);
	}
	return 0;
}

const struct provider provider_tracepoint = {
	.name = "tracepoint",
	.aliases = (const char *const[]){ "t", NULL },
	.flags = PV_NAMED_ARGS | PV_PID_IMPLICIT,
	.doc = "A static probe of the kernel.",
	.usage = "tracepoint:CATEGORY:EVENT",
	.expand = expand_tracepoint,
	.shape = shape_tracepoint,
	.group = group_tracepoints,
	.attach = attach_tracepoints,
	.list = list_tracepoints,
	.params = params_tracepoint,
};
