/*
 * The checker accepts a sound function and names what is broken in others.
 */
#include "base/auto.h"
#include "ir/ir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char sound[] = "fn \"sound\" {\n"
			    "b0:\n"
			    "	v1 = ctx\n"
			    "	v2 = load64 v1, 0\n"
			    "	br v2, b1, b2\n"
			    "b1:\n"
			    "	v3 = const 1\n"
			    "	jmp b3\n"
			    "b2:\n"
			    "	v4 = call 14\n"
			    "	jmp b3\n"
			    "b3:\n"
			    "	v5 = phi b1 v3, b2 v4\n"
			    "	v6 = add v5, v2\n"
			    "	ret v6\n"
			    "}\n";

static struct fn *parse(struct arena *a, const char *text)
{
	const char *msg = "";
	int line = 0;
	struct fn *fn = ir_parse(a, text, &msg, &line);

	if (!fn)
		fail_msg("line %d: %s", line, msg);
	return fn;
}

/* Breaks the sound function. */
typedef void (*breaker)(struct fn *fn);

static void no_terminator(struct fn *fn)
{
	fn->blks.data[3].ins.len--;
}

static void empty_block(struct fn *fn)
{
	fn->blks.data[1].ins.len = 0;
}

static void two_terminators(struct fn *fn)
{
	ir_ins(fn, 2)->op = OP_RET;
	ir_ins(fn, 2)->nargs = 1;
}

static void phi_not_first(struct fn *fn)
{
	ref *list = fn->blks.data[3].ins.data, first = list[0];

	list[0] = list[1];
	list[1] = first;
}

static void listed_twice(struct fn *fn)
{
	fn->blks.data[3].ins.data[1] = 3;
}

static void wrong_home(struct fn *fn)
{
	ir_ins(fn, 6)->home = 1;
}

static void removed(struct fn *fn)
{
	ir_ins(fn, 6)->op = OP_NONE;
}

static void bad_size(struct fn *fn)
{
	ir_ins(fn, 2)->size = 3;
}

static void bad_offset(struct fn *fn)
{
	ir_ins(fn, 2)->imm = INT64_C(1) << 40;
}

static void bad_helper(struct fn *fn)
{
	ir_ins(fn, 4)->imm = 0;
}

static void wrong_count(struct fn *fn)
{
	ir_ins(fn, 6)->nargs = 1;
}

static void short_phi(struct fn *fn)
{
	ir_ins(fn, 5)->nargs = 1;
}

static void undefined(struct fn *fn)
{
	ir_ins(fn, 6)->b = 0;
}

static void no_value(struct fn *fn)
{
	ir_ins(fn, 6)->b = fn->blks.data[1].ins.data[1];
}

static void not_dominated(struct fn *fn)
{
	ir_ins(fn, 6)->b = 3;
}

static void used_before(struct fn *fn)
{
	ir_ins(fn, 6)->b = 6;
}

static void phi_not_dominated(struct fn *fn)
{
	ir_ins(fn, 5)->args[0] = 4;
}

static void missing_pred(struct fn *fn)
{
	fn->blks.data[2].preds.len = 0;
}

static void wrong_pred(struct fn *fn)
{
	fn->blks.data[2].preds.data[0] = 1;
}

static void pred_twice(struct fn *fn)
{
	fn->blks.data[3].preds.data[1] = fn->blks.data[3].preds.data[0];
}

static void to_dead(struct fn *fn)
{
	fn->blks.data[2].dead = true;
}

static void to_entry(struct fn *fn)
{
	ir_ins(fn, fn->blks.data[1].ins.data[1])->blk[0] = 0;
}

static void same_target(struct fn *fn)
{
	ir_ins(fn, fn->blks.data[0].ins.data[2])->blk[1] = 1;
}

static void dead_entry(struct fn *fn)
{
	fn->blks.data[0].dead = true;
}

static const struct broken {
	breaker how;
	const char *msg;
} brokens[] = {
	{ no_terminator, "b3 has no terminator" },
	{ empty_block, "b1 is empty" },
	{ two_terminators, "b0 goes on after its terminator" },
	{ phi_not_first, "v5: a phi stands after other instructions" },
	{ listed_twice, "v3 stands twice" },
	{ wrong_home, "v6 stands in b3, its home is b1" },
	{ removed, "v6 is no instruction" },
	{ bad_size, "v2 (load) of 3 bytes" },
	{ bad_offset, "v2 (load) has immediate 1099511627776" },
	{ bad_helper, "v4 (call) has immediate 0" },
	{ wrong_count, "v6 (add) has 1 operands" },
	{ short_phi, "v5: phi of 1 values for 2 predecessors" },
	{ undefined, "v6 uses v0, which is not defined" },
	{ no_value, "v6 uses v8 (jmp), which gives no value" },
	{ not_dominated, "v6 uses v3, which does not dominate it" },
	{ used_before, "v6 uses v6, which does not dominate it" },
	{ phi_not_dominated, "v5 uses v4, which does not dominate it" },
	{ missing_pred, "a predecessor is missing" },
	{ wrong_pred, "b2 has predecessor b1, which does not go there" },
	{ pred_twice, "b3 has predecessor b1 twice" },
	{ to_dead, "b0 goes to b2, which is not there" },
	{ to_entry, "b1 goes to the entry" },
	{ same_target, "b0 branches twice to b1" },
	{ dead_entry, "there is no entry block" },
};

static void broken_functions_are_named(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(brokens) / sizeof(*brokens); k++) {
		auto_arena struct arena a = {};
		struct fn *fn = parse(&a, sound);

		assert_null(ir_check(fn, &a));
		brokens[k].how(fn);
		const char *wrong = ir_check(fn, &a);
		assert_non_null(wrong);
		assert_string_equal(wrong, brokens[k].msg);
	}
}

static void what_cannot_be_reached_needs_no_dominance(void **state)
{
	static const char TEXT[] =
		"fn \"f\" {\n"
		"b0:\n	v1 = const 1\n	ret v1\n"
		"b1:\n	v2 = const 2\n	jmp b2\n"
		"b2:\n	v3 = add v1, v4\n	v4 = add v2, v3\n	ret v4\n"
		"}\n";
	auto_arena struct arena a = {};

	(void)state;
	assert_null(ir_check(parse(&a, TEXT), &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_functions_are_named),
		cmocka_unit_test(what_cannot_be_reached_needs_no_dominance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
