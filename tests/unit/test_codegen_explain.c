/*
 * Verifier logs, as kernels 5.10 to 6.18 write them, and what is read out of them.
 */
#include "codegen/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *log, int64_t insn, const char *reason, const char *advice)
{
	struct verdict v;

	explain_log(log, &v);
	assert_int_equal(v.insn, insn);
	assert_int_equal(v.reason_len, strlen(reason));
	assert_memory_equal(v.reason, reason, strlen(reason));
	if (*advice)
		assert_non_null(strstr(v.advice, advice));
	else
		assert_string_equal(v.advice, "");
}

static void memory_access(void **state)
{
	(void)state;
	check("func#0 @0\n0: R1=ctx() R10=fp0\n0: (bf) r6 = r1                       ; R1=ctx()\n"
	      "1: (85) call bpf_map_lookup_elem#1\n2: (79) r1 = *(u64 *)(r0 +0)\n"
	      "R0 invalid mem access 'map_value_or_null'\n"
	      "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0\n",
	      2, "R0 invalid mem access 'map_value_or_null'", "prove to be valid");
}

static void unknown_helper(void **state)
{
	(void)state;
	check("0: (85) call bpf_get_func_ip#173\nunknown func bpf_get_func_ip#173\n"
	      "processed 1 insns (limit 1000000)\n",
	      0, "unknown func bpf_get_func_ip#173", "this kernel does not have");
}

static void endless_loop(void **state)
{
	(void)state;
	check("4: (05) goto pc-2\n; while (1)\nfrom 4 to 3: R0=0 R10=fp0\n3: R0=0 R10=fp0\n"
	      "infinite loop detected at insn 3\ncur state: R0=0 R10=fp0\n",
	      3, "infinite loop detected at insn 3", "count it up");
	/* Linux 6.18 says so on the line of the jump that it is about to print. */
	check("5: (79) r0 = *(u64 *)(r0 +24)\n"
	      "6: (d5) if r0 s<= 0xa goto pc-7 infinite loop detected at insn 0\n"
	      "cur state: R0=scalar() R10=fp0\nold state: R0=scalar() R10=fp0\n",
	      0, "infinite loop detected at insn 0", "count it up");
}

static void too_many_steps(void **state)
{
	(void)state;
	check("7: (07) r1 += 1\nBPF program is too large. Processed 1000001 insn\n"
	      "verification time 120000 usec\nstack depth 8\nprocessed 1000001 insns\n",
	      7, "BPF program is too large. Processed 1000001 insn", "gave up counting");
}

static void back_edge(void **state)
{
	(void)state;
	check("back-edge from insn 12 to 5\n", 12, "back-edge from insn 12 to 5", "unroll");
}

static void empty_log(void **state)
{
	(void)state;
	check("", -1, "", "");
	check("\n\n", -1, "", "");
}

/* What is said of a log for a probe at the first word of the script, whose image has no places.
 */
static struct diag *explained(struct arena *a, const char *log)
{
	static struct sources ss;
	static struct diags dx;
	struct image img = {};

	sources_init(&ss, a);
	sources_add(&ss, "x", "BEGIN {}", 8);
	diags_init(&dx, a, &ss);
	explain_rejection(&dx, &img, "begin", (struct span){ 1, 6 }, log);
	assert_true(diag_failed(&dx));
	return dx.list.data[0];
}

static void rejection_without_place_uses_the_probe(void **state)
{
	struct arena a = {};
	struct diag *d = explained(&a, "99: (95) exit\nbad\n");

	(void)state;
	assert_int_equal(d->span.beg, 1);
	assert_string_equal(d->text, "the kernel's verifier rejected begin: bad");
	arena_free(&a);
}

static void a_missing_helper_has_a_version(void **state)
{
	struct arena a = {};
	struct diag *d =
		explained(&a, "0: (85) call unknown#173\nunknown func bpf_get_func_ip#173\n");

	(void)state;
	assert_string_equal(
		d->hint,
		"bpf_get_func_ip() is in Linux since 5.15, and not for all kinds of probes");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_access),
		cmocka_unit_test(unknown_helper),
		cmocka_unit_test(endless_loop),
		cmocka_unit_test(too_many_steps),
		cmocka_unit_test(back_edge),
		cmocka_unit_test(empty_log),
		cmocka_unit_test(rejection_without_place_uses_the_probe),
		cmocka_unit_test(a_missing_helper_has_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
