/*
 * tests.h - results of --test and --bench, and their text form: lines as those of gtest, a
 * table as that of google-benchmark, which other tools read.
 */
#ifndef SCRY_OUTPUT_TESTS_H
#define SCRY_OUTPUT_TESTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct test_result {
	const char *name; /* "test:NAME" */
	bool passed;
	uint64_t ns;
	const char *output; /* all that it printed */
};

struct bench_result {
	const char *name; /* "bench:NAME" */
	uint64_t ns;	  /* a run, on the average */
	uint32_t iters;
	bool failed, left_out;
};

/* As struct sink's test and bench. The lines' marks are coloured on a terminal. */
void tests_text_test(FILE *out, const struct test_result *all, unsigned n, unsigned i);
void tests_text_bench(FILE *out, const struct bench_result *all, unsigned n, unsigned i,
		      bool is_first);

#endif
