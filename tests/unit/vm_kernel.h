/*
 * vm_kernel.h - programs in the running kernel, for tests that compare with it.
 */
#ifndef TEST_VM_KERNEL_H
#define TEST_VM_KERNEL_H

#include "base/arena.h"
#include "base/auto.h"
#include "bpf/insn.h"
#include "kernel/func_info.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

static inline int vm_kernel_bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

/*
 * Names the functions, as the kernel wants it before it takes the address of one; returns a
 * descriptor of BTF, or -1 where no address is taken.
 */
static inline int vm_kernel_functions(const struct bpf_insn *insns, uint32_t n, struct sb *info)
{
	auto_sb struct sb btf = { 0 };
	uint32_t funcs[64] = { 0 }, count = 1;
	bool *starts = xcalloc(n + 1, sizeof(*starts));
	bool taken = false;
	union bpf_attr attr;

	for (uint32_t i = 0; i < n; i += insn_is_wide(&insns[i]) ? 2 : 1) {
		const struct bpf_insn *p = &insns[i];
		bool address = insn_is_wide(p) && p->src_reg == BPF_PSEUDO_FUNC;
		bool calls = p->code == (BPF_JMP | BPF_CALL) && p->src_reg == BPF_PSEUDO_CALL;
		uint64_t to = i + 1 + (uint64_t)(int64_t)p->imm;

		taken |= address;
		if ((address || calls) && to < n)
			starts[to] = true;
	}
	for (uint32_t i = 1; i < n && count < 64; i++) {
		if (starts[i])
			funcs[count++] = i;
	}
	free(starts);
	if (!taken)
		return -1;
	func_info_make("prog", funcs, count, &btf, info);
	memset(&attr, 0, sizeof(attr));
	attr.btf = (uintptr_t)btf.s;
	attr.btf_size = (uint32_t)btf.len;
	return vm_kernel_bpf(BPF_BTF_LOAD, &attr);
}

/* Loads a program: its descriptor, or -errno with the verifier's log. */
static inline int vm_kernel_load(enum bpf_prog_type type, const struct bpf_insn *insns,
				 uint32_t n, struct sb *log)
{
	static char text[1 << 20];
	auto_sb struct sb info = { 0 };
	auto_close int btf = vm_kernel_functions(insns, n, &info);
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	if (btf >= 0) {
		attr.prog_btf_fd = (uint32_t)btf;
		attr.func_info = (uintptr_t)info.s;
		attr.func_info_cnt = (uint32_t)(info.len / sizeof(struct bpf_func_info));
		attr.func_info_rec_size = sizeof(struct bpf_func_info);
	}
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
