/*
 * The text form: what is printed is read back, and what cannot be read says where and why.
 */
#include "base/auto.h"
#include "ir/ir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void round_trip(const char *text)
{
	auto_arena struct arena a = {};
	auto_sb struct sb out = {};
	const char *msg = "";
	int line = 0;
	struct fn *fn = ir_parse(&a, text, &msg, &line);

	if (!fn)
		fail_msg("line %d: %s\n%s", line, msg, text);
	assert_null(ir_check(fn, &a));
	ir_print(fn, &out);
	assert_string_equal(sb_str(&out), text);
}

static void every_operation_is_read_back(void **state)
{
	(void)state;
	round_trip("fn \"all\" {\n"
		   "b0:\n"
		   "\tv1 = ctx\n"
		   "\tv2 = const -9223372036854775808\n"
		   "\tv3 = slot 16\n"
		   "\tv4 = map 7\n"
		   "\tv5 = mapval 4294967295, 8\n"
		   "\tv6 = load32 v1, -4\n"
		   "\tstore8 v3, 15, v6\n"
		   "\tatomic_add64 v5, 0, v6\n"
		   "\tv7 = xchg64 v5, 8, v6\n"
		   "\tv8 = cmpxchg32 v5, 16, v6, v7\n"
		   "\tv9 = call 14\n"
		   "\tv10 = call 2, v4, v3, v5, v9\n"
		   "\tv11 = sext16 v8\n"
		   "\tv12 = bswap64 v11\n"
		   "\tv13 = neg v12\n"
		   "\tv14 = slt v13, v10\n"
		   "\tbr v14, b1, b3\n"
		   "b1:  ; preds b0, b1\n"
		   "\tv20 = phi b0 v2, b1 v21\n"
		   "\tv21 = umod v20, v13\n"
		   "\tbr v21, b1, b2\n"
		   "b2:  ; preds b1\n"
		   "\tret v21\n"
		   "b3:  ; preds b0\n"
		   "\tunreachable\n"
		   "}\n");
}

static void names_with_quotes(void **state)
{
	(void)state;
	round_trip("fn \"uprobe:/a \\\"b\\\" \\\\c;d\" {\nb0:\n\tv1 = const 0\n\tret v1\n}\n");
}

/* Blocks in any order, comments, one line or many. */
static void free_form(void **state)
{
	auto_arena struct arena a = {};
	auto_sb struct sb out = {};
	const char *msg;
	int line;
	struct fn *fn = ir_parse(&a,
				 "; a comment\nfn \"f\" { b0: v1 = const 1 jmp b5\n"
				 "b5: ; another\n v3 = phi b0 v1\n\n ret v3 }",
				 &msg, &line);

	(void)state;
	assert_non_null(fn);
	assert_null(ir_check(fn, &a));
	ir_print(fn, &out);
	assert_string_equal(sb_str(&out), "fn \"f\" {\nb0:\n\tv1 = const 1\n\tjmp b5\n"
					  "b5:  ; preds b0\n\tv3 = phi b0 v1\n\tret v3\n}\n");
}

static const struct bad {
	const char *text;
	int line;
	const char *msg;
} bads[] = {
	{ "", 1, "'fn' expected" },
	{ "fn f {", 1, "'\"' expected" },
	{ "fn \"f\" {}", 1, "there is no entry block b0" },
	{ "fn \"f\" {\nv1 = const 1\n}", 2, "a block's label expected" },
	{ "fn \"f\" {\nb0:\n", 3, "label, instruction or '}' expected" },
	{ "fn \"f\" {\nb0:\nret v1\n}", 3, "v1 is not defined" },
	{ "fn \"f\" {\nb0:\njmp b1\n}", 3, "b1 is not defined" },
	{ "fn \"f\" {\nb0:\nv1 = const 1\nv1 = const 2\n}", 4, "v1 is defined twice" },
	{ "fn \"f\" {\nb0:\njmp b0\nb0:\n}", 4, "b0 is defined twice" },
	{ "fn \"f\" {\nb0:\nv1 = frob v2\n}", 3, "no operation 'frob'" },
	{ "fn \"f\" {\nb0:\nv1 = load24 v1, 0\n}", 3, "no operation 'load24'" },
	{ "fn \"f\" {\nb0:\nv1 = load v1, 0\n}", 3, "no operation 'load'" },
	{ "fn \"f\" {\nb0:\nv1 = none\n}", 3, "no operation 'none'" },
	{ "fn \"f\" {\nb0:\nv1 = store8 v1, 0, v1\n}", 3, "'store8' gives no value" },
	{ "fn \"f\" {\nb0:\nconst 1\n}", 3, "'const' gives a value" },
	{ "fn \"f\" {\nb0:\nv1 = const x\n}", 3, "number expected" },
	{ "fn \"f\" {\nb0:\nv1 = const 99999999999999999999\n}", 3, "number expected" },
	{ "fn \"f\" {\nb0:\nv1 = mapval 0, -1\n}", 3, "-1 is out of range" },
	{ "fn \"f\" {\nb0:\nv1 = add v1 v1\n}", 3, "',' expected" },
	{ "fn \"f\" {\nb0:\nv1 = neg b1\n}", 3, "value expected" },
	{ "fn \"f\" {\nb0:\njmp v1\n}", 3, "block expected" },
	{ "fn \"f\" {\nb0:\nv9999999 = ctx\n}", 3, "'v9999999' is too large a number" },
	{ "fn \"f\" {\nb0:\nv1 = ctx\nbr v1, b1, b1\nb1:\nret v1\n}", 4,
	  "br to one block: use jmp" },
	{ "fn \"f\" {\nb0:\nv1 = ctx\njmp b1\nb1:\nv2 = phi b1 v1\nret v1\n}", 6,
	  "phi names b1, which does not come here" },
	{ "fn \"f\" {\nb0:\nv1 = ctx\njmp b1\nb1:\nv2 = phi b0 v1, b0 v1\nret v1\n}", 6,
	  "phi names b0 twice" },
	{ "fn \"f\" {\nb0:\nv1 = ctx\nbr v1, b1, b2\nb1:\njmp b2\nb2:\nv2 = phi b0 v1\n"
	  "ret v1\n}",
	  8, "phi lacks a value from b1" },
	{ "fn \"f\" {\nb0:\nv1 = ctx\nret v1\n}\nx", 6, "text after the function" },
};

static void errors_say_where_and_why(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(bads) / sizeof(*bads); k++) {
		auto_arena struct arena a = {};
		const char *msg = "nothing wrong";
		int line = 0;
		struct fn *fn = ir_parse(&a, bads[k].text, &msg, &line);

		if (fn || strcmp(msg, bads[k].msg) || line != bads[k].line)
			fail_msg("%s\nline %d: %s, expected line %d: %s", bads[k].text, line,
				 msg, bads[k].line, bads[k].msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_is_read_back),
		cmocka_unit_test(names_with_quotes),
		cmocka_unit_test(free_form),
		cmocka_unit_test(errors_say_where_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
