#include "symbol/elf.h"

#include "base/auto.h"
#include "symbol/demangle.h"
#include "symbol/elf_funcs.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Known functions of the file under test, which is this program itself. */
__attribute__((noinline)) int elf_test_first(int x)
{
	__asm__ volatile("");
	return x + 1;
}

static __attribute__((noinline, used)) int elf_test_local(int x)
{
	__asm__ volatile("");
	return x * 2;
}

__attribute__((weak, alias("elf_test_first"))) int __elf_test_alias(int x);

static const int elf_test_object = 7;

static void open_self(struct elf *f, struct elf_funcs *funcs)
{
	struct err e = {};

	assert_int_equal(elf_open(f, "/proc/self/exe", &e), 0);
	elf_funcs_load(funcs, f, NULL);
}

static void functions_have_their_addresses(void **state)
{
	struct elf f;
	struct elf_funcs funcs;

	(void)state;
	open_self(&f, &funcs);

	const struct elf_func *first = elf_funcs_find(&funcs, "elf_test_first");
	const struct elf_func *local = elf_funcs_find(&funcs, "elf_test_local");
	assert_non_null(first);
	assert_non_null(local);
	assert_int_equal(local->addr - first->addr,
			 (uintptr_t)elf_test_local - (uintptr_t)elf_test_first);
	assert_true(first->size > 0 && local->size > 0);
	assert_null(elf_funcs_find(&funcs, "elf_test_object"));
	assert_null(elf_funcs_find(&funcs, "elf_test_none"));
	elf_funcs_fini(&funcs);
	elf_close(&f);
}

static void addresses_have_their_functions(void **state)
{
	struct elf f;
	struct elf_funcs funcs;

	(void)state;
	open_self(&f, &funcs);

	const struct elf_func *first = elf_funcs_find(&funcs, "elf_test_first");
	const struct elf_func *found = elf_funcs_at(&funcs, first->addr + first->size - 1);
	/* Of two names at one place, the one that a person would use. */
	assert_string_equal(elf_func_name(&funcs, found), "elf_test_first");
	assert_non_null(elf_funcs_find(&funcs, "__elf_test_alias"));
	assert_null(elf_funcs_at(&funcs, 1));
	elf_funcs_fini(&funcs);
	elf_close(&f);
}

static void offsets_find_the_code_in_the_file(void **state)
{
	auto_fclose FILE *file = fopen("/proc/self/exe", "re");
	unsigned char bytes[8];
	struct elf f;
	struct elf_funcs funcs;
	uint64_t offset, addr;

	(void)state;
	open_self(&f, &funcs);
	const struct elf_func *fn = elf_funcs_find(&funcs, "elf_test_local");
	assert_true(elf_offset_of(&f, fn->addr, &offset));
	assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	assert_memory_equal(bytes, (const void *)elf_test_local, sizeof(bytes));

	assert_true(elf_addr_of(&f, offset, &addr));
	assert_int_equal(addr, fn->addr);
	assert_true(elf_is_code(&f, fn->addr));
	assert_false(elf_is_code(&f, UINT64_MAX - 4));
	assert_false(elf_offset_of(&f, UINT64_MAX - 4, &offset));
	elf_funcs_fini(&funcs);
	elf_close(&f);
}

static bool find_object(void *arg, const struct elf_symbol *s)
{
	bool *found = arg;

	*found = !strcmp(s->name, "elf_test_object") && s->type == STT_OBJECT;
	return !*found;
}

static void other_symbols_can_be_walked(void **state)
{
	struct err e = {};
	bool found = false;
	struct elf f;
	uint64_t addr;

	(void)state;
	assert_int_equal(*(const volatile int *)&elf_test_object, 7);
	assert_int_equal(elf_open(&f, "/proc/self/exe", &e), 0);
	elf_each_symbol(&f, find_object, &found);
	assert_true(found);
	assert_true(elf_section_addr(&f, ".text", &addr));
	assert_false(elf_section_addr(&f, ".none", &addr));
	elf_close(&f);
}

static void count_note(void *arg, const struct elf_note *n)
{
	unsigned *count = arg;

	assert_string_equal(n->owner, "GNU");
	assert_true(n->size >= 16);
	++*count;
}

static void notes_can_be_walked(void **state)
{
	unsigned count = 0;
	struct err e = {};
	struct elf f;

	(void)state;
	assert_int_equal(elf_open(&f, "/proc/self/exe", &e), 0);
	elf_each_note(&f, ".note.gnu.build-id", count_note, &count);
	assert_true(count <= 1);
	elf_close(&f);
}

static void what_is_no_program_is_refused(void **state)
{
	struct elf f;
	struct err e = {};

	(void)state;
	assert_int_equal(elf_open(&f, "/no/such/file", &e), -ENOENT);
	assert_string_equal(e.msg, "read /no/such/file: No such file or directory");
	assert_int_equal(elf_open(&f, "/etc/passwd", &e), -ENOEXEC);
	assert_string_equal(e.msg, "/etc/passwd is not an ELF file");
	assert_int_equal(elf_open(&f, "/dev/zero", &e), -ENOEXEC);
	assert_int_equal(elf_open(&f, "/tmp", &e), -ENOEXEC);
}

/* A pseudo-random number; the same on every run. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

static void read_everything(const char *path)
{
	struct elf f;
	struct elf_funcs funcs;
	struct err e = {};
	unsigned notes = 0;
	uint64_t x;

	if (elf_open(&f, path, &e))
		return;
	elf_funcs_load(&funcs, &f, NULL);
	vec_each(fn, &funcs.list) {
		assert_true(fn->name < funcs.names.len);
		elf_offset_of(&f, fn->addr, &x);
	}
	elf_funcs_at(&funcs, 0x1234);
	elf_section_addr(&f, ".text", &x);
	notes += elf_word_size(&f);
	assert_true(notes == 4 || notes == 8);
	elf_funcs_fini(&funcs);
	elf_close(&f);
}

/* Broken headers and tables, and files cut short, are survived. */
static void damaged_files_do_no_harm(void **state)
{
	enum { ROUNDS = 60, PLACES = 12, HEAD = 4096 };
	auto_fclose FILE *file = fopen("/proc/self/exe", "re");
	char path[] = "/tmp/elf-XXXXXX";
	auto_close int fd = mkstemp(path);
	uint32_t seed = 0x2545f491;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fileno(file), &st), 0);
	auto_free unsigned char *bytes = xcalloc(1, (size_t)st.st_size);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, file), st.st_size);

	for (int round = 0; round < ROUNDS; round++) {
		size_t size = round % 3 ? (size_t)st.st_size : next_random(&seed) % st.st_size;

		assert_int_equal(pwrite(fd, bytes, (size_t)st.st_size, 0), st.st_size);
		for (int i = 0; i < PLACES; i++) {
			unsigned char value = (unsigned char)next_random(&seed);
			bool head = i % 2;
			off_t at = head ? next_random(&seed) % HEAD
					: st.st_size - 1 - next_random(&seed) % HEAD;

			assert_int_equal(pwrite(fd, &value, 1, at), 1);
		}
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		read_everything(path);
	}
	unlink(path);
}

/* What is left of a name without the result in front and the parameters behind. */
static void assert_bare(const char *name, const char *expect)
{
	auto_free char *text = xstrdup(name);

	text[demangled_params(text)] = '\0';
	assert_string_equal(text + demangled_name(text), expect);
}

static void demangled_names_are_taken_apart(void **state)
{
	(void)state;
	assert_bare("ns::f(int)", "ns::f");
	assert_bare("f", "f");
	assert_bare("", "");
	assert_bare("ns::box::operator()(int) const", "ns::box::operator()");
	assert_bare("(anonymous namespace)::f()", "(anonymous namespace)::f");
	assert_bare("main::{lambda(int)#1}::operator()(int) const",
		    "main::{lambda(int)#1}::operator()");
	assert_bare("int twice<int>(int)", "twice<int>");
	assert_bare("std::vector<int, std::allocator<int> > ns::make<int, (ns::kind)2>(int)",
		    "ns::make<int, (ns::kind)2>");
	assert_bare("bool operator< <int>(box<int>, box<int>)", "operator< <int>");
	assert_bare("bool ns::operator<<(int, int)", "bool ns::operator<<");
	assert_bare("box::operator->() const", "box::operator->");
	assert_bare("non-virtual thunk to ns::d::f(int)", "non-virtual thunk to ns::d::f");
	assert_bare("<fn(u32) -> u32 as core::ops::Fn>::call",
		    "<fn(u32) -> u32 as core::ops::Fn>::call");
	assert_bare("broken<(", "broken<(");
	assert_bare(">>)(", ">>)(");
}

static void assert_demangled(const char *name, const char *expect)
{
	auto_free char *text = demangle(name);

	if (!expect) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, expect);
}

static void encoded_names_become_readable(void **state)
{
	(void)state;
	assert_demangled("_ZN2ns1fEi", "ns::f(int)");
	assert_demangled("_ZNSt6vectorIiSaIiEE9push_backERKi",
			 "std::vector<int, std::allocator<int> >::push_back(int const&)");
	assert_demangled("_RNvC6_123foo3bar", "123foo::bar");
	assert_demangled("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
			 "core::fmt::Write::write_fmt");
	assert_demangled("main", NULL);
	assert_demangled("_Zbroken", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(demangled_names_are_taken_apart),
		cmocka_unit_test(functions_have_their_addresses),
		cmocka_unit_test(addresses_have_their_functions),
		cmocka_unit_test(offsets_find_the_code_in_the_file),
		cmocka_unit_test(other_symbols_can_be_walked),
		cmocka_unit_test(notes_can_be_walked),
		cmocka_unit_test(what_is_no_program_is_refused),
		cmocka_unit_test(damaged_files_do_no_harm),
		cmocka_unit_test(encoded_names_become_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
