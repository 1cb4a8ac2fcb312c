/*
 * options.h - the command line as data.
 *
 * The rows of options.def say which options there are.  Options may stand before and after the
 * other words; "--" ends them.
 */
#ifndef SCRY_CLI_OPTIONS_H
#define SCRY_CLI_OPTIONS_H

#include "base/err.h"
#include "base/vec.h"
#include "script/compile.h"
#include "session/session.h"

#include <stdbool.h>
#include <sys/types.h>

VEC_TYPE(texts, const char *);

enum run_mode { MODE_TRACE, MODE_CODEGEN, MODE_COMPILER_BENCH, MODE_TEST, MODE_BENCH };

/* Texts point into argv; the lists' memory is the arena's. */
struct options {
	struct arena *arena;
	const char *program; /* -e */
	const char *cmd;
	pid_t pid;
	bool follow;
	const char *cgroup;
	const char *probe_filter;
	pid_t pidns;
	bool unsafe;
	struct {
		bool kprobe_multi, uprobe_multi, kprobe_session;
	} no_feature;
	enum unwind_mode unwind;
	const char *traceable_file;
	enum session_engine engine;
	const char *debuginfo;
	const char *output;
	const char *format;
	enum session_buffering buffering;
	uint64_t every_ns, top;
	bool clear_maps;
	bool quiet, all_problems, no_warnings, strict, account, source_lines;
	bool list, info, verbose, dry_run, fmt;
	struct texts stages, includes, include_dirs;
	enum run_mode mode;
	const char *explain;
	bool version, help;
	bool build; /* `scry build`: output is the object to write */
	bool aot;   /* ... or the program that carries it */
	char none;  /* target of options that store nothing */
	/* What is left: FILE (or a pattern) and the program's parameters. */
	char **words;
	int nwords;
};

/* Returns 0, or -EINVAL with e saying what is wrong with the command line. */
int options_parse(struct options *o, struct arena *a, int argc, char **argv, struct err *e);

/* A row as the help shows it; title alone: the start of a section. */
struct option_help {
	const char *title;
	const char *name, *arg, *help;
	char letter;
};
extern const struct option_help option_helps[];
extern const unsigned option_nhelps;

#endif
