#include "output/sort.h"

#include <stdlib.h>
#include <string.h>

/* What a value weighs against others of its map. */
struct weight {
	bool negative;
	uint64_t bits; /* two's complement */
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static uint64_t hist_total(const struct value *v)
{
	uint64_t total = 0;

	for (size_t i = 0; i < v->nitems; i++)
		total += v->buckets[i].n;
	return total;
}

/* All the same for kinds that are shown by key. */
static struct weight weigh(const struct value *v)
{
	struct value average;

	switch (v->kind) {
	case V_INT:
	case V_ENUM: return (struct weight){ v->i < 0, v->u };
	case V_UINT: return (struct weight){ false, v->u };
	case V_HIST: return (struct weight){ false, hist_total(v) };
	case V_STATS: average = stats_average(v); return weigh(&average);
	default: return (struct weight){ false, 0 };
	}
}

static int compare_values(const struct value *a, const struct value *b)
{
	struct weight wa = weigh(a), wb = weigh(b);

	if (wa.negative != wb.negative)
		return wa.negative ? -1 : 1;
	/* Of the same sign, so the bits compare like the numbers. */
	return compare_u64(wa.bits, wb.bits);
}

static int compare_bytes(const struct value *a, const struct value *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->text, b->text, len) : 0;

	return order ? order : compare_u64(a->len, b->len);
}

static int compare_keys(const struct value *a, const struct value *b, bool all);

static int compare_items(const struct value *a, const struct value *b, bool all)
{
	for (size_t i = 0; i < a->nitems && i < b->nitems; i++) {
		int order = compare_keys(&a->items[i], &b->items[i], all);

		if (order)
			return order;
	}
	return compare_u64(a->nitems, b->nitems);
}

/*
 * Only integers and strings give keys their order; with all, the other kinds take part too, to
 * settle ties.
 */
static int compare_keys(const struct value *a, const struct value *b, bool all)
{
	if (a->kind != b->kind)
		return all ? compare_u64(a->kind, b->kind) : 0;

	switch (a->kind) {
	case V_INT:
	case V_UINT:
	case V_ENUM: return compare_i64(a->i, b->i);
	case V_STRING: return compare_bytes(a, b);
	case V_TUPLE: return compare_items(a, b, all);
	case V_BOOL:
	case V_PTR: return all ? compare_u64(a->u, b->u) : 0;
	case V_TEXT:
	case V_BUFFER: return all ? compare_bytes(a, b) : 0;
	default: return all ? compare_items(a, b, all) : 0;
	}
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct map_entry *a = pa, *b = pb;
	int order = compare_values(&a->value, &b->value);

	if (!order && a->key && b->key)
		order = compare_keys(a->key, b->key, false);
	if (!order && a->key && b->key)
		order = compare_keys(a->key, b->key, true);
	return order;
}

void map_sort(struct map_entry *entries, size_t n)
{
	if (n > 1)
		qsort(entries, n, sizeof(*entries), compare_entries);
}

struct map_entry *map_top(struct map_entry *entries, size_t *n, uint64_t top)
{
	size_t skip = top && top < *n ? *n - top : 0;

	*n -= skip;
	return entries + skip;
}

static void divide_value(struct value *v, int64_t div)
{
	switch (v->kind) {
	case V_INT: v->i /= div; break;
	case V_UINT: v->u /= (uint64_t)div; break;
	case V_STATS: v->div = (uint64_t)div; break;
	case V_HIST: v->div = v->log2 ? (uint64_t)div : 0; break;
	default: break;
	}
}

void map_divide(struct map_entry *entries, size_t n, int64_t div)
{
	for (size_t i = 0; div > 1 && i < n; i++)
		divide_value(&entries[i].value, div);
}
