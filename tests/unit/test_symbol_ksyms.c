#include "symbol/ksyms.h"

#include "base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int load_text(struct ksyms *ks, const char *text, struct err *e)
{
	char path[] = "/tmp/ksyms-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	int err = ksyms_load(ks, path, e);
	unlink(path);
	return err;
}

static const char sample[] = "0000000000000000 A fixed_percpu_data\n"
			     "0000000000002000 A cpu_number\n"
			     "ffffffff81000000 t _text_alias\n"
			     "ffffffff81000000 T _text\n"
			     "ffffffff81001000 T vfs_read\n"
			     "ffffffff81002000 t helper\n"
			     "ffffffff81003000 t helper\n"
			     "ffffffff81004000 D jiffies\n"
			     "ffffffff81005000 b weak_spot\n"
			     "ffffffffc0002000 t ext4_write\t[ext4]\n"
			     "ffffffffc0001000 T ext4_read\t[ext4]\n"
			     "ffffffffc0001800 t helper\t[ext4]\n"
			     "ffffffffc0000100 t nf_hook\t[nf]\n"
			     "ffffffff81006000 T late_one\n";

static void load_sample(struct ksyms *ks)
{
	struct err e = {};

	assert_int_equal(load_text(ks, sample, &e), 0);
}

static void assert_at(const struct ksyms *ks, uint64_t addr, const char *name, uint64_t offset)
{
	struct ksym s;

	assert_true(ksyms_lookup(ks, addr, &s));
	assert_string_equal(s.name, name);
	assert_int_equal(s.offset, offset);
	assert_int_equal(s.addr, addr - offset);
}

static void test_an_address_is_its_symbol_and_offset(void **state)
{
	struct ksyms ks = {};

	(void)state;
	load_sample(&ks);
	assert_at(&ks, 0xffffffff81001000, "vfs_read", 0);
	assert_at(&ks, 0xffffffff81001fff, "vfs_read", 0xfff);
	assert_at(&ks, 0xffffffff81004008, "jiffies", 8);
	assert_at(&ks, 0xffffffff81006010, "late_one", 0x10);
	assert_at(&ks, 0xffffffffc0000104, "nf_hook", 4);
	assert_at(&ks, 0xffffffffc0001804, "helper", 4);
	assert_at(&ks, 0xffffffffc0002004, "ext4_write", 4);
	ksyms_fini(&ks);
}

static void test_outside_of_all_symbols_is_nothing(void **state)
{
	struct ksyms ks = {};
	struct ksym s;

	(void)state;
	load_sample(&ks);
	assert_false(ksyms_lookup(&ks, 0, &s));
	assert_false(ksyms_lookup(&ks, 0x2010, &s));
	assert_false(ksyms_lookup(&ks, 0xffffffff80ffffff, &s));
	assert_false(ksyms_lookup(&ks, 0xffffffffa0000000, &s));
	assert_false(ksyms_lookup(&ks, UINT64_MAX, &s));
	ksyms_fini(&ks);
}

static void test_behind_a_module_is_nothing(void **state)
{
	struct ksyms ks = {};
	struct ksym s;

	(void)state;
	load_sample(&ks);
	assert_at(&ks, 0xffffffffc0003fff, "ext4_write", 0x1fff);
	assert_false(ksyms_lookup(&ks, 0xffffffffc0004000, &s));
	assert_at(&ks, 0xffffffffc0000fff, "nf_hook", 0xeff);
	/* the kernel's last symbol, far below the first module */
	assert_at(&ks, 0xffffffff81007fff, "late_one", 0x1fff);
	assert_false(ksyms_lookup(&ks, 0xffffffff81008000, &s));
	ksyms_fini(&ks);
}

static void test_a_global_alias_is_preferred(void **state)
{
	struct ksyms ks = {};

	(void)state;
	load_sample(&ks);
	assert_at(&ks, 0xffffffff81000010, "_text", 0x10);
	ksyms_fini(&ks);
}

static void test_modules_keep_their_names(void **state)
{
	struct ksyms ks = {};
	struct ksym s;

	(void)state;
	load_sample(&ks);
	assert_true(ksyms_lookup(&ks, 0xffffffffc0001004, &s));
	assert_string_equal(s.module, "ext4");
	assert_true(ksyms_lookup(&ks, 0xffffffffc0000104, &s));
	assert_string_equal(s.module, "nf");
	assert_true(ksyms_lookup(&ks, 0xffffffff81001004, &s));
	assert_null(s.module);
	ksyms_fini(&ks);
}

static void test_a_name_is_found(void **state)
{
	struct ksyms ks = {};
	struct ksym s;

	(void)state;
	load_sample(&ks);
	assert_true(ksyms_find(&ks, "vfs_read", &s));
	assert_true(s.addr == 0xffffffff81001000 && s.offset == 0 && s.type == 'T');
	assert_true(ksyms_find(&ks, "_text_alias", &s));
	assert_true(s.addr == 0xffffffff81000000);
	/* Of three with one name, the lowest. */
	assert_true(ksyms_find(&ks, "helper", &s));
	assert_true(s.addr == 0xffffffff81002000);
	/* The end of a name is not a name. */
	assert_false(ksyms_find(&ks, "read", &s));
	assert_false(ksyms_find(&ks, "vfs_rea", &s));
	assert_false(ksyms_find(&ks, "", &s));
	ksyms_fini(&ks);
}

static void test_hidden_addresses_are_an_error_with_advice(void **state)
{
	struct ksyms ks = {};
	struct err e = {};

	(void)state;
	assert_int_equal(load_text(&ks, "0000000000000000 T a\n0000000000000000 T b\n", &e),
			 -EPERM);
	assert_non_null(strstr(e.hint, "kptr_restrict"));
	assert_int_equal(ks.syms.len, 0);
	assert_int_equal(ksyms_load(&ks, "/does/not/exist", &e), -ENOENT);
}

static void test_odd_lines_are_skipped(void **state)
{
	struct ksyms ks = {};
	struct err e = {};

	(void)state;
	assert_int_equal(load_text(&ks,
				   "\n \nzzz\nffffffff81000000\nffffffff81000000 T\n"
				   "ffffffff81000000 T \nffffffff81000000 T x\n"
				   "ffffffff81000010 T y\t[\nffffffff81000020 T unfinished",
				   &e),
			 0);
	assert_int_equal(ks.syms.len, 2);
	assert_at(&ks, 0xffffffff81000001, "x", 1);
	assert_at(&ks, 0xffffffff81000010, "y", 0);
	ksyms_fini(&ks);
}

/* Many symbols, so that lines cross the ends of reads; in an order that must be sorted. */
static void test_a_large_shuffled_file(void **state)
{
	enum { N = 20000, STEP = 7919 };
	char *text = xcalloc(N, 40), *p = text;
	struct ksyms ks = {};
	struct err e = {};

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		unsigned n = i * STEP % N;

		p += sprintf(p, "ffffffff81%06x t symbol_%u\n", n * 64, n);
	}
	assert_int_equal(load_text(&ks, text, &e), 0);
	assert_int_equal(ks.syms.len, N);
	for (unsigned i = 0; i < N; i++) {
		char name[32];

		sprintf(name, "symbol_%u", i);
		assert_at(&ks, 0xffffffff81000000 + i * 64 + 63, name, 63);
	}
	ksyms_fini(&ks);
	free(text);
}

static void test_the_running_kernel(void **state)
{
	struct ksyms ks = {};
	struct err e = {};
	struct ksym s, at;

	(void)state;
	if (ksyms_load(&ks, KSYMS_PATH, &e))
		skip();
	assert_true(ksyms_find(&ks, "vfs_read", &s));
	assert_true(ksyms_lookup(&ks, s.addr + 1, &at));
	assert_string_equal(at.name, "vfs_read");
	for (size_t i = 1; i < ks.syms.len; i++)
		assert_true(ks.syms.data[i - 1].addr <= ks.syms.data[i].addr);
	ksyms_fini(&ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_its_symbol_and_offset),
		cmocka_unit_test(test_outside_of_all_symbols_is_nothing),
		cmocka_unit_test(test_behind_a_module_is_nothing),
		cmocka_unit_test(test_a_global_alias_is_preferred),
		cmocka_unit_test(test_modules_keep_their_names),
		cmocka_unit_test(test_a_name_is_found),
		cmocka_unit_test(test_hidden_addresses_are_an_error_with_advice),
		cmocka_unit_test(test_odd_lines_are_skipped),
		cmocka_unit_test(test_a_large_shuffled_file),
		cmocka_unit_test(test_the_running_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
