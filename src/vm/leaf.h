/*
 * leaf.h - programs that compile to a plain C function.
 *
 * A leaf calls nothing, has no stack and jumps forward only: packet filters.  Without checks it
 * cannot end but by "exit" or outside of its packet, so it needs no struct scry_vm_run, no
 * frame and mostly no saved registers: scry_vm_function takes the packet in registers, where it
 * stays.
 */
#ifndef SCRY_VM_LEAF_H
#define SCRY_VM_LEAF_H

#include "vm/vm.h"
#include "vm/x86.h"

/* Where scry_vm_function gets its third and fourth argument. */
enum { LEAF_PACKET = RDX, LEAF_SIZE = RCX };

struct vm_leaf {
	uint8_t reg[11]; /* native registers by BPF's numbers */
	uint8_t saved[4];
	unsigned nsaved; /* of them C wants back */
	bool reads_packet;
	struct vm_leaf_insn {
		/* Bytes of packet that are known to be there on every way here. */
		uint32_t proved;
		/*
		 * A packet load whose bytes need not be put in order, and the comparison behind
		 * it, which takes imm for its constant instead.
		 */
		bool raw;
		int32_t imm;
		/* Packet loads by register: the register is below 2^31 - 2^17. */
		bool small_index;
	} * at; /* per instruction; the caller frees it */
};

/* Returns false, with nothing to free, when the program is no leaf; used: registers it names.
 */
bool vm_leaf_plan(struct vm_leaf *leaf, const struct vm_prog *prog, uint16_t used);

#endif
