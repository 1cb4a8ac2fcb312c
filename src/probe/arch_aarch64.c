/* aarch64: struct user_pt_regs of arch/arm64/include/uapi/asm/ptrace.h, calls by the AAPCS64.
 */
#include "probe/arch.h"
#include "probe/usdt_reader.h"

#define X(n) ((n)*8)
#define WORD(off_)                                        \
	{                                                 \
		.kind = LOC_CTX, .off = (off_), .size = 8 \
	}

enum { SP = 248, PC = 256, PSTATE = 264, SYSCALLNO = 280 };

static const struct argloc args[] = { WORD(X(0)), WORD(X(1)), WORD(X(2)), WORD(X(3)),
				      WORD(X(4)), WORD(X(5)), WORD(X(6)), WORD(X(7)) };

static const uint32_t dwarf_regs[] = { X(0),  X(1),  X(2),  X(3),  X(4),  X(5),	 X(6),	X(7),
				       X(8),  X(9),  X(10), X(11), X(12), X(13), X(14), X(15),
				       X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23),
				       X(24), X(25), X(26), X(27), X(28), X(29), X(30), SP };
static const uint8_t args_dwarf[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static const struct arch_reg regs[] = {
	{ "r0", X(0) },	  { "r1", X(1) },	{ "r2", X(2) },	  { "r3", X(3) },
	{ "r4", X(4) },	  { "r5", X(5) },	{ "r6", X(6) },	  { "r7", X(7) },
	{ "r8", X(8) },	  { "r9", X(9) },	{ "r10", X(10) }, { "r11", X(11) },
	{ "r12", X(12) }, { "r13", X(13) },	{ "r14", X(14) }, { "r15", X(15) },
	{ "r16", X(16) }, { "r17", X(17) },	{ "r18", X(18) }, { "r19", X(19) },
	{ "r20", X(20) }, { "r21", X(21) },	{ "r22", X(22) }, { "r23", X(23) },
	{ "r24", X(24) }, { "r25", X(25) },	{ "r26", X(26) }, { "r27", X(27) },
	{ "r28", X(28) }, { "r29", X(29) },	{ "r30", X(30) }, { "sp", SP },
	{ "pc", PC },	  { "pstate", PSTATE },
};

/* Without a table of numbers each system call's tracepoint is attached to by itself. */
const struct arch arch_aarch64 = {
	.name = "aarch64",
	.args = args,
	.nargs = sizeof(args) / sizeof(*args),
	.retval = WORD(X(0)),
	.ip = WORD(PC),
	.dwarf_regs = dwarf_regs,
	.ndwarf_regs = sizeof(dwarf_regs) / sizeof(*dwarf_regs),
	.args_dwarf = args_dwarf,
	.sp_dwarf = 31,
	.big_by_ref = true,
	.regs = regs,
	.nregs = sizeof(regs) / sizeof(*regs),
	.insns = &insn_aarch64,
	.usdt = &usdt_aarch64,
	.watch_modes = (const char *const[]){ "r", "rw", "w", "x", NULL },
	.kernel_base = 1ull << 63,
	.syscall_nr_off = SYSCALLNO,
};
