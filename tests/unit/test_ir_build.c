/*
 * What the builder makes.
 */
#include "base/auto.h"
#include "ir/dom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void prints(const struct fn *fn, struct arena *a, const char *want)
{
	auto_sb struct sb out = {};

	assert_null(ir_check(fn, a));
	ir_print(fn, &out);
	assert_string_equal(sb_str(&out), want);
}

static void zero_uses_the_widest_units(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "zero") };
	ref slot = ir_slot(&b, 32);

	(void)state;
	ir_zero(&b, slot, 3, 0);
	ir_zero(&b, slot, 6, 15);
	ir_ret(&b, slot);
	prints(b.fn, &a,
	       "fn \"zero\" {\nb0:\n"
	       "	v1 = slot 32\n"
	       "	v2 = const 0\n"
	       "	store16 v1, 6, v2\n"
	       "	store64 v1, 8, v2\n"
	       "	store32 v1, 16, v2\n"
	       "	store8 v1, 20, v2\n"
	       "	ret v1\n}\n");
}

static void long_zero_and_copy_are_calls(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "long") };
	ref slot = ir_slot(&b, 512);

	(void)state;
	ir_zero(&b, slot, 8, 65);
	ir_copy(&b, slot, 0, slot, 256, 129);
	ir_ret(&b, slot);
	prints(b.fn, &a,
	       "fn \"long\" {\nb0:\n"
	       "	v1 = slot 512\n"
	       "	v2 = const 0\n"
	       "	v3 = const 8\n"
	       "	v4 = add v1, v3\n"
	       "	v5 = const 65\n"
	       "	v6 = call 113, v4, v5, v2\n"
	       "	v7 = const 256\n"
	       "	v8 = add v1, v7\n"
	       "	v9 = const 129\n"
	       "	v10 = call 113, v1, v9, v8\n"
	       "	ret v1\n}\n");
}

static void copy_is_as_narrow_as_its_offsets(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "copy") };
	ref slot = ir_slot(&b, 32);

	(void)state;
	ir_copy(&b, slot, 0, slot, 20, 6);
	ir_ret(&b, slot);
	prints(b.fn, &a,
	       "fn \"copy\" {\nb0:\n"
	       "	v1 = slot 32\n"
	       "	v2 = load32 v1, 20\n"
	       "	store32 v1, 0, v2\n"
	       "	v4 = load16 v1, 24\n"
	       "	store16 v1, 4, v4\n"
	       "	ret v1\n}\n");
}

static void behind_a_terminator_comes_a_new_block(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "dead") };
	ref zero = ir_const(&b, 0);

	(void)state;
	assert_false(ir_ended(&b));
	ir_ret(&b, zero);
	assert_true(ir_ended(&b));
	ir_const(&b, 1);
	assert_false(ir_ended(&b));
	ir_ret(&b, zero);
	prints(b.fn, &a,
	       "fn \"dead\" {\nb0:\n	v1 = const 0\n	ret v1\n"
	       "b1:\n	v3 = const 1\n	ret v1\n}\n");
}

static void phis_go_first_and_one_target_is_a_jump(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "phi") };
	ref one = ir_const(&b, 1);
	blkid next = ir_block(&b);

	(void)state;
	ir_br(&b, one, next, next);
	ir_start(&b, next);
	ir_bin(&b, OP_ADD, one, one);
	ref first = ir_phi(&b, 1, &one);
	ir_ret(&b, ir_bin(&b, OP_ADD, first, ir_phi(&b, 1, &one)));
	prints(b.fn, &a,
	       "fn \"phi\" {\nb0:\n	v1 = const 1\n	jmp b1\n"
	       "b1:  ; preds b0\n"
	       "	v4 = phi b0 v1\n"
	       "	v5 = phi b0 v1\n"
	       "	v3 = add v1, v1\n"
	       "	v6 = add v4, v5\n"
	       "	ret v6\n}\n");
}

static void replace_changes_all_uses(void **state)
{
	auto_arena struct arena a = {};
	struct irb b = { .fn = ir_fn_new(&a, "replace") };
	ref x = ir_const(&b, 1), y = ir_const(&b, 2);

	(void)state;
	ref call = ir_call(&b, 200, 2, x, y);
	ir_ret(&b, ir_bin(&b, OP_ADD, x, call));
	ir_replace(b.fn, x, y);
	prints(b.fn, &a,
	       "fn \"replace\" {\nb0:\n	v1 = const 1\n	v2 = const 2\n"
	       "	v3 = call 200, v2, v2\n	v4 = add v2, v3\n	ret v4\n}\n");
}

/* ---- dominators against their definition ---- */

enum { GRAPHS = 500, BLOCKS = 12 };

/* A graph of random jumps, returns and branches. */
static struct fn *random_graph(struct arena *a, uint32_t seed)
{
	struct irb b = { .fn = ir_fn_new(a, "graph") };
	ref one = ir_const(&b, 1);

	for (int k = 1; k < BLOCKS; k++)
		ir_block(&b);
	for (blkid k = 0; k < BLOCKS; k++) {
		uint32_t x = (seed = seed * 1103515245 + 12345) >> 8;
		blkid yes = 1 + x % (BLOCKS - 1), no = 1 + x / BLOCKS % (BLOCKS - 1);

		ir_start(&b, k);
		if (x % 7 == 0)
			ir_ret(&b, one);
		else
			ir_br(&b, one, yes, no);
	}
	return b.fn;
}

/* Marks what the entry leads to without going through `without`. */
static void reach(const struct fn *fn, blkid b, blkid without, bool *seen)
{
	blkid succ[2];
	unsigned n = ir_succs(fn, b, succ);

	if (b == without || seen[b])
		return;
	seen[b] = true;
	for (unsigned k = 0; k < n; k++)
		reach(fn, succ[k], without, seen);
}

static bool in_frontier(const struct frontiers *f, blkid x, blkid y)
{
	for (uint32_t k = f->first[x]; k < f->first[x + 1]; k++)
		if (f->blks[k] == y)
			return true;
	return false;
}

/* y is where x's dominance ends: x dominates a predecessor of it, but not strictly y itself. */
static bool is_frontier(const struct fn *fn, const struct dom *d, blkid x, blkid y)
{
	vec_each(p, &fn->blks.data[y].preds)
		if (dom_reachable(d, *p) && dom_dominates(d, x, *p))
			return x == y || !dom_dominates(d, x, y);
	return false;
}

static void dominators_are_what_every_path_passes(void **state)
{
	(void)state;
	for (uint32_t g = 0; g < GRAPHS; g++) {
		auto_arena struct arena a = {};
		struct fn *fn = random_graph(&a, g);
		struct dom d;
		struct frontiers f;
		bool reachable[BLOCKS] = {};

		dom_build(&d, fn, &a);
		dom_frontiers(&f, &d, fn, &a);
		reach(fn, 0, BLOCKS, reachable);
		for (blkid x = 0; x < BLOCKS; x++) {
			bool around[BLOCKS] = {};

			assert_int_equal(dom_reachable(&d, x), reachable[x]);
			reach(fn, 0, x, around);
			for (blkid y = 0; reachable[x] && y < BLOCKS; y++) {
				if (!reachable[y])
					continue;
				assert_int_equal(dom_dominates(&d, x, y), !around[y]);
				assert_int_equal(in_frontier(&f, x, y),
						 is_frontier(fn, &d, x, y));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_uses_the_widest_units),
		cmocka_unit_test(long_zero_and_copy_are_calls),
		cmocka_unit_test(copy_is_as_narrow_as_its_offsets),
		cmocka_unit_test(behind_a_terminator_comes_a_new_block),
		cmocka_unit_test(phis_go_first_and_one_target_is_a_jump),
		cmocka_unit_test(replace_changes_all_uses),
		cmocka_unit_test(dominators_are_what_every_path_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
