#include "session/cgroups.h"

#include "base/auto.h"
#include "base/sb.h"
#include "probe/provider.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* An id is the file handle of the directory: FILEID_KERNFS of include/linux/exportfs.h. */
static int open_cgroup(int mount, uint64_t id)
{
	enum { FILEID_KERNFS = 0xfe };
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} u = { .h = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };

	memcpy(u.h.f_handle, &id, sizeof(id));
	return open_by_handle_at(mount, &u.h, O_PATH | O_CLOEXEC);
}

/* The path below the mount point, which starts with '/'; false when it is not there. */
static bool path_below(const char *mount_point, uint64_t id, char path[PATH_MAX])
{
	auto_close int mount = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int dir = mount < 0 ? -1 : open_cgroup(mount, id);
	size_t len = strlen(mount_point);
	char name[64];

	if (dir < 0)
		return false;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", dir);
	ssize_t n = readlink(name, path, PATH_MAX - 1);
	if (n < (ssize_t)len)
		return false;
	path[n] = '\0';
	memmove(path, path + len, (size_t)n - len + 1);
	if (!path[0])
		strcpy(path, "/");
	return true;
}

const char *cgroup_paths(struct arena *a, uint64_t id, const char *pattern)
{
	auto_fclose FILE *f = fopen("/proc/self/mounts", "re");
	auto_free char *line = NULL;
	auto_sb struct sb out = {};
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		char where[PATH_MAX], kind[32], path[PATH_MAX];

		if (sscanf(line, "%*s %4095s %31s", where, kind) != 2 ||
		    (strcmp(kind, "cgroup2") != 0 && strcmp(kind, "cgroup") != 0))
			continue;
		const char *last = strrchr(where, '/');
		const char *name = kind[6] == '2' ? "unified" : last ? last + 1 : where;
		if (wildcard_match(pattern, name) && path_below(where, id, path))
			sb_printf(&out, "%s%s:%s", out.len ? "," : "", name, path);
	}
	return arena_strndup(a, sb_str(&out), out.len);
}
