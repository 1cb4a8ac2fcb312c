#include "kernel/kfunc.h"

#include "base/auto.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The verifier's words where the call itself is refused; others are about what it is given. */
static const char *const REFUSALS[] = {
	"is not allowed",	       /* not to programs of this kind */
	"is not supported",	       /* by the JIT compiler */
	"is not a function",	       /* nor is the id */
	"cannot find address",	       /* it was inlined away */
	"must be sleepable",	       /* it may sleep, and this program may not */
	"destructive kfunc",	       /* needs CAP_SYS_BOOT */
	"unable to resolve prototype", /* its type is no function's */
	"unknown opcode",	       /* kernels before 5.13 */
	"BPF_CALL uses reserved fields",
};

static bool is_refusal(const char *log)
{
	for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(*REFUSALS); i++)
		if (strstr(log, REFUSALS[i]))
			return true;
	return !*log; /* not even the verifier was asked */
}

int kfunc_allowed(const struct kbpf_prog *like, uint32_t id)
{
	enum { MOV = BPF_ALU64 | BPF_MOV | BPF_K };
	const struct bpf_insn insns[] = {
		{ .code = MOV, .dst_reg = 1 },
		{ .code = MOV, .dst_reg = 2 },
		{ .code = MOV, .dst_reg = 3 },
		{ .code = MOV, .dst_reg = 4 },
		{ .code = MOV, .dst_reg = 5 },
		{ .code = BPF_JMP | BPF_CALL,
		  .src_reg = BPF_PSEUDO_KFUNC_CALL,
		  .imm = (int32_t)id },
		{ .code = MOV, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	auto_sb struct sb log = {};
	struct kbpf_prog p = *like;

	p.name = "ask";
	p.insns = insns;
	p.ninsns = sizeof(insns) / sizeof(*insns);
	p.funcs = NULL;
	p.nfuncs = 0;
	int fd = kbpf_prog_load(&p, &log);
	if (fd >= 0) {
		close(fd);
		return 1;
	}
	return fd == -EPERM ? fd : !is_refusal(sb_str(&log));
}
