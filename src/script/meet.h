/*
 * meet.h - where several ways through a program meet again, each with its value.
 *
 *	struct meet m = meet_new(b);
 *	ir_br(b, cond, yes, no);
 *	ir_start(b, yes);
 *	meet_from(b, &m, x);
 *	ir_start(b, no);
 *	meet_from(b, &m, y);
 *	ref v = meet_here(b, &m);    // x or y; building goes on behind the meeting point
 */
#ifndef SCRY_SCRIPT_MEET_H
#define SCRY_SCRIPT_MEET_H

#include "ir/ir.h"

enum { MEET_MAX = 4 };

struct meet {
	blkid at;
	ref values[MEET_MAX];
	unsigned n;
};

static inline struct meet meet_new(struct irb *b)
{
	return (struct meet){ .at = ir_block(b) };
}

/* The way being built ends here, with v; at most MEET_MAX of them. */
static inline void meet_from(struct irb *b, struct meet *m, ref v)
{
	m->values[m->n++] = v;
	ir_jmp(b, m->at);
}

static inline ref meet_here(struct irb *b, struct meet *m)
{
	ir_start(b, m->at);
	return ir_phi(b, m->n, m->values);
}

#endif
