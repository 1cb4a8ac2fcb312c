#include "types/btf.h"

#include "base/auto.h"

#include "../fuzz/btf_read_all.h"
#include "btf_builder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct typetab tt;
	struct btf_builder bb;
	struct btf *b;
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

	btf_free(f->b);
	bb_fini(&f->bb);
	arena_free(&f->arena);
	free(f);
	return 0;
}

static void open_built(struct fixture *f)
{
	f->b = bb_open(&f->bb, NULL);
	assert_non_null(f->b);
	f->tt.btf = f->b;
}

static const struct type *type_of(struct fixture *f, uint32_t id)
{
	return btf_type(&f->tt, f->b, id);
}

static void assert_type(struct fixture *f, uint32_t id, const char *text)
{
	assert_string_equal(type_str(&f->arena, type_of(f, id)), text);
}

static void assert_c(struct fixture *f, uint32_t id, const char *text)
{
	auto_sb struct sb out = {};

	btf_print_c(f->b, id, &out);
	assert_string_equal(sb_str(&out), text);
}

static void assert_type_name(struct fixture *f, uint32_t id, const char *text)
{
	auto_sb struct sb out = {};

	btf_print_type_name(f->b, id, &out);
	assert_string_equal(sb_str(&out), text);
}

static void test_integers(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t i = bb_int(bb, "int", 4, BB_SIGNED), u = bb_int(bb, "long unsigned int", 8, 0);
	uint32_t c = bb_int(bb, "char", 1, BB_SIGNED), uc = bb_int(bb, "unsigned char", 1, 0);
	uint32_t b = bb_int(bb, "_Bool", 1, BB_BOOL),
		 wide = bb_int(bb, "__int128", 16, BB_SIGNED);
	uint32_t odd = bb_int(bb, "odd", 3, 0),
		 d = bb_type(bb, BTF_FLOAT, "double", 0, false, 8);

	open_built(f);
	assert_int_equal(btf_ntypes(f->b), 9);
	assert_type(f, i, "int32");
	assert_type(f, u, "uint64");
	assert_true(type_of(f, c)->is_char && type_of(f, c)->is_signed);
	assert_type(f, uc, "uint8");
	assert_false(type_of(f, uc)->is_char);
	assert_ptr_equal(type_of(f, b), &type_bool);
	assert_type(f, wide, "uint64[2]");
	assert_type(f, odd, "uint8[3]");
	assert_type(f, d, "double");
	assert_ptr_equal(type_of(f, 0), &type_void);
	assert_ptr_equal(type_of(f, 1000), &type_void);
}

static void test_typedefs_and_qualifiers_are_followed(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t i = bb_int(bb, "int", 4, BB_SIGNED);
	uint32_t c = bb_ref(bb, BTF_CONST, "", i), v = bb_ref(bb, BTF_VOLATILE, "", c);
	uint32_t t = bb_ref(bb, BTF_TYPEDEF, "pid_t", v);

	open_built(f);
	assert_ptr_equal(type_of(f, t), type_of(f, i));
	assert_int_equal(btf_find(f->b, BTF_TYPEDEFS, "pid_t"), t);
	assert_int_equal(btf_find(f->b, BTF_STRUCTS, "pid_t"), 0);
	assert_int_equal(btf_find_type(f->b, "pid_t"), t);
	assert_int_equal(btf_find_type(f->b, "int"), i);
	assert_c(f, t, "typedef volatile const int pid_t;\n");
}

static void test_a_user_tag_makes_a_user_pointer(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t c = bb_int(bb, "char", 1, BB_SIGNED), k = bb_ref(bb, BTF_CONST, "", c);
	uint32_t user = bb_ref(bb, BTF_TYPE_TAG, "user", k), p = bb_ref(bb, BTF_PTR, "", user);
	uint32_t rcu = bb_ref(bb, BTF_TYPE_TAG, "rcu", c), q = bb_ref(bb, BTF_PTR, "", rcu);
	uint32_t s = bb_struct(bb, "s", 16, 2);

	bb_member(bb, "buf", p, 0);
	bb_member(bb, "ptr", q, 64);
	open_built(f);
	assert_int_equal(type_of(f, p)->as, AS_USER);
	assert_int_equal(type_of(f, q)->as, AS_NONE);
	assert_true(type_of(f, p)->elem->is_char);
	assert_type_name(f, p, "const char *");

	struct field m;
	assert_true(type_member(&f->tt, type_of(f, s), "buf", &m));
	assert_true(m.is_user);
	assert_true(type_member(&f->tt, type_of(f, s), "ptr", &m));
	assert_false(m.is_user);
}

/* struct node { struct node *next; union { int a; struct { char c; short s; }; }; int tail[0];
 * } */
static uint32_t build_node(struct btf_builder *bb)
{
	uint32_t i = bb_int(bb, "int", 4, BB_SIGNED), c = bb_int(bb, "char", 1, BB_SIGNED);
	uint32_t sh = bb_int(bb, "short int", 2, BB_SIGNED), none = bb_array(bb, i, 0);
	uint32_t inner = bb_struct(bb, "", 4, 2);
	bb_member(bb, "c", c, 0);
	bb_member(bb, "s", sh, 16);
	uint32_t u = bb_type(bb, BTF_UNION, "", 2, false, 4);
	bb_member(bb, "a", i, 0);
	bb_member(bb, "", inner, 0);
	uint32_t node = bb_struct(bb, "node", 16, 3), p = node + 1;
	bb_member(bb, "next", p, 0);
	bb_member(bb, "", u, 64);
	bb_member(bb, "tail", none, 128);
	assert_int_equal(bb_ref(bb, BTF_PTR, "", node), p);
	return node;
}

static void test_members_are_found_through_anonymous_ones(void **state)
{
	struct fixture *f = *state;
	uint32_t node = build_node(&f->bb);
	struct field m;

	open_built(f);
	const struct type *t = type_of(f, node);
	assert_null(t->fields);
	assert_int_equal(t->size, 16);
	assert_true(type_member(&f->tt, t, "s", &m));
	assert_int_equal(m.bit_off, 80);
	assert_int_equal(m.type->size, 2);
	assert_true(type_member(&f->tt, t, "a", &m));
	assert_int_equal(m.bit_off, 64);
	assert_true(type_member(&f->tt, t, "tail", &m));
	assert_int_equal(m.type->nelems, 0);
	assert_true(type_member(&f->tt, t, "next", &m));
	assert_ptr_equal(m.type->elem, t);
	assert_false(type_member(&f->tt, t, "nil", &m));
}

static void test_structs_in_c(void **state)
{
	struct fixture *f = *state;
	uint32_t node = build_node(&f->bb);

	open_built(f);
	assert_c(f, node,
		 "struct node {\n"
		 "\tstruct node *next;\n"
		 "\tunion {\n"
		 "\t\tint a;\n"
		 "\t\tstruct {\n"
		 "\t\t\tchar c;\n"
		 "\t\t\tshort int s;\n"
		 "\t\t};\n"
		 "\t};\n"
		 "\tint tail[0];\n"
		 "};\n");
}

static void test_a_view_in_another_space_shares_the_fields(void **state)
{
	struct fixture *f = *state;
	uint32_t node = build_node(&f->bb);

	open_built(f);
	const struct type *t = type_of(f, node), *k = type_in_space(&f->tt, t, AS_KERNEL);
	assert_int_equal(k->as, AS_KERNEL);
	assert_int_equal(t->as, AS_NONE);
	assert_non_null(k->fields);
	assert_ptr_equal(k->fields, t->fields);
	assert_true(type_same(k, t));
}

static void test_a_struct_known_by_name_is_looked_up(void **state)
{
	struct fixture *f = *state;
	struct field m;

	build_node(&f->bb);
	open_built(f);
	const struct type *t = type_struct_named(&f->tt, "node", false);
	assert_int_equal(t->size, 0);
	assert_true(type_member(&f->tt, t, "s", &m));
	assert_int_equal(m.bit_off, 80);
	assert_int_equal(t->size, 16);
	assert_false(type_member(&f->tt, type_struct_named(&f->tt, "nude", false), "s", &m));
}

static void test_anonymous_structs_differ(void **state)
{
	struct fixture *f = *state;
	uint32_t i = bb_int(&f->bb, "int", 4, BB_SIGNED);
	uint32_t a = bb_struct(&f->bb, "", 4, 1);
	bb_member(&f->bb, "x", i, 0);
	uint32_t b = bb_struct(&f->bb, "", 4, 1);
	bb_member(&f->bb, "x", i, 0);

	open_built(f);
	assert_false(type_same(type_of(f, a), type_of(f, b)));
	assert_true(type_same(type_of(f, a), type_of(f, a)));
}

static void test_bit_fields_of_both_encodings(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t u = bb_int(bb, "unsigned int", 4, 0);
	uint32_t old = bb_type(bb, BTF_INT, "unsigned int", 0, false, 4);
	bb_word(bb, 5 << 16 | 3); /* 3 bits from bit 5 on */
	uint32_t a = bb_type(bb, BTF_STRUCT, "a", 3, true, 8);
	bb_member(bb, "x", u, 1 << 24 | 0);
	bb_member(bb, "y", u, 7 << 24 | 1);
	bb_member(bb, "z", u, 32);
	uint32_t b = bb_struct(bb, "b", 4, 1);
	bb_member(bb, "x", old, 8);
	struct field m;

	open_built(f);
	assert_true(type_member(&f->tt, type_of(f, a), "y", &m));
	assert_int_equal(m.bit_off, 1);
	assert_int_equal(m.bit_size, 7);
	assert_true(type_member(&f->tt, type_of(f, a), "z", &m));
	assert_int_equal(m.bit_off, 32);
	assert_int_equal(m.bit_size, 0);
	assert_true(type_member(&f->tt, type_of(f, b), "x", &m));
	assert_int_equal(m.bit_off, 13);
	assert_int_equal(m.bit_size, 3);
	assert_c(
		f, a,
		"struct a {\n\tunsigned int x: 1;\n\tunsigned int y: 7;\n\tunsigned int z;\n};\n");
}

static void test_enums_of_both_sizes(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t e = bb_type(bb, BTF_ENUM, "color", 2, true, 4);
	bb_pair(bb, "RED", 1);
	bb_pair(bb, "NONE", (uint32_t)-1);
	uint32_t u = bb_type(bb, BTF_ENUM, "mask", 1, false, 4);
	bb_pair(bb, "ALL", 0xffffffff);
	uint32_t big = bb_type(bb, BTF_ENUM64, "", 1, false, 8);
	bb_member(bb, "HUGE", 2, 1); /* name, low, high */
	struct {
		int64_t value;
		uint32_t id;
	} c;
	uint32_t n;

	open_built(f);
	assert_type(f, e, "enum color");
	assert_true(type_of(f, e)->is_signed);
	assert_int_equal(type_of(f, big)->size, 8);
	assert_int_equal(type_enum_consts(&f->tt, type_of(f, e), &n)[1].value, -1);
	assert_int_equal(n, 2);
	/* More often than names are looked for one by one. */
	for (int i = 0; i < 6; i++) {
		assert_true(btf_find_const(f->b, "NONE", &c.value, &c.id));
		assert_true(c.value == -1 && c.id == e);
		assert_true(btf_find_const(f->b, "ALL", &c.value, &c.id));
		assert_true(c.value == 0xffffffff && c.id == u);
		assert_true(btf_find_const(f->b, "HUGE", &c.value, &c.id));
		assert_true(c.value == 0x100000002 && c.id == big);
		assert_false(btf_find_const(f->b, "BLUE", &c.value, &c.id));
		assert_false(btf_find_const(f->b, "", &c.value, &c.id));
	}
	assert_c(f, e, "enum color {\n\tRED = 1,\n\tNONE = -1,\n};\n");
	assert_c(f, u, "enum mask {\n\tALL = 4294967295,\n};\n");
}

static void test_functions(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t i = bb_int(bb, "int", 4, BB_SIGNED), c = bb_int(bb, "char", 1, BB_SIGNED);
	uint32_t k = bb_ref(bb, BTF_CONST, "", c), s = bb_ref(bb, BTF_PTR, "", k);
	uint32_t proto = bb_type(bb, BTF_FUNC_PROTO, "", 3, false, i);
	bb_pair(bb, "n", i);
	bb_pair(bb, "fmt", s);
	bb_pair(bb, "", 0);
	uint32_t fn = bb_ref(bb, BTF_FUNC, "log_it", proto), p = bb_ref(bb, BTF_PTR, "", proto);
	uint32_t td = bb_ref(bb, BTF_TYPEDEF, "log_fn", p), none;
	none = bb_type(bb, BTF_FUNC_PROTO, "", 0, false, 0);
	uint32_t pn = bb_ref(bb, BTF_PTR, "", none), arr = bb_array(bb, pn, 4);
	struct btf_param params[4];
	const struct type *ret;

	open_built(f);
	assert_int_equal(btf_find(f->b, BTF_FUNCS, "log_it"), fn);
	assert_int_equal(btf_func_params(&f->tt, f->b, fn, params, 4, &ret), 2);
	assert_string_equal(params[1].name, "fmt");
	assert_true(params[1].type->elem->is_char);
	assert_type_name(f, params[1].id, "const char *");
	assert_int_equal(ret->size, 4);
	assert_int_equal(btf_func_params(&f->tt, f->b, td, params, 1, NULL), 1);
	assert_int_equal(btf_func_params(&f->tt, f->b, none, params, 4, &ret), 0);
	assert_ptr_equal(ret, &type_void);
	assert_int_equal(btf_func_params(&f->tt, f->b, i, params, 4, &ret), -1);

	assert_c(f, fn, "int log_it(int n, const char *fmt, ...);\n");
	assert_c(f, td, "typedef int (*log_fn)(int n, const char *fmt, ...);\n");
	assert_type_name(f, p, "int (*)(int n, const char *fmt, ...)");
	assert_type_name(f, arr, "void (*[4])(void)");
	assert_type(f, p, "function *");
}

static void test_a_forward_declaration_has_no_members(void **state)
{
	struct fixture *f = *state;
	uint32_t fwd = bb_type(&f->bb, BTF_FWD, "hidden", 0, false, 0);
	uint32_t p = bb_ref(&f->bb, BTF_PTR, "", fwd);
	struct field m;

	open_built(f);
	assert_type(f, p, "struct hidden *");
	assert_false(type_member(&f->tt, type_of(f, fwd), "x", &m));
	assert_type_name(f, p, "struct hidden *");
}

static void test_declarators(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	uint32_t c = bb_int(bb, "char", 1, BB_SIGNED), k = bb_ref(bb, BTF_CONST, "", c);
	uint32_t p = bb_ref(bb, BTF_PTR, "", k), kp = bb_ref(bb, BTF_CONST, "", p);
	uint32_t pp = bb_ref(bb, BTF_PTR, "", kp), a = bb_array(bb, c, 4),
		 aa = bb_array(bb, a, 3);
	uint32_t pa = bb_ref(bb, BTF_PTR, "", aa), v = bb_ref(bb, BTF_PTR, "", 0);
	uint32_t anon = bb_struct(bb, "", 0, 0), panon = bb_ref(bb, BTF_PTR, "", anon);

	open_built(f);
	assert_type_name(f, p, "const char *");
	assert_type_name(f, kp, "const char *const");
	assert_type_name(f, pp, "const char *const *");
	assert_type_name(f, aa, "char[3][4]");
	assert_type_name(f, pa, "char (*)[3][4]");
	assert_type_name(f, v, "void *");
	assert_type_name(f, 0, "void");
	assert_type_name(f, panon, "struct {...} *");
}

static void test_a_module_continues_the_kernels_types(void **state)
{
	struct fixture *f = *state;
	struct btf_builder m = {};
	uint32_t i = bb_int(&f->bb, "int", 4, BB_SIGNED);
	uint32_t s = bb_struct(&f->bb, "shared", 4, 1);
	bb_member(&f->bb, "x", i, 0);

	open_built(f);
	m.first_id = btf_ntypes(f->b);
	m.first_str = (uint32_t)f->bb.strs.len;
	uint32_t p = bb_ref(&m, BTF_PTR, "", s), own = bb_struct(&m, "own", 16, 2);
	bb_member(&m, "p", p, 0);
	bb_member(&m, "n", i, 64);
	bb_struct(&m, "shared", 0, 0);

	struct btf *mod = bb_open(&m, f->b);
	assert_non_null(mod);
	assert_int_equal(own, m.first_id + 1);
	assert_int_equal(btf_find(mod, BTF_STRUCTS, "own"), own);
	assert_int_equal(btf_find(mod, BTF_STRUCTS, "shared"), own + 1);
	assert_int_equal(btf_find(mod, BTF_INTS, "int"), i);
	assert_int_equal(btf_find(f->b, BTF_STRUCTS, "own"), 0);
	assert_string_equal(btf_name(mod, s), "shared");

	struct field field;
	const struct type *t = btf_type(&f->tt, mod, own);
	assert_true(type_member(&f->tt, t, "p", &field));
	assert_ptr_equal(field.type->elem, type_of(f, s));
	assert_true(type_member(&f->tt, field.type->elem, "x", &field));

	size_t names = 0;
	btf_each(mod, BTF_STRUCTS, btf_count_name, &names);
	assert_int_equal(names, strlen("own") + strlen("shared"));
	btf_free(mod);
	bb_fini(&m);
}

static void test_lookups_by_scan_and_by_table_agree(void **state)
{
	struct fixture *f = *state;
	char name[32];

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "s%d", i % 250);
		bb_struct(&f->bb, name, (uint32_t)i, 0);
	}
	open_built(f);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 250; i++) {
			snprintf(name, sizeof(name), "s%d", i);
			assert_int_equal(btf_find(f->b, BTF_STRUCTS, name), i + 1);
		}
		assert_int_equal(btf_find(f->b, BTF_STRUCTS, "s250"), 0);
	}
}

/* Circles that no compiler makes must end: by value, by pointer, through anonymous members. */
static void test_circles_end(void **state)
{
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	struct field m;

	bb_ref(bb, BTF_TYPEDEF, "t", 1); /* 1: itself */
	bb_ref(bb, BTF_PTR, "", 2);	 /* 2: itself */
	bb_array(bb, 3, 2);		 /* 3: itself */
	bb_ref(bb, BTF_CONST, "", 5);	 /* 4 and 5: each other */
	bb_ref(bb, BTF_VOLATILE, "", 4);
	bb_struct(bb, "", 8, 3); /* 6: thrice itself */
	for (int i = 0; i < 3; i++)
		bb_member(bb, "", 6, 0);
	bb_type(bb, BTF_FUNC_PROTO, "", 2, false, 7); /* 7: returns and takes itself */
	bb_pair(bb, "a", 7);
	bb_pair(bb, "b", 7);
	bb_ref(bb, BTF_FUNC, "f", 8); /* 8: itself */
	open_built(f);
	assert_false(type_member(&f->tt, type_of(f, 6), "x", &m));
	assert_true(btf_read_all(f->b, 1) > 0);
}

static void test_members_outside_their_struct_do_not_exist(void **state)
{
	struct fixture *f = *state;
	uint32_t i = bb_int(&f->bb, "int", 4, BB_SIGNED);
	uint32_t s = bb_type(&f->bb, BTF_STRUCT, "s", 5, true, 8);
	bb_member(&f->bb, "in", i, 32);
	bb_member(&f->bb, "out", i, 40);
	bb_member(&f->bb, "far", i, 0xfffff8);
	bb_member(&f->bb, "bits", i, 33 << 24);
	bb_member(&f->bb, "askew", i, 4);
	uint32_t n;

	open_built(f);
	assert_string_equal(type_fields(&f->tt, type_of(f, s), &n)[0].name, "in");
	assert_int_equal(n, 1);
}

static void assert_refused(const void *bytes, size_t size, int code)
{
	struct err e = {};

	assert_null(btf_from_bytes(bytes, size, NULL, &e));
	assert_int_equal(e.code, code);
	assert_true(e.msg[0]);
}

static void test_what_is_no_btf_is_refused(void **state)
{
	struct fixture *f = *state;
	uint32_t *header;

	bb_int(&f->bb, "int", 4, BB_SIGNED);
	bb_finish(&f->bb);
	header = (uint32_t *)f->bb.file.s;

	for (size_t size = 0; size < f->bb.file.len; size++)
		assert_refused(header, size, -EINVAL);
	header[0] = 0x01009feb;
	assert_refused(header, f->bb.file.len, -EINVAL);
	header[0] = 0x0002eb9f;
	assert_refused(header, f->bb.file.len, -ENOTSUP);
	header[0] = 0x464c457f;
	assert_refused(header, f->bb.file.len, -EINVAL);
	header[0] = 0x0001eb9f;
	header[7] = 20u << 24; /* the kind of the first type */
	assert_refused(header, f->bb.file.len, -EINVAL);
	header[7] = 4u << 24 | 0xffff;
	assert_refused(header, f->bb.file.len, -EINVAL);
}

static void test_a_missing_file_is_an_error(void **state)
{
	struct err e = {};

	(void)state;
	assert_null(btf_open("/does/not/exist", NULL, &e));
	assert_int_equal(e.code, -ENOENT);
}

/* Every byte of a small file takes other values: whatever is left must be readable. */
static void test_damage_to_any_byte(void **state)
{
	static const unsigned char flips[] = { 0x01, 0x02, 0x04, 0x10, 0x80, 0xff };
	struct fixture *f = *state;
	struct btf_builder *bb = &f->bb;
	size_t sum = 0;

	uint32_t node = build_node(bb);
	uint32_t e = bb_type(bb, BTF_ENUM, "color", 2, true, 4);
	bb_pair(bb, "A", 1);
	bb_pair(bb, "B", 2);
	uint32_t proto = bb_type(bb, BTF_FUNC_PROTO, "", 2, false, e);
	bb_pair(bb, "n", node + 1);
	bb_pair(bb, "", 0);
	bb_ref(bb, BTF_FUNC, "a", proto);
	bb_finish(bb);

	for (size_t i = 0; i < bb->file.len; i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			struct err err;

			bb->file.s[i] ^= (char)flips[k];
			struct btf *b = btf_from_bytes(bb->file.s, bb->file.len, NULL, &err);
			if (b)
				sum += btf_read_all(b, 1);
			btf_free(b);
			bb->file.s[i] ^= (char)flips[k];
		}
	}
	assert_true(sum > 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_integers),
		TEST(test_typedefs_and_qualifiers_are_followed),
		TEST(test_a_user_tag_makes_a_user_pointer),
		TEST(test_members_are_found_through_anonymous_ones),
		TEST(test_structs_in_c),
		TEST(test_a_view_in_another_space_shares_the_fields),
		TEST(test_a_struct_known_by_name_is_looked_up),
		TEST(test_anonymous_structs_differ),
		TEST(test_bit_fields_of_both_encodings),
		TEST(test_enums_of_both_sizes),
		TEST(test_functions),
		TEST(test_a_forward_declaration_has_no_members),
		TEST(test_declarators),
		TEST(test_a_module_continues_the_kernels_types),
		TEST(test_lookups_by_scan_and_by_table_agree),
		TEST(test_circles_end),
		TEST(test_members_outside_their_struct_do_not_exist),
		TEST(test_what_is_no_btf_is_refused),
		TEST(test_a_missing_file_is_an_error),
		TEST(test_damage_to_any_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
