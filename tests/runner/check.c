#include "check.h"

#include "base/auto.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

/* The lines of a text without trailing blanks; empty lines do not count. */
VEC_TYPE(lines, char *);

static void lines_split(struct lines *lines, char *text)
{
	char *rest;

	for (char *s = strtok_r(text, "\n", &rest); s; s = strtok_r(NULL, "\n", &rest)) {
		size_t len = strlen(s);

		while (len && isspace((unsigned char)s[len - 1]))
			s[--len] = '\0';
		if (len)
			vec_push(NULL, lines, s);
	}
}

/* A stream's lines, each of which may satisfy one EXPECT. */
struct said {
	char *text;
	struct lines lines;
};

static void said_fini(struct said *s)
{
	free(s->text);
	vec_free(&s->lines);
}

#define auto_said __attribute__((cleanup(said_fini)))

static struct said said_of(const char *text)
{
	struct said s = { .text = xstrdup(text) };

	lines_split(&s.lines, s.text);
	return s;
}

static bool take_line(struct said *s, const char *text)
{
	vec_each(line, &s->lines) {
		if (*line && !strcmp(*line, text)) {
			*line = NULL;
			return true;
		}
	}
	return false;
}

static bool any_contains(const struct said *s, const char *text)
{
	vec_each(line, &s->lines)
		if (strstr(*line, text))
			return true;
	return false;
}

/* The first line that matches, or NULL; a bad expression is said in why. */
static const char *first_match(const struct said *s, const char *pattern, struct sb *why)
{
	const char *found = NULL;
	regex_t re;
	int rc = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);

	if (rc) {
		char words[128];

		regerror(rc, &re, words, sizeof(words));
		sb_printf(why, "bad expression %s: %s\n", pattern, words);
		return NULL;
	}
	for (size_t i = 0; i < s->lines.len && !found; i++)
		if (!regexec(&re, s->lines.data[i], 0, NULL, 0))
			found = s->lines.data[i];
	regfree(&re);
	return found;
}

/* A multi-line EXPECT stands for several. */
static void check_expect(struct said *left, const char *text, struct sb *why)
{
	auto_said struct said wanted = said_of(text);

	vec_each(line, &wanted.lines)
		if (!take_line(left, *line))
			sb_printf(why, "no line: %s\n", *line);
}

static void check_output(const struct said *got, const char *text, struct sb *why)
{
	auto_said struct said wanted = said_of(text);
	size_t n = wanted.lines.len;

	for (size_t i = 0; i < n; i++) {
		if (i < got->lines.len && !strcmp(got->lines.data[i], wanted.lines.data[i]))
			continue;
		sb_printf(why, "line %zu should be: %s\n", i + 1, wanted.lines.data[i]);
		return;
	}
	if (got->lines.len > n)
		sb_printf(why, "line %zu should not be: %s\n", n + 1, got->lines.data[n]);
}

static void check_line(const struct line *l, const struct said *out, struct said *left,
		       const struct said *err, struct sb *why)
{
	const char *found;

	switch (l->keyword) {
	case KW_EXPECT: check_expect(left, l->text, why); break;
	case KW_OUTPUT: check_output(out, l->text, why); break;
	case KW_EXPECT_REGEX:
		if (!first_match(out, l->text, why))
			sb_printf(why, "no line matches: %s\n", l->text);
		break;
	case KW_EXPECT_NONE:
		if ((found = first_match(out, l->text, why)))
			sb_printf(why, "unwanted line: %s\n", found);
		break;
	case KW_STDERR:
		if (!any_contains(err, l->text))
			sb_printf(why, "no line of standard error has: %s\n", l->text);
		break;
	case KW_STDERR_NONE:
		if ((found = first_match(err, l->text, why)))
			sb_printf(why, "unwanted line on standard error: %s\n", found);
		break;
	default: break;
	}
}

bool check_job(const struct job *job, struct sb *why)
{
	auto_said struct said out = said_of(sb_str(&job->said[JOB_OUT]));
	auto_said struct said left = said_of(sb_str(&job->said[JOB_OUT]));
	auto_said struct said err = said_of(sb_str(&job->said[JOB_ERR]));
	int status = atoi(case_get_or(job->test, KW_EXIT, "0"));
	size_t before = why->len;

	if (job->status != status)
		sb_printf(why, "exit status %d, not %d\n", job->status, status);
	vec_each(l, &job->test->lines)
		check_line(l, &out, &left, &err, why);
	return why->len == before;
}
