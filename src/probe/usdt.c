/*
 * usdt: the static probes that programs and libraries bring along.
 *
 * The compiler leaves a nop where a probe is and describes it in a note of the section
 * .note.stapsdt: owner "stapsdt", type 3, then
 *
 *	address of the nop, address of .stapsdt.base, address of the semaphore or 0
 *	provider, name and arguments, each ended by a NUL
 *
 * in words of the file's size (SystemTap's sys/sdt.h).  The addresses are those at the time of
 * linking; a tool that moved the file afterwards (prelink) moved .stapsdt.base but not the
 * note, so that the difference is added.  The semaphore is a 16-bit counter of listeners that
 * the program may look at before it prepares arguments; the kernel counts it up in each process
 * while the probe is attached.
 *
 * A probe that was inlined has several notes of one name: each is a target, and those whose
 * arguments lie in the same places share a program.
 */
#include "probe/arch.h"
#include "probe/match.h"
#include "probe/providers.h"
#include "probe/usdt_operand.h"
#include "probe/user_attach.h"
#include "probe/user_file.h"

#include <string.h>

enum { NOTE_TYPE = 3, ARGS_MAX = 255 };

struct note {
	uint64_t pc, semaphore;
	const char *provider, *name, *operands;
};

struct walk {
	const struct user_file *file;
	void (*fn)(void *arg, const struct note *n);
	void *arg;
};

static uint64_t word_at(const struct elf_note *n, unsigned size, unsigned index)
{
	uint64_t word = 0;

	memcpy(&word, n->desc + (size_t)size * index, size);
	return word;
}

/* The text at *off, which is moved behind its NUL; NULL when there is no NUL. */
static const char *text_at(const struct elf_note *n, size_t *off)
{
	const char *text = (const char *)n->desc + *off;
	const char *nul = *off < n->size ? memchr(text, '\0', n->size - *off) : NULL;

	if (!nul)
		return NULL;
	*off += (size_t)(nul - text) + 1;
	return text;
}

static void on_note(void *arg, const struct elf_note *n)
{
	const struct walk *w = arg;
	unsigned size = elf_word_size(&w->file->elf);
	size_t off = (size_t)size * 3;
	struct note note;
	uint64_t base;

	if (n->type != NOTE_TYPE || strcmp(n->owner, "stapsdt") != 0 || n->size < off)
		return;
	note.pc = word_at(n, size, 0);
	note.semaphore = word_at(n, size, 2);
	note.provider = text_at(n, &off);
	note.name = text_at(n, &off);
	note.operands = text_at(n, &off);
	if (!note.provider || !note.name || !note.operands)
		return;
	if (word_at(n, size, 1) && elf_section_addr(&w->file->elf, ".stapsdt.base", &base)) {
		note.pc += base - word_at(n, size, 1);
		if (note.semaphore)
			note.semaphore += base - word_at(n, size, 1);
	}
	w->fn(w->arg, &note);
}

static void each_note(const struct user_file *file, void (*fn)(void *arg, const struct note *n),
		      void *arg)
{
	struct walk w = { file, fn, arg };

	elf_each_note(&file->elf, ".note.stapsdt", on_note, &w);
}

/* One attach point, looked for in one file. */
struct search {
	struct probe_env *env;
	const struct attach_text *at;
	const struct user_file *file;
	const char *provider, *name; /* patterns */
	bool is_wildcard, seen;	     /* any probe at all */
	struct targets *out;
	const char *nearest;
	unsigned dist;
};

static void add_match(void *arg, const struct note *n)
{
	struct search *s = arg;
	struct arena *a = s->env->arena;
	const struct elf *elf = &s->file->elf;
	uint64_t offset, semaphore = 0;
	struct target *t;

	s->seen = true;
	if (!wildcard_match(s->provider, n->provider) || !wildcard_match(s->name, n->name)) {
		diag_nearer(s->name, arena_strdup(a, n->name), &s->nearest, &s->dist);
		return;
	}
	if (!elf_is_code(elf, n->pc) || !elf_offset_of(elf, n->pc, &offset) ||
	    (n->semaphore && !elf_offset_of(elf, n->semaphore, &semaphore)))
		return;
	t = expand_add(s->env, &provider_usdt, s->at, s->out);
	t->name = arena_printf(a, "usdt:%s:%s:%s", s->file->name, n->provider, n->name);
	t->category = arena_strdup(a, n->provider);
	t->event = arena_strdup(a, n->name);
	t->file = s->file->path;
	t->file_offset = offset;
	t->refcount_offset = semaphore;
	t->operands = arena_strdup(a, n->operands);
	t->pc = n->pc;
	t->from_wildcard = s->is_wildcard;
}

static bool expand_usdt(struct probe_env *env, const struct attach_text *at,
			struct targets *out)
{
	struct search s = { .env = env, .at = at, .out = out };
	struct user_files files = {};
	size_t before = out->len;
	struct err e = {};

	if (!expand_arity(env, at, 2, 3))
		return false;
	s.name = at->parts[at->nparts - 1];
	s.provider = at->nparts == 4 && *at->parts[2] ? at->parts[2] : "*";
	if (user_files_find(env, at->parts[1], &files, &e))
		return user_files_report(env, at, &e);
	s.is_wildcard = wildcard_has(s.name) || wildcard_has(s.provider) || files.len > 1;
	vec_each(file, &files) {
		s.file = *file;
		each_note(*file, add_match, &s);
	}
	if (out->len > before)
		return true;
	if (!s.seen)
		return expand_missing(env, at,
				      arena_printf(env->arena, "there are no USDT probes in %s",
						   at->parts[1]));
	return expand_no_match(env, at, s.nearest);
}

struct symbol_search {
	const char *name;
	uint64_t addr;
	bool found;
};

static bool is_symbol(void *arg, const struct elf_symbol *sym)
{
	struct symbol_search *s = arg;

	s->found = !strcmp(sym->name, s->name);
	s->addr = sym->addr;
	return !s->found;
}

static bool find_symbol(void *arg, const char *name, uint64_t *addr)
{
	struct symbol_search s = { .name = name };

	elf_each_symbol(arg, is_symbol, &s);
	*addr = s.addr;
	return s.found;
}

/* How many operands there are at the most. */
static unsigned most_operands(const char *text)
{
	unsigned n = 1;

	for (; *text && n < ARGS_MAX; text++)
		n += *text == ' ';
	return n;
}

static int shape_usdt(struct probe_env *env, const struct target *t, const struct group *g,
		      struct shape *out, struct err *e)
{
	unsigned max = most_operands(t->operands);
	struct argloc *regs = arena_array(env->arena, struct argloc, max);
	struct usdt_symbols symbols = { .pc = t->pc };
	struct elf elf;
	bool open = false;

	(void)g;
	if (usdt_operands_need_pc(&arch_host, t->operands)) {
		if (elf_open(&elf, t->file, e))
			return e->code;
		open = true;
		symbols.find = find_symbol;
		symbols.arg = &elf;
	}
	user_shape(env, out);
	out->has_func = false;
	out->regs = regs;
	out->nregs = usdt_operands_parse(&arch_host, t->operands, &symbols, regs, max);
	if (open)
		elf_close(&elf);
	return 0;
}

static bool same_operands(const struct target *a, const struct target *b)
{
	return !strcmp(a->operands, b->operands) &&
	       (a->pc == b->pc || !usdt_operands_need_pc(&arch_host, a->operands));
}

static int group_usdts(struct probe_env *env, const struct targets *targets,
		       const struct group_wants *wants, struct groups *out, struct err *e)
{
	(void)e;
	user_group(env, targets, wants, same_operands, out);
	return 0;
}

struct listing {
	struct arena *arena;
	const struct user_file *file;
	const char *pattern; /* of "provider:name" */
	void (*fn)(void *arg, const struct target *t);
	void *arg;
};

static void list_note(void *arg, const struct note *n)
{
	const struct listing *l = arg;
	const char *rest = arena_printf(l->arena, "%s:%s", n->provider, n->name);
	struct target t = { .provider = &provider_usdt };

	/* "usdt:FILE:NAME" leaves the provider out. */
	if (!wildcard_match(l->pattern, rest) && !wildcard_match(l->pattern, n->name))
		return;
	t.name = arena_printf(l->arena, "usdt:%s:%s", l->file->name, rest);
	l->fn(l->arg, &t);
}

static int list_usdts(struct probe_env *env, const char *pattern,
		      void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	struct listing l = { .arena = env->arena, .fn = fn, .arg = arg };
	const char *word = user_files_split(env->arena, pattern, &l.pattern);
	struct user_files files = {};

	int err = user_files_find(env, word, &files, e);
	if (err)
		return err;
	vec_each(file, &files) {
		l.file = *file;
		each_note(*file, list_note, &l);
	}
	return 0;
}

const struct provider provider_usdt = {
	.name = "usdt",
	.aliases = (const char *const[]){ "U", NULL },
	.flags = PV_ENTRY_ARGS | PV_LAST_FIRST | PV_USER,
	.doc = "A static probe of a program or library is reached.",
	.usage = "usdt:FILE:[PROVIDER:]NAME",
	.expand = expand_usdt,
	.shape = shape_usdt,
	.group = group_usdts,
	.attach = user_attach,
	.list = list_usdts,
};
