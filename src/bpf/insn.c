#include "bpf/insn.h"

#include <string.h>

static const struct insn_row ROWS[] = {
#define INSN(id, code, select, value, group, text, mnemonic) \
	{ #id, code, select, value, GROUP_##group, { text, mnemonic } },
#include "bpf/insn.def"
};

/* The opcodes alone, in the order of the rows. */
static const uint8_t CODES[] = {
#define INSN(id, code, ...) code,
#include "bpf/insn.def"
};

const struct insn_row *insn_row(enum insn_id id)
{
	return &ROWS[id];
}

const char *insn_group_name(enum insn_group g)
{
	static const char *const NAMES[] = { "base32",	 "base64",   "divmul32", "divmul64",
					     "atomic32", "atomic64", "packet",	 "extension" };
	return NAMES[g];
}

static bool selected(const struct insn_row *row, const struct bpf_insn *p)
{
	switch (row->select) {
	case SEL_NONE: return true;
	case SEL_OFF: return p->off == row->value;
	case SEL_IMM: return p->imm == row->value;
	case SEL_SRC: return p->src_reg == row->value;
	}
	return false;
}

enum insn_id insn_match(const struct bpf_insn *p)
{
	const uint8_t *at = CODES;

	while ((at = memchr(at, p->code, CODES + INSN_COUNT - at))) {
		if (selected(&ROWS[at - CODES], p))
			return (enum insn_id)(at - CODES);
		at++;
	}
	return INSN_COUNT;
}

/* Fields the instruction may use: those its text shows and the one that selects it. */
struct used {
	bool dst, src, off, imm, imm2;
};

static struct used used_fields(const struct insn_row *row)
{
	struct used u = { .src = row->select == SEL_SRC,
			  .off = row->select == SEL_OFF,
			  .imm = row->select == SEL_IMM };

	for (const char *t = strchr(row->text[INSN_KERNEL], '%'); t; t = strchr(t + 2, '%')) {
		switch (t[1]) {
		case 'D':
		case 'd': u.dst = true; break;
		case 'S':
		case 's': u.src = true; break;
		case 'o':
		case 'j': u.off = true; break;
		case 'L':
		case 'V': u.imm = u.imm2 = true; break;
		case 'i':
		case 'a':
		case 'h':
		case 'J':
		case 'm':
		case 'H':
		case 'f':
		case 'F': u.imm = true; break;
		}
	}
	return u;
}

enum insn_id insn_find(const struct bpf_insn *p, uint32_t left)
{
	if (!left)
		return INSN_COUNT;
	enum insn_id id = insn_match(p);
	if (id == INSN_COUNT)
		return id;

	struct used u = used_fields(&ROWS[id]);
	if (p->dst_reg > (u.dst ? BPF_REG_10 : 0) || p->src_reg > (u.src ? BPF_REG_10 : 0) ||
	    (!u.off && p->off) || (!u.imm && p->imm))
		return INSN_COUNT;
	if (!insn_is_wide(p))
		return id;
	if (left < 2 || p[1].code || p[1].dst_reg || p[1].src_reg || p[1].off)
		return INSN_COUNT;
	return u.imm2 || !p[1].imm ? id : INSN_COUNT;
}
