/*
 * fmt_state.h - what the parts of the formatter share; see fmt.h.
 */
#ifndef SCRY_SCRIPT_FMT_STATE_H
#define SCRY_SCRIPT_FMT_STATE_H

#include "script/ast.h"
#include "script/lex.h"

enum { FMT_WIDTH = 96, FMT_TAB = 8 };

struct fmt {
	struct arena *arena;
	const struct source *src;
	struct comments comments;
	size_t next_comment; /* the first that is not written yet */
	uint32_t done;	     /* end of the source text that is written, in the common space */
	unsigned indent;
	bool opened; /* nothing is written yet behind a brace: no blank line here */
	bool flat;   /* no line breaks: trying whether it fits */
	struct sb *out;
};

/* A place's text as it stands in the source. */
const char *fmt_source(const struct fmt *f, struct span span);
/*
 * Comments before upto, each on lines of its own, with the blank lines around them; then the
 * blank line and the indentation before a piece that begins at beg.
 */
void fmt_begin_line(struct fmt *f, uint32_t beg, uint32_t upto);
/* Ends a line whose source ends at end: a comment behind it stays there. */
void fmt_end_line(struct fmt *f, uint32_t end);
/* The brace that opens at a place, and what goes with it. */
void fmt_open(struct fmt *f, uint32_t place);
/* Comments before upto, then the brace that closes; its line is not ended. */
void fmt_close(struct fmt *f, uint32_t upto);

/* fmt_expr.c */
void fmt_expr(struct fmt *f, const struct expr *e);
/* In parentheses, whether it was written so or not. */
void fmt_parens(struct fmt *f, const struct expr *e);
void fmt_type(struct fmt *f, const struct type_name *tn);
/* Where the first block inside the expression begins; 0 when there is none. */
uint32_t fmt_first_block(const struct expr *e);

/* fmt_stmt.c */
void fmt_stmt(struct fmt *f, const struct stmt *s);
/* "{", the statements, "}"; comments before upto still belong inside. */
void fmt_block(struct fmt *f, const struct stmt *block, uint32_t upto);
/* An if with all its branches, without the end of its last line. */
void fmt_if(struct fmt *f, const struct stmt *s);

#endif
