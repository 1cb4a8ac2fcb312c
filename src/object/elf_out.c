#include "object/elf_out.h"

#include <string.h>

enum { GLOBAL_MARK = 1u << 31 };

void elf_out_init(struct elf_out *o, struct arena *a)
{
	*o = (struct elf_out){ .arena = a };
	sb_putc(&o->names, '\0');
	vec_add(a, &o->locals);
	vec_add(a, &o->sections)->name = "";
}

void elf_out_fini(struct elf_out *o)
{
	vec_each(s, &o->sections)
		sb_free(&s->data);
	sb_free(&o->names);
}

uint32_t elf_out_section(struct elf_out *o, const char *name, uint32_t type, uint64_t flags)
{
	for (uint32_t i = 1; i < o->sections.len; i++)
		if (!strcmp(o->sections.data[i].name, name))
			return i;
	struct elf_section *s = vec_add(o->arena, &o->sections);

	s->name = arena_strdup(o->arena, name);
	s->head.sh_type = type;
	s->head.sh_flags = flags;
	s->head.sh_addralign = 8;
	return (uint32_t)o->sections.len - 1;
}

struct elf_section *elf_out_at(struct elf_out *o, uint32_t section)
{
	return &o->sections.data[section];
}

static uint32_t put_name(struct elf_out *o, const char *name)
{
	uint32_t at = (uint32_t)o->names.len;

	if (!*name)
		return 0;
	sb_write(&o->names, name, strlen(name) + 1);
	return at;
}

struct elf_symbol elf_out_symbol(struct elf_out *o, const char *name, bool is_global,
				 unsigned type, uint32_t section, uint64_t at, uint64_t size)
{
	Elf64_Sym sym = { .st_name = put_name(o, name),
			  .st_info = ELF64_ST_INFO(is_global ? STB_GLOBAL : STB_LOCAL, type),
			  .st_shndx = (uint16_t)section,
			  .st_value = at,
			  .st_size = size };

	if (is_global) {
		vec_push(o->arena, &o->globals, sym);
		return (struct elf_symbol){ true, (uint32_t)o->globals.len - 1 };
	}
	vec_push(o->arena, &o->locals, sym);
	return (struct elf_symbol){ false, (uint32_t)o->locals.len - 1 };
}

void elf_out_rel(struct elf_out *o, uint32_t section, uint64_t at, struct elf_symbol symbol,
		 enum elf_rel_type type)
{
	uint64_t number = symbol.index | (symbol.is_global ? GLOBAL_MARK : 0);
	Elf64_Rel rel = { at, ELF64_R_INFO(number, type) };

	vec_push(o->arena, &o->sections.data[section].rels, rel);
}

/* Every section with relocations gets one that holds them. */
static void add_rels(struct elf_out *o, uint32_t symtab)
{
	uint32_t n = (uint32_t)o->sections.len;

	for (uint32_t i = 1; i < n; i++) {
		if (!o->sections.data[i].rels.len)
			continue;
		const char *name = arena_printf(o->arena, ".rel%s", o->sections.data[i].name);
		uint32_t made = elf_out_section(o, name, SHT_REL, SHF_INFO_LINK);
		struct elf_section *rel = elf_out_at(o, made), *of = elf_out_at(o, i);

		rel->head.sh_link = symtab;
		rel->head.sh_info = i;
		rel->head.sh_entsize = sizeof(Elf64_Rel);
		vec_each(r, &of->rels) {
			uint64_t number = ELF64_R_SYM(r->r_info);

			if (number & GLOBAL_MARK)
				number = (number & ~(uint64_t)GLOBAL_MARK) + o->locals.len;
			Elf64_Rel out = { r->r_offset, ELF64_R_INFO(number, REL_BPF_64_64) };
			sb_write(&rel->data, &out, sizeof(out));
		}
	}
}

static uint32_t add_symtab(struct elf_out *o)
{
	uint32_t strtab = elf_out_section(o, ".strtab", SHT_STRTAB, 0);
	uint32_t symtab = elf_out_section(o, ".symtab", SHT_SYMTAB, 0);
	struct elf_section *s = elf_out_at(o, symtab);

	s->head.sh_link = strtab;
	s->head.sh_info = (uint32_t)o->locals.len;
	s->head.sh_entsize = sizeof(Elf64_Sym);
	sb_write(&s->data, o->locals.data, o->locals.len * sizeof(Elf64_Sym));
	sb_write(&s->data, o->globals.data, o->globals.len * sizeof(Elf64_Sym));
	return symtab;
}

static void pad(struct sb *file)
{
	sb_fill(file, '\0', (long)(-file->len & 7));
}

void elf_out_finish(struct elf_out *o, struct sb *file)
{
	uint32_t symtab = add_symtab(o);
	Elf64_Ehdr h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				      ELFDATA2LSB, EV_CURRENT },
			 .e_type = ET_REL,
			 .e_machine = EM_BPF,
			 .e_version = EV_CURRENT,
			 .e_ehsize = sizeof(h),
			 .e_shentsize = sizeof(Elf64_Shdr) };

	add_rels(o, symtab);
	for (uint32_t i = 1; i < o->sections.len; i++)
		o->sections.data[i].head.sh_name = put_name(o, o->sections.data[i].name);
	uint32_t strtab = elf_out_section(o, ".strtab", SHT_STRTAB, 0);
	sb_write(&elf_out_at(o, strtab)->data, o->names.s, o->names.len);

	size_t start = file->len;
	sb_write(file, &h, sizeof(h));
	vec_each(s, &o->sections) {
		pad(file);
		s->head.sh_offset = s->head.sh_type ? file->len - start : 0;
		s->head.sh_size = s->data.len;
		sb_write(file, sb_str(&s->data), s->data.len);
	}
	pad(file);
	h.e_shoff = file->len - start;
	h.e_shnum = (uint16_t)o->sections.len;
	h.e_shstrndx = (uint16_t)strtab;
	vec_each(s, &o->sections)
		sb_write(file, &s->head, sizeof(s->head));
	memcpy(file->s + start, &h, sizeof(h));
}
