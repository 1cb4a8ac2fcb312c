/*
 * usdt_operand.h - where a static probe's argument lies, from the text in its note.
 *
 * The compiler wrote each argument as an operand of its assembler, "SIZE@OPERAND": on x86_64
 * -4@%edi, 8@$5, 8@-16(%rbp), 4@table(,%rax,4), 8@counter(%rip); on aarch64 -4@w0, 8@5,
 * 8@[sp, 16], 4@[x1, x2]. A negative size is a signed number, SIZEf@ a floating-point one. The
 * format is that of SystemTap's sys/sdt.h (wiki "UserSpaceProbeImplementation"), operands are
 * those of the GNU assembler's manual, on x86_64 in AT&T syntax.
 */
#ifndef SCRY_PROBE_USDT_OPERAND_H
#define SCRY_PROBE_USDT_OPERAND_H

#include "probe/provider.h"

struct arch;

/* How to find the symbols in operands. */
struct usdt_symbols {
	/* The address of a symbol as the file was linked; false: there is none. */
	bool (*find)(void *arg, const char *name, uint64_t *addr);
	void *arg;
	uint64_t pc; /* of the probe, as the file was linked */
};

/*
 * Fills out[0 ... max-1] from a note's text and returns how many arguments it has. Operands
 * that BPF programs cannot reach become LOC_NONE, with why (static text, or NULL).
 */
unsigned usdt_operands_parse(const struct arch *arch, const char *text,
			     const struct usdt_symbols *symbols, struct argloc *out,
			     unsigned max);

/* Does what the text means depend on where the probe and symbols are? */
bool usdt_operands_need_pc(const struct arch *arch, const char *text);

#endif
