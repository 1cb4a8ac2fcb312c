/*
 * vm_text.h - programs of assembler text on the machine in user space.
 */
#ifndef TEST_VM_TEXT_H
#define TEST_VM_TEXT_H

#include "base/auto.h"
#include "bpf/asm.h"
#include "scry_vm.h"

#include <string.h>

/*
 * Loads a program, info NULL: one that gets memory, and compiles it with these flags. Returns
 * its number; what goes wrong ends the test, with the reason.
 */
static inline int vm_load_text(struct scry_vm *vm, const char *text,
			       const struct scry_vm_program *info, unsigned flags)
{
	auto_arena struct arena a = { 0 };
	struct bpf_insn *insns;
	struct err e = { 0 };
	uint32_t n;

	if (bpf_asm(&a, text, strlen(text), &insns, &n, &e))
		fail_msg("%s: %s", text, e.msg);
	int prog = scry_vm_load(vm, insns, n, info);
	if (prog < 0 || scry_vm_jit(vm, prog, flags))
		fail_msg("%s: %s", text, scry_vm_error(vm));
	return prog;
}

#endif
