/*
 * compile.h - from the text of a script to a plan that can be loaded.
 *
 *	text -> tree -> (attach points expanded) -> types settled -> IR -> passes -> BPF
 *
 * All errors of a script are collected in dx and printed by the caller.
 */
#ifndef SCRY_SCRIPT_COMPILE_H
#define SCRY_SCRIPT_COMPILE_H

#include "script/filter.h"
#include "script/plan.h"

#include <regex.h>

/*
 * How ustack is walked; UNWIND_AUTO: by tables in a process that -p or -c names, and at probes
 * in files.
 */
enum unwind_mode { UNWIND_AUTO, UNWIND_FP, UNWIND_CFI };

/* What the language may still change: used silently, with a warning, or refused. */
enum unstable { UNSTABLE_ENABLE, UNSTABLE_WARN, UNSTABLE_ERROR };

/* Settings of the language: the script's config block and the environment set them. */
struct script_config {
	uint32_t max_strlen;	 /* bytes of a str(), NUL included; default 1024 */
	uint32_t max_map_keys;	 /* default 4096 */
	uint32_t max_probes;	 /* default 1024 */
	uint32_t max_bpf_progs;	 /* default 1024 */
	uint32_t max_cat_bytes;	 /* default 10240 */
	uint32_t on_stack_limit; /* bytes; larger values go to scratch memory; default 32 */
	uint32_t perf_rb_pages;	 /* 0: chosen by the session */
	bool print_maps_on_exit, show_debug_info, probe_inline;
	bool cpp_demangle, user_symbols; /* how addresses in processes are named */
	enum stack_mode stack_mode;
	enum unwind_mode unwind;
	const char *str_trunc_trailer;
	/*
	 * probe_env.missing, or MISSING_AUTO: an error, but a probe that names several places
	 * does with those that exist (scripts list a function's names in different kernels).
	 */
	int missing_probes;
	/* import among statements; the others are as stable here as the rest */
	enum unstable unstable_import, unstable_tseries, unstable_dw_ustack, unstable_typeinfo;
	uint64_t from_environment; /* bits of config.c's rows: a script does not change them */
	int idle;		   /* target of settings without effect */
};

enum { MISSING_AUTO = -1 };
enum config_origin { CONFIG_SCRIPT, CONFIG_ENVIRONMENT };

void script_config_init(struct script_config *cfg);
/*
 * Sets one entry from text. Returns NULL, or what is wrong in words ("not a known configuration
 * option"). Keys in any case, with or without a BPFTRACE_ or SCRY_ prefix. What the environment
 * has set a script only may name.
 */
const char *script_config_set(struct script_config *cfg, struct arena *a,
			      enum config_origin from, const char *key, const char *value);
/* The word that a setting of words has: "raw" of stack_mode. */
const char *script_config_word(const struct script_config *cfg, const char *key);

/* A file that was imported; several of a directory. */
struct import_file {
	const char *name; /* as places in it are shown */
	const char *id;	  /* the same for the same file */
	const char *text;
	size_t len;
	bool is_object; /* text is a BPF object file */
	struct import_file *next;
};

/* Is there an entry of that name, prefix or not? */
bool script_config_knows(const char *key);
/* The setting that an unknown key may mean, or NULL. */
const char *script_config_nearest(const char *key);
/* The name of today of an entry that had another one, or NULL. */
const char *script_config_renamed(const char *key);
/* Is it accepted for old scripts' sake alone? */
bool script_config_is_idle(const char *key);

struct compile_options {
	/*
	 * What `import "path"` in the file from names, or NULL with e filled in; lives as long
	 * as the compile.  May be NULL: nothing can be imported.
	 */
	const struct import_file *(*import)(void *arg, const char *from, const char *path,
					    struct err *e);
	void *import_arg;
	const char *const *params; /* positional parameters */
	unsigned nparams;
	const char *const *options; /* for getopt(): "--name" or "--name=value" */
	unsigned noptions;
	struct task_filter filter;
	const regex_t *only_probes;	 /* of others nothing is made; NULL: all */
	const char *const *include_dirs; /* -I: where C's #include looks first */
	unsigned ninclude_dirs;
	const char *const *includes; /* --include: files as if included by the script */
	unsigned nincludes;
	pid_t cpid; /* of the -c child; 0 = none */
	unsigned ncpus;
	uint64_t memory;	 /* of the machine, bytes; 0: not known */
	bool tell_lookups;	 /* reads of keys that are not there are counted */
	uint64_t start_ns;	 /* boot clock when the session began: zero of `elapsed` */
	unsigned isa;		 /* see codegen.h */
	enum unwind_mode unwind; /* overrides the setting unless UNWIND_AUTO */
	bool unsafe;
	uint32_t without_passes; /* for tests: see ir_optimize_without() */
	enum plan_purpose purpose;
	struct probe_env *env; /* its types, dx and arena are those of the compile */
	/* Called with each stage's text, for -d: "ast", "ir", "ir after <pass>". */
	void (*dump)(void *arg, const char *stage, const char *what, const char *text);
	void *dump_arg;
	bool dump_ast, dump_ir, dump_passes;
};

/*
 * Compiles src. cfg is changed by the script's config block. Returns NULL when there were
 * errors. The plan lives in a.
 */
struct plan *compile_script(struct arena *a, struct diags *dx, struct sources *sources,
			    const struct source *src, struct script_config *cfg,
			    const struct compile_options *opt);

#endif
