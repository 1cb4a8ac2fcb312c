/* Lines of trace_pipe, however they are cut by the reads that bring them. */
#include "base/auto.h"
#include "object/prints.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void join(void *arg, const char *text, size_t len)
{
	struct sb *out = arg;

	sb_write(out, text, len);
	sb_putc(out, '|');
}

static void lines_come_once_and_whole(void **state)
{
	static const char *const PARTS[] = {
		" <...>-1 [000] ...11 1.0: bpf_trace_printk: one of a\n",
		"",
		" <...>-1 [000] ...11 2.0: bpf_trace_printk: two of",
		"",
		" b\n cat-2 [001] ...11 3.0: sched_switch: one of c\n",
		" cat-2 [001] ...11 4.0: bpf_trace_printk: three\n",
	};
	static const char *const PATTERNS[] = { "* of *" };
	struct prints p = PRINTS_CLOSED;
	auto_sb struct sb out = {};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	p.pipe = fds[0];
	for (size_t i = 0; i < sizeof(PARTS) / sizeof(*PARTS); i++) {
		assert_int_equal(write(fds[1], PARTS[i], strlen(PARTS[i])),
				 (ssize_t)strlen(PARTS[i]));
		prints_read(&p, PATTERNS, 1, join, &out);
	}
	assert_string_equal(sb_str(&out), "one of a|two of b|");
	prints_close(&p);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_once_and_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
