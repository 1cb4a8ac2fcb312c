#include "bpf/asm.h"

#include "base/vec.h"
#include "bpf/helper.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A place in the program known by name only: where it is needed, and as what. */
struct fixup {
	const char *name; /* points into the text */
	uint32_t len;
	uint32_t insn;
	bool in_imm; /* else in the offset */
};

struct label {
	const char *name;
	uint32_t len;
	uint32_t insn;
};

struct assembler {
	struct arena *arena;
	const char *text, *end;
	VEC(struct bpf_insn) insns;
	VEC(struct fixup) fixups;
	VEC(struct label) labels;
	struct err *err;
};

/* An attempt to read one statement as one row's text. */
struct attempt {
	const char *p, *end;
	const char *missing; /* what was expected at p when the attempt failed */
	struct bpf_insn insn[2];
	bool has_dst, has_src;
	struct fixup fixup; /* name is NULL when there is none */
};

static int fail_at(struct assembler *as, const char *at, const char *what, const char *word,
		   size_t len)
{
	unsigned line = 1;
	const char *start = as->text;

	for (const char *p = as->text; p < at; p++) {
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
	return err_set(as->err, -EINVAL, "%u:%u: %s%s%.*s%s", line, (unsigned)(at - start) + 1,
		       what, len ? " '" : "", (int)len, word, len ? "'" : "");
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static void skip_blank(struct attempt *t)
{
	while (t->p < t->end && isspace((unsigned char)*t->p))
		t->p++;
}

static size_t word_len(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && is_word(*q))
		q++;
	return (size_t)(q - p);
}

static bool miss(struct attempt *t, const char *what)
{
	t->missing = what;
	return false;
}

/* Reads an unsigned number, decimal or hexadecimal, up to max. */
static bool read_unsigned(struct attempt *t, uint64_t max, uint64_t *value)
{
	unsigned base = 10;
	const char *p = t->p;

	if (t->end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
		base = 16;
		p += 2;
	}
	if (p == t->end || !isxdigit((unsigned char)*p) ||
	    (base == 10 && !isdigit((unsigned char)*p)))
		return miss(t, "expected a number or a register r0 ... r10");

	uint64_t v = 0;
	for (; p < t->end && isalnum((unsigned char)*p); p++) {
		unsigned digit = isdigit((unsigned char)*p)
					 ? (unsigned)(*p - '0')
					 : (unsigned)((*p | 0x20) - 'a' + 10);
		if (digit >= base)
			break;
		if (v > (max - digit) / base)
			return miss(t, "the number is too large for its field");
		v = v * base + digit;
	}
	t->p = p;
	*value = v;
	return true;
}

/* Reads a number with an optional sign, at least min and at most max. */
static bool read_number(struct attempt *t, int64_t min, uint64_t max, uint64_t *value)
{
	const char *start = t->p;
	bool negative = t->p < t->end && *t->p == '-';

	if (t->p < t->end && (*t->p == '-' || *t->p == '+'))
		t->p++;
	skip_blank(t);
	if (!read_unsigned(t, negative ? -(uint64_t)min : max, value)) {
		t->p = start;
		return false;
	}
	if (negative)
		*value = -*value;
	if (t->p < t->end && is_word(*t->p)) {
		t->p = start;
		return miss(t, "expected a number or a register r0 ... r10");
	}
	return true;
}

static bool read_register(struct attempt *t, char letter, uint8_t *reg)
{
	if (t->p < t->end && *t->p == '%')
		t->p++;
	size_t len = word_len(t->p, t->end);
	uint64_t number;
	struct attempt digits = { .p = t->p + 1, .end = t->p + len };

	if (len < 2 || *t->p != letter || !read_unsigned(&digits, BPF_REG_10, &number) ||
	    digits.p != digits.end)
		return miss(t, letter == 'r' ? "expected a register r0 ... r10"
					     : "expected a register w0 ... w10");
	t->p += len;
	*reg = (uint8_t)number;
	return true;
}

static bool read_dst(struct attempt *t, char letter)
{
	const char *start = t->p;
	uint8_t reg;

	if (!read_register(t, letter, &reg))
		return false;
	if (t->has_dst && t->insn->dst_reg != reg) {
		t->p = start;
		return miss(t, "expected the same register as before");
	}
	t->has_dst = true;
	t->insn->dst_reg = reg & 0xf;
	return true;
}

static bool read_src(struct attempt *t, char letter)
{
	const char *start = t->p;
	uint8_t reg;

	if (!read_register(t, letter, &reg))
		return false;
	if (t->has_src && t->insn->src_reg != reg) {
		t->p = start;
		return miss(t, "expected the same register as before");
	}
	t->has_src = true;
	t->insn->src_reg = reg & 0xf;
	return true;
}

/* 32 bits: as a number with a sign, as one without, or as what 64 bits of it are. */
static bool read_imm(struct attempt *t)
{
	const char *start = t->p;
	uint64_t v;

	if (!read_number(t, INT32_MIN, UINT64_MAX, &v))
		return false;
	t->insn->imm = (int32_t)v;
	if (v > UINT32_MAX && v != (uint64_t)(int64_t)t->insn->imm) {
		t->p = start;
		return miss(t, "the number is too large for its field");
	}
	return true;
}

/* "+8", "-8", or nothing for 0. */
static bool read_offset(struct attempt *t)
{
	uint64_t v;

	if (t->p == t->end || (*t->p != '+' && *t->p != '-'))
		return true;
	if (!read_number(t, INT16_MIN, INT16_MAX, &v))
		return false;
	t->insn->off = (int16_t)v;
	return true;
}

/* "pc+3", "+3" or a label. */
static bool read_target(struct attempt *t, bool in_imm)
{
	uint64_t v;

	if (t->end - t->p > 2 && t->p[0] == 'p' && t->p[1] == 'c' &&
	    (t->p[2] == '+' || t->p[2] == '-'))
		t->p += 2;
	if (t->p < t->end && (*t->p == '+' || *t->p == '-')) {
		if (!read_number(t, in_imm ? INT32_MIN : INT16_MIN,
				 in_imm ? INT32_MAX : INT16_MAX, &v))
			return false;
		if (in_imm)
			t->insn->imm = (int32_t)v;
		else
			t->insn->off = (int16_t)v;
		return true;
	}

	size_t len = word_len(t->p, t->end);
	if (!len || isdigit((unsigned char)*t->p))
		return miss(t, "expected a label or a distance like +3");
	t->fixup = (struct fixup){ .name = t->p, .len = (uint32_t)len, .in_imm = in_imm };
	t->p += len;
	return true;
}

/* A 64-bit immediate. In the kernel's dialect 0x or "ll" tells it from a mov. */
static bool read_wide(struct attempt *t, enum insn_dialect dialect)
{
	const char *start = t->p;
	bool hex = t->end - t->p > 2 && t->p[0] == '0' && (t->p[1] | 0x20) == 'x';
	uint64_t v;

	if (!read_number(t, INT64_MIN, UINT64_MAX, &v))
		return false;

	struct attempt suffix = *t;
	skip_blank(&suffix);
	bool is_ll = suffix.end - suffix.p >= 2 && !memcmp(suffix.p, "ll", 2);
	if (is_ll) {
		t->p = suffix.p + 2;
	} else if (dialect == INSN_KERNEL && !hex) {
		t->p = start;
		return miss(t, "expected a number or a register r0 ... r10");
	}
	t->insn[0].imm = (int32_t)v;
	t->insn[1].imm = (int32_t)(v >> 32);
	return true;
}

/* A helper's number, name, or name#number; the number counts. */
static bool read_helper(struct attempt *t)
{
	const char *start = t->p;
	size_t len = word_len(t->p, t->end);

	if (len && !isdigit((unsigned char)*t->p)) {
		const struct helper *h = helper_by_name(t->p, len);

		t->p += len;
		if (t->p < t->end && *t->p == '#') {
			t->p++;
			return read_imm(t);
		}
		if (h) {
			t->insn->imm = (int32_t)h->id;
			return true;
		}
		t->p = start;
		return miss(t, "no such helper");
	}
	return read_imm(t);
}

static bool read_value_offset(struct attempt *t)
{
	uint64_t v;

	if (!read_number(t, 0, UINT32_MAX, &v))
		return false;
	t->insn[1].imm = (int32_t)v;
	return true;
}

/* "1, 0": the address space to cast to, and from. */
static bool read_spaces(struct attempt *t)
{
	uint64_t to, from;

	if (!read_number(t, 0, UINT16_MAX, &to))
		return false;
	skip_blank(t);
	if (t->p == t->end || *t->p != ',')
		return miss(t, "expected a comma");
	t->p++;
	skip_blank(t);
	if (!read_number(t, 0, UINT16_MAX, &from))
		return false;
	t->insn->imm = (int32_t)(to << 16 | from);
	return true;
}

static bool read_operand(struct attempt *t, char what, enum insn_dialect dialect)
{
	switch (what) {
	case 'D': return read_dst(t, 'r');
	case 'd': return read_dst(t, 'w');
	case 'S': return read_src(t, 'r');
	case 's': return read_src(t, 'w');
	case 'i':
	case 'h':
	case 'm': return read_imm(t);
	case 'a': return read_spaces(t);
	case 'o': return read_offset(t);
	case 'j': return read_target(t, false);
	case 'J':
	case 'f':
	case 'F': return read_target(t, true);
	case 'L': return read_wide(t, dialect);
	case 'V': return read_value_offset(t);
	case 'H': return read_helper(t);
	}
	return false;
}

static bool read_literal(struct attempt *t, char c)
{
	if (t->p < t->end && *t->p == c) {
		t->p++;
		return true;
	}
	return miss(t, is_word(c) ? "no such instruction" : "unexpected text");
}

/* Between words blanks are needed, elsewhere they are allowed. */
static bool read_blank(struct attempt *t, const char *start)
{
	if (t->p > start && t->p < t->end && is_word(t->p[-1]) && is_word(*t->p))
		return miss(t, "no such instruction");
	skip_blank(t);
	return true;
}

static bool read_template(struct attempt *t, const char *text, enum insn_dialect dialect)
{
	const char *start = t->p;
	bool in_word = false;

	for (; *text; text++) {
		if (*text == ' ') {
			if (!read_blank(t, start))
				return false;
			in_word = false;
			continue;
		}
		if (text[0] == '%' && text[1] == '6') {
			if (t->end - t->p >= 2 && t->p[0] == '6' && t->p[1] == '4')
				t->p += 2;
			text++;
			continue;
		}
		if (!in_word || !is_word(*text))
			skip_blank(t);
		if (text[0] == '%' && text[1] != '%') {
			if (!read_operand(t, *++text, dialect))
				return false;
			in_word = false;
			continue;
		}
		text += *text == '%';
		if (!read_literal(t, *text))
			return false;
		in_word = is_word(*text);
	}
	skip_blank(t);
	return t->p == t->end || miss(t, "unexpected text");
}

static bool try_row(struct attempt *t, enum insn_id id, enum insn_dialect dialect,
		    const char *text)
{
	const struct insn_row *row = insn_row(id);

	t->insn->code = row->code;
	if (row->select == SEL_OFF)
		t->insn->off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		t->insn->imm = row->value;
	if (row->select == SEL_SRC)
		t->insn->src_reg = (uint8_t)row->value & 0xf;
	return read_template(t, text, dialect);
}

static void add_insn(struct assembler *as, struct attempt *t)
{
	if (t->fixup.name) {
		t->fixup.insn = (uint32_t)as->insns.len;
		vec_push(as->arena, &as->fixups, t->fixup);
	}
	vec_push(as->arena, &as->insns, t->insn[0]);
	if (insn_is_wide(&t->insn[0]))
		vec_push(as->arena, &as->insns, t->insn[1]);
}

/* "insn 0x" and 16 digits. Returns false when the statement is something else. */
static bool assemble_raw(struct assembler *as, const char *p, const char *end)
{
	struct attempt t = { 0 };
	uint8_t bytes[sizeof(struct bpf_insn)];

	if (end - p != 7 + 16 || memcmp(p, "insn 0x", 7))
		return false;
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		const char pair[3] = { p[7 + 2 * i], p[8 + 2 * i], '\0' };
		unsigned byte;

		if (!isxdigit((unsigned char)pair[0]) || sscanf(pair, "%2x", &byte) != 1)
			return false;
		bytes[i] = (uint8_t)byte;
	}
	memcpy(t.insn, bytes, sizeof(bytes));
	vec_push(as->arena, &as->insns, t.insn[0]);
	return true;
}

/*
 * Spellings that other assemblers print or read (ubpf and bpf_conformance, LLVM) besides those
 * of insn.def; they are read, and never printed.
 */
static const struct alias {
	enum insn_id id;
	enum insn_dialect dialect;
	const char *text;
} ALIASES[] = {
	{ INSN_BSWAP16, INSN_MNEMONIC, "swap16 %D" },
	{ INSN_BSWAP32, INSN_MNEMONIC, "swap32 %D" },
	{ INSN_BSWAP64, INSN_MNEMONIC, "swap64 %D" },
	{ INSN_LDXSB, INSN_MNEMONIC, "ldxbsx %D, [%S%o]" },
	{ INSN_LDXSH, INSN_MNEMONIC, "ldxhsx %D, [%S%o]" },
	{ INSN_LDXSW, INSN_MNEMONIC, "ldxwsx %D, [%S%o]" },
	{ INSN_CALLX, INSN_MNEMONIC, "call %D" },
	{ INSN_CALL, INSN_MNEMONIC, "call helper %H" },
	{ INSN_CALL_BTF, INSN_MNEMONIC, "call runtime %i" },
	{ INSN_LDDW_MAP, INSN_MNEMONIC, "lddw %D, map_by_fd(%m)" },
	{ INSN_LDDW_VALUE, INSN_MNEMONIC, "lddw %D, map_val(map_by_fd(%m)) + %V" },
	{ INSN_LDDW_MAP, INSN_KERNEL, "%D = map_fd %m" },
	/* What LLVM disassembles to: 32-bit registers where only 32 bits count. */
	{ INSN_LDXB, INSN_KERNEL, "%d = *(u8 *)(%S %o)" },
	{ INSN_LDXH, INSN_KERNEL, "%d = *(u16 *)(%S %o)" },
	{ INSN_LDXW, INSN_KERNEL, "%d = *(u32 *)(%S %o)" },
	{ INSN_STXB, INSN_KERNEL, "*(u8 *)(%D %o) = %s" },
	{ INSN_STXH, INSN_KERNEL, "*(u16 *)(%D %o) = %s" },
	{ INSN_STXW, INSN_KERNEL, "*(u32 *)(%D %o) = %s" },
	{ INSN_AADD32, INSN_KERNEL, "lock *(u32 *)(%D %o) += %s" },
	{ INSN_AOR32, INSN_KERNEL, "lock *(u32 *)(%D %o) |= %s" },
	{ INSN_AAND32, INSN_KERNEL, "lock *(u32 *)(%D %o) &= %s" },
	{ INSN_AXOR32, INSN_KERNEL, "lock *(u32 *)(%D %o) ^= %s" },
	{ INSN_AFADD64, INSN_KERNEL, "%S = atomic_fetch_add((u64 *)(%D %o), %S)" },
	{ INSN_AFOR64, INSN_KERNEL, "%S = atomic_fetch_or((u64 *)(%D %o), %S)" },
	{ INSN_AFAND64, INSN_KERNEL, "%S = atomic_fetch_and((u64 *)(%D %o), %S)" },
	{ INSN_AFXOR64, INSN_KERNEL, "%S = atomic_fetch_xor((u64 *)(%D %o), %S)" },
	{ INSN_AFADD32, INSN_KERNEL, "%s = atomic_fetch_add((u32 *)(%D %o), %s)" },
	{ INSN_AFOR32, INSN_KERNEL, "%s = atomic_fetch_or((u32 *)(%D %o), %s)" },
	{ INSN_AFAND32, INSN_KERNEL, "%s = atomic_fetch_and((u32 *)(%D %o), %s)" },
	{ INSN_AFXOR32, INSN_KERNEL, "%s = atomic_fetch_xor((u32 *)(%D %o), %s)" },
	{ INSN_AXCHG64, INSN_KERNEL, "%S = xchg_64(%D %o, %S)" },
	{ INSN_AXCHG32, INSN_KERNEL, "%s = xchg32_32(%D %o, %s)" },
	{ INSN_ACMPXCHG64, INSN_KERNEL, "r0 = cmpxchg_64(%D %o, r0, %S)" },
	{ INSN_ACMPXCHG32, INSN_KERNEL, "w0 = cmpxchg32_32(%D %o, w0, %s)" },
	{ INSN_AFADD64, INSN_MNEMONIC, "lock fetch add%6 [%D%o], %S" },
	{ INSN_AFADD32, INSN_MNEMONIC, "lock fetch add32 [%D%o], %S" },
	{ INSN_AFOR64, INSN_MNEMONIC, "lock fetch or%6 [%D%o], %S" },
	{ INSN_AFOR32, INSN_MNEMONIC, "lock fetch or32 [%D%o], %S" },
	{ INSN_AFAND64, INSN_MNEMONIC, "lock fetch and%6 [%D%o], %S" },
	{ INSN_AFAND32, INSN_MNEMONIC, "lock fetch and32 [%D%o], %S" },
	{ INSN_AFXOR64, INSN_MNEMONIC, "lock fetch xor%6 [%D%o], %S" },
	{ INSN_AFXOR32, INSN_MNEMONIC, "lock fetch xor32 [%D%o], %S" },
};

/* Statements may be anything; the attempt that came furthest tells what is wrong with it. */
struct trial {
	struct assembler *as;
	const char *p, *end;
	const char *furthest, *missing;
};

static bool try_text(struct trial *t, enum insn_id id, enum insn_dialect dialect,
		     const char *text)
{
	struct attempt a = { .p = t->p, .end = t->end };

	if (try_row(&a, id, dialect, text)) {
		add_insn(t->as, &a);
		return true;
	}
	if (a.p > t->furthest) {
		t->furthest = a.p;
		t->missing = a.missing;
	}
	return false;
}

static bool try_rows(struct trial *t)
{
	for (int id = 0; id < INSN_COUNT; id++) {
		for (int dialect = INSN_KERNEL; dialect <= INSN_MNEMONIC; dialect++) {
			if (try_text(t, (enum insn_id)id, (enum insn_dialect)dialect,
				     insn_row((enum insn_id)id)->text[dialect]))
				return true;
		}
	}
	for (size_t i = 0; i < sizeof(ALIASES) / sizeof(*ALIASES); i++) {
		if (try_text(t, ALIASES[i].id, ALIASES[i].dialect, ALIASES[i].text))
			return true;
	}
	return false;
}

static int assemble_statement(struct assembler *as, const char *p, const char *end)
{
	struct trial t = { as, p, end, p, "no such instruction" };

	if (assemble_raw(as, p, end) || try_rows(&t))
		return 0;
	const char *furthest = t.furthest, *missing = t.missing;
	if (!strcmp(missing, "no such instruction"))
		return fail_at(as, p, missing, p, (size_t)(end - p));
	return fail_at(as, furthest, missing, "", 0);
}

/* Takes "12:" and "(b7)" as printed by bpftool, and labels, off the front of a statement. */
static void take_prefixes(struct assembler *as, const char **p, const char *end)
{
	for (;;) {
		while (*p < end && isspace((unsigned char)**p))
			++*p;
		size_t len = word_len(*p, end);
		if (len && *p + len < end && (*p)[len] == ':') {
			if (!isdigit((unsigned char)**p))
				vec_push(as->arena, &as->labels,
					 (struct label){ *p, (uint32_t)len,
							 (uint32_t)as->insns.len });
			*p += len + 1;
		} else if (end - *p >= 4 && **p == '(' && isxdigit((unsigned char)(*p)[1]) &&
			   isxdigit((unsigned char)(*p)[2]) && (*p)[3] == ')') {
			*p += 4;
		} else {
			return;
		}
	}
}

/* Where "<place>" begins, which objdump puts behind a jump; else end. */
static const char *note_start(const char *p, const char *end)
{
	if (end - p < 3 || end[-1] != '>')
		return end;
	for (const char *q = end - 1; q > p; q--) {
		if (*q == '<')
			return isspace((unsigned char)q[-1]) ? q : end;
		if (isspace((unsigned char)*q))
			return end;
	}
	return end;
}

/* The end of the statement at p: a newline, a semicolon, a comment. */
static const char *statement_end(const char *p, const char *end)
{
	for (const char *q = p; q < end; q++) {
		bool after_blank = q == p || isspace((unsigned char)q[-1]);

		if (*q == '\n' || *q == ';' || (*q == '#' && after_blank) ||
		    (*q == '/' && q + 1 < end && q[1] == '/'))
			return q;
	}
	return end;
}

static int assemble_line(struct assembler *as, const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	if (p < end && *p == ';')
		return 0;

	while (p < end) {
		const char *stop = statement_end(p, end), *last = stop;

		take_prefixes(as, &p, stop);
		while (last > p && isspace((unsigned char)last[-1]))
			last--;
		last = note_start(p, last);
		while (last > p && isspace((unsigned char)last[-1]))
			last--;
		if (p < last) {
			int ret = assemble_statement(as, p, last);
			if (ret)
				return ret;
		}
		if (stop == end || *stop != ';')
			return 0;
		p = stop + 1;
	}
	return 0;
}

static const struct label *find_label(const struct assembler *as, const char *name,
				      uint32_t len)
{
	vec_each(l, &as->labels) {
		if (l->len == len && !memcmp(l->name, name, len))
			return l;
	}
	return NULL;
}

static int check_labels(struct assembler *as)
{
	vec_each(l, &as->labels) {
		if (find_label(as, l->name, l->len) != l)
			return fail_at(as, l->name, "there is already a label", l->name,
				       l->len);
	}
	return 0;
}

/* A jump to "exit" needs no label of that name: it goes to the first exit. */
static const struct label *find_exit(const struct assembler *as, const struct fixup *f,
				     struct label *l)
{
	if (f->in_imm || f->len != 4 || memcmp(f->name, "exit", 4))
		return NULL;
	*l = (struct label){ f->name, f->len, 0 };
	vec_each(p, &as->insns) {
		if (p->code == (BPF_JMP | BPF_EXIT))
			return l;
		l->insn++;
	}
	return NULL;
}

static int resolve(struct assembler *as)
{
	vec_each(f, &as->fixups) {
		struct label at_exit;
		const struct label *l = find_label(as, f->name, f->len);
		struct bpf_insn *insn = &as->insns.data[f->insn];

		if (!l)
			l = find_exit(as, f, &at_exit);

		if (!l)
			return fail_at(as, f->name, "no label", f->name, f->len);
		int64_t distance = (int64_t)l->insn - f->insn - 1;
		if (f->in_imm) {
			insn->imm = (int32_t)distance;
			continue;
		}
		if (distance < INT16_MIN || distance > INT16_MAX)
			return fail_at(as, f->name, "too far to jump to", f->name, f->len);
		insn->off = (int16_t)distance;
	}
	return 0;
}

int bpf_asm(struct arena *a, const char *text, size_t len, struct bpf_insn **insns, uint32_t *n,
	    struct err *e)
{
	struct assembler as = { .arena = a, .text = text, .end = text + len, .err = e };

	for (const char *p = text; p < as.end;) {
		const char *nl = memchr(p, '\n', (size_t)(as.end - p));
		const char *end = nl ? nl : as.end;
		int ret = assemble_line(&as, p, end);

		if (ret)
			return ret;
		p = end + 1;
	}
	int ret = check_labels(&as);
	if (!ret)
		ret = resolve(&as);
	if (ret)
		return ret;
	*insns = as.insns.data;
	*n = (uint32_t)as.insns.len;
	return 0;
}
