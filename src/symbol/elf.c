#include "symbol/elf.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct elf_copy {
	struct elf_copy *next;
	char bytes[];
};

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64, MACHINE_32 = EM_386 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64, MACHINE_32 = EM_ARM };
#else
#error "the ELF machine number of this architecture"
#endif

/* Only regular files are opened: a fifo would wait for its writer. */
static int open_regular(const char *path, struct err *e)
{
	struct stat st;
	int fd, code;

	if (stat(path, &st))
		return err_set(e, -errno, "read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, -ENOEXEC, "%s is not a regular file", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	code = -errno;
	return fd < 0 ? err_set(e, code, "read %s: %s", path, strerror(-code)) : fd;
}

static int check_header(struct elf *f, const char *path, struct err *e)
{
	GElf_Ehdr header;

	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &header))
		return err_set(e, -ENOEXEC, "%s is not an ELF file", path);
	if (header.e_machine != MACHINE && header.e_machine != MACHINE_32)
		return err_set(e, -ENOEXEC, "%s is for another machine (ELF machine %u)", path,
			       header.e_machine);
	if (elf_getphdrnum(f->elf, &f->nsegments))
		f->nsegments = 0;
	return 0;
}

int elf_open(struct elf *f, const char *path, struct err *e)
{
	int code;

	*f = (struct elf){ .fd = open_regular(path, e) };
	if (f->fd < 0)
		return f->fd;
	elf_version(EV_CURRENT);
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	code = check_header(f, path, e);
	if (code)
		elf_close(f);
	return code;
}

bool elf_is_cut(const struct elf *f)
{
	GElf_Ehdr h;
	struct stat st;
	uint64_t size;

	if (f->fd < 0 || fstat(f->fd, &st) || !gelf_getehdr(f->elf, &h))
		return false;
	size = (uint64_t)st.st_size;
	return h.e_shoff > size || size - h.e_shoff < (uint64_t)h.e_shnum * h.e_shentsize;
}

int elf_open_image(struct elf *f, const void *image, size_t size, struct err *e)
{
	int code;

	*f = (struct elf){ .fd = -1 };
	elf_version(EV_CURRENT);
	f->elf = elf_memory((char *)(uintptr_t)image, size);
	code = check_header(f, "the image", e);
	if (code)
		elf_close(f);
	return code;
}

int elf_reopen(struct elf *out, const struct elf *f, struct err *e)
{
	int code;

	*out = (struct elf){ .fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0) };
	if (out->fd < 0)
		return err_set(e, -EBADF, "the file is not open");
	out->elf = elf_begin(out->fd, ELF_C_READ, NULL);
	code = check_header(out, "the file", e);
	if (code)
		elf_close(out);
	return code;
}

void elf_close(struct elf *f)
{
	if (f->elf)
		elf_end(f->elf);
	while (f->copies) {
		struct elf_copy *next = f->copies->next;

		free(f->copies);
		f->copies = next;
	}
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct elf){ .fd = -1 };
}

unsigned elf_word_size(const struct elf *f)
{
	return gelf_getclass(f->elf) == ELFCLASS32 ? 4 : 8;
}

static bool load_segment(const struct elf *f, size_t i, GElf_Phdr *p)
{
	return gelf_getphdr(f->elf, (int)i, p) && p->p_type == PT_LOAD;
}

bool elf_next_segment(const struct elf *f, size_t *i, struct elf_segment *out)
{
	GElf_Phdr p;

	while (*i < f->nsegments) {
		if (!load_segment(f, (*i)++, &p))
			continue;
		*out = (struct elf_segment){ p.p_vaddr, p.p_offset, p.p_filesz };
		return true;
	}
	return false;
}

bool elf_offset_of(const struct elf *f, uint64_t addr, uint64_t *offset)
{
	GElf_Phdr p;

	for (size_t i = 0; i < f->nsegments; i++) {
		if (!load_segment(f, i, &p) || addr < p.p_vaddr ||
		    addr - p.p_vaddr >= p.p_filesz)
			continue;
		*offset = addr - p.p_vaddr + p.p_offset;
		return true;
	}
	return false;
}

bool elf_addr_of(const struct elf *f, uint64_t offset, uint64_t *addr)
{
	GElf_Phdr p;

	for (size_t i = 0; i < f->nsegments; i++) {
		if (!load_segment(f, i, &p) || offset < p.p_offset ||
		    offset - p.p_offset >= p.p_filesz)
			continue;
		*addr = offset - p.p_offset + p.p_vaddr;
		return true;
	}
	return false;
}

bool elf_is_code(const struct elf *f, uint64_t addr)
{
	GElf_Phdr p;

	for (size_t i = 0; i < f->nsegments; i++)
		if (load_segment(f, i, &p) && (p.p_flags & PF_X) && addr >= p.p_vaddr &&
		    addr - p.p_vaddr < p.p_filesz)
			return true;
	return false;
}

/* The next section of that name behind scn (NULL: from the start); NULL: no more. */
static Elf_Scn *next_named(const struct elf *f, Elf_Scn *scn, const char *name, GElf_Shdr *sh)
{
	size_t names;

	if (elf_getshdrstrndx(f->elf, &names))
		return NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		const char *own =
			gelf_getshdr(scn, sh) ? elf_strptr(f->elf, names, sh->sh_name) : NULL;

		if (own && !strcmp(own, name))
			return scn;
	}
	return NULL;
}

bool elf_section_addr(const struct elf *f, const char *name, uint64_t *addr)
{
	GElf_Shdr sh;

	if (!next_named(f, NULL, name, &sh))
		return false;
	*addr = sh.sh_addr;
	return true;
}

bool elf_find_section(const struct elf *f, const char *name, struct elf_section *out)
{
	GElf_Shdr sh;
	Elf_Scn *scn = next_named(f, NULL, name, &sh);
	Elf_Data *data = scn && sh.sh_type != SHT_NOBITS ? elf_rawdata(scn, NULL) : NULL;

	if (!data || !data->d_buf || !data->d_size)
		return false;
	*out = (struct elf_section){ sh.sh_addr, data->d_buf, data->d_size };
	return true;
}

/* Makes a section that is compressed, in the file, a plain one. */
static bool decompress(Elf_Scn *scn, const GElf_Shdr *sh)
{
	return !(sh->sh_flags & SHF_COMPRESSED) || elf_compress(scn, 0, 0) >= 0;
}

bool elf_plain_section(const struct elf *f, const char *name, struct elf_section *out)
{
	GElf_Shdr sh;
	Elf_Scn *scn = next_named(f, NULL, name, &sh);

	return scn && decompress(scn, &sh) && elf_find_section(f, name, out);
}

bool elf_end_strings(struct elf *f, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = next_named(f, scn, name, &sh))) {
		if (sh.sh_type == SHT_NOBITS)
			continue;
		if (!decompress(scn, &sh))
			return false;

		/* Read into libelf's own memory, as files are not mapped. */
		Elf_Data *data = elf_rawdata(scn, NULL);
		if (!data)
			return false;
		if (data->d_buf && data->d_size)
			((char *)data->d_buf)[data->d_size - 1] = '\0';
	}
	return true;
}

bool elf_pad(struct elf *f, const char *name, size_t room)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = next_named(f, scn, name, &sh))) {
		if (sh.sh_type == SHT_NOBITS)
			continue;
		if (!decompress(scn, &sh))
			return false;

		Elf_Data *data = elf_getdata(scn, NULL);
		if (!data)
			return false;
		if (!data->d_buf || !data->d_size ||
		    (room == 1 && !((char *)data->d_buf)[data->d_size - 1]))
			continue;

		struct elf_copy *copy = xcalloc(1, sizeof(*copy) + data->d_size + room);
		copy->next = f->copies;
		f->copies = copy;
		data->d_buf = memcpy(copy->bytes, data->d_buf, data->d_size);
	}
	return true;
}

uint64_t elf_sections_size(const struct elf *f, const char *prefix)
{
	Elf_Scn *scn = NULL;
	uint64_t sum = 0;
	GElf_Shdr sh;
	size_t names;

	if (elf_getshdrstrndx(f->elf, &names))
		return 0;
	while ((scn = elf_nextscn(f->elf, scn))) {
		const char *own =
			gelf_getshdr(scn, &sh) ? elf_strptr(f->elf, names, sh.sh_name) : NULL;

		if (own && sh.sh_type != SHT_NOBITS && !strncmp(own, prefix, strlen(prefix)))
			sum += sh.sh_size;
	}
	return sum;
}

/* Returns false when fn wants no more. */
static bool each_symbol_of(const struct elf *f, Elf_Scn *scn, const GElf_Shdr *sh,
			   bool (*fn)(void *arg, const struct elf_symbol *s), void *arg)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; i < n && i <= INT32_MAX && gelf_getsym(data, (int)i, &sym); i++) {
		const char *name = elf_strptr(f->elf, sh->sh_link, sym.st_name);
		struct elf_symbol s = { name, sym.st_value, sym.st_size,
					GELF_ST_TYPE(sym.st_info), GELF_ST_BIND(sym.st_info) };

		if (name && *name && sym.st_shndx != SHN_UNDEF && !fn(arg, &s))
			return false;
	}
	return true;
}

void elf_each_symbol(const struct elf *f, bool (*fn)(void *arg, const struct elf_symbol *s),
		     void *arg)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) &&
		    (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_DYNSYM) &&
		    !each_symbol_of(f, scn, &sh, fn, arg))
			return;
}

bool elf_has_symtab(const struct elf *f)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			return true;
	return false;
}

static void each_note_of(Elf_Data *data, void (*fn)(void *arg, const struct elf_note *n),
			 void *arg)
{
	size_t name, desc, next = 0;
	GElf_Nhdr nh;

	while ((next = gelf_getnote(data, next, &nh, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;
		struct elf_note n = { bytes + name, nh.n_type, (const uint8_t *)bytes + desc,
				      nh.n_descsz };

		if (nh.n_namesz && memchr(n.owner, '\0', nh.n_namesz))
			fn(arg, &n);
	}
}

void elf_each_note(const struct elf *f, const char *section,
		   void (*fn)(void *arg, const struct elf_note *n), void *arg)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = next_named(f, scn, section, &sh))) {
		Elf_Data *data = sh.sh_type == SHT_NOTE ? elf_getdata(scn, NULL) : NULL;

		if (data && data->d_buf)
			each_note_of(data, fn, arg);
	}
}

static void take_go(void *arg, const struct elf_note *n)
{
	enum { GO_BUILD_ID = 4 };

	*(bool *)arg |= !strcmp(n->owner, "Go") && n->type == GO_BUILD_ID;
}

bool elf_is_go(const struct elf *f)
{
	static const char *const sections[] = { ".gopclntab", ".data.rel.ro.gopclntab",
						".go.buildinfo", ".note.go.buildid" };
	GElf_Phdr ph;
	uint64_t addr;
	bool is_go = false;

	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (elf_section_addr(f, sections[i], &addr))
			return true;
	for (size_t i = 0; i < f->nsegments && !is_go; i++) {
		Elf_Data *data = NULL;

		if (gelf_getphdr(f->elf, (int)i, &ph) && ph.p_type == PT_NOTE)
			data = elf_getdata_rawchunk(f->elf, (int64_t)ph.p_offset, ph.p_filesz,
						    ELF_T_NHDR);
		if (data && data->d_buf)
			each_note_of(data, take_go, &is_go);
	}
	return is_go;
}
