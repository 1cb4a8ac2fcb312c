/*
 * json.c - one JSON object (RFC 8259) per line.
 *
 * Whatever bytes a trace brings, a line is valid JSON and valid UTF-8: bytes that belong to no
 * UTF-8 sequence are shown as the code point of the same number.  Integers that a double cannot
 * hold are strings, since most readers would silently round them.
 */
#include "base/auto.h"
#include "base/sb.h"
#include "output/number.h"
#include "output/sink.h"
#include "output/tseries.h"
#include "output/utf8.h"

#include <math.h>
#include <string.h>

static void put_escape(unsigned char c, struct sb *out)
{
	switch (c) {
	case '"': sb_puts(out, "\\\""); break;
	case '\\': sb_puts(out, "\\\\"); break;
	case '\n': sb_puts(out, "\\n"); break;
	case '\r': sb_puts(out, "\\r"); break;
	case '\t': sb_puts(out, "\\t"); break;
	default: sb_printf(out, "\\u%04x", c); break;
	}
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void put_string(const char *s, size_t len, struct sb *out)
{
	sb_putc(out, '"');
	for (size_t i = 0, n; i < len; i += n) {
		n = 0;
		while (i + n < len && is_plain((unsigned char)s[i + n]))
			n++;
		if (!n)
			n = utf8_len(s + i, len - i);
		sb_write(out, s + i, n);
		if (!n) {
			put_escape((unsigned char)s[i], out);
			n = 1;
		}
	}
	sb_putc(out, '"');
}

/* A double has 53 significant bits. */
static bool fits_double(uint64_t magnitude)
{
	return !magnitude || magnitude >> __builtin_ctzll(magnitude) >> 53 == 0;
}

static void put_unsigned(uint64_t u, struct sb *out)
{
	const char *quote = fits_double(u) ? "" : "\"";

	sb_puts(out, quote);
	number_unsigned(u, out);
	sb_puts(out, quote);
}

static void put_signed(int64_t i, struct sb *out)
{
	const char *quote = fits_double(i < 0 ? -(uint64_t)i : (uint64_t)i) ? "" : "\"";

	sb_puts(out, quote);
	number_signed(i, out);
	sb_puts(out, quote);
}

static void put_float(double f, struct sb *out)
{
	sb_printf(out, isfinite(f) ? "%.17g" : "\"%g\"", f);
}

static void put_value(const struct value *v, struct sb *out);

static void put_array(const struct value *v, struct sb *out)
{
	sb_putc(out, '[');
	for (size_t i = 0; i < v->nitems; i++) {
		if (i)
			sb_putc(out, ',');
		put_value(&v->items[i], out);
	}
	sb_putc(out, ']');
}

static void put_record(const struct value *v, struct sb *out)
{
	sb_putc(out, '{');
	for (size_t i = 0; i < v->nitems; i++) {
		if (i)
			sb_puts(out, ", ");
		put_string(v->names[i], strlen(v->names[i]), out);
		sb_puts(out, ": ");
		put_value(&v->items[i], out);
	}
	sb_putc(out, '}');
}

static void put_stats(const struct value *v, struct sb *out)
{
	struct value items[3], record = stats_record(v, items);

	put_record(&record, out);
}

/* Bounds of hist() go up to 2^63, hence the unsigned reading above zero. */
static void put_bucket_max(const struct value *v, int64_t hi, struct sb *out)
{
	if (v->log2 && hi != 0)
		put_unsigned((uint64_t)hi - 1, out);
	else
		put_signed(hi - 1, out);
}

static void put_bucket(const struct value *v, size_t i, struct sb *out)
{
	const struct value_bucket *b = &v->buckets[i];

	sb_putc(out, '{');
	if (b->has_lo) {
		sb_puts(out, "\"min\": ");
		put_signed(b->lo, out);
		sb_puts(out, ", ");
	}
	if (b->has_hi) {
		sb_puts(out, "\"max\": ");
		put_bucket_max(v, b->hi, out);
		sb_puts(out, ", ");
	}
	sb_puts(out, "\"count\": ");
	put_unsigned(hist_count(v, i), out);
	sb_putc(out, '}');
}

static void put_hist(const struct value *v, struct sb *out)
{
	sb_putc(out, '[');
	for (size_t i = 0; i < v->nitems; i++) {
		if (i)
			sb_putc(out, ',');
		put_bucket(v, i, out);
	}
	sb_putc(out, ']');
}

/* Only intervals with a value; other tools write no space behind these colons. */
static void put_series(const struct value *v, struct sb *out)
{
	bool any = false;

	sb_putc(out, '[');
	for (size_t i = 0; i < v->nitems; i++) {
		if (v->items[i].kind == V_NONE)
			continue;
		sb_puts(out, any ? ",{\"interval_start\":\"" : "{\"interval_start\":\"");
		tseries_time(v, i, out);
		sb_puts(out, "\",\"value\":");
		put_value(&v->items[i], out);
		sb_putc(out, '}');
		any = true;
	}
	sb_putc(out, ']');
}

static void put_bytes(const struct value *v, struct sb *out)
{
	sb_putc(out, '[');
	for (size_t i = 0; i < v->len; i++) {
		if (i)
			sb_putc(out, ',');
		number_signed((signed char)v->text[i], out);
	}
	sb_putc(out, ']');
}

static void put_text(const struct value *v, struct sb *out)
{
	auto_sb struct sb text = {};

	value_text(v, &text);
	put_string(sb_str(&text), text.len, out);
}

static void put_value(const struct value *v, struct sb *out)
{
	switch (v->kind) {
	case V_NONE: sb_puts(out, "null"); break;
	case V_INT:
	case V_ENUM: put_signed(v->i, out); break;
	case V_UINT:
	case V_PTR: put_unsigned(v->u, out); break;
	case V_BOOL: sb_puts(out, v->u ? "true" : "false"); break;
	case V_FLOAT: put_float(v->f, out); break;
	case V_STRING:
	case V_TEXT:
	case V_STACK: put_text(v, out); break;
	case V_BUFFER: put_bytes(v, out); break;
	case V_TUPLE:
	case V_ARRAY: put_array(v, out); break;
	case V_RECORD: put_record(v, out); break;
	case V_STATS: put_stats(v, out); break;
	case V_HIST: put_hist(v, out); break;
	case V_TSERIES: put_series(v, out); break;
	}
}

/* Keys are strings: the text form, with all spaces deleted. */
static void put_key(const struct value *key, struct sb *out)
{
	auto_sb struct sb text = {};
	size_t len = 0;

	value_key_text(key, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.s[i] != ' ')
			text.s[len++] = text.s[i];
	put_string(sb_str(&text), len, out);
}

static void begin(const char *type, struct sb *out)
{
	sb_puts(out, "{\"type\": \"");
	sb_puts(out, type);
	sb_putc(out, '"');
}

static void member(const char *name, struct sb *out)
{
	sb_puts(out, ", \"");
	sb_puts(out, name);
	sb_puts(out, "\": ");
}

static void end_line(struct sb *sb, FILE *out)
{
	sb_puts(sb, "}\n");
	record_write(sb, out);
}

/* A notice that is a number: {"type": TYPE, "count": N, "data": {WHAT: N}} */
static void put_count(FILE *out, const char *type, const char *what, uint64_t n)
{
	auto_sb struct sb sb = {};

	begin(type, &sb);
	member("count", &sb);
	put_unsigned(n, &sb);
	member("data", &sb);
	put_record(&(struct value){ .items = &(struct value){ .kind = V_UINT, .u = n },
				    .names = &what,
				    .nitems = 1 },
		   &sb);
	end_line(&sb, out);
}

static void json_attached(FILE *out, unsigned nprobes)
{
	put_count(out, "attached_probes", "probes", nprobes);
}

static void json_lost(FILE *out, uint64_t events)
{
	put_count(out, "lost_events", "events", events);
}

/* Lines of text are what comes by the million: their beginnings stand ready. */
#define HEAD(type) "{\"type\": \"" type "\", \"data\": "

static void json_text(FILE *out, enum text_kind kind, const char *text, size_t len)
{
	static const char *const heads[] = {
		[TEXT_PRINTF] = HEAD("printf"),	 [TEXT_TIME] = HEAD("time"),
		[TEXT_CAT] = HEAD("cat"),	 [TEXT_JOIN] = HEAD("join"),
		[TEXT_SYSTEM] = HEAD("syscall"),
	};
	auto_sb struct sb sb = {};

	sb_puts(&sb, heads[kind]);
	put_string(text, len, &sb);
	end_line(&sb, out);
}

static void json_value(FILE *out, const struct value *v)
{
	auto_sb struct sb sb = {};

	begin("value", &sb);
	member("data", &sb);
	put_value(v, &sb);
	end_line(&sb, out);
}

/* Entry by entry to the stream, so that a large map does not exist a second time as text. */
static void put_entries(FILE *out, const struct map_view *m, struct sb *sb)
{
	sb_putc(sb, '{');
	for (size_t i = 0; i < m->nentries; i++) {
		const struct map_entry *e = m->entry(m, i);

		if (i)
			sb_puts(sb, ", ");
		put_key(e->key, sb);
		sb_puts(sb, ": ");
		put_value(&e->value, sb);
		record_write(sb, out);
	}
	sb_putc(sb, '}');
}

static void json_map(FILE *out, const struct map_view *m)
{
	static const char *const types[] = {
		[MAP_PLAIN] = "map",
		[MAP_HIST] = "hist",
		[MAP_STATS] = "stats",
		[MAP_TSERIES] = "tseries",
	};
	auto_sb struct sb sb = {};

	/* Of all empty maps only a single histogram is shown, as one without buckets. */
	if (!m->nentries && (m->keyed || m->kind != MAP_HIST))
		return;

	begin(types[m->kind], &sb);
	member("data", &sb);
	sb_putc(&sb, '{');
	put_string(m->name, strlen(m->name), &sb);
	sb_puts(&sb, ": ");
	if (m->keyed)
		put_entries(out, m, &sb);
	else if (m->nentries)
		put_value(&m->entry(m, 0)->value, &sb);
	else
		sb_puts(&sb, "[]");
	sb_putc(&sb, '}');
	end_line(&sb, out);
}

/* An object of words and a place: {"type": TYPE, "msg": ..., "filename": ..., ...} */
static void put_problem(FILE *out, const char *type, const struct runtime_problem *p)
{
	auto_sb struct sb sb = {};

	begin(type, &sb);
	member("msg", &sb);
	put_string(p->msg, strlen(p->msg), &sb);
	if (p->helper) {
		member("helper", &sb);
		put_string(p->helper, strlen(p->helper), &sb);
		member("retcode", &sb);
		number_signed(p->retcode, &sb);
	}
	if (p->filename) {
		member("filename", &sb);
		put_string(p->filename, strlen(p->filename), &sb);
		member("line", &sb);
		number_unsigned(p->line, &sb);
		member("col", &sb);
		number_unsigned(p->col, &sb);
	}
	end_line(&sb, out);
}

static void json_problem(FILE *out, const struct runtime_problem *p)
{
	put_problem(out, p->helper ? "helper_error" : "runtime_error", p);
}

static void json_message(FILE *out, bool is_error, const struct runtime_problem *where)
{
	put_problem(out, is_error ? "errorf" : "warnf", where);
}

static void count_member(const char *name, uint64_t n, struct sb *out)
{
	member(name, out);
	put_unsigned(n, out);
}

static void put_account_probe(const struct account_probe *p, struct sb *out)
{
	sb_puts(out, "{\"probe\": ");
	put_string(p->name, strlen(p->name), out);
	if (p->line) {
		count_member("line", p->line, out);
		count_member("col", p->col, out);
	}
	count_member("places", p->nplaces, out);
	if (p->has_runs)
		count_member("runs", p->runs, out);
	count_member("missed", p->missed, out);
	count_member("lost", p->lost, out);
	count_member("no_scratch", p->no_room, out);
	sb_putc(out, '}');
}

static void put_account_map(const struct account_map *m, struct sb *out)
{
	sb_puts(out, "{\"map\": ");
	put_string(m->name, strlen(m->name), out);
	count_member("failed_updates", m->failed, out);
	count_member("evicted", m->evicted, out);
	sb_putc(out, '}');
}

static void json_account(FILE *out, const struct account *a)
{
	auto_sb struct sb sb = {};

	begin("account", &sb);
	member("data", &sb);
	sb_puts(&sb, "{\"probes\": [");
	for (unsigned i = 0; i < a->nprobes; i++) {
		sb_puts(&sb, i ? ", " : "");
		put_account_probe(&a->probes[i], &sb);
	}
	sb_putc(&sb, ']');
	member("maps", &sb);
	sb_putc(&sb, '[');
	for (unsigned i = 0; i < a->nmaps; i++) {
		sb_puts(&sb, i ? ", " : "");
		put_account_map(&a->maps[i], &sb);
	}
	sb_putc(&sb, ']');
	for (unsigned i = 0; i < a->ncounts; i++)
		count_member(a->counts[i].name, a->counts[i].n, &sb);
	sb_putc(&sb, '}');
	end_line(&sb, out);
}

static void json_test(FILE *out, const struct test_result *all, unsigned n, unsigned i)
{
	auto_sb struct sb sb = {};

	(void)n;
	begin("test_result", &sb);
	member("data", &sb);
	sb_putc(&sb, '{');
	put_string(all[i].name, strlen(all[i].name), &sb);
	sb_puts(&sb, ": {\"duration\": ");
	put_unsigned(all[i].ns, &sb);
	sb_printf(&sb, ", \"passed\": %s, \"output\": ", all[i].passed ? "true" : "false");
	put_string(all[i].output, strlen(all[i].output), &sb);
	sb_puts(&sb, "}}");
	end_line(&sb, out);
}

static void json_bench(FILE *out, const struct bench_result *all, unsigned n, unsigned i,
		       bool is_first)
{
	auto_sb struct sb sb = {};

	(void)n, (void)is_first;
	begin("benchmark_result", &sb);
	member("data", &sb);
	sb_putc(&sb, '{');
	put_string(all[i].name, strlen(all[i].name), &sb);
	sb_puts(&sb, ": {\"average\": ");
	put_unsigned(all[i].ns, &sb);
	sb_printf(&sb, ", \"iters\": %u}}", all[i].iters);
	end_line(&sb, out);
}

static void json_end(FILE *out)
{
	(void)out;
}

const struct sink sink_json = {
	.name = "json",
	.doc = "one JSON object per line",
	.attached = json_attached,
	.text = json_text,
	.value = json_value,
	.map = json_map,
	.lost = json_lost,
	.problem = json_problem,
	.message = json_message,
	.test = json_test,
	.bench = json_bench,
	.account = json_account,
	.end = json_end,
};
