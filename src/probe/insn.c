/*
 * Lengths of x86-64 instructions follow Intel's Software Developer's Manual, volume 2, appendix
 * A (the opcode maps), and 2.3 and 2.7 for VEX and EVEX; those of aarch64 are 4.
 */
#include "probe/insn.h"

#include <string.h>

/* What follows an opcode, one letter each: see take_operands(). */

#define ARITH "mmmmbz-"
static const char one_byte[] =
	/* 00 */ ARITH "-" ARITH "-"
	/* 10 */ ARITH "-" ARITH "-"
	/* 20 */ ARITH "-" ARITH "-"
	/* 30 */ ARITH "-" ARITH "-"
		       /* 40 */ "--------"
		       "--------"
		       /* 50 */ "........"
		       "........"
		       /* 60 */ "---m----"
		       "zZbB...."
		       /* 70 */ "bbbbbbbb"
		       "bbbbbbbb"
		       /* 80 */ "BZ-Bmmmm"
		       "mmmmmmmm"
		       /* 90 */ "........"
		       "..-....."
		       /* A0 */ "oooo...."
		       "bz......"
		       /* B0 */ "bbbbbbbb"
		       "iiiiiiii"
		       /* C0 */ "BBw.--BZ"
		       "e.w..b-."
		       /* D0 */ "mmmm---."
		       "mmmmmmmm"
		       /* E0 */ "bbbbbbbb"
		       "dd-b...."
		       /* F0 */ "-.--..tT"
		       "......mm";
static const char two_byte[] =
	/* 00 */ "mmmm-..."
		 "..-.-m.B"
		 /* 10 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* 20 */ "mmmm----"
		 "mmmmmmmm"
		 /* 30 */ "......-."
		 "--------"
		 /* 40 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* 50 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* 60 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* 70 */ "BBBBmmm."
		 "mm--mmmm"
		 /* 80 */ "dddddddd"
		 "dddddddd"
		 /* 90 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* A0 */ "...mBm--"
		 "...mBmmm"
		 /* B0 */ "mmmmmmmm"
		 "mmBmmmmm"
		 /* C0 */ "mmBmBBBm"
		 "........"
		 /* D0 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* E0 */ "mmmmmmmm"
		 "mmmmmmmm"
		 /* F0 */ "mmmmmmmm"
		 "mmmmmmmm";

struct reader {
	const uint8_t *code;
	size_t size, at;
	bool is_wide; /* REX.W */
	bool is_16;   /* the operand size prefix */
	bool is_a32;  /* the address size prefix */
};

static uint8_t peek(const struct reader *r)
{
	return r->at < r->size ? r->code[r->at] : 0;
}

static uint8_t next(struct reader *r)
{
	uint8_t byte = peek(r);

	r->at++;
	return byte;
}

/* ModRM, SIB and displacement; returns the middle field. */
static unsigned take_modrm(struct reader *r)
{
	uint8_t modrm = next(r), mod = modrm >> 6, rm = modrm & 7;

	if (mod != 3 && rm == 4)
		rm = next(r) & 7; /* the base register */
	if (mod == 1)
		r->at += 1;
	else if (mod == 2 || (mod == 0 && rm == 5))
		r->at += 4;
	return modrm >> 3 & 7;
}

static bool take_operands(struct reader *r, char kind)
{
	unsigned z = r->is_16 && !r->is_wide ? 2 : 4;

	switch (kind) {
	case '.': return true;
	case 'm': take_modrm(r); return true;
	case 'B':
		take_modrm(r);
		r->at += 1;
		return true;
	case 'Z':
		take_modrm(r);
		r->at += z;
		return true;
	case 't': r->at += take_modrm(r) < 2 ? 1 : 0; return true; /* test, or not */
	case 'T': r->at += take_modrm(r) < 2 ? z : 0; return true;
	case 'b': r->at += 1; return true;
	case 'w': r->at += 2; return true;
	case 'e': r->at += 3; return true;
	case 'd': r->at += 4; return true; /* where to jump */
	case 'z': r->at += z; return true;
	case 'i': r->at += r->is_wide ? 8 : z; return true;
	case 'o': r->at += r->is_a32 ? 4 : 8; return true;
	default: return false;
	}
}

/* An opcode of the maps 0F (1), 0F 38 (2) and 0F 3A (3), and those only EVEX has. */
static bool take_mapped(struct reader *r, unsigned map, bool is_vex)
{
	uint8_t opcode = next(r);

	switch (map) {
	case 1:
		/* vzeroupper is the only one there without ModRM. */
		if (is_vex && two_byte[opcode] != 'B' && opcode != 0x77)
			return take_operands(r, 'm');
		return take_operands(r, two_byte[opcode]);
	case 2:
	case 5:
	case 6: return take_operands(r, 'm');
	case 3: return take_operands(r, 'B');
	default: return false;
	}
}

static bool take_two_byte(struct reader *r)
{
	unsigned map = peek(r) == 0x38 ? 2 : peek(r) == 0x3a ? 3 : 1;

	r->at += map != 1;
	return take_mapped(r, map, false);
}

static void take_prefixes(struct reader *r)
{
	for (;; r->at++) {
		uint8_t byte = peek(r);

		r->is_16 |= byte == 0x66;
		r->is_a32 |= byte == 0x67;
		if (!byte || !strchr("\x66\x67\xf0\xf2\xf3\x2e\x36\x3e\x26\x64\x65", byte))
			break;
	}
	if ((peek(r) & 0xf0) == 0x40)
		r->is_wide = next(r) & 8;
}

static unsigned length_x86_64(const uint8_t *code, size_t size)
{
	enum { LONGEST = 15 };
	struct reader r = { code, size < LONGEST ? size : LONGEST, 0, false, false, false };
	uint8_t opcode, map;
	bool known;

	take_prefixes(&r);
	opcode = next(&r);
	if (opcode == 0x0f) {
		known = take_two_byte(&r);
	} else if (opcode == 0xc5) {
		r.at++;
		known = take_mapped(&r, 1, true);
	} else if (opcode == 0xc4 || opcode == 0x62) {
		map = next(&r) & (opcode == 0x62 ? 7 : 0x1f);
		r.at += opcode == 0x62 ? 2 : 1;
		known = take_mapped(&r, map, true);
	} else {
		known = take_operands(&r, one_byte[opcode]);
	}
	return known && r.at <= r.size ? (unsigned)r.at : 0;
}

/* ret and ret N, with whatever prefix. */
static bool is_return_x86_64(const uint8_t *code, unsigned length)
{
	struct reader r = { code, length, 0, false, false, false };

	take_prefixes(&r);
	return (peek(&r) == 0xc3 && r.at + 1 == length) ||
	       (peek(&r) == 0xc2 && r.at + 3 == length);
}

const struct insn_set insn_x86_64 = { length_x86_64, is_return_x86_64 };

static unsigned length_aarch64(const uint8_t *code, size_t size)
{
	(void)code;
	return size < 4 ? 0 : 4;
}

/* ret Xn, with and without an authenticated pointer (RET, RETAA, RETAB). */
static bool is_return_aarch64(const uint8_t *code, unsigned length)
{
	uint32_t word;

	memcpy(&word, code, sizeof(word));
	return length == 4 &&
	       ((word & 0xfffffc1f) == 0xd65f0000 || (word & 0xfffffbff) == 0xd65f0bff);
}

const struct insn_set insn_aarch64 = { length_aarch64, is_return_aarch64 };

bool insn_each_return(const struct insn_set *set, const uint8_t *code, size_t size,
		      void (*fn)(void *arg, size_t offset), void *arg)
{
	for (size_t at = 0; at < size;) {
		unsigned length = set->length(code + at, size - at);

		if (!length)
			return false;
		if (set->is_return(code + at, length))
			fn(arg, at);
		at += length;
	}
	return true;
}

bool insn_begins_at(const struct insn_set *set, const uint8_t *code, size_t size, size_t offset)
{
	size_t at = 0;

	while (at < offset && at < size) {
		unsigned length = set->length(code + at, size - at);

		if (!length)
			return true;
		at += length;
	}
	return at == offset || offset > size;
}
