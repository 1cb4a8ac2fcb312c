/*
 * The builder: appends instructions to the current block, one per call.
 */
#include "base/err.h"
#include "ir/ir.h"

#include <string.h>

enum {
	ZERO_INLINE = 64,  /* longest ir_zero() made of stores */
	COPY_INLINE = 128, /* longest ir_copy() made of loads and stores */
	CALL_ARGS = 5,	   /* r1-r5 */
	PROBE_READ_KERNEL = 113,
};

const struct op_info op_infos[OP_COUNT] = {
#define OP(name, text, nargs, flags, fold) [OP_##name] = { text, nargs, flags },
#include "ir/op.def"
#undef OP
};

struct ins *ir_ins(const struct fn *fn, ref r)
{
	return &fn->ins.data[r];
}

ref *ir_operands(struct ins *i, unsigned *n)
{
	*n = i->nargs;
	return op_infos[i->op].flags & OP_ARGS ? i->args : i->fixed;
}

unsigned ir_succs(const struct fn *fn, blkid blk, blkid out[2])
{
	const struct blk *b = &fn->blks.data[blk];

	if (!b->ins.len)
		return 0;

	const struct ins *last = ir_ins(fn, vec_last(&b->ins));
	out[0] = last->blk[0];
	out[1] = last->blk[1];
	return last->op == OP_BR ? 2 : last->op == OP_JMP;
}

struct fn *ir_fn_new(struct arena *a, const char *name)
{
	struct fn *fn = arena_new(a, struct fn);

	fn->arena = a;
	fn->name = arena_strdup(a, name);
	vec_push(a, &fn->ins, (struct ins){});
	vec_push(a, &fn->blks, (struct blk){});
	return fn;
}

blkid ir_block(struct irb *b)
{
	vec_push(b->fn->arena, &b->fn->blks, (struct blk){});
	return b->fn->blks.len - 1;
}

void ir_start(struct irb *b, blkid blk)
{
	b->cur = blk;
}

bool ir_ended(const struct irb *b)
{
	const struct blk *blk = &b->fn->blks.data[b->cur];

	return blk->ins.len && op_infos[ir_ins(b->fn, vec_last(&blk->ins))->op].flags & OP_TERM;
}

/* A new instruction that stands nowhere yet. */
static ref new_ins(struct irb *b, struct ins i)
{
	if (ir_ended(b))
		ir_start(b, ir_block(b));
	if (!(op_infos[i.op].flags & OP_ARGS))
		i.nargs = op_infos[i.op].nargs;
	i.home = b->cur;
	i.span = b->span;
	vec_push(b->fn->arena, &b->fn->ins, i);
	return b->fn->ins.len - 1;
}

static ref append(struct irb *b, struct ins i)
{
	ref r = new_ins(b, i);

	vec_push(b->fn->arena, &b->fn->blks.data[b->cur].ins, r);
	return r;
}

ref ir_const(struct irb *b, int64_t v)
{
	return append(b, (struct ins){ .op = OP_CONST, .imm = v });
}

ref ir_ctx(struct irb *b)
{
	return append(b, (struct ins){ .op = OP_CTX });
}

ref ir_param(struct irb *b, unsigned n)
{
	return append(b, (struct ins){ .op = OP_PARAM, .imm = n });
}

ref ir_func(struct irb *b, uint32_t func)
{
	return append(b, (struct ins){ .op = OP_FUNC, .imm = func });
}

ref ir_slot(struct irb *b, uint32_t size)
{
	/* An empty value has an address, too. */
	return append(b, (struct ins){ .op = OP_SLOT, .imm = size ? size : 8 });
}

ref ir_map(struct irb *b, uint32_t map)
{
	return append(b, (struct ins){ .op = OP_MAP, .imm = map });
}

ref ir_mapval(struct irb *b, uint32_t map, uint32_t off)
{
	int64_t imm = (int64_t)((uint64_t)map << 32 | off);

	return append(b, (struct ins){ .op = OP_MAPVAL, .imm = imm });
}

ref ir_bin(struct irb *b, enum ir_op op, ref x, ref y)
{
	return append(b, (struct ins){ .op = op, .a = x, .b = y });
}

ref ir_un(struct irb *b, enum ir_op op, ref x)
{
	return append(b, (struct ins){ .op = op, .a = x });
}

ref ir_ext(struct irb *b, bool is_signed, unsigned size, ref x)
{
	return append(
		b, (struct ins){ .op = is_signed ? OP_SEXT : OP_ZEXT, .size = size, .a = x });
}

ref ir_bswap(struct irb *b, unsigned size, ref x)
{
	return append(b, (struct ins){ .op = OP_BSWAP, .size = size, .a = x });
}

ref ir_load(struct irb *b, unsigned size, ref ptr, int32_t off)
{
	return append(b, (struct ins){ .op = OP_LOAD, .size = size, .a = ptr, .imm = off });
}

void ir_store(struct irb *b, unsigned size, ref ptr, int32_t off, ref v)
{
	append(b, (struct ins){ .op = OP_STORE, .size = size, .a = ptr, .b = v, .imm = off });
}

void ir_atomic_add(struct irb *b, unsigned size, ref ptr, int32_t off, ref v)
{
	append(b,
	       (struct ins){ .op = OP_ATOMIC_ADD, .size = size, .a = ptr, .b = v, .imm = off });
}

ref ir_xchg(struct irb *b, unsigned size, ref ptr, int32_t off, ref v)
{
	return append(
		b, (struct ins){ .op = OP_XCHG, .size = size, .a = ptr, .b = v, .imm = off });
}

ref ir_cmpxchg(struct irb *b, unsigned size, ref ptr, int32_t off, ref expect, ref v)
{
	struct ins i = { .op = OP_CMPXCHG, .size = size, .imm = off };

	i.a = ptr;
	i.b = expect;
	i.c = v;
	return append(b, i);
}

ref ir_call(struct irb *b, int helper, unsigned n, ...)
{
	if (n > CALL_ARGS)
		BUG("helper %d called with %u arguments", helper, n);

	ref *args = arena_array(b->fn->arena, ref, n);
	va_list ap;

	va_start(ap, n);
	for (unsigned k = 0; k < n; k++)
		args[k] = va_arg(ap, ref);
	va_end(ap);
	return append(b,
		      (struct ins){ .op = OP_CALL, .imm = helper, .args = args, .nargs = n });
}

ref ir_call_other(struct irb *b, int64_t callee, unsigned n, const ref *from)
{
	ref *args = arena_array(b->fn->arena, ref, n + 1);

	if (n > CALL_ARGS)
		BUG("a function called with %u arguments", n);
	memcpy(args, from, n * sizeof(*args));
	return append(b,
		      (struct ins){ .op = OP_CALL, .imm = callee, .args = args, .nargs = n });
}

/* Phis come first in their block, so what is already built there moves up. */
ref ir_phi(struct irb *b, unsigned n, const ref *values)
{
	struct arena *a = b->fn->arena;
	ref *args = arena_array(a, ref, n);

	memcpy(args, values, n * sizeof(*args));
	ref r = new_ins(b, (struct ins){ .op = OP_PHI, .args = args, .nargs = n });
	struct blk *blk = &b->fn->blks.data[b->cur];

	vec_push(a, &blk->ins, r);
	size_t at = blk->ins.len - 1;
	for (; at && ir_ins(b->fn, blk->ins.data[at - 1])->op != OP_PHI; at--)
		blk->ins.data[at] = blk->ins.data[at - 1];
	blk->ins.data[at] = r;
	return r;
}

static void add_pred(struct irb *b, blkid to)
{
	vec_push(b->fn->arena, &b->fn->blks.data[to].preds, b->cur);
}

void ir_jmp(struct irb *b, blkid to)
{
	append(b, (struct ins){ .op = OP_JMP, .blk = { to } });
	add_pred(b, to);
}

void ir_br(struct irb *b, ref cond, blkid yes, blkid no)
{
	if (yes == no) {
		ir_jmp(b, yes);
		return;
	}
	append(b, (struct ins){ .op = OP_BR, .a = cond, .blk = { yes, no } });
	add_pred(b, yes);
	add_pred(b, no);
}

void ir_ret(struct irb *b, ref v)
{
	append(b, (struct ins){ .op = OP_RET, .a = v });
}

static ref address(struct irb *b, ref ptr, int32_t off)
{
	return off ? ir_bin(b, OP_ADD, ptr, ir_const(b, off)) : ptr;
}

unsigned ir_widest(uint32_t align, uint32_t len)
{
	unsigned size = 8;

	while (size > len || align % size)
		size /= 2;
	return size;
}

void ir_zero(struct irb *b, ref ptr, int32_t off, uint32_t len)
{
	if (!len)
		return;

	ref zero = ir_const(b, 0);
	if (len > ZERO_INLINE) {
		/* The read from address 0 fails, and a failed read zeroes its target. */
		ref to = address(b, ptr, off);

		ir_call(b, PROBE_READ_KERNEL, 3, to, ir_const(b, len), zero);
		return;
	}
	for (unsigned size; len; off += size, len -= size) {
		size = ir_widest(off, len);
		ir_store(b, size, ptr, off, zero);
	}
}

void ir_copy(struct irb *b, ref dst, int32_t dst_off, ref src, int32_t src_off, uint32_t len)
{
	if (len > COPY_INLINE) {
		ref to = address(b, dst, dst_off);
		ref from = address(b, src, src_off);

		ir_call(b, PROBE_READ_KERNEL, 3, to, ir_const(b, len), from);
		return;
	}
	for (unsigned size; len; dst_off += size, src_off += size, len -= size) {
		size = ir_widest((uint32_t)dst_off | (uint32_t)src_off, len);
		ir_store(b, size, dst, dst_off, ir_load(b, size, src, src_off));
	}
}

void ir_replace(struct fn *fn, ref old, ref new_)
{
	vec_each(i, &fn->ins) {
		unsigned n;
		ref *ops = ir_operands(i, &n);

		for (unsigned k = 0; k < n; k++)
			if (ops[k] == old)
				ops[k] = new_;
	}
}
