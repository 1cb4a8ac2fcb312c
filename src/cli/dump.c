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
	/* Stages of other tracers, by what is nearest. */
	{ "parse", { .ast = true } },
	{ "types", { .ast = true } },
	{ "codegen", { .ir = true } },
	{ "codegen-opt", { .ir = true } },
	{ "libbpf", { .bpf = true } },
	{ "dis", { .bpf = true } },
	{ "all", { .ast = true, .ir = true, .bpf = true, .xlated = true } },
};

static const struct dump *find_stage(const char *name)
{
	for (size_t i = 0; i < sizeof(stages_known) / sizeof(*stages_known); i++)
		if (!strcmp(stages_known[i].name, name))
			return &stages_known[i].asks;
	return NULL;
}

bool dump_knows(const char *stage)
{
	return find_stage(stage) != NULL;
}

int dump_init(struct dump *d, const struct texts *stages, struct err *e)
{
	*d = (struct dump){ .any = stages->len > 0 };
	vec_each(name, stages) {
		const struct dump *asks = find_stage(*name);

		if (!asks)
			return err_set(e, -EINVAL,
				       "-d: '%s' is no stage; there are ast, ir, bpf, xlated, "
				       "all",
				       *name);
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

/* What the disassembler asks names from. */
struct listing {
	const struct plan *plan;
	const struct image *img;
};

/* Maps are known by their names, before they have numbers. */
static bool put_map(void *user, struct sb *out, const struct bpf_insn *insns, uint32_t i)
{
	const struct listing *l = user;

	(void)insns;
	for (uint32_t k = 0; k < l->img->nrelocs; k++) {
		const struct reloc *r = &l->img->relocs[k];

		if (r->insn != i)
			continue;
		sb_printf(out, "map[%s]", l->plan->kmaps.data[r->map].name);
		if (r->kind == RELOC_VALUE)
			sb_printf(out, "[0]+%u", r->off);
		return true;
	}
	return false;
}

/* "; 1:9 @ = count()": the place that the next instructions were made for. */
static void put_place(const struct plan *plan, struct span span, struct sb *out)
{
	struct location loc;

	if (!source_locate(plan->sources, span, &loc))
		return;

	uint32_t end = loc.end_line == loc.line ? loc.end_col : loc.line_len + 1;
	sb_printf(out, "; %u:%u %.*s\n", loc.line, loc.col, (int)(end - loc.col),
		  loc.line_text + loc.col - 1);
}

static void put_program(const struct plan *plan, const struct image *img, struct sb *out)
{
	struct listing l = { plan, img };
	struct bpf_disasm_opts opts = { .wide = put_map, .user = &l };
	struct span last = {};

	for (uint32_t i = 0; i < img->ninsns;) {
		struct span span = img->spans[i];

		if (span.beg != last.beg || span.end != last.end)
			put_place(plan, span, out);
		last = span;
		sb_printf(out, "%4u: ", i);
		i += bpf_disasm(out, img->insns, img->ninsns, i, &opts);
		sb_putc(out, '\n');
	}
}

void dump_bpf(const struct plan *plan)
{
	auto_sb struct sb text = {};

	vec_each(prog, &plan->progs) {
		sb_clear(&text);
		put_program(plan, &prog->image, &text);
		print_text("bpf", prog->name, sb_str(&text));
	}
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
