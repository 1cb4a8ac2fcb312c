/*
 * maps.h - the script's maps, read and changed from user space.
 *
 * A map is read whole into one block of keys and one of values, folded over the CPUs, before
 * anything is shown: what is printed is one moment, as far as the kernel can give one.
 */
#ifndef SCRY_SESSION_MAPS_H
#define SCRY_SESSION_MAPS_H

#include "session/session.h"

/* Shows a map: the top entries (0: all) with values divided by div (0, 1: as they are). */
int maps_print(struct session *s, const struct plan_map *m, uint64_t top, int64_t div,
	       struct err *e);
/* Shows all maps that hold something, in the plan's order. */
int maps_print_all(struct session *s, struct err *e);
/* A turn of every_ns: the time of day, then all maps; emptied afterwards if asked. */
int maps_print_round(struct session *s, struct err *e);
/* Removes every entry. */
int maps_clear(struct session *s, const struct plan_map *m, struct err *e);
/* The number of entries of a map that is a hash. Returns 0 or -errno with e set. */
int maps_count(struct session *s, const struct plan_map *m, size_t *n, struct err *e);
/* Keeps the keys and makes the values zero. */
int maps_zero(struct session *s, const struct plan_map *m, struct err *e);

#endif
