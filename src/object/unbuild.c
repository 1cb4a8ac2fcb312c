/*
 * The plan of an object that object_build() wrote.
 */
#include "object/build.h"
#include "object/identity.h"
#include "object/wire.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

struct file {
	const uint8_t *data;
	size_t size;
	struct arena *arena;
	struct err *e;
};

struct bytes {
	const uint8_t *at;
	size_t size;
};

static bool is_inside(uint64_t off, uint64_t size, uint64_t whole)
{
	return off <= whole && size <= whole - off;
}

/* Bytes of the i-th section, its name in *name; false where the file is damaged. */
static bool section_at(const struct file *f, const Elf64_Ehdr *h, unsigned i, const char **name,
		       struct bytes *out)
{
	Elf64_Shdr s, names;

	memcpy(&s, f->data + h->e_shoff + i * sizeof(s), sizeof(s));
	memcpy(&names, f->data + h->e_shoff + h->e_shstrndx * sizeof(s), sizeof(s));
	if (!is_inside(s.sh_offset, s.sh_size, f->size) ||
	    !is_inside(names.sh_offset, names.sh_size, f->size) || s.sh_name >= names.sh_size ||
	    !memchr(f->data + names.sh_offset + s.sh_name, '\0', names.sh_size - s.sh_name))
		return false;
	*name = (const char *)f->data + names.sh_offset + s.sh_name;
	*out = (struct bytes){ f->data + s.sh_offset, s.sh_size };
	return true;
}

/* The bytes of a section by its name; false when there is none. */
static bool find_section(const struct file *f, const char *wanted, struct bytes *out)
{
	const char *name;
	Elf64_Ehdr h;

	if (f->size < sizeof(h))
		return false;
	memcpy(&h, f->data, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_machine != EM_BPF ||
	    h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shstrndx >= h.e_shnum ||
	    !is_inside(h.e_shoff, (uint64_t)h.e_shnum * sizeof(Elf64_Shdr), f->size))
		return false;
	for (unsigned i = 1; i < h.e_shnum; i++)
		if (section_at(f, &h, i, &name, out) && !strcmp(name, wanted))
			return true;
	return false;
}

static int damaged(const struct file *f, const struct plan_prog *p)
{
	return err_set(f->e, -EINVAL, "the instructions of %.64s are not where they should be",
		       p->name);
}

/* A program's functions from their sections, behind each other again. */
static int take_insns(const struct file *f, struct plan_prog *p, const struct wire_prog *w)
{
	struct image *img = &p->image;
	uint32_t n = img->nfuncs ? img->nfuncs : 1, at = 0;
	struct bytes code;

	if (img->ninsns > f->size / sizeof(*img->insns))
		return damaged(f, p);
	img->insns = arena_array(f->arena, struct bpf_insn, img->ninsns + 1);
	for (uint32_t k = 0; k < n; k++) {
		const struct wire_func *func = &w->funcs[k];
		uint64_t size = func->n * (uint64_t)sizeof(struct bpf_insn);

		if ((img->nfuncs && img->funcs[k] != at) || func->n > img->ninsns - at ||
		    !find_section(f, func->section, &code) ||
		    !is_inside(func->at, size, code.size))
			return damaged(f, p);
		memcpy(img->insns + at, code.at + func->at, size);
		at += func->n;
	}
	if (at != img->ninsns)
		return damaged(f, p);
	for (uint32_t i = 0; i < w->ncalls; i++) {
		struct wire_call c = w->calls[i];

		if (c.insn >= img->ninsns || c.func >= img->nfuncs)
			return damaged(f, p);
		img->insns[c.insn].imm = (int32_t)img->funcs[c.func] - (int32_t)c.insn - 1;
	}
	return 0;
}

static int read_plan(struct file *f, struct bytes own, struct plan *p, struct built_config *cfg)
{
	struct wire w = {
		.at = own.at, .end = own.at + own.size, .arena = p->arena, .types = p->types
	};
	struct wire_prog *progs = NULL;

	wire_plan(&w, p, &progs, cfg);
	if (w.bad || w.at != w.end)
		return err_set(f->e, -EINVAL, "its section .scry is damaged");
	int err = plan_check(p, f->e);
	for (size_t i = 0; i < p->progs.len && !err; i++)
		err = take_insns(f, &p->progs.data[i], &progs[i]);
	return err;
}

int object_plan(struct arena *a, struct typetab *types, struct sources *sources,
		const void *data, size_t size, struct plan **plan, struct built_config *cfg,
		struct err *e)
{
	struct file f = { .data = data, .size = size, .arena = a, .e = e };
	struct bytes own;

	if (!find_section(&f, ".scry", &own))
		return -ENOENT;
	long skip = identity_check((const char *)own.at, own.size, e);
	if (skip < 0)
		return (int)skip;
	own.at += skip;
	own.size -= (size_t)skip;
	*plan = arena_new(a, struct plan);
	(*plan)->arena = a;
	(*plan)->types = types;
	(*plan)->sources = sources;
	*cfg = (struct built_config){};
	return read_plan(&f, own, *plan, cfg);
}
