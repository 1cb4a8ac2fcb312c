#include "probe/user_file.h"

#include "base/auto.h"
#include "probe/ld_cache.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct sample {
	struct arena arena;
	struct probe_env env;
};

static int setup(void **state)
{
	struct sample *s = xcalloc(1, sizeof(*s));

	s->env.arena = &s->arena;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sample *s = *state;

	probe_env_fini(&s->env);
	arena_free(&s->arena);
	free(s);
	return 0;
}

static void assert_found(struct sample *s, const char *word, const char *part)
{
	struct user_files files = {};
	struct err e = {};

	assert_int_equal(user_files_find(&s->env, word, &files, &e), 0);
	assert_int_equal(files.len, 1);
	assert_non_null(strstr(files.data[0]->name, part));
	assert_int_equal(files.data[0]->name[0], '/');
}

static int find_error(struct sample *s, const char *word, struct err *e)
{
	struct user_files files = {};

	return user_files_find(&s->env, word, &files, e);
}

static void a_word_names_a_file(void **state)
{
	struct sample *s = *state;

	assert_found(s, "/proc/self/exe", "test_probe_user_file");
	assert_found(s, "/bin/sh", "/");
	assert_found(s, "sh", "/");
	assert_found(s, "libc", "libc.so");
	assert_found(s, "libc.so.6", "libc.so");
}

static void what_is_missing_is_said(void **state)
{
	struct sample *s = *state;
	struct err e = {};

	assert_int_equal(find_error(s, "/no/such", &e), -ENOENT);
	assert_string_equal(e.msg,
			    "target file '/no/such' does not exist or is not executable");
	assert_int_equal(find_error(s, "no-such-program-at-all", &e), -ENOENT);
	assert_int_equal(find_error(s, "libnothing-like-it", &e), -ENOENT);
	assert_int_equal(find_error(s, "/no/such/*", &e), -ENOENT);
	assert_int_equal(find_error(s, "/etc/passwd", &e), -ENOEXEC);
	assert_int_equal(find_error(s, "*", &e), -EINVAL);
}

static void a_file_is_opened_once(void **state)
{
	struct sample *s = *state;
	struct user_files files = {};
	struct err e = {};

	assert_int_equal(user_files_find(&s->env, "/proc/self/exe", &files, &e), 0);
	assert_int_equal(user_files_find(&s->env, "/proc/self/exe", &files, &e), 0);
	assert_int_equal(files.len, 2);
	assert_ptr_equal(files.data[0], files.data[1]);
	const struct elf_funcs *funcs = user_file_funcs(&s->env, files.data[0]);
	assert_non_null(elf_funcs_find(funcs, "main"));
	assert_ptr_equal(user_file_funcs(&s->env, files.data[1]), funcs);
}

static void a_process_names_what_it_has_mapped(void **state)
{
	struct sample *s = *state;
	struct user_files files = {};
	bool self = false, libc = false;
	struct err e = {};

	s->env.pid = getpid();
	assert_int_equal(user_files_find(&s->env, "*", &files, &e), 0);
	vec_each(f, &files) {
		self |= strstr((*f)->name, "test_probe_user_file") != NULL;
		libc |= strstr((*f)->name, "libc.so") != NULL;
	}
	assert_true(self);
	assert_true(libc);
}

static void patterns_split_at_the_file(void **state)
{
	struct sample *s = *state;
	const char *rest;

	assert_string_equal(user_files_split(&s->arena, "/bin/sh:a:b", &rest), "/bin/sh");
	assert_string_equal(rest, "a:b");
	assert_string_equal(user_files_split(&s->arena, "sh", &rest), "sh");
	assert_string_equal(rest, "*");
}

/* A cache with one library, as ldconfig writes it: header, entries, texts. */
struct cache {
	char magic[20];
	uint32_t nlibs, len, unused[5];
	struct {
		int32_t flags;
		uint32_t name, path, osversion;
		uint64_t hwcap;
	} entry;
	char text[32];
};

static size_t find_in(struct arena *a, const struct cache *c, size_t size, const char *name)
{
	char path[] = "/tmp/ld-cache-XXXXXX";
	auto_close int fd = mkstemp(path);
	struct ld_paths paths = {};

	assert_int_equal(write(fd, c, size), size);
	ld_cache_find(a, path, name, &paths);
	unlink(path);
	vec_each(p, &paths)
		assert_string_equal(*p, "/x/libq.so.1");
	return paths.len;
}

static void the_loader_cache_is_read_with_care(void **state)
{
	struct sample *s = *state;
	struct cache c = { .nlibs = 1 }, bad;

	memcpy(c.magic, "glibc-ld.so.cache1.1", sizeof(c.magic));
	c.entry.name = offsetof(struct cache, text);
	c.entry.path = offsetof(struct cache, text) + 10;
	memcpy(c.text, "libq.so.1\0/x/libq.so.1", 23);
	assert_int_equal(find_in(&s->arena, &c, sizeof(c), "libq"), 1);
	assert_int_equal(find_in(&s->arena, &c, sizeof(c), "libq.so.1"), 1);
	assert_int_equal(find_in(&s->arena, &c, sizeof(c), "lib"), 0);
	for (size_t cut = 0; cut < offsetof(struct cache, text); cut += 4)
		assert_int_equal(find_in(&s->arena, &c, cut, "libq"), 0);
	bad = c;
	bad.nlibs = UINT32_MAX;
	assert_true(find_in(&s->arena, &bad, sizeof(bad), "libq") >= 1);
	bad = c;
	bad.entry.name = UINT32_MAX;
	assert_int_equal(find_in(&s->arena, &bad, sizeof(bad), "libq"), 0);
	bad = c;
	bad.magic[0] = 'x';
	assert_int_equal(find_in(&s->arena, &bad, sizeof(bad), "libq"), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_word_names_a_file),	  TEST(what_is_missing_is_said),
		TEST(a_file_is_opened_once),	  TEST(a_process_names_what_it_has_mapped),
		TEST(patterns_split_at_the_file), TEST(the_loader_cache_is_read_with_care),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
