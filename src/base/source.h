/*
 * source.h - the texts a session was asked, and places in them.
 *
 * All texts share one space of byte offsets, so that a span of two numbers names a place in any
 * of them: the main script, an import, a -D text.  The space starts at 1; offset 0 means
 * "no place" (code that scry made by itself).
 */
#ifndef SCRY_BASE_SOURCE_H
#define SCRY_BASE_SOURCE_H

#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct span {
	uint32_t beg; /* first byte; 0 = no place */
	uint32_t end; /* one past the last byte */
};

struct source {
	const char *name; /* as shown to the user: "stdin", a path */
	const char *text; /* NUL-terminated copy, owned by the arena */
	uint32_t len;
	uint32_t base; /* offset of text[0] in the common space */
};

struct sources {
	struct arena *arena;
	VEC(struct source) files;
	uint32_t next; /* base of the next text */
};

/* A place in the user's terms: 1-based line and column in bytes, and its line's text. */
struct location {
	const char *name;
	const char *line_text; /* not terminated: ends after line_len bytes */
	uint32_t line_len;
	uint32_t line, col;
	uint32_t end_line, end_col; /* end_col is exclusive */
};

void sources_init(struct sources *ss, struct arena *a);
/* Copies name and text; the result stays valid until the next sources_add(). */
const struct source *sources_add(struct sources *ss, const char *name, const char *text,
				 size_t len);
/* Returns false for a span without a place. */
bool source_locate(const struct sources *ss, struct span span, struct location *loc);
/* The text under a span, copied into the arena; "" without a place. */
const char *source_text(const struct sources *ss, struct arena *a, struct span span);

static inline struct span span_join(struct span a, struct span b)
{
	if (!a.beg)
		return b;
	if (!b.beg)
		return a;
	return (struct span){ a.beg < b.beg ? a.beg : b.beg, a.end > b.end ? a.end : b.end };
}

#endif
