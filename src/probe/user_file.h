/*
 * user_file.h - the files that attach points in user space name, and their functions.
 *
 * Each file is opened once a session, when it is first asked for; all of it hangs on
 * env->user_files and is released by probe_env_fini().
 */
#ifndef SCRY_PROBE_USER_FILE_H
#define SCRY_PROBE_USER_FILE_H

#include "probe/provider.h"
#include "symbol/elf_funcs.h"

struct user_file {
	struct user_file *next;
	const char *name; /* as probes are named: the real path, in the process's own root */
	const char *path; /* as we and the kernel reach it */
	struct elf elf;
	bool is_go;
	bool has_funcs;
	struct elf_funcs funcs;	  /* ask user_file_funcs() */
	struct user_debug *debug; /* see user_debug.h */
};

VEC_TYPE(user_files, struct user_file *);

/*
 * Appends the files that a word names:
 *
 *	/bin/bash  ./prog  dir/prog	a path, seen from env->pid's root where there is a pid
 *	/usr/lib/lib*.so*		all that match
 *	bash				a program of PATH
 *	libc  libc.so.6			a library that the dynamic loader would find
 *	"" or *				all that env->pid has mapped as code
 *
 * Returns 0, or -errno with e set when there is none, or one named exactly cannot be read.
 */
int user_files_find(struct probe_env *env, const char *word, struct user_files *out,
		    struct err *e);
const struct elf_funcs *user_file_funcs(struct probe_env *env, struct user_file *file);

/* Splits "FILE:REST" of a pattern at the colon; rest is "*" when there is none. */
const char *user_files_split(struct arena *a, const char *pattern, const char **rest);

/* Closes all files; for probe_env_fini(). */
void user_files_fini(struct probe_env *env);

/*
 * Reports how an attach point's file could not be found. Returns false, unless it is not there
 * and what is missing may be.
 */
bool user_files_report(struct probe_env *env, const struct attach_text *at,
		       const struct err *e);

#endif
