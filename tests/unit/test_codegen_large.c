#include "codegen_kernel.h"

#include <time.h>

enum {
	BLOCKS = 15000,
	ALIVE = 30,			      /* values carried from block to block */
	HELPER_KTIME = BPF_FUNC_ktime_get_ns, /* one that the kernel does not inline */
};

struct large {
	struct irb b;
	ref carried[ALIVE];
	uint64_t expect[ALIVE]; /* what they are in the end */
	ref mask;
	blkid out; /* where errors go */
	uint32_t seed;
};

static uint32_t rnd(struct large *l, uint32_t below)
{
	l->seed = l->seed * 1664525 + 1013904223;
	return (l->seed >> 8) % below;
}

/* Goes on at next unless the value r, which is `is`, is something else. */
static void add_test(struct large *l, ref r, uint64_t is, blkid next)
{
	struct irb *b = &l->b;

	if (is % 3)
		ir_br(b, ir_bin(b, OP_EQ, r, ir_const(b, is ^ 1)), l->out, next);
	else
		ir_br(b, ir_bin(b, OP_AND, r, ir_const(b, ~is & (is + 1))), l->out, next);
}

/* Changes carried[k]; every other step tests it, for the verifier keeps 8192 branches in mind.
 */
static void add_step(struct large *l, unsigned n)
{
	struct irb *b = &l->b;
	unsigned k = rnd(l, ALIVE), from = rnd(l, ALIVE);
	blkid next = ir_block(b);

	ref sum = ir_bin(b, OP_ADD, l->carried[k], l->carried[from]);
	l->carried[k] = ir_bin(b, OP_AND, sum, l->mask);
	l->expect[k] = (l->expect[k] + l->expect[from]) & INT32_MAX;
	if (n % 2)
		add_test(l, l->carried[k], l->expect[k], next);
	else
		ir_jmp(b, next);
	ir_start(b, next);
}

static struct fn *large_fn(struct arena *a, unsigned nblocks, uint64_t *expect)
{
	struct large l = { .b.fn = ir_fn_new(a, "large"), .seed = 1 };
	struct irb *b = &l.b;

	l.out = ir_block(b);
	l.mask = ir_const(b, INT32_MAX);
	for (unsigned k = 0; k < ALIVE; k++) {
		ref unknown = ir_load(b, 8, ir_mapval(b, MAP_VALUES, 64), 0);

		l.carried[k] = ir_bin(b, OP_ADD, unknown, ir_const(b, k));
		l.expect[k] = k;
	}
	for (unsigned n = 0; n < nblocks; n++) {
		if (n % 50 == 49)
			ir_call(b, HELPER_KTIME, 0);
		add_step(&l, n);
	}
	ref sum = ir_const(b, 0);
	*expect = 0;
	for (unsigned k = 0; k < ALIVE; k++) {
		sum = ir_bin(b, OP_ADD, sum, l.carried[k]);
		*expect += l.expect[k];
	}
	ir_ret(b, sum);
	ir_start(b, l.out);
	ir_ret(b, ir_const(b, -1));
	return b->fn;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void fifty_thousand_instructions_run(void **state)
{
	struct codegen_target target = test_target;
	auto_arena struct arena a = { 0 };
	uint64_t expect;
	struct fn *fn = large_fn(&a, BLOCKS, &expect);
	struct image img;

	target.isa = 4;
	double start = seconds();
	compile_fn(&a, fn, &target, &img);
	print_message("%zu IR instructions to %u in %.3f s\n", fn->ins.len, img.ninsns,
		      seconds() - start);
	assert_true(fn->ins.len > 50000);
	need_kernel((struct kernel *)*state);
	if (((struct kernel *)*state)->isa < 4)
		skip();
	assert_int_equal(run_image(*state, &img), (uint32_t)expect);
}

static void long_jumps_need_isa_4(void **state)
{
	struct codegen_target target = test_target;
	auto_arena struct arena a = { 0 };
	uint64_t expect;
	struct fn *fn = large_fn(&a, BLOCKS, &expect);
	struct err e = { 0 };
	struct image img;

	(void)state;
	assert_int_equal(codegen(&a, fn, &target, &img, &e), -E2BIG);
	assert_non_null(strstr(e.msg, "large: a jump over more than 32767"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifty_thousand_instructions_run),
		cmocka_unit_test(long_jumps_need_isa_4),
	};

	return cmocka_run_group_tests(tests, setup_kernel, teardown_kernel);
}
