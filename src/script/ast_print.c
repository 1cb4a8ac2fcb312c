/*
 * The tree as text: a node a line, children one step to the right, " : type" behind a node
 * whose type was settled.
 */
#include "script/ast.h"

#include <ctype.h>
#include <inttypes.h>

struct printer {
	struct sb *out;
	struct arena scratch; /* type names */
};

static void print_expr(struct printer *pr, const struct expr *e, int depth);
static void print_stmt(struct printer *pr, const struct stmt *s, int depth);

static void indent(struct printer *pr, int depth)
{
	sb_fill(pr->out, ' ', 2L * depth);
}

static void line(struct printer *pr, int depth, const char *text)
{
	indent(pr, depth);
	sb_puts(pr->out, text);
	sb_putc(pr->out, '\n');
}

static void put_string(struct sb *out, const char *s, size_t len)
{
	sb_putc(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			sb_printf(out, "\\%c", c);
		else if (isprint(c))
			sb_putc(out, (char)c);
		else
			sb_printf(out, "\\x%02x", c);
	}
	sb_putc(out, '"');
}

void type_name_put(struct sb *out, const struct type_name *tn)
{
	static const char *const words[] = {
		[TN_PLAIN] = "",     [TN_STRUCT] = "struct ", [TN_UNION] = "union ",
		[TN_ENUM] = "enum ", [TN_TYPEOF] = "",
	};

	sb_printf(out, "%s%s", words[tn->keyword], tn->name);
	for (unsigned i = 0; i < tn->nsuffixes; i++) {
		const struct type_suffix *s = &tn->suffixes[i];

		if (s->pointer)
			sb_puts(out, i && tn->suffixes[i - 1].pointer ? "*" : " *");
		else if (s->sized)
			sb_printf(out, "[%" PRIu64 "]", s->n);
		else
			sb_puts(out, "[]");
	}
}

/* What a node is, without its children. */
static void put_head(struct printer *pr, const struct expr *e)
{
	static const char *const heads[] = {
		[E_VAR] = "var",	   [E_MAP] = "map",	      [E_NAME] = "name",
		[E_CALL] = "call",	   [E_NPARAMS] = "nparams",   [E_COND] = "cond",
		[E_CAST] = "cast",	   [E_FIELD] = "field",	      [E_INDEX] = "index",
		[E_TUPLE] = "tuple",	   [E_RECORD] = "record",     [E_SIZEOF] = "sizeof",
		[E_OFFSETOF] = "offsetof", [E_TYPEINFO] = "typeinfo", [E_IF] = "if value",
		[E_BLOCK] = "block value", [E_COMPTIME] = "comptime", [E_TYPE] = "type",
		[E_WIDEN] = "widen",
	};
	struct sb *out = pr->out;

	switch (e->kind) {
	case E_INT: sb_printf(out, "int %" PRIu64, e->num); return;
	case E_FLOAT: sb_printf(out, "float 0x%016" PRIx64, e->num); return;
	case E_BOOL: sb_printf(out, "bool %s", e->num ? "true" : "false"); return;
	case E_PARAM: sb_printf(out, "param %" PRIu64, e->num); return;
	case E_ELEM: sb_printf(out, "elem %" PRIu64, e->num); return;
	case E_UNARY: sb_printf(out, "unary %s", unary_op_text[e->op]); return;
	case E_BINARY: sb_printf(out, "binary %s", binary_op_text[e->op]); return;
	case E_STRING:
		sb_puts(out, "string ");
		put_string(out, e->str.s, e->str.len);
		return;
	case E_INCDEC:
		sb_printf(out, "%s %s", e->op > 0 ? "++" : "--",
			  e->prefix ? "before" : "after");
		return;
	default: break;
	}
	sb_puts(out, heads[e->kind]);
	if (e->name)
		sb_printf(out, " %s%s", e->arrow ? "->" : "", e->name);
	if (e->tname) {
		sb_putc(out, ' ');
		type_name_put(pr->out, e->tname);
	}
	for (unsigned i = 0; i < e->nnames; i++)
		sb_printf(out, " .%s", e->names[i]);
}

static void print_expr(struct printer *pr, const struct expr *e, int depth)
{
	if (!e)
		return;
	indent(pr, depth);
	put_head(pr, e);
	if (e->type)
		sb_printf(pr->out, " : %s", type_str(&pr->scratch, e->type));
	sb_putc(pr->out, '\n');
	if (e->tname && e->tname->of)
		print_expr(pr, e->tname->of, depth + 1);
	print_expr(pr, e->a, depth + 1);
	print_expr(pr, e->b, depth + 1);
	print_expr(pr, e->c, depth + 1);
	print_expr(pr, e->key, depth + 1);
	for (unsigned i = 0; i < e->nargs; i++)
		print_expr(pr, e->args[i], depth + 1);
	if (e->stmt)
		print_stmt(pr, e->stmt, depth + 1);
}

static void print_block(struct printer *pr, const struct stmt *block, int depth)
{
	for (const struct stmt *s = block->first; s; s = s->next)
		print_stmt(pr, s, depth);
	if (block->value) {
		line(pr, depth, "value");
		print_expr(pr, block->value, depth + 1);
	}
}

static void print_simple(struct printer *pr, const struct stmt *s, int depth)
{
	static const char *const heads[] = {
		[S_DISCARD] = "discard", [S_LET] = "let",	    [S_WHILE] = "while",
		[S_UNROLL] = "unroll",	 [S_FOR_MAP] = "for map",   [S_FOR_RANGE] = "for range",
		[S_BREAK] = "break",	 [S_CONTINUE] = "continue", [S_RETURN] = "return",
		[S_IMPORT] = "import",
	};

	indent(pr, depth);
	if (s->kind == S_ASSIGN)
		sb_printf(pr->out, "assign %s=", s->op >= 0 ? binary_op_text[s->op] : "");
	else
		sb_puts(pr->out, heads[s->kind]);
	if (s->path)
		sb_printf(pr->out, " \"%s\"", s->path);
	if (s->tname) {
		sb_putc(pr->out, ' ');
		type_name_put(pr->out, s->tname);
	}
	sb_putc(pr->out, '\n');
	if (s->tname && s->tname->of)
		print_expr(pr, s->tname->of, depth + 1);
	print_expr(pr, s->target, depth + 1);
	print_expr(pr, s->e, depth + 1);
	print_expr(pr, s->e2, depth + 1);
	if (s->body)
		print_stmt(pr, s->body, depth + 1);
}

static void print_if(struct printer *pr, const struct stmt *s, int depth)
{
	for (; s && s->kind == S_IF; s = s->els) {
		line(pr, depth, s->comptime ? "if comptime" : "if");
		print_expr(pr, s->e, depth + 1);
		line(pr, depth, "then");
		print_block(pr, s->body, depth + 1);
		if (s->els)
			line(pr, depth, "else");
		depth += s->els && s->els->kind == S_IF;
	}
	if (s)
		print_block(pr, s, depth + 1);
}

static void print_stmt(struct printer *pr, const struct stmt *s, int depth)
{
	switch (s->kind) {
	case S_EXPR: print_expr(pr, s->e, depth); break;
	case S_IF: print_if(pr, s, depth); break;
	case S_BLOCK:
		line(pr, depth, "block");
		print_block(pr, s, depth + 1);
		break;
	default: print_simple(pr, s, depth); break;
	}
}

static void print_head_items(struct printer *pr, const struct script *s)
{
	vec_each(c, &s->c_items)
		sb_printf(pr->out, "c\n%s\n", c->text);
	vec_each(c, &s->config)
		sb_printf(pr->out, "config %s = %s\n", c->key, c->value);
	vec_each(i, &s->imports)
		sb_printf(pr->out, "import \"%s\"\n", i->path);
	vec_each(m, &s->map_decls)
		sb_printf(pr->out, "map %s = %s(%" PRIu64 ")\n", m->name, m->kind, m->n);
}

static void print_macro(struct printer *pr, const struct macro *m)
{
	sb_printf(pr->out, "macro %s\n", m->name);
	for (unsigned i = 0; i < m->nparams; i++)
		print_expr(pr, m->params[i], 1);
	line(pr, 1, "body");
	print_block(pr, m->body, 2);
}

static void print_subprog(struct printer *pr, const struct subprog *f)
{
	sb_printf(pr->out, "fn %s ", f->name);
	type_name_put(pr->out, f->ret);
	sb_putc(pr->out, '\n');
	for (unsigned i = 0; i < f->nparams; i++) {
		sb_printf(pr->out, "  param %s ", f->params[i]);
		type_name_put(pr->out, f->param_types[i]);
		sb_putc(pr->out, '\n');
	}
	line(pr, 1, "body");
	print_block(pr, f->body, 2);
}

static void print_probe(struct printer *pr, const struct probe *probe)
{
	sb_puts(pr->out, "probe\n");
	vec_each(ap, &probe->points) {
		sb_puts(pr->out, "  at");
		if (ap->user_name)
			sb_printf(pr->out, " %s=", ap->user_name);
		for (unsigned i = 0; i < ap->nparts; i++)
			sb_printf(pr->out, " [%s]", ap->parts[i]);
		sb_putc(pr->out, '\n');
	}
	if (probe->pred) {
		line(pr, 1, "predicate");
		print_expr(pr, probe->pred, 2);
	}
	line(pr, 1, "body");
	print_block(pr, probe->body, 2);
}

void ast_print(const struct script *s, struct sb *out)
{
	struct printer pr = { .out = out };

	print_head_items(&pr, s);
	for (const struct macro *m = s->macros; m; m = m->next)
		print_macro(&pr, m);
	for (const struct subprog *f = s->subprogs; f; f = f->next)
		print_subprog(&pr, f);
	for (const struct probe *probe = s->probes; probe; probe = probe->next)
		print_probe(&pr, probe);
	arena_free(&pr.scratch);
}
