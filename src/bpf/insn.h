/*
 * insn.h - the instruction set of the BPF machine, by table.
 *
 * Every instruction is a row of insn.def; what the row says (its fields, texts, meaning and
 * conformance group) is said nowhere else.  The source is RFC 9669, and for the extensions the
 * kernel's include/uapi/linux/bpf.h.  Instructions are the kernel's struct bpf_insn.
 */
#ifndef SCRY_BPF_INSN_H
#define SCRY_BPF_INSN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

/* Encodings that <linux/bpf.h> of older kernels does not know. */
#define INSN_MEMSX     0x80  /* mode of LDX: load with sign extension */
#define INSN_JCOND     0xe0  /* operation of JMP: may_goto */
#define INSN_LOAD_ACQ  0x100 /* immediate of ATOMIC */
#define INSN_STORE_REL 0x110

enum {
	BPF_STACK_SIZE = 512, /* bytes of stack below r10, per function */
	BPF_CALL_DEPTH = 8,   /* functions on the stack at once */
};

/* The field that tells instructions with the same opcode apart. */
enum insn_select { SEL_NONE, SEL_OFF, SEL_IMM, SEL_SRC };

/* Conformance groups of RFC 9669 section 2.4; EXTENSION is what the kernel added since. */
enum insn_group {
	GROUP_BASE32,
	GROUP_BASE64,
	GROUP_DIVMUL32,
	GROUP_DIVMUL64,
	GROUP_ATOMIC32,
	GROUP_ATOMIC64,
	GROUP_PACKET,
	GROUP_EXTENSION,
};

enum insn_dialect {
	INSN_KERNEL,   /* r0 += r1 */
	INSN_MNEMONIC, /* add64 r0, r1 */
};

enum insn_id {
#define INSN(id, ...) INSN_##id,
#include "bpf/insn.def"
	INSN_COUNT
};

struct insn_row {
	const char *name; /* "ADD64_K" */
	uint8_t code;
	enum insn_select select;
	int32_t value;
	enum insn_group group;
	const char *text[2]; /* by enum insn_dialect */
};

const struct insn_row *insn_row(enum insn_id id);
/* "base64" */
const char *insn_group_name(enum insn_group g);
/*
 * The row of the instruction at p, of which `left` slots may be read. Returns INSN_COUNT for an
 * unknown opcode, for a reserved field that is not 0, for a register beyond r10, and for a
 * 64-bit immediate without its second slot.
 */
enum insn_id insn_find(const struct bpf_insn *p, uint32_t left);
/* The row by opcode and selecting field alone: INSN_COUNT only when there is none. */
enum insn_id insn_match(const struct bpf_insn *p);

static inline bool insn_is_wide(const struct bpf_insn *p)
{
	return p->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static inline uint64_t insn_imm64(const struct bpf_insn *p)
{
	return (uint32_t)p[0].imm | (uint64_t)(uint32_t)p[1].imm << 32;
}

/* Bytes a memory instruction moves: 1, 2, 4 or 8. */
static inline unsigned insn_size(uint8_t code)
{
	static const uint8_t BYTES[] = { 4, 2, 1, 8 };
	return BYTES[BPF_SIZE(code) >> 3];
}

#endif
