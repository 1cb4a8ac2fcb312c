#include "base/auto.h"
#include "bpf/asm.h"
#include "bpf/disasm.h"
#include "bpf_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_row_comes_back_in_both_dialects(void **state)
{
	(void)state;
	for (int id = 0; id < INSN_COUNT; id++) {
		for (uint32_t round = 0; round < 64; round++) {
			auto_arena struct arena a = { 0 };
			auto_sb struct sb text = { 0 };
			struct bpf_disasm_opts o = { .dialect = round & 1 };
			struct bpf_insn p[2], *back;
			struct err e = { 0 };
			uint32_t n;

			encode_filled((enum insn_id)id, round * 7919, p);
			uint32_t slots = bpf_disasm(&text, p, 2, 0, &o);
			if (bpf_asm(&a, text.s, text.len, &back, &n, &e))
				fail_msg("%s: '%s': %s", insn_row((enum insn_id)id)->name,
					 text.s, e.msg);
			assert_int_equal(n, slots);
			if (memcmp(p, back, n * sizeof(*p)))
				fail_msg("%s: '%s' changed", insn_row((enum insn_id)id)->name,
					 text.s);
		}
	}
}

/* Printed in a dialect and read again, the bytes are the same. */
static void check_round_trip(struct arena *a, enum insn_id id, const struct bpf_insn *p,
			     enum insn_dialect dialect)
{
	auto_sb struct sb text = { 0 };
	struct bpf_insn *back;
	struct err e = { 0 };
	uint32_t n, slots = bpf_disasm(&text, p, 2, 0, &(struct bpf_disasm_opts){ dialect });

	if (bpf_asm(a, text.s, text.len, &back, &n, &e))
		fail_msg("%s: '%s': %s", insn_row(id)->name, text.s, e.msg);
	if (n != slots || memcmp(p, back, n * sizeof(*p)))
		fail_msg("%s: '%s' changed", insn_row(id)->name, text.s);
}

static void every_register_and_boundary_comes_back(void **state)
{
	(void)state;
	unsigned forms = 0;

	for (int id = 0; id < INSN_COUNT; id++) {
		auto_arena struct arena a = { 0 };
		struct bpf_insn p[2];

		for (unsigned i = 0; bpf_form((enum insn_id)id, i, p); i++, forms++) {
			check_round_trip(&a, (enum insn_id)id, p, INSN_KERNEL);
			check_round_trip(&a, (enum insn_id)id, p, INSN_MNEMONIC);
		}
	}
	assert_int_equal(forms, 54008); /* grows with the table */
}

static void check_asm(const char *text, const char *want)
{
	auto_arena struct arena a = { 0 };
	auto_sb struct sb out = { 0 };
	struct bpf_insn *p;
	struct err e = { 0 };
	uint32_t n;

	if (bpf_asm(&a, text, strlen(text), &p, &n, &e))
		fail_msg("'%s': %s", text, e.msg);
	for (uint32_t i = 0; i < n;) {
		i += bpf_disasm(&out, p, n, i, NULL);
		sb_puts(&out, i < n ? "; " : "");
	}
	assert_string_equal(sb_str(&out), want);
}

static void programs_are_read(void **state)
{
	(void)state;
	check_asm("mov r0, 0x10\nadd %r0,-1 # one less\nexit", "r0 = 16; r0 += -1; exit");
	check_asm("start: r1=r2; if r1 > 5 goto done; goto start\ndone: exit",
		  "r1 = r2; if r1 > 0x5 goto pc+1; goto pc-3; exit");
	check_asm("   0: (b7) r0 = 0\n; int x = 1;\n  1: (95) exit", "r0 = 0; exit");
	check_asm("call bpf_map_lookup_elem; call trace_printk#6; call f; exit; f: exit",
		  "call bpf_map_lookup_elem#1; call bpf_trace_printk#6; call pc+1; exit; exit");
	check_asm("r0 &= 0xffffffffffffffff; r0 |= 0xffffffff80000000; r0 ^= 0xffffffff",
		  "r0 &= -1; r0 |= -2147483648; r0 ^= -1");
	check_asm("r1 = 0x123456789abcdef0; r2 = 5 ll; lddw r3, -1",
		  "r1 = 0x123456789abcdef0; r2 = 0x5; r3 = 0xffffffffffffffff");
	check_asm("ldxw r0, [r1]; stxdw [ r10 - 8 ], r1; *(u8*)(r10-1)=7",
		  "r0 = *(u32 *)(r1 +0); *(u64 *)(r10 -8) = r1; *(u8 *)(r10 -1) = 7");
}

static void other_assemblers_spellings_are_read(void **state)
{
	(void)state;
	/* ubpf and bpf_conformance */
	check_asm("swap16 %r3; ldxbsx %r0, [%r1+2]; call local f; call %r4\nexit\nf: ja exit",
		  "r3 = bswap16 r3; r0 = *(s8 *)(r1 +2); call pc+2; callx r4; exit; goto pc-2");
	check_asm("lock fetch add [r10-8], r2; lock fetch xor32 [r10-8], r2; call runtime 0x2a",
		  "r2 = atomic64_fetch_add((u64 *)(r10 -8), r2); "
		  "r2 = atomic_fetch_xor((u32 *)(r10 -8), r2); call kernel-function#42");
	check_asm("jne r0, 1, exit; r1 = map_fd 3; exit; exit",
		  "if r0 != 0x1 goto pc+2; r1 = map[id:3]; exit; exit");
	/* LLVM */
	check_asm(
		"if r1 == 0x0 goto +0x1 <LBB0_2>; *(u32 *)(r10 - 0x4) = w1\nw0 = *(u8 *)(r2 + 0x3)",
		"if r1 == 0x0 goto pc+1; *(u32 *)(r10 -4) = r1; r0 = *(u8 *)(r2 +3)");
	check_asm(
		"w2 = atomic_fetch_or((u32 *)(r1 + 0x0), w2); r0 = cmpxchg_64(r1 + 0x8, r0, r3)",
		"r2 = atomic_fetch_or((u32 *)(r1 +0), r2); "
		"r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r3)");
}

static void check_error(const char *text, const char *want)
{
	auto_arena struct arena a = { 0 };
	struct bpf_insn *p;
	struct err e = { 0 };
	uint32_t n;

	assert_int_not_equal(bpf_asm(&a, text, strlen(text), &p, &n, &e), 0);
	assert_string_equal(e.msg, want);
}

static void errors_say_where_and_what(void **state)
{
	(void)state;
	check_error("exit\nfoo r1, r2", "2:1: no such instruction 'foo r1, r2'");
	check_error("mov r0, r11", "1:9: expected a number or a register r0 ... r10");
	check_error("  add r0, 0x1ffffffff", "1:11: the number is too large for its field");
	check_error("add r0, 0xffffffff7fffffff", "1:9: the number is too large for its field");
	check_error("add r0, -2147483649", "1:9: the number is too large for its field");
	check_error("ja nowhere", "1:4: no label 'nowhere'");
	check_error("a: exit\na: exit", "2:1: there is already a label 'a'");
	check_error("ldxw r0, [r1+40000]", "1:13: the number is too large for its field");
	check_error("exit now", "1:6: unexpected text");
	check_error("r1 = -r2", "1:7: expected the same register as before");
	check_error("ja exit", "1:4: no label 'exit'");
	check_error("call bpf_nothing", "1:6: no label 'bpf_nothing'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_comes_back_in_both_dialects),
		cmocka_unit_test(every_register_and_boundary_comes_back),
		cmocka_unit_test(programs_are_read),
		cmocka_unit_test(other_assemblers_spellings_are_read),
		cmocka_unit_test(errors_say_where_and_what),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
