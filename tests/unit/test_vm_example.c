/* The example of the documentation compiles and does what it says. */
#define main example_main
#include "../../docs/vm_example.c"
#undef main

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_example_counts(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_ARRAY, 4, 8, 256 };
	int map = scry_vm_map_add(vm, &def);
	int prog = scry_vm_load(vm, PROGRAM, sizeof(PROGRAM) / 8, NULL);
	char message[] = "hello, world";
	unsigned key = 'l';
	unsigned long long n = 0;

	assert_int_equal(count(vm, prog, message), 0);
	assert_int_equal(scry_vm_map_lookup(vm, map, &key, &n), 0);
	assert_int_equal(n, 3);
	scry_vm_free(vm);
	assert_int_equal(example_main(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
