/*
 * user_debug.h - what debug information says of places in programs: arguments, types, lines.
 *
 * A file's DWARF is opened when a script asks for any of that, and then kept for the session.
 */
#ifndef SCRY_PROBE_USER_DEBUG_H
#define SCRY_PROBE_USER_DEBUG_H

#include "probe/user_file.h"
#include "symbol/debug_line.h"

/* The debug information of a file; NULL with e set when there is none. */
struct debug_info *user_debug_open(struct probe_env *env, struct user_file *file,
				   struct err *e);

/* A line of the source, as an attach point has it. */
struct user_line {
	const char *file; /* NULL: it has none */
	const char *text; /* "FILE:LINE[:COLUMN]" */
	uint64_t line, column;
};

VEC_TYPE(user_addrs, uint64_t);

/* Reads "@FILE:LINE[:COLUMN]", the parts from the third on; false after reporting. */
bool user_line_parse(struct probe_env *env, const struct attach_text *at,
		     struct user_line *out);
/* The addresses where the line begins; false after reporting that there are none. */
bool user_line_find(struct probe_env *env, const struct attach_text *at, struct user_file *file,
		    const struct user_line *l, struct user_addrs *out);

/* args of a uprobe. Returns 0 or -errno with e set: no debug information for that place. */
int user_debug_args(struct probe_env *env, const struct target *t, struct shape *out,
		    struct err *e);
/* struct provider's params. */
int user_debug_params(struct probe_env *env, const struct target *t,
		      void (*fn)(void *arg, const char *text), void *arg, struct err *e);

/*
 * Copies of a function that were inlined: of the one at addr, or, if that is 0, of those of
 * that name. False: there are none, or it is not known. out->entries is to be freed.
 */
bool user_debug_inlined(struct probe_env *env, struct user_file *file, const char *name,
			uint64_t addr, struct debug_inlined *out);
/* Warns of n copies that a probe does not see. */
void user_debug_warn_inlined(struct probe_env *env, const struct attach_text *at,
			     const char *name, const struct debug_inlined *copies, unsigned n);
/* Says that a function which was not found was inlined everywhere. */
void user_debug_only_inlined(struct probe_env *env, const struct attach_text *at,
			     const struct user_file *file, const char *name,
			     const struct debug_inlined *copies);

void user_debug_close(struct user_file *file);

#endif
