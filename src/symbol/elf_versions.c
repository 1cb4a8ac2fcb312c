#include "symbol/elf_versions.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

enum { HIDDEN = 0x8000 }; /* of a version number: not what is linked against today */

static Elf_Data *section_of(const struct elf *f, uint32_t type, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, sh) && sh->sh_type == type)
			return elf_getdata(scn, NULL);
	return NULL;
}

/* The name of a version that the file defines; NULL when there is none of that number. */
static const char *version_name(const struct elf *f, GElf_Versym number)
{
	GElf_Shdr sh;
	Elf_Data *data = section_of(f, SHT_GNU_verdef, &sh);
	GElf_Verdef def;
	GElf_Verdaux aux;
	size_t steps = data ? data->d_size / sizeof(Elf64_Verdef) : 0;

	for (int at = 0; steps-- > 0 && gelf_getverdef(data, at, &def);
	     at += (int)def.vd_next) {
		if (def.vd_ndx == (number & ~HIDDEN) &&
		    gelf_getverdaux(data, at + (int)def.vd_aux, &aux))
			return elf_strptr(f->elf, sh.sh_link, aux.vda_name);
		if (!def.vd_next || def.vd_next > data->d_size)
			break;
	}
	return NULL;
}

void elf_each_version(const struct elf *f, const char *name,
		      void (*fn)(void *arg, const struct elf_version *v), void *arg)
{
	GElf_Shdr table, versions;
	Elf_Data *symbols = section_of(f, SHT_DYNSYM, &table);
	Elf_Data *numbers = section_of(f, SHT_GNU_versym, &versions);
	GElf_Versym number;
	GElf_Sym sym;

	for (int i = 1; symbols && numbers && gelf_getsym(symbols, i, &sym); i++) {
		const char *own = elf_strptr(f->elf, table.sh_link, sym.st_name);

		if (!own || strcmp(own, name) != 0 || sym.st_shndx == SHN_UNDEF ||
		    !gelf_getversym(numbers, i, &number))
			continue;
		struct elf_version v = {
			.symbol = { .name = own,
				    .addr = sym.st_value,
				    .size = sym.st_size,
				    .type = GELF_ST_TYPE(sym.st_info),
				    .bind = GELF_ST_BIND(sym.st_info) },
			.version = version_name(f, number),
			.is_default = !(number & HIDDEN),
		};
		if (v.version)
			fn(arg, &v);
	}
}
