#include "cli/cmd_bpf.h"

#include "base/auto.h"
#include "cli/report.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>

enum { IDLE = -1 }; /* an option that changes nothing here */

/* bpftool's options, which stand anywhere, letters together too. */
static const struct bpf_option {
	char letter;
	const char *name;
	bool has_value;
	long where; /* offset of its member of struct bpf_task, or IDLE */
} OPTIONS[] = {
	{ 'j', "--json", false, offsetof(struct bpf_task, json) },
	{ 'p', "--pretty", false, offsetof(struct bpf_task, pretty) },
	{ 'f', "--bpffs", false, offsetof(struct bpf_task, paths) },
	{ 'n', "--nomount", false, offsetof(struct bpf_task, no_mount) },
	{ 'h', "--help", false, offsetof(struct bpf_task, help) },
	{ 'B', "--base-btf", true, offsetof(struct bpf_task, base_btf) },
	{ 'd', "--debug", false, IDLE },
	{ 'l', "--legacy", false, IDLE },
	{ 'm', "--mapcompat", false, IDLE },
};

static const struct bpf_option *find_letter(char c)
{
	for (size_t i = 0; i < sizeof(OPTIONS) / sizeof(*OPTIONS); i++)
		if (OPTIONS[i].letter == c)
			return &OPTIONS[i];
	return NULL;
}

/* "-j", "--json"; NULL: it is none, or several. */
static const struct bpf_option *find_option(const char *word)
{
	for (size_t i = 0; i < sizeof(OPTIONS) / sizeof(*OPTIONS); i++)
		if (!strcmp(OPTIONS[i].name, word))
			return &OPTIONS[i];
	return word[0] == '-' && word[1] && !word[2] ? find_letter(word[1]) : NULL;
}

/* "-jp": flags alone. */
static bool are_letters(const char *word)
{
	size_t n = 1;

	if (word[0] != '-' || !word[1] || !word[2])
		return false;
	for (; word[n]; n++) {
		const struct bpf_option *o = find_letter(word[n]);

		if (!o || o->has_value)
			return false;
	}
	return true;
}

int bpf_leading_options(int argc, char **argv)
{
	int i = 0;

	/* "scry -l map" lists probes. */
	while (i < argc && strcmp(argv[i], "-l") != 0 &&
	       (find_option(argv[i]) || are_letters(argv[i])))
		i += find_option(argv[i]) && find_option(argv[i])->has_value ? 2 : 1;
	return i < argc ? i : 0;
}

static void set_option(struct bpf_task *t, const struct bpf_option *o, char *value)
{
	char *to = (char *)t + o->where;

	if (o->where == IDLE)
		return;
	if (o->has_value)
		*(const char **)to = value;
	else
		*(bool *)to = true;
}

/* Takes the options out of the words. */
static void take_options(struct bpf_task *t)
{
	char **words = t->words.words;
	int n = 0;

	for (int i = 0; i < t->words.n; i++) {
		const struct bpf_option *o = find_option(words[i]);

		if (are_letters(words[i]))
			for (const char *c = words[i] + 1; *c; c++)
				set_option(t, find_letter(*c), NULL);
		else if (o && (!o->has_value || i + 1 < t->words.n))
			set_option(t, o, o->has_value ? words[++i] : NULL);
		else
			words[n++] = words[i];
	}
	t->words.n = n;
	t->json |= t->pretty;
	t->facts.json = t->json;
	if (t->json)
		jw_init(&t->facts.w, stdout, t->pretty);
}

/* What went wrong is an answer too, in JSON. */
static int report(struct bpf_task *t)
{
	bool usage = t->err.code == -EINVAL;
	const char *name = usage ? NULL : err_name(t->err.code);
	auto_sb struct sb text = {};

	if (!t->json)
		return usage ? report_usage(&t->err) : report_system(&t->err);
	sb_printf(&text, name ? "%s (%s)" : "%s", t->err.msg, name);
	/* An object that was begun cannot have an element without a name. */
	while (t->facts.w.depth > 1)
		jw_close(&t->facts.w);
	jw_object(&t->facts.w, NULL);
	jw_text(&t->facts.w, "error", sb_str(&text));
	return usage ? EXIT_USAGE : EXIT_SYSTEM;
}

static int run_verb(struct bpf_task *t, const struct bpf_verb *v)
{
	int code = EXIT_OK;

	if (t->words.n) {
		t->words.words++;
		t->words.n--;
	}
	if (v->run(t))
		code = t->err.code ? report(t) : EXIT_SYSTEM;
	if (t->json)
		jw_fini(&t->facts.w);
	holders_fini(&t->holders);
	return code;
}

static int no_such_verb(struct bpf_task *t, const char *command, const char *verb,
			const char *usage)
{
	if (!t->json) {
		fprintf(stderr, "scry %s: there is no '%s'\n%s", command, verb, usage);
		return EXIT_USAGE;
	}
	err_set(&t->err, -EINVAL, "scry %s: there is no '%s'", command, verb);
	int code = report(t);
	jw_fini(&t->facts.w);
	return code;
}

int bpf_command(int argc, char **argv, const struct bpf_verb *verbs, const char *usage)
{
	struct bpf_task t = { .words = { argv + 1, argc - 1 } };

	take_options(&t);
	if (t.help || (t.words.n == 1 && !strcmp(t.words.words[0], "help")))
		return fputs(usage, stdout) < 0 ? EXIT_SYSTEM : EXIT_OK;
	const char *verb = t.words.n ? t.words.words[0] : verbs->name;
	for (const struct bpf_verb *v = verbs; v->name; v++)
		if (*verb && !strncmp(v->name, verb, strlen(verb)))
			return run_verb(&t, v);
	return no_such_verb(&t, argv[0], verb, usage);
}

static int show_all(struct bpf_task *t, enum kbpf_object what,
		    int (*show)(struct bpf_task *t, int fd, void *arg), void *arg)
{
	uint32_t id = 0;
	int err = 0;

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

/* list: JSON has brackets around, unless one object is named. */
static int show_named(struct bpf_task *t, enum kbpf_object what, bool list,
		      int (*show)(struct bpf_task *t, int fd, void *arg), void *arg)
{
	struct inspect_fds fds = {};
	int err = inspect_open_all(what, &t->words, &fds, &t->err);

	if (!err)
		err = bpf_end_of_words(t);
	if (!err && list && fds.len > 1)
		facts_list(&t->facts, NULL);
	for (size_t i = 0; !err && i < fds.len; i++)
		err = show(t, fds.data[i], arg);
	if (!err && list && fds.len > 1)
		facts_close(&t->facts);
	inspect_close_all(&fds);
	return err;
}

int bpf_show(struct bpf_task *t, enum kbpf_object what,
	     int (*show)(struct bpf_task *t, int fd, void *arg), void *arg)
{
	return t->words.n ? show_named(t, what, false, show, arg)
			  : show_all(t, what, show, arg);
}

int bpf_show_list(struct bpf_task *t, enum kbpf_object what,
		  int (*show)(struct bpf_task *t, int fd, void *arg))
{
	if (t->words.n)
		return show_named(t, what, true, show, NULL);
	facts_list(&t->facts, NULL);
	int err = show_all(t, what, show, NULL);
	if (!err)
		facts_close(&t->facts);
	return err;
}

uint64_t bpf_fdinfo(int fd, const char *name)
{
	char path[64], line[128];
	size_t len = strlen(name);
	uint64_t v = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	auto_fclose FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			v = strtoull(line + len + 1, NULL, 10);
	return v;
}

/* Is the path where the bpf file system belongs, and nothing mounted there? */
static bool wants_mount(const char *path)
{
	static const char FOLDER[] = "/sys/fs/bpf";
	struct statfs fs;

	return !strncmp(path, FOLDER, sizeof(FOLDER) - 1) && path[sizeof(FOLDER) - 1] == '/' &&
	       !statfs(FOLDER, &fs) && fs.f_type != 0xcafe4a11; /* BPF_FS_MAGIC */
}

int bpf_pin_at(struct bpf_task *t, int fd, const char *path)
{
	int err = kbpf_pin(fd, path);

	if (err && !t->no_mount && wants_mount(path) &&
	    !mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		err = kbpf_pin(fd, path);
	if (!err)
		return 0;
	err_set(&t->err, err, "pin at %s", path);
	return err_hint(&t->err, "the path must be new, and in a bpf file system");
}

int bpf_pin(struct bpf_task *t, enum kbpf_object what)
{
	auto_close int fd = inspect_open(what, &t->words, &t->err);

	if (fd < 0)
		return fd;
	if (t->words.n != 1)
		return err_set(&t->err, -EINVAL, "the path to pin it at is missing");
	return bpf_pin_at(t, fd, t->words.words[0]);
}

/* --- who holds an object --- */

static const struct holder *first_holder(struct bpf_task *t, size_t *i, bool path,
					 enum kbpf_object what, uint32_t id)
{
	if (!t->has_holders) {
		t->has_holders = true;
		holders_read_processes(&t->holders);
		if (t->paths)
			holders_read_paths(&t->holders);
	}
	*i = 0;
	return holders_next(&t->holders, i, path, what, id);
}

void bpf_put_paths(struct bpf_task *t, enum kbpf_object what, uint32_t id)
{
	size_t i;
	const struct holder *h = first_holder(t, &i, true, what, id);

	/* In JSON an empty list says that others of its kind are pinned, as in bpftool's. */
	if (!h && !holders_have_paths(&t->holders, what))
		return;
	facts_list(&t->facts, "pinned");
	for (; h; h = holders_next(&t->holders, &i, true, what, id)) {
		facts_say(&t->facts, "\n\tpinned %s", h->text);
		if (t->json)
			jw_text(&t->facts.w, NULL, h->text);
	}
	facts_close(&t->facts);
}

void bpf_put_processes(struct bpf_task *t, enum kbpf_object what, uint32_t id)
{
	const char *before = "\n\tpids ";
	size_t i;
	const struct holder *h = first_holder(t, &i, false, what, id);

	if (!h)
		return;
	facts_list(&t->facts, "pids");
	for (; h; h = holders_next(&t->holders, &i, false, what, id)) {
		facts_object(&t->facts, NULL);
		facts_number(&t->facts, "pid", NULL, h->pid, "");
		facts_text(&t->facts, "comm", NULL, h->text, "");
		facts_close(&t->facts);
		facts_say(&t->facts, "%s%s(%u)", before, h->text, h->pid);
		before = ",";
	}
	facts_close(&t->facts);
}

int bpf_stop_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
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

int bpf_end_of_words(struct bpf_task *t)
{
	return t->words.n ? err_set(&t->err, -EINVAL, "'%s' is one word too many",
				    t->words.words[0])
			  : 0;
}
