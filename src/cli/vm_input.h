/*
 * vm_input.h - what the subcommands of `scry vm` read: programs, memory, maps.
 */
#ifndef SCRY_CLI_VM_INPUT_H
#define SCRY_CLI_VM_INPUT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"
#include "bpf/insn.h"
#include "scry_vm.h"

/* Reads a file, "-" for standard input. Returns 0 or -errno. */
int vm_read_file(const char *path, struct sb *out, struct err *e);
/* Adds the bytes of hex digits, blanks between them; false for anything else. */
bool vm_read_hex(const char *text, size_t len, struct sb *out);
/*
 * Takes a program from text: assembler, a line of hex digits, or raw instructions, whichever it
 * looks like. name is for messages.
 */
int vm_read_program(struct arena *a, const char *name, const struct sb *text,
		    struct bpf_insn **insns, uint32_t *n, struct err *e);
/* "hash:KEY:VALUE:ENTRIES[:NAME]" */
int vm_read_map(const char *text, struct scry_vm_map *map, struct err *e);
/* "socket"; -1 when there is none of this name. */
int vm_context_by_name(const char *name);

#endif
