/*
 * The passes take functions of the largest size we promise, in the shapes that turn a careless
 * pass quadratic: long rows of checks with one common exit, many variables, deep nesting.
 */
#include "base/auto.h"
#include "ir/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { STATEMENTS = 5000, DEEP = 5000 };

static size_t count_ins(const struct fn *fn)
{
	size_t n = 0;

	vec_each(b, &fn->blks)
		n += b->ins.len;
	return n;
}

static size_t count_op(const struct fn *fn, enum ir_op op)
{
	size_t n = 0;

	vec_each(b, &fn->blks)
		vec_each(r, &b->ins)
			n += ir_ins(fn, *r)->op == op;
	return n;
}

/* What `@[pid, n] = count()` becomes: a key, a lookup, a check, an update in place. */
static void statement(struct irb *b, uint32_t n, ref total, blkid out)
{
	blkid found = ir_block(b), next = ir_block(b);
	ref var = ir_slot(b, 8), key = ir_slot(b, 16);
	ref pid = ir_call(b, 14, 0);

	ir_zero(b, key, 0, 16);
	ir_store(b, 8, var, 0, ir_bin(b, OP_SHR, pid, ir_const(b, 32)));
	ir_store(b, 4, key, 0, ir_load(b, 8, var, 0));
	ir_store(b, 8, key, 8, ir_const(b, n));
	ref val = ir_call(b, 1, 2, ir_map(b, 0), key);
	ir_br(b, ir_bin(b, OP_EQ, val, ir_const(b, 0)), out, found);
	ir_start(b, found);
	ref sum = ir_bin(b, OP_ADD, ir_load(b, 8, val, 0), ir_load(b, 8, total, 0));
	ir_store(b, 8, val, 0, sum);
	ir_store(b, 8, total, 0, sum);
	ir_br(b, ir_bin(b, OP_UGT, sum, ir_const(b, 100)), out, next);
	ir_start(b, next);
}

static void optimize(struct fn *fn, struct arena *a)
{
	assert_null(ir_check(fn, a));
	ir_optimize(fn, NULL, NULL);
	assert_null(ir_check(fn, a));
}

static void a_long_row_of_statements(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "long") };
	ref total = ir_slot(&b, 8);
	blkid out = ir_block(&b);

	(void)state;
	for (uint32_t n = 0; n < STATEMENTS; n++)
		statement(&b, n, total, out);
	ir_jmp(&b, out);
	ir_start(&b, out);
	ir_ret(&b, ir_load(&b, 8, total, 0));
	assert_true(count_ins(b.fn) > 20 * STATEMENTS);
	optimize(b.fn, &a);

	assert_int_equal(count_op(b.fn, OP_SLOT), STATEMENTS); /* the keys */
	assert_int_equal(count_op(b.fn, OP_PHI), 1);
	/* The lookups, and one pid for all of them. */
	assert_int_equal(count_op(b.fn, OP_CALL), STATEMENTS + 1);
	/* Zeroes of the key: only the four bytes of padding stay. */
	assert_int_equal(count_op(b.fn, OP_STORE), 4 * STATEMENTS);
}

/* Each condition inside the one before, and a variable that is set at each level. */
static void deep_nesting(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "deep") };
	ref var = ir_slot(&b, 8), ctx = ir_ctx(&b);
	blkid *ends = arena_array(&a, blkid, DEEP);

	(void)state;
	for (int n = 0; n < DEEP; n++) {
		blkid yes = ir_block(&b);

		ends[n] = ir_block(&b);
		ir_br(&b, ir_load(&b, 1, ctx, n), yes, ends[n]);
		ir_start(&b, yes);
		ir_store(&b, 8, var, 0, ir_const(&b, n));
	}
	for (int n = DEEP; n--;) {
		ir_jmp(&b, ends[n]);
		ir_start(&b, ends[n]);
	}
	ir_ret(&b, ir_load(&b, 8, var, 0));
	optimize(b.fn, &a);
	assert_int_equal(count_op(b.fn, OP_SLOT), 0);
	/* All the ends are empty, so there is one place where everything meets. */
	assert_int_equal(count_op(b.fn, OP_PHI), 1);
}

/* Many loops in a row; every one has its own counter and uses a common variable. */
static void many_loops(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "loops") };
	ref sum = ir_slot(&b, 8), one = ir_const(&b, 1);

	(void)state;
	for (int n = 0; n < STATEMENTS; n++) {
		blkid head = ir_block(&b), body = ir_block(&b), end = ir_block(&b);
		ref i = ir_slot(&b, 8);

		ir_store(&b, 8, i, 0, ir_const(&b, 10));
		ir_jmp(&b, head);
		ir_start(&b, head);
		ir_br(&b, ir_load(&b, 8, i, 0), body, end);
		ir_start(&b, body);
		ir_store(&b, 8, i, 0, ir_bin(&b, OP_SUB, ir_load(&b, 8, i, 0), one));
		ir_store(&b, 8, sum, 0, ir_bin(&b, OP_ADD, ir_load(&b, 8, sum, 0), one));
		ir_jmp(&b, head);
		ir_start(&b, end);
	}
	ir_ret(&b, ir_load(&b, 8, sum, 0));
	optimize(b.fn, &a);
	assert_int_equal(count_op(b.fn, OP_SLOT), 0);
	assert_int_equal(count_op(b.fn, OP_PHI), 2 * STATEMENTS);
}

/* One large buffer that is given to every call. */
static void a_buffer_for_all(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "buffer") };
	ref buf = ir_slot(&b, 4096), zero = ir_const(&b, 0);

	(void)state;
	for (uint32_t n = 0; n < STATEMENTS; n++) {
		ref v = ir_load(&b, 8, buf, 8 * (n % 512));

		ir_store(&b, 8, buf, 8, v);
		ir_store(&b, 8, buf, 16, zero);
		ir_call(&b, 200, 2, buf, v);
	}
	ir_ret(&b, zero);
	optimize(b.fn, &a);
	assert_int_equal(count_op(b.fn, OP_STORE), 2 * STATEMENTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_row_of_statements),
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(many_loops),
		cmocka_unit_test(a_buffer_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
