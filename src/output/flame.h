/*
 * flame.h - folded stacks drawn as a flame graph: one SVG file that needs nothing else.
 *
 * Every line is "frame;frame;frame COUNT", outermost frame first.  Frames that stand side by
 * side are sorted by name, so the horizontal axis is no time; a frame is as wide as its share
 * of the sum of all counts (Brendan Gregg, "The Flame Graph", CACM 59(6), 2016).
 *
 * The text may be anything: bytes that are no UTF-8, or that XML forbids, are shown as U+FFFD;
 * lines that are no folded stacks are counted and left out.
 */
#ifndef SCRY_OUTPUT_FLAME_H
#define SCRY_OUTPUT_FLAME_H

#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>

/* Frames of a stack that are drawn; those further from the root are left out. */
enum { FLAME_DEPTH_MAX = 1024 };

struct flame_options {
	const char *title; /* NULL: "Flame graph" */
	const char *unit;  /* what is counted; NULL: "samples" */
	bool inverted;	   /* the root at the top */
};

struct flame_result {
	uint64_t total;	  /* sum of the counts */
	size_t stacks;	  /* lines drawn */
	size_t bad_lines; /* that were none, or made the sum exceed 64 bits */
	size_t bad_line;  /* the first of them, from 1 */
	size_t cut;	  /* stacks deeper than FLAME_DEPTH_MAX */
	size_t narrow;	  /* frames too narrow to be drawn */
};

/* Appends the SVG to out. text may have any bytes. */
void flame_draw(const char *text, size_t len, const struct flame_options *opt, struct sb *out,
		struct flame_result *res);

#endif
