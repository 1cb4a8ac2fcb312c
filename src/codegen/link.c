/*
 * Several functions become one program.
 */
#include "codegen/codegen.h"

#include <string.h>

static void sum_up(const struct image *parts, uint32_t n, struct image *out)
{
	for (uint32_t k = 0; k < n; k++) {
		out->ninsns += parts[k].ninsns;
		out->nrelocs += parts[k].nrelocs;
		if (out->stack_size < parts[k].stack_size)
			out->stack_size = parts[k].stack_size;
	}
}

static void append(struct image *out, const struct image *part, uint32_t at, uint32_t nrelocs)
{
	memcpy(out->insns + at, part->insns, part->ninsns * sizeof(*out->insns));
	memcpy(out->spans + at, part->spans, part->ninsns * sizeof(*out->spans));
	for (uint32_t i = 0; i < part->nrelocs; i++) {
		out->relocs[nrelocs + i] = part->relocs[i];
		out->relocs[nrelocs + i].insn += at;
	}
}

/* A function's number becomes its distance, counted like that of a jump. */
static void settle_functions(struct image *img)
{
	for (uint32_t i = 0; i < img->ninsns; i++) {
		struct bpf_insn *insn = &img->insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_FUNC)
			insn->imm = (int32_t)img->funcs[insn->imm] - (int32_t)i - 1;
		i++;
	}
}

void image_link(struct arena *a, const struct image *parts, uint32_t n, struct image *out)
{
	uint32_t at = 0, nrelocs = 0;

	*out = (struct image){ .name = parts[0].name, .nfuncs = n };
	sum_up(parts, n, out);
	out->insns = arena_array(a, struct bpf_insn, out->ninsns);
	out->spans = arena_array(a, struct span, out->ninsns);
	out->relocs = arena_array(a, struct reloc, out->nrelocs + 1);
	out->funcs = arena_array(a, uint32_t, n);
	for (uint32_t k = 0; k < n; k++) {
		append(out, &parts[k], at, nrelocs);
		out->funcs[k] = at;
		at += parts[k].ninsns;
		nrelocs += parts[k].nrelocs;
	}
	settle_functions(out);
}
