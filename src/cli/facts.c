#include "cli/facts.h"

#include <inttypes.h>

void facts_open(struct facts *f, bool json, bool single, FILE *out)
{
	*f = (struct facts){ .json = json, .single = single, .out = out };
	if (json && !single)
		fputc('[', out);
}

void facts_close(struct facts *f)
{
	if (f->json)
		fputs(f->single ? "\n" : "]\n", f->out);
	sb_free(&f->text);
}

void facts_begin(struct facts *f)
{
	f->nfacts = 0;
	sb_clear(&f->text);
}

void facts_end(struct facts *f)
{
	if (f->json)
		fprintf(f->out, "%s{%s}", f->nobjects++ ? "," : "", sb_str(&f->text));
	else
		fprintf(f->out, "%s\n", sb_str(&f->text));
	fflush(f->out);
}

/* The first fact of a line of text, the id, needs no name. */
static void put_name(struct facts *f, const char *name)
{
	if (f->json)
		sb_printf(&f->text, "%s\"%s\":", f->nfacts ? "," : "", name);
	else if (f->nfacts)
		sb_printf(&f->text, "  %s ", name);
	f->nfacts++;
}

void facts_number(struct facts *f, const char *name, uint64_t v)
{
	bool first = !f->nfacts;

	put_name(f, name);
	sb_printf(&f->text, "%" PRIu64 "%s", v, first && !f->json ? ":" : "");
}

void facts_address(struct facts *f, const char *name, uint64_t v)
{
	put_name(f, name);
	sb_printf(&f->text, f->json ? "%" PRIu64 : "0x%" PRIx64, v);
}

void facts_text(struct facts *f, const char *name, const char *text)
{
	if (!text && !f->json)
		return;
	put_name(f, name);
	if (!text) {
		sb_puts(&f->text, "null");
		return;
	}
	if (!f->json) {
		sb_puts(&f->text, text);
		return;
	}
	sb_putc(&f->text, '"');
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20)
			sb_printf(&f->text, "\\u%04x", (unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			sb_printf(&f->text, "\\%c", *text);
		else
			sb_putc(&f->text, *text);
	}
	sb_putc(&f->text, '"');
}

void facts_literal(struct facts *f, const char *name, const char *text)
{
	put_name(f, name);
	sb_puts(&f->text, text);
}

void facts_bool(struct facts *f, const char *name, bool v)
{
	facts_literal(f, name, v ? "true" : "false");
}

void facts_numbers(struct facts *f, const char *name, const uint32_t *v, uint32_t n)
{
	if (!n)
		return;
	put_name(f, name);
	sb_puts(&f->text, f->json ? "[" : "");
	for (uint32_t i = 0; i < n; i++)
		sb_printf(&f->text, "%s%u", i ? "," : "", v[i]);
	sb_puts(&f->text, f->json ? "]" : "");
}

void facts_begin_list(struct facts *f, const char *name)
{
	if (f->json) {
		put_name(f, name);
		sb_putc(&f->text, '[');
	}
	f->nitems = 0;
}

void facts_end_list(struct facts *f)
{
	if (f->json)
		sb_putc(&f->text, ']');
	f->nfacts = 1;
}

void facts_begin_item(struct facts *f)
{
	sb_puts(&f->text, !f->json ? "\n" : f->nitems++ ? ",{" : "{");
	f->nfacts = f->json ? 0 : 1;
}

void facts_end_item(struct facts *f)
{
	if (f->json)
		sb_putc(&f->text, '}');
}
