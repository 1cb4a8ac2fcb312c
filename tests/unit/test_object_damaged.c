/*
 * Objects of others, damaged: opening them ends with an error or with an object that can be
 * closed again; nothing is loaded.  Skipped where there is no clang for BPF.
 */
#include "base/auto.h"
#include "object/object.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char SOURCE[] =
	"typedef unsigned int u32; typedef unsigned long long u64;\n"
	"#define SEC(n) __attribute__((section(n), used))\n"
	"static void *(*lookup)(void *, const void *) = (void *)1;\n"
	"char LICENSE[] SEC(\"license\") = \"GPL\";\n"
	"struct { int (*type)[1]; u32 *key; u64 *value; int (*max_entries)[16]; } counts "
	"SEC(\".maps\");\n"
	"u64 total = 5;\n"
	"static __attribute__((noinline)) int twice(int x) { volatile int y = x; return y * 2; }\n"
	"SEC(\"socket\") int first(u32 *skb) { u32 k = 1; u64 *v = lookup(&counts, &k);\n"
	"  if (v) total += *v; return v ? twice(*v) : 0; }\n"
	"SEC(\"xdp\") int second(void *ctx) { return twice(3); }\n";

/* The object file in memory; false without a compiler. */
static bool compile(struct sb *out)
{
	char dir[] = "/tmp/test_object.XXXXXX", command[256], path[64], chunk[4096];
	size_t n;

	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof(command),
		 "clang -target bpf -O2 -g -x c -c -o %s/o - 2>/dev/null", dir);
	FILE *cc = popen(command, "w");
	fputs(SOURCE, cc);
	bool ok = !pclose(cc);
	snprintf(path, sizeof(path), "%s/o", dir);
	FILE *f = ok ? fopen(path, "re") : NULL;
	while (f && (n = fread(chunk, 1, sizeof(chunk), f)))
		sb_write(out, chunk, n);
	if (f)
		fclose(f);
	unlink(path);
	rmdir(dir);
	return f;
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static size_t damage(char *data, size_t size, uint32_t *seed)
{
	static const uint8_t ODD[] = { 0, 1, 0x7f, 0x80, 0xff };

	if (next(seed) % 8 == 0)
		return next(seed) % size;
	for (unsigned n = 1 + next(seed) % 4; n--;)
		data[next(seed) % size] =
			(char)(next(seed) % 2 ? ODD[next(seed) % 5] : next(seed));
	return size;
}

/* 0: opened, 1: refused with words; anything else is a fault. */
static int open_it(const char *data, size_t size)
{
	auto_close int fd = memfd_create("object", 0);
	char path[64];
	struct object o;
	struct err e = {};

	assert_int_equal(write(fd, data, size), (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
	int err = object_open(&o, path, &e);
	object_close(&o);
	return err && !*e.msg ? 2 : err != 0;
}

static void damaged_is_opened_or_refused(void **state)
{
	(void)state;
	auto_sb struct sb file = {};
	uint32_t seed = 1, refused = 0;

	if (!compile(&file))
		skip();
	assert_int_equal(open_it(file.s, file.len), 0);
	for (unsigned i = 0; i < 3000; i++) {
		auto_free char *copy = xcalloc(1, file.len);
		int status;

		memcpy(copy, file.s, file.len);
		size_t size = damage(copy, file.len, &seed);
		pid_t pid = fork();
		if (!pid)
			_exit(open_it(copy, size));
		waitpid(pid, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			fail_msg("damage %u: status %x", i, status);
		refused += WEXITSTATUS(status);
	}
	assert_true(refused > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_is_opened_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
