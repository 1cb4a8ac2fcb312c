#include "session/attach.h"

#include "session/engine.h"

#include <errno.h>

int attach_run(const struct plan *plan, const struct loaded *l, enum prog_when when,
	       struct err *e)
{
	for (size_t i = 0; i < plan->progs.len; i++) {
		const struct plan_prog *p = &plan->progs.data[i];
		int err = p->when == when ? engine_prog_run(l, l->progs[i], p->name, e) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int attach_one(const struct plan *plan, size_t i, int fd, struct probe_env *env,
		      struct links *links, struct err *e)
{
	const struct plan_prog *p = &plan->progs.data[i];
	size_t before = links->list.len;
	int err = p->group->provider->attach(env, p->group, fd, links, e);

	for (size_t k = before; k < links->list.len; k++)
		links->list.data[k].prog = (uint32_t)i;

	/* A provider that could not say more leaves the naming to us. */
	if (err && !e->code)
		err_set(e, err, "attach %s", p->name);
	return err;
}

/*
 * The kernel runs the programs on one place in the order of attaching, or in the reverse of it,
 * by the kind of the place; hence one walk forward and one backward.
 */
int attach_all(const struct plan *plan, const struct loaded *l, struct probe_env *env,
	       struct links *links, struct err *e)
{
	size_t n = l->vm ? 0 : plan->progs.len; /* without the kernel the loop has timers */
	int err = 0;

	for (size_t step = 0; step < 2 * n && !err; step++) {
		bool backward = step >= n;
		size_t i = backward ? 2 * n - 1 - step : step;
		const struct plan_prog *p = &plan->progs.data[i];

		if (p->when == PROG_ATTACHED &&
		    backward == !!(p->group->provider->flags & PV_LAST_FIRST))
			err = attach_one(plan, i, l->progs[i], env, links, e);
	}
	return err;
}
