#include "base/arena.h"
#include "base/auto.h"
#include "base/strmap.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void arena_memory_is_zeroed_and_aligned(void **state)
{
	auto_arena struct arena a = { 0 };

	(void)state;
	for (size_t size = 1; size < 300; size++) {
		unsigned char *p = arena_alloc(&a, size);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
}

static void arena_serves_more_than_a_chunk(void **state)
{
	auto_arena struct arena a = { 0 };
	char *big = arena_alloc(&a, 10 << 20);
	char *small = arena_strdup(&a, "small");

	(void)state;
	big[(10 << 20) - 1] = 'x';
	assert_string_equal(small, "small");
}

static void arena_reset_keeps_what_came_before_the_mark(void **state)
{
	auto_arena struct arena a = { 0 };
	char *kept = arena_strdup(&a, "kept");
	struct arena_mark m = arena_mark(&a);

	(void)state;
	for (int i = 0; i < 1000; i++)
		memset(arena_alloc(&a, 1000), 'x', 1000);
	arena_reset(&a, m);
	assert_string_equal(kept, "kept");

	unsigned char *again = arena_alloc(&a, 1000);

	for (int i = 0; i < 1000; i++)
		assert_int_equal(again[i], 0);
}

static void arena_may_be_used_after_free(void **state)
{
	auto_arena struct arena a = { 0 };

	(void)state;
	arena_strdup(&a, "gone");
	arena_free(&a);
	assert_string_equal(arena_strdup(&a, "new"), "new");
}

static void arena_text(void **state)
{
	auto_arena struct arena a = { 0 };

	(void)state;
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, "", 0), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	assert_int_equal(strlen(arena_printf(&a, "%5000s", "")), 5000);
}

static void vec_grows_on_arena_and_heap(void **state)
{
	auto_arena struct arena a = { 0 };
	VEC(int) on_arena = { 0 };
	VEC(int) on_heap = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		vec_push(&a, &on_arena, i);
		vec_push(NULL, &on_heap, -i);
	}
	assert_int_equal(on_arena.len, 1000);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(on_arena.data[i], i);
		assert_int_equal(on_heap.data[i], -i);
	}
	assert_int_equal(vec_last(&on_arena), 999);
	vec_free(&on_heap);
	assert_int_equal(on_heap.len, 0);
	assert_null(on_heap.data);
}

static void vec_each_walks_all_and_none(void **state)
{
	auto_arena struct arena a = { 0 };
	VEC(int) v = { 0 };
	int sum = 0;

	(void)state;
	vec_each(p, &v)
		sum += *p;
	assert_int_equal(sum, 0);
	for (int i = 1; i <= 4; i++)
		vec_push(&a, &v, i);
	vec_each(p, &v)
		sum += *p;
	assert_int_equal(sum, 10);
}

struct pair {
	long a, b;
};

static void vec_add_gives_a_zeroed_element(void **state)
{
	VEC(struct pair) v = { 0 };

	(void)state;
	vec_add(NULL, &v)->a = 5;
	memset(v.data, 0xff, sizeof(*v.data));
	v.len = 0;
	assert_int_equal(vec_add(NULL, &v)->a, 0);
	assert_int_equal(v.data[0].b, 0);
	vec_free(&v);
}

static void strmap_finds_what_was_set(void **state)
{
	auto_arena struct arena a = { 0 };
	struct strmap m;

	(void)state;
	strmap_init(&m, &a);
	assert_null(strmap_gets(&m, "absent"));
	for (uintptr_t i = 1; i <= 2000; i++)
		strmap_sets(&m, arena_printf(&a, "key%lu", (unsigned long)i), (void *)i);
	for (uintptr_t i = 1; i <= 2000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "key%lu", (unsigned long)i);
		assert_ptr_equal(strmap_gets(&m, key), (void *)i);
	}
	assert_null(strmap_gets(&m, "key2001"));
	assert_null(strmap_gets(&m, ""));
}

static void strmap_keys_are_bytes_of_a_length(void **state)
{
	auto_arena struct arena a = { 0 };
	struct strmap m;
	int one, two;

	(void)state;
	strmap_init(&m, &a);
	strmap_set(&m, "a\0b", 3, &one);
	strmap_set(&m, "a\0c", 3, &two);
	assert_ptr_equal(strmap_get(&m, "a\0b", 3), &one);
	assert_ptr_equal(strmap_get(&m, "a\0c", 3), &two);
	assert_null(strmap_get(&m, "a", 1));
}

static void strmap_replaces_and_keeps_order(void **state)
{
	auto_arena struct arena a = { 0 };
	struct strmap m;
	int one, two;

	(void)state;
	strmap_init(&m, &a);
	strmap_sets(&m, "z", &one);
	strmap_sets(&m, "a", &one);
	strmap_sets(&m, "z", &two);
	assert_int_equal(m.entries.len, 2);
	assert_string_equal(m.entries.data[0].key, "z");
	assert_string_equal(m.entries.data[1].key, "a");
	assert_ptr_equal(strmap_gets(&m, "z"), &two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
		cmocka_unit_test(arena_serves_more_than_a_chunk),
		cmocka_unit_test(arena_reset_keeps_what_came_before_the_mark),
		cmocka_unit_test(arena_may_be_used_after_free),
		cmocka_unit_test(arena_text),
		cmocka_unit_test(vec_grows_on_arena_and_heap),
		cmocka_unit_test(vec_each_walks_all_and_none),
		cmocka_unit_test(vec_add_gives_a_zeroed_element),
		cmocka_unit_test(strmap_finds_what_was_set),
		cmocka_unit_test(strmap_keys_are_bytes_of_a_length),
		cmocka_unit_test(strmap_replaces_and_keeps_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
