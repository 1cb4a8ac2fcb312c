#include "types/agg.h"
#include "types/type.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct typetab tt;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	typetab_init(&f->tt, &f->arena);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->arena);
	free(f);
	return 0;
}

static void assert_prints(struct fixture *f, const struct type *t, const char *text)
{
	assert_string_equal(type_str(&f->arena, t), text);
}

static void test_integers_are_made_once(void **state)
{
	struct fixture *f = *state;
	const struct type *i32 = type_int(&f->tt, 4, true);

	assert_int_equal(i32->size, 4);
	assert_true(i32->is_signed);
	assert_ptr_equal(i32, type_int(&f->tt, 4, true));
	assert_ptr_not_equal(i32, type_int(&f->tt, 4, false));
	assert_prints(f, i32, "int32");
	assert_prints(f, type_int(&f->tt, 8, false), "uint64");
	assert_true(type_char(&f->tt, true)->is_char);
	assert_false(type_int(&f->tt, 1, true)->is_char);
}

static void test_a_literal_takes_the_smallest_signed_type(void **state)
{
	static const struct {
		int64_t v;
		uint32_t size;
	} cases[] = {
		{ 0, 1 },	  { 127, 1 },	     { 128, 2 },       { -128, 1 },
		{ -129, 2 },	  { 32767, 2 },	     { 32768, 4 },     { INT32_MAX, 4 },
		{ INT32_MIN, 4 }, { 2147483648, 8 }, { INT64_MAX, 8 }, { INT64_MIN, 8 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct type *t = type_literal(&f->tt, cases[i].v, false);

		assert_int_equal(t->size, cases[i].size);
		assert_true(t->is_signed);
		assert_int_equal(t->flexible, cases[i].v >= 0);
	}
	assert_prints(f, type_literal(&f->tt, -1, true), "uint64");
	assert_false(type_int(&f->tt, 1, true)->flexible);
}

static void test_a_tuple_is_laid_out_as_a_struct(void **state)
{
	struct fixture *f = *state;
	const struct type *parts[] = {
		type_int(&f->tt, 1, true), type_int(&f->tt, 8, false), type_string(&f->tt, 5),
		type_int(&f->tt, 4, true), type_buffer(&f->tt, 3),     &type_mac,
	};
	static const uint32_t offsets[] = { 0, 8, 16, 24, 28, 35 };
	const struct type *t = type_tuple(&f->tt, parts, 6);
	uint32_t n;
	const struct field *fields = type_fields(&f->tt, t, &n);

	assert_int_equal(n, 6);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(fields[i].bit_off, offsets[i] * 8);
	assert_int_equal(t->size, 48);
	assert_int_equal(t->align, 8);
	assert_prints(f, t, "(int8,uint64,string[5],int32,buffer[3],mac_address)");
	assert_int_equal(type_tuple(&f->tt, NULL, 0)->size, 0);
}

static void test_a_record_has_names(void **state)
{
	struct fixture *f = *state;
	const struct type *parts[] = { type_int(&f->tt, 4, true), type_string(&f->tt, 16) };
	const char *names[] = { "pid", "comm" }, *others[] = { "pid", "name" };
	const struct type *t = type_record(&f->tt, names, parts, 2);
	struct field m;

	assert_prints(f, t, "record { .pid = int32, .comm = string[16] }");
	assert_true(type_member(&f->tt, t, "comm", &m));
	assert_int_equal(m.bit_off, 32);
	assert_false(type_member(&f->tt, t, "tgid", &m));
	assert_false(type_member(&f->tt, t, "", &m));
	assert_true(type_same(t, type_record(&f->tt, names, parts, 2)));
	assert_false(type_same(t, type_record(&f->tt, others, parts, 2)));
}

static void test_names_of_types(void **state)
{
	struct fixture *f = *state;
	const struct type *i = type_int(&f->tt, 4, true);
	const struct type *s = type_struct_named(&f->tt, "no_such_thing", false);
	const struct type *p = type_ptr(&f->tt, s, AS_KERNEL);

	assert_prints(f, p, "struct no_such_thing *");
	assert_prints(f, type_ptr(&f->tt, p, AS_KERNEL), "struct no_such_thing **");
	assert_prints(f, type_ptr(&f->tt, &type_void, AS_NONE), "void *");
	assert_prints(f, type_struct_named(&f->tt, "u", true), "union u");
	assert_prints(f, type_array(&f->tt, type_array(&f->tt, i, 3), 2), "int32[2][3]");
	assert_prints(f, type_array(&f->tt, p, 4), "struct no_such_thing *[4]");
	assert_prints(f, type_agg(&f->tt, T_SUM, true), "sum_t");
	assert_prints(f, type_agg(&f->tt, T_STATS, false), "ustats_t");
	assert_prints(f, type_agg(&f->tt, T_COUNT, false), "count_t");
	assert_prints(f, &type_none, "none");
	assert_prints(f, &type_bool, "bool");
	assert_prints(f, type_stack(&f->tt, T_USTACK, STACK_PERF, 3), "ustack(perf, 3)");
	for (int kind = T_KSYM; kind < T_KINDS; kind++) {
		struct type t = { .kind = kind };

		assert_true(type_str(&f->arena, &t)[0]);
	}
}

static void test_sizes_in_memory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(type_buffer(&f->tt, 64)->size, 68);
	assert_int_equal(type_stack(&f->tt, T_KSTACK, STACK_SCRY, 127)->size, 8 + 127 * 8);
	assert_int_equal(type_agg(&f->tt, T_COUNT, true)->size, 16);
	assert_int_equal(type_agg(&f->tt, T_STATS, true)->size, 24);
	assert_int_equal(type_hist(&f->tt, true, 0)->size, 66 * 8);
	assert_int_equal(type_lhist(&f->tt, true, 0, 10, 5)->size, 5 * 8);
	assert_int_equal(type_inet.size, 24);
	assert_int_equal(type_array(&f->tt, type_int(&f->tt, 2, true), 7)->size, 14);
	/* Too large for 32 bits. */
	assert_int_equal(type_array(&f->tt, type_int(&f->tt, 8, true), 1u << 30)->nelems, 0);
}

static void test_equality_is_of_structure(void **state)
{
	struct fixture *f = *state;
	const struct type *i8 = type_int(&f->tt, 1, true), *i64 = type_int(&f->tt, 8, true);
	const struct type *a[] = { i8, i64 }, *b[] = { i8, i8 };
	const struct type *s = type_struct_named(&f->tt, "s", false);

	assert_true(type_same(type_tuple(&f->tt, a, 2), type_tuple(&f->tt, a, 2)));
	assert_false(type_same(type_tuple(&f->tt, a, 2), type_tuple(&f->tt, b, 2)));
	assert_false(type_same(type_tuple(&f->tt, a, 2), type_tuple(&f->tt, a, 1)));
	assert_true(type_same(&type_error, i8));
	assert_true(type_same(i8, &type_error));
	assert_false(type_same(i8, type_int(&f->tt, 1, false)));
	assert_true(type_same(i8, type_literal(&f->tt, 5, false)));
	assert_false(type_same(type_string(&f->tt, 5), type_string(&f->tt, 6)));
	assert_true(type_same(type_ptr(&f->tt, s, AS_USER), type_ptr(&f->tt, s, AS_KERNEL)));
	assert_false(type_same(type_ptr(&f->tt, s, AS_USER), type_ptr(&f->tt, i8, AS_USER)));
	assert_false(type_same(s, type_struct_named(&f->tt, "s", true)));
	assert_false(type_same(s, type_struct_named(&f->tt, "t", false)));
	assert_false(type_same(type_agg(&f->tt, T_SUM, true), type_agg(&f->tt, T_SUM, false)));
	assert_false(type_same(type_agg(&f->tt, T_SUM, true), type_agg(&f->tt, T_AVG, true)));
	assert_true(type_same(type_hist(&f->tt, true, 2), type_hist(&f->tt, true, 2)));
	assert_false(type_same(type_hist(&f->tt, true, 2), type_hist(&f->tt, true, 3)));
	assert_false(type_same(type_lhist(&f->tt, true, 0, 10, 5),
			       type_lhist(&f->tt, true, 0, 10, 2)));
	assert_false(type_same(type_stack(&f->tt, T_KSTACK, STACK_SCRY, 3),
			       type_stack(&f->tt, T_KSTACK, STACK_PERF, 3)));
}

static void test_a_space_makes_another_view(void **state)
{
	struct fixture *f = *state;
	const struct type *i = type_int(&f->tt, 4, true);
	const struct type *p = type_ptr(&f->tt, i, AS_NONE);
	const struct type *user = type_in_space(&f->tt, p, AS_USER);

	assert_int_equal(user->as, AS_USER);
	assert_ptr_equal(user->elem, i);
	assert_int_equal(p->as, AS_NONE);
	assert_ptr_equal(type_in_space(&f->tt, user, AS_USER), user);
	assert_ptr_equal(type_in_space(&f->tt, i, AS_USER), i);
}

static void test_classes(void **state)
{
	struct fixture *f = *state;

	assert_true(type_is_scalar(&type_ksym));
	assert_true(type_is_scalar(&type_bool));
	assert_true(type_is_scalar(type_ptr(&f->tt, &type_void, AS_NONE)));
	assert_false(type_is_scalar(&type_usym));
	assert_false(type_is_scalar(type_string(&f->tt, 8)));
	assert_true(type_is_integral(&type_bool));
	assert_false(type_is_integral(&type_ksym));
	assert_true(type_is_castable_agg(type_agg(&f->tt, T_AVG, true)));
	assert_false(type_is_castable_agg(type_agg(&f->tt, T_STATS, true)));
	assert_true(type_is_agg(type_hist(&f->tt, true, 0)));
	assert_false(type_is_agg(&type_bool));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_integers_are_made_once),
		TEST(test_a_literal_takes_the_smallest_signed_type),
		TEST(test_a_tuple_is_laid_out_as_a_struct),
		TEST(test_a_record_has_names),
		TEST(test_names_of_types),
		TEST(test_sizes_in_memory),
		TEST(test_equality_is_of_structure),
		TEST(test_a_space_makes_another_view),
		TEST(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
