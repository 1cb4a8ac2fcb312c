/*
 * The IR as text; docs/ir.md has the grammar.
 *
 * Predecessors and a phi's operands are printed in the order of their blocks, whatever order
 * they are kept in, so that a function that was read back prints the same.
 */
#include "base/auto.h"
#include "ir/ir.h"

#include <inttypes.h>

struct edge {
	blkid from;
	ref value; /* of a phi */
};

static int edge_cmp(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	return a->from < b->from ? -1 : a->from > b->from;
}

/* The edges into blk, with the values phi takes from them (or NULL), sorted; on the heap. */
static struct edge *edges_sorted(const struct blk *blk, const struct ins *phi)
{
	struct edge *edges = xcalloc(blk->preds.len, sizeof(*edges));

	for (size_t k = 0; k < blk->preds.len; k++) {
		edges[k].from = blk->preds.data[k];
		if (phi && k < phi->nargs)
			edges[k].value = phi->args[k];
	}
	qsort(edges, blk->preds.len, sizeof(*edges), edge_cmp);
	return edges;
}

static void print_label(const struct fn *fn, blkid b, struct sb *out)
{
	const struct blk *blk = &fn->blks.data[b];

	sb_printf(out, "b%" PRIu32 ":", b);
	if (blk->preds.len) {
		auto_free struct edge *edges = edges_sorted(blk, NULL);

		for (size_t k = 0; k < blk->preds.len; k++)
			sb_printf(out, "%sb%" PRIu32, k ? ", " : "  ; preds ", edges[k].from);
	}
	sb_putc(out, '\n');
}

static void print_phi(const struct fn *fn, const struct ins *i, struct sb *out)
{
	const struct blk *blk = &fn->blks.data[i->home];
	auto_free struct edge *edges = edges_sorted(blk, i);

	for (size_t k = 0; k < blk->preds.len; k++)
		sb_printf(out, "%sb%" PRIu32 " v%" PRIu32, k ? ", " : " ", edges[k].from,
			  edges[k].value);
}

/* The operands after the first comma-separated item, if there was one. */
static void print_refs(const ref *refs, unsigned n, const char *sep, struct sb *out)
{
	for (unsigned k = 0; k < n; k++, sep = ", ")
		sb_printf(out, "%sv%" PRIu32, sep, refs[k]);
}

/* Pointer, offset, then the values. */
static void print_access(const struct ins *i, struct sb *out)
{
	sb_printf(out, " v%" PRIu32 ", %" PRId64, i->a, i->imm);
	print_refs(i->fixed + 1, i->nargs - 1, ", ", out);
}

static void print_operands(const struct fn *fn, const struct ins *i, struct sb *out)
{
	switch (i->op) {
	case OP_PHI: print_phi(fn, i, out); return;
	case OP_CALL:
		sb_printf(out, " %" PRId64, i->imm);
		print_refs(i->args, i->nargs, ", ", out);
		return;
	case OP_MAPVAL:
		sb_printf(out, " %" PRIu32 ", %" PRIu32, (uint32_t)((uint64_t)i->imm >> 32),
			  (uint32_t)i->imm);
		return;
	case OP_JMP: sb_printf(out, " b%" PRIu32, i->blk[0]); return;
	case OP_BR:
		sb_printf(out, " v%" PRIu32 ", b%" PRIu32 ", b%" PRIu32, i->a, i->blk[0],
			  i->blk[1]);
		return;
	}
	if (op_infos[i->op].flags & OP_IMM && i->nargs)
		print_access(i, out);
	else if (op_infos[i->op].flags & OP_IMM)
		sb_printf(out, " %" PRId64, i->imm);
	else
		print_refs(i->fixed, i->nargs, " ", out);
}

static void print_ins(const struct fn *fn, ref r, struct sb *out)
{
	const struct ins *i = ir_ins(fn, r);
	const struct op_info *op = &op_infos[i->op];

	sb_putc(out, '\t');
	if (op->flags & OP_RESULT)
		sb_printf(out, "v%" PRIu32 " = ", r);
	sb_puts(out, op->text);
	if (op->flags & OP_SIZE)
		sb_printf(out, "%u", i->size * 8);
	print_operands(fn, i, out);
	sb_putc(out, '\n');
}

static void print_name(const char *name, struct sb *out)
{
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			sb_putc(out, '\\');
		sb_putc(out, *name);
	}
}

void ir_print(const struct fn *fn, struct sb *out)
{
	sb_puts(out, "fn \"");
	print_name(fn->name, out);
	sb_puts(out, "\" {\n");
	for (blkid b = 0; b < fn->blks.len; b++) {
		if (fn->blks.data[b].dead)
			continue;
		print_label(fn, b, out);
		vec_each(r, &fn->blks.data[b].ins)
			print_ins(fn, *r, out);
	}
	sb_puts(out, "}\n");
}
