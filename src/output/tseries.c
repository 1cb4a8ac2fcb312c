#include "output/tseries.h"

#include "base/auto.h"
#include "output/number.h"

#include <time.h>

enum { NSEC = 1000000000, PLOT = 53, MIN_WIDTH = 21, MAX_WIDTH = PLOT - MIN_WIDTH };

/* How finely times are shown: as the interval asks for. */
static const struct precision {
	int64_t unit; /* ns */
	int digits;
	const char *header;
} precisions[] = {
	{ NSEC, 0, "hh:mm:ss" },
	{ 1000000, 3, "hh:mm:ss.ms" },
	{ 1000, 6, "hh:mm:ss.us" },
	{ 1, 9, "hh:mm:ss.ns" },
};

/* The range of the graph. */
struct range {
	bool any;
	double min, max;
	struct value low, high; /* as values, for the labels */
};

static double number_of(const struct value *v)
{
	return v->kind == V_INT ? (double)v->i : (double)v->u;
}

static const struct precision *precision_of(int64_t step)
{
	const struct precision *p = precisions;

	while (step % p->unit)
		p++;
	return p;
}

static struct timespec moment(const struct value *v, size_t i)
{
	int64_t ns = v->start + (int64_t)i * v->step;

	return (struct timespec){ ns / NSEC, ns % NSEC };
}

void tseries_time(const struct value *v, size_t i, struct sb *out)
{
	struct timespec t = moment(v, i);
	char text[32];
	struct tm tm;

	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	sb_printf(out, "%s.%09ld", text, t.tv_nsec);
}

/* In local time, as far as the interval's unit; returns the width. */
static int put_time(const struct value *v, size_t i, const struct precision *p, struct sb *out)
{
	struct timespec t = moment(v, i);
	size_t before = out->len;
	char text[16];
	struct tm tm;

	localtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	sb_puts(out, text);
	if (p->digits)
		sb_printf(out, ".%0*ld", p->digits, t.tv_nsec / (long)p->unit);
	return (int)(out->len - before);
}

static struct range find_range(const struct value *v)
{
	struct range r = {};

	for (size_t i = 0; i < v->nitems; i++) {
		const struct value *item = &v->items[i];
		double n = number_of(item);

		if (item->kind == V_NONE)
			continue;
		if (!r.any || n < r.min) {
			r.min = n;
			r.low = *item;
		}
		if (!r.any || n > r.max) {
			r.max = n;
			r.high = *item;
		}
		r.any = true;
	}
	if (r.any && r.low.u == r.high.u) { /* a single value stands in the middle */
		r.low.kind = r.low.u ? r.low.kind : V_INT;
		r.low.i--;
		r.high.i++;
		r.min--;
		r.max++;
	}
	return r;
}

static void put_number(const struct value *v, struct sb *out)
{
	if (v->kind == V_INT)
		number_signed(v->i, out);
	else
		number_unsigned(v->u, out);
}

static void put_scale(const struct range *r, int indent, struct sb *out)
{
	auto_sb struct sb high = {};
	size_t start;

	sb_fill(out, ' ', indent);
	start = out->len;
	put_number(&r->low, out);
	sb_fill(out, ' ', MIN_WIDTH - (long)(out->len - start));
	put_number(&r->high, &high);
	sb_fill(out, ' ', MAX_WIDTH - (long)high.len);
	sb_write(out, high.s, high.len);
	sb_putc(out, '\n');
}

static void put_border(char edge, struct sb *out)
{
	sb_putc(out, edge);
	sb_fill(out, '_', PLOT - 2);
	sb_putc(out, edge);
	sb_putc(out, '\n');
}

static int column(const struct range *r, double n)
{
	return (int)((PLOT - 1) * (n - r->min) / (r->max - r->min));
}

static void put_row(const struct value *item, const struct range *r, struct sb *out)
{
	char plot[PLOT + 1];

	for (int i = 0; i < PLOT; i++)
		plot[i] = i == 0 || i == PLOT - 1 ? '|' : ' ';
	plot[PLOT] = '\0';
	if (r->min < 0 && r->max > 0)
		plot[column(r, 0)] = '.';
	if (item->kind != V_NONE)
		plot[column(r, number_of(item))] = '*';
	sb_printf(out, "%s ", plot);
	if (item->kind == V_NONE)
		sb_putc(out, '-');
	else
		put_number(item, out);
	sb_putc(out, '\n');
}

void tseries_text(const struct value *v, struct sb *out)
{
	const struct precision *p = precision_of(v->step);
	int width = 8 + (p->digits ? 1 + p->digits : 0), indent = width + 1;
	struct range r = find_range(v);

	if (!r.any) {
		sb_puts(out, "<no data>\n");
		return;
	}
	put_scale(&r, indent, out);
	sb_printf(out, "%-*s ", width, p->header);
	put_border('|', out);
	for (size_t i = 0; i < v->nitems; i++) {
		put_time(v, i, p, out);
		sb_putc(out, ' ');
		put_row(&v->items[i], &r, out);
	}
	sb_fill(out, ' ', indent);
	put_border('v', out);
	put_scale(&r, indent, out);
}
