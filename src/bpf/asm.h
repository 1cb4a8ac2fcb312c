/*
 * asm.h - text to instructions, in both dialects of disasm.h.
 *
 * One instruction per line or between semicolons; the dialects may be mixed.  What bpf_disasm()
 * prints gives the same bytes back.  Besides that a program may have
 *
 *	label:                  a name for the next instruction, to jump to or to call
 *	# or // ...             comments; also a line that begins with a semicolon
 *	12: (b7) r0 = 1         positions and opcodes as bpftool prints them, which are ignored
 *	insn 0xb700000000000000 eight bytes as they are
 *
 * A jump to "exit" goes to the first exit when no label has that name.  Spellings of ubpf and
 * bpf_conformance are read as well (%r0, swap16, lock fetch add, call runtime, ldxbsx).
 *
 * Helpers are called by number, by name, or by both as the kernel prints them.
 */
#ifndef SCRY_BPF_ASM_H
#define SCRY_BPF_ASM_H

#include "base/arena.h"
#include "base/err.h"
#include "bpf/insn.h"

/*
 * Assembles len bytes of text into *insns, which lives in a. Returns 0, or -EINVAL with
 * "line:column: words" in e.
 */
int bpf_asm(struct arena *a, const char *text, size_t len, struct bpf_insn **insns, uint32_t *n,
	    struct err *e);

#endif
