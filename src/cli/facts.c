#include "cli/facts.h"

#include <inttypes.h>
#include <stdarg.h>

void facts_number(struct facts *f, const char *name, const char *before, uint64_t v,
		  const char *after)
{
	if (!f->json && before)
		printf("%s%" PRIu64 "%s", before, v, after);
	else if (f->json && name)
		jw_number(&f->w, name, v);
}

void facts_text(struct facts *f, const char *name, const char *before, const char *v,
		const char *after)
{
	if (!f->json && before && v)
		printf("%s%s%s", before, v, after);
	else if (f->json && name)
		jw_text(&f->w, name, v);
}

void facts_bool(struct facts *f, const char *name, const char *text_if_true, bool v)
{
	if (f->json && name)
		jw_bool(&f->w, name, v);
	else if (!f->json && v && text_if_true)
		fputs(text_if_true, stdout);
}

void facts_numbers(struct facts *f, const char *name, const char *before, const uint32_t *v,
		   uint32_t n)
{
	if (!n)
		return;
	if (f->json)
		jw_list(&f->w, name);
	else
		fputs(before, stdout);
	for (uint32_t i = 0; i < n; i++)
		f->json ? jw_number(&f->w, NULL, v[i])
			: (void)printf("%s%u", i ? "," : "", v[i]);
	facts_close(f);
}

void facts_say(struct facts *f, const char *fmt, ...)
{
	va_list ap;

	if (f->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void facts_object(struct facts *f, const char *name)
{
	if (f->json)
		jw_object(&f->w, name);
}

void facts_list(struct facts *f, const char *name)
{
	if (f->json)
		jw_list(&f->w, name);
}

void facts_close(struct facts *f)
{
	if (f->json)
		jw_close(&f->w);
}
