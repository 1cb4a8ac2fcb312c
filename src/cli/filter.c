#include "cli/filter.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

enum { CGROUP2_MAGIC = 0x63677270 }; /* include/uapi/linux/magic.h */

/* A path without a leading slash counts from where cgroups are mounted. */
static int find_cgroup(const struct options *o, struct task_filter *f, struct err *e)
{
	const char *path = *o->cgroup == '/'
				   ? o->cgroup
				   : arena_printf(o->arena, CGROUP_ROOT "/%s", o->cgroup);
	struct statfs fs;

	if (statfs(path, &fs))
		return err_set(e, -errno, "--cgroup: %s: %s", path, strerror(errno));
	if (fs.f_type != CGROUP2_MAGIC) {
		err_set(e, -EINVAL, "--cgroup: %s is not in a cgroup v2 file system", path);
		return err_hint(e, "`mount -t cgroup2` shows where one is mounted");
	}
	f->cgroup = path;
	return 0;
}

static int find_pidns(const struct options *o, struct task_filter *f, struct err *e)
{
	struct stat st;

	if (stat(arena_printf(o->arena, "/proc/%d/ns/pid", (int)o->pidns), &st))
		return err_set(e, -errno,
			       "--pidns: cannot see the pid namespace of process %d: %s",
			       (int)o->pidns,
			       errno == ENOENT ? "there is no such process" : strerror(errno));
	/* The kernel's own encoding of a device: 12 bits of major, 20 of minor. */
	f->pidns_dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	f->pidns_ino = st.st_ino;
	return 0;
}

int filter_from_options(const struct options *o, struct task_filter *f, struct err *e)
{
	int err = 0;

	*f = (struct task_filter){ .follow = o->follow };
	if (o->follow && !o->cmd && !o->pid) {
		err_set(e, -EINVAL, "--follow: there is no process to follow");
		return err_hint(e, "name one with -p PID, or start one with -c CMD");
	}
	if (o->cgroup)
		err = find_cgroup(o, f, e);
	if (!err && o->pidns)
		err = find_pidns(o, f, e);
	return err;
}

int probe_filter(const char *text, regex_t *out, struct err *e)
{
	char why[128];
	int code = regcomp(out, text, REG_EXTENDED | REG_NOSUB);

	if (!code)
		return 0;
	regerror(code, out, why, sizeof(why));
	return err_set(e, -EINVAL, "--probe-filter: '%s' is no regular expression: %s", text,
		       why);
}
