/*
 * arch.h - what depends on the machine, as data: one file per architecture.
 *
 * Offsets are those of struct pt_regs, which is what kprobe programs get as their context
 * (asm/ptrace.h of each architecture).  arch_host is the one that scry is compiled for.
 */
#ifndef SCRY_PROBE_ARCH_H
#define SCRY_PROBE_ARCH_H

#include "probe/insn.h"
#include "probe/provider.h"

struct usdt_syntax;

struct arch_reg {
	const char *name;
	uint32_t off;
};

struct arch_syscall {
	const char *name; /* as its tracepoints have it: "newstat" */
	uint32_t number;
};

struct arch {
	const char *name;	   /* as uname -m says */
	const struct argloc *args; /* arg0, arg1, ... of a function at its entry */
	unsigned nargs;
	struct argloc retval; /* at its return */
	struct argloc ip;
	/* By DWARF's numbers: where registers are in the context, LOC_NO_REG those that are
	 * not. */
	const uint32_t *dwarf_regs;
	unsigned ndwarf_regs;
	const uint8_t *args_dwarf; /* the registers of args */
	uint8_t sp_dwarf;	   /* the stack pointer */
	int8_t entry_cfa; /* at a function's entry, from the stack pointer to the CFA */
	bool big_by_ref;  /* of structs that do not fit registers the address is passed */
	const struct arch_reg *regs;
	unsigned nregs;
	/* What a watchpoint can wait for, letters as in its mode, ascending; NULL-terminated.
	 */
	const char *const *watch_modes;
	const struct insn_set *insns;
	const struct usdt_syntax *usdt; /* usdt_reader.h */
	uint64_t kernel_base;		/* addresses from here on are the kernel's */
	/* Syscalls, sorted by name. */
	const struct arch_syscall *syscalls;
	unsigned nsyscalls;
	uint32_t syscall_limit;	 /* numbers are below it */
	uint32_t syscall_nr_off; /* of the number, while the call returns */
	/*
	 * The word at abi_off is abi_value in a task of the kernel's own word size; other tasks
	 * have other system call numbers. abi_size 0: there is no such word.
	 */
	uint32_t abi_off, abi_size;
	int64_t abi_value;
};

extern const struct arch arch_x86_64, arch_aarch64;

#if defined(__x86_64__)
#define arch_host arch_x86_64
#elif defined(__aarch64__)
#define arch_host arch_aarch64
#endif

/* The number of a system call, or -1. */
int arch_syscall_number(const struct arch *a, const char *name);
/* The register of that name, or NULL. */
const struct arch_reg *arch_find_reg(const struct arch *a, const char *name);

#endif
