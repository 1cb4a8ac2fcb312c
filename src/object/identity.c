#include "object/identity.h"

#include "kernel/proc.h"

#include "scry.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const char MARK[] = "scry object\n";

/* A line each: version, kernel, build of the kernel, CPUs. */
void identity_write(struct sb *out)
{
	struct utsname u;

	uname(&u);
	sb_printf(out, "%s" SCRY_VERSION "\n%s\n%s\n%u\n", MARK, u.release, u.version,
		  cpus_possible());
	sb_putc(out, '\0');
}

static bool line_is(const char **at, const char *text)
{
	size_t n = strcspn(*at, "\n");
	bool same = strlen(text) == n && !memcmp(*at, text, n);

	*at += n + ((*at)[n] == '\n');
	return same;
}

long identity_check(const char *data, size_t size, struct err *e)
{
	const char *at = data + strlen(MARK);
	const char *end = memchr(data, '\0', size);
	struct utsname u;
	char cpus[16];

	if (!end || strncmp(data, MARK, strlen(MARK)) != 0)
		return err_set(e, -EINVAL, "its section .scry is damaged");
	uname(&u);
	snprintf(cpus, sizeof(cpus), "%u", cpus_possible());
	const char *version = at, *release;
	if (!line_is(&at, SCRY_VERSION))
		return err_set(e, -EINVAL, "built by scry %.*s, this is " SCRY_VERSION,
			       (int)strcspn(version, "\n"), version);
	release = at;
	bool same = line_is(&at, u.release);
	same &= line_is(&at, u.version);
	same &= line_is(&at, cpus);
	if (!same) {
		err_set(e, -EINVAL,
			"built for kernel %.*s, this is %s, or of another build or "
			"number of CPUs",
			(int)strcspn(release, "\n"), release, u.release);
		return err_hint(e, "build it again here");
	}
	return end + 1 - data;
}
