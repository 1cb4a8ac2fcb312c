/*
 * script_text.h - a script parsed for a test, with all that it needs.
 */
#ifndef SCRY_TESTS_SCRIPT_TEXT_H
#define SCRY_TESTS_SCRIPT_TEXT_H

#include "base/auto.h"
#include "script/parse.h"

#include <stdlib.h>
#include <string.h>

struct script_text {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	const struct source *source;
	struct script *script;
};

static inline void script_text_init(struct script_text *t, const char *name, const char *text,
				    size_t len)
{
	memset(t, 0, sizeof(*t));
	sources_init(&t->sources, &t->arena);
	diags_init(&t->dx, &t->arena, &t->sources);
	t->source = sources_add(&t->sources, name, text, len);
}

static inline void script_text_free(struct script_text *t)
{
	arena_free(&t->arena);
}

#define auto_script __attribute__((cleanup(script_text_free)))

static inline struct script *script_text_parse(struct script_text *t, const char *text)
{
	static const char *const params[] = { "first", "second:third" };
	const struct parse_options opt = { params, 2 };

	script_text_init(t, "test", text, strlen(text));
	t->script = parse_script(&t->arena, &t->dx, t->source, &opt);
	return t->script;
}

/* A file's text, NULL when it cannot be read; the caller frees it. */
static inline char *read_text(const char *path, size_t *len)
{
	auto_fclose FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t cap = 0;
	ssize_t n = f ? getdelim(&text, &cap, EOF, f) : -1;

	if (f && n < 0) {
		free(text);
		text = strdup("");
		n = 0;
	}
	*len = n < 0 ? 0 : (size_t)n;
	return f ? text : NULL;
}

#endif
