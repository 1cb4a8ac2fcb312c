/*
 * jw.h - JSON, written as it is made.
 *
 * On one line, or indented as bpftool does it: members of objects on lines of their own, four
 * blanks deeper than what they are in; numbers in lists behind each other.  Names and values
 * alternate by themselves: a value without a name is an element of a list, or the whole.
 */
#ifndef SCRY_BASE_JW_H
#define SCRY_BASE_JW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JW_DEPTH_MAX = 128 };

struct jw {
	FILE *out;
	bool pretty;
	bool any;  /* something was written */
	char last; /* '{', '[': nothing is in there yet; ',': something is */
	unsigned depth;
	char closers[JW_DEPTH_MAX];
};

void jw_init(struct jw *w, FILE *out, bool pretty);
/* Closes what is open, writes null when nothing was written, and ends the line. */
void jw_fini(struct jw *w);
void jw_object(struct jw *w, const char *name);
void jw_list(struct jw *w, const char *name);
/* The innermost object or list ends. */
void jw_close(struct jw *w);
/* A value as it is: a number, word, or what the caller has quoted. */
void jw_raw(struct jw *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void jw_number(struct jw *w, const char *name, uint64_t v);
void jw_bool(struct jw *w, const char *name, bool v);
/* text NULL: null. */
void jw_text(struct jw *w, const char *name, const char *text);
void jw_text_n(struct jw *w, const char *name, const char *text, size_t len);

#endif
