/*
 * Patterns: the tables answer what the C library's regexec() answers, and what is wrong with a
 * pattern is said with its place.
 */
#include "script/regex.h"

#include "base/auto.h"
#include "base/sb.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bool compiles(struct arena *a, const char *pattern, enum pattern_kind kind,
		     struct dfa *d)
{
	struct regex_error err = {};

	return regex_compile(a, pattern, strlen(pattern), kind, d, &err);
}

static void assert_matches(enum pattern_kind kind, const char *pattern, const char *text,
			   bool want)
{
	auto_arena struct arena a = {};
	struct dfa d;

	if (!compiles(&a, pattern, kind, &d))
		fail_msg("%s does not compile", pattern);
	if (dfa_matches(&d, text, strlen(text)) != want)
		fail_msg("%s on %s: not %d", pattern, text, want);
}

enum { DEPTH = 2 }; /* of groups in a random pattern */

struct random {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood, 2014). */
static unsigned below(struct random *r, unsigned n)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (unsigned)((z ^ (z >> 31)) % n);
}

static void put_alternatives(struct random *r, struct sb *out, int depth);

static void put_atom(struct random *r, struct sb *out, int depth)
{
	static const char *const plain[] = {
		"a",   "b",    "c",   ".",     "[ab]",	       "[^a]",
		"\\w", "[b-]", "\\.", "[]c]",  "[[:digit:]b]", "1",
		" ",   "_",    "\\W", "[a-c1]"
	};
	static const char *const places[] = { "^", "$", "\\b", "\\B" };

	if (depth > 0 && !below(r, 3)) {
		sb_putc(out, '(');
		put_alternatives(r, out, depth - 1);
		sb_putc(out, ')');
	} else if (depth == DEPTH && !below(r, 8)) { /* glibc errs in groups that repeat */
		sb_puts(out, places[below(r, 4)]);
		return;
	} else {
		sb_puts(out, plain[below(r, sizeof(plain) / sizeof(*plain))]);
	}
	switch (below(r, 8)) {
	case 0: sb_putc(out, '*'); break;
	case 1: sb_putc(out, '+'); break;
	case 2: sb_putc(out, '?'); break;
	case 3: sb_printf(out, "{%u}", below(r, 3)); break;
	case 4: sb_printf(out, "{%u,}", below(r, 3)); break;
	case 5: sb_printf(out, "{%u,%u}", below(r, 2), 1 + below(r, 3)); break;
	}
}

static void put_alternatives(struct random *r, struct sb *out, int depth)
{
	do {
		for (unsigned n = 1 + below(r, 4); n; n--)
			put_atom(r, out, depth);
	} while (!below(r, 4) && (sb_putc(out, '|'), true));
}

static void random_text(struct random *r, char *text, unsigned max)
{
	unsigned n = below(r, max);

	for (unsigned i = 0; i < n; i++)
		text[i] = "aaabbbcc1_ .-\xe9"[below(r, 14)];
	text[n] = '\0';
}

static void test_random_patterns_answer_as_regexec(void **state)
{
	struct random r = { 20261121 };
	unsigned found = 0, absent = 0;

	(void)state;
	for (int i = 0; i < 6000; i++) {
		auto_arena struct arena a = {};
		auto_sb struct sb pattern = {};
		struct dfa d;
		regex_t re;

		put_alternatives(&r, &pattern, DEPTH);
		if (regcomp(&re, sb_str(&pattern), REG_EXTENDED | REG_NOSUB))
			fail_msg("regcomp refuses %s", sb_str(&pattern));
		struct regex_error err = {};
		if (!regex_compile(&a, sb_str(&pattern), pattern.len, PATTERN_REGEX, &d,
				   &err)) {
			if (!err.too_large)
				fail_msg("%s: %s", sb_str(&pattern), err.why);
			regfree(&re);
			continue;
		}
		for (int k = 0; k < 25; k++) {
			char text[24];

			random_text(&r, text, sizeof(text));
			bool want = !regexec(&re, text, 0, NULL, 0);
			if (dfa_matches(&d, text, sizeof(text)) != want)
				fail_msg("pattern %s, text \"%s\": regexec says %d",
					 sb_str(&pattern), text, want);
			found += want;
			absent += !want;
		}
		regfree(&re);
	}
	/* Neither answer is rare. */
	assert_true(found > 10000);
	assert_true(absent > 10000);
}

static void test_what_perl_has(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "", "", true },
		{ "", "x", true },
		{ "^$", "", true },
		{ "^$", "x", false },
		{ "a|", "x", true },
		{ "^nginx", "nginx: worker", true },
		{ "^nginx", "an nginx", false },
		{ "(?i)^NGinX$", "nGINx", true },
		{ "(?i)[a-f]{4}", "xDEADx", true },
		{ "(?i)[^a]b", "Ab", false },
		{ "\\d{3}-\\d+?", "call 555-1", true },
		{ "\\D", "0123", false },
		{ "\\s\\S", "a b", true },
		{ "(?:ab)+?c", "ababc", true },
		{ "\\Aab\\z", "ab", true },
		{ "\\Aab\\z", "ab ", false },
		{ "\\bcat\\b", "a cat.", true },
		{ "\\bcat\\b", "concat", false },
		{ "\\x41\\t", "A\t", true },
		{ "a]b}", "a]b}", true },
		{ "\\.so(\\.\\d+)*$", "libc.so.6", true },
		{ "\\.so(\\.\\d+)*$", "libc.so.x", false },
		{ "^\xc3\xa9{2}$", "\xc3\xa9\xc3\xa9", true },
		{ "^\xc3\xa9{2}$", "\xc3\xa9\xa9", false },
		{ "[[:upper:]][[:lower:]]", "xYz", true },
		{ "a{0}b", "b", true },
		{ "^(a{2}){2}$", "aaaa", true },
		{ "^(a{2}){2}$", "aaa", false },
		{ "a.b", "a\nb", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_matches(PATTERN_REGEX, rows[i].pattern, rows[i].text, rows[i].want);
}

static void test_globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "", "", true },
		{ "", "x", false },
		{ "*", "", true },
		{ "*", "any thing", true },
		{ "nginx*", "nginx: x", true },
		{ "nginx*", "xnginx", false },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "[a-c]x", "bx", true },
		{ "[!a-c]x", "bx", false },
		{ "[^a-c]x", "dx", true },
		{ "*.so.*", "libc.so.6", true },
		{ "a.c", "abc", false },
		{ "a\\*", "a*", true },
		{ "a\\*", "ab", false },
		{ "(a|b)+$", "(a|b)+$", true },
		{ "*/*/b", "/a/b", true },
		{ "[]]", "]", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_matches(PATTERN_GLOB, rows[i].pattern, rows[i].text, rows[i].want);
}

static void test_mistakes_have_their_place(void **state)
{
	static const struct {
		const char *pattern;
		size_t off, len;
		const char *why;
	} rows[] = {
		{ "ab(cd", 2, 1, "( has no )" },
		{ "ab)cd", 2, 1, ") has no (" },
		{ "x[a-", 1, 1, "[ has no ]" },
		{ "x[z-a]", 2, 3, "a range goes from low to high" },
		{ "x[[:alfa:]]", 2, 8, "there is no such class" },
		{ "x[\xc3\xa9]", 2, 1,
		  "a class holds bytes, not longer characters; write alternatives (a|b)" },
		{ "*a", 0, 1, "there is nothing to repeat" },
		{ "a|+", 2, 1, "there is nothing to repeat" },
		{ "a**", 2, 1, "this is repeated already" },
		{ "a*+", 2, 1, "possessive repetition is not supported" },
		{ "^*", 1, 1, "a place cannot be repeated" },
		{ "a{3,2}", 1, 5, "a range goes from low to high" },
		{ "a{x}", 1, 1, "it is {m}, {m,} or {m,n}; the sign itself is \\{" },
		{ "a{1001}", 2, 4, "nothing is repeated more than 1000 times" },
		{ "{", 0, 1, "there is nothing to repeat; the sign itself is \\{" },
		{ "(a)\\1", 3, 2, "back references are not supported" },
		{ "a(?=b)", 1, 3, "lookaround is not supported" },
		{ "a(?<!b)", 1, 4, "lookaround is not supported" },
		{ "(?P<n>a)", 0, 3,
		  "only (?: ) is supported, and (?i) where the pattern begins" },
		{ "a\\", 1, 1, "nothing stands behind the \\" },
		{ "a\\y", 1, 2, "there is no such escape" },
		{ "a\\x0g", 1, 3, "a text has no byte 0" },
		{ "\\xg", 0, 2, "\\x wants two digits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_arena struct arena a = {};
		struct regex_error err = {};
		struct dfa d;

		if (regex_compile(&a, rows[i].pattern, strlen(rows[i].pattern), PATTERN_REGEX,
				  &d, &err))
			fail_msg("%s compiles", rows[i].pattern);
		assert_string_equal(err.why, rows[i].why);
		assert_int_equal(err.off, rows[i].off);
		assert_int_equal(err.len, rows[i].len);
	}
}

/* Two final states and what the pattern needs at least. */
static void test_tables_are_least(void **state)
{
	static const struct {
		const char *pattern;
		unsigned states;
	} rows[] = {
		{ "^nginx", 7 },  { "nginx", 7 }, { "^(a|b|c)$", 4 }, { "^(ab|ab|a(b|b))", 4 },
		{ "a.{3}b", 18 }, { "x*", 2 },	  { "[^\\w\\W]", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_arena struct arena a = {};
		struct dfa d;

		assert_true(compiles(&a, rows[i].pattern, PATTERN_REGEX, &d));
		assert_int_equal(d.nstates, rows[i].states);
	}
}

static void test_too_large_is_said(void **state)
{
	static const char *const patterns[] = { "a.{12}b", "((a{100}){100}){100}",
						"(.*a){12}.{20}b", "^.{1000}.{1000}b" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		auto_arena struct arena a = {};
		struct regex_error err = {};
		struct dfa d;

		assert_false(regex_compile(&a, patterns[i], strlen(patterns[i]), PATTERN_REGEX,
					   &d, &err));
		assert_true(err.too_large);
	}
	auto_arena struct arena a = {};
	struct dfa d;
	assert_true(compiles(&a, "^.{1000}b", PATTERN_REGEX, &d));
	assert_int_equal(d.nstates, 1003);
}

static void test_any_bytes_are_a_pattern_or_a_mistake(void **state)
{
	static const char signs[] = "()[]{}|*+?.^$\\-,:=!<01axb\xc3\xa9\n";
	struct random r = { 7 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		auto_arena struct arena a = {};
		struct regex_error err = {};
		char pattern[16];
		struct dfa d;
		size_t n = below(&r, sizeof(pattern));

		for (size_t k = 0; k < n; k++)
			pattern[k] = below(&r, 8) ? signs[below(&r, sizeof(signs))]
						  : (char)below(&r, 256);
		bool ok = regex_compile(&a, pattern, n, i & 1 ? PATTERN_GLOB : PATTERN_REGEX,
					&d, &err);
		if (ok)
			assert_in_range(d.nstates, 2, DFA_STATES_MAX);
		else
			assert_true(err.too_large || (err.why && err.off + err.len <= n + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_patterns_answer_as_regexec),
		cmocka_unit_test(test_what_perl_has),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_mistakes_have_their_place),
		cmocka_unit_test(test_tables_are_least),
		cmocka_unit_test(test_too_large_is_said),
		cmocka_unit_test(test_any_bytes_are_a_pattern_or_a_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
