/*
 * What the verifier must understand: pointers and bounds on their way through registers, spills
 * and scratch memory.
 */
#include "codegen_kernel.h"

enum {
	CROWD = 20, /* more values than there are registers */
	HELPER_CPU = BPF_FUNC_get_smp_processor_id,
	HELPER_LOOKUP = BPF_FUNC_map_lookup_elem,
	VALUE_AT = 128, /* where tests keep a number in the map's value */
};

struct prog {
	struct irb b;
	ref crowd[CROWD];
};

static ref unknown_zero(struct prog *p)
{
	return ir_load(&p->b, 8, ir_mapval(&p->b, MAP_VALUES, 0), 0);
}

static void begin(struct prog *p, struct arena *a)
{
	*p = (struct prog){ .b.fn = ir_fn_new(a, "run") };
	ir_store(&p->b, 4, ir_mapval(&p->b, MAP_VALUES, 0), VALUE_AT, ir_const(&p->b, 77));
}

/* From here on all registers are wanted ... */
static void crowd_begin(struct prog *p)
{
	for (unsigned k = 0; k < CROWD; k++)
		p->crowd[k] = unknown_zero(p);
	ir_call(&p->b, HELPER_CPU, 0);
}

/* ... until here; returns a zero made of them all. */
static ref crowd_end(struct prog *p)
{
	ref sum = p->crowd[0];

	for (unsigned k = 1; k < CROWD; k++)
		sum = ir_bin(&p->b, OP_ADD, sum, p->crowd[k]);
	return sum;
}

static ref lookup(struct prog *p)
{
	ref key = ir_slot(&p->b, 4);

	ir_store(&p->b, 4, key, 0, ir_const(&p->b, 0));
	return ir_call(&p->b, HELPER_LOOKUP, 2, ir_map(&p->b, MAP_VALUES), key);
}

/* Ends the program with 1 unless v is not 0. */
static void require(struct prog *p, ref v)
{
	blkid yes = ir_block(&p->b), no = ir_block(&p->b);

	ir_br(&p->b, v, yes, no);
	ir_start(&p->b, no);
	ir_ret(&p->b, ir_const(&p->b, 1));
	ir_start(&p->b, yes);
}

static uint32_t finish(struct prog *p, struct arena *a, struct kernel *k, ref result)
{
	struct image img;

	ir_ret(&p->b, result);
	assert_null(ir_check(p->b.fn, a));
	compile_fn(a, p->b.fn, &test_target, &img);
	return run_image(k, &img);
}

static void a_pointer_is_tested_and_used(void **state)
{
	auto_arena struct arena a = { 0 };
	struct prog p;

	need_kernel((struct kernel *)*state);
	begin(&p, &a);
	ref v = lookup(&p);
	require(&p, ir_bin(&p.b, OP_NE, v, ir_const(&p.b, 0)));
	ir_call(&p.b, HELPER_CPU, 0);
	assert_int_equal(finish(&p, &a, *state, ir_load(&p.b, 4, v, VALUE_AT)), 77);
}

static void a_pointer_is_tested_on_the_stack(void **state)
{
	auto_arena struct arena a = { 0 };
	struct prog p;

	need_kernel((struct kernel *)*state);
	begin(&p, &a);
	ref v = lookup(&p);
	crowd_begin(&p);
	require(&p, v);
	ir_call(&p.b, HELPER_CPU, 0);
	ref zero = crowd_end(&p), number = ir_load(&p.b, 4, v, VALUE_AT);
	assert_int_equal(finish(&p, &a, *state, ir_bin(&p.b, OP_ADD, zero, number)), 77);
}

static void the_context_waits_on_the_stack(void **state)
{
	auto_arena struct arena a = { 0 };
	struct prog p;

	need_kernel((struct kernel *)*state);
	begin(&p, &a);
	ref ctx = ir_ctx(&p.b);
	crowd_begin(&p);
	ref zero = crowd_end(&p);
	/* data_end - data of struct xdp_md, the length of the packet */
	ref data = ir_load(&p.b, 4, ctx, 0), end = ir_load(&p.b, 4, ctx, 4);
	ref len = ir_bin(&p.b, OP_SUB, end, data);
	assert_int_equal(finish(&p, &a, *state, ir_bin(&p.b, OP_ADD, zero, len)), 64);
}

static void a_bound_reaches_the_address(void **state)
{
	auto_arena struct arena a = { 0 };
	struct prog p;

	need_kernel((struct kernel *)*state);
	begin(&p, &a);
	ref buf = ir_slot(&p.b, 32);
	for (unsigned off = 0; off < 32; off += 8)
		ir_store(&p.b, 8, buf, off, ir_const(&p.b, off));
	ref i = ir_bin(&p.b, OP_ADD, unknown_zero(&p), ir_const(&p.b, 16));
	require(&p, ir_bin(&p.b, OP_ULE, i, ir_const(&p.b, 31)));
	ir_call(&p.b, HELPER_CPU, 0);
	ref at = ir_bin(&p.b, OP_ADD, buf, i);
	assert_int_equal(finish(&p, &a, *state, ir_load(&p.b, 1, at, 0)), 16);
}

static void scratch_memory_keeps_what_is_stored(void **state)
{
	auto_arena struct arena a = { 0 };
	struct prog p;

	need_kernel((struct kernel *)*state);
	begin(&p, &a);
	ref first = ir_slot(&p.b, 1000), second = ir_slot(&p.b, 2000);
	ir_store(&p.b, 8, first, 992, ir_const(&p.b, 5));
	ir_store(&p.b, 8, second, 1992, ir_const(&p.b, 6));
	crowd_begin(&p);
	ref zero = crowd_end(&p);
	ref x = ir_load(&p.b, 8, first, 992), y = ir_load(&p.b, 8, second, 1992);
	ref xy = ir_bin(&p.b, OP_ADD, x, ir_bin(&p.b, OP_SHL, y, ir_const(&p.b, 8)));
	assert_int_equal(finish(&p, &a, *state, ir_bin(&p.b, OP_ADD, zero, xy)), 0x605);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pointer_is_tested_and_used),
		cmocka_unit_test(a_pointer_is_tested_on_the_stack),
		cmocka_unit_test(the_context_waits_on_the_stack),
		cmocka_unit_test(a_bound_reaches_the_address),
		cmocka_unit_test(scratch_memory_keeps_what_is_stored),
	};

	return cmocka_run_group_tests(tests, setup_kernel, teardown_kernel);
}
