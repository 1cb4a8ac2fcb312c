#include "output/hist.h"

#include "output/number.h"

enum { LABEL_WIDTH = 16, COUNT_WIDTH = 8, BAR_WIDTH = 52 };

/*
 * A boundary of hist(): the suffix follows the width of the sub-interval that starts here, not
 * the boundary itself, so with finer buckets 1024 stays "1024" where hist(v, 0) says "1K".
 * Boundaries go up to 2^63, which is why they are read as unsigned.
 */
static void log2_bound(const struct value *v, int64_t bound, struct sb *out)
{
	static const char suffixes[] = "\0KMGTPE";
	uint64_t u = (uint64_t)bound;
	int width_log2 = u ? 63 - __builtin_clzll(u) - v->hist_bits : 0;
	int suffix = width_log2 > 0 ? width_log2 / 10 : 0;

	number_unsigned(u >> (10 * suffix), out);
	if (suffix)
		sb_putc(out, suffixes[suffix]);
}

/* A boundary of lhist(): suffixes only where the step itself is a multiple of 1024. */
static void linear_bound(const struct value *v, int64_t bound, struct sb *out)
{
	const int64_t kilo = 1024, mega = 1024 * 1024;
	bool suffixed = bound && v->hist_step % kilo == 0;

	if (suffixed && bound % mega == 0) {
		number_signed(bound / mega, out);
		sb_putc(out, 'M');
	} else if (suffixed && bound % kilo == 0) {
		number_signed(bound / kilo, out);
		sb_putc(out, 'K');
	} else {
		number_signed(bound, out);
	}
}

static void put_bound(const struct value *v, bool has, int64_t bound, struct sb *out)
{
	if (!has)
		sb_puts(out, "...");
	else if (v->log2)
		log2_bound(v, bound, out);
	else
		linear_bound(v, bound, out);
}

void hist_label(const struct value *v, const struct value_bucket *b, struct sb *out)
{
	sb_putc(out, b->has_lo ? '[' : '(');
	put_bound(v, b->has_lo, b->lo, out);
	if (b->has_lo && b->has_hi && (uint64_t)b->hi - (uint64_t)b->lo == 1) {
		sb_putc(out, ']');
		return;
	}
	sb_puts(out, ", ");
	put_bound(v, b->has_hi, b->hi, out);
	sb_putc(out, ')');
}

static void put_row(const struct value *v, size_t i, uint64_t max, struct sb *out)
{
	char buf[NUMBER_MAX], *end = buf + sizeof(buf);
	uint64_t n = hist_count(v, i);
	char *digits = number_digits(end, n, 10, false);
	/* Single precision, because it decides where bars of equal ratio are cut. */
	int bar = max ? (int)((float)n / (float)max * BAR_WIDTH) : 0;
	size_t start = out->len;

	hist_label(v, &v->buckets[i], out);
	sb_fill(out, ' ', LABEL_WIDTH - (long)(out->len - start));
	sb_fill(out, ' ', COUNT_WIDTH - (end - digits));
	sb_write(out, digits, (size_t)(end - digits));
	sb_puts(out, " |");
	sb_fill(out, '@', bar);
	sb_fill(out, ' ', BAR_WIDTH - bar);
	sb_puts(out, "|\n");
}

void hist_text(const struct value *v, struct sb *out)
{
	uint64_t max = 0;
	bool hit = false;

	for (size_t i = 0; i < v->nitems; i++) {
		uint64_t n = hist_count(v, i);

		hit |= v->buckets[i].n != 0;
		max = n > max ? n : max;
	}
	for (size_t i = 0; hit && i < v->nitems; i++)
		put_row(v, i, max, out);
}
