/*
 * tracefs.h - the kernel's tracing file system: events, their formats, traceable functions.
 *
 * It is found where it is mounted.  Where it is not (fresh containers and small systems), scry
 * makes a detached mount that only it can see and that vanishes with its descriptor; all files
 * are opened relative to that.
 */
#ifndef SCRY_KERNEL_TRACEFS_H
#define SCRY_KERNEL_TRACEFS_H

#include "base/err.h"
#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>

struct tracefs;

/* Returns NULL with e set: what is missing and what to type. Release with tracefs_close(). */
struct tracefs *tracefs_open(struct err *e);
/* The same in a given directory, for tests. */
struct tracefs *tracefs_open_at(const char *path, struct err *e);
void tracefs_close(struct tracefs *t);

/* Appends a whole file. Returns 0 or -errno with e set. */
int tracefs_read(const struct tracefs *t, const char *path, struct sb *out, struct err *e);
/* Is there such a file? */
bool tracefs_has(const struct tracefs *t, const char *path);
/* Is there such an event? If not, e says why: -ENOENT, or the reason why nobody can tell. */
bool tracefs_has_event(const struct tracefs *t, const char *category, const char *event,
		       struct err *e);
/* Appends the format of an event. -ENOENT: no such event. */
int tracefs_format(const struct tracefs *t, const char *category, const char *event,
		   struct sb *out, struct err *e);
/* The number that perf_event_open() wants. */
int tracefs_event_id(const struct tracefs *t, const char *category, const char *event,
		     uint64_t *id, struct err *e);

/* Make and remove a directory below instances/. Return 0 or -errno. */
int tracefs_make(const struct tracefs *t, const char *dir);
int tracefs_remove(const struct tracefs *t, const char *dir);
/* Writes text to a file. Returns 0 or -errno. */
int tracefs_write(const struct tracefs *t, const char *path, const char *text);
/* Opens a file to be polled and read without blocking. Returns a descriptor or -errno. */
int tracefs_open_stream(const struct tracefs *t, const char *path);

#endif
