#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

enum { CHUNK_MIN = 16 * 1024 - 64, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *prev;
	size_t size; /* usable bytes */
	_Alignas(ALIGN) unsigned char data[];
};

static void out_of_memory(void)
{
	static const char msg[] = "scry: out of memory\n";

	if (write(STDERR_FILENO, msg, sizeof(msg) - 1) < 0) {
	}
	_exit(3);
}

void *xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q)
		out_of_memory();
	return q;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		out_of_memory();
	return p;
}

static void add_chunk(struct arena *a, size_t need)
{
	size_t size = need > CHUNK_MIN ? need : CHUNK_MIN;
	struct arena_chunk *c = xrealloc(NULL, sizeof(*c) + size);

	c->prev = a->last;
	c->size = size;
	POISON(c->data, size);
	a->last = c;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	/* One spare unit keeps neighbours apart, so that ASan sees an overrun. */
	size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;

#if defined(__SANITIZE_ADDRESS__)
	need += ALIGN;
#endif
	if (need < size)
		out_of_memory();
	if (!a->last || a->last->size - a->used < need)
		add_chunk(a, need);

	void *p = a->last->data + a->used;
	a->used += need;
	UNPOISON(p, size);
	return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	return memcpy(p, s, len);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);

	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->last, a->used };
}

void arena_reset(struct arena *a, struct arena_mark m)
{
	while (a->last != m.chunk) {
		struct arena_chunk *prev = a->last->prev;

		UNPOISON(a->last->data, a->last->size);
		free(a->last);
		a->last = prev;
	}
	a->used = m.used;
	if (a->last)
		POISON(a->last->data + a->used, a->last->size - a->used);
}

void arena_free(struct arena *a)
{
	arena_reset(a, (struct arena_mark){ NULL, 0 });
}
