/*
 * The layout of C definitions, compared with what the compiler of this test does with the very
 * same text.
 */
#include "cfront_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef uint8_t u8;
typedef uint16_t u16;

/* The definition for the compiler, and as text for cfront. */
#define BOTH(name, ...) \
	__VA_ARGS__;    \
	static const char name##_text[] = #__VA_ARGS__ ";"

BOTH(
	plain, struct plain {
		char a;
		int b;
		char c;
		long d;
		short e[3];
		unsigned long long int f;
		u8 g;
		u16 h;
		size_t i;
		double j;
		float k;
		void *l;
		char m;
	});
BOTH(
	nested, struct nested {
		char a;
		struct {
			int x;
			char y;
		} b;
		union {
			char c;
			long d;
		};
		struct {
			char e;
			struct {
				short f;
			};
		};
		char g;
	});
BOTH(
	packed, struct packed {
		char a;
		int b;
		struct {
			char x;
			int y;
		} c;
		char d;
		long e;
	} __attribute__((packed)));
BOTH(
	aligned, struct aligned {
		char a;
		char b __attribute__((aligned(8)));
		int c __attribute__((packed));
		short d;
	} __attribute__((aligned(32))));
BOTH(
	both_attributes, struct __attribute__((packed, aligned(4))) both_attributes {
		char a;
		long b;
		int c __attribute__((aligned(2)));
		char d;
	});
BOTH(
	uni, union uni {
		char a[7];
		int b;
		struct {
			char x;
			short y;
		} c;
	});
BOTH(
	pointers, struct pointers {
		int (*a)(int, void *);
		int (*b[3])(void);
		int(*c)[5];
		char **d;
		const char *const e;
		int f[2][3], *g, h;
		struct pointers *i;
	});
BOTH(
	flexible, struct flexible {
		int n;
		long data[];
	});
BOTH(
	sized, struct sized {
		char a[sizeof(int) * 2 + (1 << 2)];
		char b[10 / 3 > 2 ? 5 : 6];
		char c['b' - 'a' + 1];
	});
BOTH(
	bits, struct bits {
		unsigned a : 3;
		unsigned b : 7;
		int c : 20;
		unsigned d : 5;
		unsigned long e : 33;
		u8 f : 4;
		u8 g : 5;
		unsigned : 0;
		u16 h : 9;
		unsigned : 3;
		int i : 1;
		char j;
		unsigned long k : 40;
		_Bool l : 1;
	});
BOTH(
	packed_bits, struct packed_bits {
		char a;
		unsigned b : 20;
		unsigned c : 20;
		unsigned long d : 50;
		char e;
		int f : 3;
	} __attribute__((packed)));
BOTH(
	unnamed_bits, struct unnamed_bits {
		char a;
		int : 5;
		char b;
		long : 0;
		char c;
	});

static struct field member(struct loaded *l, const struct type *t, const char *name)
{
	struct field f;

	if (!type_member(&l->types, t, name, &f))
		fail_msg("no member %s", name);
	return f;
}

#define LOAD(tag, name)                                              \
	auto_loaded struct loaded l;                                 \
	(void)state;                                                 \
	load_c(&l, name##_text, NULL);                               \
	assert_true(l.ok);                                           \
	const struct type *t = cfront_find_type(l.cf, (tag), #name); \
	assert_non_null(t)

#define SAME_SIZE(type)                          \
	assert_int_equal(t->size, sizeof(type)); \
	assert_int_equal(t->align, _Alignof(type))

#define SAME_MEMBER(s, m)                                                    \
	do {                                                                 \
		struct field f_ = member(&l, t, #m);                         \
		assert_int_equal(f_.bit_off, 8 * offsetof(struct s, m));     \
		assert_int_equal(f_.type->size, sizeof(((struct s *)0)->m)); \
	} while (0)

/* A bit-field's place is where its ones show up. */
#define SAME_BITS(s, m)                                             \
	do {                                                        \
		union {                                             \
			struct s s_;                                \
			unsigned char bytes[sizeof(struct s)];      \
		} u_ = { .bytes = { 0 } };                          \
		u_.s_.m = -1;                                       \
		assert_bits(&l, t, #m, u_.bytes, sizeof(u_.bytes)); \
	} while (0)

static void assert_bits(struct loaded *l, const struct type *t, const char *name,
			const unsigned char *bytes, size_t size)
{
	struct field f = member(l, t, name);

	for (size_t bit = 0; bit < 8 * size; bit++) {
		bool inside = bit >= f.bit_off && bit < f.bit_off + f.bit_size;

		if (inside != (bytes[bit / 8] >> bit % 8 & 1))
			fail_msg("%s.%s: bit %zu", t->name, name, bit);
	}
}

static void members_lie_at_multiples_of_their_size(void **state)
{
	LOAD(C_STRUCT, plain);
	SAME_SIZE(struct plain);
	SAME_MEMBER(plain, b);
	SAME_MEMBER(plain, d);
	SAME_MEMBER(plain, e);
	SAME_MEMBER(plain, f);
	SAME_MEMBER(plain, h);
	SAME_MEMBER(plain, i);
	SAME_MEMBER(plain, k);
	SAME_MEMBER(plain, l);
	SAME_MEMBER(plain, m);
}

static void inner_structs_and_unions_may_be_anonymous(void **state)
{
	LOAD(C_STRUCT, nested);
	SAME_SIZE(struct nested);
	SAME_MEMBER(nested, b);
	SAME_MEMBER(nested, c);
	SAME_MEMBER(nested, d);
	SAME_MEMBER(nested, e);
	SAME_MEMBER(nested, f);
	SAME_MEMBER(nested, g);
}

static void packed_leaves_no_gaps_but_keeps_inner_ones(void **state)
{
	LOAD(C_STRUCT, packed);
	SAME_SIZE(struct packed);
	SAME_MEMBER(packed, b);
	SAME_MEMBER(packed, c);
	SAME_MEMBER(packed, d);
	SAME_MEMBER(packed, e);
}

static void members_may_have_attributes_of_their_own(void **state)
{
	LOAD(C_STRUCT, aligned);
	SAME_SIZE(struct aligned);
	SAME_MEMBER(aligned, b);
	SAME_MEMBER(aligned, c);
	SAME_MEMBER(aligned, d);
}

static void attributes_may_stand_before_the_tag(void **state)
{
	LOAD(C_STRUCT, both_attributes);
	SAME_SIZE(struct both_attributes);
	SAME_MEMBER(both_attributes, b);
	SAME_MEMBER(both_attributes, c);
	SAME_MEMBER(both_attributes, d);
}

static void members_of_a_union_lie_at_zero(void **state)
{
	LOAD(C_UNION, uni);
	SAME_SIZE(union uni);
	assert_int_equal(member(&l, t, "c").bit_off, 0);
}

static void declarators_read_inside_out(void **state)
{
	LOAD(C_STRUCT, pointers);
	SAME_SIZE(struct pointers);
	SAME_MEMBER(pointers, b);
	SAME_MEMBER(pointers, f);
	SAME_MEMBER(pointers, h);
	assert_string_equal(type_str(&l.text.arena, member(&l, t, "b").type), "function *[3]");
	assert_string_equal(type_str(&l.text.arena, member(&l, t, "c").type), "int32[5] *");
	assert_string_equal(type_str(&l.text.arena, member(&l, t, "f").type), "int32[2][3]");
	assert_ptr_equal(member(&l, t, "i").type->elem, t);
}

static void a_flexible_array_takes_no_room(void **state)
{
	LOAD(C_STRUCT, flexible);
	SAME_SIZE(struct flexible);
	assert_int_equal(member(&l, t, "data").bit_off, 64);
	assert_int_equal(member(&l, t, "data").type->nelems, 0);
}

static void sizes_are_constant_expressions(void **state)
{
	LOAD(C_STRUCT, sized);
	SAME_SIZE(struct sized);
	SAME_MEMBER(sized, b);
	SAME_MEMBER(sized, c);
}

static void bit_fields_stay_within_their_unit(void **state)
{
	LOAD(C_STRUCT, bits);
	SAME_SIZE(struct bits);
	SAME_BITS(bits, a);
	SAME_BITS(bits, b);
	SAME_BITS(bits, c);
	SAME_BITS(bits, d);
	SAME_BITS(bits, e);
	SAME_BITS(bits, f);
	SAME_BITS(bits, g);
	SAME_BITS(bits, h);
	SAME_BITS(bits, i);
	SAME_BITS(bits, k);
	SAME_BITS(bits, l);
	SAME_MEMBER(bits, j);
}

static void packed_bit_fields_touch(void **state)
{
	LOAD(C_STRUCT, packed_bits);
	SAME_SIZE(struct packed_bits);
	SAME_BITS(packed_bits, b);
	SAME_BITS(packed_bits, c);
	SAME_BITS(packed_bits, d);
	SAME_BITS(packed_bits, f);
	SAME_MEMBER(packed_bits, e);
}

static void unnamed_bit_fields_only_move_the_next(void **state)
{
	LOAD(C_STRUCT, unnamed_bits);
	SAME_SIZE(struct unnamed_bits);
	SAME_MEMBER(unnamed_bits, b);
	SAME_MEMBER(unnamed_bits, c);
}

static void base_types_may_be_spelt_in_any_order(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
		{ "int", "int32" },
		{ "unsigned", "uint32" },
		{ "long unsigned int", "uint64" },
		{ "long long int unsigned", "uint64" },
		{ "signed char", "int8" },
		{ "unsigned char", "uint8" },
		{ "short", "int16" },
		{ "u8", "uint8" },
		{ "__u32", "uint32" },
		{ "size_t", "uint64" },
		{ "bool", "bool" },
		{ "void", "void" },
		{ "unsigned float", NULL },
		{ "long long long", NULL },
		{ "signed unsigned", NULL },
		{ "char int", NULL },
		{ "int foo", NULL },
		{ "no_such_type", NULL },
	};
	struct arena a = { 0 };
	struct typetab tt;

	(void)state;
	typetab_init(&tt, &a);
	tt.btf_path = "/dev/null";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct type *t = cfront_base_type(&tt, rows[i].words);

		assert_int_equal(t != NULL, rows[i].want != NULL);
		if (t)
			assert_string_equal(type_str(&a, t), rows[i].want);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_lie_at_multiples_of_their_size),
		cmocka_unit_test(inner_structs_and_unions_may_be_anonymous),
		cmocka_unit_test(packed_leaves_no_gaps_but_keeps_inner_ones),
		cmocka_unit_test(members_may_have_attributes_of_their_own),
		cmocka_unit_test(attributes_may_stand_before_the_tag),
		cmocka_unit_test(members_of_a_union_lie_at_zero),
		cmocka_unit_test(declarators_read_inside_out),
		cmocka_unit_test(a_flexible_array_takes_no_room),
		cmocka_unit_test(sizes_are_constant_expressions),
		cmocka_unit_test(bit_fields_stay_within_their_unit),
		cmocka_unit_test(packed_bit_fields_touch),
		cmocka_unit_test(unnamed_bit_fields_only_move_the_next),
		cmocka_unit_test(base_types_may_be_spelt_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
