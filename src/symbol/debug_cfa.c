/*
 * The canonical frame address at an instruction, from .eh_frame ("DWARF 5", section 6.4;
 * "Linux Standard Base", exception frames).
 *
 * libdw's own interpreter would bring disassemblers of every machine with it, 230 KB, so here
 * is the part of one that concerns the frame address alone.
 */
#include "symbol/debug_info.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

enum { STATES_MAX = 16 };

struct bytes {
	const uint8_t *at, *end;
	bool is_short; /* something reached behind the end */
};

struct cfa {
	unsigned reg;
	int64_t off;
	bool is_known;
};

/* The rows of a table, read up to an address. */
struct rows {
	uint64_t at, want;
	const Dwarf_CIE *cie;
	struct cfa cfa, saved[STATES_MAX];
	unsigned nsaved;
};

static uint64_t take(struct bytes *b, unsigned size)
{
	uint64_t n = 0;

	if ((size_t)(b->end - b->at) < size) {
		b->is_short = true;
		b->at = b->end;
		return 0;
	}
	memcpy(&n, b->at, size);
	b->at += size;
	return n;
}

static uint64_t take_uleb(struct bytes *b)
{
	uint64_t n = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t byte = (uint8_t)take(b, 1);

		if (shift < 64)
			n |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
}

static int64_t take_sleb(struct bytes *b)
{
	uint64_t n = 0;

	for (unsigned shift = 0;;) {
		uint8_t byte = (uint8_t)take(b, 1);

		if (shift < 64)
			n |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift < 64)
			n |= ~UINT64_C(0) << shift;
		return (int64_t)n;
	}
}

/* A pointer of .eh_frame; here is the address of the byte at b->at. */
static bool take_encoded(struct bytes *b, unsigned encoding, uint64_t here, uint64_t *out)
{
	switch (encoding & 0xf) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: *out = take(b, 8); break;
	case DW_EH_PE_udata4: *out = take(b, 4); break;
	case DW_EH_PE_sdata4: *out = (uint64_t)(int32_t)take(b, 4); break;
	default: return false;
	}
	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		*out += here;
	return !b->is_short && (encoding & 0x70) <= DW_EH_PE_pcrel;
}

/* How a CIE's FDEs write addresses: the 'R' of its augmentation, "zPLR". */
static bool read_encoding(const Dwarf_CIE *cie, unsigned *out)
{
	struct bytes b = { cie->augmentation_data,
			   cie->augmentation_data + cie->augmentation_data_size };
	uint64_t ignored;

	*out = DW_EH_PE_absptr;
	if (cie->augmentation[0] != 'z')
		return !cie->augmentation[0];
	for (const char *s = cie->augmentation + 1; *s; s++) {
		if (*s == 'R')
			*out = (unsigned)take(&b, 1);
		else if (*s == 'L')
			take(&b, 1);
		else if (*s == 'P' &&
			 !take_encoded(&b, (unsigned)take(&b, 1) & 0xf, 0, &ignored))
			return false;
	}
	return !b.is_short;
}

/* The operations that change the frame address. Returns false when op is none of them. */
static bool change_cfa(struct rows *r, unsigned op, struct bytes *b)
{
	struct cfa *cfa = &r->cfa;

	switch (op) {
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
		cfa->reg = (unsigned)take_uleb(b);
		cfa->is_known = true;
		cfa->off = op == DW_CFA_def_cfa ? (int64_t)take_uleb(b)
						: take_sleb(b) * r->cie->data_alignment_factor;
		return true;
	case DW_CFA_def_cfa_register: cfa->reg = (unsigned)take_uleb(b); return true;
	case DW_CFA_def_cfa_offset: cfa->off = (int64_t)take_uleb(b); return true;
	case DW_CFA_def_cfa_offset_sf:
		cfa->off = take_sleb(b) * r->cie->data_alignment_factor;
		return true;
	case DW_CFA_def_cfa_expression: {
		uint64_t n = take_uleb(b);

		cfa->is_known = false;
		b->at += n < (size_t)(b->end - b->at) ? n : (size_t)(b->end - b->at);
		return true;
	}
	case DW_CFA_remember_state:
		if (r->nsaved < STATES_MAX)
			r->saved[r->nsaved] = *cfa;
		r->nsaved++;
		return true;
	case DW_CFA_restore_state:
		if (r->nsaved && --r->nsaved < STATES_MAX)
			*cfa = r->saved[r->nsaved];
		else
			cfa->is_known = false;
		return true;
	default: return false;
	}
}

/* The operations about other registers, whose operands are passed over. */
static bool pass_over(unsigned op, struct bytes *b)
{
	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save: return true;
	case DW_CFA_offset_extended:
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_GNU_negative_offset_extended: take_uleb(b); /* fallthrough */
	case DW_CFA_restore_extended:
	case DW_CFA_undefined:
	case DW_CFA_same_value:
	case DW_CFA_GNU_args_size: take_uleb(b); return true;
	case DW_CFA_offset_extended_sf:
	case DW_CFA_val_offset_sf:
		take_uleb(b);
		take_sleb(b);
		return true;
	case DW_CFA_expression:
	case DW_CFA_val_expression: {
		take_uleb(b);
		uint64_t n = take_uleb(b);

		b->at += n < (size_t)(b->end - b->at) ? n : (size_t)(b->end - b->at);
		return true;
	}
	default: return false;
	}
}

/* Moves to the next row. */
static bool advance(struct rows *r, unsigned op, struct bytes *b)
{
	uint64_t step;

	switch (op) {
	case DW_CFA_set_loc: r->at = take(b, 8); return true;
	case DW_CFA_advance_loc1: step = take(b, 1); break;
	case DW_CFA_advance_loc2: step = take(b, 2); break;
	case DW_CFA_advance_loc4: step = take(b, 4); break;
	default: return false;
	}
	r->at += step * r->cie->code_alignment_factor;
	return true;
}

/* Returns false at an operation that is not known. */
static bool run(struct rows *r, const uint8_t *at, const uint8_t *end)
{
	struct bytes b = { at, end };

	while (b.at < b.end) {
		struct cfa before = r->cfa;
		unsigned op = (unsigned)take(&b, 1), low = op & 0x3f;

		switch (op & 0xc0) {
		case DW_CFA_advance_loc: r->at += low * r->cie->code_alignment_factor; break;
		case DW_CFA_offset: take_uleb(&b); break;
		case DW_CFA_restore: break;
		default:
			if (!advance(r, op, &b) && !change_cfa(r, op, &b) && !pass_over(op, &b))
				return false;
		}
		if (r->at > r->want) {
			r->cfa = before;
			return true;
		}
	}
	return !b.is_short;
}

struct frames {
	const unsigned char *ident;
	Elf_Data *data;
	uint64_t addr; /* of the section */
};

/* Is it the FDE of that address? Then out is its frame address. */
static bool read_fde(const struct frames *f, const Dwarf_FDE *fde, uint64_t addr,
		     struct cfa *out)
{
	struct bytes b = { fde->start, fde->end };
	const uint8_t *base = f->data->d_buf;
	Dwarf_CFI_Entry cie;
	uint64_t low, size;
	Dwarf_Off next;
	unsigned encoding;

	if (dwarf_next_cfi(f->ident, f->data, true, fde->CIE_pointer, &next, &cie) ||
	    !dwarf_cfi_cie_p(&cie) || !read_encoding(&cie.cie, &encoding) ||
	    !take_encoded(&b, encoding, f->addr + (uint64_t)(b.at - base), &low) ||
	    !take_encoded(&b, encoding & 0xf, 0, &size) || addr < low || addr - low >= size)
		return false;
	if (cie.cie.augmentation[0] == 'z') {
		uint64_t n = take_uleb(&b);

		if (n > (size_t)(b.end - b.at))
			return false;
		b.at += n;
	}

	struct rows r = { .at = low, .want = addr, .cie = &cie.cie };
	if (!run(&r, cie.cie.initial_instructions, cie.cie.initial_instructions_end) ||
	    !run(&r, b.at, b.end))
		return false;
	*out = r.cfa;
	return true;
}

bool debug_info_cfa(struct debug_info *di, uint64_t addr, unsigned *reg, int64_t *off)
{
	struct elf_section s;
	struct frames f;
	Dwarf_CFI_Entry entry;
	Dwarf_Off at = 0, next;
	struct cfa cfa = {};

	if (!elf_find_section(&di->own, ".eh_frame", &s) || elf_word_size(&di->own) != 8)
		return false;
	Elf_Data data = { .d_buf = s.bytes, .d_size = s.size, .d_type = ELF_T_BYTE };
	f = (struct frames){ (const unsigned char *)elf_getident(di->own.elf, NULL), &data,
			     s.addr };
	while (!dwarf_next_cfi(f.ident, f.data, true, at, &next, &entry) && next > at) {
		if (!dwarf_cfi_cie_p(&entry) && read_fde(&f, &entry.fde, addr, &cfa))
			break;
		at = next;
	}
	*reg = cfa.reg;
	*off = cfa.off;
	return cfa.is_known;
}
