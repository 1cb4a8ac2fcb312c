#include "ir/effect.h"

#include <stddef.h>

enum { QUIET = 1, FIXED = 2 };

/* Facts of the kernel's include/uapi/linux/bpf.h; a helper that is not here may do anything. */
static const struct helper_fact {
	int id, facts;
} helper_facts[] = {
	{ 1, QUIET },		/* map_lookup_elem: not fixed, an update may lie between */
	{ 5, QUIET },		/* ktime_get_ns */
	{ 7, QUIET },		/* get_prandom_u32 */
	{ 8, QUIET | FIXED },	/* get_smp_processor_id */
	{ 14, QUIET | FIXED },	/* get_current_pid_tgid */
	{ 15, QUIET | FIXED },	/* get_current_uid_gid */
	{ 35, QUIET | FIXED },	/* get_current_task */
	{ 42, QUIET | FIXED },	/* get_numa_node_id */
	{ 80, QUIET | FIXED },	/* get_current_cgroup_id */
	{ 118, QUIET },		/* jiffies64 */
	{ 125, QUIET },		/* ktime_get_boot_ns */
	{ 158, QUIET | FIXED }, /* get_current_task_btf */
	{ 160, QUIET },		/* ktime_get_coarse_ns */
	{ 173, QUIET | FIXED }, /* get_func_ip */
	{ 174, QUIET | FIXED }, /* get_attach_cookie */
	{ 208, QUIET },		/* ktime_get_tai_ns */
};

static int facts_of(const struct ins *i)
{
	for (size_t k = 0; k < sizeof(helper_facts) / sizeof(*helper_facts); k++)
		if (helper_facts[k].id == i->imm)
			return helper_facts[k].facts;
	return 0;
}

bool call_is_quiet(const struct ins *i)
{
	return facts_of(i) & QUIET;
}

bool call_is_fixed(const struct ins *i)
{
	return facts_of(i) & FIXED;
}

int call_callback_context(const struct ins *i)
{
	enum { FOR_EACH_MAP_ELEM = 164, FIND_VMA = 180, LOOP = 181 };

	if (i->op != OP_CALL)
		return -1;
	if (i->imm == FOR_EACH_MAP_ELEM || i->imm == LOOP)
		return 2;
	return i->imm == FIND_VMA ? 3 : -1;
}

bool is_access(const struct ins *i)
{
	return op_infos[i->op].flags & (OP_READ | OP_WRITE) && i->op != OP_CALL;
}

static const struct ins *constant(const struct fn *fn, ref r)
{
	const struct ins *i = ir_ins(fn, r);

	return i->op == OP_CONST ? i : NULL;
}

/* The place of a sum: that of one operand, moved by the other. */
static struct place place_add(const struct places *ps, const struct ins *i)
{
	ref base = i->a, by = i->b;

	if (ps->of[base].kind == PLACE_ANY) {
		base = i->b;
		by = i->a;
	}
	struct place p = ps->of[base];
	const struct ins *c = constant(ps->fn, by);

	if (ps->of[by].kind != PLACE_ANY)
		return (struct place){ .kind = PLACE_ANY };
	p.exact = p.exact && c;
	p.off = p.exact ? (int64_t)((uint64_t)p.off + (uint64_t)c->imm) : 0;
	return p;
}

static struct place place_result(const struct places *ps, ref r)
{
	const struct ins *i = ir_ins(ps->fn, r);

	switch (i->op) {
	case OP_CTX: return (struct place){ .kind = PLACE_CTX, .exact = true };
	case OP_SLOT: return (struct place){ .kind = PLACE_SLOT, .exact = true, .slot = r };
	case OP_ADD: return place_add(ps, i);
	default: return (struct place){ .kind = PLACE_ANY };
	}
}

/* May an address be operand k of i without getting lost? */
static bool keeps_track(const struct places *ps, ref r, unsigned k)
{
	const struct ins *i = ir_ins(ps->fn, r);

	if (is_helper_call(i) || op_infos[i->op].flags & OP_COMPARE)
		return true;
	if (i->op == OP_ADD)
		return ps->of[r].kind == PLACE_SLOT;
	return is_access(i) && !k;
}

static void note_uses(struct places *ps, ref r)
{
	unsigned n;
	const ref *ops = ir_operands(ir_ins(ps->fn, r), &n);

	for (unsigned k = 0; k < n; k++) {
		const struct place *p = &ps->of[ops[k]];

		if (p->kind == PLACE_SLOT && !keeps_track(ps, r, k))
			ps->tracked[p->slot] = false;
	}
}

void places_build(struct places *ps, const struct fn *fn, const struct dom *d, struct arena *a)
{
	*ps = (struct places){ .fn = fn };
	ps->of = arena_array(a, struct place, fn->ins.len);
	ps->tracked = arena_array(a, bool, fn->ins.len);

	/* Operands come before their users, save those of phis, which are looked at last. */
	for (uint32_t k = 0; k < d->n; k++)
		vec_each(r, &fn->blks.data[d->rpo[k]].ins) {
			ps->of[*r] = place_result(ps, *r);
			ps->tracked[*r] = ir_ins(fn, *r)->op == OP_SLOT;
		}
	for (uint32_t k = 0; k < d->n; k++)
		vec_each(r, &fn->blks.data[d->rpo[k]].ins)
			note_uses(ps, *r);
}

struct place place_of(const struct places *ps, ref address, int64_t off)
{
	struct place p = ps->of[address];

	if (p.kind == PLACE_SLOT && !ps->tracked[p.slot])
		return (struct place){ .kind = PLACE_ANY };
	if (p.exact)
		p.off += off;
	return p;
}
