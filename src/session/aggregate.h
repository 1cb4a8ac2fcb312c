/*
 * aggregate.h - the words of an aggregate (agg.h), from all CPUs, to one value.
 */
#ifndef SCRY_SESSION_AGGREGATE_H
#define SCRY_SESSION_AGGREGATE_H

#include "base/arena.h"
#include "output/value.h"
#include "types/agg.h"

/*
 * The set word of an aggregate that zero() emptied: it exists, and nothing was seen since.
 * What BPF code writes is 1.
 */
enum { AGG_SEEN = 1, AGG_ZEROED = 2 };

/* Adds one CPU's words to acc, which starts as zeros. */
void agg_fold(const struct type *t, uint64_t *acc, const uint64_t *words);
/*
 * tseries(): the number of the newest interval, and to tell folded words that they are to be
 * shown up to a newer one, that of another key.
 */
uint64_t tseries_newest(const struct type *t, const uint64_t *words);
void tseries_set_newest(const struct type *t, uint64_t *words, uint64_t newest);
/* Has anything been stored, or zero() been called? */
bool agg_exists(const struct type *t, const uint64_t *words);
/* The value of folded words; a histogram's buckets live in a. */
void agg_value(struct arena *a, const struct type *t, const uint64_t *words, struct value *out);

#endif
