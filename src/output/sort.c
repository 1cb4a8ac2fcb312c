#include "output/sort.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

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

/* A signed number, so that it compares as an unsigned one. */
static uint64_t biased(int64_t i)
{
	return (uint64_t)i ^ 1ull << 63;
}

/* The bits of floating-point numbers of one sign are in the order of their magnitudes. */
static uint64_t rank_float(double f)
{
	uint64_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return f < 0 ? ~bits : bits | 1ull << 63;
}

static uint64_t rank_value(const struct value *v)
{
	struct value average;

	switch (v->kind) {
	case V_INT:
	case V_ENUM: return biased(v->i);
	case V_UINT: return v->u;
	case V_FLOAT: return rank_float(v->f);
	case V_HIST: return hist_total(v);
	case V_STATS: average = stats_average(v); return rank_value(&average);
	default: return 0;
	}
}

/* The first eight bytes of a text as a number: the first one counts most. */
static uint64_t text_start(const struct value *v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | (i < v->len ? (unsigned char)v->text[i] : 0);
	return n;
}

/* In step with compare_keys(): never up where that goes down. */
static uint64_t rank_key(const struct value *key)
{
	switch (key->kind) {
	case V_INT:
	case V_UINT:
	case V_ENUM: return biased(key->i);
	case V_STRING: return text_start(key);
	case V_TUPLE: return key->nitems ? rank_key(&key->items[0]) : 0;
	default: return 0;
	}
}

struct map_rank map_rank(const struct map_entry *e, uint32_t index)
{
	return (struct map_rank){ rank_value(&e->value), e->key ? rank_key(e->key) : 0, index };
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
	case V_FLOAT: return all ? compare_u64(rank_float(a->f), rank_float(b->f)) : 0;
	case V_TEXT:
	case V_BUFFER: return all ? compare_bytes(a, b) : 0;
	default: return all ? compare_items(a, b, all) : 0;
	}
}

int map_compare_keys(const struct value *a, const struct value *b)
{
	int order = compare_keys(a, b, false);

	return order ? order : compare_keys(a, b, true);
}

/* What settles ties. */
struct tie {
	int (*compare)(void *arg, uint32_t a, uint32_t b);
	void *arg;
};

static int compare_tied(const void *pa, const void *pb, void *arg)
{
	const struct map_rank *a = pa, *b = pb;
	const struct tie *tie = arg;

	return tie->compare(tie->arg, a->index, b->index);
}

static unsigned byte_of(const struct map_rank *r, unsigned i)
{
	uint64_t word = i < 8 ? r->key : r->value;

	return word >> i % 8 * 8 & 0xff;
}

/* One pass: from stands in to afterwards, by byte i. False when all have the same byte. */
static bool sort_by_byte(const struct map_rank *from, struct map_rank *to, size_t n, unsigned i)
{
	size_t starts[256] = {}, sum = 0;

	for (size_t k = 0; k < n; k++)
		starts[byte_of(&from[k], i)]++;
	if (starts[byte_of(&from[0], i)] == n)
		return false;
	for (unsigned b = 0; b < 256; b++) {
		size_t count = starts[b];

		starts[b] = sum;
		sum += count;
	}
	for (size_t k = 0; k < n; k++)
		to[starts[byte_of(&from[k], i)]++] = from[k];
	return true;
}

/* By key, then by value, each from its last byte to its first (LSD radix sort). */
static void sort_by_bytes(struct map_rank *ranks, size_t n)
{
	struct map_rank *other = xrealloc(NULL, n * sizeof(*other));
	struct map_rank *from = ranks, *to = other;

	for (unsigned i = 0; i < 16; i++) {
		if (!sort_by_byte(from, to, n, i))
			continue;
		struct map_rank *was = from;

		from = to;
		to = was;
	}
	if (from != ranks)
		memcpy(ranks, from, n * sizeof(*ranks));
	free(other);
}

static bool same_rank(const struct map_rank *a, const struct map_rank *b)
{
	return a->value == b->value && a->key == b->key;
}

void map_sort(struct map_rank *ranks, size_t n,
	      int (*compare)(void *arg, uint32_t a, uint32_t b), void *arg)
{
	struct tie tie = { compare, arg };
	size_t end;

	if (n > 1)
		sort_by_bytes(ranks, n);
	for (size_t i = 0; i < n && compare; i = end) {
		for (end = i + 1; end < n && same_rank(&ranks[i], &ranks[end]);)
			end++;
		if (end - i > 1)
			qsort_r(&ranks[i], end - i, sizeof(*ranks), compare_tied, &tie);
	}
}

void map_divide(struct value *v, int64_t div)
{
	if (div <= 1)
		return;
	switch (v->kind) {
	case V_INT: v->i /= div; break;
	case V_UINT: v->u /= (uint64_t)div; break;
	case V_FLOAT: v->f /= (double)div; break;
	case V_STATS: v->div = (uint64_t)div; break;
	case V_HIST: v->div = v->log2 ? (uint64_t)div : 0; break;
	default: break;
	}
}
