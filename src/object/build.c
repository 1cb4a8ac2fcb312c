#include "object/build.h"

#include "base/auto.h"
#include "kernel/proc.h"
#include "object/btf_out.h"
#include "object/elf_out.h"
#include "object/identity.h"
#include "object/wire.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct builder {
	const struct plan *plan;
	struct arena *arena;
	struct elf_out elf;
	struct btf_out btf;
	struct elf_symbol *kmaps; /* symbols of the maps */
	bool *is_data;		  /* the map is a section of data */
	struct wire_prog *progs;
	uint32_t file; /* the script's name, in the BTF */
	uint32_t text; /* section .text */
	struct elf_symbol text_symbol;
	struct err *e;
};

/* A name as C has them. */
static const char *identifier(struct arena *a, const char *prefix, const char *s)
{
	char *out = arena_printf(a, "%s%s", prefix, s);

	for (char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return *out && !isdigit((unsigned char)*out) ? out : arena_printf(a, "_%s", out);
}

/* --- maps --- */

/* A section of data becomes an array of one element, which programs address directly. */
static bool is_addressed(const struct plan *plan, uint32_t kmap)
{
	vec_each(p, &plan->progs) {
		for (uint32_t i = 0; i < p->image.nrelocs; i++)
			if (p->image.relocs[i].map == kmap &&
			    p->image.relocs[i].kind == RELOC_VALUE)
				return true;
	}
	return kmap == KMAP_GLOBALS;
}

static uint32_t type_id(struct builder *b, const struct type *t, uint32_t size);

static uint32_t compound_id(struct builder *b, const struct type *t)
{
	uint32_t n;
	const struct field *f = type_fields(b->plan->types, t, &n);
	uint32_t *ids = arena_array(b->arena, uint32_t, n + 1);

	for (uint32_t i = 0; i < n; i++)
		ids[i] = type_id(b, f[i].type, f[i].type->size);
	uint32_t id = btf_out_struct(&b->btf, "", t->size, n);
	for (uint32_t i = 0; i < n; i++)
		btf_out_member(&b->btf,
			       f[i].name && *f[i].name ? identifier(b->arena, "", f[i].name)
						       : arena_printf(b->arena, "_%u", i),
			       ids[i], f[i].bit_off / 8);
	return id;
}

static bool has_bits(const struct type *t)
{
	for (uint32_t i = 0; i < t->nfields; i++)
		if (t->fields[i].bit_size || t->fields[i].bit_off % 8)
			return true;
	return false;
}

/* C's closest type for one of the language, of size bytes: words or bytes for most. */
static uint32_t type_id(struct builder *b, const struct type *t, uint32_t size)
{
	if (t && t->size != size)
		t = NULL;
	if (t && (t->kind == T_TUPLE || t->kind == T_RECORD) && !has_bits(t))
		return compound_id(b, t);
	if (t && t->kind == T_STRING)
		return btf_out_array(&b->btf, btf_out_char(&b->btf), size);
	if (type_is_int_size(size))
		return btf_out_int(&b->btf, size, t && t->is_signed);
	if (size % 8)
		return btf_out_array(&b->btf, btf_out_int(&b->btf, 1, false), size);
	return btf_out_array(&b->btf, btf_out_int(&b->btf, 8, false), size / 8);
}

static const struct plan_map *map_of(const struct plan *plan, uint32_t kmap)
{
	vec_each(m, &plan->maps)
		if ((m->store == STORE_HASH || m->store == STORE_PERCPU_HASH) &&
		    m->kmap == kmap)
			return m;
	return NULL;
}

enum { MEMBER_BYTES = 8, RING_BYTES = 1 << 20 };

/* The type of one map's description in .maps; *size is what its variable takes. */
static uint32_t describe_map(struct builder *b, uint32_t i, uint32_t *size)
{
	const struct plan_kmap *k = &b->plan->kmaps.data[i];
	const struct plan_map *m = map_of(b->plan, i);
	bool has_key = k->key_size, ring = k->type == BPF_MAP_TYPE_RINGBUF;
	uint32_t ids[5], n = 0, at = 0;

	ids[n++] = btf_out_number(&b->btf, k->type);
	ids[n++] = btf_out_number(&b->btf, ring ? RING_BYTES : k->max_entries);
	ids[n++] = btf_out_number(&b->btf, k->flags);
	if (has_key && !ring) {
		ids[n++] = btf_out_ptr(&b->btf, type_id(b, m ? m->key : NULL, k->key_size));
		ids[n++] = btf_out_ptr(&b->btf, type_id(b, m ? m->value : NULL, k->value_size));
	}
	static const char *const NAMES[] = { "type", "max_entries", "map_flags", "key",
					     "value" };
	uint32_t id = btf_out_struct(&b->btf, "", n * MEMBER_BYTES, n);
	for (uint32_t j = 0; j < n; j++, at += MEMBER_BYTES)
		btf_out_member(&b->btf, NAMES[j], ids[j], at);
	*size = n * MEMBER_BYTES;
	return id;
}

static const char *map_name(struct builder *b, uint32_t i)
{
	const struct plan_map *m = map_of(b->plan, i);

	return identifier(b->arena, m ? "map_" : "",
			  m ? m->name + (*m->name == '@') : b->plan->kmaps.data[i].name);
}

/* A name is taken once: a number is put behind the second. */
static const char *free_name(struct builder *b, const char *name)
{
	for (unsigned n = 2;; n++) {
		bool taken = false;

		vec_each(s, &b->elf.globals)
			taken |= !strcmp(b->elf.names.s + s->st_name, name);
		if (!taken)
			return name;
		name = arena_printf(b->arena, "%s_%u", name, n);
	}
}

static void put_data(struct builder *b, uint32_t i)
{
	const struct plan_kmap *k = &b->plan->kmaps.data[i];
	const char *name = i == KMAP_GLOBALS
				   ? ".data"
				   : arena_printf(b->arena, ".data.%s%u",
						  identifier(b->arena, "", k->name), i);
	uint32_t section = elf_out_section(&b->elf, name, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE);
	struct elf_section *s = elf_out_at(&b->elf, section);
	const char *var =
		free_name(b, i == KMAP_GLOBALS ? "globals" : identifier(b->arena, "", k->name));

	if (k->init)
		sb_write(&s->data, k->init, k->value_size);
	else
		sb_fill(&s->data, '\0', (long)k->value_size);
	elf_out_symbol(&b->elf, var, true, STT_OBJECT, section, 0, k->value_size);
	b->kmaps[i] = elf_out_symbol(&b->elf, "", false, STT_SECTION, section, 0, 0);
	b->is_data[i] = true;
	uint32_t id = btf_out_var(&b->btf, var, type_id(b, NULL, k->value_size));
	btf_out_datasec(&b->btf, name, k->value_size, 1);
	btf_out_secvar(&b->btf, id, 0, k->value_size);
}

static int put_maps(struct builder *b)
{
	const struct plan *p = b->plan;
	uint32_t n = (uint32_t)p->kmaps.len, nvars = 0, at = 0, sizes[3];
	uint32_t *vars = arena_array(b->arena, uint32_t, n * 2 + 1);
	uint32_t section =
		elf_out_section(&b->elf, ".maps", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE);

	for (uint32_t i = 0; i < n; i++) {
		const struct plan_kmap *k = &p->kmaps.data[i];

		if (k->type == BPF_MAP_TYPE_UNSPEC || (i == KMAP_RING && !p->uses_ring))
			continue;
		if (is_addressed(p, i) &&
		    (k->type != BPF_MAP_TYPE_ARRAY || k->max_entries != 1))
			return err_set(b->e, -ENOTSUP,
				       "map %s of several elements is addressed directly",
				       k->name);
		if (is_addressed(p, i)) {
			put_data(b, i);
			continue;
		}
		const char *name = free_name(b, map_name(b, i));
		uint32_t id = describe_map(b, i, &sizes[0]);
		vars[nvars * 2] = btf_out_var(&b->btf, name, id);
		vars[nvars++ * 2 + 1] = sizes[0];
		b->kmaps[i] =
			elf_out_symbol(&b->elf, name, true, STT_OBJECT, section, at, sizes[0]);
		at += sizes[0];
	}
	sb_fill(&elf_out_at(&b->elf, section)->data, '\0', (long)at);
	if (nvars)
		btf_out_datasec(&b->btf, ".maps", at, nvars);
	for (uint32_t i = 0, off = 0; i < nvars; off += vars[i++ * 2 + 1])
		btf_out_secvar(&b->btf, vars[i * 2], off, vars[i * 2 + 1]);
	return 0;
}

/* --- programs --- */

/* "kprobe/vfs_read": what libbpf attaches by itself, or else the bare kind. */
static const char *section_name(struct builder *b, const struct plan_prog *p)
{
	const struct group *g = p->when == PROG_ATTACHED ? p->group : NULL;
	const struct target *t = g ? g->targets.data[0] : NULL;
	bool one = g && g->targets.len == 1, ret = false;

	if (!g)
		return "raw_tp";
	ret = strstr(g->provider->name, "ret") != NULL;
	switch (g->way) {
	case ATTACH_KPROBE_MULTI:
		if (one && !t->offset)
			return arena_printf(b->arena, "k%sprobe.multi/%s", ret ? "ret" : "",
					    t->symbol);
		return ret ? "kretprobe.multi" : "kprobe.multi";
	case ATTACH_RAW_TP:
	case ATTACH_SYSCALL_TP:
		if (g->prog_type == BPF_PROG_TYPE_TRACING)
			return one && t->event ? arena_printf(b->arena, "tp_btf/%s", t->event)
					       : "tp_btf/sys_enter";
		return one && t->event ? arena_printf(b->arena, "raw_tp/%s", t->event)
				       : "raw_tp";
	case ATTACH_TRAMPOLINE:
		return arena_printf(b->arena, "%s/%s",
				    g->expected_attach == BPF_TRACE_FEXIT ? "fexit" : "fentry",
				    t->symbol);
	case ATTACH_ITER:
		return arena_printf(b->arena, "%s/%s", g->sleepable ? "iter.s" : "iter",
				    t->event ? t->event : "task");
	default: break;
	}
	if (g->prog_type == BPF_PROG_TYPE_TRACEPOINT)
		return one ? arena_printf(b->arena, "tracepoint/%s/%s", t->category, t->event)
			   : "tracepoint";
	if (g->prog_type == BPF_PROG_TYPE_PERF_EVENT)
		return "perf_event";
	if (t->file && one && t->symbol && !t->by_line && !t->operands)
		return arena_printf(
			b->arena, t->offset ? "u%sprobe/%s:%s+%llu" : "u%sprobe/%s:%s",
			ret ? "ret" : "", t->file, t->symbol, (unsigned long long)t->offset);
	if (t->file)
		return ret ? "uretprobe" : "uprobe";
	if (one && t->symbol && !t->addr)
		return arena_printf(b->arena, t->offset ? "k%sprobe/%s+%llu" : "k%sprobe/%s",
				    ret ? "ret" : "", t->symbol, (unsigned long long)t->offset);
	return ret ? "kretprobe" : "kprobe";
}

/* The lines that the instructions from..to of an image were made for. */
static void put_lines(struct builder *b, const struct image *img, uint32_t from, uint32_t to,
		      const char *section, uint32_t at)
{
	struct span last = {};

	for (uint32_t i = from; i < to; i++) {
		struct span span = img->spans[i];
		struct location loc;

		if (i > from &&
		    ((span.beg == last.beg && span.end == last.end) || !img->insns[i].code ||
		     !source_locate(b->plan->sources, span, &loc)))
			continue;
		last = span;
		uint32_t text = 0, line = 0, col = 0;
		if (source_locate(b->plan->sources, span, &loc)) {
			text = btf_out_text(&b->btf, loc.line_text, loc.line_len);
			line = loc.line;
			col = loc.col;
		}
		btf_out_line_info(btf_out_infos(&b->btf, section), at + (i - from) * 8, b->file,
				  text, line, col);
	}
}

/* Instructions from..to of a program as a function of a section. */
static void put_func(struct builder *b, const struct image *img, uint32_t from, uint32_t to,
		     const char *name, uint32_t section, struct wire_func *where)
{
	struct elf_section *s = elf_out_at(&b->elf, section);
	bool is_static = section == b->text;
	uint32_t at = (uint32_t)s->data.len;

	*where = (struct wire_func){ s->name, at, to - from };
	sb_write(&s->data, img->insns + from, (to - from) * sizeof(*img->insns));
	put_lines(b, img, from, to, s->name, at);
	uint32_t func = btf_out_func(&b->btf, name, is_static);
	btf_out_func_info(btf_out_infos(&b->btf, s->name), at, func);
	elf_out_symbol(&b->elf, name, !is_static, STT_FUNC, section, at, (to - from) * 8);
}

struct placed {
	uint32_t section, at; /* of an instruction in the file */
};

static struct placed place(struct builder *b, const struct image *img,
			   const struct wire_prog *w, uint32_t insn)
{
	uint32_t k = 0;

	while (k + 1 < img->nfuncs && img->funcs[k + 1] <= insn)
		k++;
	uint32_t start = img->nfuncs ? img->funcs[k] : 0;
	return (struct placed){ elf_out_section(&b->elf, w->funcs[k].section, 0, 0),
				w->funcs[k].at + (insn - start) * 8 };
}

/* The instruction in the file; the pointer is good until something is added. */
static struct bpf_insn *insn_at(struct builder *b, struct placed p)
{
	return (struct bpf_insn *)(elf_out_at(&b->elf, p.section)->data.s + p.at);
}

static void put_relocs(struct builder *b, const struct image *img, const struct wire_prog *w)
{
	for (uint32_t i = 0; i < img->nrelocs; i++) {
		const struct reloc *r = &img->relocs[i];
		struct placed at = place(b, img, w, r->insn);
		struct bpf_insn *insn = insn_at(b, at);

		insn[0].src_reg = 0;
		insn[0].imm = b->is_data[r->map] ? (int32_t)r->off : 0;
		insn[1].imm = 0;
		elf_out_rel(&b->elf, at.section, at.at, b->kmaps[r->map], REL_BPF_64_64);
	}
}

/* The function that begins at an instruction; nfuncs: none does. */
static uint32_t function_at(const struct image *img, uint32_t insn)
{
	uint32_t k = 0;

	while (k < img->nfuncs && img->funcs[k] != insn)
		k++;
	return k;
}

/* Calls, and addresses of callbacks; which they are goes to the wire too. */
static void put_calls(struct builder *b, const struct image *img, struct wire_prog *w)
{
	w->calls = arena_array(b->arena, struct wire_call, img->ninsns + 1);
	for (uint32_t i = 0; i < img->ninsns; i++) {
		const struct bpf_insn *insn = &img->insns[i];
		uint32_t k = function_at(img, i + 1 + (uint32_t)insn->imm);
		bool wide = insn->code == (BPF_LD | BPF_IMM | BPF_DW);
		bool calls =
			insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
		bool address = wide && insn->src_reg == BPF_PSEUDO_FUNC;

		if ((calls || address) && k < img->nfuncs) {
			struct placed at = place(b, img, w, i);
			/* libbpf takes static functions by their place in .text only. */
			uint32_t to = w->funcs[k].at;

			w->calls[w->ncalls++] = (struct wire_call){ i, k };
			insn_at(b, at)->imm = (int32_t)(calls ? to / 8 - 1 : to);
			elf_out_rel(&b->elf, at.section, at.at, b->text_symbol,
				    calls ? REL_BPF_64_32 : REL_BPF_64_64);
		}
		i += wide;
	}
}

static void put_prog(struct builder *b, uint32_t index)
{
	const struct plan_prog *p = &b->plan->progs.data[index];
	const struct image *img = &p->image;
	struct wire_prog *w = &b->progs[index];
	uint32_t n = img->nfuncs ? img->nfuncs : 1;
	const char *name = free_name(b, identifier(b->arena, "", p->name));
	uint32_t section = elf_out_section(&b->elf, section_name(b, p), SHT_PROGBITS,
					   SHF_ALLOC | SHF_EXECINSTR);

	w->funcs = arena_array(b->arena, struct wire_func, n);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t from = img->nfuncs ? img->funcs[k] : 0;
		uint32_t to = k + 1 < n ? img->funcs[k + 1] : img->ninsns;

		put_func(b, img, from, to,
			 k ? arena_printf(b->arena, "p%u_callback_%u", index, k) : name,
			 k ? b->text : section, &w->funcs[k]);
	}
	put_relocs(b, img, w);
	put_calls(b, img, w);
}

/* --- the file --- */

static void put_licence(struct builder *b)
{
	uint32_t s = elf_out_section(&b->elf, "license", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE);

	sb_write(&elf_out_at(&b->elf, s)->data, "GPL", 4);
	elf_out_symbol(&b->elf, "LICENSE", true, STT_OBJECT, s, 0, 4);
}

static void put_infos(struct builder *b, const struct built_config *cfg)
{
	uint32_t btf = elf_out_section(&b->elf, ".BTF", SHT_PROGBITS, 0);
	uint32_t ext = elf_out_section(&b->elf, ".BTF.ext", SHT_PROGBITS, 0);
	uint32_t own = elf_out_section(&b->elf, ".scry", SHT_PROGBITS, 0);
	struct built_config copy = *cfg;
	struct wire w = { .writing = true,
			  .out = &elf_out_at(&b->elf, own)->data,
			  .arena = b->arena,
			  .types = b->plan->types };

	btf_out_finish(&b->btf, &elf_out_at(&b->elf, btf)->data,
		       &elf_out_at(&b->elf, ext)->data);
	identity_write(w.out);
	wire_plan(&w, (struct plan *)(uintptr_t)b->plan, &b->progs, &copy);
}

/* What only a session can make at its start. */
static int check_plan(const struct plan *plan, struct err *e)
{
	if (plan->unwind_maps) {
		err_set(e, -ENOTSUP,
			"user stacks by unwind tables cannot be in an object file");
		return err_hint(e, "run the program itself, or use --unwind fp");
	}
	if (plan->packets_kmap) {
		err_set(e, -ENOTSUP, "skboutput() cannot be in an object file");
		return err_hint(e, "run the program itself");
	}
	if (plan->calls_kernel) {
		err_set(e, -ENOTSUP,
			"a function of the kernel is called, which has another "
			"number in other kernels");
		return err_hint(e, "run the program itself");
	}
	vec_each(p, &plan->progs)
		if (p->when == PROG_ATTACHED && p->group->attach_prog_id)
			return err_set(
				e, -ENOTSUP,
				"%s traces a BPF program, which has another id each time",
				p->name);
	return 0;
}

int object_build(const struct plan *plan, const struct built_config *cfg, struct sb *out,
		 struct err *e)
{
	auto_arena struct arena a = {};
	struct builder b = { .plan = plan, .arena = &a, .e = e };

	elf_out_init(&b.elf, &a);
	btf_out_init(&b.btf, &a);
	b.kmaps = arena_array(&a, struct elf_symbol, plan->kmaps.len);
	b.is_data = arena_array(&a, bool, plan->kmaps.len);
	b.progs = arena_array(&a, struct wire_prog, plan->progs.len + 1);
	const char *file =
		plan->sources->files.len ? plan->sources->files.data[0].name : "stdin";
	b.file = btf_out_text(&b.btf, file, strlen(file));
	put_licence(&b);
	int err = check_plan(plan, e);
	if (!err)
		err = put_maps(&b);
	b.text = elf_out_section(&b.elf, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR);
	b.text_symbol = elf_out_symbol(&b.elf, "", false, STT_SECTION, b.text, 0, 0);
	for (uint32_t i = 0; i < plan->progs.len && !err; i++)
		put_prog(&b, i);
	if (!err) {
		put_infos(&b, cfg);
		elf_out_finish(&b.elf, out);
	}
	btf_out_fini(&b.btf);
	elf_out_fini(&b.elf);
	return err;
}
