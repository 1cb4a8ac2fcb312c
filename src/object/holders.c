#include "object/holders.h"

#include "base/arena.h"
#include "base/auto.h"

#include <dirent.h>
#include <linux/bpf.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What /proc/PID/fd calls a descriptor, and the line of its fdinfo that has the id. */
static const struct {
	enum kbpf_object what;
	const char *link, *id;
} KINDS[] = {
	{ KBPF_PROG, "anon_inode:bpf-prog", "prog_id:" },
	{ KBPF_MAP, "anon_inode:bpf-map", "map_id:" },
	{ KBPF_LINK, "anon_inode:bpf_link", "link_id:" },
	{ KBPF_LINK, "anon_inode:bpf-link", "link_id:" },
	{ KBPF_BTF, "anon_inode:btf", "btf_id:" },
};
enum { NKINDS = sizeof(KINDS) / sizeof(*KINDS) };

/* Index into KINDS of what a link of /proc names, or -1. */
static int kind_of(const char *path)
{
	char target[64] = "";

	if (readlink(path, target, sizeof(target) - 1) <= 0)
		return -1;
	for (int i = 0; i < NKINDS; i++)
		if (!strncmp(target, KINDS[i].link, strlen(KINDS[i].link)))
			return i;
	return -1;
}

bool holders_kind(int fd, enum kbpf_object *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int kind = kind_of(path);
	if (kind >= 0)
		*what = KINDS[kind].what;
	return kind >= 0;
}

/* The number behind a word in a file of fdinfo; 0: there is none. */
static uint32_t id_in(const char *path, const char *word)
{
	auto_fclose FILE *f = fopen(path, "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, word, strlen(word)))
			return (uint32_t)strtoul(line + strlen(word), NULL, 10);
	return 0;
}

/* --- paths --- */

static void add_pin(struct holders *h, const char *path)
{
	auto_close int fd = kbpf_open_pin(path);
	enum kbpf_object what;
	char info[64];

	if (fd < 0 || !holders_kind(fd, &what))
		return;
	snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", fd);
	for (int i = 0; i < NKINDS; i++) {
		if (KINDS[i].what != what)
			continue;
		vec_push(NULL, &h->all,
			 (struct holder){ what, id_in(info, KINDS[i].id), 0, xstrdup(path) });
		break;
	}
}

/* A bpf file system has folders and pins; its links lead elsewhere. */
static void walk_pins(struct holders *h, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		auto_sb struct sb path = {};

		sb_printf(&path, "%s/%s", folder, d->d_name);
		if (d->d_type == DT_REG)
			add_pin(h, sb_str(&path));
		else if (d->d_type == DT_DIR && strcmp(d->d_name, ".") != 0 &&
			 strcmp(d->d_name, "..") != 0)
			walk_pins(h, sb_str(&path));
	}
	if (dir)
		closedir(dir);
}

void holders_read_paths(struct holders *h)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "bpf"))
			walk_pins(h, m->mnt_dir);
	if (mounts)
		endmntent(mounts);
}

/* --- processes --- */

static char *name_of(const char *pid)
{
	char path[300], name[64] = "";

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	auto_fclose FILE *f = fopen(path, "re");
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	return xstrdup(name);
}

static bool is_known(const struct holders *h, enum kbpf_object what, uint32_t id, uint32_t pid)
{
	for (size_t i = h->all.len; i-- > 0 && h->all.data[i].pid == pid;)
		if (h->all.data[i].what == what && h->all.data[i].id == id)
			return true;
	return false;
}

static void read_process(struct holders *h, const char *pid)
{
	char path[600];
	struct dirent *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, d->d_name);
		int kind = kind_of(path);
		if (kind < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, d->d_name);
		struct holder one = { KINDS[kind].what, id_in(path, KINDS[kind].id),
				      (uint32_t)strtoul(pid, NULL, 10), NULL };
		if (is_known(h, one.what, one.id, one.pid))
			continue;
		one.text = name_of(pid);
		vec_push(NULL, &h->all, one);
	}
	if (dir)
		closedir(dir);
}

void holders_read_processes(struct holders *h)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;

	while (proc && (d = readdir(proc)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && atoi(d->d_name) != getpid())
			read_process(h, d->d_name);
	if (proc)
		closedir(proc);
}

bool holders_have_paths(const struct holders *h, enum kbpf_object what)
{
	vec_each(one, &h->all)
		if (!one->pid && one->what == what)
			return true;
	return false;
}

void holders_fini(struct holders *h)
{
	vec_each(one, &h->all)
		free(one->text);
	vec_free(&h->all);
}

const struct holder *holders_next(const struct holders *h, size_t *i, bool path,
				  enum kbpf_object what, uint32_t id)
{
	while (*i < h->all.len) {
		const struct holder *one = &h->all.data[(*i)++];

		if (one->what == what && one->id == id && path == !one->pid)
			return one;
	}
	return NULL;
}
