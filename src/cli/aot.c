#include "cli/aot.h"

#include "base/arena.h"
#include "base/auto.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN_PATH "/proc/self/exe"

struct trailer {
	char magic[8];
	uint64_t size;
};

static const char MAGIC[8] = { 's', 'c', 'r', 'y', '-', 'a', 'o', 't' };

bool aot_find(int fd, off_t *at, size_t *size)
{
	struct trailer t;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(t) ||
	    pread(fd, &t, sizeof(t), st.st_size - (off_t)sizeof(t)) != sizeof(t) ||
	    memcmp(t.magic, MAGIC, sizeof(MAGIC)) != 0)
		return false;
	uint64_t before = (uint64_t)st.st_size - sizeof(t);
	if (le64toh(t.size) > before)
		return false;
	*size = (size_t)le64toh(t.size);
	*at = (off_t)(before - *size);
	return true;
}

char *aot_own_path(void)
{
	auto_close int fd = open(OWN_PATH, O_RDONLY | O_CLOEXEC);
	char path[PATH_MAX];
	size_t size;
	ssize_t n;
	off_t at;

	if (fd < 0 || !aot_find(fd, &at, &size))
		return NULL;
	n = readlink(OWN_PATH, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return xstrdup(n > 0 ? path : OWN_PATH);
}

static bool copy_self(FILE *out)
{
	auto_fclose FILE *self = fopen(OWN_PATH, "re");
	char chunk[16384];
	size_t n = 0;

	while (self && (n = fread(chunk, 1, sizeof(chunk), self)))
		if (fwrite(chunk, 1, n, out) != n)
			return false;
	return self && !ferror(self);
}

int aot_write(const char *path, const struct sb *object, struct err *e)
{
	auto_fclose FILE *f = fopen(path, "we");
	struct trailer t = { .size = htole64(object->len) };

	memcpy(t.magic, MAGIC, sizeof(MAGIC));
	if (!f || !copy_self(f) || fwrite(object->s, 1, object->len, f) != object->len ||
	    fwrite(&t, sizeof(t), 1, f) != 1 || fflush(f) ||
	    fchmod(fileno(f), S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) < 0)
		return err_set(e, -errno, "write '%s'", path);
	return 0;
}
