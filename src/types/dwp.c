#include "types/dwp.h"

#include "base/arena.h"
#include "base/auto.h"

#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>

enum {
	SECTIONS = 9, /* numbered from 1 */
	INFO = 1,
	STR_OFFSETS = 6,
	UNITS_MAX = 1 << 22,
	COLUMNS_MAX = 16,
	PIECE_MAX = 1 << 30,
};

static const char *const names[2][SECTIONS] = {
	{ NULL, "info", "types", "abbrev", "line", "loc", "str_offsets", "macinfo", "macro" },
	{ NULL, "info", NULL, "abbrev", "line", "loclists", "str_offsets", "macro",
	  "rnglists" },
};

/* Where a section lies in the file, or a piece of one; bytes. */
struct range {
	uint64_t offset, size;
};

/* .debug_cu_index: a hash table of ids with rows, and for each row the columns' pieces. */
struct index {
	uint8_t *bytes;
	bool is_v5;
	uint32_t ncolumns, nrows, nslots;
	const uint8_t *ids, *rows, *columns, *offsets, *sizes;
};

struct dwp {
	int fd;
	struct range sections[SECTIONS], strings;
	char *text; /* of strings, read with the first unit; ends in a NUL */
	struct index index;
	bool *taken; /* by row */
};

static uint32_t word(const uint8_t *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

/* On the heap, with a NUL behind it; NULL: the file is too short. */
static void *read_range(const struct dwp *p, struct range r)
{
	char *bytes;

	if (r.size > PIECE_MAX)
		return NULL;
	bytes = xcalloc(1, r.size + 1);
	if (pread(p->fd, bytes, r.size, (off_t)r.offset) == (ssize_t)r.size)
		return bytes;
	free(bytes);
	return NULL;
}

static void note_section(struct dwp *p, const char *name, const GElf_Shdr *sh,
			 struct range *index)
{
	struct range r = { sh->sh_offset, sh->sh_size };
	char full[32];

	/* Packages are not compressed by any tool so far. */
	if (!name || sh->sh_type == SHT_NOBITS || (sh->sh_flags & SHF_COMPRESSED))
		return;
	if (!strcmp(name, ".debug_cu_index"))
		*index = r;
	if (!strcmp(name, ".debug_str.dwo"))
		p->strings = r;
	for (int i = 1; i < SECTIONS; i++) {
		for (int v = 0; v < 2; v++) {
			snprintf(full, sizeof(full), ".debug_%s.dwo",
				 names[v][i] ? names[v][i] : "");
			if (!strcmp(name, full))
				p->sections[i] = r;
		}
	}
}

static void find_sections(struct dwp *p, struct range *index)
{
	Elf *elf = elf_begin(p->fd, ELF_C_READ, NULL);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t strings;

	if (elf && !elf_getshdrstrndx(elf, &strings))
		while ((scn = elf_nextscn(elf, scn)))
			if (gelf_getshdr(scn, &sh))
				note_section(p, elf_strptr(elf, strings, sh.sh_name), &sh,
					     index);
	elf_end(elf);
}

static bool read_index(struct dwp *p, struct range r)
{
	enum { HEADER = 16, ID = 8, ROW = 4, CELL = 4 };
	struct index *x = &p->index;
	const uint8_t *at;

	x->bytes = r.size < HEADER ? NULL : read_range(p, r);
	if (!x->bytes)
		return false;
	/* The 16 bits of version 5 have zeros behind them. */
	x->is_v5 = word(x->bytes) == 5;
	x->ncolumns = word(x->bytes + 4);
	x->nrows = word(x->bytes + 8);
	x->nslots = word(x->bytes + 12);
	if ((!x->is_v5 && word(x->bytes) != 2) || x->ncolumns > COLUMNS_MAX ||
	    x->nrows > UNITS_MAX || x->nslots > 4 * UNITS_MAX)
		return false;
	at = x->bytes + HEADER;
	x->ids = at;
	x->rows = x->ids + (uint64_t)ID * x->nslots;
	x->columns = x->rows + (uint64_t)ROW * x->nslots;
	x->offsets = x->columns + CELL * x->ncolumns;
	x->sizes = x->offsets + (uint64_t)CELL * x->ncolumns * x->nrows;
	return (uint64_t)(x->sizes - x->bytes) + (uint64_t)CELL * x->ncolumns * x->nrows <=
	       r.size;
}

struct dwp *dwp_open(int fd)
{
	struct dwp *p = xcalloc(1, sizeof(*p));
	struct range index = { 0 };

	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	find_sections(p, &index);
	if (!read_index(p, index)) {
		dwp_close(p);
		return NULL;
	}
	p->taken = xcalloc(p->index.nrows + 1, sizeof(*p->taken));
	return p;
}

void dwp_close(struct dwp *p)
{
	if (!p)
		return;
	close(p->fd);
	free(p->index.bytes);
	free(p->text);
	free(p->taken);
	free(p);
}

/* The row of a unit, counted from 1; 0: it is not there. */
static uint32_t find_row(const struct index *x, uint64_t id)
{
	for (uint32_t i = 0; i < x->nslots; i++) {
		/* Probing as the format has it, which ends at a slot without a row. */
		uint32_t mask = x->nslots - 1;
		uint32_t slot = (uint32_t)(id + i * ((id >> 32 & mask) | 1)) & mask;
		uint32_t row = word(x->rows + 4ull * slot);
		uint64_t other;

		memcpy(&other, x->ids + 8ull * slot, sizeof(other));
		if (!row || row > x->nrows || (x->nslots & mask))
			return 0;
		if (other == id)
			return row;
	}
	return 0;
}

/* The piece of a section that a row has; false: none, or it is not in the section. */
static bool find_piece(const struct dwp *p, uint32_t row, uint32_t column, uint32_t *section,
		       struct range *out)
{
	const struct index *x = &p->index;
	uint64_t cell = 4 * ((uint64_t)(row - 1) * x->ncolumns + column);

	*section = word(x->columns + 4ull * column);
	if (!*section || *section >= SECTIONS || !names[x->is_v5][*section])
		return false;
	const struct range *whole = &p->sections[*section];
	*out = (struct range){ word(x->offsets + cell), word(x->sizes + cell) };
	if (!out->size || out->offset > whole->size || out->size > whole->size - out->offset)
		return false;
	out->offset += whole->offset;
	return true;
}

/* A file of sections under construction. */
struct image {
	struct sb bytes, names;
	Elf64_Shdr headers[SECTIONS + 2]; /* the first one is empty, as ELF wants it */
	unsigned n;
};

static void add_section(struct image *im, const char *name, const void *bytes, size_t size)
{
	im->headers[im->n++] = (Elf64_Shdr){
		.sh_name = (Elf64_Word)im->names.len,
		.sh_type = SHT_PROGBITS,
		.sh_offset = im->bytes.len,
		.sh_size = size,
		.sh_addralign = 1,
	};
	sb_printf(&im->names, ".debug_%s.dwo%c", name, 0);
	sb_write(&im->bytes, bytes, size);
}

/*
 * Numbers strings anew: all units of a package share one section, of which the image gets what
 * the unit refers to.
 */
static void add_strings(struct image *im, const struct dwp *p, uint8_t *offsets, size_t size)
{
	size_t at = p->index.is_v5 ? 8 : 0;
	auto_sb struct sb text = {};

	sb_putc(&text, '\0');
	for (; at + 4 <= size; at += 4) {
		uint32_t offset = word(offsets + at), own = (uint32_t)text.len;
		bool is_sane = offset < p->strings.size && text.len < PIECE_MAX;
		const char *s = is_sane ? p->text + offset : "";

		sb_write(&text, s, strlen(s) + 1);
		memcpy(offsets + at, &own, sizeof(own));
	}
	add_section(im, "str", text.s, text.len);
}

static void finish(struct image *im)
{
	Elf64_Ehdr h = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_REL,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(h),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (Elf64_Half)(im->n + 1),
		.e_shstrndx = (Elf64_Half)im->n,
	};

	im->headers[im->n] = (Elf64_Shdr){ .sh_name = 0,
					   .sh_type = SHT_STRTAB,
					   .sh_offset = im->bytes.len,
					   .sh_size = im->names.len,
					   .sh_addralign = 1 };
	sb_write(&im->bytes, im->names.s, im->names.len);
	sb_fill(&im->bytes, '\0', (long)(-im->bytes.len & 7));
	h.e_shoff = im->bytes.len;
	sb_write(&im->bytes, im->headers, (im->n + 1) * sizeof(*im->headers));
	memcpy(im->bytes.s, &h, sizeof(h));
}

static void add_pieces(struct image *im, const struct dwp *p, uint32_t row)
{
	for (uint32_t i = 0; i < p->index.ncolumns && im->n < SECTIONS; i++) {
		auto_free uint8_t *bytes = NULL;
		struct range r;
		uint32_t section;

		if (!find_piece(p, row, i, &section, &r))
			continue;
		bytes = read_range(p, r);
		if (!bytes)
			continue;
		if (section == STR_OFFSETS)
			add_strings(im, p, bytes, r.size);
		/* With a NUL, for readers of strings in it that do not look for its end. */
		add_section(im, names[p->index.is_v5][section], bytes,
			    r.size + (section == INFO));
	}
}

static int write_image(const struct sb *bytes)
{
	int fd = memfd_create("dwo", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, bytes->s, bytes->len) == (ssize_t)bytes->len)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int dwp_unpack(struct dwp *p, uint64_t id)
{
	struct image im = { .n = 1 };
	uint32_t row = find_row(&p->index, id);
	int fd;

	if (!row || p->taken[row])
		return -1;
	p->taken[row] = true;
	if (!p->text)
		p->text = read_range(p, p->strings);
	if (!p->text)
		return -1;
	sb_fill(&im.bytes, '\0', sizeof(Elf64_Ehdr));
	sb_putc(&im.names, '\0');
	add_pieces(&im, p, row);
	finish(&im);
	fd = write_image(&im.bytes);
	sb_free(&im.bytes);
	sb_free(&im.names);
	return fd;
}
