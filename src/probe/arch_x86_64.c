/* x86_64: struct pt_regs of arch/x86/include/asm/ptrace.h, calls by the System V ABI. */
#include "probe/arch.h"
#include "probe/usdt_reader.h"

enum {
	R15 = 0,
	R14 = 8,
	R13 = 16,
	R12 = 24,
	BP = 32,
	BX = 40,
	R11 = 48,
	R10 = 56,
	R9 = 64,
	R8 = 72,
	AX = 80,
	CX = 88,
	DX = 96,
	SI = 104,
	DI = 112,
	ORIG_AX = 120,
	IP = 128,
	CS = 136,
	FLAGS = 144,
	SP = 152,
	SS = 160,
};

#define WORD(reg)                                        \
	{                                                \
		.kind = LOC_CTX, .off = (reg), .size = 8 \
	}

static const struct argloc args[] = {
	WORD(DI), WORD(SI), WORD(DX), WORD(CX), WORD(R8), WORD(R9)
};

static const uint32_t dwarf_regs[] = { AX, DX,	CX,  BX,  SI,  DI,  BP,	 SP, R8,
				       R9, R10, R11, R12, R13, R14, R15, IP };
static const uint8_t args_dwarf[] = { 5, 4, 1, 2, 8, 9 };

static const struct arch_reg regs[] = {
	{ "r15", R15 }, { "r14", R14 }, { "r13", R13 },	    { "r12", R12 },
	{ "bp", BP },	{ "bx", BX },	{ "r11", R11 },	    { "r10", R10 },
	{ "r9", R9 },	{ "r8", R8 },	{ "ax", AX },	    { "cx", CX },
	{ "dx", DX },	{ "si", SI },	{ "di", DI },	    { "orig_ax", ORIG_AX },
	{ "ip", IP },	{ "cs", CS },	{ "flags", FLAGS }, { "sp", SP },
	{ "ss", SS },
};

static const struct arch_syscall syscalls[] = {
#define SYSCALL(name, number) { #name, number },
#include "probe/syscalls_x86_64.def"
#undef SYSCALL
};

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.args = args,
	.nargs = sizeof(args) / sizeof(*args),
	.retval = WORD(AX),
	.ip = WORD(IP),
	.dwarf_regs = dwarf_regs,
	.ndwarf_regs = sizeof(dwarf_regs) / sizeof(*dwarf_regs),
	.args_dwarf = args_dwarf,
	.sp_dwarf = 7,
	.entry_cfa = 8,
	.regs = regs,
	.nregs = sizeof(regs) / sizeof(*regs),
	.insns = &insn_x86_64,
	.usdt = &usdt_x86_64,
	.watch_modes = (const char *const[]){ "rw", "w", "x", NULL },
	.kernel_base = 1ull << 63,
	.syscalls = syscalls,
	.nsyscalls = sizeof(syscalls) / sizeof(*syscalls),
	.syscall_limit = 512,
	.syscall_nr_off = ORIG_AX,
	/* __USER_CS; 32-bit tasks run with __USER32_CS. */
	.abi_off = CS,
	.abi_size = 8,
	.abi_value = 0x33,
};
