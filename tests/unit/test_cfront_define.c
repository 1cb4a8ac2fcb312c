#include "cfront_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Whether the last branch that counts defines WANT. */
static bool holds(const char *condition)
{
	auto_loaded struct loaded l;
	auto_sb struct sb text = { 0 };

	sb_printf(&text,
		  "#define ONE 1\n#define EMPTY\n#define F(x) x\n%s\n#define WANT\n#endif\n",
		  condition);
	load_c(&l, sb_str(&text), NULL);
	if (!l.ok)
		fail_msg("%s: %s", condition, l.text.dx.list.data[0]->text);
	return cfront_find_macro(l.cf, "WANT") != NULL;
}

static void conditions_are_evaluated(void **state)
{
	static const char *const yes[] = {
		"#if 1",
		"#ifdef ONE",
		"#ifdef EMPTY",
		"#ifndef NONE",
		"#if defined ONE && defined(EMPTY) && !defined NONE",
		"#if PREDEFINED == 1",
		"#if ONE + 1 == 2 && 7 / 2 * 2 + 7 % 2 == 7",
		"#if -1 < 0 && -1 > 0u",
		"#if (1 ? 2 : 0) == 2 && (0 ? 1 / 0 : 3) == 3",
		"#if 1 || 1 / 0",
		"#if !(0 && 1 / 0)",
		"#if ~0 == -1 && (5 & 3 | 4 ^ 1) == 5 && 1 << 4 >> 2 == 4",
		"#if 'A' == 65 && '\\n' == 10 && '\\x41' == 'A' && '\\101' == 'A'",
		"#if 0x10 == 16 && 010 == 8 && 1ULL == 1 && 10L == 10",
		"#if -9223372036854775807 - 1 < 0 && -8 >> 1 == -4",
		"#\n#// nothing\n# /* to\nsay */\n#if 1",
		"#if 1 // a comment\n#if /* in */ 1 /* between */\n#endif",
		"#if 0\n#elif 0\n#elif 1",
		"#if 0\n#else",
		"#if 0\n#if 1\n#else\n#endif\n#else",
		"#  if 1 \\\n && 1",
	};
	static const char *const no[] = {
		"#if 0",
		"#ifdef NONE",
		"#ifndef ONE",
		"#if NONE",
		"#if UNKNOWN == 1",
		"#if 1\n#elif 1",
		"#if 1\n#else",
		"#if 0\n#error no\n#include nonsense '\n#endif\n#if 0",
		"#undef ONE\n#ifdef ONE",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (!holds(yes[i]))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (holds(no[i]))
			fail_msg("%s", no[i]);
}

static void a_macro_keeps_its_text_and_place(void **state)
{
	static const char text[] = "#define A\n#  define B ( 1 /* one */ + A ) // rest\n"
				   "#define F(x) ((x) + 1)\n#define C \\\n 'x'\n#define B2 B\n";
	auto_loaded struct loaded l;

	(void)state;
	load_c(&l, text, NULL);
	assert_true(l.ok);
	assert_int_equal(cfront_find_macro(l.cf, "A")->text.len, 0);

	const struct c_macro *b = cfront_find_macro(l.cf, "B");
	assert_string_equal(b->text.text, "( 1 /* one */ + A )");
	assert_int_equal(b->text.base - l.text.source->base, strstr(text, "( 1") - text);
	assert_false(b->function_like);
	assert_true(cfront_find_macro(l.cf, "F")->function_like);
	assert_string_equal(cfront_find_macro(l.cf, "F")->text.text, "((x) + 1)");
	assert_string_equal(cfront_find_macro(l.cf, "C")->text.text, "'x'");
	assert_string_equal(cfront_find_macro(l.cf, "B2")->text.text, "B");
	assert_null(cfront_find_macro(l.cf, "x"));

	struct span span = b->text.len ? parse_expr_text(&l.text.arena, NULL, &b->text)->a->span
				       : (struct span){ 0 };
	assert_string_equal(source_text(&l.text.sources, &l.text.arena, span), "1");
}

static void definitions_see_the_macros_before_them(void **state)
{
	auto_loaded struct loaded l;
	int64_t v;

	(void)state;
	load_c(&l,
	       "#define N 4\n#define M N * 2\n#define SELF SELF\n#define TYPE unsigned char\n"
	       "struct a { TYPE x[M]; };\n#undef N\n#define N 5\n"
	       "struct b { TYPE x[M];\n#if N == 5\n int y;\n#else\n long z;\n#endif\n};\n"
	       "enum { A = N, B, SELF = 7, C = SELF };",
	       NULL);
	assert_true(l.ok);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "a")->size, 8);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "b")->size, 16);
	assert_true(cfront_find_const(l.cf, "B", &v, NULL));
	assert_int_equal(v, 6);
	assert_true(cfront_find_const(l.cf, "C", &v, NULL));
	assert_int_equal(v, 7);
}

static void includes_that_count_are_listed(void **state)
{
	auto_loaded struct loaded l;

	(void)state;
	load_c(&l,
	       "#include <linux/fs.h>\n#ifdef NONE\n#include <no.h>\n#else\n"
	       "#include \"my own.h\" // why\n#endif",
	       NULL);
	const struct c_includes *inc = cfront_includes(l.cf);

	assert_true(l.ok);
	assert_int_equal(inc->len, 2);
	assert_string_equal(inc->data[0].path, "linux/fs.h");
	assert_true(inc->data[0].system);
	assert_string_equal(inc->data[1].path, "my own.h");
	assert_false(inc->data[1].system);
}

static void enums_have_the_size_that_holds_them(void **state)
{
	static const struct {
		const char *text;
		uint32_t size;
		bool is_signed;
	} rows[] = {
		{ "enum e { A, B = 4000000000 };", 4, false },
		{ "enum e { A = -1, B };", 4, true },
		{ "enum e { A = -1, B = 4000000000 };", 8, true },
		{ "enum e { A = 1 << 40 };", 8, false },
		{ "enum e { A = 200 } __attribute__((packed));", 1, false },
		{ "enum e { A = -200, } __attribute__((packed));", 2, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_loaded struct loaded l;

		load_c(&l, rows[i].text, NULL);
		assert_true(l.ok);
		const struct type *t = cfront_find_type(l.cf, C_ENUM, "e");
		assert_int_equal(t->size, rows[i].size);
		assert_int_equal(t->is_signed, rows[i].is_signed);
	}
}

static void typedefs_name_any_type(void **state)
{
	auto_loaded struct loaded l;

	(void)state;
	load_c(&l,
	       "typedef struct { int x; } point, *point_p;\ntypedef int pair[2];\n"
	       "typedef long (*fn_t)(int);\nstruct s { point a; point_p b; pair c; fn_t d; };",
	       NULL);
	assert_true(l.ok);
	assert_int_equal(cfront_find_type(l.cf, C_PLAIN, "point")->size, 4);
	assert_int_equal(cfront_find_type(l.cf, C_PLAIN, "point_p")->kind, T_PTR);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "s")->size, 32);
	assert_null(cfront_find_type(l.cf, C_PLAIN, "s"));
	assert_null(cfront_find_type(l.cf, C_UNION, "s"));
}

static void a_mentioned_struct_is_the_one_defined_later(void **state)
{
	auto_loaded struct loaded l;
	struct field f;

	(void)state;
	load_c(&l, "struct a { struct b *p; char __user *q; }; struct b { struct a x; };",
	       NULL);
	assert_true(l.ok);
	const struct type *a = cfront_find_type(l.cf, C_STRUCT, "a");
	const struct type *b = cfront_find_type(l.cf, C_STRUCT, "b");
	assert_true(type_member(&l.types, a, "p", &f));
	assert_ptr_equal(f.type->elem, b);
	assert_int_equal(b->size, 16);
	assert_true(type_member(&l.types, a, "q", &f));
	assert_true(f.is_user && f.type->as == AS_USER);
}

/* What a caller with a kernel at hand would know. */
static const struct type *known_type(void *arg, enum c_tag tag, const char *name)
{
	struct typetab *tt = arg;

	if (tag == C_PLAIN && !strcmp(name, "special_t"))
		return type_int(tt, 2, false);
	return NULL;
}

static bool known_const(void *arg, const char *name, int64_t *value)
{
	(void)arg;
	*value = 3;
	return !strcmp(name, "KNOWN");
}

static void what_the_script_lacks_is_asked(void **state)
{
	struct typetab other;
	auto_loaded struct loaded l;
	struct arena a = { 0 };
	const struct cfront_env env = { .find_type = known_type,
					.find_const = known_const,
					.arg = &other };

	(void)state;
	typetab_init(&other, &a);
	load_c(&l, "struct s { special_t x[KNOWN]; };", &env);
	assert_true(l.ok);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "s")->size, 6);
	assert_null(cfront_find_type(l.cf, C_PLAIN, "special_t"));
	arena_free(&a);
}

static void macros_that_grow_without_end_are_refused(void **state)
{
	auto_loaded struct loaded l;
	auto_sb struct sb text = { 0 };

	(void)state;
	for (int i = 0; i < 90; i++)
		sb_printf(&text, "#define M%d M%d M%d\n", i, i + 1, i + 1);
	sb_puts(&text, "#define M90\nstruct a { int x; M0 };\n");
	load_c(&l, sb_str(&text), NULL);
	assert_false(l.ok);
	assert_int_equal(l.text.dx.list.data[0]->code, E0011_DIRECTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_are_evaluated),
		cmocka_unit_test(a_macro_keeps_its_text_and_place),
		cmocka_unit_test(definitions_see_the_macros_before_them),
		cmocka_unit_test(includes_that_count_are_listed),
		cmocka_unit_test(enums_have_the_size_that_holds_them),
		cmocka_unit_test(typedefs_name_any_type),
		cmocka_unit_test(a_mentioned_struct_is_the_one_defined_later),
		cmocka_unit_test(what_the_script_lacks_is_asked),
		cmocka_unit_test(macros_that_grow_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
