/*
 * Programs that one attachment can serve become one: a kprobe and a kretprobe of the same
 * functions, where the kernel has sessions.
 */
#include "script/lower.h"

#include <string.h>

/* The place alone, without what happens there. */
static const char *place_of(const struct target *t)
{
	return t->name + strlen(t->provider->name);
}

/*
 * The unit for the return of what u is for the entry of, if both stand alone: among several of
 * a kind the order of attaching is the order in which they run.
 */
static struct unit *find_return(struct compiler *c, const struct unit *u)
{
	const struct group *mine = u->group;
	struct unit *found = NULL;

	vec_each(v, &c->units) {
		const struct group *g = (*v)->group;

		if (*v == u || (*v)->unplaced || g->way != mine->way ||
		    g->targets.len != mine->targets.len ||
		    strcmp(place_of(g->targets.data[0]), place_of(mine->targets.data[0])) != 0)
			continue;
		if (found || !(g->provider->flags & PV_RETVAL))
			return NULL;
		found = *v;
	}
	return found;
}

/* A value of its own would tell the kernel to leave the return out. */
static bool join(struct compiler *c, struct unit *u)
{
	const struct provider *p = u->group->provider;
	struct unit *ret = p->join && !u->returns && !u->unplaced ? find_return(c, u) : NULL;
	struct image *mine, *other, both;
	uint32_t which;

	if (!ret || ret->returns)
		return false;
	mine = &c->plan->progs.data[u->prog_index].image;
	other = &c->plan->progs.data[ret->prog_index].image;
	if (mine->ninsns > IMAGE_JOIN_MAX ||
	    !p->join(c->opt->env, u->group, ret->group, &which))
		return false;
	image_join(c->arena, mine, other, which, &both);
	*mine = both;
	*other = (struct image){};
	return true;
}

void join_programs(struct compiler *c)
{
	struct plan *p = c->plan;
	size_t kept = 0;
	bool any = false;

	vec_each(u, &c->units)
		any |= join(c, *u);
	if (!any)
		return;
	vec_each(prog, &p->progs) {
		if (prog->image.ninsns)
			p->progs.data[kept++] = *prog;
	}
	p->progs.len = kept;
}
