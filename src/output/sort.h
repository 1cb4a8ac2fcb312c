/*
 * sort.h - the order in which maps are shown, and what print(@map, top, div) does to values.
 *
 * Numbers, counts, sums, averages and histograms go up by value (stats by their average,
 * histograms by their total count); maps of anything else go up by key.  Equal values are
 * ordered by key, so that the same map always prints the same.
 *
 * What is sorted is not the entries but their ranks, 24 bytes each.
 */
#ifndef SCRY_OUTPUT_SORT_H
#define SCRY_OUTPUT_SORT_H

#include "output/value.h"

struct map_rank {
	uint64_t value; /* goes up as the values do; the same for all that are shown by key */
	uint64_t key;	/* goes up as the keys do; different keys may have the same */
	uint32_t index; /* which entry it is */
};

/* Where an entry stands among those of its map. */
struct map_rank map_rank(const struct map_entry *e, uint32_t index);
/* Compares whole keys. */
int map_compare_keys(const struct value *a, const struct value *b);
/*
 * Sorts n ranks. Where two are the same, compare has the say, which gets the indexes of both
 * and compares the whole keys of these entries; NULL: there are no keys.
 */
void map_sort(struct map_rank *ranks, size_t n,
	      int (*compare)(void *arg, uint32_t a, uint32_t b), void *arg);
/*
 * Divides a value, toward zero; 0 and 1 change nothing.  Of stats only the average, of hist()
 * the counts; lhist() and what is no number stay as they are.
 */
void map_divide(struct value *v, int64_t div);

#endif
