#include "bpf/object.h"

#include "bpf/object_lines.h"
#include "bpf/object_maps.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

/* Relocations of the BPF psABI. */
enum { REL_64_64 = 1, REL_64_32 = 10 };

enum { EXTERN_BYTES = 4096, EXTERN_SECTION = UINT32_MAX };

/* A symbol that the kernel's configuration defines, and where its value is. */
struct extern_place {
	const Elf64_Sym *symbol;
	uint32_t off;
};

struct bpf_object_file {
	struct arena *arena;
	const uint8_t *data;
	size_t size;
	const Elf64_Ehdr *header;
	const Elf64_Shdr *sections;
	const Elf64_Sym *symbols;
	uint32_t nsymbols, symbol_names; /* symbol_names: section of their names */
	uint32_t text;			 /* section .text, 0 = none */
	struct bpf_object *out;
	struct err *err;
	const struct bpf_object_outside *outside; /* or NULL */
	const struct bpf_object_config *config;	  /* or NULL */
	uint8_t *externs;			  /* what the array ".kconfig" holds */
	VEC(struct extern_place) extern_places;
};

static bool inside(const struct bpf_object_file *r, uint64_t off, uint64_t size)
{
	return off <= r->size && size <= r->size - off;
}

static int bad(struct bpf_object_file *r, const char *what)
{
	return err_set(r->err, -EINVAL, "bad object file: %s", what);
}

/* A string of a string section, "" outside of it. */
static const char *string(const struct bpf_object_file *r, uint32_t section, uint32_t off)
{
	const Elf64_Shdr *s = &r->sections[section];
	const char *p = (const char *)r->data + s->sh_offset;

	return section && s->sh_type == SHT_STRTAB && off < s->sh_size &&
			       memchr(p + off, '\0', s->sh_size - off)
		       ? p + off
		       : "";
}

static const char *section_name(const struct bpf_object_file *r, uint32_t section)
{
	return string(r, r->header->e_shstrndx, r->sections[section].sh_name);
}

/* Some writers align symbols to 4 bytes only; those are copied to where they can be read. */
static void take_symbols(struct bpf_object_file *r, const Elf64_Shdr *s)
{
	r->nsymbols = (uint32_t)(s->sh_size / sizeof(Elf64_Sym));
	r->symbol_names = s->sh_link;
	if (s->sh_offset % 8 == 0) {
		r->symbols = (const Elf64_Sym *)(r->data + s->sh_offset);
		return;
	}
	Elf64_Sym *copy = arena_array(r->arena, Elf64_Sym, r->nsymbols);

	memcpy(copy, r->data + s->sh_offset, r->nsymbols * sizeof(*copy));
	r->symbols = copy;
}

/* Checks every offset that is used later, once. */
static int open_file(struct bpf_object_file *r)
{
	const Elf64_Ehdr *h = r->header = (const Elf64_Ehdr *)r->data;

	if (r->size < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return bad(r, "no 64-bit little-endian ELF");
	if (h->e_machine != EM_BPF || h->e_type != ET_REL)
		return bad(r, "not for BPF");
	if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff % 8 || !h->e_shnum ||
	    h->e_shstrndx >= h->e_shnum ||
	    !inside(r, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
		return bad(r, "its sections are outside of it");
	r->sections = (const Elf64_Shdr *)(r->data + h->e_shoff);
	for (uint32_t i = 0; i < h->e_shnum; i++) {
		const Elf64_Shdr *s = &r->sections[i];

		if (s->sh_type != SHT_NOBITS && !inside(r, s->sh_offset, s->sh_size))
			return bad(r, "a section is outside of it");
		if (s->sh_type == SHT_SYMTAB && s->sh_link < h->e_shnum && !r->symbols)
			take_symbols(r, s);
	}
	for (uint32_t i = 1; i < h->e_shnum; i++) {
		if (!strcmp(section_name(r, i), ".text"))
			r->text = i;
	}
	return r->symbols ? 0 : bad(r, "it has no symbols");
}

static const char *symbol_name(const struct bpf_object_file *r, const Elf64_Sym *s)
{
	return string(r, r->symbol_names, s->st_name);
}

/* --- maps --- */

static const Elf64_Shdr *find_section(const struct bpf_object_file *r, const char *name)
{
	for (uint32_t i = 1; i < r->header->e_shnum; i++) {
		if (r->sections[i].sh_type != SHT_NOBITS && !strcmp(section_name(r, i), name))
			return &r->sections[i];
	}
	return NULL;
}

/* Definitions that are numbers: what came before .maps, and what writers without BTF use. */
static bool has_classic_maps(const struct bpf_object_file *r, uint32_t section)
{
	const char *name = section_name(r, section);

	return !strcmp(name, "maps") || !strncmp(name, "maps/", 5);
}

static int read_classic_map(struct bpf_object_file *r, const Elf64_Sym *s)
{
	const Elf64_Shdr *section = &r->sections[s->st_shndx];
	struct bpf_object_map map = { .name = symbol_name(r, s) };

	if (section->sh_type == SHT_NOBITS || s->st_value > section->sh_size ||
	    s->st_size > section->sh_size - s->st_value)
		return bad(r, "a map is outside of its section");
	int ret = object_map_from_numbers(r->data + section->sh_offset + s->st_value,
					  s->st_size, &map, r->err);
	if (!ret)
		vec_push(r->arena, &r->out->maps, map);
	return ret;
}

static int read_map(struct bpf_object_file *r, const Elf64_Sym *s)
{
	if (has_classic_maps(r, s->st_shndx))
		return read_classic_map(r, s);
	const Elf64_Shdr *btf = find_section(r, ".BTF");
	struct bpf_object_map map = { .name = symbol_name(r, s) }, inner = { 0 };
	int ret = object_map_from_btf(btf ? r->data + btf->sh_offset : NULL,
				      btf ? btf->sh_size : 0, map.name, &map, &inner, r->err);

	if (!ret && inner.type) {
		vec_push(r->arena, &r->out->maps, inner);
		map.inner = (uint32_t)r->out->maps.len;
	}
	if (!ret)
		vec_push(r->arena, &r->out->maps, map);
	return ret;
}

/* The number of the array that stands for a section of data; made on first use. */
static int data_map(struct bpf_object_file *r, uint32_t section, uint32_t *number)
{
	const Elf64_Shdr *s = &r->sections[section];

	for (*number = 1; *number <= r->out->maps.len; ++*number) {
		if (r->out->maps.data[*number - 1].section == section)
			return 0;
	}
	if (!s->sh_size || s->sh_size > 1u << 26)
		return bad(r, "a section of data is empty or too large");
	struct bpf_object_map map = { .name = section_name(r, section),
				      .type = BPF_MAP_TYPE_ARRAY,
				      .key_size = 4,
				      .value_size = (uint32_t)s->sh_size,
				      .max_entries = 1,
				      .data = s->sh_type == SHT_NOBITS
						      ? arena_alloc(r->arena, s->sh_size)
						      : r->data + s->sh_offset,
				      .section = section };
	vec_push(r->arena, &r->out->maps, map);
	return 0;
}

static int read_maps(struct bpf_object_file *r)
{
	for (uint32_t i = 0; i < r->nsymbols; i++) {
		const Elf64_Sym *s = &r->symbols[i];

		if (s->st_shndx >= r->header->e_shnum ||
		    ELF64_ST_TYPE(s->st_info) != STT_OBJECT ||
		    (strcmp(section_name(r, s->st_shndx), ".maps") != 0 &&
		     !has_classic_maps(r, s->st_shndx)))
			continue;
		int ret = read_map(r, s);
		if (ret)
			return ret;
	}
	return 0;
}

static bool find_map(const struct bpf_object_file *r, const char *name, uint32_t *number)
{
	for (*number = 1; *number <= r->out->maps.len; ++*number) {
		if (!strcmp(r->out->maps.data[*number - 1].name, name))
			return true;
	}
	return false;
}

static const Elf64_Sym *map_at(const struct bpf_object_file *r, uint32_t section, uint64_t off)
{
	for (uint32_t i = 0; i < r->nsymbols; i++) {
		const Elf64_Sym *s = &r->symbols[i];

		if (s->st_shndx == section && ELF64_ST_TYPE(s->st_info) == STT_OBJECT &&
		    off >= s->st_value && off - s->st_value < s->st_size)
			return s;
	}
	return NULL;
}

/* ".values = { &counts }": the address of a map or a program in the variable of a map. */
static int read_element(struct bpf_object_file *r, uint32_t section, const Elf64_Rel *rel)
{
	const Elf64_Sym *holder = map_at(r, section, rel->r_offset);
	uint32_t symbol = (uint32_t)ELF64_R_SYM(rel->r_info), outer;
	struct bpf_object_element e = { 0 };

	if (!holder || symbol >= r->nsymbols || !find_map(r, symbol_name(r, holder), &outer))
		return bad(r, "an address in .maps is outside of it");
	struct bpf_object_map *m = &r->out->maps.data[outer - 1];
	const Elf64_Sym *s = &r->symbols[symbol];
	if (m->type == BPF_MAP_TYPE_PROG_ARRAY && ELF64_ST_TYPE(s->st_info) == STT_FUNC)
		e.prog = symbol_name(r, s);
	else if (!m->inner || s->st_shndx != section || !find_map(r, symbol_name(r, s), &e.map))
		return err_set(r->err, -ENOTSUP, "map %s: what it begins with is not supported",
			       m->name);
	if (rel->r_offset - holder->st_value < m->values)
		return bad(r, "an address in .maps is none of a map's values");
	e.key = (uint32_t)((rel->r_offset - holder->st_value - m->values) / 8);
	vec_push(r->arena, &m->elements, e);
	return 0;
}

static int read_elements(struct bpf_object_file *r)
{
	int ret = 0;

	for (uint32_t i = 1; i < r->header->e_shnum; i++) {
		const Elf64_Shdr *s = &r->sections[i];

		if (s->sh_type != SHT_REL || s->sh_info >= r->header->e_shnum ||
		    s->sh_offset % 8 || strcmp(section_name(r, s->sh_info), ".maps") != 0)
			continue;
		const Elf64_Rel *rels = (const Elf64_Rel *)(r->data + s->sh_offset);
		for (uint64_t k = 0; k < s->sh_size / sizeof(*rels) && !ret; k++)
			ret = read_element(r, s->sh_info, &rels[k]);
	}
	return ret;
}

/* --- programs --- */

/* A function of a section, at `at` in a program that is being put together. */
struct piece {
	uint32_t section;
	uint64_t from, to; /* bytes of the section */
	uint32_t at;
};

/* A program: its function first, then those of .text that are called. */
struct joined {
	const char *name;
	VEC(struct bpf_insn) insns;
	VEC(struct piece) pieces;
};

static int add_piece(struct bpf_object_file *r, struct joined *j, uint32_t section,
		     const Elf64_Sym *s)
{
	const Elf64_Shdr *code = &r->sections[section];

	if (s->st_value > code->sh_size || s->st_size > code->sh_size - s->st_value ||
	    s->st_value % 8 || s->st_size % 8 || !s->st_size || code->sh_type == SHT_NOBITS)
		return bad(r, "a function is outside of its section");
	vec_push(r->arena, &j->pieces,
		 (struct piece){ section, s->st_value, s->st_value + s->st_size,
				 (uint32_t)j->insns.len });
	for (uint64_t off = 0; off < s->st_size; off += sizeof(struct bpf_insn)) {
		struct bpf_insn insn;

		memcpy(&insn, r->data + code->sh_offset + s->st_value + off, sizeof(insn));
		vec_push(r->arena, &j->insns, insn);
	}
	return 0;
}

/* Where in the program the byte of a section is; a function of .text is added when it is new.
 */
static int place(struct bpf_object_file *r, struct joined *j, uint32_t section, uint64_t off,
		 int64_t *at)
{
	vec_each(p, &j->pieces) {
		if (p->section == section && off >= p->from && off < p->to) {
			*at = p->at + (int64_t)((off - p->from) / 8);
			return 0;
		}
	}
	for (uint32_t i = 0; i < r->nsymbols && section == r->text; i++) {
		const Elf64_Sym *s = &r->symbols[i];

		if (s->st_shndx != section || ELF64_ST_TYPE(s->st_info) != STT_FUNC ||
		    s->st_value != off)
			continue;
		*at = (int64_t)j->insns.len;
		return add_piece(r, j, section, s);
	}
	return bad(r, "a call goes to no function of it");
}

static int relocate_data(struct bpf_object_file *r, struct bpf_insn *p, const Elf64_Sym *s)
{
	bool classic = has_classic_maps(r, s->st_shndx);
	uint32_t number;

	if (!insn_is_wide(p))
		return bad(r, "an address is wanted where there is no 64-bit immediate");
	/* Of a static map the relocation may name the section only. */
	if (classic && !(s = map_at(r, s->st_shndx, s->st_value + (uint32_t)p->imm)))
		return bad(r, "an address in its section of maps is none of a map");
	if (classic || !strcmp(section_name(r, s->st_shndx), ".maps")) {
		int ret = find_map(r, symbol_name(r, s), &number) ? 0 : read_map(r, s);

		if (ret)
			return ret;
		p->src_reg = BPF_PSEUDO_MAP_FD;
		p[0].imm = (int32_t)number;
		return 0;
	}
	int ret = data_map(r, s->st_shndx, &number);
	if (ret)
		return ret;
	p[1].imm = (int32_t)((uint32_t)p->imm + s->st_value);
	p->src_reg = BPF_PSEUDO_MAP_VALUE;
	p[0].imm = (int32_t)number;
	return 0;
}

/* --- variables of the kernel's configuration --- */

static bool is_config(const char *name)
{
	return !strncmp(name, "CONFIG_", 7) || !strncmp(name, "LINUX_", 6);
}

/* Writes a value as the type takes it: libbpf's rules. */
static bool write_config(const struct object_extern *x, const char *text, uint8_t *to)
{
	uint64_t number = *text == 'y' ? 1 : *text == 'm' ? 2 : 0;

	if (*text == '"') {
		size_t len = strcspn(text + 1, "\"");

		memcpy(to, text + 1, len < x->size ? len : x->size - 1u);
		return x->is_text;
	}
	if (*text == 'y' || *text == 'm' || *text == 'n') {
		if (x->is_char)
			number = (uint8_t)*text;
		else if (number == 2 && !x->is_enum)
			return false;
	} else {
		number = (uint64_t)strtoll(text, NULL, 0);
	}
	memcpy(to, &number, x->size <= 8 ? x->size : 8);
	return !x->is_text;
}

/* The array of all of them, made with the first. */
static uint32_t extern_map(struct bpf_object_file *r)
{
	for (uint32_t i = 0; i < r->out->maps.len; i++)
		if (r->out->maps.data[i].section == EXTERN_SECTION)
			return i + 1;
	vec_push(r->arena, &r->out->maps,
		 ((struct bpf_object_map){ .name = ".kconfig",
					   .type = BPF_MAP_TYPE_ARRAY,
					   .key_size = 4,
					   .value_size = EXTERN_BYTES,
					   .max_entries = 1,
					   .data = r->externs,
					   .section = EXTERN_SECTION }));
	return (uint32_t)r->out->maps.len;
}

static int place_config(struct bpf_object_file *r, const char *prog, const Elf64_Sym *s,
			uint32_t *off)
{
	const Elf64_Shdr *btf = find_section(r, ".BTF");
	const char *name = symbol_name(r, s);
	struct object_extern x;
	size_t n = r->extern_places.len;

	vec_each(p, &r->extern_places) {
		*off = p->off;
		if (p->symbol == s)
			return 0;
	}
	if (!btf || !object_extern_find(r->data + btf->sh_offset, btf->sh_size, name, &x))
		return err_set(r->err, -EINVAL, "%s: the BTF does not say what it is", name);
	*off = n ? r->extern_places.data[n - 1].off + 64 : 0;
	if (x.size > 64 || *off + 64 > EXTERN_BYTES)
		return err_set(r->err, -ENOTSUP, "%s: there is no room for it", name);
	const char *text = r->config ? r->config->value(r->config->arg, name) : NULL;
	if (!text && ELF64_ST_BIND(s->st_info) != STB_WEAK)
		return err_set(r->err, -ENOTSUP,
			       "%s needs %s, which this kernel's configuration does not set",
			       prog, name);
	if (!r->externs)
		r->externs = arena_alloc(r->arena, EXTERN_BYTES);
	if (text && !write_config(&x, text, r->externs + *off))
		return err_set(r->err, -EINVAL, "%s is %s, which its type does not hold", name,
			       text);
	vec_push(r->arena, &r->extern_places, ((struct extern_place){ s, *off }));
	uint32_t number = extern_map(r); /* which may move the maps */
	r->out->maps.data[number - 1].value_size = *off + 64;
	return 0;
}

/* A symbol that is not in the file: of the configuration, or weak and 0. */
static int link_config(struct bpf_object_file *r, const char *prog, struct bpf_insn *p,
		       const Elf64_Sym *s)
{
	uint32_t off = 0, number;

	if (!insn_is_wide(p) ||
	    (!is_config(symbol_name(r, s)) && ELF64_ST_BIND(s->st_info) != STB_WEAK))
		return err_set(r->err, -ENOTSUP, "%s needs %s, which is not in the file", prog,
			       symbol_name(r, s));
	if (!is_config(symbol_name(r, s))) {
		p[0].src_reg = 0;
		p[0].imm = p[1].imm = 0;
		return 0;
	}
	int ret = place_config(r, prog, s, &off);
	if (ret)
		return ret;
	number = extern_map(r);
	p[0].src_reg = BPF_PSEUDO_MAP_VALUE;
	p[1].imm = (int32_t)((uint32_t)p->imm + off);
	p[0].imm = (int32_t)number;
	return 0;
}

/* The relocation of a place, NULL when there is none. */
static const Elf64_Rel *find_rel(const struct bpf_object_file *r, uint32_t section,
				 uint64_t off)
{
	for (uint32_t i = 1; i < r->header->e_shnum; i++) {
		const Elf64_Shdr *s = &r->sections[i];

		if (s->sh_type != SHT_REL || s->sh_info != section || s->sh_offset % 8)
			continue;
		const Elf64_Rel *rels = (const Elf64_Rel *)(r->data + s->sh_offset);
		for (uint64_t k = 0; k < s->sh_size / sizeof(*rels); k++) {
			if (rels[k].r_offset == off)
				return &rels[k];
		}
	}
	return NULL;
}

/*
 * The symbol a relocation means; NULL with the error set when there is none.  What is not in
 * the file may be of the kernel: a function when somebody knows them, a variable.
 */
static const Elf64_Sym *target_of(struct bpf_object_file *r, const struct joined *j,
				  const Elf64_Rel *rel, bool calls)
{
	uint32_t symbol = (uint32_t)ELF64_R_SYM(rel->r_info);

	if (symbol >= r->nsymbols) {
		bad(r, "a relocation is outside of it");
		return NULL;
	}
	const Elf64_Sym *s = &r->symbols[symbol];
	if (s->st_shndx == SHN_UNDEF && (!calls || (r->outside && r->outside->function)))
		return s;
	if (s->st_shndx == SHN_UNDEF || s->st_shndx >= r->header->e_shnum) {
		err_set(r->err, -ENOTSUP, "%s needs %s, which is not in the file", j->name,
			symbol_name(r, s));
		return NULL;
	}
	return s;
}

static int link_call(struct bpf_object_file *r, struct joined *j, uint32_t i, uint32_t section,
		     uint64_t off)
{
	int64_t at;
	int ret = place(r, j, section, off, &at);

	if (!ret)
		j->insns.data[i].imm = (int32_t)(at - i - 1);
	return ret;
}

/* The address of a function, for helpers that call it back. */
static int link_address(struct bpf_object_file *r, struct joined *j, uint32_t i,
			const Elf64_Sym *s)
{
	struct bpf_insn *p = &j->insns.data[i];
	int64_t at;

	if (!insn_is_wide(p))
		return bad(r, "an address is wanted where there is no 64-bit immediate");
	int ret = place(r, j, s->st_shndx, s->st_value + (uint64_t)(int64_t)p->imm, &at);
	if (ret)
		return ret;
	p = &j->insns.data[i]; /* pieces may have been added */
	p->src_reg = BPF_PSEUDO_FUNC;
	p[0].imm = (int32_t)(at - i - 1);
	p[1].imm = 0;
	return 0;
}

/* A call of a function of the kernel. */
static int link_extern(struct bpf_object_file *r, struct joined *j, uint32_t i,
		       const Elf64_Sym *s)
{
	struct bpf_insn *p = &j->insns.data[i];
	const char *name = symbol_name(r, s);
	uint32_t id = r->outside->function(r->outside->arg, name);

	if (!id)
		return err_set(r->err, -ENOTSUP,
			       "%s needs %s, which neither the file nor the kernel has",
			       j->name, name);
	p->src_reg = BPF_PSEUDO_KFUNC_CALL;
	p->imm = (int32_t)id;
	return 0;
}

/* Instruction i of the program, which is at off in a section. */
static int link_insn(struct bpf_object_file *r, struct joined *j, uint32_t i, uint32_t section,
		     uint64_t off)
{
	struct bpf_insn *p = &j->insns.data[i];
	bool calls = p->code == (BPF_JMP | BPF_CALL) && p->src_reg == BPF_PSEUDO_CALL;
	const Elf64_Rel *rel = find_rel(r, section, off);

	if (!rel)
		return calls ? link_call(r, j, i, section, off + 8 * ((uint64_t)p->imm + 1))
			     : 0;
	const Elf64_Sym *s = target_of(r, j, rel, calls);
	if (!s)
		return r->err->code;
	if (s->st_shndx == SHN_UNDEF)
		return calls ? link_extern(r, j, i, s) : link_config(r, j->name, p, s);
	if (ELF64_R_TYPE(rel->r_info) == REL_64_64 && i + 1 < j->insns.len)
		return r->sections[s->st_shndx].sh_flags & SHF_EXECINSTR
			       ? link_address(r, j, i, s)
			       : relocate_data(r, p, s);
	if (ELF64_R_TYPE(rel->r_info) == REL_64_32 && calls)
		return link_call(r, j, i, s->st_shndx,
				 s->st_value + 8 * ((uint64_t)p->imm + 1));
	return bad(r, "an unknown relocation");
}

static bool find_ext(const struct bpf_object_file *r, struct object_ext *out)
{
	const Elf64_Shdr *ext = find_section(r, ".BTF.ext"), *btf = find_section(r, ".BTF");

	if (!ext || !btf)
		return false;
	*out = (struct object_ext){ r->data + ext->sh_offset, r->data + btf->sh_offset,
				    ext->sh_size, btf->sh_size };
	return true;
}

/* A load or store of a member that is wider or narrower here. */
static bool resize(struct bpf_insn *p, const struct bpf_object_fact *f)
{
	static const struct {
		uint8_t bytes, code;
	} SIZES[] = { { 1, BPF_B }, { 2, BPF_H }, { 4, BPF_W }, { 8, BPF_DW } };
	int from = -1, to = -1;

	for (int i = 0; i < 4; i++) {
		if (SIZES[i].bytes == f->size_here)
			from = SIZES[i].code;
		if (SIZES[i].bytes == f->size)
			to = SIZES[i].code;
	}
	if (from != BPF_SIZE(p->code) || to < 0)
		return false;
	p->code = (uint8_t)(p->code ^ from ^ to);
	return true;
}

/* The part of an instruction that says an offset, a size or a constant. */
static int put_core(struct bpf_object_file *r, struct joined *j, uint32_t i,
		    const struct bpf_object_fact *f)
{
	struct bpf_insn *p = &j->insns.data[i];
	uint64_t value = f->value;

	switch (BPF_CLASS(p->code)) {
	case BPF_LD:
		if (!insn_is_wide(p) || i + 1 >= j->insns.len)
			break;
		p[0].imm = (int32_t)value;
		p[1].imm = (int32_t)(value >> 32);
		return 0;
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_SRC(p->code) != BPF_K || value > INT32_MAX)
			break;
		p->imm = (int32_t)value;
		return 0;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		if (value > INT16_MAX || (f->size && !resize(p, f)))
			break;
		p->off = (int16_t)value;
		return 0;
	}
	return bad(r, "a CO-RE relocation at an instruction that cannot take it");
}

/*
 * What the kernel does not have the code must not reach: it asks first whether it is there.  A
 * call of no helper takes the place, as libbpf does it.
 */
static void poison(struct bpf_insn *p)
{
	if (insn_is_wide(p))
		p[1] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	*p = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = BPF_OBJECT_POISON };
}

/* One relocation, of instruction i. */
static int link_core_at(struct bpf_object_file *r, struct joined *j, uint32_t i,
			const struct bpf_object_core *what)
{
	struct bpf_object_fact fact;

	if (!r->outside || !r->outside->core)
		return err_set(r->err, -ENOTSUP, "%s needs the types of a kernel (CO-RE)",
			       j->name);
	int ret = r->outside->core(r->outside->arg, what, &fact, r->err);
	if (ret != -ENOENT)
		return ret ? ret : put_core(r, j, i, &fact);
	poison(&j->insns.data[i]);
	return 0;
}

static int link_core(struct bpf_object_file *r, struct joined *j)
{
	struct object_ext info;
	struct ext_walk w;
	const void *record;
	int ret = 0;

	if (!find_ext(r, &info))
		return 0;
	for (size_t k = 0; k < j->pieces.len; k++) {
		struct piece p = j->pieces.data[k];
		struct bpf_core_relo c;

		if (!ext_walk_begin(&w, &info, EXT_CORE, sizeof(c), section_name(r, p.section)))
			return 0;
		while (!ret && (record = ext_walk_next(&w))) {
			memcpy(&c, record, sizeof(c));
			if (c.insn_off < p.from || c.insn_off >= p.to || c.insn_off % 8)
				continue;
			struct bpf_object_core what = { c.kind, c.type_id,
							ext_walk_text(&w, c.access_str_off) };
			ret = link_core_at(r, j, p.at + (uint32_t)(c.insn_off - p.from) / 8,
					   &what);
		}
	}
	return ret;
}

static void finish_prog(struct bpf_object_file *r, const struct joined *j, const char *section,
			struct bpf_object_prog *out)
{
	struct object_ext info;

	*out = (struct bpf_object_prog){
		.name = j->name,
		.section = section,
		.insns = j->insns.data,
		.n = (uint32_t)j->insns.len,
		.funcs = arena_array(r->arena, uint32_t, j->pieces.len),
		.nfuncs = (uint32_t)j->pieces.len,
	};
	for (uint32_t k = 0; k < out->nfuncs; k++)
		out->funcs[k] = j->pieces.data[k].at;
	if (!find_ext(r, &info))
		return;
	vec_each(p, &j->pieces)
		object_lines_add(r->arena, &info, section_name(r, p->section), p->from, p->to,
				 p->at, out);
}

static int read_prog(struct bpf_object_file *r, const Elf64_Sym *s, struct bpf_object_prog *out)
{
	struct joined j = { .name = symbol_name(r, s) };
	int ret = add_piece(r, &j, s->st_shndx, s);

	/* Linking may add pieces, which are linked in their turn. */
	for (size_t k = 0; k < j.pieces.len && !ret; k++) {
		struct piece piece = j.pieces.data[k];

		for (uint64_t off = piece.from; off < piece.to && !ret; off += 8)
			ret = link_insn(r, &j, piece.at + (uint32_t)((off - piece.from) / 8),
					piece.section, off);
	}
	if (!ret)
		ret = link_core(r, &j);
	if (!ret)
		finish_prog(r, &j, section_name(r, s->st_shndx), out);
	return ret;
}

/* The global functions of .text, or those outside of it. */
static void read_functions(struct bpf_object_file *r, bool in_text)
{
	for (uint32_t i = 0; i < r->nsymbols; i++) {
		const Elf64_Sym *s = &r->symbols[i];
		struct bpf_object_prog prog;

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || !s->st_shndx ||
		    s->st_shndx >= r->header->e_shnum || (s->st_shndx == r->text) != in_text ||
		    ELF64_ST_BIND(s->st_info) == STB_LOCAL)
			continue;
		if (read_prog(r, s, &prog))
			prog = (struct bpf_object_prog){
				.name = symbol_name(r, s),
				.section = section_name(r, s->st_shndx),
				.refused = arena_strdup(r->arena, r->err->msg),
			};
		vec_push(r->arena, &r->out->progs, prog);
	}
}

static int read_progs(struct bpf_object_file *r)
{
	read_functions(r, false);
	if (!r->out->progs.len)
		read_functions(r, true);
	/* The first that was refused says why when all were. */
	vec_each(p, &r->out->progs)
		if (!p->refused)
			return 0;
	return r->out->progs.len
		       ? err_set(r->err, r->err->code, "%s", r->out->progs.data[0].refused)
		       : bad(r, "there is no program in it");
}

int bpf_object_read(struct arena *a, const void *data, size_t size,
		    const struct bpf_object_config *config,
		    const struct bpf_object_outside *outside, struct bpf_object *out,
		    struct err *e)
{
	struct bpf_object_file r = { .arena = a,
				     .data = data,
				     .size = size,
				     .out = out,
				     .err = e,
				     .config = config,
				     .outside = outside };

	*out = (struct bpf_object){ 0 };
	int ret = open_file(&r);
	if (!ret)
		ret = read_maps(&r);
	if (!ret)
		ret = read_elements(&r);
	if (!ret && outside && outside->begin) {
		const Elf64_Shdr *btf = find_section(&r, ".BTF");

		outside->begin(outside->arg, btf ? r.data + btf->sh_offset : NULL,
			       btf ? btf->sh_size : 0);
	}
	return ret ? ret : read_progs(&r);
}

/* --- functions for others --- */

struct bpf_object_file *bpf_object_open(struct arena *a, const void *data, size_t size,
					struct bpf_object *out,
					const struct bpf_object_outside *outside, struct err *e)
{
	struct bpf_object_file *f = arena_new(a, struct bpf_object_file);

	*f = (struct bpf_object_file){
		.arena = a, .data = data, .size = size, .out = out, .err = e, .outside = outside
	};
	*out = (struct bpf_object){ 0 };
	return open_file(f) ? NULL : f;
}

static bool is_function(const struct bpf_object_file *f, const Elf64_Sym *s)
{
	return f->text && s->st_shndx == f->text && ELF64_ST_TYPE(s->st_info) == STT_FUNC &&
	       ELF64_ST_BIND(s->st_info) != STB_LOCAL;
}

const char *bpf_object_next_function(const struct bpf_object_file *f, uint32_t *at)
{
	while (*at < f->nsymbols) {
		const Elf64_Sym *s = &f->symbols[(*at)++];

		if (is_function(f, s))
			return symbol_name(f, s);
	}
	return NULL;
}

int bpf_object_link(struct bpf_object_file *f, const char *function,
		    struct bpf_object_prog *out, struct err *e)
{
	f->err = e;
	for (uint32_t i = 0; i < f->nsymbols; i++) {
		const Elf64_Sym *s = &f->symbols[i];

		if (is_function(f, s) && !strcmp(symbol_name(f, s), function))
			return read_prog(f, s, out);
	}
	return err_set(e, -ENOENT, "there is no function %s in the file", function);
}

const void *bpf_object_section(const struct bpf_object_file *f, const char *name, size_t *size)
{
	const Elf64_Shdr *s = find_section(f, name);

	*size = s ? s->sh_size : 0;
	return s ? f->data + s->sh_offset : NULL;
}
