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

static bool read_imm(struct attempt *t)
{
	uint64_t v;

	if (!read_number(t, INT32_MIN, UINT32_MAX, &v))
		return false;
	t->insn->imm = (int32_t)v;
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

static bool try_row(struct attempt *t, enum insn_id id, enum insn_dialect dialect)
{
	const struct insn_row *row = insn_row(id);

	t->insn->code = row->code;
	if (row->select == SEL_OFF)
		t->insn->off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		t->insn->imm = row->value;
	if (row->select == SEL_SRC)
		t->insn->src_reg = (uint8_t)row->value & 0xf;
	return read_template(t, row->text[dialect], dialect);
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

/* Tries every row; the attempt that came furthest tells what is wrong. */
static int assemble_statement(struct assembler *as, const char *p, const char *end)
{
	const char *furthest = p, *missing = "no such instruction";

	if (assemble_raw(as, p, end))
		return 0;
	for (int id = 0; id < INSN_COUNT; id++) {
		for (int dialect = INSN_KERNEL; dialect <= INSN_MNEMONIC; dialect++) {
			struct attempt t = { .p = p, .end = end };

			if (try_row(&t, (enum insn_id)id, (enum insn_dialect)dialect)) {
				add_insn(as, &t);
				return 0;
			}
			if (t.p > furthest) {
				furthest = t.p;
				missing = t.missing;
			}
		}
	}
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

static int resolve(struct assembler *as)
{
	vec_each(f, &as->fixups) {
		const struct label *l = find_label(as, f->name, f->len);
		struct bpf_insn *insn = &as->insns.data[f->insn];

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
