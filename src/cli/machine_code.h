/*
 * machine_code.h - x86-64 code as text, by the capstone library, which is loaded when it is
 * asked for.
 */
#ifndef SCRY_CLI_MACHINE_CODE_H
#define SCRY_CLI_MACHINE_CODE_H

#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>

struct machine_code {
	size_t handle;
	size_t (*disasm)(size_t handle, const uint8_t *code, size_t size, uint64_t address,
			 size_t count, void **insns);
	void (*free)(void *insns, size_t count);
	size_t mnemonic; /* offsets of the texts in the library's struct cs_insn, and its size
			  */
	size_t operands, stride;
};

/* Returns false when the library is not installed or is of an unknown version. */
bool machine_code_open(struct machine_code *mc);
/* Adds a line per instruction, "address: bytes  text". */
void machine_code_print(const struct machine_code *mc, struct sb *out, const uint8_t *code,
			size_t size, uint64_t address);

/* Calls fn with each instruction: its bytes, name and operands. */
void machine_code_each(const struct machine_code *mc, const uint8_t *code, size_t size,
		       uint64_t address,
		       void (*fn)(void *arg, uint64_t at, const uint8_t *bytes, size_t n,
				  const char *name, const char *operands),
		       void *arg);

#endif
