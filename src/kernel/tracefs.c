#include "kernel/tracefs.h"

#include "base/arena.h"
#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

struct tracefs {
	int dir;
};

static const char *const usual_places[] = { "/sys/kernel/tracing",
					    "/sys/kernel/debug/tracing" };

/* The directory itself exists without a mount too, and is empty then. */
static int open_tracefs_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs sf;
	int err;

	if (fd < 0)
		return -errno;
	if (!fstatfs(fd, &sf) && sf.f_type == TRACEFS_MAGIC)
		return fd;
	err = -ENOENT;
	close(fd);
	return err;
}

static int open_mounted(void)
{
	struct mntent *m;
	FILE *f;
	int fd = -ENOENT;

	f = setmntent("/proc/mounts", "re");
	if (!f)
		return -errno;
	while (fd < 0 && (m = getmntent(f)))
		if (!strcmp(m->mnt_type, "tracefs"))
			fd = open_tracefs_dir(m->mnt_dir);
	endmntent(f);
	return fd;
}

/* A mount that is nowhere in the tree of files; needs CAP_SYS_ADMIN. */
static int open_detached(void)
{
	auto_close int fs = fsopen("tracefs", FSOPEN_CLOEXEC);
	int dir;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return dir < 0 ? -errno : dir;
}

static int open_anywhere(struct err *e)
{
	int fd = -ENOENT, denied = 0;

	for (size_t i = 0; fd < 0 && i < sizeof(usual_places) / sizeof(*usual_places); i++) {
		fd = open_tracefs_dir(usual_places[i]);
		if (fd == -EACCES || fd == -EPERM)
			denied = fd;
	}
	if (fd < 0)
		fd = open_mounted();
	if (fd < 0)
		fd = open_detached();
	if (fd >= 0)
		return fd;
	if (denied || fd == -EPERM || fd == -EACCES) {
		err_set(e, -EPERM, "tracefs cannot be read");
		if (geteuid())
			return err_hint(e, "run as root");
		return err_hint(e, "type: mount -t tracefs tracefs %s", usual_places[0]);
	}
	if (fd == -ENODEV) {
		err_set(e, fd, "this kernel has no tracefs (CONFIG_TRACING)");
		return fd;
	}
	err_set(e, fd, "tracefs is not mounted");
	return err_hint(e, "type: mount -t tracefs tracefs %s", usual_places[0]);
}

static struct tracefs *tracefs_new(int dir)
{
	struct tracefs *t = xcalloc(1, sizeof(*t));

	t->dir = dir;
	return t;
}

struct tracefs *tracefs_open(struct err *e)
{
	int fd = open_anywhere(e);

	return fd < 0 ? NULL : tracefs_new(fd);
}

struct tracefs *tracefs_open_at(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		err_set(e, -errno, "open %s", path);
		return NULL;
	}
	return tracefs_new(fd);
}

void tracefs_close(struct tracefs *t)
{
	if (!t)
		return;
	close(t->dir);
	free(t);
}

static int open_file(const struct tracefs *t, const char *path, struct err *e)
{
	int fd = openat(t->dir, path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	err_set(e, -errno, "read tracefs file %s", path);
	if (e->code == -EACCES && geteuid())
		err_hint(e, "run as root");
	return e->code;
}

int tracefs_read(const struct tracefs *t, const char *path, struct sb *out, struct err *e)
{
	auto_close int fd = open_file(t, path, e);
	char buf[16 << 10]; /* long lists come a page or so at a time anyway */
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sb_write(out, buf, (size_t)n);
	return n < 0 ? err_set(e, -errno, "read tracefs file %s", path) : 0;
}

bool tracefs_has(const struct tracefs *t, const char *path)
{
	return !faccessat(t->dir, path, F_OK, AT_EACCESS);
}

/* Names come from users: one with a slash or of dots only would leave the events' folder. */
static bool is_plain_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static int no_event(const char *category, const char *event, struct err *e)
{
	return err_set(e, -ENOENT, "no tracepoint %s:%s", category, event);
}

static int event_path(char *path, size_t size, const char *category, const char *event,
		      const char *file, struct err *e)
{
	if (!is_plain_name(category) || !is_plain_name(event) ||
	    snprintf(path, size, "events/%s/%s/%s", category, event, file) >= (int)size)
		return no_event(category, event, e);
	return 0;
}

bool tracefs_has_event(const struct tracefs *t, const char *category, const char *event,
		       struct err *e)
{
	char path[512];

	if (event_path(path, sizeof(path), category, event, "format", e))
		return false;
	if (!faccessat(t->dir, path, R_OK, AT_EACCESS))
		return true;
	if (errno == ENOENT)
		no_event(category, event, e);
	else
		err_set(e, -errno, "read tracefs file %s", path);
	return false;
}

static int read_event_file(const struct tracefs *t, const char *category, const char *event,
			   const char *file, struct sb *out, struct err *e)
{
	char path[512];
	int r = event_path(path, sizeof(path), category, event, file, e);

	if (!r)
		r = tracefs_read(t, path, out, e);
	return r == -ENOENT ? no_event(category, event, e) : r;
}

int tracefs_format(const struct tracefs *t, const char *category, const char *event,
		   struct sb *out, struct err *e)
{
	return read_event_file(t, category, event, "format", out, e);
}

int tracefs_event_id(const struct tracefs *t, const char *category, const char *event,
		     uint64_t *id, struct err *e)
{
	auto_sb struct sb text = {};
	int r = read_event_file(t, category, event, "id", &text, e);

	if (!r)
		*id = strtoull(sb_str(&text), NULL, 10);
	return r;
}

int tracefs_make(const struct tracefs *t, const char *dir)
{
	return mkdirat(t->dir, dir, 0700) ? -errno : 0;
}

int tracefs_remove(const struct tracefs *t, const char *dir)
{
	return unlinkat(t->dir, dir, AT_REMOVEDIR) ? -errno : 0;
}

int tracefs_write(const struct tracefs *t, const char *path, const char *text)
{
	auto_close int fd = openat(t->dir, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int tracefs_open_stream(const struct tracefs *t, const char *path)
{
	int fd = openat(t->dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
