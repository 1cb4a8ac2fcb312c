/*
 * match.h - what the expand functions of providers share: checks and messages.
 */
#ifndef SCRY_PROBE_MATCH_H
#define SCRY_PROBE_MATCH_H

#include "probe/provider.h"

/* Reports an attach point with fewer or more parts behind the provider. */
bool expand_arity(struct probe_env *env, const struct attach_text *at, unsigned least,
		  unsigned most);
/*
 * Says that nothing matches, as env->missing wants it, with a hint, or with a near name, unless
 * it is NULL.  Returns false when that is an error.
 */
bool expand_missing(struct probe_env *env, const struct attach_text *at, const char *hint);
bool expand_no_match(struct probe_env *env, const struct attach_text *at, const char *nearest);
/* Reports a list that could not be read; returns false. */
bool expand_unreadable(struct probe_env *env, const struct attach_text *at,
		       const struct err *why);
/* A new target of at, appended to out; its name is at's own text. */
struct target *expand_add(struct probe_env *env, const struct provider *p,
			  const struct attach_text *at, struct targets *out);
/* Is a provider meant by a pattern of its name, where rest follows? */
bool provider_is_meant(const struct probe_env *env, const struct provider *p,
		       const char *pattern, const char *rest);
/* A whole number, decimal or 0x; false when text is none or does not fit. */
bool expand_number(const char *text, uint64_t *n);

/* The provider's words behind its name, joined by ':'. */
const char *attach_rest(struct arena *a, const struct attach_text *at);

/* A group of one program with the given targets. */
struct group *group_add(struct probe_env *env, const struct provider *p, struct groups *out);
/* One group of all targets, or one group for each. */
void group_split(struct probe_env *env, const struct targets *targets, bool each,
		 struct groups *out);

#endif
