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
	bool json, single;
	FILE *out;
	struct sb text; /* of the object under construction */
	unsigned nobjects, nfacts, nitems;
};

/* A list of objects: its start and its end; a single object's JSON has no brackets around. */
void facts_open(struct facts *f, bool json, bool single, FILE *out);
void facts_close(struct facts *f);
/* An object: its start and its end. */
void facts_begin(struct facts *f);
void facts_end(struct facts *f);
void facts_number(struct facts *f, const char *name, uint64_t v);
/* Decimal in JSON, hexadecimal as text. */
void facts_address(struct facts *f, const char *name, uint64_t v);
/* text NULL: null in JSON, nothing as text. */
void facts_text(struct facts *f, const char *name, const char *text);
/* text as it is: a word or number of JSON. */
void facts_literal(struct facts *f, const char *name, const char *text);
void facts_bool(struct facts *f, const char *name, bool v);
/* Nothing when n is 0. */
void facts_numbers(struct facts *f, const char *name, const uint32_t *v, uint32_t n);

/* A list within an object, of objects that are a line of text each. */
void facts_begin_list(struct facts *f, const char *name);
void facts_end_list(struct facts *f);
void facts_begin_item(struct facts *f);
void facts_end_item(struct facts *f);

#endif
