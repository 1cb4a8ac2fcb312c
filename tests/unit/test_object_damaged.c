/*
 * Objects of others, damaged: opening them ends with an error or with an object that can be
 * closed again; nothing is loaded.  Skipped where there is no clang for BPF.
 */
#include "base/auto.h"
#include "clang_object.h"
#include "mutate.h"
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

	if (!compile(SOURCE, &file))
		skip();
	assert_int_equal(open_it(file.s, file.len), 0);
	for (unsigned i = 0; i < 3000; i++) {
		auto_free char *copy = xcalloc(1, file.len);
		int status;

		memcpy(copy, file.s, file.len);
		size_t size = mutate(copy, file.len, &seed);
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
