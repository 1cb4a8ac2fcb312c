/*
 * hist.h - histograms as rows of text: label, count and bar.
 */
#ifndef SCRY_OUTPUT_HIST_H
#define SCRY_OUTPUT_HIST_H

#include "base/sb.h"
#include "output/value.h"

/* The label of one bucket of V_HIST: "[2, 4)", "[512K, 1M)", "[7]", "(..., 0)", "[15, ...)". */
void hist_label(const struct value *v, const struct value_bucket *b, struct sb *out);
/* All rows, each with its newline; nothing when no bucket was ever hit. */
void hist_text(const struct value *v, struct sb *out);

#endif
