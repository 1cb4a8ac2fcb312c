/*
 * vm_input.h - what the subcommands of `scry vm` read: programs, memory, maps.
 */
#ifndef SCRY_CLI_VM_INPUT_H
#define SCRY_CLI_VM_INPUT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"
#include "bpf/insn.h"
#include "bpf/object.h"
#include "scry_vm.h"

/* Reads a file, "-" for standard input. Returns 0 or -errno. */
int vm_read_file(const char *path, struct sb *out, struct err *e);
/* Adds the bytes of hex digits, blanks between them; false for anything else. */
bool vm_read_hex(const char *text, size_t len, struct sb *out);
/* A program as it was found; of an object file also its maps. */
struct vm_source {
	struct bpf_insn *insns;
	uint32_t n;
	struct bpf_object object;	    /* empty when it was no object file */
	const struct bpf_object_prog *prog; /* of the object, or NULL */
};

/* What is wanted of an object file. */
struct vm_wanted {
	const char *prog; /* its function; NULL: the first */
	const char *btf; /* file with the types of the kernel; NULL: those of the running one */
};

/*
 * Takes a program from text: an object file, assembler, a line of hex digits, or raw
 * instructions, whichever it looks like. name is for messages. text must stay as long as the
 * source.
 */
int vm_read_program(struct arena *a, const char *name, const struct sb *text,
		    const struct vm_wanted *wanted, struct vm_source *out, struct err *e);
/* A map of the command line; of maps in maps also the first elements. */
enum { VM_ELEMENTS = 16 };
struct vm_map_def {
	struct scry_vm_map def;
	uint32_t elements[VM_ELEMENTS], nelements;
	char name[32];
};
/* "hash:KEY:VALUE:ENTRIES[:NAME]", "array_of_maps:KEY:MAP:ENTRIES:NAME=MAP,..." */
int vm_read_map(const char *text, struct vm_map_def *map, struct err *e);
/* "socket"; -1 when there is none of this name. */
int vm_context_by_name(const char *name);
/* The context of a program in this section of an object file. */
enum scry_vm_context vm_context_of_section(const char *section);

#endif
