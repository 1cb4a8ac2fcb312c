/*
 * sort.h - the order in which maps are shown, and what print(@map, top, div) does to them.
 *
 * Numbers, counts, sums, averages and histograms go up by value (stats by their average,
 * histograms by their total count); maps of anything else go up by key.  Equal values are
 * ordered by key, so that the same map always prints the same.
 */
#ifndef SCRY_OUTPUT_SORT_H
#define SCRY_OUTPUT_SORT_H

#include "output/value.h"

void map_sort(struct map_entry *entries, size_t n);
/* Keeps the top largest of n sorted entries: returns the first and sets *n; 0 keeps all. */
struct map_entry *map_top(struct map_entry *entries, size_t *n, uint64_t top);
/*
 * Divides the values, toward zero, when div is greater than 1.  Of stats only the average, of
 * hist() the counts; lhist() and what is no number stay as they are.  Sort first.
 */
void map_divide(struct map_entry *entries, size_t n, int64_t div);

#endif
