/*
 * scry prog dump: a loaded program's instructions, with the source lines that its BTF names, in
 * bpftool's forms.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "bpf/disasm.h"
#include "cli/cmd_prog.h"
#include "cli/machine_code.h"
#include "symbol/ksyms.h"
#include "types/btf_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is wanted beside the instructions. */
struct dump_words {
	bool opcodes, linum, visual;
	const char *file; /* the bytes go there; or NULL */
};

static void put_line(struct facts *f, const struct inspect_prog *p,
		     const struct bpf_line_info *l, bool linum)
{
	const char *text = inspect_text(p, l->line_off),
		   *file = inspect_text(p, l->file_name_off);
	uint32_t line = l->line_col >> 10, column = l->line_col & 0x3ff;

	text += strspn(text, " \t");
	facts_text(f, "src", "; ", text, linum ? " " : "\n");
	if (!linum)
		return;
	facts_say(f, "[file:%s line_num:%u line_col:%u]\n", file, line, column);
	if (*file)
		facts_text(f, "file", NULL, file, "");
	if (line)
		facts_number(f, "line_num", NULL, line, "");
	if (column)
		facts_number(f, "line_col", NULL, column, "");
}

/* What is declared where the instruction is the first of a function. */
static void put_prototype(struct facts *f, const struct inspect_prog *p, uint32_t func)
{
	auto_sb struct sb text = {};

	if (!p->btf || func >= p->info.nr_func_info)
		return;
	btf_prototype(p->btf, p->funcs[func].type_id, &text);
	if (text.len)
		facts_text(f, "proto", "", sb_str(&text), ":\n");
}

/* --- what is called --- */

/* What the names of called functions are asked from; loaded with the first call. */
struct calls {
	const struct inspect_prog *p;
	struct ksyms ksyms;
	bool tried;
	bool local;    /* names of the program's own functions are not wanted */
	uint64_t base; /* calls of helpers count from here; 0: unknown */
};

static bool load_names(struct calls *c)
{
	struct ksym sym;
	struct err e;

	if (!c->tried && !ksyms_load(&c->ksyms, KSYMS_PATH, &e) &&
	    ksyms_find(&c->ksyms, "__bpf_call_base", &sym))
		c->base = sym.addr;
	c->tried = true;
	return c->base;
}

/* A function of the program has an address where it is compiled. */
static bool put_own_call(struct calls *c, struct sb *out, const struct bpf_insn *insn,
			 uint32_t i)
{
	const struct bpf_prog_info *info = &c->p->info;
	uint32_t to = i + 1 + (uint32_t)insn->imm;
	struct ksym sym;

	sb_printf(out, "pc%+d", insn->imm);
	for (uint32_t k = 0; !c->local && k < info->nr_func_info && k < info->nr_jited_ksyms;
	     k++) {
		if (c->p->funcs[k].insn_off != to || !load_names(c))
			continue;
		if (ksyms_lookup(&c->ksyms, c->p->ksyms[k], &sym) && !sym.offset)
			sb_printf(out, "#%s", sym.name);
		break;
	}
	return true;
}

static bool put_call(void *user, struct sb *out, const struct bpf_insn *insns, uint32_t i)
{
	const struct bpf_insn *insn = &insns[i];
	struct calls *c = user;
	struct ksym sym;

	if (insn->src_reg == BPF_PSEUDO_CALL)
		return put_own_call(c, out, insn, i);
	if (insn->src_reg || !load_names(c) ||
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

/* --- xlated --- */

static void put_hex_list(struct jw *w, const char *name, const uint8_t *bytes, size_t n)
{
	jw_list(w, name);
	for (size_t i = 0; i < n; i++)
		jw_raw(w, NULL, "\"0x%02x\"", bytes[i]);
	jw_close(w);
}

/* The bytes of an instruction of one or two slots. */
static void put_opcodes(struct facts *f, const struct bpf_insn *insn, uint32_t slots)
{
	const uint8_t *bytes = (const uint8_t *)insn;

	if (!f->json) {
		fputs("      ", stdout);
		for (uint32_t i = 0; i < slots * 8; i++)
			printf(" %02x", bytes[i]);
		putchar('\n');
		return;
	}
	jw_object(&f->w, "opcodes");
	jw_raw(&f->w, "code", "\"0x%02x\"", insn->code);
	jw_raw(&f->w, "src_reg", "\"0x%x\"", insn->src_reg);
	jw_raw(&f->w, "dst_reg", "\"0x%x\"", insn->dst_reg);
	put_hex_list(&f->w, "off", bytes + 2, 2);
	put_hex_list(&f->w, "imm", bytes + 4, slots * 8 - 4);
	jw_close(&f->w);
}

static int hidden(struct bpf_task *t)
{
	err_set(&t->err, -EPERM, "the kernel hides the program's instructions");
	return err_hint(&t->err, "bpf_jit_harden or kptr_restrict forbids it");
}

/* raw: as the kernel gave them; p->xlated: to be read. */
static void put_xlated(struct facts *f, struct calls *calls, const struct bpf_insn *raw,
		       const struct dump_words *w)
{
	struct bpf_disasm_opts opts = { .opcode = true, .call = put_call, .user = calls };
	const struct inspect_prog *p = calls->p;

	facts_list(f, NULL);
	for (uint32_t i = 0, line = 0, func = 0; i < p->nxlated;) {
		auto_sb struct sb text = {};
		uint32_t at = i;

		facts_object(f, NULL);
		if (func < p->info.nr_func_info && p->funcs[func].insn_off == i)
			put_prototype(f, p, func++);
		if (line < p->info.nr_line_info && p->lines[line].insn_off <= i)
			put_line(f, p, &p->lines[line++], w->linum);
		i += bpf_disasm(&text, p->xlated, p->nxlated, i, &opts);
		facts_say(f, "%4u: ", at);
		facts_text(f, "disasm", "", sb_str(&text), "\n");
		if (w->opcodes)
			put_opcodes(f, &raw[at], i - at);
		facts_close(f);
	}
	facts_close(f);
}

static int dump_xlated(struct bpf_task *t, const struct inspect_prog *p,
		       const struct dump_words *w)
{
	struct calls calls = { .p = p };

	if (!p->xlated)
		return hidden(t);
	auto_free struct bpf_insn *raw = xcalloc(p->nxlated + 1u, sizeof(*raw));
	memcpy(raw, p->xlated, p->nxlated * sizeof(*raw));
	restore_calls(p->xlated, p->nxlated);
	if (w->visual) {
		struct bpf_disasm_opts opts = { .opcode = true,
						.call = put_call,
						.user = &calls };

		calls.local = true;
		prog_graph(p->xlated, p->nxlated, &opts);
	} else {
		put_xlated(&t->facts, &calls, raw, w);
	}
	ksyms_fini(&calls.ksyms);
	return 0;
}

/* --- jited --- */

struct code {
	struct facts *f;
	bool opcodes;
};

static void put_machine_insn(void *arg, uint64_t at, const uint8_t *bytes, size_t n,
			     const char *name, const char *operands)
{
	struct code *c = arg;

	facts_object(c->f, NULL);
	facts_say(c->f, "%4" PRIx64 ":\t%s%s%s\n", at, name, *operands ? "   " : "", operands);
	if (c->opcodes && !c->f->json) {
		for (size_t i = 0; i < n; i++)
			printf("%s%02x", i ? " " : "\t", bytes[i]);
		putchar('\n');
	} else if (c->f->json) {
		jw_raw(&c->f->w, "pc", "\"0x%" PRIx64 "\"", at);
		jw_text(&c->f->w, "operation", name);
		jw_list(&c->f->w, "operands");
		jw_text(&c->f->w, NULL, operands);
		jw_close(&c->f->w);
		if (c->opcodes)
			put_hex_list(&c->f->w, "opcodes", bytes, n);
	}
	facts_close(c->f);
}

/* Machine code from..to of a function; without the library that reads it, its bytes. */
static void put_code(struct code *c, const struct machine_code *mc, const uint8_t *code,
		     size_t from, size_t to)
{
	if (from >= to)
		return;
	if (mc) {
		machine_code_each(mc, code + from, to - from, from, put_machine_insn, c);
		return;
	}
	if (c->f->json) {
		jw_object(&c->f->w, NULL);
		jw_raw(&c->f->w, "pc", "\"0x%zx\"", from);
		put_hex_list(&c->f->w, "opcodes", code + from, to - from);
		jw_close(&c->f->w);
		return;
	}
	for (size_t i = from; i < to; i++) {
		size_t k = i - from;

		if (k % 16 == 0)
			printf("%s%4zx:\t", k ? "\n" : "", i);
		printf("%s%02x", k % 16 ? " " : "", code[i]);
	}
	putchar('\n');
}

/* One function: machine code between the places where lines begin. */
static void put_function(struct code *c, const struct machine_code *mc,
			 const struct inspect_prog *p, uint32_t func, const uint8_t *code,
			 bool linum)
{
	uint64_t addr = func < p->info.nr_jited_ksyms ? p->ksyms[func] : 0;
	size_t at = 0, len = p->func_lens[func];

	for (uint32_t i = 0; i < p->info.nr_line_info && i < p->info.nr_jited_line_info; i++) {
		uint64_t off = p->line_addrs[i] - addr;

		if (p->line_addrs[i] < addr || off >= len || off < at)
			continue;
		put_code(c, mc, code, at, off);
		at = off;
		facts_object(c->f, NULL);
		put_line(c->f, p, &p->lines[i], linum);
		facts_close(c->f);
	}
	put_code(c, mc, code, at, len);
}

/* The name in /proc/kallsyms. */
static void put_jited_name(struct facts *f, const struct inspect_prog *p, uint32_t func)
{
	struct ksyms syms = {};
	struct ksym sym;
	struct err e;
	char text[64];

	put_prototype(f, p, func);
	if (func < p->info.nr_jited_ksyms && !ksyms_load(&syms, KSYMS_PATH, &e) &&
	    ksyms_lookup(&syms, p->ksyms[func], &sym) && !sym.offset)
		facts_text(f, "name", "", sym.name, ":\n");
	else {
		snprintf(text, sizeof(text), "0x%016" PRIx64,
			 func < p->info.nr_jited_ksyms ? (uint64_t)p->ksyms[func] : 0);
		facts_text(f, "name", "", text, ":\n");
	}
	ksyms_fini(&syms);
}

static int dump_jited(struct bpf_task *t, const struct inspect_prog *p,
		      const struct dump_words *w)
{
	struct machine_code mc;
	bool known = machine_code_open(&mc);
	struct facts *f = &t->facts;
	struct code c = { f, w->opcodes };
	uint32_t off = 0;

	if (!p->jited) {
		err_set(&t->err, -ENOENT, "the program is not compiled, or hidden");
		return err_hint(&t->err, "net.core.bpf_jit_enable says whether there is a JIT");
	}
	facts_list(f, NULL);
	for (uint32_t i = 0; i < p->info.nr_jited_func_lens; i++) {
		if (p->func_lens[i] > p->info.jited_prog_len - off)
			break;
		facts_object(f, NULL);
		put_jited_name(f, p, i);
		facts_list(f, "insns");
		put_function(&c, known ? &mc : NULL, p, i, p->jited + off, w->linum);
		facts_close(f);
		facts_close(f);
		facts_say(f, "\n");
		off += p->func_lens[i];
	}
	facts_close(f);
	return 0;
}

/* --- the command --- */

static int write_bytes(struct bpf_task *t, const struct inspect_prog *p, bool xlated,
		       const char *path)
{
	const void *bytes = xlated ? (void *)p->xlated : p->jited;
	size_t size = xlated ? p->nxlated * 8ul : p->info.jited_prog_len;
	auto_fclose FILE *out = bytes ? fopen(path, "we") : NULL;

	if (!bytes)
		return hidden(t);
	if (!out || fwrite(bytes, 1, size, out) != size || fflush(out))
		return err_set(&t->err, -errno, "write %s", path);
	return 0;
}

static int take_words(struct bpf_task *t, bool xlated, struct dump_words *w)
{
	*w = (struct dump_words){};
	while (t->words.n) {
		const char *word = bpf_next_word(t);

		if (!strcmp(word, "linum")) {
			w->linum = true;
		} else if (!strcmp(word, "opcodes")) {
			w->opcodes = true;
		} else if (!strcmp(word, "visual") && xlated) {
			w->visual = true;
		} else if (!strcmp(word, "file") && t->words.n) {
			w->file = bpf_next_word(t);
		} else {
			err_set(&t->err, -EINVAL, "dump: '%s' is not known here", word);
			return err_hint(&t->err, "there are opcodes, linum, file PATH, and of "
						 "xlated visual");
		}
	}
	return t->json && w->visual ? err_set(&t->err, -EINVAL, "a graph is no JSON") : 0;
}

int prog_dump(struct bpf_task *t)
{
	const char *what = bpf_next_word(t);
	bool xlated = !strcmp(what, "xlated");
	struct inspect_prog p;
	struct dump_words w;

	if (!xlated && strcmp(what, "jited") != 0)
		return err_set(&t->err, -EINVAL, "dump what? '%s' is none of xlated, jited",
			       what);
	auto_close int fd = inspect_open(KBPF_PROG, &t->words, &t->err);
	if (fd < 0)
		return fd;
	if (take_words(t, xlated, &w))
		return t->err.code;
	int err = inspect_prog(&p, fd);
	if (err)
		err_set(&t->err, err, "ask about a program");
	else if (w.file)
		err = write_bytes(t, &p, xlated, w.file);
	else
		err = xlated ? dump_xlated(t, &p, &w) : dump_jited(t, &p, &w);
	inspect_prog_fini(&p);
	return err;
}
