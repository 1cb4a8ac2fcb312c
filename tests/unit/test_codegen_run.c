#include "codegen_kernel.h"

static void returns_a_constant(void **state)
{
	need_kernel((struct kernel *)*state);
	assert_int_equal(run_text(*state, "fn \"t\" {\nb0:\n\tv1 = const 42\n\tret v1\n}\n"),
			 42);
}

static void counts_in_a_loop(void **state)
{
	need_kernel((struct kernel *)*state);
	assert_int_equal(run_text(*state, "fn \"t\" {\n"
					  "b0:\n"
					  "	v1 = const 0\n"
					  "	v2 = const 1\n"
					  "	v3 = const 10\n"
					  "	jmp b1\n"
					  "b1:\n"
					  "	v4 = phi b0 v1, b2 v6\n"
					  "	v5 = phi b0 v1, b2 v7\n"
					  "	v8 = ult v4, v3\n"
					  "	br v8, b2, b3\n"
					  "b2:\n"
					  "	v6 = add v4, v2\n"
					  "	v7 = add v5, v4\n"
					  "	jmp b1\n"
					  "b3:\n"
					  "	ret v5\n"
					  "}\n"),
			 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(returns_a_constant),
		cmocka_unit_test(counts_in_a_loop),
	};

	return cmocka_run_group_tests(tests, setup_kernel, teardown_kernel);
}
