#include "symbol/procmaps.h"

#include "base/auto.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

bool procmaps_parse(char *line, struct mapping *out)
{
	static const char gone[] = " (deleted)";
	char perms[5];
	int used = 0;

	*out = (struct mapping){};
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n",
		   &out->start, &out->end, perms, &out->offset, &out->major, &out->minor,
		   &out->inode, &used) < 7 ||
	    out->end <= out->start || strlen(perms) != 4)
		return false;
	out->is_code = perms[2] == 'x';

	char *path = line + used + strspn(line + used, " ");
	size_t len = strlen(path), cut = sizeof(gone) - 1;
	if (out->inode && len > cut && !strcmp(path + len - cut, gone)) {
		path[len - cut] = '\0';
		out->is_gone = true;
	}
	out->path = path;
	return true;
}

int procmaps_each(pid_t pid, bool (*fn)(void *arg, const struct mapping *m), void *arg)
{
	char name[64];
	auto_free char *line = NULL;
	size_t cap = 0;
	struct mapping m;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *f = fopen(name, "re");
	if (!f)
		return -errno;
	while (getline(&line, &cap, f) > 0)
		if (procmaps_parse(line, &m) && !fn(arg, &m))
			break;
	return 0;
}
