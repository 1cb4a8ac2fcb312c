#include "cfront/define.h"

#include "cfront/cexpr.h"

#include <string.h>

/* Replacing must end, whatever the macros say of each other. */
enum { EXPAND_DEPTH_MAX = 100, EXPAND_WORK_MAX = 1 << 16 };

void cpp_init(struct cpp *pp, struct arena *a)
{
	*pp = (struct cpp){ .arena = a };
	strmap_init(&pp->macros, a);
}

static bool is_active(const struct cpp *pp)
{
	return !pp->conds.len || vec_last(&pp->conds).active;
}

static struct cpp_macro *find_macro(const struct cpp *pp, const char *name)
{
	return strmap_gets(&pp->macros, name);
}

static void expand(struct cpp *pp, const struct ctoks *in, const struct span *use, int depth,
		   struct ctoks *out);

/* Replaces a name by its macro's body, or keeps it. */
static void expand_name(struct cpp *pp, const struct ctok *t, bool call, int depth,
			struct ctoks *out)
{
	struct cpp_macro *m = find_macro(pp, t->text);

	if (!m || m->busy || (m->pub.function_like && !call)) {
		vec_push(pp->arena, out, *t);
		return;
	}
	if (m->pub.function_like) {
		diag(pp->dx, E0011_DIRECTIVE, t->span,
		     "macros with parameters are not expanded");
		return;
	}
	m->busy = true;
	expand(pp, &m->body, &t->span, depth + 1, out);
	m->busy = false;
}

/* Copies tokens with macros replaced; from a macro's body they take the place of its use. */
static void expand(struct cpp *pp, const struct ctoks *in, const struct span *use, int depth,
		   struct ctoks *out)
{
	for (size_t i = 0; i < in->len; i++) {
		struct ctok t = in->data[i];
		bool call = i + 1 < in->len && ctok_is(&in->data[i + 1], "(");

		if (use)
			t.span = *use;
		pp->work = use ? pp->work + 1 : 0;
		if (depth > EXPAND_DEPTH_MAX || pp->work > EXPAND_WORK_MAX) {
			diag(pp->dx, E0011_DIRECTIVE, t.span, "macros expand to too much text");
			return;
		}
		if (t.kind == C_NAME)
			expand_name(pp, &t, call, depth, out);
		else
			vec_push(pp->arena, out, t);
	}
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
	if (line->len > 1 && ctok_is(&line->data[1], "(") && !line->data[1].space_before) {
		m->pub.function_like = true;
		while (body < line->len && !ctok_is(&line->data[body], ")"))
			body++;
		body += body < line->len;
	}
	for (size_t i = body; i < line->len; i++)
		vec_push(pp->arena, &m->body, line->data[i]);

	struct source s = source_of(&m->body, text, base);
	s.text = arena_strndup(pp->arena, s.text, s.len);
	m->pub.text = s;
	strmap_sets(&pp->macros, m->pub.name, m);
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

/* #include <path> or "path" */
static void include(struct cpp *pp, const char *text, size_t len, struct span span)
{
	size_t beg = 0;

	while (beg < len && strchr(" \t", text[beg]))
		beg++;

	char close = beg == len ? 0 : text[beg] == '<' ? '>' : text[beg] == '"' ? '"' : 0;
	const char *end = close ? memchr(text + beg + 1, close, len - beg - 1) : NULL;
	if (!end) {
		diag(pp->dx, E0011_DIRECTIVE, span, "#include takes <path> or \"path\"");
		return;
	}

	struct c_include inc = { .span = span, .system = close == '>' };
	inc.path = arena_strndup(pp->arena, text + beg + 1, (size_t)(end - text) - beg - 1);
	vec_push(pp->arena, &pp->includes, inc);
}

/* In an #if a name that is no macro is 0. */
static bool unknown_is_zero(void *arg, struct ctok_reader *r, struct cvalue *out)
{
	(void)arg;
	ctok_next(r);
	*out = (struct cvalue){ 0, false };
	return true;
}

/* "defined X" and "defined(X)" become 0 or 1; must happen before macros are replaced. */
static void resolve_defined(struct cpp *pp, const struct ctoks *line, struct ctoks *out)
{
	for (size_t i = 0; i < line->len; i++) {
		struct ctok t = line->data[i];

		if (ctok_is(&t, "defined") && i + 1 < line->len) {
			bool paren = ctok_is(&line->data[i + 1], "(");
			size_t name = i + 1 + paren;

			if (name + paren < line->len && line->data[name].kind == C_NAME) {
				t.num = find_macro(pp, line->data[name].text) != NULL;
				t.kind = C_NUMBER;
				t.is_integer = true;
				i = name + paren;
			}
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
	expand(pp, &resolved, NULL, 0, &toks);
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
	return !!find_macro(pp, line->data[0].text) == !strcmp(word, "ifdef");
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

static void plain_directive(struct cpp *pp, const char *word, const struct ctoks *line,
			    struct source rest, struct span span)
{
	if (!strcmp(word, "define"))
		define(pp, line, rest.text, rest.base);
	else if (!strcmp(word, "undef") && line->len)
		strmap_sets(&pp->macros, line->data[0].text, NULL);
	else if (!strcmp(word, "include"))
		include(pp, rest.text, rest.len, span);
	else if (!strcmp(word, "error"))
		diag(pp->dx, E0011_DIRECTIVE, span,
		     arena_printf(pp->arena, "#error%.*s", (int)rest.len, rest.text));
	else if (is_one_of(word, "pragma", "line", "warning") && !strstr(rest.text, "pack"))
		return;
	else
		diag(pp->dx, E0011_DIRECTIVE, span,
		     arena_printf(pp->arena, "#%s is not known here", word));
}

/* One directive, from its '#' to the end of its line. */
static void directive(struct cpp *pp, const char *text, size_t len, uint32_t base)
{
	size_t beg = 1 + strspn(text + 1, " \t"), end = beg;

	while (end < len && strchr("abcdefghijklmnopqrstuvwxyz", text[end]))
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
	if (!is_one_of(word, "error", "warning", "include") && is_active(pp))
		ctok_read(pp->arena, pp->dx, rest.text, rest.len, rest.base, &line);
	else if (!strcmp(word, "elif") && !vec_last(&pp->conds).taken)
		ctok_read(pp->arena, pp->dx, rest.text, rest.len, rest.base, &line);
	if (!conditional(pp, word, &line, span) && is_active(pp) && beg < len)
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
	expand(pp, &toks, NULL, 0, &pp->out);
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
