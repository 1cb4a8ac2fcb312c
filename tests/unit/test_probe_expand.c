/* Attach points to targets and groups: what needs no root and attaches nothing. */
#include "base/auto.h"
#include "probe/arch.h"
#include "probe/provider.h"
#include "probe/syscalls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct probe_env env;
	char list[64]; /* a file of traceable functions */
};

static const char functions[] = "vfs_read\n"
				"vfs_write\n"
				"vfs_read.part.0\n"
				"tcp_sendmsg\n"
				"ext4_read [ext4]\n"
				"ext4_write [ext4]\n"
				"vfs_write\n";

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	FILE *out;

	sources_init(&f->sources, &f->arena);
	diags_init(&f->dx, &f->arena, &f->sources);
	typetab_init(&f->types, &f->arena);
	strcpy(f->list, "/tmp/scry-functions-XXXXXX");
	out = fdopen(mkstemp(f->list), "w");
	fputs(functions, out);
	fclose(out);
	f->env = (struct probe_env){ .arena = &f->arena,
				     .types = &f->types,
				     .dx = &f->dx,
				     .traceable_file = f->list,
				     .max_probes = 1024 };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->list);
	probe_env_fini(&f->env);
	btf_free((struct btf *)(uintptr_t)f->types.btf);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static bool expand(struct fixture *f, const char *text, struct targets *out)
{
	const struct source *s = sources_add(&f->sources, "test", text, strlen(text));
	char *copy = arena_strdup(&f->arena, text), *part;
	const char **parts = arena_array(&f->arena, const char *, 8);
	struct attach_text at = { .span = { s->base, s->base + s->len },
				  .text = arena_strdup(&f->arena, text),
				  .parts = parts };

	while ((part = strsep(&copy, ":")))
		parts[at.nparts++] = part;
	return probe_expand(&f->env, &at, out);
}

/* The one target of an attach point that is good. */
static struct target *one(struct fixture *f, const char *text)
{
	struct targets out = {};

	assert_true(expand(f, text, &out));
	assert_int_equal(f->dx.errors, 0);
	assert_int_equal(out.len, 1);
	return out.data[0];
}

static void assert_refused(struct fixture *f, const char *text, enum diag_code code,
			   const char *words)
{
	struct targets out = {};
	const struct diag *d;

	assert_false(expand(f, text, &out));
	assert_int_equal(out.len, 0);
	assert_int_equal(f->dx.list.len, 1);
	d = f->dx.list.data[0];
	assert_int_equal(d->code, code);
	assert_string_equal(d->text, words);
	f->dx.list.len = 0;
	f->dx.errors = 0;
}

static void assert_hint(struct fixture *f, const char *text, const char *hint)
{
	struct targets out = {};

	assert_false(expand(f, text, &out));
	assert_int_equal(f->dx.list.len, 1);
	assert_non_null(f->dx.list.data[0]->hint);
	assert_string_equal(f->dx.list.data[0]->hint, hint);
	f->dx.list.len = 0;
	f->dx.errors = 0;
}

static void stars_match_any_run(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "", "", true },	  { "*", "", true },
		{ "*", "abc", true },	  { "a*c", "abc", true },
		{ "a*c", "abcd", false }, { "a*", "ba", false },
		{ "*b*", "abc", true },	  { "*ab*ab", "abab", true },
		{ "*aab", "aaab", true }, { "a?c", "abc", false },
		{ "**", "x", true },	  { "abc", "ab", false },
		{ "ab", "abc", false },	  { "*a*b*c*", "xaxbxc", true },
		{ "a*b", "acbd", false }, { "[ab]", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (wildcard_match(cases[i].pattern, cases[i].text) != cases[i].match)
			fail_msg("%s against %s", cases[i].pattern, cases[i].text);
}

static void many_stars_take_no_exponential_time(void **state)
{
	char pattern[64] = "", text[4001];

	(void)state;
	for (int i = 0; i < 20; i++)
		strcat(pattern, "a*");
	strcat(pattern, "b");
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(wildcard_match(pattern, text));
}

static void names_in_any_case_aliases_exactly(void **state)
{
	const char *near;

	(void)state;
	assert_string_equal(provider_find("KProbe", NULL)->name, "kprobe");
	assert_string_equal(provider_find("BEGIN", NULL)->name, "begin");
	assert_string_equal(provider_find("u", NULL)->name, "uprobe");
	assert_string_equal(provider_find("U", NULL)->name, "usdt");
	assert_string_equal(provider_find("rt", NULL)->name, "rawtracepoint");
	assert_null(provider_find("K", NULL));
	assert_null(provider_find("tracepiont", &near));
	assert_string_equal(near, "tracepoint");
}

static void every_provider_is_whole(void **state)
{
	(void)state;
	for (const struct provider *const *p = providers; *p; p++) {
		assert_ptr_equal(provider_find((*p)->name, NULL), *p);
		assert_non_null((*p)->expand);
		assert_true(*(*p)->doc && *(*p)->usage);
		assert_non_null((*p)->shape);
		assert_non_null((*p)->group);
		assert_non_null((*p)->attach);
	}
}

static void rates_become_periods(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(one(f, "profile:hz:99")->period, 10101010);
	assert_int_equal(one(f, "interval:s:2")->period, 2000000000);
	assert_int_equal(one(f, "i:ms:5")->period, 5000000);
	assert_int_equal(one(f, "p:us:7")->period, 7000);
	assert_string_equal(one(f, "i:ms:5")->name, "interval:ms:5");
	assert_string_equal(one(f, "interval:1s")->name, "interval:us:1000000");
	assert_int_equal(one(f, "profile:3m")->period, 180000000000);
	assert_int_equal(one(f, "i:us:2_000")->period, 2000000);
	assert_int_equal(one(f, "i:us:3e4")->period, 30000000);
	assert_int_equal(one(f, "interval:1_500ms")->period, 1500000000);
}

static void bad_rates_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "interval:m:1", E0206_TIME_UNIT, "m is not an accepted unit of time");
	assert_refused(f, "interval:5", E0206_TIME_UNIT,
		       "a number alone is not an accepted unit of time");
	assert_refused(f, "profile:hz:0", E0207_RATE,
		       "invalid rate of profile probe: '0' is not a positive integer");
	assert_refused(f, "profile:hz:-1", E0207_RATE,
		       "invalid rate of profile probe: '-1' is not a positive integer");
	assert_refused(f, "interval:s:1_", E0207_RATE,
		       "invalid rate of interval probe: '1_' is not a positive integer");
	assert_refused(f, "interval:s:9e30", E0207_RATE,
		       "invalid rate of interval probe: '9e30' is not a positive integer");
	assert_refused(f, "interval:999ns", E0207_RATE,
		       "invalid rate of interval probe: minimum is 1000 or 1us, "
		       "found 999 nanoseconds");
	assert_refused(f, "interval:s:99999999999999", E0207_RATE,
		       "invalid rate of interval probe: the period is too long");
	assert_refused(f, "interval", E0202_ATTACH_ARITY,
		       "interval probe type requires 1 or 2 arguments, found 0");
	assert_refused(f, "begin:x", E0202_ATTACH_ARITY,
		       "begin probe type requires 0 arguments, found 1");
}

static void unknown_types_get_the_nearest(void **state)
{
	struct fixture *f = *state;

	assert_hint(f, "krpobe:vfs_read", "did you mean kprobe?");
	assert_hint(f, "software:page-fault", "did you mean page-faults?");
	assert_refused(f, "nonsense:x", E0201_PROBE_TYPE, "invalid probe type: 'nonsense'");
	assert_refused(f, "asyncwatchpoint:f+arg0:8:w", E0208_ATTACH_POINT,
		       "a function's argument belongs to a process");
}

static void counters_have_default_periods(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(one(f, "software:faults")->period, 100);
	assert_int_equal(one(f, "software:faults:")->period, 100);
	assert_int_equal(one(f, "s:cs:7")->period, 7);
	assert_string_equal(one(f, "s:cs:7")->name, "software:cs:7");
	assert_int_equal(one(f, "hardware:cycles")->period, 1000000);
	assert_refused(f, "software:cs:x", E0207_RATE,
		       "invalid rate of software probe: count 'x' is not a positive integer");
}

static void kprobe_parts_are_told_apart(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "kprobe:", E0208_ATTACH_POINT,
		       "kprobes should be attached to a function or an address");
	assert_refused(f, "kretprobe:vfs_read+4", E0208_ATTACH_POINT,
		       "kretprobes can not be attached to a function offset");
	assert_refused(f, "kprobe:vfs_read+x", E0208_ATTACH_POINT, "'x' is no offset");
	assert_refused(f, "kprobe:vfs_*+4", E0208_ATTACH_POINT,
		       "an offset needs the name of one function");
	assert_refused(f, "kprobe:a:b:c", E0202_ATTACH_ARITY,
		       "kprobe probe type requires 1 or 2 arguments, found 3");
}

static void wildcards_take_functions_in_their_order(void **state)
{
	struct fixture *f = *state;
	struct targets out = {};

	assert_true(expand(f, "kprobe:*_w*", &out));
	assert_int_equal(out.len, 2); /* twice in the list, but with no address to tell why */
	assert_string_equal(out.data[0]->name, "kprobe:vfs_write");
	assert_string_equal(out.data[1]->name, "kprobe:ext4_write");
	assert_string_equal(out.data[1]->module, "ext4");
	assert_true(out.data[0]->from_wildcard);

	out.len = 0;
	assert_true(expand(f, "kretprobe:ext*:*", &out));
	assert_int_equal(out.len, 2);
	assert_string_equal(out.data[0]->name, "kretprobe:ext4:ext4_read");

	out.len = 0;
	assert_true(expand(f, "kprobe:vmlinux:*read*", &out));
	assert_int_equal(out.len, 1);
	assert_string_equal(out.data[0]->name, "kprobe:vmlinux:vfs_read");
}

static void nothing_matches_as_the_config_says(void **state)
{
	struct fixture *f = *state;
	struct targets out = {};

	assert_refused(f, "kprobe:nope*", E0203_NO_MATCH, "no matches for kprobe nope*");
	f->env.missing = MISSING_WARN;
	assert_true(expand(f, "kprobe:nope*", &out));
	assert_int_equal(f->dx.warnings, 1);
	assert_int_equal(f->dx.errors, 0);
	f->env.missing = MISSING_IGNORE;
	assert_true(expand(f, "kprobe:nope?*", &out));
	assert_int_equal(f->dx.warnings, 1);
	assert_int_equal(out.len, 0);
}

static void too_many_matches_are_refused(void **state)
{
	struct fixture *f = *state;
	struct targets out = {};

	f->env.max_probes = 2;
	assert_false(expand(f, "kprobe:*", &out));
	assert_int_equal(f->dx.list.data[0]->code, E0205_TOO_MANY);
}

static void wildcarded_types_take_what_fits(void **state)
{
	struct fixture *f = *state;
	struct targets out = {};

	assert_true(expand(f, "k*:vfs_w*", &out));
	assert_int_equal(out.len, 2);
	assert_string_equal(out.data[0]->name, "kprobe:vfs_write");
	assert_string_equal(out.data[1]->name, "kretprobe:vfs_write");
	assert_int_equal(f->dx.errors, 0);
	assert_refused(f, "k*:nope*", E0203_NO_MATCH, "no matches for k* nope*");
}

static void unreadable_list_says_which(void **state)
{
	struct fixture *f = *state;

	f->env.traceable_file = "/nonexistent/list";
	assert_refused(f, "kprobe:x*", E0204_LIST,
		       "cannot look up kprobe:x*: read /nonexistent/list (ENOENT)");
}

static void take_name(void *arg, const char *line)
{
	sb_puts(arg, line);
	sb_putc(arg, '\n');
}

static void lists_are_sorted_and_say_each_name_once(void **state)
{
	struct fixture *f = *state;
	auto_sb struct sb text = {};
	struct err e = {};

	assert_int_equal(probe_list(&f->env, "kprobe:*write*", false, take_name, &text, &e), 0);
	assert_string_equal(sb_str(&text), "kprobe:ext4_write\nkprobe:vfs_write\n");
	sb_clear(&text);
	assert_int_equal(probe_list(&f->env, "software:*faults*, k:ext4:*rite", false,
				    take_name, &text, &e),
			 0);
	assert_string_equal(sb_str(&text), "software:alignment-faults:\n"
					   "software:emulation-faults:\n"
					   "software:faults:\n"
					   "software:major-faults:\n"
					   "software:minor-faults:\n"
					   "software:page-faults:\n"
					   "kprobe:ext4:ext4_write\n");
	assert_int_equal(probe_list(&f->env, "krpobe:*", false, take_name, &text, &e), -22);
	assert_string_equal(e.hint, "did you mean kprobe?");
}

#ifdef __x86_64__
static void registers_have_names(void **state)
{
	struct argloc loc;

	(void)state;
	assert_true(probe_find_reg("ip", &loc));
	assert_int_equal(loc.kind, LOC_CTX);
	assert_int_equal(loc.off, 128);
	assert_false(probe_find_reg("r0", &loc));
}

static void system_calls_go_by_their_tracepoints_names(void **state)
{
	(void)state;
	assert_int_equal(arch_syscall_number(&arch_host, "read"), 0);
	assert_int_equal(arch_syscall_number(&arch_host, "newstat"), 4);
	assert_int_equal(arch_syscall_number(&arch_host, "umount"), 166);
	assert_int_equal(arch_syscall_number(&arch_host, "openat"), 257);
	assert_int_equal(arch_syscall_number(&arch_host, "stat"), -1);
	assert_int_equal(arch_syscall_number(&arch_host, "nope"), -1);
	for (unsigned i = 0; i < arch_host.nsyscalls; i++) {
		const struct arch_syscall *s = &arch_host.syscalls[i];

		assert_true(s->number < arch_host.syscall_limit);
		if (i)
			assert_true(strcmp(s[-1].name, s->name) < 0);
	}
}

static struct target *syscall_target(struct fixture *f, const char *event)
{
	struct target *t = arena_new(&f->arena, struct target);

	t->provider = provider_find("tracepoint", NULL);
	t->category = "syscalls";
	t->event = event;
	return t;
}

static void many_system_calls_are_one_program(void **state)
{
	static const char *const calls[] = { "read",  "write", "openat", "close", "mmap",
					     "fstat", "poll",  "lseek",	 "brk",	  "ioctl" };
	struct fixture *f = *state;
	struct group_wants wants = { .which = true };
	struct targets all = {}, rest = {};
	struct groups groups = {};
	const struct group *g;
	struct shape shape;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		vec_push(&f->arena, &all,
			 syscall_target(f, arena_printf(&f->arena, "sys_exit_%s", calls[i])));
	vec_push(&f->arena, &all, syscall_target(f, "sys_enter_read"));
	syscalls_group(&f->env, &all, &wants, &groups, &rest);
	/* fstat's tracepoint would be newfstat: this one is not known. */
	assert_int_equal(rest.len, 2);
	assert_string_equal(rest.data[0]->event, "sys_exit_fstat");
	assert_string_equal(rest.data[1]->event, "sys_enter_read");
	assert_int_equal(groups.len, 1);
	g = groups.data[0];
	assert_int_equal(g->way, ATTACH_SYSCALL_TP);
	assert_int_equal(g->targets.len, 9);
	assert_int_equal(g->targets.data[2]->config, 257);
	assert_int_equal(g->selector.off2, 120);
	assert_int_equal(g->only_if.off2, 136);
	syscalls_shape(&f->env, g, &shape);
	assert_int_equal(shape.nargs, 1);
	assert_string_equal(shape.args[0].name, "ret");

	/* args.ret alone is no reason for a program each; any other argument is. */
	groups.len = rest.len = 0;
	wants = (struct group_wants){ .one_each = true };
	syscalls_group(&f->env, &all, &wants, &groups, &rest);
	assert_int_equal(groups.len, 1);
	groups.len = rest.len = 0;
	wants.other_args = true;
	syscalls_group(&f->env, &all, &wants, &groups, &rest);
	assert_int_equal(groups.len, 0);
	assert_int_equal(rest.len, all.len);
}
#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(stars_match_any_run),
		TEST(many_stars_take_no_exponential_time),
		TEST(names_in_any_case_aliases_exactly),
		TEST(every_provider_is_whole),
		TEST(rates_become_periods),
		TEST(bad_rates_are_refused),
		TEST(unknown_types_get_the_nearest),
		TEST(counters_have_default_periods),
		TEST(kprobe_parts_are_told_apart),
		TEST(wildcards_take_functions_in_their_order),
		TEST(nothing_matches_as_the_config_says),
		TEST(too_many_matches_are_refused),
		TEST(wildcarded_types_take_what_fits),
		TEST(unreadable_list_says_which),
		TEST(lists_are_sorted_and_say_each_name_once),
#ifdef __x86_64__
		TEST(registers_have_names),
		TEST(system_calls_go_by_their_tracepoints_names),
		TEST(many_system_calls_are_one_program),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
