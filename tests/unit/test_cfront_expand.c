/*
 * Macros with parameters, as ISO C11 6.10.3 has them; its own examples among them.
 */
#include "cfront_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The size of an array that the text declares says what an expression came to. */
static void check_value(const char *defines, const char *expression, uint32_t want)
{
	auto_loaded struct loaded l;
	auto_sb struct sb text = { 0 };

	sb_printf(&text, "%s\nstruct t { char x[%s]; };", defines, expression);
	load_c(&l, sb_str(&text), NULL);
	if (!l.ok)
		fail_msg("%s: %s", expression, l.text.dx.list.data[0]->text);
	if (cfront_find_type(l.cf, C_STRUCT, "t")->size != want)
		fail_msg("%s is %u, not %u", expression,
			 cfront_find_type(l.cf, C_STRUCT, "t")->size, want);
}

static void arguments_take_the_parameters_places(void **state)
{
	(void)state;
	check_value("#define F(x) x * 2", "F(3) + 1", 7);
	check_value("#define F(x, y) (x) - (y)", "F(9, F(5, 1))", 5);
	check_value("#define F() 6", "F()", 6);
	check_value("#define F(x) 6 x", "F()", 6);
	check_value("#define F(x) 6\n#define G F", "G(1)", 6);
	check_value(
		"#define N() 1\n#define F (N) 8 /* no parameters */\n#undef F\n#define F(x,y) "
		"y",
		"F((1, 2), 4)", 4);
}

static void tokens_are_pasted_and_made_text(void **state)
{
	(void)state;
	check_value("#define CAT(a, b) a ## b\n#define N12 7", "CAT(N, 12)", 7);
	check_value("#define CAT(a, b) a ## b", "CAT(1, 2)", 12);
	check_value("#define CAT(a, b) a ## b", "CAT(, 5) CAT(,)", 5);
	check_value("#define CAT(a, b) a##b\n#define X(a, b) CAT(a, b)\n#define ONE 1",
		    "X(ONE, ONE)", 11);
	check_value("#define CAT(a, b) a##b\n#define ONE 1\n#define ONEONE 3", "CAT(ONE, ONE)",
		    3);
	check_value("#define TEXT(x) sizeof(int) * (#x[0] ? 0 : 0) + 1\n#undef TEXT\n"
		    "#define SHIFT(op) 1 op##op 3",
		    "SHIFT(<)", 8);
}

static void the_rest_may_be_any_number(void **state)
{
	(void)state;
	check_value("#define SUM(a, ...) a + F(__VA_ARGS__)\n#define F(x, y) x * y",
		    "SUM(1, 2, 3)", 7);
	check_value("#define LIST(x...) F(0, ## x)\n#define F(a, ...) 4", "LIST()", 4);
	check_value("#define COUNT(...) C(0, ## __VA_ARGS__, 2, 1)\n#define C(a, b, c, ...) c",
		    "COUNT(9)", 2);
}

static void a_macro_is_not_replaced_in_itself(void **state)
{
	(void)state;
	check_value("#define f(x) x + 1\n#define g f", "g(g(2))", 4);
	check_value("enum { N = 3 };\n#define N N + 1", "N", 4);
	check_value("enum { a = 5 };\n#define a b\n#define b a", "a", 5);
}

static void conditions_use_them(void **state)
{
	(void)state;
	check_value("#define AT_LEAST(a, b) ((3 << 16) + 4 >= ((a) << 16) + (b))\n"
		    "#if AT_LEAST(3, 4) && !AT_LEAST(3, 5)\n#define N 2\n#else\n#define N "
		    "1\n#endif",
		    "N", 2);
	check_value("#ifdef __has_include\n#if __has_include(<stddef.h>) && "
		    "!__has_include(\"no/such.h\")\n#define N 2\n#endif\n#endif",
		    "N", 2);
	check_value("#if defined __GNUC__ && __CHAR_BIT__ == 8 && !defined __KERNEL__\n"
		    "#define N 2\n#endif",
		    "N", 2);
}

static void wrong_uses_are_told(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "#define F(x) x\nstruct a { char b[F(1, 2)]; };", "another number" },
		{ "#define F(x, y) x\nstruct a { char b[F(1)]; };", "another number" },
		{ "#define F(x) x\n#if F(1\n#endif", "do not end" },
		{ "#define F(1) x\n", "a parameter's name" },
		{ "struct a { char b; };\n_Static_assert(sizeof(struct a) == 2, \"size\");",
		  "static assertion failed: \"size\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_loaded struct loaded l;

		load_c(&l, rows[i].text, NULL);
		assert_false(l.ok);
		if (!strstr(l.text.dx.list.data[0]->text, rows[i].words))
			fail_msg("%s", l.text.dx.list.data[0]->text);
	}
}

static void growth_has_an_end(void **state)
{
	auto_loaded struct loaded l;
	auto_sb struct sb text = { 0 };

	(void)state;
	sb_puts(&text, "#define A0(x) x x x x\n");
	for (int i = 1; i < 40; i++)
		sb_printf(&text, "#define A%d(x) A%d(x x) A%d(x x)\n", i, i - 1, i - 1);
	sb_puts(&text, "struct a { char b[A39(1)]; };");
	load_c(&l, sb_str(&text), NULL);
	assert_false(l.ok);
}

static void packing_is_the_pragmas(void **state)
{
	auto_loaded struct loaded l;

	(void)state;
	load_c(&l,
	       "#pragma pack(push, 2)\nstruct a { char x; long y; };\n#pragma pack(1)\n"
	       "struct b { char x; long y; };\n#pragma pack(pop)\n"
	       "struct c { char x; long y; };\n#pragma pack(4)\nstruct d { char x; long y; };\n"
	       "#pragma pack()\nstruct e { char x; long y; };\n",
	       NULL);
	assert_true(l.ok);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "a")->size, 10);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "b")->size, 9);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "c")->size, 16);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "d")->size, 12);
	assert_int_equal(cfront_find_type(l.cf, C_STRUCT, "e")->size, 16);
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* Text that was damaged may be refused, but must be read to its end. */
static void damaged_text_is_survived(void **state)
{
	static const char good[] =
		"#include <stddef.h>\n#define F(a, b...) a ## b #a + F(1, b) \\\n 2\n"
		"#if defined(F) && __has_include(<x.h>) || (1 << 3) / 2 ? F(1) : 0\n"
		"#pragma pack(push, 4)\n#elif 1\n#endif\n"
		"typedef unsigned long word __attribute__((mode(DI), aligned(16)));\n"
		"struct s { int a : 3, : 0; union { char b[F(2)]; word (*c[3])(int, ...); };\n"
		"enum e { A = sizeof(struct s *), B = (char)300 } d[]; } __attribute__((packed));\n"
		"_Static_assert(sizeof(int) == 4, \"int\");\n";
	static const char bytes[] = "(){}[]#\\\"'\n,;*=<>/. 09azA_";
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		auto_loaded struct loaded l;
		char text[sizeof(good)];
		uint32_t n = 1 + next_random(&seed) % 6;

		memcpy(text, good, sizeof(good));
		while (n--) {
			size_t at = next_random(&seed) % (sizeof(good) - 1);

			if (next_random(&seed) % 4)
				text[at] = bytes[next_random(&seed) % (sizeof(bytes) - 1)];
			else
				memmove(text + at, text + at / 2, sizeof(good) - 1 - at);
		}
		load_c(&l, text, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_take_the_parameters_places),
		cmocka_unit_test(tokens_are_pasted_and_made_text),
		cmocka_unit_test(the_rest_may_be_any_number),
		cmocka_unit_test(a_macro_is_not_replaced_in_itself),
		cmocka_unit_test(conditions_use_them),
		cmocka_unit_test(wrong_uses_are_told),
		cmocka_unit_test(growth_has_an_end),
		cmocka_unit_test(packing_is_the_pragmas),
		cmocka_unit_test(damaged_text_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
