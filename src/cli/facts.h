/*
 * facts.h - a list of named facts, a line of text or a JSON object.
 */
#ifndef SCRY_CLI_FACTS_H
#define SCRY_CLI_FACTS_H

#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct facts {
	bool json;
	FILE *out;
	struct sb text; /* of the object under construction */
	unsigned nobjects, nfacts;
};

/* A list of objects: its start and its end. */
void facts_open(struct facts *f, bool json, FILE *out);
void facts_close(struct facts *f);
/* An object: its start and its end. */
void facts_begin(struct facts *f);
void facts_end(struct facts *f);
void facts_number(struct facts *f, const char *name, uint64_t v);
void facts_text(struct facts *f, const char *name, const char *text);
void facts_bool(struct facts *f, const char *name, bool v);
/* Nothing when n is 0. */
void facts_numbers(struct facts *f, const char *name, const uint32_t *v, uint32_t n);

#endif
