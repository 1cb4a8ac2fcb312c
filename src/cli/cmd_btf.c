#include "base/auto.h"
#include "cli/cmd_bpf.h"
#include "cli/facts.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <string.h>

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
	return bpf_show(t, KBPF_BTF, show_btf);
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
