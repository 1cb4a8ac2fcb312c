#include "bpf/disasm.h"

#include "base/auto.h"
#include "bpf/helper.h"

static void put_helper(struct sb *out, int32_t id, enum insn_dialect dialect)
{
	const struct helper *h = helper_by_id((uint32_t)id);

	if (dialect == INSN_MNEMONIC)
		sb_printf(out, "%d", id);
	else if (h)
		sb_printf(out, "bpf_%s#%d", h->name, id);
	else
		sb_printf(out, "unknown#%d", id);
}

static void put_jump(struct sb *out, long distance, enum insn_dialect dialect)
{
	sb_printf(out, dialect == INSN_KERNEL ? "pc%+ld" : "%+ld", distance);
}

static void put_operand(struct sb *out, char what, const struct bpf_insn *p,
			enum insn_dialect dialect)
{
	switch (what) {
	case 'D': sb_printf(out, "r%u", p->dst_reg); break;
	case 'S': sb_printf(out, "r%u", p->src_reg); break;
	case 'd': sb_printf(out, "w%u", p->dst_reg); break;
	case 's': sb_printf(out, "w%u", p->src_reg); break;
	case 'i': sb_printf(out, "%d", p->imm); break;
	case 'h': sb_printf(out, "0x%x", (unsigned)p->imm); break;
	case 'o': sb_printf(out, "%+d", p->off); break;
	case 'j': put_jump(out, p->off, dialect); break;
	case 'J':
	case 'f': put_jump(out, p->imm, dialect); break;
	case 'F': sb_printf(out, "%+d", p->imm); break;
	case 'L': sb_printf(out, "0x%llx", (unsigned long long)insn_imm64(p)); break;
	case 'm': sb_printf(out, "%u", (unsigned)p->imm); break;
	case 'V': sb_printf(out, "%u", (unsigned)p[1].imm); break;
	case 'H': put_helper(out, p->imm, dialect); break;
	case 'a': sb_printf(out, "%u, %u", (uint32_t)p->imm >> 16, (uint16_t)p->imm); break;
	case '6': sb_puts(out, "64"); break;
	case '%': sb_putc(out, '%'); break;
	}
}

static void put_template(struct sb *out, const char *t, const struct bpf_insn *p,
			 enum insn_dialect dialect)
{
	for (; *t; t++) {
		if (*t == '%')
			put_operand(out, *++t, p, dialect);
		else
			sb_putc(out, *t);
	}
}

static void put_raw(struct sb *out, const struct bpf_insn *p)
{
	const uint8_t *b = (const uint8_t *)p;

	sb_puts(out, "insn 0x");
	for (unsigned k = 0; k < sizeof(*p); k++)
		sb_printf(out, "%02x", b[k]);
}

/* Prints an instruction with a name of the caller's; false leaves out as it was. */
static bool put_named(struct sb *out, enum insn_id id, const struct bpf_insn *insns, uint32_t i,
		      const struct bpf_disasm_opts *o)
{
	auto_sb struct sb name = { 0 };

	if (id == INSN_CALL || id == INSN_CALL_LOCAL || id == INSN_CALL_BTF) {
		if (!o->call || !o->call(o->user, &name, insns, i))
			return false;
		sb_puts(out, id == INSN_CALL_LOCAL && o->dialect == INSN_MNEMONIC
				     ? "call local "
				     : "call ");
	} else if (insn_is_wide(&insns[i])) {
		if (!o->wide || !o->wide(o->user, &name, insns, i))
			return false;
		sb_printf(out, o->dialect == INSN_KERNEL ? "r%u = " : "lddw r%u, ",
			  insns[i].dst_reg);
	} else {
		return false;
	}
	sb_puts(out, sb_str(&name));
	return true;
}

/* In dumps of the kernel's a function's address has the kernel's number of it behind it. */
static enum insn_id find(const struct bpf_insn *p, uint32_t left)
{
	if (left < 2 || !insn_is_wide(p) || p->src_reg != BPF_PSEUDO_FUNC)
		return insn_find(p, left);
	struct bpf_insn plain[2] = { p[0], p[1] };

	plain[1].imm = 0;
	return insn_find(plain, 2);
}

uint32_t bpf_disasm(struct sb *out, const struct bpf_insn *insns, uint32_t n, uint32_t i,
		    const struct bpf_disasm_opts *opts)
{
	static const struct bpf_disasm_opts DEFAULTS;
	const struct bpf_disasm_opts *o = opts ? opts : &DEFAULTS;
	enum insn_id id = find(&insns[i], n - i);

	if (o->opcode)
		sb_printf(out, "(%02x) ", insns[i].code);
	if (id == INSN_COUNT) {
		put_raw(out, &insns[i]);
		return 1;
	}
	if (!put_named(out, id, insns, i, o))
		put_template(out, insn_row(id)->text[o->dialect], &insns[i], o->dialect);
	return insn_is_wide(&insns[i]) ? 2 : 1;
}
