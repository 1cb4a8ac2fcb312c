/*
 * counted.h - a loop over numbers, whose end the kernel's verifier sees when it is a constant.
 *
 *	struct counted c;
 *	ref i = counted_begin(b, &c, OP_ULT, first, end);
 *	...                          // the body; a jump to c.next ends this turn, to c.done all
 *	counted_end(b, &c);          // building goes on behind the loop
 */
#ifndef SCRY_SCRIPT_COUNTED_H
#define SCRY_SCRIPT_COUNTED_H

#include "ir/ir.h"

struct counted {
	ref i; /* the slot of the number */
	blkid head, next, done;
};

/* Runs while i `less` end (OP_ULT or OP_SLT), which is computed before. Returns i, in the body.
 */
static inline ref counted_begin(struct irb *b, struct counted *c, enum ir_op less, ref first,
				ref end)
{
	blkid body = ir_block(b);

	*c = (struct counted){ ir_slot(b, 8), ir_block(b), ir_block(b), ir_block(b) };
	ir_store(b, 8, c->i, 0, first);
	ir_jmp(b, c->head);

	ir_start(b, c->head);
	ref i = ir_load(b, 8, c->i, 0);
	ir_br(b, ir_bin(b, less, i, end), body, c->done);
	ir_start(b, body);
	return i;
}

static inline void counted_end(struct irb *b, struct counted *c)
{
	ir_jmp(b, c->next);
	ir_start(b, c->next);
	ir_store(b, 8, c->i, 0, ir_bin(b, OP_ADD, ir_load(b, 8, c->i, 0), ir_const(b, 1)));
	ir_jmp(b, c->head);
	ir_start(b, c->done);
}

#endif
