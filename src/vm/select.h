/*
 * select.h - packet filters as one expression, without branches.
 *
 * What a filter decides is a graph of comparisons whose ends are constants.  The processor
 * guesses badly which way unlike packets take through it, and each wrong guess costs more than
 * all comparisons together.  Where every load is known to be inside of the packet none of them
 * can end the program, so all may be carried out, and each comparison chooses one of two values
 * that are there already: "compare, conditional move", from the last to the first.
 *
 * Comparisons that must all hold, of bytes at constant places within 16, become one.
 *
 * vm_select_plan() reads the program as such a graph, or says that it is none: then, and for
 * packets that are too short, the program's own branches do the work.
 */
#ifndef SCRY_VM_SELECT_H
#define SCRY_VM_SELECT_H

#include "vm/vm.h"

enum {
	SELECT_VALUES = 96,
	SELECT_NODES = 24, /* with more, carrying out all costs more than guessing */
	SELECT_ENDS = 3,
	SELECT_INDEXES = 3,
	SELECT_WIDE = 16,
};

/* A number that the program makes of its packet; 0 names the unknown one. */
struct select_value {
	enum { SELECT_UNKNOWN, SELECT_CONST, SELECT_LOAD, SELECT_ALU } kind;
	uint8_t size; /* load: bytes */
	uint8_t op;   /* ALU: BPF_ADD ... with a constant, 32 bit */
	uint8_t of;   /* ALU: the other operand; load: the index, 0 when there is none */
	uint32_t k;   /* the constant; load: the offset */
	uint64_t max;
};

/* A comparison, or with value = 0 an end, which has only k. */
struct select_node {
	uint8_t value, op; /* BPF_JEQ ...; what is compared with k */
	bool raw;	   /* the load's bytes & mask, in packet order as k is */
	uint32_t k, mask;
	uint8_t yes, no; /* nodes */
	unsigned uses;
	uint8_t wide; /* where above 0: of s->wides; its comparison instead, "yes" when all are
			 equal */
};

/* Comparisons of bytes within 16, all of which must hold: one of all at once. */
struct select_wide {
	uint32_t at; /* in the packet */
	uint8_t mask[SELECT_WIDE], bytes[SELECT_WIDE];
};

/* Loads behind the same index: one check of the furthest. */
struct select_index {
	uint8_t value;
	uint32_t end;
};

struct select {
	struct select_value values[SELECT_VALUES];
	unsigned nvalues;
	struct select_node nodes[SELECT_ENDS + SELECT_NODES]; /* successors come first */
	unsigned nnodes, nends;
	struct select_index indexes[SELECT_INDEXES];
	unsigned nindexes;
	struct select_wide wides[SELECT_NODES]; /* from 1 */
	unsigned nwides;
	uint32_t end; /* the packet must have so many bytes */
	uint8_t root; /* the node where it begins */
};

/* For programs that vm_leaf_plan() took. Returns false when it is no such graph. */
bool vm_select_plan(struct select *s, const struct vm_prog *prog);

/* The load that v is made of by nothing but "and" with constants, or NULL. */
const struct select_value *vm_select_masked(const struct select *s, unsigned v, uint32_t *mask);

#endif
