/* The BTF reader on the running kernel's own types; skipped where the kernel has none. */
#include "types/btf_raw.h"
#include "types/kernel_types.h"

#include "base/auto.h"

#include "../fuzz/btf_read_all.h"
#include "mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct typetab tt;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	typetab_init(&f->tt, &f->arena);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	btf_free((struct btf *)f->tt.btf);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static const struct btf *kernel(struct fixture *f)
{
	struct err e;

	if (!kernel_btf(&f->tt, &e))
		skip();
	return f->tt.btf;
}

static const struct type *find_struct(struct fixture *f, const char *name)
{
	uint32_t id = btf_find(kernel(f), BTF_STRUCTS, name);

	assert_int_not_equal(id, 0);
	return btf_type(&f->tt, f->tt.btf, id);
}

static struct field find_member(struct fixture *f, const struct type *t, const char *name)
{
	struct field m;

	assert_true(type_member(&f->tt, t, name, &m));
	return m;
}

static void test_task_struct(void **state)
{
	struct fixture *f = *state;
	const struct type *task = find_struct(f, "task_struct");
	struct field pid = find_member(f, task, "pid"), comm = find_member(f, task, "comm");
	struct field parent = find_member(f, task, "real_parent");

	assert_string_equal(type_str(&f->arena, pid.type), "int32");
	assert_int_equal(comm.type->kind, T_ARRAY);
	assert_int_equal(comm.type->nelems, 16);
	assert_true(comm.type->elem->is_char);
	assert_ptr_equal(parent.type->elem, task);
	assert_int_equal(find_member(f, task, "tgid").bit_off, pid.bit_off + 32);
	assert_string_equal(type_str(&f->arena, find_member(f, task, "se").type),
			    "struct sched_entity");
	assert_int_equal(find_member(f, task, "sched_reset_on_fork").bit_size, 1);
	assert_true(task->size > 1000 && pid.bit_off / 8 < task->size);
}

/* struct iphdr and sockaddr_in are fixed by what is sent over the wire and by the ABI. */
static void test_structs_of_known_layout(void **state)
{
	static const struct {
		const char *name, *member;
		uint32_t bit_off, size, bit_size;
	} cases[] = {
		{ "iphdr", "ihl", 0, 1, 4 },
		{ "iphdr", "version", 4, 1, 4 },
		{ "iphdr", "tot_len", 16, 2, 0 },
		{ "iphdr", "protocol", 72, 1, 0 },
		{ "iphdr", "daddr", 128, 4, 0 },
		{ "sockaddr_in", "sin_port", 16, 2, 0 },
		{ "sockaddr_in", "sin_addr", 32, 4, 0 },
		{ "list_head", "prev", 64, 8, 0 },
		{ "timespec64", "tv_nsec", 64, 8, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct type *t = find_struct(f, cases[i].name);
		struct field m = find_member(f, t, cases[i].member);

		assert_int_equal(m.bit_off, cases[i].bit_off);
		assert_int_equal(m.bit_size, cases[i].bit_size);
		assert_int_equal(m.type->size, cases[i].size);
	}
}

static void test_enums_and_typedefs(void **state)
{
	struct fixture *f = *state;
	const struct btf *b = kernel(f);
	int64_t value;
	uint32_t id;

	assert_true(btf_find_const(b, "TCP_ESTABLISHED", &value, &id));
	assert_int_equal(value, 1);
	assert_string_equal(type_str(&f->arena, btf_type(&f->tt, b, btf_find_type(b, "pid_t"))),
			    "int32");
	assert_string_equal(
		type_str(&f->arena, btf_type(&f->tt, b, btf_find_type(b, "size_t"))), "uint64");
}

static void test_a_function(void **state)
{
	struct fixture *f = *state;
	const struct btf *b = kernel(f);
	struct btf_param params[8];
	const struct type *ret;
	auto_sb struct sb text = {};

	uint32_t id = btf_find(b, BTF_FUNCS, "vfs_read");
	assert_int_equal(btf_func_params(&f->tt, b, id, params, 8, &ret), 4);
	assert_string_equal(params[0].name, "file");
	assert_string_equal(type_str(&f->arena, params[0].type), "struct file *");
	assert_string_equal(type_str(&f->arena, ret), "int64");
	btf_print_c(b, id, &text);
	assert_string_equal(sb_str(&text), "ssize_t vfs_read(struct file *file, char *buf, "
					   "size_t count, loff_t *pos);\n");
}

/* No member of the kernel's own types is taken for damage, and each is found by its name. */
static bool check_members(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	struct fixture *f = arg;
	const struct type *t = btf_type(&f->tt, b, id);
	uint32_t n;
	const struct field *fields = type_fields(&f->tt, t, &n);
	struct field m;

	(void)name;
	for (uint32_t i = 0; i < n; i++) {
		assert_true(fields[i].bit_off <= t->size * 8);
		if (!fields[i].name[0])
			continue;
		assert_true(type_member(&f->tt, t, fields[i].name, &m));
		assert_int_equal(m.bit_off, fields[i].bit_off);
	}
	return true;
}

static void test_all_members_of_all_structs(void **state)
{
	struct fixture *f = *state;

	btf_each(kernel(f), BTF_STRUCTS, check_members, f);
}

static unsigned char *read_kernel_btf(size_t *size)
{
	auto_fclose FILE *file = fopen(BTF_KERNEL_PATH, "re");

	if (!file)
		skip();
	*size = 16 << 20;
	unsigned char *bytes = xrealloc(NULL, *size);
	*size = fread(bytes, 1, *size, file);
	return bytes;
}

/*
 * Flips one bit of a type: of its name, size or target, of its items, of its flag.  Kind and
 * number of items stay, or the file would be refused before anything is read.
 */
static void damage_type(const struct btf *b, uint32_t *seed)
{
	uint32_t id = 1 + draw(seed) % (btf_ntypes(b) - 2);
	unsigned char *t = (unsigned char *)btf_at(b, id);
	size_t len = (size_t)((unsigned char *)btf_at(b, id + 1) - t);
	size_t at = draw(seed) % len;

	if (at / 4 == 1)
		t[7] ^= 0x80;
	else
		t[at] ^= (unsigned char)(1 << draw(seed) % 8);
}

static void damage_strings(const struct btf *b, uint32_t *seed)
{
	char *strs = (char *)b->strs;

	strs[draw(seed) % (b->strs_len - 1)] ^= (char)(1 << draw(seed) % 8);
}

static void test_damage_to_a_real_file(void **state)
{
	enum { ROUNDS = 6, FLIPS = 20000 };
	size_t size, sum = 0;
	auto_free unsigned char *bytes = read_kernel_btf(&size);
	uint32_t seed = 1;
	struct err e;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct btf *b = btf_from_bytes(bytes, size, NULL, &e);

		assert_non_null(b);
		for (int i = 0; i < FLIPS; i++) {
			damage_type(b, &seed);
			damage_strings(b, &seed);
		}
		btf_free(b);

		b = btf_from_bytes(bytes, size, NULL, &e);
		assert_non_null(b);
		sum += btf_read_all(b, 2);
		btf_free(b);
	}
	assert_true(sum > 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_task_struct),
		TEST(test_structs_of_known_layout),
		TEST(test_enums_and_typedefs),
		TEST(test_a_function),
		TEST(test_all_members_of_all_structs),
		TEST(test_damage_to_a_real_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
