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
	fwrite_unlocked(text, 1, len, out);
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

/* Numbers of one row: "3 missed, 5 events lost". */
struct numbers {
	struct sb *out;
	bool zeros, any;
};

static void put_number(struct numbers *row, uint64_t n, const char *words)
{
	if (!n && !row->zeros)
		return;
	sb_printf(row->out, "%s%" PRIu64 " %s", row->any ? ", " : "", n, words);
	row->any = true;
}

static void account_probe(const struct account_probe *p, struct sb *out)
{
	struct numbers row = { out, true, false };

	sb_puts(out, p->name);
	if (p->nplaces > 1)
		sb_printf(out, " and %lu more", p->nplaces - 1);
	if (p->line)
		sb_printf(out, " (%u:%u)", p->line, p->col);
	sb_puts(out, ": ");
	if (p->has_runs)
		put_number(&row, p->runs, "runs");
	put_number(&row, p->missed, "missed");
	put_number(&row, p->lost, "events lost");
	row.zeros = false;
	put_number(&row, p->no_room, "without scratch memory");
	sb_putc(out, '\n');
}

static void account_map(const struct account_map *m, bool whole, struct sb *out)
{
	struct numbers row = { out, whole, false };

	if (!whole && !m->evicted)
		return;
	sb_printf(out, "%s: ", m->name);
	if (whole) /* else each was told with its place */
		put_number(&row, m->failed, "updates failed");
	put_number(&row, m->evicted, "entries evicted");
	sb_putc(out, '\n');
}

static void text_account(FILE *out, const struct account *a)
{
	auto_sb struct sb sb = {};

	for (unsigned i = 0; i < a->nprobes && a->whole; i++)
		account_probe(&a->probes[i], &sb);
	for (unsigned i = 0; i < a->nmaps; i++)
		account_map(&a->maps[i], a->whole, &sb);
	for (unsigned i = 0; i < a->ncounts; i++) {
		const struct account_count *c = &a->counts[i];

		if (a->whole || (c->n && !c->told))
			sb_printf(&sb, "%s: %" PRIu64 "\n", c->words, c->n);
	}
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
	.test = tests_text_test,
	.bench = tests_text_bench,
	.account = text_account,
	.end = text_end,
};
