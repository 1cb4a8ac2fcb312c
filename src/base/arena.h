/*
 * arena.h - memory that is released all at once.
 *
 * Three lifetimes use one each: session, compile, scratch.  Nothing in an arena is freed singly
 * and pointers never point from a longer to a shorter life.  Out of memory ends the process
 * with a fixed message and exit 3, so no caller checks for NULL.
 */
#ifndef SCRY_BASE_ARENA_H
#define SCRY_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *last;
	size_t used; /* bytes used of the last chunk */
};

/* A place to come back to with arena_reset(). */
struct arena_mark {
	struct arena_chunk *chunk;
	size_t used;
};

/* Zeroed memory, aligned for any type; lives until the arena is freed or reset past it. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of len bytes of s with a NUL behind them. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

struct arena_mark arena_mark(const struct arena *a);
/* Drops everything allocated since the mark. */
void arena_reset(struct arena *a, struct arena_mark m);
/* Drops everything; the arena may be used again. */
void arena_free(struct arena *a);

#define arena_new(a, type)	((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

/* Heap memory that cannot fail in the same sense; released with free(). */
void *xrealloc(void *p, size_t size);
void *xcalloc(size_t n, size_t size);
char *xstrdup(const char *s);

#endif
