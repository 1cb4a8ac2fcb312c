/*
 * Every binary operation with every interesting constant on either side, and every comparison
 * of its result with a constant, gives after folding what it gave before.
 */
#include "base/auto.h"
#include "ir/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int64_t numbers[] = { 0,	      1,	 2,	     3,		7,
				   8,	      63,	 64,	     -1,	-2,
				   -8,	      255,	 256,	     65535,	65536,
				   INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN,
				   0x12345678 };

enum { NUMBERS = sizeof(numbers) / sizeof(*numbers) };

/* What a function of one block gives when its first load gives x. */
static int64_t run(const struct fn *fn, struct arena *a, int64_t x)
{
	int64_t *val = arena_array(a, int64_t, fn->ins.len);

	vec_each(r, &fn->blks.data[0].ins) {
		const struct ins *i = ir_ins(fn, *r);

		switch (i->op) {
		case OP_CTX: break;
		case OP_CONST: val[*r] = i->imm; break;
		case OP_LOAD: memcpy(&val[*r], &x, i->size); break;
		case OP_RET: return val[i->a];
		default: assert_true(ir_fold(i->op, i->size, val[i->a], val[i->b], &val[*r]));
		}
	}
	fail_msg("no ret");
	return 0;
}

/* Ends the function, folds it, and compares it with itself for all numbers. */
static void check(struct irb *b, ref result, struct arena *a)
{
	int64_t before[NUMBERS];
	auto_sb struct sb text = {};

	ir_ret(b, result);
	ir_print(b->fn, &text);
	for (int k = 0; k < NUMBERS; k++)
		before[k] = run(b->fn, a, numbers[k]);
	opt_fold(b->fn);
	assert_null(ir_check(b->fn, a));
	for (int k = 0; k < NUMBERS; k++) {
		if (run(b->fn, a, numbers[k]) == before[k])
			continue;
		ir_print(b->fn, &text);
		fail_msg("wrong for %ld\n%s", numbers[k], sb_str(&text));
	}
}

static ref begin(struct irb *b, struct arena *a, unsigned size)
{
	*b = (struct irb){ .fn = ir_fn_new(a, "fold") };
	return ir_load(b, size, ir_ctx(b), 0);
}

static bool is_binary(enum ir_op op)
{
	return op_infos[op].flags & OP_PURE && op_infos[op].nargs == 2;
}

static void one_constant(enum ir_op op, int64_t c)
{
	for (unsigned size = 1; size <= 8; size *= 2) {
		auto_arena struct arena a = {};
		struct irb b;
		ref x = begin(&b, &a, size);

		check(&b, ir_bin(&b, op, x, ir_const(&b, c)), &a);
		x = begin(&b, &a, size);
		check(&b, ir_bin(&b, op, ir_const(&b, c), x), &a);
		x = begin(&b, &a, size);
		check(&b, ir_bin(&b, op, x, x), &a);
	}
}

static void operations_with_a_constant(void **state)
{
	(void)state;
	for (enum ir_op op = 1; op < OP_COUNT; op++)
		for (int k = 0; is_binary(op) && k < NUMBERS; k++)
			one_constant(op, numbers[k]);
}

static void chains_of_two(void **state)
{
	(void)state;
	for (enum ir_op op = 1; op < OP_COUNT; op++)
		for (int k = 0; is_binary(op) && k < NUMBERS * NUMBERS; k++) {
			auto_arena struct arena a = {};
			struct irb b;
			ref x = begin(&b, &a, 8);
			ref c1 = ir_const(&b, numbers[k / NUMBERS]);
			ref c2 = ir_const(&b, numbers[k % NUMBERS]);

			check(&b, ir_bin(&b, op, ir_bin(&b, op, x, c1), c2), &a);
		}
}

static void comparisons_of_comparisons(void **state)
{
	static const enum ir_op outer[] = { OP_EQ, OP_NE, OP_XOR, OP_AND };

	(void)state;
	for (enum ir_op op = OP_EQ; op <= OP_SGE; op++)
		for (int k = 0; k < NUMBERS * 4 * 3; k++) {
			auto_arena struct arena a = {};
			struct irb b;
			ref x = begin(&b, &a, 8);
			ref inner = ir_bin(&b, op, x, ir_const(&b, numbers[k / 12]));

			check(&b, ir_bin(&b, outer[k % 4], inner, ir_const(&b, k % 3)), &a);
		}
}

static ref any_extension(struct irb *b, int which, ref x)
{
	if (which == 8)
		return ir_bin(b, OP_AND, x, ir_const(b, 0xffff));
	return ir_ext(b, which & 4, 1u << (which & 3), x);
}

static void extensions_of_extensions(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= 8; size *= 2)
		for (int k = 0; k < 81; k++) {
			auto_arena struct arena a = {};
			struct irb b;
			ref x = begin(&b, &a, size);

			x = ir_un(&b, OP_NOT, ir_un(&b, OP_NOT, x));
			check(&b, any_extension(&b, k % 9, any_extension(&b, k / 9, x)), &a);
		}
}

static void zero_divisors_and_large_shifts(void **state)
{
	int64_t v;

	(void)state;
	assert_true(ir_fold(OP_UDIV, 0, 7, 0, &v));
	assert_int_equal(v, 0);
	assert_true(ir_fold(OP_UMOD, 0, 7, 0, &v));
	assert_int_equal(v, 7);
	assert_true(ir_fold(OP_SHL, 0, 1, 65, &v));
	assert_int_equal(v, 2);
	assert_true(ir_fold(OP_SAR, 0, -8, 1, &v));
	assert_int_equal(v, -4);
	assert_true(ir_fold(OP_BSWAP, 4, 0x11223344, 0, &v));
	assert_int_equal(v, 0x44332211);
	assert_false(ir_fold(OP_LOAD, 8, 1, 2, &v));
	assert_false(ir_fold(OP_CONST, 0, 1, 2, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_with_a_constant),
		cmocka_unit_test(chains_of_two),
		cmocka_unit_test(comparisons_of_comparisons),
		cmocka_unit_test(extensions_of_extensions),
		cmocka_unit_test(zero_divisors_and_large_shifts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
