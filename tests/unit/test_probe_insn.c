/* Lengths and returns of machine instructions. */
#include "base/arena.h"
#include "probe/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *code; /* hex */
	bool is_return;
} vectors[] = {
	{ "90", false },		   /* nop */
	{ "c3", true },			   /* ret */
	{ "f3c3", true },		   /* repz ret */
	{ "f2c3", true },		   /* bnd ret */
	{ "c21000", true },		   /* ret $16 */
	{ "cb", false },		   /* lret */
	{ "f30f1efa", false },		   /* endbr64 */
	{ "4889e5", false },		   /* mov %rsp, %rbp */
	{ "48b8efcdab8967452301", false }, /* movabs $..., %rax */
	{ "66b83412", false },		   /* mov $0x1234, %ax */
	{ "b878563412", false },	   /* mov $0x12345678, %eax */
	{ "48c7442408c3000000", false },   /* movq $0xc3, 8(%rsp) */
	{ "a1efcdab8967452301", false },   /* movabs 0x..., %eax */
	{ "67a178563412", false },	   /* addr32 mov */
	{ "f6c001", false },		   /* test $1, %al */
	{ "f6d0", false },		   /* not %al */
	{ "f7c178563412", false },	   /* test $..., %ecx */
	{ "66f7c13412", false },	   /* test $..., %cx */
	{ "488d05c3c3c3c3", false },	   /* lea ...(%rip), %rax */
	{ "8b8424c3000000", false },	   /* mov 0xc3(%rsp), %eax */
	{ "0f84c3000000", false },	   /* je */
	{ "0fb6c3", false },		   /* movzbl %bl, %eax */
	{ "660f3a0fc108", false },	   /* palignr $8, %xmm1, %xmm0 */
	{ "660f3800c1", false },	   /* pshufb %xmm1, %xmm0 */
	{ "c5f877", false },		   /* vzeroupper */
	{ "c5f5ebc2", false },		   /* vpor */
	{ "c4e37d39c101", false },	   /* vextracti128 $1 */
	{ "62f17c48104040", false },	   /* vmovups 0x1000(%rax), %zmm0 */
	{ "62f3fd483bc101", false },	   /* vextracti64x4 $1 */
	{ "64488b042528000000", false },   /* mov %fs:0x28, %rax */
	{ "662e0f1f840000000000", false }, /* nopw %cs:0(%rax,%rax,1) */
	{ "c8100000", false },		   /* enter */
	{ "e8c3c3c3c3", false },	   /* call */
	{ "0f05", false },		   /* syscall */
};

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		char pair[3] = { hex[0], hex[1], '\0' };

		out[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		uint8_t code[32];
		size_t n = from_hex(vectors[i].code, code);

		memset(code + n, 0xc3, sizeof(code) - n);
		if (insn_x86_64.length(code, sizeof(code)) != n)
			fail_msg("%s: %u bytes", vectors[i].code,
				 insn_x86_64.length(code, sizeof(code)));
		assert_int_equal(insn_x86_64.is_return(code, (unsigned)n),
				 vectors[i].is_return);
		/* cut short, none has a length that reads behind the end */
		for (size_t cut = 0; cut < n; cut++)
			assert_true(insn_x86_64.length(code, cut) <= cut);
	}
}

static void test_unknown_instructions(void **state)
{
	static const char *const unknown[] = { "06", "60",   "82c001", "9a",   "d4",
					       "ea", "0f04", "0f24",   "0f38", "62" };

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		uint8_t code[16] = {};
		size_t n = from_hex(unknown[i], code);

		if (insn_x86_64.length(code, n))
			fail_msg("%s has a length", unknown[i]);
	}
}

static void test_any_bytes(void **state)
{
	uint8_t code[20];

	(void)state;
	srand(3);
	for (int round = 0; round < 200000; round++) {
		size_t size = (size_t)rand() % sizeof(code);
		uint8_t *exact = malloc(size + 1); /* for the address sanitizer */

		for (size_t i = 0; i < size; i++)
			exact[i] = (uint8_t)rand();
		exact = realloc(exact, size ? size : 1);
		assert_true(insn_x86_64.length(exact, size) <= size);
		free(exact);
	}
}

struct found {
	size_t offsets[8], n;
};

static void take(void *arg, size_t offset)
{
	struct found *f = arg;

	f->offsets[f->n++] = offset;
}

static void test_returns_of_a_function(void **state)
{
	/* test %edi,%edi; je 1f; mov $0xc3,%eax; ret; 1: xor %eax,%eax; repz ret */
	static const char hex[] = "85ff7406b8c3000000c331c0f3c3";
	uint8_t code[32];
	size_t n = from_hex(hex, code);
	struct found found = {};

	(void)state;
	assert_true(insn_each_return(&insn_x86_64, code, n, take, &found));
	assert_int_equal(found.n, 2);
	assert_int_equal(found.offsets[0], 9);
	assert_int_equal(found.offsets[1], 12);
	assert_true(insn_begins_at(&insn_x86_64, code, n, 0));
	assert_true(insn_begins_at(&insn_x86_64, code, n, 4));
	assert_false(insn_begins_at(&insn_x86_64, code, n, 5));
	assert_true(insn_begins_at(&insn_x86_64, code, n, 9));
	assert_false(insn_begins_at(&insn_x86_64, code, n, 13));

	code[0] = 0x06; /* unknown: nothing can be said */
	assert_false(insn_each_return(&insn_x86_64, code, n, take, &found));
	assert_true(insn_begins_at(&insn_x86_64, code, n, 5));
}

static void test_aarch64(void **state)
{
	/* stp x29,x30,[sp,#-16]!; ret; ret x3; retaa; br x30 */
	static const uint32_t code[] = { 0xa9bf7bfd, 0xd65f03c0, 0xd65f0060, 0xd65f0bff,
					 0xd61f03c0 };
	struct found found = {};

	(void)state;
	assert_true(insn_each_return(&insn_aarch64, (const uint8_t *)code, sizeof(code), take,
				     &found));
	assert_int_equal(found.n, 3);
	assert_int_equal(found.offsets[0], 4);
	assert_int_equal(found.offsets[2], 12);
	assert_false(insn_begins_at(&insn_aarch64, (const uint8_t *)code, sizeof(code), 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),	  cmocka_unit_test(test_unknown_instructions),
		cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_returns_of_a_function),
		cmocka_unit_test(test_aarch64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
