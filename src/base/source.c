#include "base/source.h"

#include <string.h>

void sources_init(struct sources *ss, struct arena *a)
{
	*ss = (struct sources){ .arena = a, .next = 1 };
}

const struct source *sources_add(struct sources *ss, const char *name, const char *text,
				 size_t len)
{
	struct source s = {
		.name = arena_strdup(ss->arena, name),
		.text = arena_strndup(ss->arena, text, len),
		.len = (uint32_t)len,
		.base = ss->next,
	};

	ss->next += s.len + 1; /* the end of a text is a place of its own */
	vec_push(ss->arena, &ss->files, s);
	return &vec_last(&ss->files);
}

static const struct source *find(const struct sources *ss, uint32_t off)
{
	for (size_t i = ss->files.len; i-- > 0;) {
		const struct source *s = &ss->files.data[i];

		if (off >= s->base && off <= s->base + s->len)
			return s;
	}
	return NULL;
}

static void line_col(const struct source *s, uint32_t off, uint32_t *line, uint32_t *col)
{
	uint32_t start = 0;

	*line = 1;
	for (uint32_t i = 0; i < off; i++) {
		if (s->text[i] == '\n') {
			++*line;
			start = i + 1;
		}
	}
	*col = off - start + 1;
}

bool source_locate(const struct sources *ss, struct span span, struct location *loc)
{
	const struct source *s = span.beg ? find(ss, span.beg) : NULL;

	if (!s)
		return false;

	uint32_t beg = span.beg - s->base;
	uint32_t end = span.end >= span.beg ? span.end - s->base : beg;
	if (end > s->len)
		end = s->len;

	loc->name = s->name;
	line_col(s, beg, &loc->line, &loc->col);
	line_col(s, end, &loc->end_line, &loc->end_col);
	loc->line_text = s->text + beg - (loc->col - 1);
	loc->line_len = (uint32_t)strcspn(loc->line_text, "\n");
	return true;
}

const char *source_text(const struct sources *ss, struct arena *a, struct span span)
{
	const struct source *s = span.beg ? find(ss, span.beg) : NULL;

	if (!s || span.end < span.beg)
		return "";
	return arena_strndup(a, s->text + (span.beg - s->base), span.end - span.beg);
}
