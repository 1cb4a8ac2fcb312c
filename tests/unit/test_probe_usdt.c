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

	assert_int_equal(usdt_operands_parse(&arch_x86_64, text, &symbols, &loc, 1), 1);
	return loc;
}

static uint32_t off(const char *reg)
{
	const struct arch_reg *r = arch_find_reg(&arch_x86_64, reg);

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
	assert_true(usdt_operands_need_pc(&arch_x86_64, "8@%rax 4@table(%rip)"));
	assert_true(usdt_operands_need_pc(&arch_x86_64, "4@16+table(%rip)"));
	assert_false(usdt_operands_need_pc(&arch_x86_64, "8@%rax -4@$5 4@-8(%rbp,%rax,4)"));
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
	assert_int_equal(usdt_operands_parse(&arch_x86_64, "", &symbols, locs, 3), 0);
	assert_int_equal(usdt_operands_parse(&arch_x86_64, "8@%rax  -4@$5 ", &symbols, locs, 3),
			 2);
	assert_int_equal(locs[1].imm, 5);
	assert_int_equal(
		usdt_operands_parse(&arch_x86_64, "%rax %rbx %rcx %rdx", &symbols, locs, 3), 3);
	/* Without symbols there is nothing to find. */
	assert_int_equal(usdt_operands_parse(&arch_x86_64, "4@table(%rip)", &symbols, locs, 3),
			 1);
	assert_int_equal(locs[0].kind, LOC_NONE);
}

static struct argloc parse_arm(const char *text)
{
	struct usdt_symbols symbols = { .find = find, .pc = PC };
	struct argloc loc = {};

	assert_int_equal(usdt_operands_parse(&arch_aarch64, text, &symbols, &loc, 1), 1);
	return loc;
}

/* The registers of struct user_pt_regs are words from 0 on, sp is the 31st. */
static void aarch64_registers_and_numbers(void **state)
{
	static const struct {
		const char *text;
		enum argloc_kind kind;
		uint32_t off;
		int64_t imm;
		unsigned size;
		bool is_signed;
	} rows[] = {
		{ "8@x0", LOC_CTX, 0, 0, 8, false },
		{ "-4@w0", LOC_CTX, 0, 0, 4, true },
		{ "-4@x19", LOC_CTX, 19 * 8, 0, 4, true },
		{ "1@w30", LOC_CTX, 30 * 8, 0, 1, false },
		{ "8@sp", LOC_CTX, 31 * 8, 0, 8, false },
		{ "8@fp", LOC_CTX, 29 * 8, 0, 8, false },
		{ "w7", LOC_CTX, 7 * 8, 0, 4, false },
		{ "4@wzr", LOC_CONST, 0, 0, 4, false },
		{ "8@xzr", LOC_CONST, 0, 0, 8, false },
		{ "-4@-5", LOC_CONST, 0, -5, 4, true },
		{ "8@0x10", LOC_CONST, 0, 16, 8, false },
		{ "-4@#7", LOC_CONST, 0, 7, 4, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct argloc loc = parse_arm(rows[i].text);

		assert_int_equal(loc.kind, rows[i].kind);
		assert_int_equal(loc.off, rows[i].off);
		assert_int_equal(loc.imm, rows[i].imm);
		assert_int_equal(loc.size, rows[i].size);
		assert_int_equal(loc.is_signed, rows[i].is_signed);
	}
}

static void aarch64_memory(void **state)
{
	static const struct {
		const char *text;
		uint32_t off, off2;
		unsigned scale;
		int64_t imm;
	} rows[] = {
		{ "8@[x0]", 0, 0, 0, 0 },
		{ "-4@[sp, 16]", 31 * 8, 0, 0, 16 },
		{ "4@[x29,-20]", 29 * 8, 0, 0, -20 },
		{ "4@[x29, #-20]", 29 * 8, 0, 0, -20 },
		{ "4@[x1, x2]", 8, 16, 1, 0 },
		{ "8@[x1, x30, lsl 3]", 8, 240, 8, 0 },
		{ "4@[x1, x2, lsl #2]", 8, 16, 4, 0 },
		{ "4@[x3, #:lo12:table]", 24, 0, 0, TABLE & 0xfff },
		{ "4@[x3, :lo12:table+20]", 24, 0, 0, (TABLE + 20) & 0xfff },
	};
	struct usdt_symbols symbols = { .pc = PC };
	struct argloc locs[3];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct argloc loc = parse_arm(rows[i].text);

		assert_int_equal(loc.kind, LOC_USER);
		assert_int_equal(loc.off, rows[i].off);
		assert_int_equal(loc.off2, rows[i].off2);
		assert_int_equal(loc.scale, rows[i].scale);
		assert_int_equal(loc.imm, rows[i].imm);
	}
	/* A blank in brackets ends no operand. */
	assert_int_equal(usdt_operands_parse(&arch_aarch64, "-4@[sp, 16] 8@x3  4@[x1, x2]",
					     &symbols, locs, 3),
			 3);
	assert_int_equal(locs[1].off, 24);
	assert_int_equal(locs[2].off2, 16);
	assert_false(usdt_operands_need_pc(&arch_aarch64, "8@x0 4@[sp, 16]"));
	assert_true(usdt_operands_need_pc(&arch_aarch64, "8@x0 4@[x1, #:lo12:table]"));
}

static void aarch64_what_cannot_be_read(void **state)
{
	static const char *const texts[] = {
		"8f@d0",
		"8@d0",
		"8@x31",
		"8@pc",
		"8@pstate",
		"8@[x0",
		"8@[x0, ",
		"4@[x0, w1, sxtw 2]",
		"4@[x0, w1]",
		"4@[w0]",
		"4@[x0, x1, lsl 4]",
		"4@[x0]!",
		"3@x0",
		"8@",
		"8@[",
		"8@#",
		"@x0",
		"8@[xzr]",
		"8@[x0, :lo12:none]",
		"8@[x0, 8, 8]",
		"8@x0x",
		"4@table",
		"16@x0",
		"8@[x0, #:lo12:12]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(parse_arm(texts[i]).kind, LOC_NONE);
	assert_non_null(strstr(parse_arm("8f@d0").why, "floating-point"));
	assert_non_null(strstr(parse_arm("8@d0").why, "floating-point"));
	assert_non_null(strstr(parse_arm("4@[x0, w1]").why, "narrow index"));
}

static void it_is_said_why(void **state)
{
	(void)state;
	assert_non_null(strstr(parse("8f@%xmm0").why, "floating-point number"));
	assert_non_null(strstr(parse("4f@-8(%rbp)").why, "floating-point number"));
	assert_non_null(strstr(parse("8@%xmm15").why, "vector register"));
	assert_non_null(strstr(parse("8@%fs:16").why, "thread-local"));
	assert_non_null(strstr(parse("16@(%rax)").why, "1, 2, 4 or 8 bytes"));
	assert_null(parse("8@(%rax").why);
	/* Without a size the register has one. */
	assert_reg("%edi", off("di"), 4, false);
	assert_reg("%dh", off("dx") + 1, 1, false);
}

/* Every cut of an operand, and every single byte changed: an answer, within bounds. */
static void damaged_operands_do_no_harm(void **state)
{
	static const char *const texts[] = { "-4@table+8(%rip) 8@-8(%rax,%r9,8) 1@$-7 8f@%xmm0",
					     "-4@[sp, 16] 4@[x1, x2, lsl 3] 8@x0 4@[x3, "
					     "#:lo12:table]" };
	const struct arch *const archs[] = { &arch_x86_64, &arch_aarch64 };
	struct usdt_symbols symbols = { .find = find, .pc = PC };
	struct argloc locs[4];
	char text[128];

	(void)state;
	for (size_t a = 0; a < 2; a++) {
		for (size_t i = 0; texts[a][i]; i++) {
			for (int byte = 0; byte < 256; byte++) {
				strcpy(text, texts[a]);
				text[i] = (char)byte;
				assert_in_range(
					usdt_operands_parse(archs[a], text, &symbols, locs, 4),
					0, 4);
				usdt_operands_need_pc(archs[a], text);
			}
		}
	}
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
		cmocka_unit_test(it_is_said_why),
		cmocka_unit_test(aarch64_registers_and_numbers),
		cmocka_unit_test(aarch64_memory),
		cmocka_unit_test(aarch64_what_cannot_be_read),
		cmocka_unit_test(damaged_operands_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
