/*
 * vm_kernel.h - programs in the running kernel, for tests that compare with it.
 */
#ifndef TEST_VM_KERNEL_H
#define TEST_VM_KERNEL_H

#include "base/arena.h"
#include "base/auto.h"
#include "bpf/insn.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

static inline int vm_kernel_bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

/* Loads a program: its descriptor, or -errno with the verifier's log. */
static inline int vm_kernel_load(enum bpf_prog_type type, const struct bpf_insn *insns,
				 uint32_t n, struct sb *log)
{
	static char text[1 << 20];
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uintptr_t) "GPL";
	attr.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0;
	attr.log_buf = (uintptr_t)text;
	attr.log_size = sizeof(text);
	attr.log_level = log ? 1 : 0;
	if (!log)
		attr.log_buf = attr.log_size = 0;
	text[0] = '\0';
	int fd = vm_kernel_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0 && log)
		sb_puts(log, text);
	return fd;
}

/*
 * Runs a program with r1 = a copy of mem and r2 = its size, and gives all of r0: a function in
 * front calls it and stores the result behind the memory. Returns -EPERM when the kernel lets
 * us load nothing.
 */
static inline int vm_kernel_run(const struct bpf_insn *insns, uint32_t n, const void *mem,
				size_t size, uint64_t *r0, struct sb *log)
{
	int32_t at = (int32_t)((size + 7) & ~7ul);
	const struct bpf_insn front[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (int32_t)size },
		{ BPF_JMP | BPF_CALL, 0, 1, 0, 3 },
		{ BPF_STX | BPF_MEM | BPF_DW, 6, 0, (int16_t)at, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT },
	};
	struct bpf_insn *all = xcalloc(n + 6, sizeof(*all));
	uint8_t ctx[512] = { 0 };
	union bpf_attr attr;

	memcpy(all, front, sizeof(front));
	memcpy(all + 6, insns, n * sizeof(*insns));
	auto_close int fd = vm_kernel_load(BPF_PROG_TYPE_SYSCALL, all, n + 6, log);
	free(all);
	if (fd < 0)
		return fd;

	memcpy(ctx, mem, size);
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.ctx_in = (uintptr_t)ctx;
	attr.test.ctx_size_in = (uint32_t)at + 8;
	int ret = vm_kernel_bpf(BPF_PROG_TEST_RUN, &attr);
	memcpy(r0, ctx + at, 8);
	return ret;
}

#endif
