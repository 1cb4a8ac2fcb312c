#include "probe/match.h"
#include "probe/providers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct provider *const providers[] = {
#define PROVIDER(name) &provider_##name,
#include "probe/providers.def"
#undef PROVIDER
	NULL,
};

bool wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
			if (!*pattern)
				return true; /* the rest, whatever it is */
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			/* Let the last star take one more character. */
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

const struct provider *provider_find(const char *word, const char **nearest)
{
	unsigned dist = 0;

	if (nearest)
		*nearest = NULL;
	for (const struct provider *const *p = providers; *p; p++)
		for (const char *const *alias = (*p)->aliases; alias && *alias; alias++)
			if (!strcmp(*alias, word))
				return *p;
	for (const struct provider *const *p = providers; *p; p++) {
		if (!strcasecmp((*p)->name, word))
			return *p;
		if (nearest)
			diag_nearer(word, (*p)->name, nearest, &dist);
	}
	return NULL;
}

bool expand_arity(struct probe_env *env, const struct attach_text *at, unsigned least,
		  unsigned most)
{
	const char *name = at->parts[0];
	unsigned n = at->nparts - 1;
	const struct provider *p = provider_find(name, NULL);
	struct diag *d;

	if (n >= least && n <= most)
		return true;
	if (least == most)
		d = diag(
			env->dx, E0202_ATTACH_ARITY, at->span, p->name,
			arena_printf(env->arena, "%u argument%s", least, least == 1 ? "" : "s"),
			n);
	else
		d = diag(env->dx, E0202_ATTACH_ARITY, at->span, p->name,
			 arena_printf(env->arena, "%u or %u arguments", least, most), n);
	diag_hint(d, "write %s", p->usage);
	return false;
}

const char *attach_rest(struct arena *a, const struct attach_text *at)
{
	const char *rest = at->nparts > 1 ? at->parts[1] : "";

	for (unsigned i = 2; i < at->nparts; i++) {
		bool is_at = !strcmp(at->parts[i], "@") || !strcmp(at->parts[i - 1], "@");

		rest = arena_printf(a, "%s%s%s", rest, is_at ? "" : ":", at->parts[i]);
	}
	return rest;
}

/* "vfs_read/pid==1/" */
static bool is_filter_glued(const char *rest)
{
	size_t len = strlen(rest);

	return len > 1 && rest[len - 1] == '/' && memchr(rest, '/', len - 1);
}

bool expand_missing(struct probe_env *env, const struct attach_text *at, const char *hint)
{
	const char *name = provider_find(at->parts[0], NULL)->name;
	const char *rest = attach_rest(env->arena, at);
	struct diag *d;

	if (env->missing == MISSING_IGNORE)
		return true;
	if (env->missing == MISSING_WARN)
		d = diag(env->dx, W0201_NO_MATCH, at->span, name, rest);
	else
		d = diag(env->dx, E0203_NO_MATCH, at->span, name, rest);
	if (is_filter_glued(rest))
		diag_hint(d, "a filter needs a space in front of it");
	else if (hint)
		diag_hint(d, "%s", hint);
	return env->missing == MISSING_WARN;
}

bool expand_no_match(struct probe_env *env, const struct attach_text *at, const char *nearest)
{
	return expand_missing(env, at,
			      nearest ? arena_printf(env->arena, "did you mean %s?", nearest)
				      : NULL);
}

bool expand_unreadable(struct probe_env *env, const struct attach_text *at,
		       const struct err *why)
{
	const char *name = err_name(why->code);
	struct diag *d = diag(env->dx, E0204_LIST, at->span, at->text, why->msg,
			      name ? name : "no reason given");

	if (*why->hint)
		diag_hint(d, "%s", why->hint);
	return false;
}

struct target *expand_add(struct probe_env *env, const struct provider *p,
			  const struct attach_text *at, struct targets *out)
{
	struct target *t = arena_new(env->arena, struct target);
	const char *rest = attach_rest(env->arena, at);

	t->provider = p;
	t->name = *rest ? arena_printf(env->arena, "%s:%s", p->name, rest) : p->name;
	t->user_name = at->user_name;
	t->span = at->span;
	vec_push(env->arena, out, t);
	return t;
}

/* "1_000" without its '_', each of which stands between two digits. */
static bool plain_digits(const char *text, char *out, size_t room)
{
	size_t n = 0;

	for (const char *s = text; *s; s++) {
		if (*s == '_' && (s == text || !isxdigit((unsigned char)s[-1]) ||
				  !isxdigit((unsigned char)s[1])))
			return false;
		if (n + 1 == room)
			return false;
		if (*s != '_')
			out[n++] = *s;
	}
	out[n] = '\0';
	return true;
}

bool expand_number(const char *text, uint64_t *n)
{
	bool is_hex = text[0] == '0' && (text[1] | 32) == 'x';
	char digits[40], *end;
	uint64_t tens = 0;

	if (!isdigit((unsigned char)text[0]) || !plain_digits(text, digits, sizeof(digits)))
		return false;
	errno = 0;
	*n = strtoull(digits, &end, is_hex ? 16 : 10);
	/* 5e3 is 5 and three zeros, as in the language */
	if (!is_hex && (*end | 32) == 'e' && isdigit((unsigned char)end[1]))
		for (tens = strtoull(end + 1, &end, 10); tens && *n; tens--)
			if (__builtin_mul_overflow(*n, 10, n))
				return false;
	return !errno && !*end;
}

static bool check_number(struct probe_env *env, const struct attach_text *at, size_t before,
			 const struct targets *out)
{
	if (!env->max_probes || out->len <= env->max_probes || out->len == before)
		return true;
	diag(env->dx, E0205_TOO_MANY, at->span, at->text, out->len - before, env->max_probes);
	return false;
}

/* Expands without a word about what does not fit. */
static void expand_quietly(struct probe_env *env, const struct provider *p,
			   const struct attach_text *at, struct targets *out)
{
	struct diags *loud = env->dx;
	struct diags dx = { .arena = env->arena, .sources = loud->sources, .muted = true };
	const char **parts = arena_array(env->arena, const char *, at->nparts);
	struct attach_text one = *at;

	memcpy(parts, at->parts, at->nparts * sizeof(*parts));
	parts[0] = p->name;
	one.parts = parts;
	env->dx = &dx;
	p->expand(env, &one, out);
	env->dx = loud;
}

bool provider_is_meant(const struct probe_env *env, const struct provider *p,
		       const char *pattern, const char *rest)
{
	if (!wildcard_match(pattern, p->name))
		return false;
	return !(p->flags & PV_USER) || env->pid || strchr(rest, '/');
}

/* "k*:vfs_read": every provider of that name that can make sense of the rest. */
static bool expand_providers(struct probe_env *env, const struct attach_text *at,
			     struct targets *out)
{
	size_t before = out->len;

	for (const struct provider *const *p = providers; *p; p++)
		if (provider_is_meant(env, *p, at->parts[0],
				      at->nparts > 1 ? at->parts[1] : ""))
			expand_quietly(env, *p, at, out);
	if (out->len == before) {
		diag(env->dx, E0203_NO_MATCH, at->span, at->parts[0],
		     attach_rest(env->arena, at));
		return false;
	}
	return check_number(env, at, before, out);
}

static bool can_run(struct probe_env *env, const struct attach_text *at,
		    const struct provider *p)
{
	struct diag *d;

	if (!env->no_kernel || p->flags & (PV_OURS | PV_TIMED))
		return true;
	d = diag(env->dx, E0208_ATTACH_POINT, at->span,
		 arena_printf(env->arena, "a %s probe needs the kernel", p->name));
	diag_hint(d, "--engine=vm runs begin, end, self and interval");
	return false;
}

bool probe_expand(struct probe_env *env, const struct attach_text *at, struct targets *out)
{
	size_t before = out->len;
	const char *nearest;
	const struct provider *p;
	struct diag *d;

	if (wildcard_has(at->parts[0]))
		return expand_providers(env, at, out);
	p = provider_find(at->parts[0], &nearest);
	if (p && !can_run(env, at, p))
		return false;
	if (p)
		return p->expand(env, at, out) && check_number(env, at, before, out);
	d = diag(env->dx, E0201_PROBE_TYPE, at->span, at->parts[0]);
	if (nearest)
		diag_hint(d, "did you mean %s?", nearest);
	return false;
}

struct group *group_add(struct probe_env *env, const struct provider *p, struct groups *out)
{
	struct group *g = arena_new(env->arena, struct group);

	g->provider = p;
	g->why = "";
	vec_push(env->arena, out, g);
	return g;
}

void group_split(struct probe_env *env, const struct targets *targets, bool each,
		 struct groups *out)
{
	struct group *g = NULL;

	vec_each(t, targets) {
		if (!g || each)
			g = group_add(env, (*t)->provider, out);
		vec_push(env->arena, &g->targets, *t);
	}
}
