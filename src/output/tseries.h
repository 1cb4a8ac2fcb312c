/*
 * tseries.h - V_TSERIES as a graph, one row per interval, and its times.
 */
#ifndef SCRY_OUTPUT_TSERIES_H
#define SCRY_OUTPUT_TSERIES_H

#include "base/sb.h"
#include "output/value.h"

void tseries_text(const struct value *v, struct sb *out);
/* When interval i began, in UTC: "2026-01-02 03:04:05.100000000". */
void tseries_time(const struct value *v, size_t i, struct sb *out);

#endif
