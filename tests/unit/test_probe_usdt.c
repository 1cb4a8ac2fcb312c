#include "probe/usdt_operand.h"

#include "probe/arch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PC = 0x1000, TABLE = 0x4000 };

static bool find(void *arg, const char *name, uint64_t *addr)
{
	(void)arg;
	*addr = TABLE;
	return !strcmp(name, "table");
}

static struct argloc parse(const char *text)
{
	struct usdt_symbols symbols = { .find = find, .pc = PC };
	struct argloc loc = {};

	assert_int_equal(usdt_operands_parse(text, &symbols, &loc, 1), 1);
	return loc;
}

static uint32_t off(const char *reg)
{
	const struct arch_reg *r = arch_find_reg(&arch_host, reg);

	assert_non_null(r);
	return r->off;
}

static void assert_reg(const char *text, uint32_t at, unsigned size, bool is_signed)
{
	struct argloc loc = parse(text);

	assert_int_equal(loc.kind, LOC_CTX);
	assert_int_equal(loc.off, at);
	assert_int_equal(loc.size, size);
	assert_int_equal(loc.is_signed, is_signed);
}

static void registers_of_all_widths(void **state)
{
	(void)state;
	assert_reg("8@%rax", off("ax"), 8, false);
	assert_reg("-4@%edi", off("di"), 4, true);
	assert_reg("2@%bx", off("bx"), 2, false);
	assert_reg("-1@%cl", off("cx"), 1, true);
	assert_reg("1@%dh", off("dx") + 1, 1, false);
	assert_reg("1@%sil", off("si"), 1, false);
	assert_reg("4@%r8d", off("r8"), 4, false);
	assert_reg("-2@%r10w", off("r10"), 2, true);
	assert_reg("1@%r15b", off("r15"), 1, false);
	assert_reg("8@%rbp", off("bp"), 8, false);
	assert_reg("%rsp", off("sp"), 8, false);
}

static void constants(void **state)
{
	(void)state;
	assert_int_equal(parse("-4@$-7").kind, LOC_CONST);
	assert_int_equal(parse("-4@$-7").imm, -7);
	assert_int_equal(parse("8@$0x10").imm, 16);
	assert_int_equal(parse("8@$18446744073709551615").imm, -1);
}

static void assert_memory(const char *text, uint32_t base, uint32_t index, unsigned scale,
			  int64_t imm)
{
	struct argloc loc = parse(text);

	assert_int_equal(loc.kind, LOC_USER);
	assert_int_equal(loc.off, base);
	assert_int_equal(loc.scale, scale);
	if (scale)
		assert_int_equal(loc.off2, index);
	assert_int_equal(loc.imm, imm);
}

static void memory_of_all_forms(void **state)
{
	(void)state;
	assert_memory("8@(%rax)", off("ax"), 0, 0, 0);
	assert_memory("-4@-16(%rbp)", off("bp"), 0, 0, -16);
	assert_memory("4@8+16(%rbp)", off("bp"), 0, 0, 24);
	assert_memory("4@0x20(%rsp)", off("sp"), 0, 0, 32);
	assert_memory("4@(%rax,%rbx)", off("ax"), off("bx"), 1, 0);
	assert_memory("4@-8(%rax,%r9,8)", off("ax"), off("r9"), 8, -8);
	assert_memory("4@100(,%rcx,4)", LOC_NO_REG, off("cx"), 4, 100);
	assert_memory("4@4096", LOC_NO_REG, 0, 0, 4096);
}

static void symbols_are_relative_to_the_probe(void **state)
{
	(void)state;
	assert_memory("4@table(%rip)", off("ip"), 0, 0, TABLE - PC);
	assert_memory("4@table+8(%rip)", off("ip"), 0, 0, TABLE + 8 - PC);
	assert_memory("4@8+table(%rip)", off("ip"), 0, 0, TABLE + 8 - PC);
	assert_memory("4@table", off("ip"), 0, 0, TABLE - PC);
	assert_memory("4@table(,%rax,2)", off("ip"), off("ax"), 2, TABLE - PC);
	assert_true(usdt_operands_need_pc("8@%rax 4@table(%rip)"));
	assert_true(usdt_operands_need_pc("4@16+table(%rip)"));
	assert_false(usdt_operands_need_pc("8@%rax -4@$5 4@-8(%rbp,%rax,4)"));
}

static void what_cannot_be_read_is_said_so(void **state)
{
	static const char *const texts[] = {
		"8f@%xmm0",
		"8@%xmm0",
		"8@%fs:16",
		"8@unknown(%rip)",
		"8@(%rax",
		"8@(%eax)",
		"8@(%rax,%rbx,3)",
		"3@%rax",
		"8@",
		"8@$",
		"8@4(%rip)",
		"8@%",
		"@%rax",
		"8@%rax)",
		"8@--",
		"8@table(%rbx)",
		"-",
		"8@(,",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i]).kind, LOC_NONE);
}

static void a_note_has_several(void **state)
{
	struct usdt_symbols symbols = { .pc = PC };
	struct argloc locs[3];

	(void)state;
	assert_int_equal(usdt_operands_parse("", &symbols, locs, 3), 0);
	assert_int_equal(usdt_operands_parse("8@%rax  -4@$5 ", &symbols, locs, 3), 2);
	assert_int_equal(locs[1].imm, 5);
	assert_int_equal(usdt_operands_parse("%rax %rbx %rcx %rdx", &symbols, locs, 3), 3);
	/* Without symbols there is nothing to find. */
	assert_int_equal(usdt_operands_parse("4@table(%rip)", &symbols, locs, 3), 1);
	assert_int_equal(locs[0].kind, LOC_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_of_all_widths),
		cmocka_unit_test(constants),
		cmocka_unit_test(memory_of_all_forms),
		cmocka_unit_test(symbols_are_relative_to_the_probe),
		cmocka_unit_test(what_cannot_be_read_is_said_so),
		cmocka_unit_test(a_note_has_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
