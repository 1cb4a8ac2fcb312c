#include "script_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* An expression as one line: every operator with its operands in brackets. */
static void put_expr(struct sb *out, const struct expr *e)
{
	switch (e->kind) {
	case E_INT: sb_printf(out, "%llu", (unsigned long long)e->num); return;
	case E_STRING: sb_printf(out, "'%s'", e->str.s); return;
	case E_PARAM: sb_printf(out, "$%llu", (unsigned long long)e->num); return;
	case E_UNARY: sb_printf(out, "(%s", unary_op_text[e->op]); break;
	case E_BINARY: sb_printf(out, "(%s", binary_op_text[e->op]); break;
	case E_COND: sb_puts(out, "(?"); break;
	case E_INCDEC:
		sb_printf(out, "(%s%s", e->prefix ? "pre" : "post", e->op > 0 ? "++" : "--");
		break;
	case E_CAST: sb_printf(out, "(cast-%s", e->tname->name); break;
	case E_FIELD: sb_printf(out, "(%s%s", e->arrow ? "->" : ".", e->name); break;
	case E_ELEM: sb_printf(out, "(.%llu", (unsigned long long)e->num); break;
	case E_INDEX: sb_puts(out, "([]"); break;
	case E_TUPLE: sb_puts(out, "(tuple"); break;
	case E_RECORD: sb_puts(out, "(record"); break;
	case E_CALL: sb_printf(out, "(%s", e->name); break;
	case E_COMPTIME: sb_puts(out, "(comptime"); break;
	case E_SIZEOF: sb_puts(out, e->tname && e->a ? "(sizeof-either" : "(sizeof"); break;
	case E_TYPE: sb_printf(out, "(type-%s", e->tname->name); break;
	default: sb_puts(out, e->name ? e->name : "?"); return;
	}

	const struct expr *const parts[] = { e->a, e->b, e->c, e->key };
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i]) {
			sb_putc(out, ' ');
			put_expr(out, parts[i]);
		}
	}
	for (unsigned i = 0; i < e->nargs; i++) {
		sb_putc(out, ' ');
		put_expr(out, e->args[i]);
	}
	sb_putc(out, ')');
}

static void assert_reads_as(const char *text, const char *want)
{
	auto_script struct script_text t;
	auto_sb struct sb out = { 0 };

	script_text_init(&t, "test", text, strlen(text));
	const struct expr *e = parse_expr_text(&t.arena, &t.dx, t.source);
	if (!e)
		fail_msg("%s: %s", text, t.dx.list.data[0]->text);
	put_expr(&out, e);
	assert_string_equal(sb_str(&out), want);
}

static void operators_bind_as_in_c(void **state)
{
	(void)state;
	assert_reads_as("1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)");
	assert_reads_as("1 << 2 + 3 < 4", "(< (<< 1 (+ 2 3)) 4)");
	assert_reads_as("a & 1 == 0 ^ b | c", "(| (^ (& a (== 1 0)) b) c)");
	assert_reads_as("a || b && c", "(|| a (&& b c))");
	assert_reads_as("a ? b : c ? d : e", "(? a b (? c d e))");
	assert_reads_as("a ?: b ?: c", "(? a (? b c))");
	assert_reads_as("-!~a", "(- (! (~ a)))");
	assert_reads_as("*$p++", "(* (post++ $p))");
	assert_reads_as("++$a - --$b", "(- (pre++ $a) (pre-- $b))");
	assert_reads_as("&$a->b[1].c.0", "(& (.0 (.c ([] (->b $a) 1))))");
	assert_reads_as("$kv.0.1", "(.1 (.0 $kv))");
	assert_reads_as("comptime a + 1", "(+ (comptime a) 1)");
	assert_reads_as("args.if->enum", "(->enum (.if args))");
}

static void parentheses_make_groups_tuples_and_records(void **state)
{
	(void)state;
	assert_reads_as("(1)", "1");
	assert_reads_as("()", "(tuple)");
	assert_reads_as("(1,)", "(tuple 1)");
	assert_reads_as("(1, (2, 3),)", "(tuple 1 (tuple 2 3))");
	assert_reads_as("(a = 1, b = 2)", "(record 1 2)");
}

static void a_bare_name_in_parentheses_may_be_a_cast(void **state)
{
	(void)state;
	assert_reads_as("(foo)x", "(cast-foo x)");
	assert_reads_as("(foo)(x)", "(cast-foo x)");
	assert_reads_as("(foo)-1", "(cast-foo (- 1))");
	assert_reads_as("(pid) - 1", "(- pid 1)");
	assert_reads_as("(arg0) & 3", "(& arg0 3)");
	assert_reads_as("(sarg12) * 3", "(* sarg12 3)");
	assert_reads_as("(argc) * 3", "(cast-argc (* 3))");
	assert_reads_as("(foo) + 1", "(+ foo 1)");
	assert_reads_as("(foo)", "foo");
	assert_reads_as("(struct foo *)arg0 + 1", "(+ (cast-foo arg0) 1)");
	assert_reads_as("((struct foo *)arg0)->x", "(->x (cast-foo arg0))");
	assert_reads_as("(struct foo **)$1", "(cast-foo $1)");
	assert_reads_as("(uint8[4])x", "(cast-uint8 x)");
	assert_reads_as("(int8[])\"abc\"", "(cast-int8 'abc')");
	assert_reads_as("(a * b)", "(* a b)");
	assert_reads_as("(a[1]) + b", "(+ ([] a 1) b)");
	assert_reads_as("(unsigned long int)x", "(cast-unsigned long int x)");
	assert_reads_as("(const char *)x", "(cast-char x)");
	assert_reads_as("(typeof($a))x", "(cast-typeof x)");
}

static void types_and_values_share_some_places(void **state)
{
	(void)state;
	assert_reads_as("sizeof(foo)", "(sizeof-either foo)");
	assert_reads_as("sizeof(struct foo)", "(sizeof)");
	assert_reads_as("sizeof(pid)", "(sizeof pid)");
	assert_reads_as("sizeof(foo + 1)", "(sizeof (+ foo 1))");
	assert_reads_as("f(struct a, b *, c[1], d * e, typeof(x))",
			"(f (type-a) (type-b) ([] c 1) (* d e) (type-typeof))");
}

/* The statements of the first probe. */
static const struct stmt *body_of(struct script_text *t, const char *text)
{
	const struct script *s = script_text_parse(t, text);

	if (diag_failed(&t->dx))
		fail_msg("%s: %s", text, t->dx.list.data[0]->text);
	return s->probes->body->first;
}

static void a_predicate_ends_before_the_body(void **state)
{
	auto_script struct script_text t;
	auto_sb struct sb out = { 0 };

	(void)state;
	body_of(&t, "kprobe:f / pid / 2 == tid / 3 /* / */ // {\n / // x\n { }");
	put_expr(&out, t.script->probes->pred);
	assert_string_equal(sb_str(&out), "(== (/ pid 2) (/ tid 3))");
}

static void semicolons_may_be_missing_where_a_block_ends(void **state)
{
	auto_script struct script_text t;
	unsigned n = 0;

	(void)state;
	const struct stmt *s =
		body_of(&t, "BEGIN { if (1) { f() }; while (1) { break } { g(); h() } "
			    "; for $i : 1..2 { } unroll 3 { } $x = 1; return }");
	for (; s; s = s->next)
		n++;
	assert_int_equal(n, 7);
}

static void the_last_expression_is_a_value_only_where_one_is_wanted(void **state)
{
	auto_script struct script_text t;

	(void)state;
	const struct stmt *s = body_of(&t, "BEGIN { $x = if (1) { if (2) { 3 } else { 4 } } "
					   "else { { 5 } }; if (6) { 7 } else { 8 } }");

	const struct stmt *cond = s->e->stmt;
	assert_int_equal(s->e->kind, E_IF);
	assert_int_equal(cond->body->value->kind, E_IF);
	assert_int_equal(cond->els->value->kind, E_BLOCK);
	assert_null(s->next->body->value);
	assert_int_equal(s->next->body->first->kind, S_EXPR);
	assert_int_equal(s->next->els->first->e->num, 8);
}

static void a_branch_without_a_value_makes_a_statement(void **state)
{
	auto_script struct script_text t;

	(void)state;
	script_text_parse(&t, "macro m() { if (1) { 2 } else { 3; } } BEGIN {}");
	assert_false(diag_failed(&t.dx));
	assert_null(t.script->macros->body->value);
	assert_int_equal(t.script->macros->body->first->kind, S_IF);
	assert_int_equal(t.script->macros->body->first->body->first->kind, S_EXPR);
}

static void assert_points(const char *text, const char *want)
{
	auto_script struct script_text t;
	auto_sb struct sb out = { 0 };

	body_of(&t, text);
	vec_each(ap, &t.script->probes->points) {
		sb_printf(&out, "%s%s;", ap->user_name ? ap->user_name : "",
			  ap->user_name ? "=" : "");
		for (unsigned i = 0; i < ap->nparts; i++)
			sb_printf(&out, " [%s]", ap->parts[i]);
		sb_printf(&out, " %s\n", ap->text);
	}
	assert_string_equal(sb_str(&out), want);
}

static void attach_points_are_split_outside_quotes(void **state)
{
	(void)state;
	assert_points("BEGIN{}", "; [BEGIN] BEGIN\n");
	assert_points("kprobe:f+0x10, k:g,{ }",
		      "; [kprobe] [f+0x10] kprobe:f+0x10\n; [k] [g] k:g\n");
	assert_points("u:/a/b:cpp:\"n::f(int, { x)\"{}",
		      "; [u] [/a/b] [cpp] [n::f(int, { x)] u:/a/b:cpp:n::f(int, { x)\n");
	assert_points("mine=t:a:b*{}", "mine=; [t] [a] [b*] t:a:b*\n");
	assert_points("uprobe:bin@f.c:12{}",
		      "; [uprobe] [bin] [@] [f.c] [12] uprobe:bin@f.c:12\n");
	assert_points("usdt::x:{}", "; [usdt] [] [x] [] usdt::x:\n");
	assert_points("u:$1:\"$2\\\"\"{}", "; [u] [first] [$2\"] u:first:$2\"\n");
	assert_points("u:$2:$1+4{}",
		      "; [u] [second] [third] [first+4] u:second:third:first+4\n");
	assert_points("*:a\n/* c */ , // d\n k*:b {}", "; [*] [a] *:a\n; [k*] [b] k*:b\n");
}

static void a_missing_parameter_is_empty_with_a_warning(void **state)
{
	auto_script struct script_text t;

	(void)state;
	body_of(&t, "u:$3:f{}");
	assert_string_equal(t.script->probes->points.data[0].parts[1], "");
	assert_int_equal(t.dx.list.data[0]->code, W0103_PARAM_MISSING);
}

static void several_mistakes_are_told_in_one_run(void **state)
{
	static const enum diag_code want[] = { E0001_SYNTAX, E0005_NUMBER, E0003_UNTERMINATED,
					       E0001_SYNTAX, E0001_SYNTAX };
	auto_script struct script_text t;

	(void)state;
	script_text_parse(&t, "BEGIN { $x = ; $y = 5q; printf(\"abc\n }\n"
			      "kprobe:f { if (pid == ) { f(); g() } else { h() } @ok = 1; }\n"
			      "kprobe:g @ok }\n"
			      "END { exit(); }\n");
	assert_int_equal(t.dx.list.len, sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < t.dx.list.len; i++)
		assert_int_equal(t.dx.list.data[i]->code, want[i]);
}

static void only_so_many_mistakes_are_told(void **state)
{
	auto_script struct script_text t;
	auto_sb struct sb text = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		sb_puts(&text, "BEGIN { $x = ; ` }\n");
	script_text_parse(&t, sb_str(&text));
	assert_in_range(t.dx.errors, 40, 60);
}

/* times copies of a, then core, then times copies of b */
static enum diag_code code_of_nested(const char *head, const char *a, const char *core,
				     const char *b, const char *tail, int times)
{
	auto_script struct script_text t;
	auto_sb struct sb text = { 0 };

	sb_puts(&text, head);
	for (int i = 0; i < times; i++)
		sb_puts(&text, a);
	sb_puts(&text, core);
	for (int i = 0; i < times; i++)
		sb_puts(&text, b);
	sb_puts(&text, tail);
	script_text_parse(&t, sb_str(&text));
	return t.dx.list.len ? t.dx.list.data[0]->code : DIAG_CODES;
}

static void nesting_has_a_limit(void **state)
{
	static const struct {
		const char *a, *core, *b;
	} rows[] = {
		{ "(", "1", ")" },	    { "{", "", "}" },
		{ "-", "1", "" },	    { "1 + ", "1", "" },
		{ "1 ? 2 : ", "1", "" },    { "@[", "1", "]" },
		{ "f(", "1", ")" },	    { "(uint8)", "1", "" },
		{ "sizeof(", "$x", ")" },   { "sizeof(typeof(", "$x", "))" },
		{ "if (1) {", "", "}" },    { "if (1) {} else ", "{}", "" },
		{ "", "$x", ".a" },	    { "", "$x", "[0]" },
		{ "while (1) {", "", "}" }, { "$x = if (1) {", "2", "} else { 3 }" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(code_of_nested("BEGIN { ", rows[i].a, rows[i].core, rows[i].b,
						"; }", 30),
				 DIAG_CODES);
		assert_int_equal(code_of_nested("BEGIN { ", rows[i].a, rows[i].core, rows[i].b,
						"; }", 20000),
				 E0009_NESTING);
	}
}

static void a_copy_is_the_same_tree(void **state)
{
	auto_script struct script_text t;
	auto_sb struct sb before = { 0 }, after = { 0 };
	size_t len;
	auto_free char *text = read_text("tests/script/language.bt", &len);

	(void)state;
	assert_non_null(text);
	body_of(&t, text);
	ast_print(t.script, &before);
	for (struct probe *p = t.script->probes; p; p = p->next) {
		p->body = stmt_clone(&t.arena, p->body);
		p->pred = expr_clone(&t.arena, p->pred);
	}
	ast_print(t.script, &after);
	assert_string_equal(sb_str(&after), sb_str(&before));
}

static void the_order_of_a_file_is_checked(void **state)
{
	static const char *const texts[] = { "BEGIN {} #define A 1\n",
					     "BEGIN {} struct a { int x; };",
					     "BEGIN {} config = { a = 1 }",
					     "BEGIN {} import \"x\";" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		auto_script struct script_text t;

		script_text_parse(&t, texts[i]);
		assert_int_equal(t.dx.list.len, 1);
		assert_int_equal(t.dx.list.data[0]->code, E0007_ORDER);
	}
}

static void one_expression_may_be_read_alone(void **state)
{
	static const char *const none[] = {
		"", "1 +", "1 2", "int x", "do { } while (0)", "\"a"
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		struct source src = { "", none[i], (uint32_t)strlen(none[i]), 7 };

		assert_null(parse_expr_text(&a, NULL, &src));
	}
	struct source src = { "", "(1 << \\\n 3) /* eight */", 23, 7 };
	assert_int_equal(parse_expr_text(&a, NULL, &src)->op, BIN_SHL);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_bind_as_in_c),
		cmocka_unit_test(parentheses_make_groups_tuples_and_records),
		cmocka_unit_test(a_bare_name_in_parentheses_may_be_a_cast),
		cmocka_unit_test(types_and_values_share_some_places),
		cmocka_unit_test(a_predicate_ends_before_the_body),
		cmocka_unit_test(semicolons_may_be_missing_where_a_block_ends),
		cmocka_unit_test(the_last_expression_is_a_value_only_where_one_is_wanted),
		cmocka_unit_test(a_branch_without_a_value_makes_a_statement),
		cmocka_unit_test(attach_points_are_split_outside_quotes),
		cmocka_unit_test(a_missing_parameter_is_empty_with_a_warning),
		cmocka_unit_test(several_mistakes_are_told_in_one_run),
		cmocka_unit_test(only_so_many_mistakes_are_told),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(a_copy_is_the_same_tree),
		cmocka_unit_test(the_order_of_a_file_is_checked),
		cmocka_unit_test(one_expression_may_be_read_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
