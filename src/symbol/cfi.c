/*
 * .eh_frame is a list of records: CIEs, which functions have in common, and FDEs, one per
 * function, each with instructions of a small machine that builds the rules line by line.  Of
 * its registers only those matter that stacks are walked with: the CFA, rbp and the return
 * address.
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

struct compile {
	const uint8_t *bytes;
	size_t size;
	uint64_t addr, base;
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
	uint64_t place = c->addr + (uint64_t)(r->at - c->bytes);
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

	if ((version != 1 && version != 3) || !letters || (*letters && *letters != 'z'))
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

/* A record: its length, 4 or 12 bytes, then so many. false: it is the last one, or broken. */
static bool next_record(struct cfi_bytes *r, struct cfi_bytes *body)
{
	const uint32_t is_long = UINT32_MAX;
	uint64_t len = cfi_read(r, 4);

	if (len == is_long)
		len = cfi_read(r, 8);
	if (r->bad || !len || len > (uint64_t)(r->end - r->at))
		return false;
	*body = cfi_sub(r, len);
	return true;
}

static const struct cie *find_cie(struct compile *c, size_t off)
{
	struct cfi_bytes r = { c->bytes + off, c->bytes + c->size, false }, body;

	if (c->cie.off == off)
		return &c->cie;
	c->cie = (struct cie){ .off = off, .encoding = PE_ABSPTR };
	if (next_record(&r, &body) && cfi_read(&body, 4) == 0)
		read_cie(c, body, &c->cie);
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
	if (start < c->base || f.end >> CFI_PC_BITS || f.end <= f.start)
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

/* id_at is where the record says how far back its CIE begins. */
static void read_fde(struct compile *c, struct cfi_bytes r, const uint8_t *id_at, uint64_t back)
{
	size_t at = (size_t)(id_at - c->bytes);

	if (back > at)
		return;
	const struct cie *cie = find_cie(c, at - back);
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
	struct cfi_bytes r = { c->bytes, c->bytes + c->size, false }, body;

	while (next_record(&r, &body)) {
		const uint8_t *id_at = body.at;
		uint64_t id = cfi_read(&body, 4);

		if (!body.bad && id)
			read_fde(c, body, id_at, id);
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

int cfi_compile(struct cfi_table *t, const uint8_t *bytes, size_t size, uint64_t addr,
		uint64_t base)
{
	struct compile c = {
		.bytes = bytes, .size = size, .addr = addr, .base = base, .cie.off = SIZE_MAX
	};

	*t = (struct cfi_table){ .base = base };
	read_records(&c);
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

int cfi_load(struct cfi_table *t, const struct elf *f)
{
	struct elf_segment first;
	struct elf_section frames;
	size_t i = 0;

	*t = (struct cfi_table){};
	if (elf_word_size(f) != 8 || !elf_next_segment(f, &i, &first) ||
	    !elf_find_section(f, ".eh_frame", &frames))
		return -ENOENT;
	return cfi_compile(t, (const uint8_t *)frames.bytes, frames.size, frames.addr,
			   first.addr);
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
