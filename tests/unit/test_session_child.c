/*
 * Processes that a session starts: the gate, the end, commands of the shell.
 */
#include "session/child.h"
#include "session/shell.h"

#include "base/auto.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static bool has_ended(const struct child *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static void does_nothing_before_the_gate_opens(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX";
	auto_sb struct sb cmd = {};
	struct child c;
	struct err e;

	(void)state;
	close(mkstemp(path));
	sb_printf(&cmd, "rm %s", path);
	assert_int_equal(child_start(&c, sb_str(&cmd), &e), 0);
	assert_true(c.pid > 0);
	assert_false(has_ended(&c, 50));
	assert_int_equal(access(path, F_OK), 0);

	assert_int_equal(child_release(&c, &e), 0);
	assert_true(has_ended(&c, 5000));
	assert_int_equal(access(path, F_OK), -1);
	child_end(&c);
}

static void ends_without_running_when_nobody_opens_the_gate(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX";
	auto_sb struct sb cmd = {};
	struct child c;
	struct err e;

	(void)state;
	close(mkstemp(path));
	sb_printf(&cmd, "rm %s", path);
	assert_int_equal(child_start(&c, sb_str(&cmd), &e), 0);
	close(c.gate);
	c.gate = -1;
	assert_true(has_ended(&c, 5000));
	assert_int_equal(unlink(path), 0);
	child_end(&c);
}

static void is_terminated_at_the_end(void **state)
{
	struct child c;
	struct err e;
	int status;

	(void)state;
	assert_int_equal(child_start(&c, "sleep 1000", &e), 0);
	assert_int_equal(child_release(&c, &e), 0);

	pid_t pid = c.pid;
	child_end(&c);
	assert_int_equal(c.pid, 0);
	if (waitpid(pid, &status, 0) == pid)
		assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(kill(pid, 0), -1);
}

static void a_missing_program_is_said_at_once(void **state)
{
	struct child c;
	struct err e;

	(void)state;
	assert_int_equal(child_start(&c, "/no/such/program -x", &e), -ENOENT);
	assert_string_equal(e.msg,
			    "-c: '/no/such/program' does not exist or is not executable");
	assert_int_equal(child_start(&c, "/etc/passwd", &e), -ENOENT);
	assert_int_equal(child_start(&c, "", &e), -ENOENT);
	assert_int_equal(c.pid, 0);
}

/* Executable by its mode, but no program. */
static void a_broken_program_is_said_on_release(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX";
	int fd = mkstemp(path);
	struct child c;
	struct err e;

	(void)state;
	assert_int_equal(write(fd,
			       "\x7f"
			       "broken",
			       7),
			 7);
	fchmod(fd, 0700);
	close(fd);
	assert_int_equal(child_start(&c, path, &e), 0);
	assert_int_equal(child_release(&c, &e), -ENOEXEC);
	child_end(&c);
	unlink(path);
}

static void watching_needs_a_process(void **state)
{
	struct child c;
	struct err e;

	(void)state;
	assert_int_equal(child_watch(&c, 4194303, &e), -ESRCH);
	assert_string_equal(e.msg, "-p: there is no process 4194303");
	assert_int_equal(child_watch(&c, getpid(), &e), 0);
	assert_false(has_ended(&c, 0));
	child_end(&c); /* it is not ours: it must survive this */
}

static void shell_gives_output_and_status(void **state)
{
	auto_sb struct sb out = {};

	(void)state;
	assert_int_equal(shell_run("echo out; echo err >&2", &out), 0);
	assert_string_equal(sb_str(&out), "out\nerr\n");
	assert_int_equal(shell_run("exit 3", &out), 3);
	assert_int_equal(shell_run("kill -9 $$", &out), 128 + 9);
}

static void a_file_is_read_to_its_limit(void **state)
{
	char path[] = "/tmp/test_child.XXXXXX";
	int fd = mkstemp(path);
	auto_sb struct sb out = {};

	(void)state;
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	assert_int_equal(file_head(path, 4, &out), 0);
	assert_string_equal(sb_str(&out), "0123");
	sb_clear(&out);
	assert_int_equal(file_head(path, 100, &out), 0);
	assert_string_equal(sb_str(&out), "0123456789");
	unlink(path);
	assert_int_equal(file_head(path, 100, &out), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_nothing_before_the_gate_opens),
		cmocka_unit_test(ends_without_running_when_nobody_opens_the_gate),
		cmocka_unit_test(is_terminated_at_the_end),
		cmocka_unit_test(a_missing_program_is_said_at_once),
		cmocka_unit_test(a_broken_program_is_said_on_release),
		cmocka_unit_test(watching_needs_a_process),
		cmocka_unit_test(shell_gives_output_and_status),
		cmocka_unit_test(a_file_is_read_to_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
