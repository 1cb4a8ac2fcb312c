#include "script_text.h"

#include "script/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void lexer_of(struct script_text *t, struct lexer *lx, const char *text)
{
	script_text_init(t, "test", text, strlen(text));
	lex_init(lx, &t->arena, &t->dx, t->source);
}

/* The first message: its code and its span in the text. */
static void assert_message(const struct script_text *t, enum diag_code code, uint32_t beg,
			   uint32_t end)
{
	assert_int_equal(t->dx.list.len, 1);
	const struct diag *d = t->dx.list.data[0];
	assert_int_equal(d->code, code);
	assert_int_equal(d->span.beg - t->source->base, beg);
	assert_int_equal(d->span.end - t->source->base, end);
}

static void points_make_floats(void **state)
{
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{ "1.5", 1.5 },	      { "0.1", 0.1 },	  { "2.0e10", 2e10 },
		{ "1.5E-3", 1.5e-3 }, { "007.25", 7.25 }, { "3.0e+2", 300 },
	};
	static const enum tok parts[] = { TOK_VAR, TOK_DOT,  TOK_INT, TOK_DOT, TOK_INT,
					  TOK_INT, TOK_DOTS, TOK_INT, TOK_EOF };
	struct lexer lx;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_script struct script_text t;
		double value;

		lexer_of(&t, &lx, rows[i].text);
		struct token tok = lex_next(&lx);
		assert_int_equal(tok.kind, TOK_FLOAT);
		memcpy(&value, &tok.num, sizeof(value));
		assert_true(value == rows[i].value);
		assert_int_equal(lex_next(&lx).kind, TOK_EOF);
	}
	auto_script struct script_text t;
	lexer_of(&t, &lx, "$t.0.1 0..5");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_int_equal(lex_next(&lx).kind, parts[i]);
}

static void numbers_have_their_values(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "0", 0 },
		{ "1_000_000", 1000000 },
		{ "0xFF", 255 },
		{ "0Xff", 255 },
		{ "0x1d", 29 },
		{ "0644", 420 },
		{ "3e6", 3000000 },
		{ "1E9", 1000000000 },
		{ "5u", 5 },
		{ "5l", 5 },
		{ "5ul", 5 },
		{ "5ll", 5 },
		{ "0x10ull", 16 },
		{ "18446744073709551615", UINT64_MAX },
		{ "250ns", 250 },
		{ "10us", 10000 },
		{ "1ms", 1000000 },
		{ "2s", 2000000000 },
		{ "5m", 300000000000 },
		{ "3h", 10800000000000 },
		{ "1d", 86400000000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t value;

		assert_null(lex_number(rows[i].text, strlen(rows[i].text), &value));
		assert_int_equal(value, rows[i].value);
	}
}

static void words_that_are_no_numbers(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "1_", "'_' stands between digits only" },
		{ "08", "octal digits are 0-7" },
		{ "018", "octal digits are 0-7" },
		{ "5q", "invalid integer suffix" },
		{ "5U", "invalid integer suffix" },
		{ "0x", "invalid integer suffix" },
		{ "0b11", "invalid integer suffix" },
		{ "1e0", "the exponent must start with 1-9" },
		{ "1e", "the exponent must start with 1-9" },
		{ "1e2u", "the exponent must be decimal digits" },
		{ "1e99", "out of range" },
		{ "10e3", "coefficient part of scientific literal must be 1-9" },
		{ "0e3", "coefficient part of scientific literal must be 1-9" },
		{ "18446744073709551616", "out of range" },
		{ "4294967296u", "out of range" },
		{ "9223372036854775808l", "out of range" },
		{ "300000d", "out of range" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t value;
		const char *why = lex_number(rows[i].text, strlen(rows[i].text), &value);

		assert_non_null(why);
		assert_string_equal(why, rows[i].why);
	}
}

static void escapes_give_their_bytes(void **state)
{
	auto_script struct script_text t;
	struct lexer lx;
	struct token tok;

	(void)state;
	lexer_of(&t, &lx, "\"a\\n\\t\\r\\\"\\\\\\101\\x4a\\x4\\0z\"");
	tok = lex_next(&lx);
	assert_int_equal(tok.kind, TOK_STRING);
	assert_int_equal(tok.str.len, 11);
	assert_memory_equal(tok.str.s, "a\n\t\r\"\\AJ\x04\0z", 11);
	assert_int_equal(t.dx.errors, 0);
}

static void a_bad_escape_is_reported_at_its_place(void **state)
{
	auto_script struct script_text t;
	struct lexer lx;

	(void)state;
	lexer_of(&t, &lx, "  \"ab\\qc\"");
	assert_int_equal(lex_next(&lx).kind, TOK_STRING);
	assert_message(&t, E0004_ESCAPE, 5, 7);
}

static void a_string_ends_with_its_line(void **state)
{
	auto_script struct script_text t;
	struct lexer lx;

	(void)state;
	lexer_of(&t, &lx, "\"abc\\\nx");
	assert_int_equal(lex_next(&lx).kind, TOK_ERROR);
	assert_message(&t, E0003_UNTERMINATED, 0, 5);
	assert_string_equal(lex_next(&lx).text, "x");
}

static void signs_are_read_greedily(void **state)
{
	static const enum tok want[] = {
		TOK_SHL_SET, TOK_SHL,	  TOK_LE,    TOK_LT,  TOK_INC,
		TOK_ADD,     TOK_ADD_SET, TOK_ARROW, TOK_SUB, TOK_DOTS,
		TOK_DOT,     TOK_LAND,	  TOK_AND,   TOK_EOF, TOK_EOF
	};
	auto_script struct script_text t;
	struct lexer lx;

	(void)state;
	lexer_of(&t, &lx, "<<= << <= < +++ += -> - ... && &");
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		assert_int_equal(lex_next(&lx).kind, want[i]);
}

static void bytes_of_no_token_make_one_message(void **state)
{
	auto_script struct script_text t;
	struct lexer lx;

	(void)state;
	lexer_of(&t, &lx, "a `\x01\xff` b");
	lex_next(&lx);
	assert_int_equal(lex_next(&lx).kind, TOK_ERROR);
	assert_message(&t, E0002_CHARACTER, 2, 6);
	assert_string_equal(lex_next(&lx).text, "b");
}

static void a_nul_ends_the_text(void **state)
{
	auto_script struct script_text t;
	struct lexer lx;

	(void)state;
	script_text_init(&t, "test", "a\0b", 3);
	lex_init(&lx, &t.arena, &t.dx, t.source);
	assert_message(&t, E0002_CHARACTER, 1, 2);
	assert_int_equal(lex_next(&lx).kind, TOK_IDENT);
	assert_int_equal(lex_next(&lx).kind, TOK_EOF);
}

static void comments_are_noted_once(void **state)
{
	auto_script struct script_text t;
	struct comments comments = {};
	struct lexer lx;

	(void)state;
	lexer_of(&t, &lx, "a // one\n/* two */ b");
	lx.comments = &comments;
	lex_next(&lx);

	struct lexer again = lx;
	lex_next(&lx);
	lex_next(&again);
	assert_int_equal(comments.len, 2);
	assert_false(comments.data[0].block);
	assert_true(comments.data[1].block);
	assert_int_equal(comments.data[1].span.end - comments.data[1].span.beg, 9);
}

static void an_attach_point_ends_where_it_should(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "kprobe:f { }", "kprobe:f" },
		{ "kprobe:f{", "kprobe:f" },
		{ "kprobe:f,kprobe:g", "kprobe:f" },
		{ "BEGIN/pid/", "BEGIN" },
		{ "uprobe:/bin/sh:f/pid/", "uprobe:/bin/sh:f/pid/" },
		{ " /* c */ t:a:b*\n", "t:a:b*" },
		{ "u:b:cpp:\"f(int, { x)\" {", "u:b:cpp:\"f(int, { x)\"" },
		{ "u:b:\"a\\\" b\",", "u:b:\"a\\\" b\"" },
		{ "{", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_script struct script_text t;
		struct lexer lx;

		lexer_of(&t, &lx, rows[i].text);
		assert_string_equal(source_text(&t.sources, &t.arena, lex_attach_point(&lx)),
				    rows[i].want);
	}
}

static void a_c_definition_ends_where_it_should(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "struct a { int x; }; BEGIN", "struct a { int x; };" },
		{ "struct a { struct { int x[2]; } y; /* } */ } BEGIN {}",
		  "struct a { struct { int x[2]; } y; /* } */ }" },
		{ "struct a { int x; } __attribute__((packed)) BEGIN {}",
		  "struct a { int x; } __attribute__((packed))" },
		{ "struct a { int x; } PACKED; BEGIN", "struct a { int x; } PACKED;" },
		{ "enum { A, B = '}' }; x", "enum { A, B = '}' };" },
		{ "struct a; x", "struct a;" },
		{ "typedef struct { int x; } t[2]; x", "typedef struct { int x; } t[2];" },
		{ "struct a:b { }", NULL },
		{ "structure { }", NULL },
		{ "struct a { int x;", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_script struct script_text t;
		struct lexer lx;
		struct span span;

		lexer_of(&t, &lx, rows[i].text);
		bool found = lex_c_definition(&lx, &span);
		assert_int_equal(found, rows[i].want != NULL);
		if (found)
			assert_string_equal(source_text(&t.sources, &t.arena, span),
					    rows[i].want);
		else
			assert_int_equal(lx.pos, 0);
	}
}

static void a_directive_takes_its_continuations(void **state)
{
	auto_script struct script_text t;
	struct lexer lx;

	(void)state;
	lexer_of(&t, &lx, "#define A 1 + \\\n 2 /* x\n y */ + 3 // \"/*\n#undef A");
	assert_string_equal(source_text(&t.sources, &t.arena, lex_directive(&lx)),
			    "#define A 1 + \\\n 2 /* x\n y */ + 3 // \"/*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_their_values),
		cmocka_unit_test(points_make_floats),
		cmocka_unit_test(words_that_are_no_numbers),
		cmocka_unit_test(escapes_give_their_bytes),
		cmocka_unit_test(a_bad_escape_is_reported_at_its_place),
		cmocka_unit_test(a_string_ends_with_its_line),
		cmocka_unit_test(signs_are_read_greedily),
		cmocka_unit_test(bytes_of_no_token_make_one_message),
		cmocka_unit_test(a_nul_ends_the_text),
		cmocka_unit_test(comments_are_noted_once),
		cmocka_unit_test(an_attach_point_ends_where_it_should),
		cmocka_unit_test(a_c_definition_ends_where_it_should),
		cmocka_unit_test(a_directive_takes_its_continuations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
