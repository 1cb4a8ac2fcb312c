/*
 * damage.h - a compiled program, and damaged copies of it, for readers that must survive them.
 */
#ifndef TESTS_UNIT_DAMAGE_H
#define TESTS_UNIT_DAMAGE_H

#include "base/auto.h"
#include "base/vec.h"
#include "mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

/* A folder of the test's own. */
struct place {
	char dir[32];
};

/* Runs a command of the shell there. */
static void run(const struct place *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void run(const struct place *p, const char *fmt, ...)
{
	auto_sb struct sb cmd = {};
	va_list ap;

	sb_printf(&cmd, "cd %s && ", p->dir);
	va_start(ap, fmt);
	sb_vprintf(&cmd, fmt, ap);
	va_end(ap);
	assert_int_equal(system(sb_str(&cmd)), 0);
}

static const char *in(const struct place *p, const char *name, char buf[64])
{
	snprintf(buf, 64, "%s/%s", p->dir, name);
	return buf;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* Changes some bytes, of the headers every other time, or cuts the file. */
static void damage(const struct place *p, const char *name, int rounds,
		   void (*try)(const char *path))
{
	char path[64], bad[64], *bytes = NULL;
	uint32_t seed = 42;
	struct stat st;
	int fd = open(in(p, name, path), O_RDONLY | O_CLOEXEC);

	assert_int_equal(fstat(fd, &st), 0);
	size_t size = (size_t)st.st_size;
	bytes = xcalloc(1, size);
	auto_free char *copy = xcalloc(1, size);
	assert_int_equal(read(fd, bytes, size), size);
	close(fd);
	for (int i = 0; i < rounds; i++) {
		size_t len = i % 7 ? size : draw(&seed) % size;

		memcpy(copy, bytes, size);
		for (uint32_t k = draw(&seed) % 16; k; k--) {
			size_t at =
				i % 2 ? draw(&seed) % size
				      : size - 1 - draw(&seed) % (size < 4096 ? size : 4096);

			copy[at] = (char)draw(&seed);
		}
		write_file(in(p, "damaged", bad), copy, len);
		alarm(20); /* an end to what would not end */
		try(bad);
		alarm(0);
	}
	free(bytes);
}

#endif
