/*
 * The standard library's macros, out of the text of prelude.bt.
 */
#include "script/parse.h"
#include "script/unit.h"

#include <string.h>

__asm__(".section .rodata\n"
	"prelude_text:\n"
	".incbin \"src/script/prelude.bt\"\n"
	".byte 0\n"
	".previous\n");
extern const char prelude_text[];

/* Where a macro of that name begins from s on, or NULL. */
static const char *find(const char *s, const char *name)
{
	const char word[] = "\nmacro ";
	size_t len = strlen(name);

	while ((s = strstr(s, word))) {
		s += sizeof(word) - 1;
		if (!strncmp(s, name, len) && s[len] == '(')
			return s - (sizeof(word) - 2);
	}
	return NULL;
}

/* The text of one macro: up to the next line that begins a comment or a macro. */
static size_t macro_len(const char *s)
{
	const char *end = s;

	while ((end = strchr(end, '\n')) && end[1] && strncmp(end + 1, "macro ", 6) != 0 &&
	       strncmp(end + 1, "//", 2) != 0)
		end++;
	return end ? (size_t)(end - s) : strlen(s);
}

/* Places in the text are none: what is wrong is wrong where the macro is used. */
static struct macro *read_macro(struct compiler *c, const char *s)
{
	struct source text = { .name = "prelude",
			       .text = arena_strndup(c->arena, s, macro_len(s)) };
	struct sources none = { .arena = c->arena };
	struct diags quiet;

	text.len = (uint32_t)strlen(text.text);
	diags_init(&quiet, c->arena, &none);
	quiet.muted = true;
	struct macro *m = parse_script(c->arena, &quiet, &text, NULL)->macros;
	if (!m || diag_failed(&quiet))
		BUG("the prelude cannot be read at: %.40s", s);
	m->foreign = true;
	return m;
}

const struct macro *prelude_find(struct compiler *c, const char *name)
{
	struct macro **tail = &c->prelude;

	for (; *tail; tail = &(*tail)->next)
		if (!strcmp((*tail)->name, name))
			return *tail;
	for (const char *s = prelude_text; (s = find(s, name)); s += macro_len(s)) {
		*tail = read_macro(c, s);
		tail = &(*tail)->next;
	}
	for (const struct macro *m = c->prelude; m; m = m->next)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}
