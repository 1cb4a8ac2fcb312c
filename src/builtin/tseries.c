/*
 * tseries(): a value per interval of time, of the last so many intervals.
 */
#include "builtin/aggregate.h"
#include "builtin/builtin.h"
#include "builtin/time.h"

#include <string.h>

static bool find_fn(const char *name, enum tseries_fn *fn)
{
	static const char *const names[] = {
		[TSERIES_AVG] = "avg",
		[TSERIES_MAX] = "max",
		[TSERIES_MIN] = "min",
		[TSERIES_SUM] = "sum",
	};

	for (size_t i = TSERIES_AVG; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], name)) {
			*fn = (enum tseries_fn)i;
			return true;
		}
	}
	return false;
}

static bool check_tseries(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	int64_t interval = e->args[1]->const_value, n = e->args[2]->const_value;
	const struct type *t = e->args[0]->type;
	enum tseries_fn fn = TSERIES_LAST;
	const char *wrong = NULL, *name;
	size_t len;

	if (!check_stable(c, c->cfg->unstable_tseries, e->span, "tseries()",
			  "unstable_tseries"))
		return false;
	if (interval < 1)
		wrong = "tseries() interval must be at least 1 ns";
	else if (n < 1 || n > TSERIES_SLOTS_MAX)
		wrong = arena_printf(c->arena,
				     "tseries() keeps from 1 to %d intervals (%lld asked for)",
				     TSERIES_SLOTS_MAX, (long long)n);
	else if (e->nargs > 3 && literal_text(u, e->args[3], &name, &len) &&
		 !find_fn(name, &fn))
		wrong = "tseries() knows avg, max, min and sum";
	if (wrong) {
		diag(c->dx, E0308_HIST, e->span, wrong);
		return false;
	}
	e->type = type_tseries(c->tt, t->kind == T_INT && t->is_signed, interval, n, fn);
	return true;
}

/* The words of an interval: number, value, n or time. */
enum { NUMBER_OFF = 0, VALUE_OFF = 8, N_OFF = 16, SLOT_SIZE = 8 * TSERIES_WORDS };

/* Another interval was here: its value goes. */
static void take_slot(struct unit *u, ref slot, ref number)
{
	struct irb *b = &u->b;
	blkid old = ir_block(b), mine = ir_block(b);
	ref zero = ir_const(b, 0);

	ir_br(b, ir_bin(b, OP_EQ, ir_load(b, 8, slot, NUMBER_OFF), number), mine, old);
	ir_start(b, old);
	ir_store(b, 8, slot, VALUE_OFF, zero);
	ir_store(b, 8, slot, N_OFF, zero);
	ir_store(b, 8, slot, NUMBER_OFF, number);
	ir_jmp(b, mine);
	ir_start(b, mine);
}

static void add_value(struct unit *u, const struct type *agg, ref slot, ref v, ref now)
{
	struct irb *b = &u->b;
	enum tseries_fn fn = (enum tseries_fn)agg->hist.bits;

	switch (fn) {
	case TSERIES_LAST:
		ir_store(b, 8, slot, VALUE_OFF, v);
		ir_store(b, 8, slot, N_OFF, now);
		break;
	case TSERIES_AVG:
	case TSERIES_SUM:
		ir_atomic_add(b, 8, slot, VALUE_OFF, v);
		ir_atomic_add(b, 8, slot, N_OFF, ir_const(b, 1));
		break;
	case TSERIES_MAX:
	case TSERIES_MIN:
		lower_store_greater(u, ir_bin(b, OP_ADD, slot, ir_const(b, VALUE_OFF)),
				    lower_biased(u, v, agg->is_signed, fn == TSERIES_MIN));
		break;
	}
}

static void update_tseries(struct unit *u, struct expr *e, const struct type *agg, ref p)
{
	struct irb *b = &u->b;
	ref v = lower_scalar(u, e->args[0]), now = lower_tai_ns(u);
	ref number = ir_bin(b, OP_UDIV, now, ir_const(b, agg->hist.step));
	ref i = ir_bin(b, OP_UMOD, number, ir_const(b, agg->hist.max));
	blkid inside = ir_block(b), done = ir_block(b);

	/* Always true; said once more in the verifier's terms. */
	ir_br(b, ir_bin(b, OP_ULT, i, ir_const(b, agg->hist.max)), inside, done);
	ir_start(b, inside);
	ref slot = ir_bin(b, OP_ADD, p, ir_bin(b, OP_MUL, i, ir_const(b, SLOT_SIZE)));
	take_slot(u, slot, number);
	add_value(u, agg, slot, v, now);
	ir_jmp(b, done);
	ir_start(b, done);
}

BUILTINS(tseries) = {
	{ "tseries", "? tseries(int, num, num, [lit])", BI_AGG, check_tseries,
	  .update = update_tseries,
	  .doc = "The values over time: value, ns per interval, intervals, \"avg|max|min|sum\"." },
	{ 0 },
};
