/*
 * The IR from text; docs/ir.md has the grammar.
 *
 * Values and blocks keep the numbers they have in the text.  Instructions without a value take
 * numbers above the greatest of those, so the text is looked through once before for it.  The
 * reader sees to the form; whether the function makes sense is for ir_check().
 */
#include "base/auto.h"
#include "ir/ir.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { NUMBER_MAX = 1 << 20 }; /* of values and blocks */

struct use {
	ref r;
	int line;
};

/* A phi's operand, until all predecessors are known. */
struct phi_edge {
	ref phi, value;
	blkid from;
	int line;
};

struct parser {
	struct arena *arena;
	const char *at; /* the rest of the text */
	int line;
	const char *msg; /* the first error; nothing is read after it */
	int msg_line;
	struct fn *fn;
	blkid cur;    /* the block being read */
	bool inside;  /* has there been a label? */
	bool *labels; /* by block: it has been defined */
	VEC(struct use) uses;
	VEC(struct use) targets;
	VEC(struct phi_edge) edges;
};

__attribute__((format(printf, 3, 4))) static bool fail_at(struct parser *p, int line,
							  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!p->msg) {
		p->msg = arena_vprintf(p->arena, fmt, ap);
		p->msg_line = line;
	}
	va_end(ap);
	return false;
}

#define fail(p, ...) fail_at((p), (p)->line, __VA_ARGS__)

/* ---- words ---- */

static void skip_space(struct parser *p)
{
	for (; *p->at; p->at++) {
		if (*p->at == ';')
			p->at += strcspn(p->at, "\n");
		if (!isspace((unsigned char)*p->at))
			return;
		p->line += *p->at == '\n';
	}
}

static bool accept(struct parser *p, char c)
{
	skip_space(p);
	if (p->msg || *p->at != c)
		return false;
	p->at++;
	return true;
}

static bool expect(struct parser *p, char c)
{
	return accept(p, c) || fail(p, "'%c' expected", c);
}

/* The letters, digits and underscores that come next; "" when there are none. */
static const char *word(struct parser *p)
{
	skip_space(p);

	const char *start = p->at;
	while (isalnum((unsigned char)*p->at) || *p->at == '_')
		p->at++;
	return arena_strndup(p->arena, start, p->at - start);
}

static bool parse_int(struct parser *p, int64_t *v)
{
	char *end;

	skip_space(p);
	errno = 0;
	*v = strtoll(p->at, &end, 10);
	if (end == p->at || errno)
		return fail(p, "number expected");
	p->at = end;
	return true;
}

static bool parse_u32(struct parser *p, uint32_t *v)
{
	int64_t n;

	if (!parse_int(p, &n))
		return false;
	if (n < 0 || n > UINT32_MAX)
		return fail(p, "%" PRId64 " is out of range", n);
	*v = n;
	return true;
}

/* A name of the given kind: v17, b3. */
static bool parse_name(struct parser *p, char kind, uint32_t *number)
{
	const char *w = word(p);
	char *end;

	if (w[0] != kind || !isdigit((unsigned char)w[1]))
		return fail(p, "%s expected", kind == 'v' ? "value" : "block");

	unsigned long n = strtoul(w + 1, &end, 10);
	if (*end || n > NUMBER_MAX)
		return fail(p, "'%s' is no %s", w, kind == 'v' ? "value" : "block");
	*number = n;
	return true;
}

static bool parse_value(struct parser *p, ref *r)
{
	if (!parse_name(p, 'v', r))
		return false;
	vec_push(p->arena, &p->uses, (struct use){ *r, p->line });
	return true;
}

static bool parse_target(struct parser *p, blkid *b)
{
	if (!parse_name(p, 'b', b))
		return false;
	vec_push(p->arena, &p->targets, (struct use){ *b, p->line });
	return true;
}

/* ---- instructions ---- */

/* Finds the operation, and its size where the text ends in one: "load64". */
static bool find_op(struct parser *p, const char *text, struct ins *i)
{
	size_t len = strlen(text);

	for (int op = 1; op < OP_COUNT; op++) {
		const char *name = op_infos[op].text;
		size_t n = strlen(name);

		if (len < n || memcmp(text, name, n))
			continue;
		i->op = op;
		if (!(op_infos[op].flags & OP_SIZE)) {
			if (len == n)
				return true;
			continue;
		}
		for (unsigned size = 1; size <= 8; size *= 2) {
			char bits[4];

			snprintf(bits, sizeof(bits), "%u", size * 8);
			i->size = size;
			if (!strcmp(text + n, bits))
				return true;
		}
	}
	return fail(p, "no operation '%s'", text);
}

static bool parse_phi(struct parser *p, ref r)
{
	do {
		struct phi_edge e = { .phi = r };

		if (!parse_name(p, 'b', &e.from) || !parse_value(p, &e.value))
			return false;
		e.line = p->line;
		vec_push(p->arena, &p->edges, e);
	} while (accept(p, ','));
	return true;
}

static bool parse_call(struct parser *p, struct ins *i)
{
	VEC(ref) args = {};

	if (!parse_int(p, &i->imm))
		return false;
	while (accept(p, ',')) {
		ref r;

		if (!parse_value(p, &r))
			return false;
		vec_push(p->arena, &args, r);
	}
	i->args = args.data;
	i->nargs = args.len;
	return true;
}

static bool parse_mapval(struct parser *p, struct ins *i)
{
	uint32_t map = 0, off = 0;

	if (!parse_u32(p, &map) || !expect(p, ',') || !parse_u32(p, &off))
		return false;
	i->imm = (int64_t)((uint64_t)map << 32 | off);
	return true;
}

/* The operands of the other operations: the pointer's offset comes after the pointer. */
static bool parse_fixed(struct parser *p, struct ins *i)
{
	bool imm = op_infos[i->op].flags & OP_IMM;

	i->nargs = op_infos[i->op].nargs;
	if (imm && !i->nargs)
		return parse_int(p, &i->imm);
	for (uint32_t k = 0; k < i->nargs; k++) {
		if (k && !expect(p, ','))
			return false;
		if (!parse_value(p, &i->fixed[k]))
			return false;
		if (imm && !k && (!expect(p, ',') || !parse_int(p, &i->imm)))
			return false;
	}
	return true;
}

static bool parse_br(struct parser *p, struct ins *i)
{
	return parse_fixed(p, i) && expect(p, ',') && parse_target(p, &i->blk[0]) &&
	       expect(p, ',') && parse_target(p, &i->blk[1]) &&
	       (i->blk[0] != i->blk[1] || fail(p, "br to one block: use jmp"));
}

static bool parse_operands(struct parser *p, ref r, struct ins *i)
{
	switch (i->op) {
	case OP_PHI: return parse_phi(p, r);
	case OP_CALL: return parse_call(p, i);
	case OP_MAPVAL: return parse_mapval(p, i);
	case OP_JMP: return parse_target(p, &i->blk[0]);
	case OP_BR: return parse_br(p, i);
	default: return parse_fixed(p, i);
	}
}

static void add_pred(struct parser *p, blkid to)
{
	vec_push(p->arena, &p->fn->blks.data[to].preds, p->cur);
}

/* r is the value's name, or 0 when the line has none. */
static bool parse_ins(struct parser *p, const char *text, ref r)
{
	struct ins i = { .home = p->cur };
	bool named = r;

	if (!find_op(p, text, &i))
		return false;
	if (named != !!(op_infos[i.op].flags & OP_RESULT))
		return fail(p, named ? "'%s' gives no value" : "'%s' gives a value", text);
	if (!named) {
		r = p->fn->ins.len;
		vec_push(p->arena, &p->fn->ins, (struct ins){});
	}
	if (!parse_operands(p, r, &i))
		return false;
	*ir_ins(p->fn, r) = i;
	vec_push(p->arena, &p->fn->blks.data[p->cur].ins, r);
	return true;
}

static bool parse_def(struct parser *p, const char *name)
{
	ref r = strtoul(name + 1, NULL, 10);

	if (ir_ins(p->fn, r)->op != OP_NONE)
		return fail(p, "%s is defined twice", name);
	return parse_ins(p, word(p), r);
}

static bool parse_label(struct parser *p, const char *name)
{
	p->cur = strtoul(name + 1, NULL, 10);
	if (p->labels[p->cur])
		return fail(p, "%s is defined twice", name);
	p->labels[p->cur] = true;
	p->inside = true;
	return true;
}

static bool is_name(const char *w, char kind)
{
	return w[0] == kind && isdigit((unsigned char)w[1]) &&
	       w[1 + strspn(w + 1, "0123456789")] == '\0';
}

static bool parse_line(struct parser *p)
{
	const char *w = word(p);

	if (!*w)
		return fail(p, "label, instruction or '}' expected");
	if (is_name(w, 'b'))
		return expect(p, ':') && parse_label(p, w);
	if (!p->inside)
		return fail(p, "a block's label expected");
	if (is_name(w, 'v'))
		return expect(p, '=') && parse_def(p, w);
	return parse_ins(p, w, 0);
}

/* ---- the function ---- */

static bool parse_quoted(struct parser *p, const char **name)
{
	auto_sb struct sb sb = {};

	if (!expect(p, '"'))
		return false;
	for (; *p->at && *p->at != '"'; p->at++) {
		if (*p->at == '\\' && p->at[1])
			p->at++;
		p->line += *p->at == '\n';
		sb_putc(&sb, *p->at);
	}
	*name = arena_strdup(p->arena, sb_str(&sb));
	return expect(p, '"');
}

/* Makes room for every v and b number in the text. */
static bool reserve(struct parser *p)
{
	struct parser look = *p;
	uint32_t v = 0, b = 0;

	while (skip_space(&look), *look.at) {
		const char *start = look.at;
		struct arena_mark m = arena_mark(p->arena);
		const char *w = word(&look);
		unsigned long n = *w ? strtoul(w + 1, NULL, 10) : 0;

		if ((is_name(w, 'v') || is_name(w, 'b')) && n > NUMBER_MAX)
			return fail_at(p, look.line, "'%s' is too large a number", w);
		if (is_name(w, 'v') && n > v)
			v = n;
		if (is_name(w, 'b') && n > b)
			b = n;
		arena_reset(p->arena, m);
		if (look.at == start)
			look.at++;
	}
	while (p->fn->ins.len <= v)
		vec_push(p->arena, &p->fn->ins, (struct ins){});
	while (p->fn->blks.len <= b)
		vec_push(p->arena, &p->fn->blks, (struct blk){});
	p->labels = arena_array(p->arena, bool, p->fn->blks.len);
	return true;
}

static bool check_names(struct parser *p)
{
	if (!p->labels[0])
		return fail(p, "there is no entry block b0");
	vec_each(u, &p->uses)
		if (ir_ins(p->fn, u->r)->op == OP_NONE)
			return fail_at(p, u->line, "v%" PRIu32 " is not defined", u->r);
	vec_each(u, &p->targets)
		if (!p->labels[u->r])
			return fail_at(p, u->line, "b%" PRIu32 " is not defined", u->r);
	return true;
}

static void link_blocks(struct parser *p)
{
	for (blkid b = 0; b < p->fn->blks.len; b++) {
		blkid succ[2];
		unsigned n = ir_succs(p->fn, b, succ);

		p->fn->blks.data[b].dead = !p->labels[b];
		p->cur = b;
		for (unsigned k = 0; k < n; k++)
			add_pred(p, succ[k]);
	}
}

static bool link_phi_edge(struct parser *p, const struct phi_edge *e)
{
	struct ins *phi = ir_ins(p->fn, e->phi);
	const struct blk *blk = &p->fn->blks.data[phi->home];

	if (!phi->args) {
		phi->nargs = blk->preds.len;
		phi->args = arena_array(p->arena, ref, phi->nargs);
	}
	for (uint32_t k = 0; k < phi->nargs; k++) {
		if (blk->preds.data[k] != e->from)
			continue;
		if (phi->args[k])
			return fail_at(p, e->line, "phi names b%" PRIu32 " twice", e->from);
		phi->args[k] = e->value;
		return true;
	}
	return fail_at(p, e->line, "phi names b%" PRIu32 ", which does not come here", e->from);
}

static bool link_phis(struct parser *p)
{
	vec_each(e, &p->edges)
		if (!link_phi_edge(p, e))
			return false;
	vec_each(e, &p->edges) {
		const struct ins *phi = ir_ins(p->fn, e->phi);

		for (uint32_t k = 0; k < phi->nargs; k++)
			if (!phi->args[k])
				return fail_at(p, e->line, "phi lacks a value from b%" PRIu32,
					       p->fn->blks.data[phi->home].preds.data[k]);
	}
	return true;
}

static bool parse_fn(struct parser *p)
{
	const char *name;

	if (strcmp(word(p), "fn"))
		return fail(p, "'fn' expected");
	if (!parse_quoted(p, &name) || !expect(p, '{'))
		return false;
	p->fn = ir_fn_new(p->arena, name);
	if (!reserve(p))
		return false;
	while (!accept(p, '}'))
		if (!parse_line(p))
			return false;
	skip_space(p);
	if (*p->at)
		return fail(p, "text after the function");
	if (!check_names(p))
		return false;
	link_blocks(p);
	return link_phis(p);
}

struct fn *ir_parse(struct arena *a, const char *text, const char **msg, int *line)
{
	struct parser p = { .arena = a, .at = text, .line = 1 };

	if (parse_fn(&p))
		return p.fn;
	*msg = p.msg;
	*line = p.msg_line;
	return NULL;
}
