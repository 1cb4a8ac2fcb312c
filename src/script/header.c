/*
 * Where files of C that a script includes are looked for: the folder of the file that includes
 * ("path" only), those of -I in their order, then the system's.
 */
#include "base/auto.h"
#include "script/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE_MAX_BYTES = 16 << 20 };

static const char *const system_dirs[] = {
	"/usr/local/include",
#if defined(__x86_64__)
	"/usr/include/x86_64-linux-gnu",
#elif defined(__aarch64__)
	"/usr/include/aarch64-linux-gnu",
#elif defined(__riscv)
	"/usr/include/riscv64-linux-gnu",
#endif
	"/usr/include",
};

/* The text of a plain file in the arena, or NULL. */
static char *read_text_file(struct arena *a, const char *path, size_t *len)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_BYTES)
		return NULL;

	char *text = arena_alloc(a, (size_t)st.st_size + 1);
	for (*len = 0; *len < (size_t)st.st_size;) {
		ssize_t n = read(fd, text + *len, (size_t)st.st_size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	text[*len] = '\0';
	return text;
}

static bool open_in(struct compiler *c, const char *dir, const char *path, int index,
		    struct c_header *out)
{
	const char *name = *path == '/' ? path : arena_printf(c->arena, "%s/%s", dir, path);
	size_t len;
	char *text = read_text_file(c->arena, name, &len);

	if (!text)
		return false;

	const struct source *src = sources_add(c->sources, name, text, len);
	char real[PATH_MAX];
	const char *id = realpath(name, real) ? arena_strdup(c->arena, real) : src->name;
	*out = (struct c_header){ src->name, id, src->text, src->len, src->base, index };
	return true;
}

/* "path" is first sought beside the file that asks; in a script, beside the script. */
static bool open_beside(struct compiler *c, const struct c_header_wish *wish,
			struct c_header *out)
{
	const char *asks = wish->from ? wish->from->name : c->sources->files.data[0].name;
	const char *slash = strrchr(asks, '/');
	const char *dir = slash ? arena_strndup(c->arena, asks, (size_t)(slash - asks)) : ".";

	return open_in(c, dir, wish->path, 0, out);
}

bool header_open(void *arg, const struct c_header_wish *wish, struct c_header *out)
{
	struct compiler *c = arg;
	int first = wish->next && wish->from ? wish->from->dir + 1 : 1, index = 1;

	if (!wish->system && !wish->next && open_beside(c, wish, out))
		return true;
	for (unsigned i = 0; i < c->opt->ninclude_dirs; i++, index++)
		if (index >= first &&
		    open_in(c, c->opt->include_dirs[i], wish->path, index, out))
			return true;
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(*system_dirs); i++, index++)
		if (index >= first && open_in(c, system_dirs[i], wish->path, index, out))
			return true;
	return false;
}
