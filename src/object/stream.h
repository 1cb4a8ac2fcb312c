/*
 * stream.h - the maps of an object that carry records: ring buffers and perf buffers.
 */
#ifndef SCRY_OBJECT_STREAM_H
#define SCRY_OBJECT_STREAM_H

#include "kernel/ring.h"
#include "object/object.h"
#include "types/type.h"

struct perf_buffer;

struct stream {
	const char *name;	 /* of the map */
	const struct type *type; /* of its records, or NULL */
	int fd;			 /* to poll */
	struct ring ring;
	struct perf_buffer *perf; /* or NULL */
};

struct streams {
	VEC(struct stream) list;
	uint64_t lost; /* records that a perf buffer had no room for */
	/* while reading: whom to tell */
	void (*fn)(void *arg, const struct stream *from, const void *data, uint32_t len);
	void *arg;
	const struct stream *now;
};

/* Returns 0 or -errno with e set; streams_close() in any case. s must not move afterwards. */
int streams_open(struct streams *s, const struct object *o, struct err *e);
void streams_close(struct streams *s);
/* Hands out what has come, map by map. */
void streams_read(struct streams *s,
		  void (*fn)(void *arg, const struct stream *from, const void *data,
			     uint32_t len),
		  void *arg);

#endif
