/*
 * debug_line.h - source lines of a program: where an address comes from, where a line lies.
 */
#ifndef SCRY_SYMBOL_DEBUG_LINE_H
#define SCRY_SYMBOL_DEBUG_LINE_H

#include "symbol/debug_info.h"

enum { DEBUG_INLINED_MAX = 16 };

/* The file and line that the instruction at an address was made for; false: not told. The path
 * is the compiler's and stays as long as di. */
bool debug_line_at(struct debug_info *di, uint64_t addr, const char **file, int *line);

/*
 * The functions that were inlined into each other at an address, outermost first, without the
 * one that has a body of its own. Returns their number, at most DEBUG_INLINED_MAX.
 */
unsigned debug_line_inlined(struct debug_info *di, uint64_t addr,
			    Dwarf_Die out[DEBUG_INLINED_MAX]);
/* Where an inlined function was called. */
bool debug_line_call(Dwarf_Die *inlined, const char **file, int *line);

struct debug_place {
	uint64_t addr;
	const void *block; /* the function, or copy of it, that has it */
	int declared; /* the line that the function begins with; 0: another file, unknown */
};

struct debug_line_search {
	VEC(struct debug_place)
	places;		   /* to be freed; one in each function that has the line */
	unsigned nfiles;   /* units with such a file */
	int before, after; /* the nearest lines with code when there are no places; 0: none */
	const char *file;  /* the first file that matched, as the compiler names it */
};

/*
 * Finds where the code of a line begins. file matches a path that ends in it: "a.c", "lib/a.c".
 * column 0 means any. At most PLACES_MAX places are looked at.
 */
void debug_line_find(struct debug_info *di, const char *file, int line, int column,
		     struct debug_line_search *out);

#endif
