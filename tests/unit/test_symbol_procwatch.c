#include "symbol/procwatch.h"

#include "base/arena.h"
#include "base/auto.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

__attribute__((noinline)) int procwatch_test_function(int x)
{
	__asm__ volatile("");
	return x + 1;
}

struct watched {
	struct usyms *us;
	struct procwatch *w;
};

static int setup(void **state)
{
	struct watched *x = xcalloc(1, sizeof(*x));

	x->us = usyms_new();
	usyms_remember(x->us, getpid());
	x->w = procwatch_open(x->us, getpid(), false);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct watched *x = *state;

	procwatch_close(x->w);
	usyms_free(x->us);
	free(x);
	return 0;
}

/* For the top of a test: perf events may be forbidden. */
#define need_watch(x)           \
	do {                    \
		if (!(x)->w)    \
			skip(); \
	} while (0)

static void wait_for(pid_t pid)
{
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_child_that_nobody_looked_at_has_names(void **state)
{
	struct watched *x = *state;
	struct usym sym;

	need_watch(x);
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	wait_for(pid);
	procwatch_read(x->w);
	assert_true(usyms_lookup(x->us, pid, (uintptr_t)procwatch_test_function, &sym));
	assert_string_equal(sym.name, "procwatch_test_function");
}

static void another_program_has_other_names(void **state)
{
	struct watched *x = *state;
	struct usym sym;

	need_watch(x);
	pid_t pid = fork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	wait_for(pid);
	procwatch_read(x->w);
	usyms_lookup(x->us, pid, (uintptr_t)procwatch_test_function, &sym);
	assert_true(!sym.name || strcmp(sym.name, "procwatch_test_function") != 0);
}

static void code_mapped_later_is_known(void **state)
{
	struct watched *x = *state;
	auto_close int fd = open("/proc/self/exe", O_RDONLY);
	struct usym sym;

	need_watch(x);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	procwatch_read(x->w);
	munmap(at, 4096);
	assert_true(usyms_lookup(x->us, getpid(), (uintptr_t)at, &sym));
	assert_non_null(strstr(sym.module, "test_symbol_procwatch"));
}

static void more_than_the_ring_holds_does_no_harm(void **state)
{
	struct watched *x = *state;
	auto_close int fd = open("/proc/self/exe", O_RDONLY);
	struct usym sym;

	need_watch(x);
	for (int i = 0; i < 20000; i++) {
		void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

		assert_ptr_not_equal(at, MAP_FAILED);
		munmap(at, 4096);
		if (i % 5000 == 0)
			procwatch_read(x->w);
	}
	procwatch_read(x->w);
	assert_true(usyms_lookup(x->us, getpid(), (uintptr_t)procwatch_test_function, &sym));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_child_that_nobody_looked_at_has_names),
		TEST(another_program_has_other_names),
		TEST(code_mapped_later_is_known),
		TEST(more_than_the_ring_holds_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
