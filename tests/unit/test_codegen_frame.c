#include "codegen_kernel.h"

enum { HELPER_CPU = BPF_FUNC_get_smp_processor_id };

static void slots_used_one_after_the_other_share_memory(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	(void)state;
	compile_text(&a,
		     "fn \"t\" {\n"
		     "b0:\n"
		     "	v1 = slot 16\n"
		     "	v2 = slot 16\n"
		     "	v3 = slot 100\n"
		     "	v4 = slot 60\n"
		     "	v5 = const 5\n"
		     "	store64 v1, 8, v5\n"
		     "	v6 = load64 v1, 8\n"
		     "	store64 v2, 8, v6\n"
		     "	v7 = load64 v2, 8\n"
		     "	store64 v3, 96, v7\n"
		     "	v8 = load64 v3, 96\n"
		     "	store64 v4, 0, v8\n"
		     "	v9 = load64 v4, 0\n"
		     "	ret v9\n"
		     "}\n",
		     &img);
	assert_int_equal(img.stack_size, 16);
	assert_int_equal(img.scratch_size, 104);
}

static void slots_of_one_loop_do_not_share(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	(void)state;
	/* What b2 leaves in v2 it reads in the next round, after v1 was used. */
	compile_text(&a,
		     "fn \"t\" {\n"
		     "b0:\n"
		     "	v1 = slot 8\n"
		     "	v2 = slot 8\n"
		     "	v3 = const 0\n"
		     "	v4 = const 1\n"
		     "	jmp b1\n"
		     "b1:\n"
		     "	v5 = phi b0 v3, b2 v6\n"
		     "	store64 v1, 0, v5\n"
		     "	v7 = load64 v1, 0\n"
		     "	v8 = const 4\n"
		     "	v9 = ult v7, v8\n"
		     "	br v9, b2, b3\n"
		     "b2:\n"
		     "	v10 = load64 v2, 0\n"
		     "	v11 = add v10, v4\n"
		     "	store64 v2, 0, v11\n"
		     "	v6 = add v5, v4\n"
		     "	jmp b1\n"
		     "b3:\n"
		     "	ret v5\n"
		     "}\n",
		     &img);
	assert_int_equal(img.stack_size, 16);
}

static void an_escaped_slot_shares_with_nobody(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	(void)state;
	compile_text(&a,
		     "fn \"t\" {\n"
		     "b0:\n"
		     "	v1 = slot 8\n"
		     "	v2 = slot 8\n"
		     "	v3 = slot 8\n"
		     "	store64 v3, 0, v1\n"
		     "	v4 = const 0\n"
		     "	store64 v2, 0, v4\n"
		     "	ret v4\n"
		     "}\n",
		     &img);
	assert_int_equal(img.stack_size, 16);
}

/* nlive numbers that wait for a call to return, between nslots slots of 32 bytes. */
static struct fn *crowded_fn(struct arena *a, unsigned nlive, unsigned nslots)
{
	struct irb b = { .fn = ir_fn_new(a, "crowded") };
	ref *live = arena_array(a, ref, nlive), *slots = arena_array(a, ref, nslots);

	for (unsigned k = 0; k < nslots; k++) {
		slots[k] = ir_slot(&b, 32);
		ir_store(&b, 8, slots[k], 24, ir_const(&b, 1000));
	}
	for (unsigned k = 0; k < nlive; k++) {
		ref unknown = ir_load(&b, 8, ir_mapval(&b, MAP_VALUES, 64), 0);

		live[k] = ir_bin(&b, OP_ADD, unknown, ir_const(&b, k));
	}
	ir_call(&b, HELPER_CPU, 0);
	ref sum = ir_const(&b, 0);
	for (unsigned k = 0; k < nlive; k++)
		sum = ir_bin(&b, OP_ADD, sum, live[k]);
	ir_call(&b, HELPER_CPU, 0);
	for (unsigned k = 0; k < nslots; k++)
		sum = ir_bin(&b, OP_ADD, sum, ir_load(&b, 8, slots[k], 24));
	ir_ret(&b, sum);
	return b.fn;
}

static void values_wait_on_the_stack_for_calls(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	compile_fn(&a, crowded_fn(&a, 40, 0), &test_target, &img);
	assert_in_range(img.stack_size, (40 - 4) * 8, 40 * 8);
	need_kernel((struct kernel *)*state);
	assert_int_equal(run_image(*state, &img), 39 * 40 / 2);
}

static void slots_make_room_for_spills(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	compile_fn(&a, crowded_fn(&a, 50, 12), &test_target, &img);
	assert_true(img.stack_size <= 512);
	assert_true(img.scratch_size >= 6 * 32);
	need_kernel((struct kernel *)*state);
	assert_int_equal(run_image(*state, &img), 49 * 50 / 2 + 12 * 1000);
}

static void more_values_than_stack_are_an_error(void **state)
{
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };
	struct image img;

	(void)state;
	assert_int_equal(codegen(&a, crowded_fn(&a, 100, 1), &test_target, &img, &e), -E2BIG);
	assert_non_null(strstr(e.msg, "crowded: too many values at once"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_used_one_after_the_other_share_memory),
		cmocka_unit_test(slots_of_one_loop_do_not_share),
		cmocka_unit_test(an_escaped_slot_shares_with_nobody),
		cmocka_unit_test(values_wait_on_the_stack_for_calls),
		cmocka_unit_test(slots_make_room_for_spills),
		cmocka_unit_test(more_values_than_stack_are_an_error),
	};

	return cmocka_run_group_tests(tests, setup_kernel, teardown_kernel);
}
