#include "base/jw.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void jw_init(struct jw *w, FILE *out, bool pretty)
{
	*w = (struct jw){ .out = out, .pretty = pretty };
}

static void new_line(struct jw *w)
{
	if (w->pretty)
		fprintf(w->out, "\n%*s", (int)w->depth * 4, "");
}

static void put_quoted(struct jw *w, const char *text, size_t len)
{
	static const char ESCAPED[] = "\"\\\n\t\r\b\f", BY[] = "\"\\ntrbf";

	putc('"', w->out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *at = c ? strchr(ESCAPED, c) : NULL;

		if (at)
			fprintf(w->out, "\\%c", BY[at - ESCAPED]);
		else if (c < 0x20)
			fprintf(w->out, "\\u%04x", c);
		else
			putc(c, w->out);
	}
	putc('"', w->out);
}

/* What stands before a value: a comma, its name. */
static void begin(struct jw *w, const char *name)
{
	if (w->last == ',')
		putc(',', w->out);
	if (name) {
		new_line(w);
		put_quoted(w, name, strlen(name));
		fputs(w->pretty ? ": " : ":", w->out);
	}
	w->last = ',';
	w->any = true;
}

static void open(struct jw *w, const char *name, char opener)
{
	begin(w, name);
	putc(opener, w->out);
	if (w->depth < JW_DEPTH_MAX)
		w->closers[w->depth] = opener == '{' ? '}' : ']';
	w->depth++;
	w->last = opener;
}

void jw_object(struct jw *w, const char *name)
{
	open(w, name, '{');
}

void jw_list(struct jw *w, const char *name)
{
	open(w, name, '[');
}

void jw_close(struct jw *w)
{
	bool empty = w->last != ',';

	if (!w->depth)
		return;
	w->depth--;
	if (!empty)
		new_line(w);
	putc(w->depth < JW_DEPTH_MAX ? w->closers[w->depth] : ']', w->out);
	w->last = w->depth ? ',' : '\0';
}

void jw_fini(struct jw *w)
{
	while (w->depth)
		jw_close(w);
	if (!w->any)
		fputs("null", w->out);
	putc('\n', w->out);
	fflush(w->out);
}

void jw_raw(struct jw *w, const char *name, const char *fmt, ...)
{
	va_list ap;

	begin(w, name);
	va_start(ap, fmt);
	vfprintf(w->out, fmt, ap);
	va_end(ap);
}

void jw_number(struct jw *w, const char *name, uint64_t v)
{
	jw_raw(w, name, "%" PRIu64, v);
}

void jw_bool(struct jw *w, const char *name, bool v)
{
	jw_raw(w, name, "%s", v ? "true" : "false");
}

void jw_text_n(struct jw *w, const char *name, const char *text, size_t len)
{
	begin(w, name);
	put_quoted(w, text, len);
}

void jw_text(struct jw *w, const char *name, const char *text)
{
	if (text)
		jw_text_n(w, name, text, strlen(text));
	else
		jw_raw(w, name, "null");
}
