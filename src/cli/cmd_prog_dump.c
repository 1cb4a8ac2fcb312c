/*
 * scry prog dump: a loaded program's instructions, with the source lines that its BTF names.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "bpf/disasm.h"
#include "cli/cmd_bpf.h"
#include "cli/machine_code.h"
#include "symbol/ksyms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is wanted beside the instructions. */
struct dump_words {
	bool opcodes, linum;
};

static void put_line(const struct inspect_prog *p, const struct bpf_line_info *l, bool linum)
{
	const char *text = inspect_text(p, l->line_off);

	text += strspn(text, " \t");
	if (linum)
		printf("; %s [file:%s line_num:%u line_col:%u]\n", text,
		       inspect_text(p, l->file_name_off), l->line_col >> 10,
		       l->line_col & 0x3ff);
	else if (*text)
		printf("; %s @ %s:%u\n", text, inspect_text(p, l->file_name_off),
		       l->line_col >> 10);
}

/* What the names of called functions are asked from; loaded with the first call. */
struct calls {
	struct ksyms ksyms;
	bool tried;
	uint64_t base; /* calls of helpers count from here; 0: unknown */
};

static bool put_call(void *user, struct sb *out, const struct bpf_insn *insns, uint32_t i)
{
	const struct bpf_insn *insn = &insns[i];
	struct calls *c = user;
	struct ksym sym;
	struct err e;

	if (insn->src_reg)
		return false;
	if (!c->tried && !ksyms_load(&c->ksyms, KSYMS_PATH, &e) &&
	    ksyms_find(&c->ksyms, "__bpf_call_base", &sym))
		c->base = sym.addr;
	c->tried = true;
	if (!c->base ||
	    !ksyms_lookup(&c->ksyms, c->base + (uint64_t)(int64_t)insn->imm, &sym) ||
	    sym.offset)
		return false;
	sb_printf(out, "%s#%d", sym.name, insn->imm);
	return true;
}

/* The JIT puts the distance of a call elsewhere, and a part of the address in its place. */
static void restore_calls(struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) ||
		    insns[i].src_reg != BPF_PSEUDO_CALL || !insns[i].off)
			continue;
		insns[i].imm = insns[i].off;
		insns[i].off = 0;
	}
}

/* The bytes of instructions from..to, eight of them a group. */
static void put_opcodes(const struct bpf_insn *raw, uint32_t from, uint32_t to)
{
	const uint8_t *bytes = (const uint8_t *)&raw[from];

	printf("      ");
	for (uint32_t i = 0; i < (to - from) * 8; i++)
		printf(i && i % 8 == 0 ? "  %02x" : " %02x", bytes[i]);
	putchar('\n');
}

static int dump_xlated(struct bpf_task *t, const struct inspect_prog *p,
		       const struct dump_words *w)
{
	struct calls calls = {};
	struct bpf_disasm_opts opts = { .opcode = true, .call = put_call, .user = &calls };

	if (!p->xlated) {
		err_set(&t->err, -EPERM, "the kernel hides the program's instructions");
		return err_hint(&t->err, "bpf_jit_harden or kptr_restrict forbids it");
	}
	auto_free struct bpf_insn *raw = xcalloc(p->nxlated + 1u, sizeof(*raw));
	memcpy(raw, p->xlated, p->nxlated * sizeof(*raw));
	restore_calls(p->xlated, p->nxlated);
	for (uint32_t i = 0, line = 0; i < p->nxlated;) {
		auto_sb struct sb text = {};
		const char *func = inspect_func_at(p, i);

		if (func)
			printf("%s:\n", func);
		while (line < p->info.nr_line_info && p->lines[line].insn_off <= i)
			put_line(p, &p->lines[line++], w->linum);
		uint32_t at = i;
		i += bpf_disasm(&text, p->xlated, p->nxlated, i, &opts);
		printf("%4u: %s\n", at, sb_str(&text));
		if (w->opcodes)
			put_opcodes(raw, at, i);
	}
	ksyms_fini(&calls.ksyms);
	return 0;
}

static void put_bytes(const uint8_t *code, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s%02x%s", i % 16 ? " " : "", code[i],
		       i % 16 == 15 || i + 1 == n ? "\n" : "");
}

/* Machine code from..to of a function that starts at `start`. */
static void put_code(const struct machine_code *mc, const uint8_t *code, size_t from, size_t to)
{
	auto_sb struct sb text = {};

	if (from >= to)
		return;
	if (!mc) {
		put_bytes(code + from, to - from);
		return;
	}
	machine_code_print(mc, &text, code + from, to - from, from);
	fputs(sb_str(&text), stdout);
}

/* One function: machine code between the places where lines begin. */
static void put_function(const struct machine_code *mc, const struct inspect_prog *p,
			 const uint8_t *code, uint64_t addr, uint32_t len, bool linum)
{
	size_t at = 0;

	for (uint32_t i = 0; i < p->info.nr_line_info && i < p->info.nr_jited_line_info; i++) {
		uint64_t off = p->line_addrs[i] - addr;

		if (p->line_addrs[i] < addr || off >= len || off < at)
			continue;
		put_code(mc, code, at, off);
		at = off;
		put_line(p, &p->lines[i], linum);
	}
	put_code(mc, code, at, len);
}

static int dump_jited(struct bpf_task *t, const struct inspect_prog *p,
		      const struct dump_words *w)
{
	struct machine_code mc;
	bool known = machine_code_open(&mc);
	uint32_t off = 0;

	if (!p->jited) {
		err_set(&t->err, -ENOENT, "the program is not compiled, or hidden");
		return err_hint(&t->err, "net.core.bpf_jit_enable says whether there is a JIT");
	}
	for (uint32_t i = 0; i < p->info.nr_jited_func_lens; i++) {
		uint32_t len = p->func_lens[i];
		uint64_t addr = i < p->info.nr_jited_ksyms ? p->ksyms[i] : 0;
		const char *name = i < p->info.nr_func_info && p->btf
					   ? btf_name(p->btf, p->funcs[i].type_id)
					   : p->info.name;

		if (len > p->info.jited_prog_len - off)
			break;
		printf("%s: %u bytes\n", name, len);
		put_function(known ? &mc : NULL, p, p->jited + off, addr, len, w->linum);
		off += len;
	}
	return 0;
}

static int take_words(struct bpf_task *t, bool xlated, struct dump_words *w)
{
	*w = (struct dump_words){};
	for (; t->words.n; t->words.n--, t->words.words++) {
		const char *word = t->words.words[0];

		if (!strcmp(word, "linum")) {
			w->linum = true;
		} else if (!strcmp(word, "opcodes") && xlated) {
			w->opcodes = true;
		} else {
			err_set(&t->err, -EINVAL, "dump: '%s' is not known here", word);
			return err_hint(&t->err, "xlated takes opcodes and linum, jited takes "
						 "linum; the shell's > writes a file");
		}
	}
	return t->json ? err_set(&t->err, -EINVAL, "instructions are not written as JSON") : 0;
}

int prog_dump(struct bpf_task *t)
{
	const char *what = t->words.n ? t->words.words[0] : "";
	bool xlated = !strcmp(what, "xlated");
	struct inspect_prog p;
	struct dump_words w;

	if (!xlated && strcmp(what, "jited") != 0)
		return err_set(&t->err, -EINVAL, "dump what? '%s' is none of xlated, jited",
			       what);
	t->words.words++;
	t->words.n--;
	auto_close int fd = inspect_open(KBPF_PROG, &t->words, &t->err);
	if (fd < 0)
		return fd;
	if (take_words(t, xlated, &w))
		return t->err.code;
	int err = inspect_prog(&p, fd);
	if (err)
		err_set(&t->err, err, "ask about a program");
	else
		err = xlated ? dump_xlated(t, &p, &w) : dump_jited(t, &p, &w);
	inspect_prog_fini(&p);
	return err;
}
