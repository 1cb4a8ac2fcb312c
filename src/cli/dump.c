#include "cli/dump.h"

#include "base/auto.h"
#include "bpf/disasm.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	struct dump asks;
} stages_known[] = {
	{ "ast", { .ast = true } },
	{ "ir", { .ir = true } },
	{ "bpf", { .bpf = true } },
	{ "xlated", { .xlated = true } },
	{ "all", { .ast = true, .ir = true, .bpf = true, .xlated = true } },
};

int dump_init(struct dump *d, const struct texts *stages, struct err *e)
{
	enum { NSTAGES = sizeof(stages_known) / sizeof(*stages_known) };

	*d = (struct dump){ .any = stages->len > 0 };
	vec_each(name, stages) {
		size_t i = 0;

		while (i < NSTAGES && strcmp(stages_known[i].name, *name) != 0)
			i++;
		if (i == NSTAGES)
			return err_set(e, -EINVAL,
				       "-d: '%s' is no stage; there are ast, ir, bpf, xlated, "
				       "all",
				       *name);
		const struct dump *asks = &stages_known[i].asks;
		d->ast |= asks->ast;
		d->ir |= asks->ir;
		d->bpf |= asks->bpf;
		d->xlated |= asks->xlated;
	}
	return 0;
}

static void print_text(const char *stage, const char *what, const char *text)
{
	size_t len = strlen(text);

	printf("; %s%s%s\n%s%s", stage, *what ? " " : "", what, text,
	       len && text[len - 1] == '\n' ? "" : "\n");
}

void dump_stage(void *arg, const char *stage, const char *what, const char *text)
{
	(void)arg;
	print_text(stage, what ? what : "", text);
}

void dump_xlated(void *arg, const struct plan_prog *prog, int fd)
{
	auto_free struct bpf_insn *insns = NULL;
	auto_sb struct sb text = {};
	uint32_t n;
	int err = kbpf_prog_xlated(fd, &insns, &n);

	(void)arg;
	if (err)
		sb_printf(&text, "not shown: %s\n", strerror(-err));
	for (uint32_t i = 0; !err && i < n;) {
		sb_printf(&text, "%4u: ", i);
		i += bpf_disasm(&text, insns, n, i, NULL);
		sb_putc(&text, '\n');
	}
	print_text("xlated", prog->name, sb_str(&text));
}
