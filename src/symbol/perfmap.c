#include "symbol/perfmap.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Anybody may write them: of a larger one the beginning is read. */
enum { MAP_MAX = 256 << 20 };
/* More at one place than a lookup looks at; see elf_funcs_at(). */
enum { PLACE_MAX = 16 };

/* Later lines first, since a compiler uses memory again. */
static int compare(const void *a, const void *b)
{
	const struct elf_func *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? 1 : x->name > y->name ? -1 : 0;
}

static void add_line(struct elf_funcs *funcs, const char *line)
{
	uint64_t addr, size;
	int used = 0;

	if (sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &addr, &size, &used) < 2 || !used ||
	    !line[used] || !size)
		return;
	vec_push(NULL, &funcs->list,
		 (struct elf_func){ .addr = addr,
				    .size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
				    .name = (uint32_t)funcs->names.len });
	sb_write(&funcs->names, line + used, strlen(line + used) + 1);
}

/* Leaves out what a later function of the same place covers. */
static void drop_covered(struct elf_funcs *funcs)
{
	struct elf_func *list = funcs->list.data;
	size_t kept = 0, first = 0;

	for (size_t i = 0; i < funcs->list.len; i++) {
		if (!kept || list[i].addr != list[first].addr)
			first = kept;
		else if (list[i].size <= list[kept - 1].size || kept - first == PLACE_MAX)
			continue;
		list[kept++] = list[i];
	}
	funcs->list.len = kept;
}

void perfmap_parse(struct elf_funcs *funcs, char *text, size_t size)
{
	char *end;

	for (size_t at = 0; at < size; at = (size_t)(end - text) + 1) {
		end = memchr(text + at, '\n', size - at);
		if (!end)
			end = text + size;
		*end = '\0';
		add_line(funcs, text + at);
	}
	if (!funcs->list.len)
		return;
	qsort(funcs->list.data, funcs->list.len, sizeof(*funcs->list.data), compare);
	drop_covered(funcs);
}

/* Anybody may put a file, a fifo or a link there: only regular files are read. */
static int open_map(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*size = st.st_size < MAP_MAX ? (size_t)st.st_size : MAP_MAX;
	return fd;
}

/* The file may be cut or grow while it is read. Returns how much was read. */
static size_t read_bytes(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, text + len, size - len)) > 0)
		len += (size_t)n;
	return len;
}

int perfmap_load(struct elf_funcs *funcs, const char *path)
{
	size_t size = 0;
	int fd = open_map(path, &size);

	if (fd < 0)
		return fd;
	auto_free char *text = malloc(size + 1);
	size_t len = text ? read_bytes(fd, text, size) : 0;

	close(fd);
	if (!text)
		return -ENOMEM;
	perfmap_parse(funcs, text, len);
	return 0;
}
