/*
 * Stacks as lines for flame graphs.
 */
#include "output_values.h"

static const char *const user_names[] = { "leaf", "work;x", "main" };
static const char *const kernel_names[] = { "vfs_read", "do_syscall_64" };

#define FRAMES(n) \
	.items = (const struct value[]){ VTEXT("a"), VTEXT("b"), VTEXT("c") }, .nitems = (n)
#define USER   V(V_STACK, .names = user_names, FRAMES(3))
#define KERNEL V(V_STACK, .is_kernel = true, .names = kernel_names, FRAMES(2))

static void a_stack_begins_with_the_outermost(void **state)
{
	struct value key = USER;
	struct map_entry e[] = { { &key, VINT(3) } };
	(void)state;

	assert_writes("main;work:x;leaf 3\n",
		      sink_find("folded")->map(out, MAP(MAP_PLAIN, "@", true, e)));
}

static void other_parts_then_user_then_kernel(void **state)
{
	struct value key = VTUPLE(KERNEL, VSTR("a b\nc"), USER, VINT(7));
	struct map_entry e[] = { { &key, VUINT(UINT64_MAX) } };
	(void)state;

	assert_writes("a b?c;7;main;work:x;leaf;do_syscall_64_[k];vfs_read_[k] "
		      "18446744073709551615\n",
		      sink_find("folded")->map(out, MAP(MAP_PLAIN, "@", true, e)));
}

static void histograms_and_stats_weigh_their_sum(void **state)
{
	struct value_bucket buckets[] = { BUCKET(0, 1, 2), BUCKET(1, 2, 3) };
	struct value key = USER;
	struct map_entry e[] = { { &key, VHIST(buckets) }, { &key, VSTATS(2, 40) } };
	(void)state;

	assert_writes("main;work:x;leaf 5\nmain;work:x;leaf 40\n",
		      sink_find("folded")->map(out, MAP(MAP_PLAIN, "@", true, e)));
}

static void what_is_no_stack_is_not_written(void **state)
{
	struct value word = VSTR("x"), stack = USER;
	struct map_entry e[] = { { &word, VINT(1) },
				 { &stack, VSTR("text") },
				 { &stack, VINT(-1) },
				 { NULL, VINT(1) } };
	(void)state;

	assert_writes("", sink_find("folded")->map(out, MAP(MAP_PLAIN, "@", true, e)));
	assert_writes("", sink_find("folded")->text(out, TEXT_PRINTF, "", 0));
	assert_writes("", sink_find("folded")->end(out));
}

static void an_empty_stack_is_a_frame(void **state)
{
	struct value key = VTUPLE(VSTR(""), V(V_STACK, .nitems = 0));
	struct value none = V(V_STACK, .nitems = 0);
	struct map_entry e[] = { { &key, VINT(1) }, { &none, VINT(2) } };
	(void)state;

	assert_writes("[unknown] 1\n[unknown] 2\n",
		      sink_find("folded")->map(out, MAP(MAP_PLAIN, "@", true, e)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_begins_with_the_outermost),
		cmocka_unit_test(other_parts_then_user_then_kernel),
		cmocka_unit_test(histograms_and_stats_weigh_their_sum),
		cmocka_unit_test(what_is_no_stack_is_not_written),
		cmocka_unit_test(an_empty_stack_is_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
