#include "base/auto.h"
#include "bpf/disasm.h"
#include "bpf/helper.h"
#include "bpf/insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A plain encoding of a row: its opcode and selecting field, all else 0. */
static void encode_plain(enum insn_id id, struct bpf_insn p[2])
{
	const struct insn_row *row = insn_row(id);

	memset(p, 0, 2 * sizeof(*p));
	p->code = row->code;
	if (row->select == SEL_OFF)
		p->off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		p->imm = row->value;
	if (row->select == SEL_SRC)
		p->src_reg = (uint8_t)row->value;
}

static void every_row_is_found_by_its_encoding(void **state)
{
	(void)state;
	for (int id = 0; id < INSN_COUNT; id++) {
		struct bpf_insn p[2];

		encode_plain(id, p);
		if (insn_find(p, 2) != (enum insn_id)id)
			fail_msg("%s is found as %d", insn_row(id)->name, insn_find(p, 2));
	}
}

static void reserved_fields_are_no_instruction(void **state)
{
	(void)state;
	struct bpf_insn exit_dst = { .code = BPF_JMP | BPF_EXIT, .dst_reg = 1 };
	struct bpf_insn mov_off = { .code = BPF_ALU64 | BPF_MOV | BPF_X, .off = 5 };
	struct bpf_insn r11 = { .code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 11 };
	struct bpf_insn wide[2] = { { .code = BPF_LD | BPF_IMM | BPF_DW } };

	assert_int_equal(insn_find(&exit_dst, 1), INSN_COUNT);
	assert_int_equal(insn_find(&mov_off, 1), INSN_COUNT);
	assert_int_equal(insn_find(&r11, 1), INSN_COUNT);
	assert_int_equal(insn_find(wide, 1), INSN_COUNT);
	assert_int_equal(insn_find(wide, 2), INSN_LDDW);
	wide[1].code = BPF_JMP | BPF_EXIT;
	assert_int_equal(insn_find(wide, 2), INSN_COUNT);
}

static void helpers_are_dense_and_found_by_name(void **state)
{
	(void)state;
	size_t n;
	const struct helper *all = helper_all(&n);

	assert_int_equal(n, 211);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(all[i].id, i + 1);
		assert_ptr_equal(helper_by_id(all[i].id), &all[i]);
		assert_ptr_equal(helper_by_name(all[i].name, strlen(all[i].name)), &all[i]);
	}
	assert_int_equal(helper_by_name("bpf_ringbuf_reserve", 19)->id, 131);
	assert_null(helper_by_id(0));
	assert_null(helper_by_id(212));
	assert_null(helper_by_name("bpf_nonsense", 12));
}

static void check_text(const struct bpf_insn *p, uint32_t n, const struct bpf_disasm_opts *o,
		       const char *want)
{
	auto_sb struct sb out = { 0 };

	bpf_disasm(&out, p, n, 0, o);
	assert_string_equal(sb_str(&out), want);
}

static void both_dialects_print(void **state)
{
	(void)state;
	static const struct {
		struct bpf_insn insn;
		const char *kernel, *mnemonic;
	} CASES[] = {
		{ { BPF_ALU64 | BPF_MOV | BPF_X, 0, 1, 0, 0 }, "r0 = r1", "mov64 r0, r1" },
		{ { BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, -1 }, "w0 = -1", "mov32 r0, -1" },
		{ { BPF_LDX | BPF_MEM | BPF_DW, 1, 1, 8, 0 },
		  "r1 = *(u64 *)(r1 +8)",
		  "ldxdw r1, [r1+8]" },
		{ { BPF_JMP | BPF_JNE | BPF_K, 1, 0, 3, 0 },
		  "if r1 != 0x0 goto pc+3",
		  "jne64 r1, 0, +3" },
		{ { BPF_JMP32 | BPF_JSLT | BPF_X, 1, 2, -3, 0 },
		  "if w1 s< w2 goto pc-3",
		  "jslt32 r1, r2, -3" },
		{ { BPF_JMP | BPF_CALL, 0, 0, 0, 5 }, "call bpf_ktime_get_ns#5", "call 5" },
		{ { BPF_JMP | BPF_CALL, 0, 1, 0, 2 }, "call pc+2", "call local +2" },
		{ { BPF_ALU64 | BPF_MOD | BPF_K, 3, 0, 1, 7 }, "r3 s%= 7", "smod64 r3, 7" },
		{ { BPF_ALU | BPF_END | BPF_TO_BE, 3, 0, 0, 16 }, "r3 = be16 r3", "be16 r3" },
		{ { BPF_STX | BPF_ATOMIC | BPF_W, 10, 2, -8, BPF_ADD },
		  "lock *(u32 *)(r10 -8) += r2",
		  "lock add32 [r10-8], r2" },
		{ { BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 0, BPF_CMPXCHG },
		  "r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)",
		  "lock cmpxchg64 [r1+0], r2" },
		{ { BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 1, 1 << 16 },
		  "r1 = addr_space_cast(r2, 1, 0)",
		  "addr_space_cast r1, r2, 1, 0" },
		{ { BPF_ALU64 | BPF_MOV | BPF_X, 0, 0, -1, 0 },
		  "r0 = &(void __percpu *)(r0)",
		  "mov_percpu r0, r0" },
		{ { 0xff, 1, 2, 3, 4 }, "insn 0xff21030004000000", "insn 0xff21030004000000" },
	};
	struct bpf_disasm_opts other = { .dialect = INSN_MNEMONIC };

	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		check_text(&CASES[i].insn, 1, NULL, CASES[i].kernel);
		check_text(&CASES[i].insn, 1, &other, CASES[i].mnemonic);
	}
}

static bool name_map(void *user, struct sb *out, const struct bpf_insn *insns, uint32_t i)
{
	(void)user;
	sb_printf(out, "@counts(%d)", insns[i].imm);
	return true;
}

static void names_come_from_the_caller(void **state)
{
	(void)state;
	struct bpf_insn p[2] = { { BPF_LD | BPF_IMM | BPF_DW, 2, 1, 0, 7 } };
	struct bpf_disasm_opts o = { .wide = name_map, .opcode = true };

	check_text(p, 2, &o, "(18) r2 = @counts(7)");
	check_text(p, 2, NULL, "r2 = map[id:7]");

	/* As the kernel dumps it: with its number of the function. */
	struct bpf_insn f[2] = { { BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_FUNC, 0, 86 },
				 { .imm = 3 } };
	check_text(f, 2, NULL, "r2 = subprog[+86]");
	f[1].off = 1;
	check_text(f, 2, NULL, "insn 0x1842000056000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found_by_its_encoding),
		cmocka_unit_test(reserved_fields_are_no_instruction),
		cmocka_unit_test(helpers_are_dense_and_found_by_name),
		cmocka_unit_test(both_dialects_print),
		cmocka_unit_test(names_come_from_the_caller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
