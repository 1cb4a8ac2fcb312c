/*
 * ctok.h - C text to preprocessing tokens (ISO C11 6.4).
 *
 * Texts are short (the head of a script), so they are read at once into a list that ends with
 * C_EOF.  Keywords are names here.
 */
#ifndef SCRY_CFRONT_CTOK_H
#define SCRY_CFRONT_CTOK_H

#include "base/diag.h"

enum ctok_kind {
	C_EOF,
	C_NAME,
	C_NUMBER, /* num; valid when it is an integer */
	C_CHAR,	  /* num */
	C_STRING,
	C_SIGN,
	C_OTHER, /* a byte that C does not know */
};

struct ctok {
	enum ctok_kind kind;
	struct span span;
	const char *text; /* as it stands, NUL-terminated */
	uint64_t num;
	bool is_unsigned;  /* C_NUMBER */
	bool is_integer;   /* C_NUMBER */
	bool space_before; /* tells #define F(x) from #define F (x) */
	bool header;	   /* of an included file */
	bool from_macro;   /* out of a macro's replacement */
	bool stays;	   /* names a macro in whose replacement it was met */
};

/* Text of the sign that #pragma pack becomes; num is the largest alignment, 0: any. */
#define C_PACK "#pack"

VEC_TYPE(ctoks, struct ctok);

/* Adds the tokens of a text whose first byte is at base to out, without a C_EOF. */
void ctok_read(struct arena *a, struct diags *dx, const char *text, size_t len, uint32_t base,
	       struct ctoks *out);
bool ctok_is(const struct ctok *t, const char *text);

/* A reader of a list of tokens; past the end it gives C_EOF for ever. */
struct ctok_reader {
	const struct ctok *toks;
	size_t n, pos;
	struct ctok eof;
};

void ctok_reader_init(struct ctok_reader *r, const struct ctoks *toks, struct span end);
const struct ctok *ctok_peek(const struct ctok_reader *r);
/* The token n places further. */
const struct ctok *ctok_peek_at(const struct ctok_reader *r, size_t n);
const struct ctok *ctok_next(struct ctok_reader *r);
/* Takes the token when it has that text. */
bool ctok_accept(struct ctok_reader *r, const char *text);

#endif
