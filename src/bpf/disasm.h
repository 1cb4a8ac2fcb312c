/*
 * disasm.h - instructions to text.
 *
 * The kernel dialect is what the kernel's verifier and `bpftool prog dump xlated` print for the
 * same bytes (kernel/bpf/disasm.c); both dialects are read back by asm.h without loss.  What is
 * no instruction is printed as "insn 0x...", eight bytes in the order of memory.
 */
#ifndef SCRY_BPF_DISASM_H
#define SCRY_BPF_DISASM_H

#include "base/sb.h"
#include "bpf/insn.h"

/* All zero is a good default: kernel dialect, numbers instead of names. */
struct bpf_disasm_opts {
	enum insn_dialect dialect;
	bool opcode; /* "(b7) " in front, as bpftool prints it */
	/*
	 * Names. Each adds the operand's text to out and returns true, or returns false for the
	 * default. wide: all of a ld_imm64's right side ("map[id:5]"); call: what is called
	 * ("bpf_ktime_get_ns#5", "pc+3").
	 */
	bool (*wide)(void *user, struct sb *out, const struct bpf_insn *insns, uint32_t i);
	bool (*call)(void *user, struct sb *out, const struct bpf_insn *insns, uint32_t i);
	void *user;
};

/*
 * Adds the text of instruction i of n, without a newline; opts may be NULL. Returns the slots
 * it takes: 2 for a 64-bit immediate, else 1.
 */
uint32_t bpf_disasm(struct sb *out, const struct bpf_insn *insns, uint32_t n, uint32_t i,
		    const struct bpf_disasm_opts *opts);

#endif
