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

/* --- links --- */

static int show_link(struct bpf_task *t, int fd, void *arg)
{
	struct bpf_link_info info = {};
	struct facts *f = arg;
	const char *type;
	int err = kbpf_info(fd, &info, sizeof(info));

	if (err)
		return err_set(&t->err, err, "ask about a link");
	facts_begin(f);
	facts_number(f, "id", info.id);
	type = inspect_link_type(info.type);
	facts_text(f, "type", type ? type : "unknown");
	facts_number(f, "prog_id", info.prog_id);
	if (info.type == BPF_LINK_TYPE_TRACING) {
		facts_number(f, "attach_type", info.tracing.attach_type);
		facts_number(f, "target_obj_id", info.tracing.target_obj_id);
		facts_number(f, "target_btf_id", info.tracing.target_btf_id);
	}
	facts_end(f);
	return 0;
}

static int link_show(struct bpf_task *t)
{
	struct facts f;

	facts_open(&f, t->json, stdout);
	int err = bpf_each(t, KBPF_LINK, show_link, &f);
	facts_close(&f);
	return err;
}

static int link_pin(struct bpf_task *t)
{
	return bpf_pin(t, KBPF_LINK);
}

static const char LINK_USAGE[] = "usage: scry link [show [LINK]] [-j]\n"
				 "       scry link pin LINK PATH\n"
				 "LINK: id N, or pinned PATH\n";

int cmd_link(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = {
		{ "show", link_show }, { "list", link_show }, { "pin", link_pin }, { 0 }
	};

	return bpf_command(argc, argv, VERBS, LINK_USAGE);
}

/* --- BTF --- */

static int show_btf(struct bpf_task *t, int fd, void *arg)
{
	char name[64] = "";
	struct bpf_btf_info info = { .name = (uint64_t)(uintptr_t)name,
				     .name_len = sizeof(name) };
	struct facts *f = arg;
	int err = kbpf_info(fd, &info, sizeof(info));

	if (err)
		return err_set(&t->err, err, "ask about a BTF object");
	facts_begin(f);
	facts_number(f, "id", info.id);
	if (*name)
		facts_text(f, "name", name);
	facts_number(f, "size", info.btf_size);
	facts_bool(f, "kernel", info.kernel_btf);
	facts_end(f);
	return 0;
}

static int btf_show(struct bpf_task *t)
{
	struct facts f;

	facts_open(&f, t->json, stdout);
	int err = bpf_each(t, KBPF_BTF, show_btf, &f);
	facts_close(&f);
	return err;
}

static bool print_type(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	auto_sb struct sb text = {};

	(void)arg, (void)name;
	btf_print_c(b, id, &text);
	printf("%s%s", sb_str(&text), text.len && text.s[text.len - 1] == '\n' ? "" : "\n");
	return true;
}

/* Structs, unions and enums as C. */
static int btf_dump(struct bpf_task *t)
{
	auto_close int fd = inspect_open(KBPF_BTF, &t->words, &t->err);
	auto_sb struct sb bytes = {};
	int err = fd < 0 ? fd : kbpf_btf_bytes(fd, &bytes);

	if (fd < 0)
		return fd;
	if (err)
		return err_set(&t->err, err, "read BTF");
	struct btf *b = btf_from_bytes(bytes.s, bytes.len, NULL, &t->err);
	if (!b) {
		err_hint(&t->err, "types of a module continue those of the kernel: "
				  "scry -l 'struct NAME' shows them");
		return t->err.code;
	}
	btf_each(b, BTF_STRUCTS, print_type, NULL);
	btf_each(b, BTF_ENUMS, print_type, NULL);
	btf_free(b);
	return 0;
}

static const char BTF_USAGE[] = "usage: scry btf [show [BTF]] [-j]\n"
				"       scry btf dump BTF      its structs and enums, as C\n"
				"BTF: id N\n";

int cmd_btf(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = {
		{ "show", btf_show }, { "list", btf_show }, { "dump", btf_dump }, { 0 }
	};

	return bpf_command(argc, argv, VERBS, BTF_USAGE);
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
