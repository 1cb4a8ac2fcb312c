/*
 * bpf_forms.h - instructions of every row of the table, with fields filled in.
 */
#ifndef TEST_BPF_FORMS_H
#define TEST_BPF_FORMS_H

#include "bpf/insn.h"

#include <stdbool.h>
#include <string.h>

/* An encoding of a row with every field that it prints filled from a seed. */
static inline void encode_filled(enum insn_id id, uint32_t seed, struct bpf_insn p[2])
{
	const struct insn_row *row = insn_row(id);

	memset(p, 0, 2 * sizeof(*p));
	p->code = row->code;
	for (const char *t = strchr(row->text[0], '%'); t; t = strchr(t + 2, '%')) {
		if (strchr("Dd", t[1]))
			p->dst_reg = seed % 11 & 0xf;
		if (strchr("Ss", t[1]))
			p->src_reg = (seed >> 4) % 11 & 0xf;
		if (strchr("oj", t[1]))
			p->off = (int16_t)(seed >> 3);
		if (strchr("ihaJLmHfFV", t[1]))
			p->imm = (int32_t)(seed * 2654435761u);
		if (strchr("LV", t[1]))
			p[1].imm = (int32_t)(seed * 40503u);
	}
	if (row->select == SEL_OFF)
		p->off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		p->imm = row->value;
	if (row->select == SEL_SRC)
		p->src_reg = (uint8_t)row->value & 0xf;
}

static inline bool insn_prints(enum insn_id id, const char *fields)
{
	for (const char *t = insn_row(id)->text[INSN_KERNEL]; (t = strchr(t, '%')); t++)
		if (t[1] && strchr(fields, t[1]))
			return true;
	return false;
}

/*
 * The i-th form of a row: each register in each place, with the numbers at the ends of each
 * field. Returns false behind the last.
 */
static inline bool bpf_form(enum insn_id id, unsigned i, struct bpf_insn p[2])
{
	static const int16_t OFFS[] = { 0, 1, -1, INT16_MAX, INT16_MIN };
	static const int32_t IMMS[] = { 0, 1, -1, 16, INT32_MAX, INT32_MIN };
	unsigned dsts = insn_prints(id, "Dd") ? 11 : 1, srcs = insn_prints(id, "Ss") ? 11 : 1,
		 offs = insn_prints(id, "oj") ? 5 : 1,
		 imms = insn_prints(id, "ihaJLmHfFV") ? 6 : 1,
		 highs = insn_prints(id, "LV") ? 6 : 1, k = i / dsts / srcs;

	if (k >= offs * imms * highs)
		return false;
	encode_filled(id, 0, p);
	p->dst_reg = i % dsts & 0xf;
	if (insn_row(id)->select != SEL_SRC)
		p->src_reg = i / dsts % srcs & 0xf;
	if (offs > 1)
		p->off = OFFS[k % offs];
	if (imms > 1)
		p->imm = IMMS[k / offs % imms];
	if (highs > 1)
		p[1].imm = IMMS[k / offs / imms];
	return true;
}

#endif
