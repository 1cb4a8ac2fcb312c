/*
 * .eh_frame is a list of records: CIEs, which functions have in common, and FDEs, one per
 * function, each with instructions of a small machine that builds the rules line by line.  Of
 * its registers only those matter that stacks are walked with: the CFA, rbp and the return
 * address.  .debug_frame, which Go and code without exceptions have instead, is the same with
 * other headers of the records.
 */
#include "symbol/cfi.h"

#include "symbol/cfi_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_POINTER = -1 };

/* What functions have in common. */
struct cie {
	size_t off; /* in the section; SIZE_MAX: none was read */
	uint64_t code_align;
	int64_t data_align;
	uint8_t encoding; /* of addresses in FDEs, DW_EH_PE_... */
	bool ok, has_augmentation;
	const uint8_t *program;
	size_t program_size;
};

struct func {
	uint64_t start, end; /* addresses from the base */
	size_t first, n;     /* of rows */
};

/* A section with records. */
struct source {
	const uint8_t *bytes;
	size_t size;
	uint64_t addr;
	bool is_debug; /* .debug_frame */
	uint64_t code; /* functions below are none: the linker left them out */
};

struct compile {
	struct source from;
	uint64_t base;
	struct cie cie;	    /* the last one used */
	VEC(uint64_t) rows; /* of all functions, in their order in the section */
	VEC(struct func) funcs;
};

/* --- records --- */

enum { PE_ABSPTR = 0, PE_ULEB = 1, PE_UDATA2 = 2, PE_UDATA4 = 3, PE_UDATA8 = 4 };
enum { PE_SLEB = 9, PE_SDATA2 = 10, PE_SDATA4 = 11, PE_SDATA8 = 12 };
enum { PE_FORM = 0x0f, PE_PCREL = 0x10, PE_BASE = 0x70, PE_INDIRECT = 0x80 };

static uint64_t read_form(struct cfi_bytes *r, unsigned form)
{
	switch (form) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8: return cfi_read(r, 8);
	case PE_ULEB: return cfi_uleb(r);
	case PE_SLEB: return (uint64_t)cfi_sleb(r);
	case PE_UDATA2: return cfi_read(r, 2);
	case PE_UDATA4: return cfi_read(r, 4);
	case PE_SDATA2: return (uint64_t)(int16_t)cfi_read(r, 2);
	case PE_SDATA4: return (uint64_t)(int32_t)cfi_read(r, 4);
	default: r->bad = true; return 0;
	}
}

static uint64_t read_address(const struct compile *c, struct cfi_bytes *r, uint8_t encoding)
{
	uint64_t place = c->from.addr + (uint64_t)(r->at - c->from.bytes);
	uint64_t v = read_form(r, encoding & PE_FORM);

	if (encoding & PE_INDIRECT || (encoding & PE_BASE && (encoding & PE_BASE) != PE_PCREL))
		r->bad = true;
	return (encoding & PE_BASE) == PE_PCREL ? v + place : v;
}

/* "zPLR" and the like: what each letter brings. */
static void read_augmentation(struct compile *c, struct cfi_bytes *r, const char *letters,
			      struct cie *cie)
{
	struct cfi_bytes data = cfi_sub(r, cfi_uleb(r));

	for (letters++; *letters && !data.bad; letters++) {
		switch (*letters) {
		case 'R': cie->encoding = (uint8_t)cfi_read(&data, 1); break;
		case 'L': cfi_read(&data, 1); break;
		case 'P': read_form(&data, (unsigned)cfi_read(&data, 1) & PE_FORM); break;
		case 'S': break; /* a signal's frame: seen by its rules */
		default: return; /* what follows is not known; the length leads behind it */
		}
	}
	(void)c;
}

/* The text at r, which is moved behind its NUL; NULL when there is none. */
static const char *read_text(struct cfi_bytes *r)
{
	const char *s = (const char *)r->at;
	const uint8_t *nul = r->at < r->end ? memchr(r->at, 0, (size_t)(r->end - r->at)) : NULL;

	if (!nul)
		return NULL;
	r->at = nul + 1;
	return s;
}

static void read_cie(struct compile *c, struct cfi_bytes r, struct cie *cie)
{
	unsigned version = (unsigned)cfi_read(&r, 1);
	const char *letters = read_text(&r);

	if ((version != 1 && version != 3 && !(version == 4 && c->from.is_debug)) || !letters ||
	    (*letters && *letters != 'z'))
		return;
	if (version == 4 && cfi_read(&r, 2) != 8) /* the sizes of an address, of a segment */
		return;
	cie->code_align = cfi_uleb(&r);
	cie->data_align = cfi_sleb(&r);
	uint64_t ra = version == 1 ? cfi_read(&r, 1) : cfi_uleb(&r);
	cie->has_augmentation = *letters == 'z';
	if (cie->has_augmentation)
		read_augmentation(c, &r, letters, cie);
	cie->program = r.at;
	cie->program_size = (size_t)(r.end - r.at);
	cie->ok = !r.bad && ra == CFI_REG_RA;
}

struct record {
	struct cfi_bytes body; /* behind the id */
	const uint8_t *id_at;
	uint64_t id;
	bool is_cie;
};

/*
 * A record: its length, 4 or 12 bytes, then so many, of which an id comes first. false: it is
 * the last one, or broken.
 */
static bool next_record(const struct compile *c, struct cfi_bytes *r, struct record *out)
{
	const uint32_t is_long = UINT32_MAX;
	uint64_t len = cfi_read(r, 4), cie_id = 0;
	unsigned id_size = 4;

	if (len == is_long) {
		len = cfi_read(r, 8);
		id_size = c->from.is_debug ? 8 : 4;
	}
	if (r->bad || !len || len > (uint64_t)(r->end - r->at))
		return false;
	if (c->from.is_debug)
		cie_id = id_size == 8 ? UINT64_MAX : UINT32_MAX;
	out->body = cfi_sub(r, len);
	out->id_at = out->body.at;
	out->id = cfi_read(&out->body, id_size);
	out->is_cie = out->id == cie_id;
	return true;
}

static const struct cie *find_cie(struct compile *c, size_t off)
{
	struct cfi_bytes r = { c->from.bytes + off, c->from.bytes + c->from.size, false };
	struct record record;

	if (c->cie.off == off)
		return &c->cie;
	c->cie = (struct cie){ .off = off, .encoding = PE_ABSPTR };
	if (next_record(c, &r, &record) && record.is_cie)
		read_cie(c, record.body, &c->cie);
	return &c->cie;
}

static void add_func(struct compile *c, const struct cie *cie, uint64_t start, uint64_t size,
		     const struct cfi_bytes *program)
{
	struct func f = { .start = start - c->base, .first = c->rows.len };
	struct cfi_run run = { .code_align = cie->code_align,
			       .data_align = cie->data_align,
			       .pc = f.start,
			       .end = f.start + size };

	f.end = run.end;
	if (start < c->base || start < c->from.code || f.end >> CFI_PC_BITS || f.end <= f.start)
		return;
	struct cfi_bytes common = { cie->program, cie->program + cie->program_size, false };
	uint64_t row;

	cfi_begin(&run, &common);
	for (struct cfi_bytes p = *program; cfi_next_row(&run, &p, &row);)
		vec_push(NULL, &c->rows, row);
	f.n = c->rows.len - f.first;
	if (f.n)
		vec_push(NULL, &c->funcs, f);
}

/* The id says how far back the record's CIE begins, or, in .debug_frame, where. */
static void read_fde(struct compile *c, const struct record *record)
{
	struct cfi_bytes r = record->body;
	uint64_t at = c->from.is_debug ? 0 : (uint64_t)(record->id_at - c->from.bytes);

	if (c->from.is_debug ? record->id >= c->from.size : record->id > at)
		return;
	const struct cie *cie =
		find_cie(c, (size_t)(c->from.is_debug ? record->id : at - record->id));
	if (!cie->ok)
		return;
	uint64_t start = read_address(c, &r, cie->encoding);
	uint64_t size = read_form(&r, cie->encoding & PE_FORM & 7);
	if (cie->has_augmentation)
		cfi_sub(&r, cfi_uleb(&r));
	if (!r.bad)
		add_func(c, cie, start, size, &r);
}

static void read_records(struct compile *c)
{
	struct cfi_bytes r = { c->from.bytes, c->from.bytes + c->from.size, false };
	struct record record;

	c->cie.off = SIZE_MAX;
	while (next_record(c, &r, &record)) {
		if (!record.body.bad && !record.is_cie)
			read_fde(c, &record);
		if (c->rows.len >> (CFI_ROWS_LOG2 + 1))
			return;
	}
}

/* --- the table --- */

static int compare_funcs(const void *a, const void *b)
{
	const struct func *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static uint64_t pc_of(uint64_t row)
{
	return row >> CFI_PC_SHIFT;
}

static void put_row(struct cfi_table *t, uint64_t row)
{
	const uint64_t rule = ((uint64_t)1 << CFI_PC_SHIFT) - 1;

	if (t->rows.len) {
		uint64_t *last = &vec_last(&t->rows);

		if ((*last & rule) == (row & rule))
			return;
		if (pc_of(*last) == pc_of(row)) {
			*last = row;
			return;
		}
	}
	vec_push(NULL, &t->rows, row);
}

/* Functions in the order of their addresses; where two overlap the later one begins. */
static void join(struct cfi_table *t, const struct compile *c)
{
	uint64_t end = 0;

	put_row(t, CFI_NONE);
	for (size_t i = 0; i < c->funcs.len; i++) {
		const struct func *f = &c->funcs.data[i];
		uint64_t limit = i + 1 < c->funcs.len ? f[1].start : UINT64_MAX;

		if (f->start > end)
			put_row(t, end << CFI_PC_SHIFT | CFI_NONE);
		for (size_t k = 0; k < f->n; k++)
			if (pc_of(c->rows.data[f->first + k]) < limit)
				put_row(t, c->rows.data[f->first + k]);
		end = f->end < limit ? f->end : limit;
	}
	put_row(t, end << CFI_PC_SHIFT | CFI_NONE);
}

static int compile_all(struct cfi_table *t, const struct source *sources, size_t n,
		       uint64_t base)
{
	struct compile c = { .base = base };

	*t = (struct cfi_table){ .base = base };
	for (size_t i = 0; i < n; i++) {
		c.from = sources[i];
		read_records(&c);
	}
	if (c.funcs.len)
		qsort(c.funcs.data, c.funcs.len, sizeof(*c.funcs.data), compare_funcs);
	join(t, &c);
	t->nfuncs = c.funcs.len;
	vec_free(&c.rows);
	vec_free(&c.funcs);
	if (t->rows.len >> CFI_ROWS_LOG2 == 0)
		return 0;
	cfi_fini(t);
	return -E2BIG;
}

int cfi_compile(struct cfi_table *t, const uint8_t *bytes, size_t size, uint64_t addr,
		uint64_t base)
{
	return compile_all(t, &(struct source){ bytes, size, addr }, 1, base);
}

/* Where the code of a file begins. */
static uint64_t lowest_code(const struct elf *f)
{
	static const char *const names[] = { ".init", ".plt", ".text" };
	uint64_t addr, lowest = UINT64_MAX;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (elf_section_addr(f, names[i], &addr) && addr < lowest)
			lowest = addr;
	return lowest;
}

int cfi_load(struct cfi_table *t, const struct elf *f)
{
	static const char *const names[] = { ".eh_frame", ".debug_frame" };
	struct source sources[2];
	struct elf_segment first;
	struct elf_section s;
	size_t i = 0, n = 0;

	*t = (struct cfi_table){};
	if (elf_word_size(f) != 8 || !elf_next_segment(f, &i, &first))
		return -ENOENT;
	for (i = 0; i < 2; i++) {
		bool is_debug = i == 1;

		if (elf_plain_section(f, names[i], &s))
			sources[n++] = (struct source){ .bytes = (const uint8_t *)s.bytes,
							.size = s.size,
							.addr = s.addr,
							.is_debug = is_debug,
							.code = is_debug ? lowest_code(f) : 0 };
	}
	return n ? compile_all(t, sources, n, first.addr) : -ENOENT;
}

void cfi_fini(struct cfi_table *t)
{
	vec_free(&t->rows);
	t->nfuncs = 0;
}

uint64_t cfi_row_at(const struct cfi_table *t, uint64_t pc)
{
	uint64_t want = pc << CFI_PC_SHIFT | UINT32_MAX;
	size_t lo = 0, hi = t->rows.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->rows.data[mid] <= want)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? t->rows.data[lo - 1] : 0;
}
