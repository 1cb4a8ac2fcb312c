/*
 * `-l`: what could be attached to.
 */
#include "base/auto.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>

/*
 * A kernel has 100,000 probes: kept is what the output needs, and most names are told apart by
 * a few bytes.
 */
struct found {
	uint64_t key; /* the bytes behind what all names begin with, the first one highest */
	const char *name;
	const struct target *target; /* NULL unless verbose */
};

struct listing {
	struct probe_env *env;
	struct arena *arena; /* of one provider's targets */
	VEC(struct found) found;
	bool verbose;
	void (*line)(void *arg, const char *text);
	void *arg;
};

static const struct target *copy_target(struct arena *a, const struct target *t,
					const char *name)
{
	struct target *copy = arena_new(a, struct target);

	*copy = *t;
	copy->name = name;
	copy->module = t->module ? arena_strdup(a, t->module) : NULL;
	return copy;
}

static void take(void *arg, const struct target *t)
{
	struct listing *l = arg;
	struct found f = { .name = arena_strdup(l->arena, t->name) };

	if (l->verbose && t->provider->params)
		f.target = copy_target(l->arena, t, f.name);
	vec_push(l->arena, &l->found, f);
}

static int compare_names(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
				: strcmp(x->name, y->name);
}

/* Sorts by name. */
static void sort_found(struct listing *l)
{
	const char *first = l->found.len ? l->found.data[0].name : "";
	size_t shared = strlen(first);

	vec_each(f, &l->found) {
		size_t n = 0;

		while (n < shared && f->name[n] == first[n])
			n++;
		shared = n;
	}
	vec_each(f, &l->found) {
		const char *p = f->name + shared;

		for (size_t i = 0; i < sizeof(f->key); i++) {
			f->key = f->key << 8 | (unsigned char)*p;
			p += *p != '\0';
		}
	}
	if (l->found.len)
		qsort(l->found.data, l->found.len, sizeof(*l->found.data), compare_names);
}

static void print_param(void *arg, const char *text)
{
	struct listing *l = arg;
	auto_sb struct sb line = {};

	sb_printf(&line, "    %s", text);
	l->line(l->arg, line.s);
}

static void print_found(struct listing *l)
{
	const char *last = "";
	struct err e;

	sort_found(l);
	vec_each(f, &l->found) {
		const struct target *t = f->target;

		if (!strcmp(f->name, last))
			continue; /* functions may share a name */
		last = f->name;
		l->line(l->arg, f->name);
		/* Parameters that cannot be read are left out, as those that there are none of.
		 */
		if (t)
			t->provider->params(l->env, t, print_param, l, &e);
	}
}

static int list_provider(struct listing *l, const struct provider *p, const char *pattern,
			 struct err *e)
{
	auto_arena struct arena a = {};
	int r;

	l->arena = &a;
	l->found.data = NULL;
	l->found.len = l->found.cap = 0;
	r = p->list(l->env, pattern, take, l, e);
	if (!r)
		print_found(l);
	return r;
}

/* All providers that match: a list that cannot be read does not keep the others from view. */
static int list_wildcard(struct listing *l, const char *providers_pattern, const char *pattern,
			 struct err *e)
{
	bool all = !strcmp(providers_pattern, "*");
	int result = 0;

	for (const struct provider *const *p = providers; *p; p++) {
		struct err own = {};
		int r;

		if (!(*p)->list || !provider_is_meant(l->env, *p, providers_pattern, pattern) ||
		    (all && ((*p)->flags & PV_NO_COUNT_LIST)))
			continue;
		r = list_provider(l, *p, pattern, &own);
		/* -EOPNOTSUPP: there is nothing of that kind in this kernel */
		if (r && r != -EOPNOTSUPP && !result) {
			result = r;
			*e = own;
		}
	}
	return result;
}

static int list_named(struct listing *l, const char *word, const char *pattern, struct err *e)
{
	const char *nearest;
	const struct provider *p = provider_find(word, &nearest);

	if (!p) {
		err_set(e, -EINVAL, "invalid probe type: '%s'", word);
		return nearest ? err_hint(e, "did you mean %s?", nearest) : e->code;
	}
	if (p->list)
		return list_provider(l, p, pattern, e);
	return 0;
}

struct found_type {
	const char *text;
	const struct btf *btf;
	uint32_t id;
};

/* Types of one keyword whose names match. */
struct type_listing {
	struct probe_env *env;
	const char *keyword, *pattern;
	enum btf_what what;
	struct arena *arena;
	VEC(struct found_type) found;
};

static bool take_type(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	struct type_listing *t = arg;
	auto_sb struct sb text = {};

	if (!wildcard_match(t->pattern, name))
		return true;
	btf_print_type_name(b, id, &text); /* structs and unions are one sort */
	if (!strncmp(sb_str(&text), t->keyword, strlen(t->keyword)))
		vec_push(t->arena, &t->found,
			 (struct found_type){ arena_strdup(t->arena, sb_str(&text)), b, id });
	return true;
}

static bool take_module(void *arg, const char *module)
{
	struct type_listing *t = arg;
	const struct btf *btf = lists_btf(t->env, module, NULL);

	if (btf)
		btf_each(btf, t->what, take_type, t);
	return true;
}

static int compare_types(const void *a, const void *b)
{
	const struct found_type *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static void print_definition(struct listing *l, const struct btf *btf, uint32_t id)
{
	auto_sb struct sb text = {};

	btf_print_c(btf, id, &text);
	while (text.len && text.s[text.len - 1] == '\n')
		text.s[--text.len] = '\0';
	l->line(l->arg, sb_str(&text));
}

/* Of two types of one name the first, the kernel's own, is the one that scripts mean. */
static void print_types(struct listing *l, struct type_listing *t, bool whole)
{
	qsort(t->found.data, t->found.len, sizeof(*t->found.data), compare_types);
	for (size_t i = 0; i < t->found.len; i++) {
		const struct found_type *f = &t->found.data[i];

		if (i && !strcmp(f[-1].text, f->text))
			continue;
		if (whole)
			print_definition(l, f->btf, f->id);
		else
			l->line(l->arg, f->text);
	}
}

/*
 * "struct NAME": the type in C; "struct PATTERN": the names, or, when verbose, the types.
 * Returns 1 when the pattern is no such thing.
 */
static int list_type(struct listing *l, const char *pattern, struct err *e)
{
	static const char *const keywords[] = { "struct ", "union ", "enum " };
	static const enum btf_what whats[] = { BTF_STRUCTS, BTF_STRUCTS, BTF_ENUMS };

	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		auto_arena struct arena a = {};
		struct type_listing t = {
			.env = l->env, .keyword = keywords[i], .what = whats[i], .arena = &a
		};
		bool is_pattern;
		const struct btf *btf;

		if (strncmp(pattern, keywords[i], strlen(keywords[i])) != 0)
			continue;
		btf = kernel_btf(l->env->types, e);
		if (!btf)
			return e->code;
		t.pattern = pattern + strlen(keywords[i]);
		t.pattern += strspn(t.pattern, " ");
		is_pattern = wildcard_has(t.pattern);
		btf_each(btf, whats[i], take_type, &t);
		if (is_pattern || !t.found.len)
			lists_each_module(take_module, &t);
		print_types(l, &t, l->verbose || !is_pattern);
		return 0;
	}
	return 1;
}

static int list_one(struct listing *l, char *pattern, struct err *e)
{
	char *colon = strchr(pattern, ':');
	int r = list_type(l, pattern, e);

	if (r <= 0)
		return r;
	if (!colon)
		return provider_find(pattern, NULL) ? list_named(l, pattern, "*", e)
						    : list_wildcard(l, "*", pattern, e);
	*colon = '\0';
	if (wildcard_has(pattern))
		return list_wildcard(l, pattern, colon + 1, e);
	return list_named(l, pattern, colon + 1, e);
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && strchr(" \t", text[len - 1]))
		text[--len] = '\0';
	return text;
}

int probe_list(struct probe_env *env, const char *pattern, bool verbose,
	       void (*line)(void *arg, const char *text), void *arg, struct err *e)
{
	struct listing l = { .env = env, .verbose = verbose, .line = line, .arg = arg };
	auto_free char *copy = xstrdup(pattern && *pattern ? pattern : "*");
	char *rest = copy, *one;
	int result = 0;

	while ((one = strsep(&rest, ","))) {
		struct err own = {};
		int r;

		one = trim(one);
		r = *one ? list_one(&l, one, &own) : 0;
		if (r && !result) {
			result = r;
			*e = own;
		}
	}
	return result;
}
