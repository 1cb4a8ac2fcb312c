#include "kernel/kallsyms.h"

#include "base/arena.h"
#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { PIECE = 64 << 10 };

/* "ffffffff81000000 T name[\t[module]]", cut in place. */
static bool parse_line(char *line, struct kallsym *s)
{
	char *p;

	s->addr = strtoull(line, &p, 16);
	if (p == line || p[0] != ' ' || !p[1] || p[2] != ' ')
		return false;
	s->type = p[1];
	s->name = p + 3;
	s->module = NULL;
	p = strchr(p + 3, '\t');
	if (!p)
		return true;
	*p++ = '\0';
	if (*p == '[') {
		s->module = ++p;
		p[strcspn(p, "]")] = '\0';
	}
	return true;
}

/* Hands out the whole lines in buf; returns the bytes they took, or -1 when fn had enough. */
static ssize_t each_line(char *buf, size_t len, bool (*fn)(void *arg, const struct kallsym *s),
			 void *arg)
{
	char *line = buf, *end;

	while ((end = memchr(line, '\n', len - (size_t)(line - buf)))) {
		struct kallsym s;

		*end = '\0';
		if (parse_line(line, &s) && !fn(arg, &s))
			return -1;
		line = end + 1;
	}
	return line - buf;
}

int kallsyms_each(const char *path, bool (*fn)(void *arg, const struct kallsym *s), void *arg,
		  struct err *e)
{
	const char *file = path ? path : "/proc/kallsyms";
	auto_close int fd = open(file, O_RDONLY | O_CLOEXEC);
	auto_free char *buf = NULL;
	size_t have = 0;
	ssize_t n;

	if (fd < 0) {
		err_set(e, -errno, "read %s", file);
		return err_hint_unmounted(e, file);
	}
	buf = xrealloc(NULL, PIECE);
	while ((n = read(fd, buf + have, PIECE - have)) > 0) {
		ssize_t used = each_line(buf, have += (size_t)n, fn, arg);

		if (used < 0)
			return 0;
		have -= (size_t)used;
		memmove(buf, buf + used, have);
		if (have == PIECE)
			return err_set(e, -EINVAL, "read %s: a line is too long", file);
	}
	return n < 0 ? err_set(e, -errno, "read %s", file) : 0;
}
