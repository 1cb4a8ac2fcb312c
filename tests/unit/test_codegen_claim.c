/* Scratch memory of programs that their own kind can preempt. */
#include "codegen_kernel.h"

enum { MISS_OFF = 8, COPIES = 4, BIG_RESULT = 7 };

/* A slot of 100 bytes, which does not fit the stack's limit. */
static const char big_slot[] = "fn \"big\" {\n"
			       "b0:\n"
			       "	v1 = slot 100\n"
			       "	v2 = const 7\n"
			       "	store64 v1, 96, v2\n"
			       "	v3 = call 8\n"
			       "	v4 = load64 v1, 96\n"
			       "	ret v4\n"
			       "}\n";

static void compile_big(struct arena *a, uint32_t copies, struct image *img)
{
	struct codegen_target target = test_target;

	target.scratch_copies = copies;
	compile_fn(a, parse_fn(a, big_slot), &target, img);
}

static uint64_t misses(struct kernel *k)
{
	static char values[VALUES_SIZE];
	uint32_t zero = 0;
	uint64_t n;
	union bpf_attr attr = { .map_fd = (uint32_t)k->maps[MAP_VALUES],
				.key = (uintptr_t)&zero,
				.value = (uintptr_t)values };

	assert_int_equal(sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr), 0);
	memcpy(&n, values + MISS_OFF, sizeof(n));
	return n;
}

/* Sets the first word of the only element, on every CPU. */
static void set_busy(struct kernel *k, uint64_t busy)
{
	enum { CPUS_MOST = 1024 };
	auto_free char *values = xcalloc(CPUS_MOST, VALUES_SIZE);
	uint32_t zero = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)k->maps[MAP_SCRATCH],
				.key = (uintptr_t)&zero,
				.value = (uintptr_t)values };

	for (unsigned i = 0; i < CPUS_MOST; i++)
		memcpy(values + (size_t)i * VALUES_SIZE, &busy, sizeof(busy));
	assert_int_equal(sys_bpf(BPF_MAP_UPDATE_ELEM, &attr), 0);
}

static void a_claimed_element_is_given_back(void **state)
{
	auto_arena struct arena a = { 0 };
	struct kernel *k = *state;
	struct image img;

	need_kernel(k);
	compile_big(&a, COPIES, &img);
	assert_int_equal(img.scratch_size, 104 + 8);
	for (int run = 0; run < 3; run++)
		assert_int_equal(run_image(k, &img), BIG_RESULT);
	assert_int_equal(misses(k), 0);
}

/* The test's map has one element, so that there is no second one to turn to. */
static void without_a_free_element_it_is_a_miss(void **state)
{
	auto_arena struct arena a = { 0 };
	struct kernel *k = *state;
	struct image img;

	need_kernel(k);
	compile_big(&a, COPIES, &img);
	set_busy(k, 1);
	assert_int_equal(run_image(k, &img), 0);
	assert_int_equal(misses(k), 1);
	set_busy(k, 0);
	assert_int_equal(run_image(k, &img), BIG_RESULT);
	assert_int_equal(misses(k), 1);
}

static void one_copy_is_nobody_elses(void **state)
{
	auto_arena struct arena a = { 0 };
	struct kernel *k = *state;
	struct image img;

	need_kernel(k);
	compile_big(&a, 1, &img);
	assert_int_equal(img.scratch_size, 104);
	set_busy(k, 1);
	assert_int_equal(run_image(k, &img), BIG_RESULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claimed_element_is_given_back),
		cmocka_unit_test(without_a_free_element_it_is_a_miss),
		cmocka_unit_test(one_copy_is_nobody_elses),
	};

	return cmocka_run_group_tests(tests, setup_kernel, teardown_kernel);
}
