/*
 * sink.h - an output format: how everything that a session has to say is written.
 *
 * A sink writes to the stream it was opened with and nothing else.  Writing may fail (a full
 * disk, a closed pipe): the stream's error flag is checked by the caller after each record, the
 * sink does not.  A record is one call, so that records are never torn.
 */
#ifndef SCRY_OUTPUT_SINK_H
#define SCRY_OUTPUT_SINK_H

#include "output/account.h"
#include "output/tests.h"
#include "output/value.h"

#include <stdio.h>

enum text_kind { TEXT_PRINTF, TEXT_TIME, TEXT_CAT, TEXT_JOIN, TEXT_SYSTEM };

/* Something went wrong while tracing that the user must know. */
struct runtime_problem {
	const char *msg;    /* "Map full; can't update element. ..." */
	const char *helper; /* "map_update_elem", or NULL */
	int retcode;
	const char *filename; /* place in the script, or NULL */
	unsigned line, col, end_col;
};

struct sink {
	const char *name, *doc;
	/* attached, lost, problem and message belong on stderr, apart from the data. */
	bool notices_apart;
	void (*attached)(FILE *out, unsigned nprobes);
	/* Text as it is; TEXT_JOIN comes without its newline. */
	void (*text)(FILE *out, enum text_kind kind, const char *text, size_t len);
	/* print(value) */
	void (*value)(FILE *out, const struct value *v);
	/* No entries: what an empty map shows, which may be nothing. */
	void (*map)(FILE *out, const struct map_view *m);
	void (*lost)(FILE *out, uint64_t events);
	void (*problem)(FILE *out, const struct runtime_problem *p);
	/* errorf() and warnf(), as is_error says: the text is where->msg. */
	void (*message)(FILE *out, bool is_error, const struct runtime_problem *where);
	/* The result of all[i], where n tests or benchmarks are run in their order. */
	void (*test)(FILE *out, const struct test_result *all, unsigned n, unsigned i);
	void (*bench)(FILE *out, const struct bench_result *all, unsigned n, unsigned i,
		      bool is_first);
	/* At the very end, when there is something to say. */
	void (*account)(FILE *out, const struct account *a);
	/* Between the last event and the maps at exit. */
	void (*end)(FILE *out);
};

/* The sink of that name, or NULL. sink_names is NULL-terminated, in sinks.def order. */
const struct sink *sink_find(const char *name);
extern const char *const sink_names[];

extern const struct sink sink_text;

struct sb;
/* The text form of a value, as print() and printf("%s") show it. */
void value_text(const struct value *v, struct sb *out);
/* The text form of a map key: like a value, a multi-part key without its outer parentheses. */
void value_key_text(const struct value *v, struct sb *out);
/* Writes the text built so far to the stream and empties it; for sinks. */
void record_write(struct sb *sb, FILE *out);
/* "FILE:L:C1-C2: WARNING: text" and, when a helper failed, a line that names it. */
void problem_text(const struct runtime_problem *p, struct sb *out);

#endif
