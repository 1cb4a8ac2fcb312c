#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return e->code;
}

int err_hint_unmounted(struct err *e, const char *path)
{
	if (!strncmp(path, "/proc/", 6) && access("/proc/self", F_OK))
		return err_hint(e, "/proc is not mounted: mount -t proc proc /proc");
	if (!strncmp(path, "/sys/", 5) && access("/sys/kernel", F_OK))
		return err_hint(e, "/sys is not mounted: mount -t sysfs sysfs /sys");
	return e->code;
}

const char *err_name(int code)
{
	return strerrorname_np(code < 0 ? -code : code);
}

_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: bug: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

int err_of_stream(FILE *f)
{
	struct pollfd p = { .fd = fileno(f) };
	int first = errno;

	if (fflush(f))
		return -errno;
	if (poll(&p, 1, 0) > 0 && p.revents & POLLERR)
		return -EPIPE; /* nobody reads from it any more */
	return first == ENOSPC || first == EDQUOT || first == EFBIG ? -first : -EIO;
}
