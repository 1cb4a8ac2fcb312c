#include "case.h"

#include "base/auto.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	bool many;
} KEYWORD_ROWS[] = {
#define KEYWORD(id, many, doc) [KW_##id] = { #id, many },
#include "keyword.def"
#undef KEYWORD
};

const char *keyword_name(enum keyword k)
{
	return KEYWORD_ROWS[k].name;
}

const char *case_get(const struct test *t, enum keyword k)
{
	vec_each(l, &t->lines)
		if (l->keyword == k)
			return l->text;
	return NULL;
}

const char *case_get_or(const struct test *t, enum keyword k, const char *otherwise)
{
	const char *text = case_get(t, k);

	return text ? text : otherwise;
}

/* The file under the reader's eye. */
struct reader {
	const char *path;
	unsigned row;
	struct arena *arena;
	struct tests *tests;
	struct err *err;
};

static bool keyword_find(const char *word, size_t len, enum keyword *k)
{
	for (*k = 0; *k < KEYWORDS; (*k)++)
		if (strlen(keyword_name(*k)) == len && !strncmp(keyword_name(*k), word, len))
			return true;
	return false;
}

static int add_line(struct reader *r, enum keyword k, const char *text)
{
	if (k == KW_NAME)
		vec_push(r->arena, r->tests, (struct test){ .file = r->path, .row = r->row });
	else if (!r->tests->len || vec_last(r->tests).file != r->path)
		return err_set(r->err, -EINVAL, "%s:%u: %s before any NAME", r->path, r->row,
			       keyword_name(k));

	struct test *t = &vec_last(r->tests);

	if (!KEYWORD_ROWS[k].many && case_get(t, k))
		return err_set(r->err, -EINVAL, "%s:%u: a second %s", r->path, r->row,
			       keyword_name(k));
	vec_push(r->arena, &t->lines, (struct line){ k, arena_strdup(r->arena, text) });
	return 0;
}

/* Continuation lines lose the indentation that aligns them with the first line's text. */
static int continue_line(struct reader *r, const char *text)
{
	struct test *t = r->tests->len ? &vec_last(r->tests) : NULL;

	if (!t || t->file != r->path)
		return err_set(r->err, -EINVAL, "%s:%u: nothing to continue", r->path, r->row);

	struct line *l = &vec_last(&t->lines);
	size_t indent = strlen(keyword_name(l->keyword)) + 1;

	if (*text == '\t')
		text++;
	else
		while (indent-- && *text == ' ')
			text++;
	l->text = arena_printf(r->arena, "%s\n%s", l->text, text);
	return 0;
}

static int read_line(struct reader *r, char *text)
{
	size_t len = strlen(text);
	enum keyword k;

	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	if (!len || *text == '#')
		return 0;
	if (isspace((unsigned char)*text))
		return continue_line(r, text);

	size_t word = strcspn(text, " \t");

	if (!keyword_find(text, word, &k))
		return err_set(r->err, -EINVAL, "%s:%u: unknown keyword '%.*s'", r->path,
			       r->row, (int)word, text);
	return add_line(r, k, text + word + (text[word] != '\0'));
}

int case_load(struct tests *tests, const char *path, struct arena *a, struct err *e)
{
	struct reader r = { arena_strdup(a, path), 0, a, tests, e };
	auto_fclose FILE *f = fopen(path, "re");
	auto_free char *text = NULL;
	size_t cap = 0;
	int rc = 0;

	if (!f)
		return err_set(e, -errno, "read %s", path);
	while (!rc && getline(&text, &cap, f) > 0) {
		r.row++;
		rc = read_line(&r, text);
	}
	return rc;
}
