/*
 * watch.h - an object's programs while they run: records, prints, maps.
 */
#ifndef SCRY_OBJECT_WATCH_H
#define SCRY_OBJECT_WATCH_H

#include "object/object.h"
#include "output/sink.h"
#include "session/child.h"

/* "--type [MAP:]TYPE": records of the map, or of all maps, are values of that type. */
struct watch_type {
	const char *map; /* NULL: of all */
	const char *type;
};

struct watch_options {
	const struct sink *sink;
	FILE *out;
	const struct object_where *where;
	struct child *child; /* whose end is ours; never NULL */
	const struct watch_type *types;
	size_t ntypes;
	bool no_maps; /* do not show the maps at the end */
};

/*
 * Attaches the object's loaded programs, shows what they send until SIGINT, SIGTERM or the
 * child's end, detaches them and shows the maps.  attached is called in between, with what was
 * not attached in o->notes.  Returns 0 or -errno with e set.
 */
int object_watch(struct object *o, const struct watch_options *opt,
		 void (*attached)(void *arg, const struct object *o), void *arg, struct err *e);

#endif
