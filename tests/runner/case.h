/*
 * case.h - test cases as text.
 *
 *	NAME kprobe-counts-every-read
 *	PROG kprobe:vfs_read /comm == "reads"/ { @n = count(); }
 *	AFTER work/reads 100
 *	EXPECT @n: 100
 *	NEEDS kprobe
 *
 * A case starts at NAME; its other lines are rows of keyword.def, in any order.  The text
 * starts one blank behind the keyword.  A line that starts with a blank continues the one
 * above. Empty lines and lines starting with # do not count.
 */
#ifndef SCRY_RUNNER_CASE_H
#define SCRY_RUNNER_CASE_H

#include "base/err.h"
#include "base/sb.h"
#include "base/vec.h"

enum keyword {
#define KEYWORD(id, many, doc) KW_##id,
#include "keyword.def"
#undef KEYWORD
	KEYWORDS
};

struct line {
	enum keyword keyword;
	const char *text;
};

struct test {
	const char *file;
	unsigned row; /* of its NAME */
	VEC(struct line) lines;
};

VEC_TYPE(tests, struct test);

/* Appends the cases of a file; everything lives in the arena. Returns 0 or -errno. */
int case_load(struct tests *tests, const char *path, struct arena *a, struct err *e);

/* The text of the case's only line of this kind, or NULL. */
const char *case_get(const struct test *t, enum keyword k);
/* case_get(), or a default. */
const char *case_get_or(const struct test *t, enum keyword k, const char *otherwise);

const char *keyword_name(enum keyword k);

#endif
