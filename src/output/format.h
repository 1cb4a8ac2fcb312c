/*
 * format.h - printf format strings: parsed once when the script is compiled, run per event.
 *
 * The grammar and the differences from C's printf are those of reference section 6: flags in
 * fixed order, what does not match is literal text, %d without a length is cut to 32 bits, %r
 * %rx %rh show buffers, %s shows anything.
 */
#ifndef SCRY_OUTPUT_FORMAT_H
#define SCRY_OUTPUT_FORMAT_H

#include "base/arena.h"
#include "base/sb.h"
#include "output/value.h"

enum { FORMAT_WIDTH_MAX = 1 << 16 };

/* One piece: literal text (conv 0) or a conversion. */
struct format_piece {
	/*
	 * 'd' 'i' 'u' 'o' 'x' 'X' 'c' 'p' take integers, "eEfFgGaA" floating-point numbers, 's'
	 * anything, 'r' buffers; 0: literal. 'n' is recognized so that the compiler can refuse
	 * it.
	 */
	char conv;
	char buf_mode; /* conv 'r': 0, 'x' (\xNN), 'h' (NN NN), 'g' (an integer: GFP flags) */
	bool left, plus, space, alt, zero;
	int width;	  /* 0 = none; at most FORMAT_WIDTH_MAX */
	int precision;	  /* -1 = none; cuts %s, least digits of integers, digits of %f */
	uint8_t int_size; /* bytes the number is cut to: 1, 2, 4 or 8 */
	const char *text; /* literal, or the conversion as written ("%-5d") */
	size_t len;
	uint32_t off; /* where text starts in the format, bytes */
};

struct format {
	struct format_piece *pieces;
	size_t npieces;
	unsigned nconvs;
};

/* Never fails: what is no conversion is literal. "%%" becomes a literal "%". Copies text. */
void format_parse(struct arena *a, const char *text, size_t len, struct format *out);
/*
 * Writes the text of the format with nconvs values.  A value that does not fit its conversion
 * is shown as %s would show it.
 */
void format_run(const struct format *f, const struct value *args, struct sb *out);

#endif
