/*
 * err.h - run-time errors: a negative errno with words.
 *
 * Functions return 0 or -errno.  The innermost one that knows the object calls err_set() once;
 * the one that knows the cure calls err_hint(), which returns the code already set.  Only the
 * CLI prints.
 */
#ifndef SCRY_BASE_ERR_H
#define SCRY_BASE_ERR_H

#include <stdarg.h>
#include <stdio.h>

struct err {
	int code; /* negative errno, 0 = none */
	char msg[512];
	char hint[256];
};

/* Sets code and words, in lower case and without a full stop; returns code. */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Says what to do about the error already set; returns its code. */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * When the path lies below /proc or /sys and nothing is mounted there, that is the hint.
 * Returns the code already set.
 */
int err_hint_unmounted(struct err *e, const char *path);
/* The name of an errno ("ENOENT"), or NULL. Takes either sign. */
const char *err_name(int code);

/* Our bug: prints where and what, then aborts. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Why writing to a stream failed, which its error flag does not say: -errno. errno may be of
 * something that came after it, so what is left is tried again, and a pipe is asked.
 */
int err_of_stream(FILE *f);

#endif
