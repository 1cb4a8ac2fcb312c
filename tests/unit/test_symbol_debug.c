/*
 * Debug information of files that are compiled here: where it is found, what it says, and that
 * a damaged one does no harm.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "damage.h"
#include "symbol/debug_line.h"
#include "symbol/elf_debug.h"
#include "symbol/elf_funcs.h"
#include "symbol/usyms.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <unistd.h>

static const char source[] =
	"struct link { struct link *next; int n : 3; union { long v; char t[4]; }; };\n"
	"enum { A, B = -1 };\n"
	"static inline __attribute__((always_inline)) int inner(int x)\n"
	"{ __asm__ volatile(\"nop\" : : \"r\"(x)); return x * 2; }\n"
	"__attribute__((noinline)) int outer(struct link *l, double d, int k)\n"
	"{ int r = inner(k) + inner(l->n + 1); return r + (int)d; }\n"
	"static __attribute__((noinline)) int hidden_name(int n) { return n + 1; }\n"
	"int main(int c, char **v) { struct link l = { 0 };\n"
	"  return outer(&l, 1.5, c) + hidden_name(c) + (v == 0); }\n";

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/test_debug.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	auto_sb struct sb path = {};
	sb_printf(&path, "%s/a.c", p->dir);
	FILE *f = fopen(sb_str(&path), "w");
	fputs(source, f);
	fclose(f);
	run(p, "cc -O2 -g -Wl,--build-id -o prog a.c && cc -O2 -gdwarf-4 -c -o obj.o a.c &&"
	       "objcopy --only-keep-debug prog prog.debug && strip -o bare prog &&"
	       "objcopy --add-gnu-debuglink=prog.debug bare linked");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	run(p, "cd / && rm -r %s", p->dir);
	free(p);
	return 0;
}

static int open_debug(struct debug_info *di, const struct place *p, const char *name,
		      const char *dirs)
{
	char path[64];
	struct elf f;
	struct err e;
	int r;

	assert_int_equal(elf_open(&f, in(p, name, path), &e), 0);
	r = debug_info_open(di, &f, dirs, &e);
	elf_close(&f);
	return r;
}

static uint64_t addr_of(const struct place *p, const char *file, const char *func)
{
	struct elf_funcs funcs;
	char path[64];
	struct elf f;
	struct err e;

	assert_int_equal(elf_open(&f, in(p, file, path), &e), 0);
	elf_funcs_load(&funcs, &f, p->dir);
	const struct elf_func *fn = elf_funcs_find(&funcs, func);
	uint64_t addr = fn ? fn->addr : 0;
	elf_funcs_fini(&funcs);
	elf_close(&f);
	return addr;
}

static void functions_and_lines_are_found(void **state)
{
	const struct place *p = *state;
	struct debug_line_search s;
	struct debug_inlined copies;
	struct debug_info di;
	const char *file;
	Dwarf_Die func, copy;
	int line;

	assert_int_equal(open_debug(&di, p, "prog", NULL), 0);
	assert_true(debug_info_func(&di, addr_of(p, "prog", "outer"), &func));
	assert_string_equal(die_name(&func), "outer");
	assert_true(debug_line_at(&di, addr_of(p, "prog", "hidden_name"), &file, &line));
	assert_int_equal(line, 7);
	assert_string_equal(strrchr(file, '/') + 1, "a.c");
	debug_line_find(&di, "a.c", 4, 0, &s);
	assert_int_equal(s.places.len, 2);
	vec_free(&s.places);
	debug_line_find(&di, ".c", 4, 0, &s);
	assert_int_equal(s.nfiles, 0);
	debug_line_find(&di, "a.c", 2, 0, &s);
	assert_int_equal(s.places.len, 0);
	assert_int_equal(s.before, 0);
	assert_in_range(s.after, 3, 4);
	debug_info_inlined(&di, NULL, "inner", &copies);
	assert_int_equal(copies.copies, 2);
	assert_int_equal(copies.line, 6);
	assert_int_equal(copies.entries.len, 2);
	assert_true(debug_info_inlined_at(&func, copies.entries.data[0], "inner", &copy));
	assert_false(debug_info_inlined_at(&func, copies.entries.data[0] + 1, "inner", &copy));
	vec_free(&copies.entries);
	debug_info_close(&di);
}

static void a_linked_debug_file_must_fit(void **state)
{
	const struct place *p = *state;
	struct debug_info di;

	assert_int_equal(open_debug(&di, p, "bare", NULL), -ENODATA);
	/* The build ids are the same, but the folder is not one of ids. */
	assert_int_equal(open_debug(&di, p, "linked", "/nowhere"), 0);
	debug_info_close(&di);
	assert_int_not_equal(addr_of(p, "linked", "hidden_name"), 0);
	assert_int_equal(addr_of(p, "bare", "hidden_name"), 0);
	run(p, "mkdir .debug && mv prog.debug .debug/");
	assert_int_equal(open_debug(&di, p, "linked", "/nowhere"), 0);
	debug_info_close(&di);
	run(p, "cp .debug/prog.debug . && printf x >>.debug/prog.debug");
	assert_int_equal(open_debug(&di, p, "linked", "/nowhere"), 0);
	debug_info_close(&di);
	run(p, "printf x >>prog.debug");
	assert_int_equal(open_debug(&di, p, "linked", "/nowhere"), -ENODATA);
	run(p, "rm -r .debug prog.debug && objcopy --only-keep-debug prog prog.debug");
}

static void a_debug_file_is_found_by_its_build_id(void **state)
{
	const struct place *p = *state;
	auto_sb struct sb dirs = {};
	struct debug_info di;

	run(p,
	    "id=$(readelf -n prog | sed -n 's/.*Build ID: //p') && d=ids/.build-id/${id%%${id#??}} &&"
	    "mkdir -p $d other && cp prog.debug $d/${id#??}.debug");
	sb_printf(&dirs, "/nowhere::%s/other:%s/ids", p->dir, p->dir);
	assert_int_equal(open_debug(&di, p, "bare", sb_str(&dirs)), 0);
	debug_info_close(&di);
	/* That of another program, though it lies there, is not taken. */
	run(p, "f=$(echo ids/.build-id/*/*) && cc -g -Wl,--build-id=0x1234 -o $f a.c");
	assert_int_equal(open_debug(&di, p, "bare", sb_str(&dirs)), -ENODATA);
}

static void compressed_symbols_are_read(void **state)
{
	const struct place *p = *state;

	run(p, "objcopy -S --remove-section=.gnu_debuglink prog.debug packed 2>/dev/null; "
	       "objcopy --strip-debug prog mini && xz -k -f mini && "
	       "objcopy --add-section .gnu_debugdata=mini.xz bare mini-bare");
	assert_int_equal(addr_of(p, "mini-bare", "hidden_name"),
			 addr_of(p, "prog", "hidden_name"));
	/* Cut off in the middle, and no xz at all. */
	run(p, "head -c 900 mini.xz >short.xz && head -c 900 prog >bad.xz &&"
	       "objcopy --add-section .gnu_debugdata=short.xz bare short-bare &&"
	       "objcopy --add-section .gnu_debugdata=bad.xz bare bad-bare");
	assert_int_equal(addr_of(p, "short-bare", "hidden_name"), 0);
	assert_int_equal(addr_of(p, "bad-bare", "hidden_name"), 0);
}

static void compressed_debug_sections_are_read(void **state)
{
	const struct place *p = *state;
	struct debug_info di;
	Dwarf_Die func;

	run(p, "objcopy --compress-debug-sections=zlib prog zipped");
	assert_int_equal(open_debug(&di, p, "zipped", NULL), 0);
	assert_true(debug_info_func(&di, addr_of(p, "prog", "outer"), &func));
	debug_info_close(&di);
}

struct wanted {
	const char *path;
	uint64_t base;
};

static bool find_base(void *arg, const struct mapping *m)
{
	struct wanted *w = arg;

	if (!strcmp(m->path, w->path) && !m->offset)
		w->base = m->start;
	return !w->base;
}

/* Another program takes the place of the one that runs: its names are not this one's. */
static void a_program_that_was_replaced_keeps_its_names(void **state)
{
	const struct place *p = *state;
	char path[64];
	struct wanted w = { in(p, "runs", path), 0 };
	struct usym_line lines[USYM_LINES_MAX];
	struct usyms *us = usyms_new();
	struct usym sym;

	run(p, "printf '#include <unistd.h>\\nint mine(void) { return pause(); }\\n"
	       "int main(void) { return mine(); }\\n' >m.c && cc -g -o runs m.c &&"
	       "sed s/mine/other/ m.c >o.c && cc -g -o new o.c");
	uint64_t addr = addr_of(p, "runs", "mine");
	assert_int_equal(addr, addr_of(p, "new", "other"));
	pid_t pid = fork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(1);
	}
	for (int i = 0; i < 5000 && !w.base; i++) {
		usleep(1000);
		procmaps_each(pid, find_base, &w);
	}
	assert_true(w.base);
	run(p, "mv new runs");
	usyms_set(us, &(struct usyms_how){ "/nowhere", true });
	usyms_lookup(us, pid, w.base + addr, &sym);
	unsigned n = usyms_lines(us, pid, w.base + addr, false, lines);
	/* It can be opened by who may look into map_files. */
	if (sym.name) {
		assert_string_equal(sym.name, "mine");
		assert_int_equal(n, 1);
		assert_string_equal(lines[0].file, "m.c");
		assert_int_equal(lines[0].line, 2);
	} else {
		assert_int_not_equal(getuid(), 0);
		assert_int_equal(n, 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	usyms_free(us);
}

static bool take_symbol(void *arg, const struct elf_symbol *s)
{
	*(size_t *)arg += strlen(s->name);
	return true;
}

/* Asks all there is to ask. */
static void ask_everything(const char *path)
{
	struct debug_line_search s;
	struct debug_inlined copies;
	Dwarf_Die inlined[DEBUG_INLINED_MAX], func;
	struct elf_funcs funcs;
	struct debug_info di;
	size_t n = 0;
	struct elf f;
	struct err e;

	if (elf_open(&f, path, &e))
		return;
	elf_each_symbol(&f, take_symbol, &n);
	elf_funcs_load(&funcs, &f, "/nowhere");
	if (!debug_info_open(&di, &f, "/nowhere", &e)) {
		for (uint64_t addr = 0x1000; addr < 0x1300; addr += 5) {
			const char *file;
			unsigned reg;
			int64_t off;
			int line;

			debug_line_at(&di, addr, &file, &line);
			debug_line_inlined(&di, addr, inlined);
			if (debug_info_func(&di, addr, &func)) {
				debug_info_inlined(&di, &func, "inner", &copies);
				vec_free(&copies.entries);
				debug_info_inlined_at(&func, addr, "inner", inlined);
			}
			debug_info_cfa(&di, addr, &reg, &off);
		}
		debug_line_find(&di, "a.c", 4, 0, &s);
		vec_free(&s.places);
		debug_info_inlined(&di, NULL, "inner", &copies);
		vec_free(&copies.entries);
		debug_info_close(&di);
	}
	elf_funcs_fini(&funcs);
	elf_close(&f);
}

static void damaged_programs_do_no_harm(void **state)
{
	damage(*state, "prog", 600, ask_everything);
}

static void damaged_objects_do_no_harm(void **state)
{
	damage(*state, "obj.o", 600, ask_everything);
}

/* Every byte of the sections that are read alone, one at a time. */
static void damaged_sections_do_no_harm(void **state)
{
	static const char *const names[] = { "debug_info",     "debug_abbrev",	 "debug_line",
					     "debug_rnglists", "debug_loclists", "eh_frame" };
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], *bytes;
		uint32_t seed = 7;

		run(p, "objcopy --dump-section .%s=section prog whole", names[i]);
		int fd = open(in(p, "section", path), O_RDONLY | O_CLOEXEC);
		struct stat st;
		fstat(fd, &st);
		bytes = xcalloc(1, (size_t)st.st_size + 1);
		ssize_t n = read(fd, bytes, (size_t)st.st_size);
		close(fd);
		assert_true(n > 0);

		char *whole, *at;
		fd = open(in(p, "prog", path), O_RDONLY | O_CLOEXEC);
		fstat(fd, &st);
		size_t size = (size_t)st.st_size;
		whole = xcalloc(1, size);
		assert_int_equal(read(fd, whole, size), size);
		close(fd);
		at = memmem(whole, size, bytes, (size_t)n);
		assert_non_null(at);
		for (ssize_t k = 0; k < n && k < 120; k++) {
			char kept = at[k];

			at[k] = (char)draw(&seed);
			write_file(in(p, "damaged", path), whole, size);
			alarm(20);
			ask_everything(path);
			alarm(0);
			at[k] = kept;
		}
		free(whole);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_and_lines_are_found),
		cmocka_unit_test(a_linked_debug_file_must_fit),
		cmocka_unit_test(a_debug_file_is_found_by_its_build_id),
		cmocka_unit_test(compressed_symbols_are_read),
		cmocka_unit_test(compressed_debug_sections_are_read),
		cmocka_unit_test(a_program_that_was_replaced_keeps_its_names),
		cmocka_unit_test(damaged_programs_do_no_harm),
		cmocka_unit_test(damaged_objects_do_no_harm),
		cmocka_unit_test(damaged_sections_do_no_harm),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
