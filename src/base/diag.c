#include "base/diag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct diag_row rows[DIAG_CODES] = {
#define DIAG(code, severity, words, hint, more) \
	[code] = { #code, #code + 6, severity, words, hint, more },
#include "base/diag.def"
#undef DIAG
};

/* Codes are spelt E0107_MAP_KEY: five characters of id, an underscore, a name. */
enum { ID_LEN = 5 };

const struct diag_row *diag_row(enum diag_code code)
{
	return &rows[code];
}

const struct diag_row *diag_find(const char *id)
{
	for (size_t i = 0; i < DIAG_CODES; i++)
		if (strlen(id) == ID_LEN && !strncasecmp(rows[i].id, id, ID_LEN))
			return &rows[i];
	return NULL;
}

void diags_init(struct diags *dx, struct arena *a, struct sources *sources)
{
	*dx = (struct diags){ .arena = a, .sources = sources };
}

static struct diag *find_same(const struct diags *dx, enum diag_code code, struct span span)
{
	vec_each(d, &dx->list)
		if ((*d)->code == code && (*d)->span.beg == span.beg &&
		    (*d)->span.end == span.end)
			return *d;
	return NULL;
}

static void count(struct diags *dx, enum diag_code code)
{
	if (rows[code].severity == DIAG_ERROR)
		dx->errors++;
	else
		dx->warnings++;
}

void diags_recount(struct diags *dx)
{
	dx->errors = dx->warnings = 0;
	vec_each(d, &dx->list)
		count(dx, (*d)->code);
}

struct diag *diag_at(struct diags *dx, enum diag_code code, struct span span, const char *words,
		     ...)
{
	struct diag *d = span.beg && !dx->muted ? find_same(dx, code, span) : NULL;

	if (d)
		return d;

	va_list ap;
	va_start(ap, words);
	d = arena_new(dx->arena, struct diag);
	d->code = code;
	d->span = span;
	d->text = arena_vprintf(dx->arena, words, ap);
	d->owner = dx;
	va_end(ap);

	count(dx, code);
	if (!dx->muted)
		vec_push(dx->arena, &dx->list, d);
	return d;
}

void diag_note(struct diag *d, struct span span, const char *fmt, ...)
{
	struct diag_note **tail = &d->notes;
	va_list ap;

	va_start(ap, fmt);
	const char *text = arena_vprintf(d->owner->arena, fmt, ap);
	va_end(ap);
	/* What is reported twice, and kept once, brings its notes twice. */
	for (; *tail; tail = &(*tail)->next)
		if ((*tail)->span.beg == span.beg && !strcmp((*tail)->text, text))
			return;
	*tail = arena_new(d->owner->arena, struct diag_note);
	(*tail)->span = span;
	(*tail)->text = text;
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->hint = arena_vprintf(d->owner->arena, fmt, ap);
	va_end(ap);
}

bool diag_failed(const struct diags *dx)
{
	return dx->errors > 0;
}

/* The source line and ~~~ under the span; a tab is shown as it is and underlined as one. */
static void print_excerpt(const struct location *loc, FILE *out)
{
	uint32_t end = loc->end_line > loc->line ? loc->line_len + 1 : loc->end_col;

	if (end <= loc->col)
		end = loc->col + 1;
	fprintf(out, "%5u | %.*s\n      | ", loc->line, (int)loc->line_len, loc->line_text);
	for (uint32_t i = 1; i < end; i++) {
		bool tab = i <= loc->line_len && loc->line_text[i - 1] == '\t';

		if (i < loc->col)
			fputc(tab ? '\t' : ' ', out);
		else
			fputc('~', out);
	}
	fputc('\n', out);
}

/* color: the terminal's sequence for the line, "" for none */
static void print_line(const struct diags *dx, struct span span, const char *what,
		       const char *text, const char *color, FILE *out)
{
	struct location loc;
	bool placed = source_locate(dx->sources, span, &loc);

	fputs(color, out);
	if (placed)
		fprintf(out, "%s:%u:%u: ", loc.name, loc.line, loc.col);
	else if (strcmp(what, "note") != 0)
		fprintf(out, "scry: ");
	fprintf(out, "%s: %s%s\n", what, text, *color ? "\033[0m" : "");
	if (placed)
		print_excerpt(&loc, out);
}

static void print_one(const struct diags *dx, const struct diag *d, FILE *out)
{
	const struct diag_row *row = &rows[d->code];
	const char *hint = d->hint ? d->hint : row->hint;
	bool is_error = row->severity == DIAG_ERROR;
	const char *color = is_error ? "\033[31m" : "\033[33m";
	char what[32];

	snprintf(what, sizeof(what), "%s[%.*s]", is_error ? "error" : "warning", ID_LEN,
		 row->id);
	print_line(dx, d->span, what, d->text, dx->color ? color : "", out);
	for (const struct diag_note *n = d->notes; n; n = n->next)
		print_line(dx, n->span, "note", n->text, "", out);
	if (*hint)
		fprintf(out, "hint: %s\n", hint);
}

static int by_place(const void *a, const void *b)
{
	const struct diag *x = *(struct diag *const *)a, *y = *(struct diag *const *)b;

	if (x->span.beg != y->span.beg)
		return x->span.beg < y->span.beg ? -1 : 1;
	return (x->code > y->code) - (x->code < y->code);
}

void diags_print(struct diags *dx, FILE *out, bool warnings)
{
	if (dx->list.len)
		qsort(dx->list.data, dx->list.len, sizeof(*dx->list.data), by_place);
	vec_each(d, &dx->list)
		if (warnings || rows[(*d)->code].severity == DIAG_ERROR)
			print_one(dx, *d, out);
	dx->list.len = 0;
}

enum { NAME_MAX_LEN = 128 };

/* Edit distance with neighbouring swaps (optimal string alignment), case ignored. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned rows3[3][NAME_MAX_LEN + 1];

	if (n > NAME_MAX_LEN || m > NAME_MAX_LEN)
		return ~0u;
	for (size_t j = 0; j <= m; j++)
		rows3[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows3[i % 3], *up = rows3[(i + 2) % 3],
			 *up2 = rows3[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = (a[i - 1] | 32) == (b[j - 1] | 32);
			unsigned best = up[j - 1] + !same;

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows3[n % 3][m];
}

void diag_nearer(const char *word, const char *candidate, const char **best,
		 unsigned *best_dist)
{
	size_t len = strlen(word);
	unsigned limit = len < 4 ? 1 : len < 8 ? 2 : 3;
	unsigned d = distance(word, candidate);

	if (d > limit || d >= len)
		return;
	if (!*best || d < *best_dist) {
		*best = candidate;
		*best_dist = d;
	}
}

const char *diag_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned dist = 0;

	for (size_t i = 0; i < n; i++)
		diag_nearer(word, names[i], &best, &dist);
	return best;
}
