/*
 * sb.h - a string under construction, on the heap.
 *
 * s is always NUL-terminated once something was added; len does not count the NUL.  The owner
 * calls sb_free(), or sb_steal() to take the text over and free() it later.
 */
#ifndef SCRY_BASE_SB_H
#define SCRY_BASE_SB_H

#include <stdarg.h>
#include <stddef.h>

struct sb {
	char *s;
	size_t len, cap;
};

void sb_putc(struct sb *sb, char c);
void sb_puts(struct sb *sb, const char *s);
void sb_write(struct sb *sb, const void *bytes, size_t len);
/* n times the character c; nothing when n <= 0. */
void sb_fill(struct sb *sb, char c, long n);
void sb_printf(struct sb *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sb_vprintf(struct sb *sb, const char *fmt, va_list ap);
enum { SB_FILE_MAX = 256 << 20 }; /* bytes */
/*
 * Adds what a file has, "-": standard input. Returns 0 or -errno: -EFBIG when that is more than
 * SB_FILE_MAX bytes, as of a device that never ends.
 */
int sb_read_file(struct sb *sb, const char *path);
/* Empties the text and keeps the memory. */
void sb_clear(struct sb *sb);
/* The text, "" when nothing was added; owned by sb. */
const char *sb_str(const struct sb *sb);
/* The text, never NULL; the caller frees it. sb is empty afterwards. */
char *sb_steal(struct sb *sb);
void sb_free(struct sb *sb);

#endif
