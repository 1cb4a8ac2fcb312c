/*
 * Unwind tables out of .eh_frame, made here byte by byte.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "symbol/cfi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ADDR = 0x20000 }; /* of the section */

/* --- a section being written --- */

struct section {
	struct sb text;
	size_t cie;
};

static void put(struct section *s, uint64_t v, unsigned size)
{
	sb_write(&s->text, &v, size);
}

/* A record: its length is known when its bytes are. */
static size_t begin_record(struct section *s)
{
	put(s, 0, 4);
	return s->text.len;
}

static void end_record(struct section *s, size_t start)
{
	while ((s->text.len - start) % 8 != 4)
		put(s, 0, 1); /* nop */
	uint32_t len = (uint32_t)(s->text.len - start);
	memcpy(s->text.s + start - 4, &len, 4);
}

/* As compilers write it: addresses relative, 4 bytes; CFA rsp + 8, return address below. */
static void put_cie(struct section *s)
{
	static const uint8_t bytes[] = { 1, 'z',  'R',	0, 1, 0x78, 16,
					 1, 0x1b, 0x0c, 7, 8, 0x90, 1 };

	s->cie = s->text.len;
	size_t start = begin_record(s);
	put(s, 0, 4);
	sb_write(&s->text, bytes, sizeof(bytes));
	end_record(s, start);
}

static void put_fde(struct section *s, uint64_t pc, uint32_t size, const void *program,
		    size_t len)
{
	if (!s->text.len)
		put_cie(s);
	size_t start = begin_record(s);

	put(s, start - s->cie, 4);
	put(s, pc - (ADDR + s->text.len), 4);
	put(s, size, 4);
	put(s, 0, 1); /* no augmentation */
	sb_write(&s->text, program, len);
	end_record(s, start);
}
#define PUT_FDE(s, pc, size, ...)                                    \
	put_fde((s), (pc), (size), (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void compile(struct section *s, struct cfi_table *t)
{
	put(s, 0, 4);
	assert_int_equal(cfi_compile(t, (const uint8_t *)s->text.s, s->text.len, ADDR, 0), 0);
	sb_free(&s->text);
}

/* --- claims --- */

static void check_row(const struct cfi_table *t, uint64_t pc, enum cfi_rule rule, unsigned n,
		      unsigned saved)
{
	uint64_t row = cfi_row_at(t, pc);

	assert_int_equal(row & ((1 << CFI_RULE_BITS) - 1), rule);
	assert_int_equal(row >> CFI_N_SHIFT & ((1 << CFI_N_BITS) - 1), n);
	assert_int_equal(row >> CFI_SAVED_SHIFT & ((1 << CFI_SAVED_BITS) - 1), saved);
}

static void code_without_frame_pointer(void **state)
{
	struct section s = {};
	struct cfi_table t;
	(void)state;

	/* push rbx; sub 32; ...; add 32; pop rbx */
	PUT_FDE(&s, 0x1000, 0x40, 0x41, 0x0e, 16, 0x44, 0x0e, 48, 0x60, 0x0e, 16, 0x41, 0x0e,
		8);
	compile(&s, &t);
	check_row(&t, 0x0fff, CFI_NONE, 0, 0);
	check_row(&t, 0x1000, CFI_SP, 1, CFI_SAVED_SAME);
	check_row(&t, 0x1001, CFI_SP, 2, CFI_SAVED_SAME);
	check_row(&t, 0x1005, CFI_SP, 6, CFI_SAVED_SAME);
	check_row(&t, 0x1024, CFI_SP, 6, CFI_SAVED_SAME);
	check_row(&t, 0x1025, CFI_SP, 2, CFI_SAVED_SAME);
	check_row(&t, 0x103f, CFI_SP, 1, CFI_SAVED_SAME);
	check_row(&t, 0x1040, CFI_NONE, 0, 0);
	assert_int_equal(t.nfuncs, 1);
	assert_int_equal(t.rows.len, 7);
	cfi_fini(&t);
}

static void code_with_frame_pointer(void **state)
{
	struct section s = {};
	struct cfi_table t;
	(void)state;

	/* push rbp; mov rsp, rbp; an early leave; ret, and the body goes on */
	PUT_FDE(&s, 0x1000, 0x20, 0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x48, 0x0a, 0xc6,
		0x0c, 7, 8, 0x41, 0x0b);
	compile(&s, &t);
	check_row(&t, 0x1000, CFI_SP, 1, CFI_SAVED_SAME);
	check_row(&t, 0x1001, CFI_SP, 2, 2);
	check_row(&t, 0x1004, CFI_BP, 2, 2);
	check_row(&t, 0x100c, CFI_SP, 1, CFI_SAVED_SAME);
	check_row(&t, 0x100d, CFI_BP, 2, 2);
	check_row(&t, 0x101f, CFI_BP, 2, 2);
	cfi_fini(&t);
}

static void expressions_of_linkers_and_compilers(void **state)
{
	struct section s = {};
	struct cfi_table t;
	(void)state;

	/* .plt, with the step at 11 */
	PUT_FDE(&s, 0x1000, 0x100, 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33,
		0x24, 0x22);
	/* a realigned stack: rbp at *rbp, CFA *(rbp - 8) */
	PUT_FDE(&s, 0x2000, 0x10, 0x10, 6, 2, 0x76, 0, 0x0f, 3, 0x76, 0x78, 0x06);
	/* __restore_rt: rsp + 160, + 120, + 168 */
	PUT_FDE(&s, 0x3000, 0x10, 0x0f, 4, 0x77, 0xa0, 1, 0x06, 0x10, 6, 3, 0x77, 0xf8, 0, 0x10,
		16, 3, 0x77, 0xa8, 1);
	/* any other */
	PUT_FDE(&s, 0x4000, 0x10, 0x0f, 3, 0x76, 0x78, 0x22);
	/* the CFA in r10, while a stack is being realigned */
	PUT_FDE(&s, 0x5000, 0x10, 0x0c, 10, 0);
	/* _start */
	PUT_FDE(&s, 0x6000, 0x10, 0x07, 16);
	compile(&s, &t);
	check_row(&t, 0x1080, CFI_PLT, 11, CFI_SAVED_SAME);
	check_row(&t, 0x2008, CFI_BP_DEREF, 1, CFI_SAVED_AT_BP);
	check_row(&t, 0x3008, CFI_SIGNAL, 20, 0);
	check_row(&t, 0x4008, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x5008, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x6008, CFI_END, 0, 0);
	cfi_fini(&t);
}

static void what_a_row_cannot_hold_is_unknown(void **state)
{
	struct section s = {};
	struct cfi_table t;
	(void)state;

	PUT_FDE(&s, 0x1000, 0x10, 0x0e, 0x81, 0x80, 0x80, 0x08); /* not a multiple of 8 */
	PUT_FDE(&s, 0x2000, 0x10, 0x0e, 0x80, 0x80, 0x80, 0x08); /* 16 MB: too large */
	PUT_FDE(&s, 0x3000, 0x10, 0x86, 0xff, 1);		 /* rbp 2040 bytes below */
	PUT_FDE(&s, 0x4000, 0x10, 0x86, 0xfe, 1);
	PUT_FDE(&s, 0x5000, 0x10, 0x14, 6, 2); /* rbp is CFA - 16 */
	PUT_FDE(&s, 0x6000, 0x10, 0x90, 2);    /* the return address elsewhere */
	compile(&s, &t);
	check_row(&t, 0x1000, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x2000, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x3000, CFI_SP, 1, CFI_SAVED_UNKNOWN);
	check_row(&t, 0x4000, CFI_SP, 1, 254);
	check_row(&t, 0x5000, CFI_SP, 1, CFI_SAVED_UNKNOWN);
	check_row(&t, 0x6000, CFI_UNKNOWN, 0, 0);
	cfi_fini(&t);
}

static void a_mistake_ends_its_function_only(void **state)
{
	struct section s = {};
	struct cfi_table t;
	(void)state;

	PUT_FDE(&s, 0x1000, 0x20, 0x44, 0x0e, 16, 0x44, 0x3f, 0x44, 0x0e, 8); /* 0x3f: no op */
	PUT_FDE(&s, 0x1020, 0x10, 0x0b);				      /* nothing kept */
	PUT_FDE(&s, 0x1030, 0x10, 0x0e, 24);
	compile(&s, &t);
	check_row(&t, 0x1000, CFI_SP, 1, 0);
	check_row(&t, 0x1004, CFI_SP, 2, 0);
	check_row(&t, 0x1008, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x101f, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x1020, CFI_UNKNOWN, 0, 0);
	check_row(&t, 0x1030, CFI_SP, 3, 0);
	cfi_fini(&t);
}

static void functions_are_put_in_order(void **state)
{
	struct section s = {};
	struct cfi_table t;
	(void)state;

	PUT_FDE(&s, 0x3000, 0x10, 0x0e, 32);
	PUT_FDE(&s, 0x1000, 0x10, 0x0e, 16);
	PUT_FDE(&s, 0x1008, 0x10, 0x0e, 24); /* overlaps the one before */
	compile(&s, &t);
	check_row(&t, 0x1007, CFI_SP, 2, 0);
	check_row(&t, 0x1008, CFI_SP, 3, 0);
	check_row(&t, 0x1018, CFI_NONE, 0, 0);
	check_row(&t, 0x3000, CFI_SP, 4, 0);
	for (size_t i = 1; i < t.rows.len; i++)
		assert_true(t.rows.data[i - 1] >> 32 < t.rows.data[i] >> 32);
	cfi_fini(&t);
}

static void this_program_has_a_table(void **state)
{
	struct cfi_table t;
	struct elf f;
	struct err e;
	(void)state;

	assert_int_equal(elf_open(&f, "/proc/self/exe", &e), 0);
	assert_int_equal(cfi_load(&t, &f), 0);
	assert_true(t.nfuncs > 20);
	assert_int_equal(t.rows.data[0], 0);
	cfi_fini(&t);
	elf_close(&f);
}

/* Rows stay sorted and within their bounds, and nothing is read beside the bytes. */
static void anything_is_survived(void **state)
{
	struct elf_section s;
	struct elf f;
	struct err e;
	unsigned seed = 1;
	(void)state;

	assert_int_equal(elf_open(&f, "/proc/self/exe", &e), 0);
	assert_true(elf_find_section(&f, ".eh_frame", &s));
	for (int round = 0; round < 3000; round++) {
		size_t len = round % 3 ? s.size : (size_t)rand_r(&seed) % s.size;
		auto_free uint8_t *copy = malloc(len + 1);
		struct cfi_table t;

		memcpy(copy, s.bytes, len);
		for (int i = rand_r(&seed) % 20; i >= 0 && len; i--)
			copy[(size_t)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
		assert_int_equal(cfi_compile(&t, copy, len, s.addr, 0), 0);
		for (size_t i = 1; i < t.rows.len; i++)
			assert_true(t.rows.data[i - 1] >> 32 < t.rows.data[i] >> 32);
		cfi_fini(&t);
	}
	elf_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_without_frame_pointer),
		cmocka_unit_test(code_with_frame_pointer),
		cmocka_unit_test(expressions_of_linkers_and_compilers),
		cmocka_unit_test(what_a_row_cannot_hold_is_unknown),
		cmocka_unit_test(a_mistake_ends_its_function_only),
		cmocka_unit_test(functions_are_put_in_order),
		cmocka_unit_test(this_program_has_a_table),
		cmocka_unit_test(anything_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
