/*
 * agg.h - the memory of aggregates: the contract between the code that updates a map value in
 * the kernel and the code that reads it in user space.
 *
 * Every aggregate is an array of u64 words.  A keyed one exists once per CPU (per-CPU hash); a
 * scalar one exists once per CPU too, as a stripe of a plain array that user space maps.  All
 * words start as zero.  BPF code adds to words with atomic instructions only, so that user
 * space may exchange them at any time and lose nothing.
 *
 *	count   [0] n                       [1] set
 *	sum     [0] total                   [1] set
 *	min max [0] value, biased (below)   [1] set
 *	avg     [0] total  [1] n
 *	stats   [0] total  [1] n
 *	stddev  [0] total  [1] n  [2] [3] [4] squares: sums of their bits 0-31, 32-63, 64-127
 *	hist    [0 ... buckets - 1] n per bucket
 *	lhist   the same
 *	llhist  the same
 *	tseries [3i] number of the interval  [3i + 1] value  [3i + 2] n, or when it was last set
 *
 * Of doubles, total is the bits of one, added up on each CPU by compare and exchange, and value
 * is the word of float_to_order() (ir/softfloat.h), unsigned.
 *
 * "set" says that the value exists: written as 1 by sum, min, max, and as 2 by zero() for all
 * kinds (bit 0: seen since; a min or max without it reads as 0).
 * avg, stats, stddev and histograms exist when n (some bucket) is not 0, or after zero() when
 * their last word, [words - 1], is set.
 *
 * min and max keep the greatest of a biased value, so that 0 is neutral and one instruction
 * sequence serves all four: max unsigned: v; max signed: v ^ 1<<63; min: the complement of
 * that.
 */
#ifndef SCRY_TYPES_AGG_H
#define SCRY_TYPES_AGG_H

#include "types/type.h"

/* Words of 8 bytes that the aggregate takes, the set word included. */
uint32_t agg_words(const struct type *t);
/* Has it more than a few words: a histogram, a series? */
bool agg_is_long(const struct type *t);
/* Index of the word that says "exists though empty". */
uint32_t agg_set_word(const struct type *t);

/* llhist(): rows of one power, and base^exp, UINT64_MAX when it is more. */
uint32_t llhist_rows(const struct type *t);
uint64_t llhist_power(const struct type *t, int64_t exp);
/* Histograms: number of buckets, at most HIST_BUCKETS_MAX. */
uint32_t hist_buckets(const struct type *t);
enum { HIST_BUCKETS_MAX = 2048 };

/*
 * tseries(): intervals are counted from the epoch of CLOCK_TAI; interval k is at slot
 * k % slots, and takes it over from the one that was there before.  avg keeps a total and n,
 * min and max a biased value and 1, last the value and its time in ns.
 */
enum { TSERIES_WORDS = 3, TSERIES_SLOTS_MAX = 1024 };

/*
 * The bucket of value v, as the BPF code computes it (reference section 5.3):
 * hist with k bits: v < 0 -> 0; v < 2^k -> v + 1; else with m = floor(log2 v), s = m - k:
 * ((s + 1) << k) + ((v >> s) & (2^k - 1)) + 1.
 * lhist: below min -> 0; above max -> last; else 1 + (v - min) / step.
 * llhist: below base^low -> 0; from base^(high + 1) on -> last; else with the power p = base^m
 * at or below v: 1 + (m - low) * rows + (v - p) / (p * base / steps), rows = steps - steps /
 * base.
 */
uint32_t hist_bucket(const struct type *t, int64_t v);
/*
 * The values of bucket i: [*lo, *hi), *hi exclusive; has_lo and has_hi say which ends are not
 * open. The end of hist()'s last bucket is 2^63: read as unsigned it is right.
 */
void hist_bounds(const struct type *t, uint32_t i, bool *has_lo, int64_t *lo, bool *has_hi,
		 int64_t *hi);

#endif
