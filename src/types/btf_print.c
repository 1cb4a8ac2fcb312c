#include "types/btf_raw.h"

/*
 * C declarators are written around the name, from the inside out: what stands left of it comes
 * before, what stands right of it behind.  So each type is printed in two halves.
 *
 * A damaged file may nest types in circles; depth and length are bounded.
 */
struct printer {
	const struct btf *b;
	struct sb *out;
	size_t end; /* no more members behind this length */
	int depth;
};

enum { TEXT_MAX = 4 << 20, NESTING_MAX = 16 };

static void print_left(struct printer *p, uint32_t id, int indent);
static void print_right(struct printer *p, uint32_t id);

/* A pointer to one of these needs parentheses. */
static bool has_right_half(const struct btf *b, uint32_t id)
{
	unsigned kind = raw_kind(btf_at(b, btf_strip_quals(b, id)));

	return kind == BTF_ARRAY || kind == BTF_FUNC_PROTO;
}

/* Whether a name or star follows without a space. */
static bool ends_in_star(const struct sb *out)
{
	return out->len && (out->s[out->len - 1] == '*' || out->s[out->len - 1] == '(');
}

/* A declaration of name, or only the type when name is "". indent: of nested structs. */
static void print_decl(struct printer *p, uint32_t id, const char *name, int indent)
{
	print_left(p, id, indent);
	if (name[0] && !ends_in_star(p->out))
		sb_putc(p->out, ' ');
	sb_puts(p->out, name);
	print_right(p, id);
}

static void print_members(struct printer *p, const struct raw_type *t, int indent)
{
	for (uint32_t i = 0; i < raw_vlen(t) && p->out->len < p->end; i++) {
		struct btf_member m = btf_member_at(p->b, t, i);

		sb_fill(p->out, '\t', indent);
		print_decl(p, m.type, m.name, indent);
		if (m.bit_size)
			sb_printf(p->out, ": %u", m.bit_size);
		sb_puts(p->out, ";\n");
	}
}

static void print_consts(struct printer *p, const struct raw_type *t, int indent)
{
	for (uint32_t i = 0; i < raw_vlen(t) && p->out->len < p->end; i++) {
		struct enum_const c = btf_enum_at(p->b, t, i);

		sb_fill(p->out, '\t', indent);
		if (raw_flag(t))
			sb_printf(p->out, "%s = %lld,\n", c.name, (long long)c.value);
		else
			sb_printf(p->out, "%s = %llu,\n", c.name, (unsigned long long)c.value);
	}
}

static bool is_enum(const struct raw_type *t)
{
	return raw_kind(t) == BTF_ENUM || raw_kind(t) == BTF_ENUM64;
}

static bool is_tagged(const struct raw_type *t)
{
	return is_enum(t) || raw_kind(t) == BTF_STRUCT || raw_kind(t) == BTF_UNION;
}

static void print_body(struct printer *p, const struct raw_type *t, int indent)
{
	sb_puts(p->out, "{\n");
	if (is_enum(t))
		print_consts(p, t, indent + 1);
	else
		print_members(p, t, indent + 1);
	sb_fill(p->out, '\t', indent);
	sb_putc(p->out, '}');
}

static const char *keyword(const struct raw_type *t)
{
	switch (raw_kind(t)) {
	case BTF_UNION: return "union ";
	case BTF_FWD: return raw_flag(t) ? "union " : "struct ";
	case BTF_STRUCT: return "struct ";
	case BTF_ENUM:
	case BTF_ENUM64: return "enum ";
	default: return "";
	}
}

/* A type that has a name, or the body of one that has none. */
static void print_base(struct printer *p, const struct raw_type *t, int indent)
{
	const char *name = btf_str(p->b, t->name_off);

	if (raw_kind(t) == BTF_VOID)
		name = "void";
	sb_puts(p->out, keyword(t));
	if (name[0] || !is_tagged(t))
		sb_puts(p->out, name);
	else if (indent < 0 || indent >= NESTING_MAX)
		sb_puts(p->out, "{...}");
	else
		print_body(p, t, indent);
}

static void print_qualifier(struct printer *p, const struct raw_type *t, int indent)
{
	const char *word = raw_kind(t) == BTF_CONST	 ? "const"
			   : raw_kind(t) == BTF_VOLATILE ? "volatile"
							 : "restrict";

	/* A pointer's own qualifier stands behind its star. */
	if (raw_kind(btf_at(p->b, btf_strip_quals(p->b, t->type))) == BTF_PTR) {
		print_left(p, t->type, indent);
		sb_printf(p->out, "%s%s", ends_in_star(p->out) ? "" : " ", word);
	} else {
		sb_printf(p->out, "%s ", word);
		print_left(p, t->type, indent);
	}
}

static void print_left(struct printer *p, uint32_t id, int indent)
{
	const struct raw_type *t = btf_at(p->b, id);

	if (++p->depth > BTF_DEPTH_MAX)
		t = btf_at(p->b, 0);
	switch (raw_kind(t)) {
	case BTF_PTR:
		print_left(p, t->type, indent);
		if (!ends_in_star(p->out))
			sb_putc(p->out, ' ');
		sb_puts(p->out, has_right_half(p->b, t->type) ? "(*" : "*");
		break;
	case BTF_ARRAY:
		print_left(p, ((const struct raw_array *)raw_items(t))->type, indent);
		break;
	case BTF_CONST:
	case BTF_VOLATILE:
	case BTF_RESTRICT: print_qualifier(p, t, indent); break;
	case BTF_FUNC_PROTO:
	case BTF_TYPE_TAG: print_left(p, t->type, indent); break;
	default: print_base(p, t, indent);
	}
	p->depth--;
}

static void print_params(struct printer *p, const struct raw_type *proto)
{
	const struct raw_param *params = raw_items(proto);
	uint32_t n = raw_vlen(proto);

	sb_putc(p->out, '(');
	for (uint32_t i = 0; i < n && p->out->len < p->end; i++) {
		if (i)
			sb_puts(p->out, ", ");
		if (!params[i].type && i + 1 == n)
			sb_puts(p->out, "...");
		else
			print_decl(p, params[i].type, btf_str(p->b, params[i].name_off), -1);
	}
	sb_puts(p->out, n ? ")" : "void)");
}

static void print_right(struct printer *p, uint32_t id)
{
	const struct raw_type *t = btf_at(p->b, id);
	const struct raw_array *a = raw_items(t);

	if (++p->depth > BTF_DEPTH_MAX)
		t = btf_at(p->b, 0);
	switch (raw_kind(t)) {
	case BTF_PTR:
		if (has_right_half(p->b, t->type))
			sb_putc(p->out, ')');
		print_right(p, t->type);
		break;
	case BTF_ARRAY:
		sb_printf(p->out, "[%u]", a->nelems);
		print_right(p, a->type);
		break;
	case BTF_FUNC_PROTO:
		print_params(p, t);
		print_right(p, t->type);
		break;
	case BTF_CONST:
	case BTF_VOLATILE:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG: print_right(p, t->type); break;
	default: break;
	}
	p->depth--;
}

void btf_print_type_name(const struct btf *b, uint32_t id, struct sb *out)
{
	struct printer p = { .b = b, .out = out, .end = out->len + TEXT_MAX };

	print_decl(&p, id, "", -1);
}

void btf_print_c(const struct btf *b, uint32_t id, struct sb *out)
{
	struct printer p = { .b = b, .out = out, .end = out->len + TEXT_MAX };
	const struct raw_type *t = btf_at(b, id);
	const char *name = btf_str(b, t->name_off);

	if (is_tagged(t)) {
		sb_printf(out, "%s%s%s", keyword(t), name, name[0] ? " " : "");
		print_body(&p, t, 0);
	} else if (raw_kind(t) == BTF_TYPEDEF) {
		sb_puts(out, "typedef ");
		print_decl(&p, t->type, name, 0);
	} else if (raw_kind(t) == BTF_FUNC) {
		print_decl(&p, t->type, name, -1);
	} else {
		print_decl(&p, id, "", 0);
	}
	sb_puts(out, ";\n");
}
