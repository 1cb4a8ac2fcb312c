/*
 * aggregate.h - steps that aggregates have in common.
 */
#ifndef SCRY_BUILTIN_AGGREGATE_H
#define SCRY_BUILTIN_AGGREGATE_H

#include "script/lower.h"

/* The value as min and max keep it, see agg.h. */
ref lower_biased(struct unit *u, ref v, bool is_signed, bool is_min);
/* Stores v at p where it is greater; tried again should another one come between. */
void lower_store_greater(struct unit *u, ref p, ref v);

#endif
