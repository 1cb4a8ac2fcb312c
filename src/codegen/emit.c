#include "codegen/emit.h"

#include "base/auto.h"

#include <errno.h>

enum {
	JUMP_MAX = INT16_MAX,
	PROGRAM_MAX = 1000000, /* BPF_COMPLEXITY_LIMIT_INSNS of the kernel */
};

/* Which jumps at the end of a block are too long for 16 bits. */
enum far { FAR_TEST = 1, FAR_JUMP = 2 };

/* A jump that gets its distance when all blocks have their places. */
struct fixup {
	uint32_t insn;
	uint32_t from; /* block it ends */
	uint32_t to;   /* block */
	enum far which;
};

struct emitter {
	struct arena *arena; /* the image's */
	struct arena *scratch;
	const struct mfn *m;
	unsigned isa;
	uint32_t *final;  /* by block: where a jump to it ends up */
	uint32_t *next;	  /* by block: the block laid out behind it */
	uint32_t *start;  /* by block: index of its first instruction */
	uint8_t *far;	  /* by block: enum far */
	struct span span; /* of the instruction being emitted */
	VEC(struct bpf_insn) insns;
	VEC(struct span) spans;
	VEC(struct reloc) relocs;
	VEC(struct fixup) fixups;
};

static unsigned phys(const struct emitter *w, mreg r)
{
	return w->m->vregs.data[r].phys;
}

static void put(struct emitter *w, struct bpf_insn i)
{
	vec_push(w->arena, &w->insns, i);
	vec_push(w->arena, &w->spans, w->span);
}

/* --- layout ------------------------------------------------------------------------------- */

static bool is_nop(const struct emitter *w, const struct minsn *i)
{
	return mir_is_copy(i) && phys(w, i->dst) == phys(w, i->src);
}

/* Does the block do nothing but jump elsewhere? The entry has to come first in any case. */
static bool is_empty(const struct emitter *w, uint32_t b)
{
	const struct mblk *blk = &w->m->blks.data[b];

	if (b == 0 || blk->nsucc != 1)
		return false;
	for (uint32_t i = blk->beg; i + 1 < blk->end; i++)
		if (!is_nop(w, &w->m->ins.data[i]))
			return false;
	return true;
}

enum { UNKNOWN = UINT32_MAX, ON_THE_WAY = UINT32_MAX - 1 };

/*
 * Finds where a jump to b ends up when empty blocks are passed through.  Of a ring of empty
 * blocks, a loop without end, one has to stay.
 */
static void find_final(struct emitter *w, bool *empty, uint32_t b)
{
	uint32_t at = b, end;

	while (empty[at] && w->final[at] == UNKNOWN) {
		w->final[at] = ON_THE_WAY;
		at = w->m->blks.data[at].succ[0];
	}
	if (w->final[at] == ON_THE_WAY)
		empty[at] = false;
	end = empty[at] ? w->final[at] : at;

	for (at = b; w->final[at] == ON_THE_WAY; at = w->m->blks.data[at].succ[0])
		w->final[at] = end;
	w->final[end] = end;
}

static void plan_layout(struct emitter *w)
{
	uint32_t n = w->m->blks.len, behind = n;
	bool *empty = arena_array(w->scratch, bool, n);

	w->final = arena_array(w->scratch, uint32_t, n);
	w->next = arena_array(w->scratch, uint32_t, n);
	w->start = arena_array(w->scratch, uint32_t, n);
	w->far = arena_array(w->scratch, uint8_t, n);
	for (uint32_t b = 0; b < n; b++) {
		w->final[b] = UNKNOWN;
		empty[b] = is_empty(w, b);
	}
	for (uint32_t b = 0; b < n; b++)
		find_final(w, empty, b);
	for (uint32_t b = n; b-- > 0;) {
		w->next[b] = behind;
		if (w->final[b] == b)
			behind = b;
	}
}

/* --- single instructions ------------------------------------------------------------------ */

static void put_load64(struct emitter *w, const struct minsn *i)
{
	struct bpf_insn lo = { .code = i->code, .dst_reg = phys(w, i->dst), .imm = i->imm };
	struct bpf_insn hi = { .imm = (uint64_t)i->imm >> 32 };

	if (i->kind == MK_FUNC) {
		lo.src_reg = BPF_PSEUDO_FUNC;
		lo.imm = (int32_t)i->arg;
	} else if (i->kind != MK_PLAIN) {
		bool is_map = i->kind == MK_MAP;
		uint32_t off = is_map ? 0 : i->imm;

		vec_push(w->arena, &w->relocs,
			 (struct reloc){ w->insns.len, i->arg, off,
					 is_map ? RELOC_MAP : RELOC_VALUE });
		lo.src_reg = is_map ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		lo.imm = 0;
		hi.imm = off;
	}
	put(w, lo);
	put(w, hi);
}

/* The instruction as it is; fields that it does not use are 0 in both forms. */
static struct bpf_insn encode(const struct emitter *w, const struct minsn *i)
{
	return (struct bpf_insn){ .code = i->code,
				  .dst_reg = phys(w, i->dst),
				  .src_reg = phys(w, i->src),
				  .off = i->off,
				  .imm = i->imm };
}

/* A jump over nothing but the next instruction. */
static struct bpf_insn skip_one(struct bpf_insn test)
{
	test.off = 1;
	return test;
}

static struct bpf_insn set_reg(unsigned reg, int v)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = reg,
				  .imm = v };
}

static void put_insn(struct emitter *w, const struct minsn *i)
{
	w->span = i->span;
	if (is_nop(w, i))
		return;
	if (i->kind == MK_SET) {
		put(w, set_reg(phys(w, i->arg), 1));
		put(w, skip_one(encode(w, i)));
		put(w, set_reg(phys(w, i->arg), 0));
	} else if (i->code == (BPF_LD | BPF_IMM | BPF_DW)) {
		put_load64(w, i);
	} else {
		struct bpf_insn insn = encode(w, i);

		if (i->kind == MK_CALL)
			insn.src_reg = i->callee;
		put(w, insn);
	}
}

/* --- jumps -------------------------------------------------------------------------------- */

/* The test that is true when op is not; 0 when the machine has none. */
static unsigned invert_jump(unsigned op)
{
	switch (op) {
	case BPF_JEQ: return BPF_JNE;
	case BPF_JNE: return BPF_JEQ;
	case BPF_JGT: return BPF_JLE;
	case BPF_JLE: return BPF_JGT;
	case BPF_JGE: return BPF_JLT;
	case BPF_JLT: return BPF_JGE;
	case BPF_JSGT: return BPF_JSLE;
	case BPF_JSLE: return BPF_JSGT;
	case BPF_JSGE: return BPF_JSLT;
	case BPF_JSLT: return BPF_JSGE;
	}
	return 0;
}

static bool invert(struct bpf_insn *test)
{
	unsigned op = invert_jump(BPF_OP(test->code));

	if (op)
		test->code = (test->code & ~0xf0) | op;
	return op != 0;
}

static void put_jump(struct emitter *w, uint32_t from, uint32_t to, enum far which)
{
	bool far = w->far[from] & which;

	vec_push(w->scratch, &w->fixups, (struct fixup){ w->insns.len, from, to, which });
	put(w, (struct bpf_insn){ .code = (far ? BPF_JMP32 : BPF_JMP) | BPF_JA });
}

static void put_test(struct emitter *w, uint32_t from, struct bpf_insn test, uint32_t to)
{
	if (!(w->far[from] & FAR_TEST)) {
		vec_push(w->scratch, &w->fixups,
			 (struct fixup){ w->insns.len, from, to, FAR_TEST });
		put(w, test);
		return;
	}
	bool over = invert(&test);

	put(w, skip_one(test));
	if (!over)
		put(w, skip_one((struct bpf_insn){ .code = BPF_JMP | BPF_JA }));
	put_jump(w, from, to, FAR_TEST);
}

/* The end of block b: a test with two ways on, one of which may be to fall through. */
static void put_branch(struct emitter *w, uint32_t b, const struct minsn *i)
{
	uint32_t yes = w->final[w->m->blks.data[b].succ[0]];
	uint32_t no = w->final[w->m->blks.data[b].succ[1]];
	struct bpf_insn test = encode(w, i);

	w->span = i->span;
	if (yes == w->next[b] && yes != no && invert(&test)) {
		put_test(w, b, test, no);
		return;
	}
	if (yes != no)
		put_test(w, b, test, yes);
	if (no != w->next[b])
		put_jump(w, b, no, FAR_JUMP);
}

static void put_block(struct emitter *w, uint32_t b)
{
	const struct mblk *blk = &w->m->blks.data[b];
	const struct minsn *last = &w->m->ins.data[blk->end - 1];

	w->start[b] = w->insns.len;
	for (const struct minsn *i = &w->m->ins.data[blk->beg]; i < last; i++)
		put_insn(w, i);
	if (blk->nsucc == 2) {
		put_branch(w, b, last);
	} else if (blk->nsucc == 0) {
		put_insn(w, last);
	} else if (w->final[blk->succ[0]] != w->next[b]) {
		w->span = last->span;
		put_jump(w, b, w->final[blk->succ[0]], FAR_JUMP);
	}
}

/* Fills in the distances; returns how many turned out too long for their form. */
static uint32_t fix_jumps(struct emitter *w)
{
	uint32_t misfits = 0;

	vec_each(f, &w->fixups) {
		int64_t off = (int64_t)w->start[f->to] - f->insn - 1;
		struct bpf_insn *i = &w->insns.data[f->insn];

		if (w->far[f->from] & f->which) {
			i->imm = off;
			continue;
		}
		i->off = off;
		if (i->off != off) {
			w->far[f->from] |= f->which;
			misfits++;
		}
	}
	return misfits;
}

static void put_program(struct emitter *w)
{
	w->insns.len = w->spans.len = w->relocs.len = w->fixups.len = 0;
	for (uint32_t b = 0; b < w->m->blks.len; b++)
		if (w->final[b] == b)
			put_block(w, b);
}

/* Lengthening a jump may push another out of reach; it never shortens one, so this ends. */
static int settle_jumps(struct emitter *w, const char *name, struct err *e)
{
	put_program(w);
	while (fix_jumps(w)) {
		if (w->isa < 4) {
			err_set(e, -E2BIG,
				"%s: a jump over more than %d of its %zu instructions", name,
				JUMP_MAX, w->insns.len);
			return err_hint(e, "kernels before 6.6 allow no longer ones: "
					   "split the program");
		}
		put_program(w);
	}
	if (w->insns.len > PROGRAM_MAX)
		return err_set(e, -E2BIG, "%s: %zu instructions, the kernel takes %d", name,
			       w->insns.len, PROGRAM_MAX);
	return 0;
}

int emit(struct arena *a, const struct mfn *m, unsigned isa, struct image *out, struct err *e)
{
	auto_arena struct arena scratch = { 0 };
	struct emitter w = { .arena = a, .scratch = &scratch, .m = m, .isa = isa };
	int r;

	plan_layout(&w);
	r = settle_jumps(&w, out->name, e);
	if (r)
		return r;
	out->insns = w.insns.data;
	out->spans = w.spans.data;
	out->ninsns = w.insns.len;
	out->relocs = w.relocs.data;
	out->nrelocs = w.relocs.len;
	return 0;
}
