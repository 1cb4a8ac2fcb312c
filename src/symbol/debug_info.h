/*
 * debug_info.h - the DWARF of a program or library: functions, lines and frames by address.
 *
 * It lies in the file itself or in its debug file (elf_debug.h).  Opened when a script needs
 * it, through libdw's dwarf_* calls alone; with them the static program is 200 KB larger. libdw
 * reads the sections as they are, so opening costs as much memory as the file has DWARF.
 * Addresses are those the file was linked with.
 */
#ifndef SCRY_SYMBOL_DEBUG_INFO_H
#define SCRY_SYMBOL_DEBUG_INFO_H

#include "base/vec.h"
#include "symbol/elf.h"
#include "types/die.h"

struct debug_range {
	uint64_t low, high; /* high is behind the last */
	Dwarf_Die unit;
};

struct debug_info {
	struct elf own, file; /* the program, and the file that has its DWARF; may be one */
	struct die_file dies;
	bool has_ranges;
	VEC(struct debug_range) ranges; /* by low; ask debug_info_unit() */
};

/*
 * dirs: see elf_debug_open(). Returns 0 or -errno with e set: -ENODATA when there is no debug
 * information, neither in the file nor anywhere else. f is not needed afterwards.
 */
int debug_info_open(struct debug_info *di, const struct elf *f, const char *dirs,
		    struct err *e);
void debug_info_close(struct debug_info *di);

/* The root of the unit that an address belongs to. */
bool debug_info_unit(struct debug_info *di, uint64_t addr, Dwarf_Die *out);
/* The function that an address belongs to, not what was inlined into it. */
bool debug_info_func(struct debug_info *di, uint64_t addr, Dwarf_Die *out);

/*
 * The canonical frame address, what a function's frame is counted from, at an instruction, as
 * DWARF's register number and an offset.
 */
bool debug_info_cfa(struct debug_info *di, uint64_t addr, unsigned *reg, int64_t *off);

struct debug_inlined {
	unsigned copies;  /* of the function, where it was inlined */
	const char *file; /* where the first one was */
	int line;
	VEC(uint64_t) entries; /* where copies that have code begin; on the heap, to be freed */
};
/*
 * Copies of a function that were inlined: in the unit of func, or, if it is NULL, of all
 * functions of that name, as written or as linked.
 */
void debug_info_inlined(struct debug_info *di, Dwarf_Die *func, const char *name,
			struct debug_inlined *out);
/* The copy of a function that begins at an address inside of func. */
bool debug_info_inlined_at(Dwarf_Die *func, uint64_t addr, const char *name, Dwarf_Die *out);

#endif
