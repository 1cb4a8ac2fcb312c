/*
 * Drop instructions whose result nobody needs.
 * needs: ssa    keeps: ssa, reachable, cfg
 *
 * From the instructions that must stay back to what they use, so that circles of phis that
 * only feed each other go too.
 */
#include "ir/effect.h"
#include "ir/pass.h"

struct marker {
	struct fn *fn;
	struct arena scratch;
	bool *needed; /* by ref */
	struct ref_vec todo;
};

static bool must_stay(const struct ins *i)
{
	return op_infos[i->op].flags & OP_EFFECT && !(i->op == OP_CALL && call_is_quiet(i));
}

static void need(struct marker *m, ref r)
{
	if (m->needed[r])
		return;
	m->needed[r] = true;
	vec_push(&m->scratch, &m->todo, r);
}

static void mark(struct marker *m)
{
	vec_each(b, &m->fn->blks)
		vec_each(r, &b->ins)
			if (must_stay(ir_ins(m->fn, *r)))
				need(m, *r);

	while (m->todo.len) {
		ref r = m->todo.data[--m->todo.len];
		unsigned n;
		const ref *ops = ir_operands(ir_ins(m->fn, r), &n);

		for (unsigned k = 0; k < n; k++)
			need(m, ops[k]);
	}
}

static bool sweep(struct marker *m)
{
	struct rewrite rw;

	rewrite_init(&rw, m->fn, &m->scratch);
	for (blkid b = 0; b < m->fn->blks.len; b++) {
		rewrite_begin(&rw, b);
		vec_each(r, &rw.old)
			if (m->needed[*r])
				rewrite_keep(&rw, *r);
		rewrite_end(&rw);
	}
	return rw.changed;
}

bool opt_dce(struct fn *fn)
{
	struct marker m = { .fn = fn };

	m.needed = arena_array(&m.scratch, bool, fn->ins.len);
	mark(&m);
	bool changed = sweep(&m);
	arena_free(&m.scratch);
	return changed;
}
