#include "base/sb.h"

#include "base/arena.h"
#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void reserve(struct sb *sb, size_t more)
{
	if (sb->len + more + 1 <= sb->cap)
		return;
	size_t cap = sb->cap ? sb->cap * 2 : 64;
	while (cap < sb->len + more + 1)
		cap *= 2;
	sb->s = xrealloc(sb->s, cap);
	sb->cap = cap;
}

void sb_write(struct sb *sb, const void *bytes, size_t len)
{
	reserve(sb, len);
	if (len)
		memcpy(sb->s + sb->len, bytes, len);
	sb->len += len;
	sb->s[sb->len] = '\0';
}

void sb_putc(struct sb *sb, char c)
{
	reserve(sb, 1);
	sb->s[sb->len++] = c;
	sb->s[sb->len] = '\0';
}

void sb_puts(struct sb *sb, const char *s)
{
	sb_write(sb, s, strlen(s));
}

void sb_fill(struct sb *sb, char c, long n)
{
	if (n <= 0)
		return;
	reserve(sb, (size_t)n);
	memset(sb->s + sb->len, c, (size_t)n);
	sb->len += (size_t)n;
	sb->s[sb->len] = '\0';
}

void sb_vprintf(struct sb *sb, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;

	reserve(sb, (size_t)n);
	vsnprintf(sb->s + sb->len, (size_t)n + 1, fmt, ap);
	sb->len += (size_t)n;
}

void sb_printf(struct sb *sb, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	sb_vprintf(sb, fmt, ap);
	va_end(ap);
}

int sb_read_file(struct sb *sb, const char *path)
{
	auto_close int fd =
		strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	size_t left = SB_FILE_MAX;
	char buf[16384];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0 && (size_t)n <= left) {
		sb_write(sb, buf, (size_t)n);
		left -= (size_t)n;
	}
	if (n > 0)
		return -EFBIG;
	return n < 0 ? -errno : 0;
}

void sb_clear(struct sb *sb)
{
	sb->len = 0;
	if (sb->s)
		sb->s[0] = '\0';
}

const char *sb_str(const struct sb *sb)
{
	return sb->s ? sb->s : "";
}

char *sb_steal(struct sb *sb)
{
	char *s = sb->s ? sb->s : xstrdup("");

	*sb = (struct sb){};
	return s;
}

void sb_free(struct sb *sb)
{
	free(sb->s);
	*sb = (struct sb){};
}
