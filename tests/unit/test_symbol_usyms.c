#include "symbol/usyms.h"

#include "base/auto.h"
#include "symbol/perfmap.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

__attribute__((noinline)) int usyms_test_function(int x)
{
	__asm__ volatile("");
	return x + 1;
}

static void assert_name(struct usyms *us, pid_t pid, uint64_t addr, const char *name,
			uint64_t offset)
{
	struct usym sym;

	assert_true(usyms_lookup(us, pid, addr, &sym));
	assert_non_null(sym.name);
	assert_string_equal(sym.name, name);
	assert_int_equal(sym.offset, offset);
}

static void own_functions_have_names(void **state)
{
	struct usyms *us = usyms_new();
	uint64_t addr = (uint64_t)(uintptr_t)usyms_test_function;
	struct usym sym;

	(void)state;
	assert_name(us, getpid(), addr, "usyms_test_function", 0);
	assert_name(us, getpid(), addr + 1, "usyms_test_function", 1);
	assert_true(usyms_lookup(us, getpid(), addr, &sym));
	assert_non_null(strstr(sym.module, "test_symbol_usyms"));
	assert_false(usyms_lookup(us, getpid(), 16, &sym));
	assert_null(sym.name);
	assert_false(usyms_lookup(us, 0, addr, &sym));
	usyms_free(us);
}

/* A child with the same program at the same addresses. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void names_survive_the_process(void **state)
{
	struct usyms *us = usyms_new();
	uint64_t addr = (uint64_t)(uintptr_t)usyms_test_function;
	pid_t seen = start_child(), unseen = start_child();
	struct usym sym;

	(void)state;
	usyms_remember(us, seen);
	end_child(seen);
	end_child(unseen);
	assert_name(us, seen, addr, "usyms_test_function", 0);
	assert_false(usyms_lookup(us, unseen, addr, &sym));
	usyms_free(us);
}

static void a_fork_has_what_its_parent_has(void **state)
{
	struct usyms *us = usyms_new();
	uint64_t addr = (uint64_t)(uintptr_t)usyms_test_function;
	enum { NOBODY = 4194303 }; /* above the highest pid unless configured otherwise */
	struct usym sym;

	(void)state;
	usyms_remember(us, getpid());
	usyms_fork(us, getpid(), NOBODY);
	assert_name(us, NOBODY, addr, "usyms_test_function", 0);
	usyms_start_over(us, NOBODY);
	assert_false(usyms_lookup(us, NOBODY, addr, &sym));
	usyms_free(us);
}

static void what_is_mapped_later_replaces(void **state)
{
	struct usyms *us = usyms_new();
	enum { NOBODY = 4194303 };
	struct mapping first = {
		.start = 0x10000, .end = 0x20000, .is_code = true, .path = "[a]"
	};
	struct mapping second = {
		.start = 0x18000, .end = 0x28000, .is_code = true, .path = "[b]"
	};
	struct usym sym;

	(void)state;
	usyms_add_mapping(us, NOBODY, &first);
	assert_true(usyms_lookup(us, NOBODY, 0x11000, &sym));
	assert_string_equal(sym.module, "[a]");
	usyms_add_mapping(us, NOBODY, &second);
	assert_false(usyms_lookup(us, NOBODY, 0x11000, &sym));
	assert_true(usyms_lookup(us, NOBODY, 0x27fff, &sym));
	assert_string_equal(sym.module, "[b]");
	assert_null(sym.name);
	assert_false(usyms_lookup(us, NOBODY, 0x28000, &sym));
	usyms_free(us);
}

static void processes_are_bounded(void **state)
{
	struct usyms *us = usyms_new();
	struct mapping m = { .start = 0x10000, .end = 0x20000, .is_code = true, .path = "[a]" };
	enum { FIRST = 5000000, MORE = 100 };
	int kept = 0;
	struct usym sym;

	(void)state;
	for (int i = 0; i < USYMS_PROCESSES; i++)
		usyms_add_mapping(us, FIRST + i, &m);
	/* Asked for, so that others go first. */
	assert_true(usyms_lookup(us, FIRST, 0x10000, &sym));
	for (int i = USYMS_PROCESSES; i < USYMS_PROCESSES + MORE; i++)
		usyms_add_mapping(us, FIRST + i, &m);
	assert_int_equal(usyms_unknown(us), 0);
	for (int i = 0; i < USYMS_PROCESSES + MORE; i++) {
		bool is_kept = usyms_lookup(us, FIRST + i, 0x10000, &sym);

		assert_int_equal(is_kept, i == 0 || i > MORE);
		kept += is_kept;
	}
	assert_int_equal(kept, USYMS_PROCESSES);
	assert_int_equal(usyms_unknown(us), MORE);
	usyms_free(us);
}

/* Many mappings leave room for fewer processes, but not for any number less. */
static void processes_with_much_mapped_are_fewer(void **state)
{
	struct usyms *us = usyms_new();
	enum { FIRST = 5000000, MORE = 100, EACH = 32 };
	unsigned kept = 0;
	struct usym sym;

	(void)state;
	for (int i = 0; i < USYMS_ALWAYS + MORE; i++) {
		for (uint64_t at = 1; at <= EACH; at++)
			usyms_add_mapping(us, FIRST + i,
					  &(struct mapping){ .start = at << 16,
							     .end = (at + 1) << 16,
							     .is_code = true,
							     .path = "[a]" });
		usyms_ended(us, FIRST + i);
	}
	for (int i = 0; i < USYMS_ALWAYS + MORE; i++)
		kept += usyms_lookup(us, FIRST + i, EACH << 16, &sym);
	assert_int_equal(kept, USYMS_ALWAYS);
	assert_int_equal(usyms_unknown(us), MORE);
	usyms_free(us);
}

static void the_vdso_has_names(void **state)
{
	struct usyms *us = usyms_new();
	uint64_t base = getauxval(AT_SYSINFO_EHDR);
	unsigned named = 0;
	struct usym sym;

	(void)state;
	if (!base)
		skip();
	for (unsigned off = 0; off < 4096; off += 16) {
		if (usyms_lookup(us, getpid(), base + off, &sym) && sym.name) {
			assert_string_equal(sym.module, "[vdso]");
			named += strstr(sym.name, "vdso") || strstr(sym.name, "time");
		}
	}
	assert_true(named > 0);
	usyms_free(us);
}

static void write_map(const char *path, const char *text)
{
	auto_fclose FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
}

static void compiled_code_has_the_names_of_its_map(void **state)
{
	struct usyms *us = usyms_new();
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	write_map(path, "1000 100 old\n1000 80 jit::first()\nnonsense\n2000 0 empty\n"
			"3000 10 with spaces in it\n");
	assert_name(us, getpid(), 0x1010, "jit::first()", 0x10);
	assert_name(us, getpid(), 0x1090, "old", 0x90);
	assert_name(us, getpid(), 0x3000, "with spaces in it", 0);
	unlink(path);
	usyms_free(us);
}

/* A compiler that works on one place again and again, and has not ended its last line. */
static void the_last_function_of_a_place_is_named(void **state)
{
	struct usyms *us = usyms_new();
	auto_sb struct sb text = {};
	char path[64];

	(void)state;
	sb_puts(&text, "1000 100 first\n");
	for (int i = 0; i < 40; i++)
		sb_printf(&text, "1000 %x tier%d\n", 0x80 - i, i);
	sb_puts(&text, "1000 40 last");
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	write_map(path, sb_str(&text));
	assert_name(us, getpid(), 0x1010, "last", 0x10);
	assert_name(us, getpid(), 0x1040, "tier39", 0x40);
	assert_name(us, getpid(), 0x1058, "tier39", 0x58); /* 0x59 bytes long */
	assert_name(us, getpid(), 0x1059, "tier38", 0x59);
	unlink(path);
	usyms_free(us);
}

/*
 * As perf 6.1 names them where it has a name: of those that have the address the one that
 * begins last, wherever its line is. Behind an inner function perf has none for the outer one.
 */
static void functions_that_overlap_are_told_by_their_start(void **state)
{
	struct usyms *us = usyms_new();
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	write_map(path, "1000 1000 outer\n1100 100 inner\n"
			"3100 100 inner_before\n3000 1000 outer_after\n"
			"5000 400 low\n5200 400 high_after\n"
			"7200 400 high\n7000 400 low_after\n");
	assert_name(us, getpid(), 0x1050, "outer", 0x50);
	assert_name(us, getpid(), 0x1150, "inner", 0x50);
	assert_name(us, getpid(), 0x1300, "outer", 0x300);
	assert_name(us, getpid(), 0x3050, "outer_after", 0x50);
	assert_name(us, getpid(), 0x3150, "inner_before", 0x50);
	assert_name(us, getpid(), 0x3300, "outer_after", 0x300);
	assert_name(us, getpid(), 0x5100, "low", 0x100);
	assert_name(us, getpid(), 0x5300, "high_after", 0x100);
	assert_name(us, getpid(), 0x5500, "high_after", 0x300);
	assert_name(us, getpid(), 0x7100, "low_after", 0x100);
	assert_name(us, getpid(), 0x7300, "high", 0x100);
	assert_name(us, getpid(), 0x7500, "high", 0x300);
	unlink(path);
	usyms_free(us);
}

static void a_map_that_is_no_file_is_not_read(void **state)
{
	struct elf_funcs funcs = {};

	(void)state;
	assert_true(perfmap_load(&funcs, "/dev/zero") < 0);
	assert_true(perfmap_load(&funcs, "/tmp") < 0);
	assert_true(perfmap_load(&funcs, "/no/such/map") < 0);
	assert_int_equal(funcs.list.len, 0);
}

static void lines_of_maps_are_read(void **state)
{
	char code[] = "7f0000001000-7f0000002000 r-xp 00001000 fe:01 1234   /usr/lib/a b.so\n";
	char gone[] = "1000-2000 rw-p 00000000 00:05 7 /memfd:x (deleted)\n";
	char none[] = "1000-2000 rw-p 00000000 00:00 0 \n";
	char bad[] = "2000-1000 rw-p 0 0:0 0\n", text[] = "hello";
	struct mapping m;

	(void)state;
	assert_true(procmaps_parse(code, &m));
	assert_int_equal(m.start, 0x7f0000001000);
	assert_int_equal(m.offset, 0x1000);
	assert_int_equal(m.major, 0xfe);
	assert_int_equal(m.minor, 1);
	assert_int_equal(m.inode, 1234);
	assert_true(m.is_code);
	assert_string_equal(m.path, "/usr/lib/a b.so");
	assert_true(procmaps_parse(gone, &m));
	assert_true(m.is_gone);
	assert_string_equal(m.path, "/memfd:x");
	assert_true(procmaps_parse(none, &m));
	assert_string_equal(m.path, "");
	assert_false(procmaps_parse(bad, &m));
	assert_false(procmaps_parse(text, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_functions_have_names),
		cmocka_unit_test(names_survive_the_process),
		cmocka_unit_test(a_fork_has_what_its_parent_has),
		cmocka_unit_test(what_is_mapped_later_replaces),
		cmocka_unit_test(processes_are_bounded),
		cmocka_unit_test(processes_with_much_mapped_are_fewer),
		cmocka_unit_test(the_vdso_has_names),
		cmocka_unit_test(compiled_code_has_the_names_of_its_map),
		cmocka_unit_test(the_last_function_of_a_place_is_named),
		cmocka_unit_test(functions_that_overlap_are_told_by_their_start),
		cmocka_unit_test(a_map_that_is_no_file_is_not_read),
		cmocka_unit_test(lines_of_maps_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
