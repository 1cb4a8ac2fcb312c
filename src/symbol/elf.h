/*
 * elf.h - a program or library file: where its parts lie, its symbols, its notes.
 *
 * Read through libelf, which adds 120 KB to the static program and copes with both word sizes
 * and compressed sections.  Everything is read with pread, never mapped, so that a file that is
 * cut short meanwhile is an error and no SIGBUS; offsets in the file are checked by libelf, and
 * here once more where they become addresses.
 *
 * "addr" is an address as the file was linked, "offset" a place in the file: what uprobes are
 * attached by, and what a mapping of the file in a process is counted from.
 */
#ifndef SCRY_SYMBOL_ELF_H
#define SCRY_SYMBOL_ELF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Elf;

struct elf {
	int fd;
	struct Elf *elf;
	size_t nsegments;
	struct elf_copy *copies; /* of sections; see elf_pad() */
};

/* Returns 0 or -errno with e set: -ENOEXEC when the file is no ELF file of this machine. */
int elf_open(struct elf *f, const char *path, struct err *e);
/* A file in memory, such as the vdso; image must stay. Returns 0 or -ENOEXEC. */
int elf_open_image(struct elf *f, const void *image, size_t size, struct err *e);
/* Opens the file of f once more, by its descriptor. */
int elf_reopen(struct elf *out, const struct elf *f, struct err *e);
void elf_close(struct elf *f);
/* Does the file end before its table of sections does? */
bool elf_is_cut(const struct elf *f);

/* A part of the file that is loaded. */
struct elf_segment {
	uint64_t addr, offset, size;
};
/* The next loaded part from *i on, which is moved behind it; false: no more. */
bool elf_next_segment(const struct elf *f, size_t *i, struct elf_segment *out);

/* Where the byte at an address lies in the file; false: in none of its loaded parts. */
bool elf_offset_of(const struct elf *f, uint64_t addr, uint64_t *offset);
/* The opposite. */
bool elf_addr_of(const struct elf *f, uint64_t offset, uint64_t *addr);
/* Is there code at that address? */
bool elf_is_code(const struct elf *f, uint64_t addr);
/* The address of a section; false when there is none of that name. */
bool elf_section_addr(const struct elf *f, const char *name, uint64_t *addr);

/* What a section holds, as it lies in the file; the bytes stay as long as f is open. */
struct elf_section {
	uint64_t addr;
	char *bytes;
	size_t size;
};
/* The first section of that name; false when there is none, or it is empty. */
bool elf_find_section(const struct elf *f, const char *name, struct elf_section *out);
/* The same, decompressed. */
bool elf_plain_section(const struct elf *f, const char *name, struct elf_section *out);
/*
 * Sees to it that sections of that name, which hold strings, end with one's NUL, for readers
 * that do not look; decompresses them. False when they cannot be read.
 */
bool elf_end_strings(struct elf *f, const char *name);
/*
 * The same for sections with strings among other things, of which no byte may change: behind
 * the last one there are room NULs, for who reads elf_getdata()'s. One is not added to one.
 */
bool elf_pad(struct elf *f, const char *name, size_t room);
/* The bytes of all sections together whose name begins so, as they lie in the file. */
uint64_t elf_sections_size(const struct elf *f, const char *prefix);

struct elf_symbol {
	const char *name; /* may end in "@VERSION" */
	uint64_t addr, size;
	uint8_t type, bind; /* STT_..., STB_... of elf.h */
};
/* Calls fn with every defined symbol of both tables until it returns false. */
void elf_each_symbol(const struct elf *f, bool (*fn)(void *arg, const struct elf_symbol *s),
		     void *arg);

/* Has the file the full table of symbols, or was it stripped to those for the loader? */
bool elf_has_symtab(const struct elf *f);

struct elf_note {
	const char *owner;
	uint32_t type;
	const uint8_t *desc;
	size_t size;
};
/* Calls fn with every note of the sections of that name. */
void elf_each_note(const struct elf *f, const char *section,
		   void (*fn)(void *arg, const struct elf_note *n), void *arg);
/* Was the file made by Go's linker? Its sections tell, without them its notes. */
bool elf_is_go(const struct elf *f);
/* The size of an address in the file: 4 or 8. */
unsigned elf_word_size(const struct elf *f);

#endif
