/*
 * seq.h - printf and print of a program whose iterator is pinned: who reads the file reads what
 * the program itself wrote to it, with bpf_seq_write and bpf_seq_printf.
 *
 * The kernel formats less than scry does (lib/vsprintf.c behind kernel/bpf/helpers.c's
 * bpf_bprintf_prepare): numbers in decimal and hexadecimal, text, symbols, with flags 0, +, -,
 * blank and a width.
 */
#ifndef SCRY_BUILTIN_SEQ_H
#define SCRY_BUILTIN_SEQ_H

#include "output/format.h"
#include "script/unit.h"

/* Is the program's output what is read from a file? */
static inline bool seq_is_output(const struct unit *u)
{
	return u->target && u->target->pin;
}

/* Can the kernel write this conversion of that type, or, with p NULL, print() it? Or reports.
 */
bool seq_check(struct unit *u, const struct expr *e, const struct format_piece *p);
void seq_printf(struct unit *u, const struct format *f, struct expr **args);
void seq_print(struct unit *u, struct expr *e);

#endif
