#include "cfront/define.h"

#include "cfront/cexpr.h"
#include "cfront/expand.h"

#include <string.h>

void cpp_init(struct cpp *pp, struct arena *a, const struct cfront_env *env)
{
	*pp = (struct cpp){ .arena = a, .env = env };
	strmap_init(&pp->macros, a);
	strmap_init(&pp->once, a);
}

static bool is_active(const struct cpp *pp)
{
	return !pp->conds.len || vec_last(&pp->conds).active;
}

struct cpp_macro *cpp_macro(const struct cpp *pp, const char *name)
{
	return strmap_gets(&pp->macros, name);
}

/* The text from the first token to the last: what is left of a line without its comments. */
static struct source source_of(const struct ctoks *toks, const char *text, uint32_t base)
{
	struct source s = { .name = "", .text = "", .base = base };

	if (!toks->len)
		return s;

	uint32_t beg = toks->data[0].span.beg, end = vec_last(toks).span.end;
	s.text = text + (beg - base);
	s.len = end - beg;
	s.base = beg;
	return s;
}

/* "(" [ name { "," name } [ "..." ] ] ")"; returns where the body begins. */
static size_t parameters(struct cpp *pp, struct cpp_macro *m, const struct ctoks *line)
{
	size_t i = 2;

	m->pub.function_like = true;
	for (; i < line->len && !ctok_is(&line->data[i], ")"); i++) {
		const struct ctok *t = &line->data[i];

		if (ctok_is(t, "...")) {
			bool named = i > 2 && line->data[i - 1].kind == C_NAME;

			m->variadic = true;
			if (!named)
				vec_push(pp->arena, &m->params, "__VA_ARGS__");
		} else if (t->kind == C_NAME) {
			vec_push(pp->arena, &m->params, t->text);
		} else if (!ctok_is(t, ",")) {
			diag(pp->dx, E0011_DIRECTIVE, t->span, "expected a parameter's name");
		}
	}
	m->pub.variadic = m->variadic;
	m->pub.params = m->params.data;
	m->pub.nparams = (unsigned)m->params.len;
	return i + (i < line->len);
}

/* #define NAME text: line is what follows the word define. */
static void define(struct cpp *pp, const struct ctoks *line, const char *text, uint32_t base)
{
	struct cpp_macro *m = arena_new(pp->arena, struct cpp_macro);
	size_t body = 1;

	if (!line->len || line->data[0].kind != C_NAME) {
		struct span span = { base, base + 1 };

		diag(pp->dx, E0011_DIRECTIVE, line->len ? line->data[0].span : span,
		     "a macro's name is missing");
		return;
	}
	m->pub.name = line->data[0].text;
	m->pub.name_span = line->data[0].span;
	if (line->len > 1 && ctok_is(&line->data[1], "(") && !line->data[1].space_before)
		body = parameters(pp, m, line);
	for (size_t i = body; i < line->len; i++)
		vec_push(pp->arena, &m->body, line->data[i]);

	struct source s = source_of(&m->body, text, base);
	s.text = arena_strndup(pp->arena, s.text, s.len);
	m->pub.text = s;
	strmap_sets(&pp->macros, m->pub.name, m);
}

/* As the compiler of scry itself has them; they name the machine and its C library's kind. */
void cpp_predefine_machine(struct cpp *pp)
{
#define TEXT(...) #__VA_ARGS__
#define SAME(name)                   \
	{                            \
#name, TEXT_OF(name) \
	}
#define TEXT_OF(value) TEXT(value)
	static const struct {
		const char *name, *text;
	} machine[] = {
		SAME(__SIZE_TYPE__),
		SAME(__PTRDIFF_TYPE__),
		SAME(__WCHAR_TYPE__),
		SAME(__WINT_TYPE__),
		SAME(__INTMAX_TYPE__),
		SAME(__UINTMAX_TYPE__),
		SAME(__CHAR_BIT__),
		SAME(__INT_MAX__),
		SAME(__LONG_MAX__),
		SAME(__SIZEOF_INT__),
		SAME(__SIZEOF_LONG__),
		SAME(__SIZEOF_POINTER__),
		SAME(__BYTE_ORDER__),
		SAME(__WCHAR_MAX__),
		SAME(__SIZEOF_WCHAR_T__),
		{ "__GNUC__", "12" },
		{ "__GNUC_MINOR__", "2" },
		{ "__STDC__", "1" },
		{ "__linux__", "1" },
		{ "__unix__", "1" },
		{ "__ELF__", "1" },
		{ "__STDC_HOSTED__", "1" },
		{ "__STDC_VERSION__", "201112L" },
		{ "__ORDER_LITTLE_ENDIAN__", "1234" },
		{ "__ORDER_BIG_ENDIAN__", "4321" },
#ifdef __LP64__
		{ "__LP64__", "1" },
		{ "_LP64", "1" },
#endif
#ifdef __x86_64__
		{ "__x86_64__", "1" },
		{ "__x86_64", "1" },
#endif
#ifdef __aarch64__
		{ "__aarch64__", "1" },
#endif
#ifdef __riscv
		{ "__riscv", "1" },
		{ "__riscv_xlen", "64" },
#endif
		{ "_GNU_SOURCE", "1" },
	};
#undef SAME
#undef TEXT_OF
#undef TEXT
	for (size_t i = 0; i < sizeof(machine) / sizeof(*machine); i++)
		if (!cpp_macro(pp, machine[i].name))
			cpp_predefine(pp, machine[i].name, machine[i].text);
}

void cpp_predefine(struct cpp *pp, const char *name, const char *text)
{
	struct cpp_macro *m = arena_new(pp->arena, struct cpp_macro);

	m->pub.name = name;
	m->pub.text =
		(struct source){ .name = "", .text = text, .len = (uint32_t)strlen(text) };
	ctok_read(pp->arena, pp->dx, text, strlen(text), 0, &m->body);
	for (size_t i = 0; i < m->body.len; i++)
		m->body.data[i].span = (struct span){ 0, 0 };
	strmap_sets(&pp->macros, name, m);
}

static bool is_defined(const struct cpp *pp, const char *name)
{
	return cpp_macro(pp, name) || !strcmp(name, "__has_include");
}

/* In an #if a name that is no macro is 0. */
static bool unknown_is_zero(void *arg, struct ctok_reader *r, struct cvalue *out)
{
	(void)arg;
	ctok_next(r);
	*out = (struct cvalue){ 0, false };
	return true;
}

/* The text of what stands in parentheses from line[i] on; *end is where they close. */
static const char *in_parens(struct cpp *pp, const struct ctoks *line, size_t i, size_t *end)
{
	const char *text = "";

	for (i++; i < line->len && !ctok_is(&line->data[i], ")"); i++)
		text = arena_printf(pp->arena, "%s%s", text, line->data[i].text);
	*end = i;
	return text;
}

/*
 * "defined X", "defined(X)" and "__has_include(<X>)" become 0 or 1; must happen before macros
 * are replaced.
 */
static void resolve_defined(struct cpp *pp, const struct ctoks *line, struct ctoks *out)
{
	for (size_t i = 0; i < line->len; i++) {
		struct ctok t = line->data[i];
		bool paren = i + 1 < line->len && ctok_is(&line->data[i + 1], "(");
		size_t name = i + 1 + paren;
		int64_t known = -1;

		if (ctok_is(&t, "__has_include") && paren) {
			const char *path = in_parens(pp, line, i + 1, &i);

			known = cpp_has_include(pp, path, strlen(path));
		} else if (ctok_is(&t, "defined") && name + paren < line->len &&
			   line->data[name].kind == C_NAME) {
			known = is_defined(pp, line->data[name].text);
			i = name + paren;
		}
		if (known >= 0) {
			t.num = (uint64_t)known;
			t.kind = C_NUMBER;
			t.is_integer = true;
		}
		vec_push(pp->arena, out, t);
	}
}

static bool condition(struct cpp *pp, const struct ctoks *line, struct span span)
{
	struct cexpr_env env = { .dx = pp->dx, .directive = true, .name = unknown_is_zero };
	struct ctoks resolved = {}, toks = {};
	struct ctok_reader r;
	struct cvalue v;

	resolve_defined(pp, line, &resolved);
	cpp_expand(pp, &resolved, &toks);
	ctok_reader_init(&r, &toks, span);
	if (!cexpr_eval(&env, &r, &v))
		return false;
	if (ctok_peek(&r)->kind != C_EOF)
		diag(pp->dx, E0011_DIRECTIVE, ctok_peek(&r)->span,
		     "this does not belong to the condition");
	return v.v != 0;
}

/* What #if, #ifdef, #ifndef or #elif asks. */
static bool holds(struct cpp *pp, const char *word, const struct ctoks *line, struct span span)
{
	if (!strcmp(word, "if") || !strcmp(word, "elif"))
		return condition(pp, line, span);
	if (!line->len || line->data[0].kind != C_NAME) {
		diag(pp->dx, E0011_DIRECTIVE, span, "a macro's name is missing");
		return false;
	}
	return is_defined(pp, line->data[0].text) == !strcmp(word, "ifdef");
}

static void open_cond(struct cpp *pp, const char *word, const struct ctoks *line,
		      struct span span)
{
	bool outer = is_active(pp);
	bool active = outer && holds(pp, word, line, span);

	vec_push(
		pp->arena, &pp->conds,
		(struct cpp_cond){ .span = span, .active = active, .taken = active || !outer });
}

static void next_branch(struct cpp *pp, const char *word, const struct ctoks *line,
			struct span span)
{
	struct cpp_cond *c = pp->conds.len ? &vec_last(&pp->conds) : NULL;

	if (!c || c->had_else) {
		diag(pp->dx, E0011_DIRECTIVE, span,
		     arena_printf(pp->arena, "#%s without #if", word));
		return;
	}
	c->had_else = !strcmp(word, "else");
	c->active = !c->taken && (c->had_else || holds(pp, word, line, span));
	c->taken |= c->active;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

/* #if and its kin; false for another directive. */
static bool conditional(struct cpp *pp, const char *word, const struct ctoks *line,
			struct span span)
{
	if (is_one_of(word, "if", "ifdef", "ifndef")) {
		open_cond(pp, word, line, span);
	} else if (is_one_of(word, "elif", "else", "else")) {
		next_branch(pp, word, line, span);
	} else if (!strcmp(word, "endif")) {
		if (pp->conds.len)
			pp->conds.len--;
		else
			diag(pp->dx, E0011_DIRECTIVE, span, "#endif without #if");
	} else {
		return false;
	}
	return true;
}

/* That of an included file is said of the line of the script that led to it. */
static void error_directive(struct cpp *pp, struct source rest, struct span span)
{
	const char *where = pp->header ? arena_printf(pp->arena, "%s: ", pp->header->name) : "";

	diag(pp->script_dx, E0011_DIRECTIVE, pp->header ? pp->include : span,
	     arena_printf(pp->arena, "%s#error%.*s", where, (int)rest.len, rest.text));
}

/* "(" [ "push" | "pop" ] [ "," ] [ n ] ")": a token tells the reader of declarations. */
static void pragma_pack(struct cpp *pp, const struct ctoks *line, struct span span)
{
	struct ctok t = {
		.kind = C_SIGN, .span = span, .text = C_PACK, .header = pp->header != NULL
	};

	t.num = pp->pack;
	for (size_t i = 2; i < line->len && !ctok_is(&line->data[i], ")"); i++) {
		const struct ctok *w = &line->data[i];

		if (ctok_is(w, "push"))
			vec_push(pp->arena, &pp->packs, pp->pack);
		else if (ctok_is(w, "pop") && pp->packs.len)
			t.num = pp->packs.data[--pp->packs.len];
		else if (w->kind == C_NUMBER)
			t.num = w->num <= 16 ? w->num : 0;
	}
	if (line->len == 3)
		t.num = 0;
	pp->pack = (uint32_t)t.num;
	vec_push(pp->arena, &pp->out, t);
}

static void pragma(struct cpp *pp, const struct ctoks *line, struct span span)
{
	const struct ctok *word = line->len ? &line->data[0] : NULL;

	if (word && ctok_is(word, "once") && pp->header)
		strmap_sets(&pp->once, pp->header->id, pp);
	else if (word && ctok_is(word, "pack"))
		pragma_pack(pp, line, span);
}

static void plain_directive(struct cpp *pp, const char *word, const struct ctoks *line,
			    struct source rest, struct span span)
{
	if (!strcmp(word, "define"))
		define(pp, line, rest.text, rest.base);
	else if (!strcmp(word, "undef") && line->len)
		strmap_sets(&pp->macros, line->data[0].text, NULL);
	else if (is_one_of(word, "include", "include_next", "import"))
		cpp_include(pp, rest.text, rest.len, span, !strcmp(word, "include_next"));
	else if (!strcmp(word, "error"))
		error_directive(pp, rest, span);
	else if (!strcmp(word, "pragma"))
		pragma(pp, line, span);
	else if (is_one_of(word, "line", "warning", "ident"))
		return;
	else
		diag(pp->dx, E0011_DIRECTIVE, span,
		     arena_printf(pp->arena, "#%s is not known here", word));
}

/* One directive, from its '#' to the end of its line. */
static void directive(struct cpp *pp, const char *text, size_t len, uint32_t base)
{
	size_t beg = 1 + strspn(text + 1, " \t"), end = beg;

	while (end < len && strchr("abcdefghijklmnopqrstuvwxyz_", text[end]))
		end++;

	const char *word = arena_strndup(pp->arena, text + beg, end - beg);
	struct span span = { base, base + (uint32_t)len };
	struct source rest = {
		.text = arena_strndup(pp->arena, text + end, len - end),
		.len = (uint32_t)(len - end),
		.base = base + (uint32_t)end,
	};
	struct ctoks line = {};

	/* An #error or #include is no C: quotes need not match. */
	bool is_c = !is_one_of(word, "error", "warning", "include") &&
		    strcmp(word, "include_next") != 0;
	if (is_c && is_active(pp))
		ctok_read(pp->arena, pp->dx, rest.text, rest.len, rest.base, &line);
	else if (!strcmp(word, "elif") && pp->conds.len && !vec_last(&pp->conds).taken)
		ctok_read(pp->arena, pp->dx, rest.text, rest.len, rest.base, &line);
	bool is_empty = !*word && !line.len; /* "#", maybe with a comment */
	if (!conditional(pp, word, &line, span) && is_active(pp) && !is_empty)
		plain_directive(pp, word, &line, rest, span);
}

static size_t comment_len(const char *s, size_t len)
{
	const char *end = memmem(s + 2, len - 2, "*/", 2);

	return end ? (size_t)(end - s) + 2 : len;
}

/* The length of a line, with its continuations and the comments that begin in it. */
static size_t line_len(const char *s, size_t len)
{
	bool rest_is_comment = false;
	size_t n = 0;

	while (n < len && s[n] != '\n') {
		size_t left = len - n;

		rest_is_comment |= left > 1 && s[n] == '/' && s[n + 1] == '/';
		if (!rest_is_comment && left > 1 && s[n] == '/' && s[n + 1] == '*')
			n += comment_len(s + n, left);
		else
			n += left > 1 && s[n] == '\\' ? 2 : 1;
	}
	return n;
}

static void code(struct cpp *pp, const char *text, size_t len, uint32_t base)
{
	struct ctoks toks = {};

	if (!len || !is_active(pp))
		return;
	ctok_read(pp->arena, pp->dx, text, len, base, &toks);
	vec_each(t, &toks)
		t->header = pp->header != NULL;
	cpp_expand(pp, &toks, &pp->out);
}

void cpp_text(struct cpp *pp, const char *text, size_t len, uint32_t base)
{
	size_t done = 0, pos = 0;

	while (pos < len) {
		size_t hash = pos + strspn(text + pos, " \t");
		size_t end = pos + line_len(text + pos, len - pos);

		if (hash < len && text[hash] == '#') {
			code(pp, text + done, pos - done, base + (uint32_t)done);
			directive(pp, text + hash, end - hash, base + (uint32_t)hash);
			done = end;
		}
		pos = end + 1;
	}
	if (done < len)
		code(pp, text + done, len - done, base + (uint32_t)done);
}

void cpp_finish(struct cpp *pp)
{
	vec_each(c, &pp->conds)
		diag(pp->dx, E0011_DIRECTIVE, c->span, "#endif is missing");
	pp->conds.len = 0;
}
