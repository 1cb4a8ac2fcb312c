#include "output/flame.h"

#include "base/auto.h"
#include "base/vec.h"
#include "output/flame_script.h"
#include "output/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* In units of the drawing, which a browser scales to its window. */
enum { WIDTH = 1200, MARGIN = 10, ROW = 17, HEAD = 60, FOOT = 34, LETTER = 7 };

/* Narrower frames would not be seen, and are most of the frames of a large profile. */
static const double NARROW = 0.1;

struct stack {
	const char *text; /* frames and separators */
	size_t len;
	uint64_t count;
};

struct span_of {
	const char *name;
	size_t len;
	uint64_t start; /* sum of the counts before it */
};

struct drawing {
	const struct flame_options *opt;
	struct sb *out;
	struct flame_result *res;
	VEC(struct stack) stacks;
	/* The frames that are open, outermost first. */
	struct span_of open[FLAME_DEPTH_MAX];
	unsigned nopen, deepest;
	uint64_t at;
};

/* --- reading --- */

/* "frames COUNT", a fraction of the count is cut off; false: it is nothing of the kind. */
static bool parse_line(const char *line, size_t len, struct stack *out)
{
	const char *end = line + len, *space;
	uint64_t n = 0;

	while (end > line && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	space = end;
	while (space > line && space[-1] != ' ')
		space--;
	if (space <= line + 1 || space == end)
		return false;
	for (const char *p = space; p < end; p++) {
		if (*p == '.' && p > space &&
		    strspn(p + 1, "0123456789") >= (size_t)(end - p - 1))
			break;
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	}
	*out = (struct stack){ line, (size_t)(space - 1 - line), n };
	return true;
}

static void read_lines(struct drawing *d, const char *text, size_t len)
{
	size_t number = 0;

	for (size_t next; len; text += next, len -= next) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;
		struct stack s;

		next = nl ? n + 1 : n;
		number++;
		if (!n)
			continue;
		if (!parse_line(text, n, &s) || s.count > UINT64_MAX - d->res->total) {
			if (!d->res->bad_lines++)
				d->res->bad_line = number;
			continue;
		}
		d->res->total += s.count;
		if (s.count)
			vec_push(NULL, &d->stacks, s);
	}
	d->res->stacks = d->stacks.len;
}

/* The separator sorts before all else, so that stacks with a beginning in common are together.
 */
static int rank(const struct stack *s, size_t i)
{
	if (i >= s->len)
		return -2;
	return s->text[i] == ';' ? -1 : (unsigned char)s->text[i];
}

static int compare_stacks(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	size_t i = 0, common = x->len < y->len ? x->len : y->len;

	while (i < common && x->text[i] == y->text[i])
		i++;
	return rank(x, i) - rank(y, i);
}

/* --- drawing --- */

/* What XML 1.0 does not allow is shown as U+FFFD. */
static void put_xml(const char *s, size_t len, struct sb *out)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];

		n = c < 0x80 ? 1 : utf8_len(s + i, len - i);
		if (c == '&')
			sb_puts(out, "&amp;");
		else if (c == '<')
			sb_puts(out, "&lt;");
		else if (c == '>')
			sb_puts(out, "&gt;");
		else if (c == '"')
			sb_puts(out, "&quot;");
		else if (!n || c < ' ' || c == 0x7f ||
			 (n == 3 && !memcmp(s + i, "\xef\xbf", 2) &&
			  (unsigned char)s[i + 2] > 0xbd))
			sb_puts(out, "\xef\xbf\xbd");
		else
			sb_write(out, s + i, n);
		n = n ? n : 1;
	}
}

/* The bytes of at most n letters, and whether that is not all. */
static size_t first_letters(const char *s, size_t len, size_t n, bool *cut)
{
	size_t i = 0;

	while (i < len && n--) {
		size_t more = utf8_len(s + i, len - i);

		i += more ? more : 1;
	}
	*cut = i < len;
	return i;
}

static void put_label(const char *name, size_t len, double width, struct sb *out)
{
	size_t room = width > 3 * LETTER ? (size_t)((width - 6) / LETTER) : 0;
	bool cut;

	if (room < 3)
		return;
	size_t n = first_letters(name, len, room, &cut);
	if (cut)
		n = first_letters(name, len, room - 2, &cut);
	put_xml(name, n, out);
	if (cut)
		sb_puts(out, "..");
}

/* One colour for a name: of the kernel, of the program, of what is not known. */
static void put_color(const char *name, size_t len, struct sb *out)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	if (len && name[0] == '[')
		sb_printf(out, "hsl(0,0%%,%u%%)", 75 + h % 12);
	else if (len > 4 && !memcmp(name + len - 4, "_[k]", 4))
		sb_printf(out, "hsl(%u,55%%,%u%%)", 190 + h % 30, 66 + h / 32 % 12);
	else
		sb_printf(out, "hsl(%u,85%%,%u%%)", h % 52, 60 + h / 64 % 14);
}

static double x_of(const struct drawing *d, uint64_t at)
{
	return MARGIN + (double)at / (double)d->res->total * (WIDTH - 2 * MARGIN);
}

/* Rows count from the root, 0. */
static void put_box(struct drawing *d, unsigned row, const char *name, size_t len,
		    uint64_t start, uint64_t end)
{
	double x = x_of(d, start), width = x_of(d, end) - x;
	unsigned y = HEAD + ROW * (d->opt->inverted ? row : d->deepest - row);
	struct sb *out = d->out;

	if (width < NARROW) {
		d->res->narrow++;
		return;
	}
	sb_printf(out, "<g class=\"f\" data-d=\"%u\"><title>", row);
	put_xml(name, len, out);
	sb_printf(out, " (%" PRIu64 " %s, %.2f%%)</title>", end - start,
		  d->opt->unit ? d->opt->unit : "samples",
		  100.0 * (double)(end - start) / (double)d->res->total);
	sb_printf(out, "<rect x=\"%.4f\" y=\"%u\" width=\"%.4f\" height=\"%d\" fill=\"", x, y,
		  width, ROW - 1);
	put_color(name, len, out);
	sb_printf(out, "\"/><text x=\"%.4f\" y=\"%u\">", x + 3, y + 12);
	put_label(name, len, width, out);
	sb_puts(out, "</text></g>\n");
}

static void close_down_to(struct drawing *d, unsigned depth)
{
	while (d->nopen > depth) {
		const struct span_of *f = &d->open[--d->nopen];

		put_box(d, d->nopen + 1, f->name, f->len, f->start, d->at);
	}
}

/* Cuts a stack into frames; returns how many are drawn. */
static unsigned split(struct stack s, struct span_of *out, bool *cut)
{
	unsigned n = 0;

	while (n < FLAME_DEPTH_MAX) {
		const char *sep = memchr(s.text, ';', s.len);

		out[n++] = (struct span_of){ s.text, sep ? (size_t)(sep - s.text) : s.len, 0 };
		if (!sep)
			return n;
		s.len -= (size_t)(sep + 1 - s.text);
		s.text = sep + 1;
	}
	*cut = true;
	return n;
}

static bool same_frame(const struct span_of *a, const struct span_of *b)
{
	return a->len == b->len && !memcmp(a->name, b->name, a->len);
}

/* Frames that two neighbours have in common are one box. */
static void put_stack(struct drawing *d, const struct stack *s, struct span_of *frames)
{
	bool cut = false;
	unsigned common = 0, n = split(*s, frames, &cut);

	while (common < n && common < d->nopen && same_frame(&frames[common], &d->open[common]))
		common++;
	close_down_to(d, common);
	for (; d->nopen < n; d->nopen++) {
		d->open[d->nopen] = frames[d->nopen];
		d->open[d->nopen].start = d->at;
	}
	d->at += s->count;
	d->res->cut += cut;
}

static unsigned deepest(const struct drawing *d)
{
	unsigned most = 0;

	vec_each(s, &d->stacks) {
		unsigned n = 1;

		for (size_t i = 0; i < s->len && n < FLAME_DEPTH_MAX; i++)
			n += s->text[i] == ';';
		most = n > most ? n : most;
	}
	return most;
}

static void put_head(struct drawing *d)
{
	const char *title = d->opt->title ? d->opt->title : "Flame graph";
	unsigned height = HEAD + ROW * (d->deepest + 1) + FOOT;

	sb_puts(d->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	sb_printf(d->out,
		  "<svg id=\"flame\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		  "height=\"%u\" viewBox=\"0 0 %d %u\">\n",
		  WIDTH, height, WIDTH, height);
	sb_puts(d->out, flame_style);
	sb_printf(d->out,
		  "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		  "<text class=\"title\" x=\"%d\" y=\"24\">",
		  WIDTH / 2);
	put_xml(title, strlen(title), d->out);
	sb_printf(d->out,
		  "</text>\n<text id=\"reset\" class=\"button\" x=\"%d\" y=\"44\"></text>\n"
		  "<text id=\"search\" class=\"button\" x=\"%d\" y=\"44\" "
		  "text-anchor=\"end\">Search</text>\n"
		  "<text id=\"matched\" x=\"%d\" y=\"%u\" text-anchor=\"end\"></text>\n"
		  "<text id=\"detail\" x=\"%d\" y=\"%u\"></text>\n",
		  MARGIN, WIDTH - MARGIN, WIDTH - MARGIN, height - 12, MARGIN, height - 12);
}

void flame_draw(const char *text, size_t len, const struct flame_options *opt, struct sb *out,
		struct flame_result *res)
{
	auto_free struct span_of *frames = xcalloc(FLAME_DEPTH_MAX, sizeof(*frames));
	auto_free struct drawing *d = xcalloc(1, sizeof(*d));

	*res = (struct flame_result){};
	d->opt = opt;
	d->out = out;
	d->res = res;
	read_lines(d, text, len);
	if (d->stacks.len)
		qsort(d->stacks.data, d->stacks.len, sizeof(*d->stacks.data), compare_stacks);
	d->deepest = deepest(d);
	put_head(d);
	vec_each(s, &d->stacks)
		put_stack(d, s, frames);
	close_down_to(d, 0);
	if (d->at)
		put_box(d, 0, "all", 3, 0, d->at);
	sb_puts(out, flame_script);
	sb_puts(out, "</svg>\n");
	vec_free(&d->stacks);
}
