#include "cfront/decl.h"

#include "cfront/base_type.h"
#include "cfront/cexpr.h"
#include "cfront/layout.h"

#include <string.h>

enum { DEPTH_MAX = 64, ALIGN_MAX = 1 << 16 };

struct decl {
	struct decls *ds;
	struct diags *dx;
	struct ctok_reader r;
	unsigned depth;
	bool failed;   /* since the last recovery */
	uint32_t pack; /* of #pragma pack */
	bool header;   /* in an included file: mistakes are nobody's here */
	struct diags *script_dx, *quiet;
};

/* A declared name and its type. */
struct declared {
	const struct ctok *name; /* NULL for none */
	const struct type *type;
};

static const struct type *specifiers(struct decl *d, struct attributes *at);
static struct declared declarator(struct decl *d, const struct type *base,
				  struct attributes *at);

void decls_init(struct decls *ds, struct arena *a, const struct cfront_env *env)
{
	*ds = (struct decls){ .arena = a, .env = env };
	strmap_init(&ds->tags, a);
	strmap_init(&ds->typedefs, a);
	strmap_init(&ds->consts, a);
}

static void fail_at(struct decl *d, struct span span, const char *text)
{
	if (!d->failed)
		diag(d->dx, E0012_C_SYNTAX, span, text);
	d->failed = true;
}

static void fail(struct decl *d, const char *text)
{
	fail_at(d, ctok_peek(&d->r)->span, text);
}

static bool at(const struct decl *d, const char *text)
{
	return ctok_is(ctok_peek(&d->r), text);
}

static bool accept(struct decl *d, const char *text)
{
	return !d->failed && ctok_accept(&d->r, text);
}

static bool expect(struct decl *d, const char *text)
{
	if (accept(d, text))
		return true;
	fail(d, arena_printf(d->ds->arena, "expected '%s'", text));
	return false;
}

static bool accept_any(struct decl *d, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (accept(d, list[i]))
			return true;
	return false;
}

#define ACCEPT_ANY(d, list) accept_any((d), (list), sizeof(list) / sizeof(*(list)))

static bool enter(struct decl *d)
{
	if (++d->depth > DEPTH_MAX)
		fail(d, "nested too deeply");
	return !d->failed;
}

/* From an opening bracket past its closing one. */
static void skip_balanced(struct decl *d)
{
	unsigned depth = 0;

	do {
		const struct ctok *t = ctok_next(&d->r);

		if (t->kind == C_EOF) {
			fail(d, "a bracket does not close");
			return;
		}
		depth += ctok_is(t, "(") || ctok_is(t, "[") || ctok_is(t, "{");
		depth -= ctok_is(t, ")") || ctok_is(t, "]") || ctok_is(t, "}");
	} while (depth);
}

/* "(" type ")", completed. */
static const struct type *type_in_parens(struct decl *d)
{
	struct attributes attrs = { 0 };

	expect(d, "(");
	const struct type *t = declarator(d, specifiers(d, &attrs), &attrs).type;
	expect(d, ")");
	return type_complete(d->ds->env->types, t);
}

/* ("sizeof" | "_Alignof") "(" type ")" */
static bool size_of(struct decl *d, struct cvalue *out)
{
	bool size = ctok_is(ctok_next(&d->r), "sizeof");
	const struct type *t = type_in_parens(d);

	*out = (struct cvalue){ size ? t->size : t->align, true };
	return true;
}

/* Does a type begin n tokens further on? */
static bool type_at(const struct decl *d, size_t n)
{
	static const char *const words[] = { "struct", "union", "enum", "const", "volatile" };
	const struct ctok *t = ctok_peek_at(&d->r, n);

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (ctok_is(t, words[i]))
			return true;
	return t->kind == C_NAME &&
	       (is_base_word(t->text) || strmap_gets(&d->ds->typedefs, t->text) ||
		cfront_base_type(d->ds->env->types, t->text));
}

static uint32_t cast_of(void *arg, struct ctok_reader *r, bool *is_signed)
{
	struct decl *d = arg;

	(void)r;
	if (!type_at(d, 1))
		return 0;
	const struct type *t = type_in_parens(d);
	*is_signed = t->is_signed;
	return t->size;
}

/* A name in a constant expression: sizeof, or an enumerator. */
static bool constant_name(void *arg, struct ctok_reader *r, struct cvalue *out)
{
	struct decl *d = arg;
	const struct cfront_env *env = d->ds->env;
	const struct ctok *t = ctok_peek(r);
	const struct decl_const *c = strmap_gets(&d->ds->consts, t->text);

	if (ctok_is(t, "sizeof") || ctok_is(t, "_Alignof") || ctok_is(t, "__alignof__"))
		return size_of(d, out);
	*out = (struct cvalue){ 0 };
	if (c)
		out->v = c->value;
	else if (!env->find_const || !env->find_const(env->arg, t->text, &out->v))
		return false;
	ctok_next(r);
	return true;
}

static int64_t constant(struct decl *d)
{
	struct cexpr_env env = {
		.dx = d->dx, .name = constant_name, .cast = cast_of, .arg = d
	};
	struct cvalue v = { 0 };

	if (!d->failed && !cexpr_eval(&env, &d->r, &v))
		d->failed = true;
	return v.v;
}

static void set_align(struct decl *d, struct attributes *attrs, struct span span, int64_t n)
{
	if (n < 1 || n > ALIGN_MAX || (n & (n - 1)))
		fail_at(d, span, "an alignment is a power of two");
	else if ((uint32_t)n > attrs->align)
		attrs->align = (uint32_t)n;
}

/* "(" n ")", or the largest alignment of the machine. */
static void align_argument(struct decl *d, struct attributes *attrs)
{
	bool paren = accept(d, "(");
	struct span span = ctok_peek(&d->r)->span;
	int64_t n = 16;

	if (paren) {
		n = constant(d);
		expect(d, ")");
	}
	set_align(d, attrs, span, n);
}

/* "(" mode ")": a width of the machine's instead of the type's own. */
static void mode_argument(struct decl *d, struct attributes *attrs)
{
	static const struct {
		const char *name;
		uint32_t size;
	} modes[] = {
		{ "__QI__", 1 }, { "__HI__", 2 },   { "__SI__", 4 },	  { "__DI__", 8 },
		{ "QI", 1 },	 { "HI", 2 },	    { "SI", 4 },	  { "DI", 8 },
		{ "word", 8 },	 { "__word__", 8 }, { "__pointer__", 8 }, { "pointer", 8 }
	};

	expect(d, "(");
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (at(d, modes[i].name))
			attrs->mode = modes[i].size;
	ctok_next(&d->r);
	expect(d, ")");
}

/* "__attribute__" "((" [ attribute { "," attribute } ] "))"; the word is taken. */
static void attribute_list(struct decl *d, struct attributes *attrs)
{
	static const char *const packed[] = { "packed", "__packed__" };
	static const char *const aligned[] = { "aligned", "__aligned__" };
	static const char *const mode[] = { "mode", "__mode__" };

	expect(d, "(");
	expect(d, "(");
	while (!d->failed && !at(d, ")")) {
		if (ACCEPT_ANY(d, packed)) {
			attrs->packed = true;
		} else if (ACCEPT_ANY(d, aligned)) {
			align_argument(d, attrs);
		} else if (ACCEPT_ANY(d, mode)) {
			mode_argument(d, attrs);
		} else {
			ctok_next(&d->r);
			if (at(d, "("))
				skip_balanced(d);
		}
		if (!accept(d, ","))
			break;
	}
	expect(d, ")");
	expect(d, ")");
}

/* Qualifiers, attributes and the kernel's marks on types; false when there is none here. */
static bool qualifier(struct decl *d, struct attributes *attrs)
{
	static const char *const ignored[] = {
		"const",	 "volatile",	       "restrict",
		"__restrict",	 "__restrict__",       "__const",
		"__const__",	 "__volatile__",       "_Atomic",
		"__rcu",	 "__percpu",	       "__iomem",
		"__force",	 "__kernel",	       "__bitwise",
		"__extension__", "__randomize_layout", "__no_randomize_layout",
	};
	static const char *const cacheline[] = { "____cacheline_aligned",
						 "____cacheline_aligned_in_smp" };
	static const char *const attribute[] = { "__attribute__", "__attribute" };

	if (ACCEPT_ANY(d, ignored))
		return true;
	if (ACCEPT_ANY(d, attribute))
		attribute_list(d, attrs);
	else if (accept(d, "__user"))
		attrs->user = true;
	else if (accept(d, "__packed"))
		attrs->packed = true;
	else if (accept(d, "__aligned") || accept(d, "_Alignas"))
		align_argument(d, attrs);
	else if (accept(d, "__asm__") || accept(d, "asm"))
		skip_balanced(d);
	else if (ACCEPT_ANY(d, cacheline))
		attrs->align = 64;
	else
		return false;
	return true;
}

static void qualifiers(struct decl *d, struct attributes *attrs)
{
	while (qualifier(d, attrs))
		;
}

static const char *tag_word(enum c_tag tag)
{
	return tag == C_STRUCT ? "struct" : tag == C_UNION ? "union" : "enum";
}

/* A struct, union or enum without its members. */
static struct type *new_tagged(struct decl *d, enum c_tag tag, const char *name)
{
	struct type *t = arena_new(d->ds->arena, struct type);

	t->kind = tag == C_ENUM ? T_ENUM : T_STRUCT;
	t->name = name;
	t->is_union = tag == C_UNION;
	t->align = 1;
	if (tag == C_ENUM)
		t->size = t->align = 4;
	return t;
}

static struct decl_tag *add_tag(struct decl *d, enum c_tag tag, const char *name,
				struct span span, bool from_script)
{
	struct decl_tag *x = arena_new(d->ds->arena, struct decl_tag);

	x->tag = tag;
	x->type = new_tagged(d, tag, name);
	x->span = span;
	x->from_script = from_script;
	strmap_sets(&d->ds->tags, name, x);
	return x;
}

/* A tag that is only mentioned: the script's, or the caller's, or known by its name alone. */
static const struct type *mentioned(struct decl *d, enum c_tag tag, const struct ctok *name)
{
	const struct cfront_env *env = d->ds->env;
	struct decl_tag *x = strmap_gets(&d->ds->tags, name->text);

	if (x && x->tag != tag) {
		fail_at(d, name->span,
			arena_printf(d->ds->arena, "%s %s was declared as %s %s", tag_word(tag),
				     name->text, tag_word(x->tag), name->text));
		return &type_error;
	}
	if (x)
		return x->type;

	const struct type *known =
		env->find_type ? env->find_type(env->arg, tag, name->text) : NULL;
	return known ? known : add_tag(d, tag, name->text, name->span, false)->type;
}

/* The type as a member, an array's element: it must be known in full. */
static const struct type *by_value(struct decl *d, const struct type *t, struct span span)
{
	struct decl_tag *x = t->kind == T_STRUCT ? strmap_gets(&d->ds->tags, t->name) : NULL;
	bool open = x && x->type == t && x->from_script && !x->complete;

	if (d->failed || t->kind == T_ERROR)
		return &type_error;
	if (!open)
		type_complete(d->ds->env->types, t);
	if (open || (t->kind == T_STRUCT && !t->fields)) {
		diag(d->dx, E0013_C_TYPE, span,
		     arena_printf(d->ds->arena, "%s %s", t->is_union ? "union" : "struct",
				  t->name));
		d->failed = true;
	} else if (t->kind == T_NONE || t->kind == T_FUNC) {
		fail_at(d, span, "a member cannot have this type");
	}
	return d->failed ? &type_error : t;
}

struct members {
	struct arena *arena;
	VEC(struct field) list;
	struct layout layout;
};

static void bit_field(struct decl *d, struct members *ms, struct field *f, int64_t width,
		      struct span span, const struct attributes *attrs)
{
	if (d->failed)
		return;
	if (!type_is_integral(f->type) || width < 0 || width > 8 * (int64_t)f->type->size ||
	    (!width && f->name[0])) {
		fail_at(d, span, "the width does not fit the type");
		return;
	}
	layout_bits(&ms->layout, f, (uint32_t)width, attrs);
	if (f->name[0])
		vec_push(ms->arena, &ms->list, *f);
}

static void plain_member(struct members *ms, struct field *f, const struct attributes *attrs)
{
	f->is_user = f->type->kind == T_PTR && f->type->as == AS_USER;
	layout_member(&ms->layout, f, attrs);
	vec_push(ms->arena, &ms->list, *f);
}

/* declarator [ ":" width ] attributes */
static void one_member(struct decl *d, struct members *ms, const struct type *base,
		       const struct attributes *shared)
{
	struct attributes attrs = *shared;
	struct span first = ctok_peek(&d->r)->span;
	struct declared x = { .type = base };

	if (!at(d, ":"))
		x = declarator(d, base, &attrs);

	struct field f = { .name = x.name ? x.name->text : "" };
	f.type = by_value(d, x.type, x.name ? x.name->span : first);
	if (accept(d, ":")) {
		struct span span = ctok_peek(&d->r)->span;
		int64_t width = constant(d);

		qualifiers(d, &attrs);
		bit_field(d, ms, &f, width, span, &attrs);
	} else if (!x.name) {
		fail_at(d, first, "expected a member's name");
	} else if (!d->failed) {
		plain_member(ms, &f, &attrs);
	}
}

/* specifiers [ member { "," member } ] ";", which compilers do not miss behind the last one */
static void member_declaration(struct decl *d, struct members *ms)
{
	struct attributes attrs = { 0 };
	struct span first = ctok_peek(&d->r)->span;
	const struct type *base = specifiers(d, &attrs);

	if (at(d, ";") && base->kind == T_STRUCT && !base->name[0]) {
		struct field f = { .name = "", .type = by_value(d, base, first) };

		if (!d->failed)
			plain_member(ms, &f, &attrs);
	} else if (!at(d, ";")) {
		do
			one_member(d, ms, base, &attrs);
		while (accept(d, ","));
	}
	if (!at(d, "}"))
		expect(d, ";");
}

static void struct_body(struct decl *d, struct type *t, struct attributes *attrs)
{
	struct members ms = { .arena = d->ds->arena, .layout = { .is_union = t->is_union } };
	struct ctok_reader start = d->r;

	/* Attributes behind the body already matter inside it. */
	skip_balanced(d);
	qualifiers(d, attrs);
	struct ctok_reader end = d->r;
	d->r = start;
	ms.layout.packed = attrs->packed;
	ms.layout.pack = d->pack;
	ms.layout.align = 1;

	expect(d, "{");
	while (!d->failed && !at(d, "}"))
		member_declaration(d, &ms);
	if (d->failed)
		return;
	d->r = end;
	t->size = layout_end(&ms.layout, attrs);
	t->align = ms.layout.align;
	t->nfields = (uint32_t)ms.list.len;
	/* Not NULL even when there are none: that would say incomplete. */
	t->fields = ms.list.data ? ms.list.data : arena_array(ms.arena, struct field, 1);
}

static void enumerator(struct decl *d, const struct type *t, int64_t *next, struct ctoks *names,
		       struct enum_const *out)
{
	const struct ctok *name = ctok_next(&d->r);

	if (name->kind != C_NAME)
		fail_at(d, name->span, "expected an enumerator");
	if (accept(d, "="))
		*next = constant(d);

	struct decl_const *c = arena_new(d->ds->arena, struct decl_const);
	*c = (struct decl_const){ *next, t };
	*out = (struct enum_const){ name->text, *next };
	vec_push(d->ds->arena, names, *name);
	strmap_sets(&d->ds->consts, name->text, c);
	*next = (int64_t)((uint64_t)*next + 1);
}

/* The smallest of C's types that holds them: GCC takes unsigned int unless one is negative. */
static void enum_size(struct type *t, bool packed)
{
	int64_t min = 0, max = 0;

	for (uint32_t i = 0; i < t->nconsts; i++) {
		int64_t v = t->consts[i].value;

		min = v < min ? v : min;
		max = v > max ? v : max;
	}
	t->is_signed = min < 0;
	t->size = 4;
	if (min < INT32_MIN || max > (t->is_signed ? INT32_MAX : (int64_t)UINT32_MAX))
		t->size = 8;
	else if (packed && min >= INT8_MIN && max <= (t->is_signed ? INT8_MAX : UINT8_MAX))
		t->size = 1;
	else if (packed && min >= INT16_MIN && max <= (t->is_signed ? INT16_MAX : UINT16_MAX))
		t->size = 2;
	t->align = t->size;
}

static void enum_body(struct decl *d, struct type *t, struct attributes *attrs)
{
	VEC(struct enum_const) consts = {};
	struct ctoks names = {};
	int64_t next = 0;

	expect(d, "{");
	while (!d->failed && !at(d, "}")) {
		struct enum_const c;

		enumerator(d, t, &next, &names, &c);
		vec_push(d->ds->arena, &consts, c);
		if (!accept(d, ","))
			break;
	}
	expect(d, "}");
	qualifiers(d, attrs);
	t->consts = consts.data ? consts.data : arena_array(d->ds->arena, struct enum_const, 1);
	t->nconsts = (uint32_t)consts.len;
	enum_size(t, attrs->packed);
}

/* The tag of a definition: noted before, and not defined twice. */
static struct decl_tag *defined_tag(struct decl *d, enum c_tag tag, const struct ctok *name)
{
	struct decl_tag *x = strmap_gets(&d->ds->tags, name->text);

	if (!x || !x->from_script)
		return add_tag(d, tag, name->text, name->span, true);
	if (x->complete || x->tag != tag) {
		struct diag *dg = diag(d->dx, E0010_TWICE, name->span,
				       arena_printf(d->ds->arena, "definition of %s %s",
						    tag_word(tag), name->text));

		diag_note(dg, x->span, "the first one");
		d->failed = true;
	}
	return x;
}

/* ("struct" | "union" | "enum") attributes [ident] [ "{" ... "}" ]; the word is taken */
static const struct type *tagged(struct decl *d, enum c_tag tag)
{
	struct attributes attrs = { 0 };

	qualifiers(d, &attrs);
	const struct ctok *name = ctok_peek(&d->r)->kind == C_NAME ? ctok_next(&d->r) : NULL;
	if (name && !at(d, "{"))
		return mentioned(d, tag, name);
	if (!at(d, "{")) {
		fail(d, "expected a name or '{'");
		return &type_error;
	}

	struct decl_tag *x = name ? defined_tag(d, tag, name) : NULL;
	bool was_complete = x && x->complete;
	struct type *t = x ? x->type : new_tagged(d, tag, "");
	if (enter(d)) {
		if (tag == C_ENUM)
			enum_body(d, t, &attrs);
		else
			struct_body(d, t, &attrs);
	}
	d->depth--;
	/* What a header says and we do not understand is better had from the kernel. */
	if (x && !was_complete)
		x->from_script = !(d->failed && d->header);
	if (x)
		x->complete = true;
	return d->failed ? &type_error : t;
}

/* A name as a type: the script's typedef, C's own or the kernel's, the caller's. */
static const struct type *named(struct decl *d, const char *name)
{
	const struct cfront_env *env = d->ds->env;
	const struct type *t = strmap_gets(&d->ds->typedefs, name);

	if (!t)
		t = cfront_base_type(env->types, name);
	if (!t && env->find_type)
		t = env->find_type(env->arg, C_PLAIN, name);
	return t;
}

static const struct type *unknown_type(struct decl *d, struct span span, const char *name)
{
	if (!d->failed)
		diag(d->dx, E0013_C_TYPE, span, name);
	d->failed = true;
	return &type_error;
}

/* base word { base word | qualifier } */
static const struct type *base_words(struct decl *d, struct attributes *attrs)
{
	struct span span = ctok_peek(&d->r)->span;
	const char *words = NULL;

	while (!d->failed && ctok_peek(&d->r)->kind == C_NAME &&
	       is_base_word(ctok_peek(&d->r)->text)) {
		const struct ctok *t = ctok_next(&d->r);

		words = words ? arena_printf(d->ds->arena, "%s %s", words, t->text) : t->text;
		span.end = t->span.end;
		qualifiers(d, attrs);
	}

	const struct type *t = cfront_base_type(d->ds->env->types, words);
	return t ? t : unknown_type(d, span, words);
}

static const struct type *specifiers(struct decl *d, struct attributes *attrs)
{
	const struct type *t = NULL;

	qualifiers(d, attrs);
	const struct ctok *first = ctok_peek(&d->r);
	if (d->failed)
		return &type_error;
	if (accept(d, "struct")) {
		t = tagged(d, C_STRUCT);
	} else if (accept(d, "union")) {
		t = tagged(d, C_UNION);
	} else if (accept(d, "enum")) {
		t = tagged(d, C_ENUM);
	} else if (first->kind == C_NAME && is_base_word(first->text)) {
		t = base_words(d, attrs);
	} else if (first->kind == C_NAME) {
		ctok_next(&d->r);
		t = named(d, first->text);
		if (!t)
			return unknown_type(d, first->span, first->text);
	} else {
		fail(d, "expected a type");
		return &type_error;
	}
	qualifiers(d, attrs);
	return t;
}

static const struct type *func_type(struct decl *d)
{
	struct type *t = arena_new(d->ds->arena, struct type);

	t->kind = T_FUNC;
	t->name = "";
	t->align = 1;
	return t;
}

/* { "[" [n] "]" } | "(" parameters ")" */
static const struct type *suffixes(struct decl *d, const struct type *base)
{
	struct span span = ctok_peek(&d->r)->span;
	int64_t n = 0;

	if (at(d, "(")) {
		skip_balanced(d);
		return func_type(d);
	}
	if (!enter(d) || !accept(d, "[")) {
		d->depth--;
		return base;
	}
	if (!at(d, "]"))
		n = constant(d);
	expect(d, "]");

	const struct type *elem = by_value(d, suffixes(d, base), span);
	d->depth--;
	if (!d->failed && (n < 0 || n > UINT32_MAX || elem->size * (uint64_t)n > 1u << 28))
		fail_at(d, span, "the array's size is out of range");
	return d->failed ? &type_error : type_array(d->ds->env->types, elem, (uint32_t)n);
}

/* A "(" in front of another declarator, not of parameters. */
static bool at_nested(const struct decl *d)
{
	const struct ctok *t = ctok_peek_at(&d->r, 1);

	return at(d, "(") && (ctok_is(t, "*") || ctok_is(t, "(") ||
			      (t->kind == C_NAME && !is_base_word(t->text) &&
			       !strmap_gets(&d->ds->typedefs, t->text)));
}

/* "(" declarator ")" suffixes: the suffixes belong to what the inner one points to. */
static struct declared nested(struct decl *d, const struct type *base, struct attributes *attrs)
{
	struct ctok_reader inner = d->r, end;

	skip_balanced(d);
	base = suffixes(d, base);
	end = d->r;
	d->r = inner;
	expect(d, "(");
	struct declared x = declarator(d, base, attrs);
	expect(d, ")");
	if (!d->failed)
		d->r = end;
	return x;
}

/* { "*" qualifiers } ( [ident] | "(" declarator ")" ) suffixes */
static struct declared declarator(struct decl *d, const struct type *base,
				  struct attributes *attrs)
{
	struct declared x = { .type = base };

	if (!enter(d)) {
		d->depth--;
		return x;
	}
	for (qualifiers(d, attrs); accept(d, "*"); qualifiers(d, attrs)) {
		x.type = type_ptr(d->ds->env->types, x.type, attrs->user ? AS_USER : AS_NONE);
		attrs->user = false;
	}
	if (at_nested(d)) {
		x = nested(d, x.type, attrs);
	} else {
		if (ctok_peek(&d->r)->kind == C_NAME)
			x.name = ctok_next(&d->r);
		x.type = suffixes(d, x.type);
	}
	qualifiers(d, attrs);
	d->depth--;
	return x;
}

/* A new type's own width or alignment. */
static const struct type *typedef_type(struct decl *d, const struct type *t,
				       const struct attributes *attrs)
{
	struct typetab *tt = d->ds->env->types;

	if (attrs->mode && t->kind == T_INT)
		t = type_int(tt, attrs->mode, t->is_signed);
	if (attrs->align <= t->align || t->kind == T_STRUCT)
		return t;
	struct type *copy = arena_new(d->ds->arena, struct type);
	*copy = *t;
	copy->align = attrs->align;
	return copy;
}

/* "typedef" specifiers declarator { "," declarator } */
static void typedefs(struct decl *d)
{
	struct attributes attrs = { 0 };
	const struct type *base = specifiers(d, &attrs);

	do {
		struct attributes own = attrs;
		struct declared x = declarator(d, base, &own);

		if (!x.name)
			fail(d, "expected the name of the new type");
		else if (!d->failed)
			strmap_sets(&d->ds->typedefs, x.name->text,
				    (void *)typedef_type(d, x.type, &own));
	} while (accept(d, ","));
}

/* Past the next ';' outside brackets, or the body of a function. */
static void skip_declaration(struct decl *d)
{
	bool params = false;

	d->failed = false;
	for (;;) {
		const struct ctok *t = ctok_peek(&d->r);

		if (t->kind == C_EOF || ctok_accept(&d->r, ";"))
			return;
		bool body = ctok_is(t, "{");
		if (body || ctok_is(t, "(") || ctok_is(t, "["))
			skip_balanced(d);
		else
			ctok_next(&d->r);
		if (d->failed || (body && params))
			return;
		params |= ctok_is(t, "(");
		params &= !ctok_is(t, "=");
	}
}

/* "_Static_assert" "(" condition [ "," text ] ")" */
static void static_assertion(struct decl *d)
{
	struct span span = ctok_peek(&d->r)->span;

	expect(d, "(");
	int64_t v = constant(d);
	if (!d->failed && !v)
		fail_at(d, span,
			at(d, ",") ? arena_printf(d->ds->arena, "static assertion failed: %s",
						  ctok_peek_at(&d->r, 1)->text)
				   : "static assertion failed");
}

/* Those that say nothing of types: functions and variables. */
static bool is_object(const struct decl *d)
{
	static const char *const words[] = { "extern",	   "static",	"inline",  "__inline",
					     "__inline__", "_Noreturn", "register" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (at(d, words[i]))
			return true;
	return false;
}

static void declaration(struct decl *d)
{
	struct ctok_reader start = d->r;
	struct attributes attrs = { 0 };

	d->failed = false;
	d->header = ctok_peek(&d->r)->header;
	d->dx = d->header ? d->quiet : d->script_dx;
	if (at(d, C_PACK)) {
		d->pack = (uint32_t)ctok_next(&d->r)->num;
		return;
	}
	while (accept(d, "__extension__"))
		;
	if (accept(d, ";"))
		return;
	if (accept(d, "_Static_assert") || accept(d, "static_assert"))
		static_assertion(d);
	else if (accept(d, "typedef"))
		typedefs(d);
	else if (!is_object(d))
		specifiers(d, &attrs);
	if (d->failed)
		d->r = start;
	skip_declaration(d);
}

/* Notes every tag that the text defines, so that a mention before its definition finds it. */
static void note_tags(struct decl *d)
{
	struct ctok_reader r = d->r;

	for (; ctok_peek(&r)->kind != C_EOF; ctok_next(&r)) {
		enum c_tag tag = ctok_is(ctok_peek(&r), "struct")  ? C_STRUCT
				 : ctok_is(ctok_peek(&r), "union") ? C_UNION
				 : ctok_is(ctok_peek(&r), "enum")  ? C_ENUM
								   : C_PLAIN;
		const struct ctok *name = ctok_peek_at(&r, 1);
		const struct decl_tag *x = strmap_gets(&d->ds->tags, name->text);

		if (tag != C_PLAIN && name->kind == C_NAME &&
		    ctok_is(ctok_peek_at(&r, 2), "{") && (!x || !x->from_script))
			add_tag(d, tag, name->text, name->span, true);
	}
}

void decls_read(struct decls *ds, struct diags *dx, const struct ctoks *toks)
{
	struct diags quiet;
	struct decl d = { .ds = ds, .dx = dx, .script_dx = dx, .quiet = &quiet };
	struct span end = toks->len ? vec_last(toks).span : (struct span){ 0 };

	diags_init(&quiet, ds->arena, dx->sources);
	quiet.muted = true;
	ctok_reader_init(&d.r, toks, end);
	note_tags(&d);
	while (ctok_peek(&d.r)->kind != C_EOF)
		declaration(&d);
}
