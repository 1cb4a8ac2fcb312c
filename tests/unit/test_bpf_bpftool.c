/*
 * The kernel dialect is what bpftool prints: every vector in a program that the kernel loads is
 * dumped by bpftool and by us; and it is what the running kernel prints, of every form of every
 * instruction. Skipped where there is no bpftool, or no right to load programs.
 */
#include "bpf/asm.h"
#include "bpf/disasm.h"
#include "bpf_forms.h"
#include "vm_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* All families that bpftool of a 6.1 kernel knows, in a program that verifies. */
static const char PROGRAM[] =
	"r6 = r1; r0 = 5; w0 = -7; r0 += r0; w0 -= 3; r0 *= 11; w0 /= 3; r0 %= 5; r0 |= 1\n"
	"r0 &= 0x7f; w0 ^= 9; r0 <<= 3; w0 >>= 1; r0 s>>= 2; r0 = -r0; w0 = -w0\n"
	"r0 = be16 r0; r0 = be32 r0; r0 = be64 r0; r0 = le16 r0\n"
	"*(u64 *)(r10 -8) = r0; *(u32 *)(r10 -12) = r0; *(u16 *)(r10 -14) = r0\n"
	"*(u8 *)(r10 -15) = r0; *(u64 *)(r10 -24) = -1; *(u32 *)(r10 -28) = 77\n"
	"*(u16 *)(r10 -30) = 7; *(u8 *)(r10 -31) = 3\n"
	"r1 = *(u64 *)(r10 -8); r2 = *(u32 *)(r10 -12); r3 = *(u16 *)(r10 -14)\n"
	"r4 = *(u8 *)(r10 -15)\n"
	"lock *(u64 *)(r10 -8) += r1; lock *(u32 *)(r10 -12) |= r1\n"
	"r1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\n"
	"r1 = atomic_fetch_xor((u32 *)(r10 -12), r1)\n"
	"r1 = atomic64_xchg((u64 *)(r10 -8), r1)\n"
	"r0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r1)\n"
	"r5 = 0x123456789abcdef0\n"
	"if r0 == 5 goto end; if r0 != -1 goto l1; goto end\n"
	"l1: if r1 > r2 goto end; if w1 >= 7 goto end; if r1 & 8 goto end; if w1 s> w2 goto end\n"
	"if r1 s>= -4 goto end; if r1 < r2 goto end; if r1 <= 3 goto end; if w1 s< -1 goto end\n"
	"if r1 s<= r2 goto end\n"
	"r0 = 1\n"
	"end: r0 = 0; exit\n";

static int program_id(int fd, struct bpf_insn *insns, uint32_t *n)
{
	struct bpf_prog_info info = { .xlated_prog_insns = (uintptr_t)insns,
				      .xlated_prog_len = *n * sizeof(*insns) };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (vm_kernel_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return -1;
	*n = info.xlated_prog_len / sizeof(*insns);
	return (int)info.id;
}

static void check_dump(FILE *dump, const struct bpf_insn *insns, uint32_t n)
{
	struct bpf_disasm_opts opts = { .opcode = true };
	char line[256];

	for (uint32_t i = 0; i < n;) {
		auto_sb struct sb ours = { 0 };

		sb_printf(&ours, "%4u: ", i);
		i += bpf_disasm(&ours, insns, n, i, &opts);
		assert_non_null(fgets(line, sizeof(line), dump));
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(sb_str(&ours), line);
	}
	assert_null(fgets(line, sizeof(line), dump));
}

static void the_dump_is_bpftools(void **state)
{
	(void)state;
	auto_arena struct arena a = { 0 };
	auto_sb struct sb log = { 0 };
	struct bpf_insn *insns, xlated[256];
	uint32_t n, xlated_n = 256;
	struct err e = { 0 };
	char command[64];

	if (bpf_asm(&a, PROGRAM, strlen(PROGRAM), &insns, &n, &e))
		fail_msg("%s", e.msg);
	if (system("bpftool version >/dev/null 2>&1"))
		skip();
	auto_close int fd = vm_kernel_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, n, &log);
	if (fd == -EPERM)
		skip();
	if (fd < 0)
		fail_msg("%s", sb_str(&log));
	int id = program_id(fd, xlated, &xlated_n);
	snprintf(command, sizeof(command), "bpftool prog dump xlated id %d", id);
	FILE *dump = popen(command, "r");
	assert_non_null(dump);
	check_dump(dump, xlated, xlated_n);
	assert_int_equal(pclose(dump), 0);
}

/* What may stand anywhere in a program that the kernel prints before it verifies it. */
static bool stands_alone(enum insn_id id)
{
	uint8_t code = insn_row(id)->code;
	bool is_call = BPF_CLASS(code) == BPF_JMP &&
		       (BPF_OP(code) == BPF_CALL || BPF_OP(code) == BPF_EXIT);

	return !is_call && !insn_prints(id, "HfFmV");
}

static uint32_t all_forms(struct bpf_insn *insns, uint32_t room)
{
	uint32_t n = 0;

	for (int id = 0; id < INSN_COUNT; id++) {
		for (unsigned i = 0; bpf_form((enum insn_id)id, i, insns + n); i++) {
			assert_true(n + 4 < room);
			if (!stands_alone((enum insn_id)id))
				continue;
			/* Jumps have to end inside. */
			if (insn_prints((enum insn_id)id, "j"))
				insns[n].off = 0;
			if (insn_prints((enum insn_id)id, "J"))
				insns[n].imm = 0;
			n += insn_is_wide(&insns[n]) ? 2 : 1;
		}
	}
	insns[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return n;
}

/* The program as the kernel prints it, one line for each instruction: "7: .1....... (bf) r6 =
 * r1". */
static const char *kernel_listing(const struct bpf_insn *insns, uint32_t n, char *text,
				  size_t size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "GPL";
	attr.log_buf = (uintptr_t)text;
	attr.log_size = (uint32_t)size;
	attr.log_level = 2;
	auto_close int fd = vm_kernel_bpf(BPF_PROG_LOAD, &attr);
	(void)fd;
	const char *listing = strstr(text, "Live regs before insn:\n");
	return listing ? strchr(listing, '\n') + 1 : NULL;
}

static void every_form_is_printed_as_by_the_kernel(void **state)
{
	(void)state;
	enum { INSNS = 1 << 16, LOG = 16 << 20 };
	auto_free struct bpf_insn *insns = xcalloc(INSNS, sizeof(*insns));
	auto_free char *text = xcalloc(1, LOG);
	const struct bpf_disasm_opts opts = { .opcode = true };
	uint32_t n = all_forms(insns, INSNS), forms = 0;
	const char *line = kernel_listing(insns, n, text, LOG);

	if (!line)
		skip();
	for (uint32_t i = 0; i < n; forms++) {
		auto_sb struct sb ours = { 0 };
		const char *theirs = strchr(line, '(');
		uint32_t at = i;

		i += bpf_disasm(&ours, insns, n, i, &opts);
		assert_non_null(theirs);
		assert_int_equal(strtoul(line, NULL, 10), at);
		if (strncmp(theirs, ours.s, ours.len) || theirs[ours.len] != '\n')
			fail_msg("%.*s: ours is %s", (int)strcspn(line, "\n"), line, ours.s);
		line = strchr(line, '\n') + 1;
	}
	assert_int_equal(forms, 52923); /* grows with the table */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dump_is_bpftools),
		cmocka_unit_test(every_form_is_printed_as_by_the_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
