#include "symbol/cfi_ops.h"

#include "symbol/cfi_row.h"

#include <string.h>

/* --- bytes --- */

uint64_t cfi_read(struct cfi_bytes *r, unsigned size)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->at) < size) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	memcpy(&v, r->at, size);
	r->at += size;
	return v;
}

uint64_t cfi_uleb(struct cfi_bytes *r)
{
	uint64_t v = 0, byte = 0x80;

	for (unsigned shift = 0; byte & 0x80 && !r->bad; shift += 7) {
		byte = cfi_read(r, 1);
		if (shift < 64)
			v |= (byte & 0x7f) << shift;
	}
	return v;
}

int64_t cfi_sleb(struct cfi_bytes *r)
{
	uint64_t v = 0, byte = 0x80;
	unsigned shift = 0;

	for (; byte & 0x80 && !r->bad; shift += 7) {
		byte = cfi_read(r, 1);
		if (shift < 64)
			v |= (byte & 0x7f) << shift;
	}
	if (byte & 0x40 && shift < 64)
		v |= UINT64_MAX << shift;
	return (int64_t)v;
}

struct cfi_bytes cfi_sub(struct cfi_bytes *r, uint64_t n)
{
	struct cfi_bytes sub = { r->at, r->at, r->bad };

	if (n > (uint64_t)(r->end - r->at)) {
		r->bad = sub.bad = true;
		n = (uint64_t)(r->end - r->at);
	}
	r->at += n;
	sub.end = r->at;
	return sub;
}

/* --- rows --- */

enum { OP_DEREF = 0x06, OP_BREG = 0x70 };

/* "breg offset, deref"; false: the expression is another. */
static bool is_deref(struct cfi_bytes expr, unsigned reg, bool deref, int64_t *offset)
{
	if (cfi_read(&expr, 1) != OP_BREG + reg)
		return false;
	*offset = cfi_sleb(&expr);
	if (deref && cfi_read(&expr, 1) != OP_DEREF)
		return false;
	return !expr.bad && expr.at == expr.end;
}

/* What linkers write for lazy PLTs: rsp + 8 + ((rip & 15) >= n) * 8; n, or -1. */
static int plt_step(const struct cfi_bytes *expr)
{
	enum { LIT0 = 0x30, LIT15 = 0x3f };
	static const uint8_t head[] = { OP_BREG + CFI_REG_SP, 8, 0x80, 0, LIT15, 0x1a };
	static const uint8_t tail[] = { 0x2a, LIT0 + 3, 0x24, 0x22 };
	const uint8_t *p = expr->at;

	if (expr->end - p != sizeof(head) + 1 + sizeof(tail) ||
	    memcmp(p, head, sizeof(head)) != 0 ||
	    memcmp(p + sizeof(head) + 1, tail, sizeof(tail)) != 0)
		return -1;
	unsigned lit = p[sizeof(head)];
	return lit >= LIT0 && lit <= LIT15 ? (int)(lit - LIT0) : -1;
}

static uint64_t rule(enum cfi_rule kind, int64_t n, unsigned saved)
{
	if (n < 0 || n >> CFI_N_BITS)
		return CFI_UNKNOWN;
	return (uint64_t)n << CFI_N_SHIFT | (uint64_t)saved << CFI_SAVED_SHIFT | kind;
}

static unsigned saved_bp(const struct cfi_place *bp)
{
	int64_t offset;

	if (bp->how == PLACE_SAME)
		return CFI_SAVED_SAME;
	if (bp->how == PLACE_OFFSET && bp->offset % 8 == 0 && bp->offset <= -16 &&
	    bp->offset > -8 * CFI_SAVED_UNKNOWN)
		return (unsigned)(-bp->offset / 8);
	if (bp->how == PLACE_EXPR && is_deref(bp->bytes, CFI_REG_BP, false, &offset) && !offset)
		return CFI_SAVED_AT_BP;
	return CFI_SAVED_UNKNOWN;
}

/* sigcontext of asm/sigcontext.h: rbp 40 bytes before rsp, rip behind it. */
static bool is_signal(const struct cfi_state *s, int64_t sp)
{
	int64_t bp, ra;

	return s->bp.how == PLACE_EXPR && s->ra.how == PLACE_EXPR &&
	       is_deref(s->bp.bytes, CFI_REG_SP, false, &bp) &&
	       is_deref(s->ra.bytes, CFI_REG_SP, false, &ra) && bp == sp - 40 && ra == sp + 8 &&
	       sp % 8 == 0 && bp >= 0;
}

static uint64_t rule_of_expr(const struct cfi_state *s)
{
	const struct cfi_bytes *expr = &s->cfa.bytes;
	bool usual = s->ra.how == PLACE_OFFSET && s->ra.offset == -8;
	int step = plt_step(expr);
	int64_t offset;

	if (step >= 0 && usual)
		return rule(CFI_PLT, step, saved_bp(&s->bp));
	if (is_deref(*expr, CFI_REG_BP, true, &offset) && usual && offset % 8 == 0)
		return rule(CFI_BP_DEREF, -offset / 8, saved_bp(&s->bp));
	if (is_deref(*expr, CFI_REG_SP, true, &offset) && is_signal(s, offset))
		return rule(CFI_SIGNAL, offset / 8, CFI_SAVED_SAME);
	return CFI_UNKNOWN;
}

static uint64_t rule_of(const struct cfi_state *s)
{
	if (s->ra.how == PLACE_UNDEFINED)
		return CFI_END;
	if (s->cfa.how == PLACE_EXPR)
		return rule_of_expr(s);
	if (s->cfa.how != PLACE_OFFSET || s->ra.how != PLACE_OFFSET || s->ra.offset != -8 ||
	    s->cfa.offset % 8 != 0)
		return CFI_UNKNOWN;
	if (s->cfa.reg == CFI_REG_SP)
		return rule(CFI_SP, s->cfa.offset / 8, saved_bp(&s->bp));
	if (s->cfa.reg == CFI_REG_BP)
		return rule(CFI_BP, s->cfa.offset / 8, saved_bp(&s->bp));
	return CFI_UNKNOWN;
}

/* --- instructions --- */

/* By number; the upper two bits of a byte may hold an instruction with an operand below. */
enum {
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_1 = 0x02,
	CFA_ADVANCE_2 = 0x03,
	CFA_ADVANCE_4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET = 0x2f,
	CFA_ADVANCE = 0x40,
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_OPERAND = 0x3f,
};

/* The place of a register that is followed, or a place that nobody looks at. */
static struct cfi_place *place_of(struct cfi_state *s, uint64_t reg, struct cfi_place *other)
{
	return reg == CFI_REG_BP ? &s->bp : reg == CFI_REG_RA ? &s->ra : other;
}

static void put_place(struct cfi_run *run, uint64_t reg, struct cfi_place place)
{
	struct cfi_place other;

	*place_of(&run->now, reg, &other) = place;
}

static void restore(struct cfi_run *run, uint64_t reg)
{
	struct cfi_place other = {};
	struct cfi_place first = *place_of(&run->initial, reg, &other);

	put_place(run, reg, first);
}

static struct cfi_place offset_place(int64_t offset)
{
	return (struct cfi_place){ .how = PLACE_OFFSET, .offset = offset };
}

/* Factors come from the file: the product may wrap, but not trap. */
static int64_t scaled(const struct cfi_run *run, uint64_t n)
{
	return (int64_t)(n * (uint64_t)run->data_align);
}

static struct cfi_place expr_place(struct cfi_bytes *r)
{
	struct cfi_place p = { .how = PLACE_EXPR };

	p.bytes = cfi_sub(r, cfi_uleb(r));
	return p;
}

static void def_cfa(struct cfi_run *run, uint64_t reg, int64_t offset)
{
	run->now.cfa = (struct cfi_place){ .how = PLACE_OFFSET, .reg = reg, .offset = offset };
}

static void remember(struct cfi_run *run)
{
	if (run->depth == CFI_REMEMBERED)
		run->broken = true;
	else
		run->stack[run->depth++] = run->now;
}

static void recall(struct cfi_run *run)
{
	if (!run->depth)
		run->broken = true;
	else
		run->now = run->stack[--run->depth];
}

/* Instructions about the CFA; false: it is none of them. */
static bool run_cfa(struct cfi_run *run, struct cfi_bytes *r, unsigned op)
{
	uint64_t reg;

	switch (op) {
	case CFA_DEF_CFA:
		reg = cfi_uleb(r);
		def_cfa(run, reg, (int64_t)cfi_uleb(r));
		return true;
	case CFA_DEF_CFA_SF:
		reg = cfi_uleb(r);
		def_cfa(run, reg, scaled(run, (uint64_t)cfi_sleb(r)));
		return true;
	case CFA_DEF_CFA_REGISTER: def_cfa(run, cfi_uleb(r), run->now.cfa.offset); return true;
	case CFA_DEF_CFA_OFFSET:
		def_cfa(run, run->now.cfa.reg, (int64_t)cfi_uleb(r));
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		def_cfa(run, run->now.cfa.reg, scaled(run, (uint64_t)cfi_sleb(r)));
		return true;
	case CFA_DEF_CFA_EXPRESSION: run->now.cfa = expr_place(r); return true;
	default: return false;
	}
}

/* Instructions about another register; false: it is none of them. */
static bool run_register(struct cfi_run *run, struct cfi_bytes *r, unsigned op)
{
	static const struct cfi_place undefined = { .how = PLACE_UNDEFINED }, same = {},
				      elsewhere = { .how = PLACE_OTHER };
	uint64_t reg = cfi_uleb(r);

	switch (op) {
	case CFA_OFFSET_EXTENDED:
		put_place(run, reg, offset_place(scaled(run, cfi_uleb(r))));
		return true;
	case CFA_OFFSET_EXTENDED_SF:
		put_place(run, reg, offset_place(scaled(run, (uint64_t)cfi_sleb(r))));
		return true;
	case CFA_GNU_NEGATIVE_OFFSET:
		put_place(run, reg, offset_place(scaled(run, -cfi_uleb(r))));
		return true;
	case CFA_RESTORE_EXTENDED: restore(run, reg); return true;
	case CFA_UNDEFINED: put_place(run, reg, undefined); return true;
	case CFA_SAME_VALUE: put_place(run, reg, same); return true;
	case CFA_EXPRESSION: put_place(run, reg, expr_place(r)); return true;
	case CFA_REGISTER:
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF:
		cfi_uleb(r);
		put_place(run, reg, elsewhere);
		return true;
	case CFA_VAL_EXPRESSION:
		expr_place(r);
		put_place(run, reg, elsewhere);
		return true;
	default: return false;
	}
}

static void run_extended(struct cfi_run *run, struct cfi_bytes *r, unsigned op)
{
	switch (op) {
	case CFA_NOP: return;
	case CFA_REMEMBER: remember(run); return;
	case CFA_RESTORE_STATE: recall(run); return;
	case CFA_GNU_ARGS_SIZE: cfi_uleb(r); return;
	default:
		if (!run_cfa(run, r, op) && !run_register(run, r, op))
			run->broken = true;
	}
}

/* How far the address moves with this instruction, when it is one of those. */
static bool advance(const struct cfi_run *run, struct cfi_bytes *r, unsigned op, uint64_t *by)
{
	if ((op & ~CFA_OPERAND) == CFA_ADVANCE)
		*by = op & CFA_OPERAND;
	else if (op == CFA_ADVANCE_1)
		*by = cfi_read(r, 1);
	else if (op == CFA_ADVANCE_2)
		*by = cfi_read(r, 2);
	else if (op == CFA_ADVANCE_4)
		*by = cfi_read(r, 4);
	else
		return false;
	*by *= run->code_align;
	return true;
}

static void run_other(struct cfi_run *run, struct cfi_bytes *r, unsigned op)
{
	unsigned high = op & ~CFA_OPERAND, reg = op & CFA_OPERAND;

	if (high == CFA_OFFSET)
		put_place(run, reg, offset_place(scaled(run, cfi_uleb(r))));
	else if (high == CFA_RESTORE)
		restore(run, reg);
	else
		run_extended(run, r, op);
	run->broken |= r->bad;
}

void cfi_begin(struct cfi_run *run, struct cfi_bytes *common)
{
	uint64_t by;

	run->now.cfa.how = PLACE_OTHER;
	run->now.ra.how = PLACE_OTHER;
	while (common->at < common->end && !run->broken) {
		unsigned op = (unsigned)cfi_read(common, 1);

		if (!advance(run, common, op, &by))
			run_other(run, common, op);
	}
	run->initial = run->now;
}

bool cfi_next_row(struct cfi_run *run, struct cfi_bytes *program, uint64_t *row)
{
	uint64_t by = 0, start = run->pc;

	if (run->over)
		return false;
	while (!by && !run->broken && program->at < program->end) {
		unsigned op = (unsigned)cfi_read(program, 1);

		if (!advance(run, program, op, &by))
			run_other(run, program, op);
	}
	/* What cannot be read leaves the rest of the function unknown. */
	run->over = run->broken || !by || by >= run->end - start;
	run->pc += by;
	*row = start << CFI_PC_SHIFT | (run->broken ? CFI_UNKNOWN : rule_of(&run->now));
	return true;
}
