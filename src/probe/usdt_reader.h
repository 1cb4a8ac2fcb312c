/*
 * usdt_reader.h - reading the operands of static probes: what the architectures' syntaxes
 * share.
 *
 * Every function moves r->at past what it took, and returns false when that is not there.
 */
#ifndef SCRY_PROBE_USDT_READER_H
#define SCRY_PROBE_USDT_READER_H

#include "probe/usdt_operand.h"

struct usdt_reader {
	const char *at, *end; /* one operand, without its size */
	const struct usdt_symbols *symbols;
};

/* How an architecture's assembler writes operands; struct arch has it. */
struct usdt_syntax {
	/*
	 * Reads one operand; out->size is that of the note, 0 when it has none. May set
	 * out->why when it returns false.
	 */
	bool (*take_operand)(struct usdt_reader *r, struct argloc *out);
	/* Does the text of a note name symbols of the file? */
	bool (*has_symbols)(const char *text);
};

extern const struct usdt_syntax usdt_x86_64, usdt_aarch64;

bool usdt_at(const struct usdt_reader *r, char c);
bool usdt_take(struct usdt_reader *r, char c);
/* Digits, decimal or 0x. */
bool usdt_take_number(struct usdt_reader *r, int64_t *out);
/* The address of the symbol whose name comes next. */
bool usdt_take_symbol(struct usdt_reader *r, uint64_t *addr);
/* Letters and digits, cut to size. */
void usdt_take_word(struct usdt_reader *r, char *out, size_t size);

/* "-8", "table+16", "16+table": a number and at most one symbol. */
struct usdt_sum {
	int64_t value;
	bool has_symbol;
};
/* Up to one of the characters in stop. */
bool usdt_take_sum(struct usdt_reader *r, const char *stop, struct usdt_sum *out);

#endif
