#include "script/watch.h"

#include "script/lower.h"

#include <signal.h>

static void send_argument(struct unit *u)
{
	const struct target *t = u->to_watch;
	struct irb *b = &u->b;
	struct record r;

	lower_filter(u);

	ref addr = lower_argloc(u, &u->shape.regs[t->config]);
	struct plan_event *ev = event_new(u, EV_WATCH, u->probe->head);

	lower_leave_unless(u, addr); /* a pointer to nothing */
	ev->size = EVENT_ADDRESS;
	ev->text = t->name;
	ev->top = !t->in_passing;
	record_begin(u, ev, &r);
	ir_store(b, 8, r.ptr, EVENT_HEADER, addr);
	/* Here, so that it waits only when scry hears of it. */
	if (!t->in_passing) {
		ir_atomic_add(b, 8, ir_mapval(b, KMAP_GLOBALS, WATCH_WAITS_OFF), 0,
			      ir_const(b, 1));
		ir_call(b, BPF_FUNC_send_signal, 1, ir_const(b, SIGSTOP));
	}
	record_end(u, &r);
}

static void fail(struct compiler *c, const struct target *t, const struct err *e)
{
	diag_hint(diag(c->dx, E0131_PARAM_TYPE, t->span, e->msg), "%s", e->hint);
}

/* The program of one place where the function is. */
static void add_sender(struct compiler *c, const struct unit *of, const struct target *t,
		       struct group *g)
{
	struct unit *u = arena_new(c->arena, struct unit);
	struct err e = {};

	u->c = c;
	u->probe = of->probe;
	u->group = g;
	u->target = g->targets.data[0];
	u->when = PROG_ATTACHED;
	u->lower_own = send_argument;
	u->to_watch = t;
	strmap_init(&u->vars, c->arena);
	if (g->provider->shape(c->opt->env, u->target, g, &u->shape, &e))
		fail(c, t, &e);
	else if (t->config >= u->shape.nregs)
		diag(c->dx, E0208_ATTACH_POINT, t->span,
		     arena_printf(c->arena, "a uprobe has no arg%u here", t->config));
	else
		vec_push(c->arena, &c->units, u);
}

static void add_senders(struct compiler *c, const struct unit *of, const struct target *t)
{
	struct probe_env *env = c->opt->env;
	const char *parts[] = { "uprobe", env->program, t->symbol };
	struct attach_text at = {
		.span = t->span,
		.text = arena_printf(c->arena, "uprobe:%s:%s", env->program, t->symbol),
		.parts = parts,
		.nparts = 3,
	};
	struct group_wants wants = {};
	struct targets targets = {};
	struct groups groups = {};
	struct err e = {};

	env->missing = MISSING_ERROR;
	if (!probe_expand(env, &at, &targets))
		return;
	if (targets.data[0]->provider->group(env, &targets, &wants, &groups, &e)) {
		fail(c, t, &e);
		return;
	}
	vec_each(g, &groups)
		add_sender(c, of, t, *g);
}

void watch_prepare(struct compiler *c)
{
	size_t n = c->units.len;

	for (size_t i = 0; i < n; i++) {
		const struct unit *u = c->units.data[i];

		vec_each(t, &u->group->targets)
			if ((*t)->symbol && (*t)->access)
				add_senders(c, u, *t);
	}
}
