/*
 * Source of the numbers: include/uapi/linux/seccomp.h, audit.h.
 */
#include "cli/seccomp.h"

#include "base/auto.h"
#include "bpf/classic.h"
#include "cli/vm_input.h"
#include "probe/arch.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

/* Which field of struct seccomp_data the accumulator holds. */
enum data_field { FIELD_NONE, FIELD_NR, FIELD_ARCH };

static enum data_field field_of(const struct sock_filter *p, enum data_field before)
{
	if (BPF_CLASS(p->code) == BPF_ALU || p->code == (BPF_MISC | BPF_TXA))
		return FIELD_NONE;
	if (BPF_CLASS(p->code) != BPF_LD)
		return before;
	if (p->code != (BPF_LD | BPF_W | BPF_ABS))
		return FIELD_NONE;
	return p->k == offsetof(struct seccomp_data, nr)     ? FIELD_NR
	       : p->k == offsetof(struct seccomp_data, arch) ? FIELD_ARCH
							     : FIELD_NONE;
}

static void put_action(struct sb *out, uint32_t k)
{
	static const struct {
		uint32_t action;
		const char *name;
	} ACTIONS[] = {
		{ SECCOMP_RET_KILL_PROCESS, "kill process" },
		{ SECCOMP_RET_KILL_THREAD, "kill thread" },
		{ SECCOMP_RET_TRAP, "trap" },
		{ SECCOMP_RET_ERRNO, "errno" },
		{ SECCOMP_RET_USER_NOTIF, "ask user space" },
		{ SECCOMP_RET_TRACE, "trace" },
		{ SECCOMP_RET_LOG, "log" },
		{ SECCOMP_RET_ALLOW, "allow" },
	};

	for (size_t i = 0; i < sizeof(ACTIONS) / sizeof(*ACTIONS); i++) {
		if ((k & SECCOMP_RET_ACTION_FULL) != ACTIONS[i].action)
			continue;
		sb_printf(out, "\t; %s", ACTIONS[i].name);
		if (ACTIONS[i].action == SECCOMP_RET_ERRNO) {
			const char *name = err_name((int)(k & SECCOMP_RET_DATA));
			sb_printf(out, " %s", name ? name : "0");
		}
	}
}

static void put_syscall(struct sb *out, const struct sock_filter *p)
{
	for (unsigned i = 0; i < arch_host.nsyscalls; i++)
		if (arch_host.syscalls[i].number == p->k)
			sb_printf(out, "\t; %s", arch_host.syscalls[i].name);
}

static void put_arch(struct sb *out, uint32_t k)
{
	const char *name = k == AUDIT_ARCH_X86_64    ? "x86_64"
			   : k == AUDIT_ARCH_I386    ? "i386"
			   : k == AUDIT_ARCH_AARCH64 ? "aarch64"
						     : NULL;

	if (name)
		sb_printf(out, "\t; %s", name);
}

static void put_note(struct sb *out, const struct sock_filter *p, enum data_field field)
{
	bool compares = BPF_CLASS(p->code) == BPF_JMP && BPF_SRC(p->code) == BPF_K &&
			BPF_OP(p->code) != BPF_JA && BPF_OP(p->code) != BPF_JSET;

	if (p->code == (BPF_RET | BPF_K))
		put_action(out, p->k);
	else if (compares && field == FIELD_NR)
		put_syscall(out, p);
	else if (compares && field == FIELD_ARCH)
		put_arch(out, p->k);
	else if (BPF_CLASS(p->code) == BPF_LD && field == FIELD_NR)
		sb_puts(out, "\t; number of the call");
	else if (BPF_CLASS(p->code) == BPF_LD && field == FIELD_ARCH)
		sb_puts(out, "\t; architecture");
}

int seccomp_print(const char *path, struct sb *out, struct err *e)
{
	auto_sb struct sb file = {};
	enum data_field field = FIELD_NONE;
	int err = vm_read_file(path, &file, e);

	if (err)
		return err_set(e, err, "read %s: %s", path, strerror(-err));
	if (!file.len || file.len % sizeof(struct sock_filter) ||
	    file.len / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return err_set(
			e, -EINVAL,
			"%s: %zu bytes are no filter: instructions have 8 each, and there "
			"are 1 to %d",
			path, file.len, BPF_MAXINSNS);
	const struct sock_filter *insns = (const struct sock_filter *)file.s;
	uint32_t n = (uint32_t)(file.len / sizeof(*insns));
	err = classic_check(insns, n, e);
	for (uint32_t i = 0; i < n && !err; i++) {
		field = field_of(&insns[i], field);
		classic_disasm(out, insns, i);
		put_note(out, &insns[i], field);
		sb_putc(out, '\n');
	}
	return err;
}
