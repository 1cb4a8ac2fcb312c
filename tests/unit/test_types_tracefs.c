#include "types/tracefs.h"

#include "types/btf.h"

#include "base/auto.h"

#include "btf_builder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct typetab tt;
	struct btf_builder bb;
	struct btf *b;
	struct tp_format format;
};

/* A BTF with a struct and a typedef that formats may point to. */
static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	uint32_t i = bb_int(&f->bb, "long long int", 8, BB_SIGNED);

	bb_struct(&f->bb, "sk_buff", 16, 2);
	bb_member(&f->bb, "head", i, 0);
	bb_member(&f->bb, "len", i, 64);
	bb_ref(&f->bb, BTF_TYPEDEF, "odd_t", i);

	typetab_init(&f->tt, &f->arena);
	f->b = bb_open(&f->bb, NULL);
	f->tt.btf = f->b;
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

#define COMMON                                                                         \
	"name: some_event\nID: 372\nformat:\n"                                         \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define END                                                                    \
	"\nprint fmt: \"x=%d field:int fake;\toffset:99;\tsize:4;\", REC->x\n" \
	"\tfield:int fake;\toffset:99;\tsize:4;\tsigned:1;\n"

/* Reads a format of these fields; returns the record's type. */
static const struct type *read_fields(struct fixture *f, const char *fields, enum addr_space as)
{
	const char *text = arena_printf(&f->arena, "%s%s%s", COMMON, fields, END);
	struct err e = {};

	assert_int_equal(tp_format_parse(&f->arena, text, strlen(text), &f->format, &e), 0);
	return tp_format_type(&f->tt, &f->format, "some_event", as);
}

static struct field member(struct fixture *f, const struct type *t, const char *name)
{
	struct field m;

	assert_true(type_member(&f->tt, t, name, &m));
	return m;
}

static void assert_member(struct fixture *f, const struct type *t, const char *name,
			  uint32_t offset, const char *type)
{
	struct field m = member(f, t, name);

	assert_int_equal(m.bit_off, offset * 8);
	assert_string_equal(type_str(&f->arena, m.type), type);
}

static void test_fields_in_order_with_their_text(void **state)
{
	struct fixture *f = *state;
	const struct type *t =
		read_fields(f,
			    "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
			    "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
			    "\tfield:const char * filename;\toffset:32;\tsize:8;\tsigned:0;\n",
			    AS_KERNEL);
	const struct tp_field *fields = f->format.fields;

	assert_int_equal(f->format.nfields, 7);
	assert_int_equal(f->format.size, 40);
	assert_string_equal(t->name, "some_event");
	assert_int_equal(t->size, 40);
	assert_string_equal(fields[0].name, "common_type");
	assert_true(fields[3].is_common);
	assert_false(fields[4].is_common);
	assert_string_equal(fields[4].decl, "char prev_comm[16]");
	assert_string_equal(fields[4].type, "char");
	assert_string_equal(fields[4].name, "prev_comm");
	assert_int_equal(fields[4].kind, TP_ARRAY);
	assert_string_equal(fields[6].decl, "const char * filename");
	assert_string_equal(fields[6].type, "const char *");
	assert_member(f, t, "common_pid", 4, "int32");
	assert_member(f, t, "prev_pid", 24, "int32");
}

static void test_the_size_of_the_file_wins(void **state)
{
	struct fixture *f = *state;
	const struct type *t =
		read_fields(f,
			    "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
			    "\tfield:int dfd;\toffset:16;\tsize:8;\tsigned:0;\n"
			    "\tfield:umode_t mode;\toffset:24;\tsize:8;\tsigned:0;\n"
			    "\tfield:long ret;\toffset:32;\tsize:8;\tsigned:1;\n"
			    "\tfield:struct thing st;\toffset:40;\tsize:12;\tsigned:0;\n",
			    AS_USER);

	assert_member(f, t, "__syscall_nr", 8, "int32");
	assert_member(f, t, "dfd", 16, "uint64");
	assert_member(f, t, "mode", 24, "uint64");
	assert_member(f, t, "ret", 32, "int64");
	assert_member(f, t, "st", 40, "uint8[12]");
}

static void test_small_types(void **state)
{
	struct fixture *f = *state;
	const struct type *t = read_fields(
		f,
		"\tfield:bool ok;\toffset:8;\tsize:1;\tsigned:0;\n"
		"\tfield:char c;\toffset:9;\tsize:1;\tsigned:1;\n"
		"\tfield:u8 raw;\toffset:10;\tsize:1;\tsigned:0;\n"
		"\tfield:enum zone_type zone;\toffset:12;\tsize:4;\tsigned:0;\n"
		"\tfield:struct sk_buff by_value;\toffset:16;\tsize:16;\tsigned:0;\n",
		AS_KERNEL);

	assert_ptr_equal(member(f, t, "ok").type, &type_bool);
	assert_true(member(f, t, "c").type->is_char);
	assert_member(f, t, "c", 9, "int8");
	assert_false(member(f, t, "raw").type->is_char);
	assert_member(f, t, "zone", 12, "uint32");
	assert_member(f, t, "by_value", 16, "struct sk_buff");
}

static void test_arrays(void **state)
{
	struct fixture *f = *state;
	const struct type *t = read_fields(
		f,
		"\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		"\tfield:unsigned long args[6];\toffset:24;\tsize:48;\tsigned:0;\n"
		"\tfield:__u8 saddr[4];\toffset:72;\tsize:4;\tsigned:0;\n"
		"\tfield:int in_macro[SOME_SIZE];\toffset:76;\tsize:12;\tsigned:1;\n"
		"\tfield:u32 rest[];\toffset:88;\tsize:0;\tsigned:0;\n"
		"\tfield:struct thing odd[2];\toffset:88;\tsize:6;\tsigned:0;\n",
		AS_KERNEL);

	assert_true(member(f, t, "comm").type->elem->is_char);
	assert_int_equal(member(f, t, "comm").type->nelems, 16);
	assert_member(f, t, "args", 24, "uint64[6]");
	assert_member(f, t, "saddr", 72, "uint8[4]");
	assert_false(member(f, t, "saddr").type->elem->is_char);
	assert_member(f, t, "in_macro", 76, "int32[3]");
	assert_member(f, t, "rest", 88, "uint32[0]");
	assert_int_equal(member(f, t, "odd").type->size, 6);
}

static void test_pointers(void **state)
{
	struct fixture *f = *state;
	const struct type *t = read_fields(
		f,
		"\tfield:const char * s;\toffset:8;\tsize:8;\tsigned:0;\n"
		"\tfield:const void* v;\toffset:16;\tsize:8;\tsigned:0;\n"
		"\tfield:struct sk_buff *skb;\toffset:24;\tsize:8;\tsigned:0;\n"
		"\tfield:const struct secret *const x;\toffset:32;\tsize:8;\tsigned:0;\n"
		"\tfield:const char *const * argv;\toffset:40;\tsize:8;\tsigned:0;\n"
		"\tfield:unsigned int * n;\toffset:48;\tsize:8;\tsigned:0;\n"
		"\tfield:odd_t * o;\toffset:56;\tsize:8;\tsigned:0;\n"
		"\tfield:unknown_t * u;\toffset:64;\tsize:8;\tsigned:0;\n"
		"\tfield:void __attribute__((btf_type_tag(\"user\"))) * a;\toffset:72;\tsize:8;\n"
		"\tfield:void __user *b;\toffset:80;\tsize:8;\tsigned:0;\n"
		"\tfield:unsigned char * bytes;\toffset:88;\tsize:8;\tsigned:0;\n",
		AS_KERNEL);

	assert_member(f, t, "s", 8, "int8 *");
	assert_true(member(f, t, "s").type->elem->is_char);
	assert_int_equal(member(f, t, "s").type->as, AS_KERNEL);
	assert_member(f, t, "v", 16, "void *");
	assert_member(f, t, "skb", 24, "struct sk_buff *");
	assert_int_equal(member(f, member(f, t, "skb").type->elem, "len").bit_off, 64);
	assert_member(f, t, "x", 32, "struct secret *");
	assert_member(f, t, "argv", 40, "int8 **");
	assert_member(f, t, "n", 48, "uint32 *");
	assert_member(f, t, "o", 56, "int64 *");
	assert_member(f, t, "u", 64, "void *");
	assert_member(f, t, "bytes", 88, "uint8 *");
	assert_false(member(f, t, "bytes").type->elem->is_char);
	for (const char *const *n = (const char *const[]){ "a", "b", NULL }; *n; n++) {
		assert_true(member(f, t, *n).is_user);
		assert_member(f, t, *n, **n == 'a' ? 72 : 80, "void *");
		assert_int_equal(member(f, t, *n).type->as, AS_USER);
	}
}

static void test_dynamic_fields(void **state)
{
	struct fixture *f = *state;
	const struct type *t = read_fields(
		f,
		"\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
		"\tfield:__rel_loc u64[] list;\toffset:12;\tsize:4;\tsigned:0;\n"
		"\tfield:__data_loc cpumask_t mask;\toffset:16;\tsize:4;\tsigned:0;\n",
		AS_KERNEL);
	const struct tp_field *fields = &f->format.fields[4];

	assert_string_equal(fields[0].decl, "__data_loc char[] filename");
	assert_string_equal(fields[0].type, "char");
	assert_int_equal(fields[0].kind, TP_DATA_LOC);
	assert_string_equal(fields[1].name, "list");
	assert_string_equal(fields[1].type, "u64");
	assert_int_equal(fields[1].kind, TP_REL_LOC);
	assert_string_equal(fields[2].type, "cpumask_t");
	assert_member(f, t, "filename", 8, "uint32");
	assert_true(member(f, t, "filename").data_loc);
	assert_false(member(f, t, "filename").rel_loc);
	assert_true(member(f, t, "list").rel_loc);
}

static void assert_refused(struct fixture *f, const char *text)
{
	struct tp_format format;
	struct err e = {};

	assert_int_equal(tp_format_parse(&f->arena, text, strlen(text), &format, &e), -EINVAL);
	assert_true(e.msg[0]);
	assert_int_equal(format.nfields, 0);
}

static void test_what_is_no_format_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, "");
	assert_refused(f, "name: x\nID: 1\n");
	assert_refused(f, "field:int x");
	assert_refused(f, "field:int x;");
	assert_refused(f, "field:int x; offset:0;");
	assert_refused(f, "field:int x; offset:0; size:;");
	assert_refused(f, "field:int x; offset:99999999999; size:4;");
	assert_refused(f, "field:int; offset:0; size:4;");
	assert_refused(f, "field:; offset:0; size:4;");
	assert_refused(f, "field:x]; offset:0; size:4;");
	assert_refused(f, "field:__data_loc x; offset:0; size:4;");
}

/* The text need not end in a NUL: every prefix is read without looking behind it. */
static void test_a_text_cut_anywhere(void **state)
{
	static const char text[] =
		COMMON "\tfield:__data_loc char[] f;\toffset:8;\tsize:4;\n"
		       "\tfield:char s[16];\toffset:12;\tsize:16;\tsigned:0;\n" END;
	struct fixture *f = *state;

	for (size_t len = 0; len < sizeof(text); len++) {
		auto_free char *copy = xrealloc(NULL, len);
		struct tp_format format;
		struct err e;

		memcpy(copy, text, len);
		if (!tp_format_parse(&f->arena, copy, len, &format, &e))
			tp_format_type(&f->tt, &format, "t", AS_NONE);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fields_in_order_with_their_text),
		TEST(test_the_size_of_the_file_wins),
		TEST(test_small_types),
		TEST(test_arrays),
		TEST(test_pointers),
		TEST(test_dynamic_fields),
		TEST(test_what_is_no_format_is_refused),
		TEST(test_a_text_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
