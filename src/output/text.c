/*
 * text.c - the plain text format.
 */
#include "base/auto.h"
#include "base/sb.h"
#include "output/hist.h"
#include "output/sink.h"

#include <inttypes.h>
#include <string.h>

static void text_attached(FILE *out, unsigned nprobes)
{
	fprintf(out, "Attached %u probe%s\n", nprobes, nprobes == 1 ? "" : "s");
}

static void text_text(FILE *out, enum text_kind kind, const char *text, size_t len)
{
	fwrite(text, 1, len, out);
	if (kind == TEXT_JOIN || kind == TEXT_SYSTEM)
		fputc('\n', out);
}

static void text_value(FILE *out, const struct value *v)
{
	auto_sb struct sb sb = {};

	value_text(v, &sb);
	sb_putc(&sb, '\n');
	record_write(&sb, out);
}

static void put_entry(const struct map_view *m, const struct map_entry *e, struct sb *sb)
{
	bool graph = m->kind == MAP_HIST || m->kind == MAP_TSERIES;

	sb_puts(sb, m->name);
	if (e->key) {
		sb_putc(sb, '[');
		value_key_text(e->key, sb);
		sb_putc(sb, ']');
	}
	sb_puts(sb, graph ? ":\n" : ": ");
	value_text(&e->value, sb);
	sb_putc(sb, '\n');
}

static void text_map(FILE *out, const struct map_view *m)
{
	auto_sb struct sb sb = {};

	for (size_t i = 0; i < m->nentries; i++) {
		put_entry(m, m->entry(m, i), &sb);
		record_write(&sb, out);
	}
}

static void text_lost(FILE *out, uint64_t events)
{
	fprintf(out, "Lost %" PRIu64 " events\n", events);
}

static void put_message(const struct runtime_problem *p, const char *level, struct sb *out)
{
	size_t len = strlen(p->msg);

	if (p->filename)
		sb_printf(out, "%s:%u:%u-%u: ", p->filename, p->line, p->col, p->end_col);
	sb_puts(out, level);
	sb_puts(out, ": ");
	sb_write(out, p->msg, len);
	if (!len || p->msg[len - 1] != '\n')
		sb_putc(out, '\n');
}

void problem_text(const struct runtime_problem *p, struct sb *out)
{
	put_message(p, "WARNING", out);
	if (p->helper)
		sb_printf(out, "Additional Info - helper: %s, retcode: %d\n", p->helper,
			  p->retcode);
}

static void text_problem(FILE *out, const struct runtime_problem *p)
{
	auto_sb struct sb sb = {};

	problem_text(p, &sb);
	record_write(&sb, out);
}

static void text_message(FILE *out, bool is_error, const struct runtime_problem *where)
{
	auto_sb struct sb sb = {};

	put_message(where, is_error ? "ERROR" : "WARNING", &sb);
	record_write(&sb, out);
}

static void text_end(FILE *out)
{
	fputs("\n\n", out);
}

const struct sink sink_text = {
	.name = "text",
	.doc = "plain text, for people",
	.notices_apart = true,
	.attached = text_attached,
	.text = text_text,
	.value = text_value,
	.map = text_map,
	.lost = text_lost,
	.problem = text_problem,
	.message = text_message,
	.end = text_end,
};
