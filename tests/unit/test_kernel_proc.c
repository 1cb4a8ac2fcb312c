#include "base/auto.h"
#include "kernel/kallsyms.h"
#include "kernel/proc.h"
#include "kernel/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void cpu_lists_are_ranges_and_numbers(void **state)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};

	(void)state;
	assert_true(cpu_list_parse(&a, "0-2,5,8-9\n", &cpus));
	assert_int_equal(cpus.len, 6);
	assert_int_equal(cpus.data[2], 2);
	assert_int_equal(cpus.data[3], 5);
	assert_int_equal(vec_last(&cpus), 9);
}

static void broken_cpu_lists_are_refused(void **state)
{
	static const char *const broken[] = { "", "\n", "x", "3-", "3-1", "1;2", "0-99999999" };
	auto_arena struct arena a = {};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct cpu_list cpus = {};

		assert_false(cpu_list_parse(&a, broken[i], &cpus));
	}
}

static void some_cpu_is_online(void **state)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};

	(void)state;
	cpus_online(&a, &cpus);
	assert_true(cpus.len > 0 && cpus.len <= cpus_possible());
	assert_int_equal(cpu_first_online(), cpus.data[0]);
}

static void pidfd_tells_the_end_of_a_process(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		pause();
		_exit(0);
	}
	int fd = pidfd_open_pid(pid);

	assert_true(fd >= 0);
	assert_int_equal(pidfd_wait(fd, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(pidfd_wait(fd, 5000), 1);
	waitpid(pid, NULL, 0);
	close(fd);
	assert_int_equal(pidfd_open_pid(pid), -ESRCH);
}

static void own_threads_are_listed(void **state)
{
	auto_arena struct arena a = {};
	struct tid_list tids = {};

	(void)state;
	assert_int_equal(proc_threads(&a, getpid(), &tids), 0);
	assert_int_equal(tids.len, 1);
	assert_int_equal(tids.data[0], getpid());
	assert_int_equal(proc_threads(&a, 1 << 30, &tids), -ENOENT);
}

static void cgroup_ids_are_inodes_of_cgroup2(void **state)
{
	static const char root[] = "/sys/fs/cgroup";
	struct stat st;
	struct statfs fs;
	uint64_t id;

	(void)state;
	assert_int_equal(cgroup_id("/no/such/cgroup", &id), -ENOENT);
	assert_int_equal(cgroup_id("/proc", &id), -EMEDIUMTYPE);
	if (statfs(root, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC || stat(root, &st))
		skip();
	assert_int_equal(cgroup_id(root, &id), 0);
	assert_int_equal(id, st.st_ino);
}

static bool count_symbol(void *arg, const struct kallsym *s)
{
	struct sb *out = arg;

	sb_printf(out, "%lx %c %s %s %d\n", (unsigned long)s->addr, s->type, s->name,
		  s->module ? s->module : "-", kallsym_is_function(s));
	return strcmp(s->name, "stop") != 0;
}

static void symbols_come_with_their_modules(void **state)
{
	char path[] = "/tmp/scry-kallsyms-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	auto_sb struct sb text = {};
	struct err e = {};

	(void)state;
	fputs("ffffffff81000000 T start\nbroken\n0000000000000000 d data\n"
	      "ffffffffa0000000 t f\t[mod]\nffffffffa0000010 t stop\t[mod]\n"
	      "ffffffffa0000020 t unseen\t[mod]\n",
	      f);
	fclose(f);
	assert_int_equal(kallsyms_each(path, count_symbol, &text, &e), 0);
	assert_string_equal(sb_str(&text), "ffffffff81000000 T start - 1\n"
					   "0 d data - 0\n"
					   "ffffffffa0000000 t f mod 1\n"
					   "ffffffffa0000010 t stop mod 1\n");
	unlink(path);
	assert_int_equal(kallsyms_each(path, count_symbol, &text, &e), -ENOENT);
}

/* A little tracefs of plain files. */
static struct tracefs *fake_tracefs(char dir[])
{
	char path[256];
	struct err e;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/events", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/events/cat", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/events/cat/ev", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/events/cat/ev/id", dir);
	f = fopen(path, "w");
	fputs("1234\n", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/available_events", dir);
	f = fopen(path, "w");
	for (int i = 0; i < 20000; i++)
		fprintf(f, "cat:event_%d\n", i);
	fputs("last", f);
	fclose(f);
	return tracefs_open_at(dir, &e);
}

static void fake_remove(const char *dir)
{
	static const char *const files[] = { "available_events", "events/cat/ev/id",
					     "events/cat/ev", "events/cat", "events" };
	char path[256];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		remove(path);
	}
	rmdir(dir);
}

static void long_files_are_read_whole(void **state)
{
	char dir[] = "/tmp/scry-tracefs-XXXXXX";
	struct tracefs *t = fake_tracefs(dir);
	auto_sb struct sb text = {};
	struct err e;
	int lines = 0;

	(void)state;
	assert_int_equal(tracefs_read(t, "available_events", &text, &e), 0);
	for (size_t i = 0; i < text.len; i++)
		lines += text.s[i] == '\n';
	assert_int_equal(lines, 20000);
	assert_string_equal(text.s + text.len - 4, "last");
	assert_int_equal(tracefs_read(t, "nope", &text, &e), -ENOENT);
	tracefs_close(t);
	fake_remove(dir);
}

static void event_names_cannot_leave_the_folder(void **state)
{
	char dir[] = "/tmp/scry-tracefs-XXXXXX";
	struct tracefs *t = fake_tracefs(dir);
	struct err e = {};
	uint64_t id = 0;

	(void)state;
	assert_int_equal(tracefs_event_id(t, "cat", "ev", &id, &e), 0);
	assert_int_equal(id, 1234);
	assert_int_equal(tracefs_event_id(t, "cat", "nope", &id, &e), -ENOENT);
	assert_string_equal(e.msg, "no tracepoint cat:nope");
	assert_int_equal(tracefs_event_id(t, "..", "events", &id, &e), -ENOENT);
	assert_int_equal(tracefs_event_id(t, "cat", "../cat/ev", &id, &e), -ENOENT);
	assert_int_equal(tracefs_event_id(t, "", "ev", &id, &e), -ENOENT);
	tracefs_close(t);
	fake_remove(dir);
}

static void running_kernels_tracefs_opens_without_a_mount(void **state)
{
	struct err e = {};
	struct tracefs *t = tracefs_open(&e);
	uint64_t id = 0;

	(void)state;
	if (!t) {
		/* The reason comes with what to type. */
		assert_true(*e.hint || e.code == -ENODEV);
		skip();
	}
	assert_int_equal(tracefs_event_id(t, "sched", "sched_switch", &id, &e), 0);
	assert_true(id > 0);
	assert_true(tracefs_has(t, "available_events"));
	assert_false(tracefs_has(t, "no_such_file"));
	tracefs_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_lists_are_ranges_and_numbers),
		cmocka_unit_test(broken_cpu_lists_are_refused),
		cmocka_unit_test(some_cpu_is_online),
		cmocka_unit_test(pidfd_tells_the_end_of_a_process),
		cmocka_unit_test(own_threads_are_listed),
		cmocka_unit_test(cgroup_ids_are_inodes_of_cgroup2),
		cmocka_unit_test(symbols_come_with_their_modules),
		cmocka_unit_test(long_files_are_read_whole),
		cmocka_unit_test(event_names_cannot_leave_the_folder),
		cmocka_unit_test(running_kernels_tracefs_opens_without_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
