/*
 * The kernel dialect is what bpftool prints: every vector in a program that the kernel loads is
 * dumped by bpftool and by us. Skipped where there is no bpftool, or no right to load programs.
 */
#include "bpf/asm.h"
#include "bpf/disasm.h"
#include "vm_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dump_is_bpftools),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
