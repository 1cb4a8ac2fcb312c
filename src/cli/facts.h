/*
 * facts.h - named facts about an object: lines of text, or JSON.
 *
 * Each function has the name in JSON, and what stands before and behind the value as text.
 * name NULL: only as text; before NULL: only in JSON.
 */
#ifndef SCRY_CLI_FACTS_H
#define SCRY_CLI_FACTS_H

#include "base/jw.h"

struct facts {
	bool json;
	struct jw w; /* to standard output, when json */
};

void facts_number(struct facts *f, const char *name, const char *before, uint64_t v,
		  const char *after);
/* v NULL: null in JSON, nothing as text. */
void facts_text(struct facts *f, const char *name, const char *before, const char *v,
		const char *after);
void facts_bool(struct facts *f, const char *name, const char *text_if_true, bool v);
/* A list; nothing when n is 0. */
void facts_numbers(struct facts *f, const char *name, const char *before, const uint32_t *v,
		   uint32_t n);
/* Only as text. */
void facts_say(struct facts *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Only in JSON: an object or list begins, the innermost one ends. */
void facts_object(struct facts *f, const char *name);
void facts_list(struct facts *f, const char *name);
void facts_close(struct facts *f);

#endif
