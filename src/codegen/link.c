/*
 * Several functions become one program, and two programs one.
 */
#include "codegen/codegen.h"

#include <stdint.h>
#include <string.h>

/* The images that become one, and where each begins. */
struct linking {
	const struct image **parts;
	uint32_t *start, nparts;
	uint32_t *foreign; /* of each foreign one: its part, or 0 while it is not called */
};

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

static void add_part(struct linking *l, const struct image *part)
{
	uint32_t k = l->nparts++;

	l->parts[k] = part;
	l->start[k] = k ? l->start[k - 1] + l->parts[k - 1]->ninsns : 0;
}

/* What the program and its callbacks call. */
static void add_called(struct linking *l, uint32_t nown, const struct image *const *foreign)
{
	for (uint32_t k = 0; k < nown; k++) {
		const struct image *part = l->parts[k];

		for (uint32_t i = 0; i < part->ninsns; i++) {
			uint32_t which = (uint32_t)part->insns[i].imm;

			if (!is_call(&part->insns[i]) || l->foreign[which])
				continue;
			l->foreign[which] = l->nparts;
			add_part(l, foreign[which]);
		}
	}
}

static void sum_up(const struct linking *l, struct image *out)
{
	for (uint32_t k = 0; k < l->nparts; k++) {
		const struct image *part = l->parts[k];

		out->ninsns += part->ninsns;
		out->nrelocs += part->nrelocs;
		out->nfuncs += part->nfuncs ? part->nfuncs : 1;
		if (out->stack_size < part->stack_size)
			out->stack_size = part->stack_size;
	}
}

static void append(struct image *out, const struct image *part, uint32_t at)
{
	memcpy(out->insns + at, part->insns, part->ninsns * sizeof(*out->insns));
	memcpy(out->spans + at, part->spans, part->ninsns * sizeof(*out->spans));
	for (uint32_t i = 0; i < part->nrelocs; i++) {
		struct reloc *r = &out->relocs[out->nrelocs++];

		*r = part->relocs[i];
		r->insn += at;
	}
	for (uint32_t k = 0; k < (part->nfuncs ? part->nfuncs : 1); k++)
		out->funcs[out->nfuncs++] = at + (part->nfuncs ? part->funcs[k] : 0);
}

/* A function's number becomes its distance, counted like that of a jump. */
static void settle_functions(const struct linking *l, uint32_t end, struct image *img)
{
	for (uint32_t i = 0; i < end; i++) {
		struct bpf_insn *insn = &img->insns[i];

		if (is_call(insn))
			insn->imm = (int32_t)l->start[l->foreign[insn->imm]] - (int32_t)i - 1;
		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_FUNC)
			insn->imm = (int32_t)l->start[insn->imm] - (int32_t)i - 1;
		i++;
	}
}

void image_link(struct arena *a, const struct image *parts, uint32_t n,
		const struct image *const *foreign, uint32_t nforeign, struct image *out)
{
	struct linking l = {
		.parts = arena_array(a, const struct image *, n + nforeign),
		.start = arena_array(a, uint32_t, n + nforeign),
		.foreign = arena_array(a, uint32_t, nforeign + 1),
	};

	for (uint32_t k = 0; k < n; k++)
		add_part(&l, &parts[k]);
	add_called(&l, n, foreign);
	*out = (struct image){ .name = parts[0].name };
	sum_up(&l, out);
	out->insns = arena_array(a, struct bpf_insn, out->ninsns);
	out->spans = arena_array(a, struct span, out->ninsns);
	out->relocs = arena_array(a, struct reloc, out->nrelocs + 1);
	out->funcs = arena_array(a, uint32_t, out->nfuncs);
	out->nrelocs = out->nfuncs = 0;
	for (uint32_t k = 0; k < l.nparts; k++)
		append(out, l.parts[k], l.start[k]);
	settle_functions(&l, l.start[n - 1] + parts[n - 1].ninsns, out);
}

/* The first instruction behind the program itself, where its callbacks begin. */
static uint32_t body_end(const struct image *img)
{
	return img->nfuncs > 1 ? img->funcs[1] : img->ninsns;
}

/* Where a part of the joined program comes to lie: its body, and what is behind it. */
struct placing {
	const struct image *part;
	uint32_t end;	       /* of its body */
	uint32_t body, behind; /* the first instructions of both in the whole */
};

static uint32_t place(const struct placing *p, uint32_t at)
{
	return at < p->end ? p->body + at : p->behind + at - p->end;
}

static void put_part(struct image *out, const struct placing *p)
{
	const struct image *part = p->part;

	for (uint32_t i = 0; i < part->ninsns; i++) {
		out->insns[place(p, i)] = part->insns[i];
		out->spans[place(p, i)] = part->spans[i];
	}
	for (uint32_t i = 0; i < part->ninsns; i++) {
		const struct bpf_insn *insn = &part->insns[i];
		bool wide = insn->code == (BPF_LD | BPF_IMM | BPF_DW);

		if (is_call(insn) || (wide && insn->src_reg == BPF_PSEUDO_FUNC))
			out->insns[place(p, i)].imm =
				(int32_t)(place(p, i + 1 + (uint32_t)insn->imm) - place(p, i)) -
				1;
		i += wide;
	}
	for (uint32_t i = 0; i < part->nrelocs; i++) {
		struct reloc *r = &out->relocs[out->nrelocs++];

		*r = part->relocs[i];
		r->insn = place(p, r->insn);
	}
	for (uint32_t k = 1; k < part->nfuncs; k++)
		out->funcs[out->nfuncs++] = place(p, part->funcs[k]);
}

void image_join(struct arena *a, const struct image *no, const struct image *yes,
		uint32_t which, struct image *out)
{
	/* r6 = ctx; r0 = which(); r1 = ctx; if r0, an 8-bit bool, goto yes */
	struct bpf_insn head[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1 },
		{ .code = BPF_JMP | BPF_CALL,
		  .src_reg = BPF_PSEUDO_KFUNC_CALL,
		  .imm = (int32_t)which },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6 },
		{ .code = BPF_JMP | BPF_JSET | BPF_K, .dst_reg = 0, .imm = 1 },
	};
	enum { HEAD = sizeof(head) / sizeof(*head) };
	struct placing p = { no, body_end(no), HEAD, 0 };
	struct placing q = { yes, body_end(yes), HEAD + p.end, 0 };

	p.behind = q.body + q.end;
	q.behind = p.behind + no->ninsns - p.end;
	head[HEAD - 1].off = (int16_t)p.end;
	*out = (struct image){
		.name = no->name,
		.ninsns = HEAD + no->ninsns + yes->ninsns,
		.stack_size =
			no->stack_size > yes->stack_size ? no->stack_size : yes->stack_size,
	};
	out->insns = arena_array(a, struct bpf_insn, out->ninsns);
	out->spans = arena_array(a, struct span, out->ninsns);
	out->relocs = arena_array(a, struct reloc, no->nrelocs + yes->nrelocs + 1);
	out->funcs = arena_array(a, uint32_t, no->nfuncs + yes->nfuncs + 1);
	out->nfuncs = 1;
	memcpy(out->insns, head, sizeof(head));
	for (uint32_t i = 0; i < HEAD; i++)
		out->spans[i] = no->spans[0];
	put_part(out, &p);
	put_part(out, &q);
}
