#include "symbol/perfmap.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMES_MAX = 256 << 20 };

/* Later lines first, since a compiler uses memory again. */
static int compare(const void *a, const void *b)
{
	const struct elf_func *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? 1 : x->name > y->name ? -1 : 0;
}

static void add_line(struct elf_funcs *funcs, char *line)
{
	uint64_t addr, size;
	int used = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &addr, &size, &used) < 2 || !used ||
	    !line[used] || !size)
		return;
	vec_push(NULL, &funcs->list,
		 (struct elf_func){ .addr = addr,
				    .size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
				    .name = (uint32_t)funcs->names.len });
	sb_write(&funcs->names, line + used, strlen(line + used) + 1);
}

/* Anybody may put a file, a fifo or a link there: only regular files are read. */
static FILE *open_map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	FILE *f = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		f = fdopen(fd, "r");
	else
		errno = EINVAL;
	if (!f)
		close(fd);
	return f;
}

int perfmap_load(struct elf_funcs *funcs, const char *path)
{
	auto_fclose FILE *f = open_map(path);
	auto_free char *line = NULL;
	size_t cap = 0;

	if (!f)
		return -errno;
	while (funcs->names.len < NAMES_MAX && getline(&line, &cap, f) > 0)
		add_line(funcs, line);
	if (funcs->list.len)
		qsort(funcs->list.data, funcs->list.len, sizeof(*funcs->list.data), compare);
	return 0;
}
