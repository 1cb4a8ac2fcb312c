#include "cli/cmd_bpf.h"

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/report.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <string.h>

static bool take_flag(struct bpf_task *t, const char *letter, const char *name)
{
	for (int i = 0; i < t->words.n; i++) {
		if (strcmp(t->words.words[i], letter) && strcmp(t->words.words[i], name))
			continue;
		for (int k = i; k + 1 < t->words.n; k++)
			t->words.words[k] = t->words.words[k + 1];
		t->words.n--;
		return true;
	}
	return false;
}

int bpf_command(int argc, char **argv, const struct bpf_verb *verbs, const char *usage)
{
	struct bpf_task t = { .words = { argv + 1, argc - 1 } };

	if (take_flag(&t, "-h", "--help"))
		return fputs(usage, stdout) < 0 ? EXIT_SYSTEM : EXIT_OK;
	t.json = take_flag(&t, "-j", "--json");
	const char *verb = t.words.n ? t.words.words[0] : "show";
	for (const struct bpf_verb *v = verbs; v->name; v++) {
		if (strcmp(v->name, verb) != 0)
			continue;
		if (t.words.n) {
			t.words.words++;
			t.words.n--;
		}
		if (!v->run(&t))
			return EXIT_OK;
		return t.err.code == -EINVAL ? report_usage(&t.err) : report_system(&t.err);
	}
	fprintf(stderr, "scry %s: there is no '%s'\n%s", argv[0], verb, usage);
	return EXIT_USAGE;
}

int bpf_each(struct bpf_task *t, enum kbpf_object what,
	     int (*show)(struct bpf_task *t, int fd, void *arg), void *arg)
{
	uint32_t id = 0;
	int err = 0;

	if (t->words.n) {
		auto_close int fd = inspect_open(what, &t->words, &t->err);

		return fd < 0 ? fd : show(t, fd, arg);
	}
	while (!err && !(err = kbpf_next_id(what, &id))) {
		auto_close int fd = kbpf_open_id(what, id);

		/* Objects go while they are listed. */
		if (fd >= 0)
			err = show(t, fd, arg);
		else if (fd != -ENOENT)
			err = fd;
	}
	if (!err || err == -ENOENT)
		return 0;
	if (!t->err.code)
		err_set(&t->err, err, "list BPF objects");
	return err == -EPERM ? err_hint(&t->err, "run as root, or with CAP_BPF") : err;
}

int bpf_show(struct bpf_task *t, enum kbpf_object what,
	     int (*show)(struct bpf_task *t, int fd, void *facts))
{
	struct facts f;

	facts_open(&f, t->json, t->words.n, stdout);
	int err = bpf_each(t, what, show, &f);
	if (!err || !f.single)
		facts_close(&f);
	return err;
}

uint64_t bpf_memlock(int fd)
{
	char path[64], line[128];
	uint64_t v = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	auto_fclose FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "memlock:", 8))
			v = strtoull(line + 8, NULL, 10);
	return v;
}

int bpf_pin(struct bpf_task *t, enum kbpf_object what)
{
	auto_close int fd = inspect_open(what, &t->words, &t->err);

	if (fd < 0)
		return fd;
	if (t->words.n != 1)
		return err_set(&t->err, -EINVAL, "the path to pin it at is missing");
	int err = kbpf_pin(fd, t->words.words[0]);
	if (err) {
		err_set(&t->err, err, "pin at %s", t->words.words[0]);
		err_hint(&t->err, "the path must be new, and in a bpf file system");
	}
	return err;
}

int cmd_feature(int argc, char **argv)
{
	struct arena arena = {};
	struct options o = { .arena = &arena };

	(void)argv;
	if (argc > 1) {
		fputs("usage: scry feature      what this kernel offers, as scry --info\n",
		      stderr);
		return EXIT_USAGE;
	}
	int code = cmd_info(&o);
	arena_free(&arena);
	return code;
}

const char *bpf_next_word(struct bpf_task *t)
{
	if (!t->words.n)
		return "";
	t->words.n--;
	return *t->words.words++;
}

bool bpf_next_is(struct bpf_task *t, const char *word)
{
	if (!t->words.n || strcmp(t->words.words[0], word) != 0)
		return false;
	bpf_next_word(t);
	return true;
}
