#include "types/btf_list.h"

#include "types/btf_raw.h"

#include <inttypes.h>

struct list {
	const struct btf *b;
	struct sb *out; /* text */
	struct jw *w;	/* or JSON */
	bool fresh;	/* nothing was put since the line began */
};

/* ` name=` */
static void put_name(struct list *l, const char *name)
{
	sb_printf(l->out, "%s%s=", l->fresh ? "" : " ", name);
	l->fresh = false;
}

static void put_number(struct list *l, const char *name, int64_t v)
{
	if (l->w) {
		jw_raw(l->w, name, "%" PRId64, v);
		return;
	}
	put_name(l, name);
	sb_printf(l->out, "%" PRId64, v);
}

static void put_word(struct list *l, const char *name, const char *word)
{
	if (l->w) {
		jw_text(l->w, name, word);
		return;
	}
	put_name(l, name);
	sb_puts(l->out, word);
}

/* The name of a type or of a part of it. */
static void put_own_name(struct list *l, const char *name)
{
	name = *name ? name : "(anon)";
	if (l->w)
		jw_text(l->w, "name", name);
	else
		sb_printf(l->out, "'%s'", name);
}

static void begin_items(struct list *l, const char *name)
{
	if (l->w)
		jw_list(l->w, name);
}

/* name NULL: items of this kind have none. */
static void begin_item(struct list *l, const char *name)
{
	if (l->w)
		jw_object(l->w, NULL);
	else
		sb_puts(l->out, "\n\t");
	l->fresh = true;
	if (!name)
		return;
	put_own_name(l, name);
	l->fresh = false;
}

static void end_item(struct list *l)
{
	if (l->w)
		jw_close(l->w);
}

static void end_items(struct list *l)
{
	if (l->w)
		jw_close(l->w);
}

#define WORD_OF(list, i) ((i) < sizeof(list) / sizeof(*(list)) ? (list)[i] : "(unknown)")

static void list_int(struct list *l, const struct raw_type *t)
{
	static const char *const ENCODINGS[] = { "(none)", "SIGNED", "CHAR", "(unknown)",
						 "BOOL" };
	uint32_t data = *(const uint32_t *)raw_items(t);

	put_number(l, "size", t->size);
	put_number(l, "bits_offset", data >> 16 & 0xff);
	put_number(l, "nr_bits", data & 0xff);
	put_word(l, "encoding", WORD_OF(ENCODINGS, data >> 24 & 0xf));
}

static void list_array(struct list *l, const struct raw_type *t)
{
	const struct raw_array *a = raw_items(t);

	put_number(l, "type_id", a->type);
	put_number(l, "index_type_id", a->index_type);
	put_number(l, "nr_elems", a->nelems);
}

static void list_members(struct list *l, const struct raw_type *t)
{
	const struct raw_member *m = raw_items(t);

	put_number(l, "size", t->size);
	put_number(l, "vlen", raw_vlen(t));
	begin_items(l, "members");
	for (uint32_t i = 0; i < raw_vlen(t); i++, m++) {
		begin_item(l, btf_str(l->b, m->name_off));
		put_number(l, "type_id", m->type);
		put_number(l, "bits_offset", raw_flag(t) ? m->offset & 0xffffff : m->offset);
		if (raw_flag(t) && m->offset >> 24)
			put_number(l, "bitfield_size", m->offset >> 24);
		end_item(l);
	}
	end_items(l);
}

static void put_constant(struct list *l, int64_t v, bool is_signed, bool wide)
{
	if (l->w) {
		/* bpftool extends the sign of any 32 bits. */
		if (!wide)
			v = (int32_t)v;
		jw_raw(l->w, "val", is_signed ? "%" PRId64 : "%" PRIu64, v);
		return;
	}
	put_name(l, "val");
	sb_printf(l->out, is_signed ? "%" PRId64 : "%" PRIu64, v);
	if (wide)
		sb_puts(l->out, is_signed ? "LL" : "ULL");
}

static void list_enum(struct list *l, const struct raw_type *t)
{
	bool wide = raw_kind(t) == BTF_ENUM64, is_signed = raw_flag(t);

	put_word(l, "encoding", is_signed ? "SIGNED" : "UNSIGNED");
	put_number(l, "size", t->size);
	put_number(l, "vlen", raw_vlen(t));
	begin_items(l, "values");
	for (uint32_t i = 0; i < raw_vlen(t); i++) {
		struct enum_const c = btf_enum_at(l->b, t, i);

		begin_item(l, c.name);
		put_constant(l, c.value, is_signed, wide);
		end_item(l);
	}
	end_items(l);
}

static void list_params(struct list *l, const struct raw_type *t)
{
	const struct raw_param *p = raw_items(t);

	put_number(l, "ret_type_id", t->type);
	put_number(l, "vlen", raw_vlen(t));
	begin_items(l, "params");
	for (uint32_t i = 0; i < raw_vlen(t); i++, p++) {
		begin_item(l, btf_str(l->b, p->name_off));
		put_number(l, "type_id", p->type);
		end_item(l);
	}
	end_items(l);
}

static void list_section(struct list *l, const struct raw_type *t)
{
	const uint32_t *var = raw_items(t); /* type, offset, size */

	put_number(l, "size", t->size);
	put_number(l, "vlen", raw_vlen(t));
	begin_items(l, "vars");
	for (uint32_t i = 0; i < raw_vlen(t); i++, var += 3) {
		const struct raw_type *of = btf_at(l->b, var[0]);

		begin_item(l, NULL);
		put_number(l, "type_id", var[0]);
		put_number(l, "offset", var[1]);
		put_number(l, "size", var[2]);
		if (!l->w && (raw_kind(of) == BTF_VAR || raw_kind(of) == BTF_FUNC))
			sb_printf(l->out, " (%s '%s')",
				  raw_kind(of) == BTF_VAR ? "VAR" : "FUNC",
				  btf_str(l->b, of->name_off));
		end_item(l);
	}
	end_items(l);
}

static const char *const LINKAGES[] = { "static", "global", "extern" };

static void list_var(struct list *l, const struct raw_type *t)
{
	uint32_t linkage = *(const uint32_t *)raw_items(t);

	put_number(l, "type_id", t->type);
	if (!l->w)
		sb_putc(l->out, ',');
	put_word(l, "linkage", WORD_OF(LINKAGES, linkage));
}

static void list_func(struct list *l, const struct raw_type *t)
{
	put_number(l, "type_id", t->type);
	put_word(l, "linkage", WORD_OF(LINKAGES, raw_vlen(t)));
}

static void list_forward(struct list *l, const struct raw_type *t)
{
	put_word(l, "fwd_kind", raw_flag(t) ? "union" : "struct");
}

static void list_tag(struct list *l, const struct raw_type *t)
{
	put_number(l, "type_id", t->type);
	put_number(l, "component_idx", *(const int32_t *)raw_items(t));
}

static void list_size(struct list *l, const struct raw_type *t)
{
	put_number(l, "size", t->size);
}

static void list_type(struct list *l, const struct raw_type *t)
{
	put_number(l, "type_id", t->type);
}

static const struct {
	const char *name;
	void (*list)(struct list *l, const struct raw_type *t);
} KINDS[BTF_KINDS] = {
	[BTF_INT] = { "INT", list_int },
	[BTF_PTR] = { "PTR", list_type },
	[BTF_ARRAY] = { "ARRAY", list_array },
	[BTF_STRUCT] = { "STRUCT", list_members },
	[BTF_UNION] = { "UNION", list_members },
	[BTF_ENUM] = { "ENUM", list_enum },
	[BTF_FWD] = { "FWD", list_forward },
	[BTF_TYPEDEF] = { "TYPEDEF", list_type },
	[BTF_VOLATILE] = { "VOLATILE", list_type },
	[BTF_CONST] = { "CONST", list_type },
	[BTF_RESTRICT] = { "RESTRICT", list_type },
	[BTF_FUNC] = { "FUNC", list_func },
	[BTF_FUNC_PROTO] = { "FUNC_PROTO", list_params },
	[BTF_VAR] = { "VAR", list_var },
	[BTF_DATASEC] = { "DATASEC", list_section },
	[BTF_FLOAT] = { "FLOAT", list_size },
	[BTF_DECL_TAG] = { "DECL_TAG", list_tag },
	[BTF_TYPE_TAG] = { "TYPE_TAG", list_type },
	[BTF_ENUM64] = { "ENUM64", list_enum },
};

void btf_list(const struct btf *b, uint32_t id, struct sb *out, struct jw *w)
{
	const struct raw_type *t = btf_at(b, id);
	struct list l = { .b = b, .out = out, .w = w };
	unsigned kind = raw_kind(t);

	if (!KINDS[kind].list)
		return;
	if (w) {
		jw_object(w, NULL);
		jw_number(w, "id", id);
		jw_text(w, "kind", KINDS[kind].name);
	} else {
		sb_printf(out, "[%u] %s ", id, KINDS[kind].name);
	}
	put_own_name(&l, btf_str(b, t->name_off));
	KINDS[kind].list(&l, t);
	if (w)
		jw_close(w);
	else
		sb_putc(out, '\n');
}

/* --- prototypes --- */

static void put_type(struct sb *out, const struct btf *b, uint32_t id, int depth);

static void put_params(struct sb *out, const struct btf *b, const struct raw_type *t, int depth)
{
	const struct raw_param *p = raw_items(t);

	sb_putc(out, '(');
	for (uint32_t i = 0; i < raw_vlen(t); i++, p++) {
		const char *name = btf_str(b, p->name_off);

		sb_puts(out, i ? ", " : "");
		if (p->type)
			put_type(out, b, p->type, depth);
		else
			sb_puts(out, "...");
		sb_puts(out, name);
		if (!*name && out->len && out->s[out->len - 1] == ' ')
			out->s[--out->len] = '\0';
	}
	sb_putc(out, ')');
}

/* The words before a type's name and behind what it is made of; they end in a blank. */
static const char *const TYPE_WORDS[BTF_KINDS] = {
	[BTF_STRUCT] = "struct ",     [BTF_UNION] = "union ", [BTF_ENUM] = "enum ",
	[BTF_ENUM64] = "enum ",	      [BTF_FWD] = "struct ",  [BTF_PTR] = "* ",
	[BTF_VOLATILE] = "volatile ", [BTF_CONST] = "const ", [BTF_RESTRICT] = "restrict ",
};

static void put_type(struct sb *out, const struct btf *b, uint32_t id, int depth)
{
	const struct raw_type *t = btf_at(b, id);
	unsigned kind = raw_kind(t);
	const char *word = TYPE_WORDS[kind] ? TYPE_WORDS[kind] : "";

	if (depth > BTF_DEPTH_MAX || out->len > 4096)
		return;
	switch (kind) {
	case BTF_VOID: sb_puts(out, "void "); break;
	case BTF_PTR:
		put_type(out, b, t->type, depth + 1);
		sb_puts(out, word);
		break;
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG:
		sb_puts(out, word);
		put_type(out, b, t->type, depth + 1);
		break;
	case BTF_ARRAY: {
		const struct raw_array *a = raw_items(t);

		put_type(out, b, a->type, depth + 1);
		sb_printf(out, "[%u]", a->nelems);
		break;
	}
	case BTF_FUNC_PROTO:
		put_type(out, b, t->type, depth + 1);
		put_params(out, b, t, depth + 1);
		break;
	default:
		sb_printf(out, "%s%s ", kind == BTF_FWD && raw_flag(t) ? "union " : word,
			  btf_str(b, t->name_off));
	}
}

void btf_prototype(const struct btf *b, uint32_t id, struct sb *out)
{
	const struct raw_type *t = btf_at(b, id), *proto = btf_at(b, t->type);

	if (raw_kind(t) != BTF_FUNC || raw_kind(proto) != BTF_FUNC_PROTO)
		return;
	put_type(out, b, proto->type, 0);
	sb_puts(out, btf_str(b, t->name_off));
	put_params(out, b, proto, 0);
}

uint32_t btf_first_id(const struct btf *b)
{
	return b->first_id;
}
