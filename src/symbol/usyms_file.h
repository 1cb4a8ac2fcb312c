/*
 * usyms_file.h - a mapped file, known by its device and inode, with its functions.
 *
 * Opened when it is first mapped, while somebody has it; its symbols are read when they are
 * first asked for, after which it is closed.
 */
#ifndef SCRY_SYMBOL_USYMS_FILE_H
#define SCRY_SYMBOL_USYMS_FILE_H

#include "symbol/elf_funcs.h"
#include "symbol/procmaps.h"
#include "symbol/usyms.h"

VEC_TYPE(elf_segments, struct elf_segment);

enum { BUILD_ID_MAX = 20 };

struct usyms_file {
	uint64_t inode;
	uint32_t major, minor;
	char *path; /* as the first process that had it saw it */
	bool is_open, is_loaded;
	struct elf elf; /* if is_open */
	struct elf_funcs funcs;
	struct elf_segments segments;
	const struct usyms_how *how;	     /* NULL: as usual */
	struct debug_info *debug;	     /* if lines are asked for, and it has them */
	char build_id[2 * BUILD_ID_MAX + 1]; /* "" when it has none */
};

/* On the heap; m's path is copied. */
struct usyms_file *usyms_file_new(const struct mapping *m);
void usyms_file_free(struct usyms_file *file);
bool usyms_file_is(const struct usyms_file *file, const struct mapping *m);
/* Opens it by a process that has it mapped, or had. */
void usyms_file_open(struct usyms_file *file, pid_t pid, const struct mapping *m);
/* The function at a place in the file; *offset is the place's from its beginning. NULL: none.
 */
const char *usyms_file_lookup(struct usyms_file *file, uint64_t place, uint64_t *offset);
/* See usyms_lines(). */
unsigned usyms_file_lines(struct usyms_file *file, uint64_t place,
			  struct usym_line out[USYM_LINES_MAX]);
/* The build id as hexadecimal digits; NULL when the file has none. */
const char *usyms_file_build_id(struct usyms_file *file);

#endif
