/*
 * folded.c - stacks and counts, one line each: "main;work;leaf 42", outermost function first.
 *
 * The input of flame graphs (github.com/brendangregg/FlameGraph, `scry flame`).  What a map's
 * key holds besides stacks comes first, each part as a frame; then user stacks, then kernel
 * stacks, whose frames end in "_[k]".  All else that a script says goes to standard error, so
 * that the output is nothing but lines of that form.
 */
#include "base/auto.h"
#include "output/sink.h"

#include <inttypes.h>
#include <string.h>

static void folded_attached(FILE *out, unsigned nprobes)
{
	sink_text.attached(out, nprobes);
}

static void folded_text(FILE *out, enum text_kind kind, const char *text, size_t len)
{
	(void)out;
	sink_text.text(stderr, kind, text, len);
}

static void folded_value(FILE *out, const struct value *v)
{
	(void)out;
	sink_text.value(stderr, v);
}

/* A frame must hold neither the separator nor the end of the line. */
static void put_frame(const char *text, size_t len, struct sb *line)
{
	if (line->len)
		sb_putc(line, ';');
	for (size_t i = 0; i < len; i++)
		sb_putc(line, text[i] == ';'		      ? ':'
			      : text[i] < ' ' && text[i] >= 0 ? '?'
							      : text[i]);
	if (!len)
		sb_puts(line, "[unknown]");
}

static void put_stack(const struct value *v, struct sb *line)
{
	auto_sb struct sb frame = {};

	for (size_t i = v->nitems; i-- > 0;) {
		sb_clear(&frame);
		sb_puts(&frame, v->names[i]);
		if (v->is_kernel)
			sb_puts(&frame, "_[k]");
		put_frame(sb_str(&frame), frame.len, line);
	}
}

enum part { PART_OTHER, PART_USER, PART_KERNEL, NPARTS };

static enum part part_of(const struct value *v)
{
	if (v->kind != V_STACK)
		return PART_OTHER;
	return v->is_kernel ? PART_KERNEL : PART_USER;
}

static void put_part(const struct value *v, struct sb *line)
{
	auto_sb struct sb text = {};

	if (v->kind == V_STACK) {
		put_stack(v, line);
		return;
	}
	value_text(v, &text);
	put_frame(sb_str(&text), text.len, line);
}

/* The parts of one kind, in their order. */
static void put_parts(const struct value *key, enum part part, struct sb *line)
{
	if (key->kind != V_TUPLE) {
		if (part_of(key) == part)
			put_part(key, line);
		return;
	}
	for (size_t i = 0; i < key->nitems; i++)
		put_parts(&key->items[i], part, line);
}

static bool has_stack(const struct value *key)
{
	bool found = key->kind == V_STACK;

	for (size_t i = 0; key->kind == V_TUPLE && i < key->nitems; i++)
		found |= has_stack(&key->items[i]);
	return found;
}

/* How much a stack weighs; false: the value is no amount. */
static bool weight(const struct value *v, uint64_t *out)
{
	*out = 0;
	switch (v->kind) {
	case V_UINT: *out = v->u; return true;
	case V_INT: *out = v->i > 0 ? (uint64_t)v->i : 0; return v->i >= 0;
	case V_STATS:
		if (v->is_float)
			return false;
		*out = (uint64_t)v->total;
		return !v->is_signed || v->total >= 0;
	case V_HIST:
		for (size_t i = 0; i < v->nitems; i++)
			*out += v->buckets[i].n;
		return true;
	default: return false;
	}
}

static void tell_left_out(const struct map_view *m, size_t n, const char *why)
{
	if (n)
		fprintf(stderr, "%s: %zu entr%s not in the folded output: %s\n", m->name, n,
			n == 1 ? "y is" : "ies are", why);
}

static void folded_map(FILE *out, const struct map_view *m)
{
	size_t no_stack = 0, no_amount = 0;
	auto_sb struct sb line = {};

	for (size_t i = 0; i < m->nentries; i++) {
		const struct map_entry *e = m->entry(m, i);
		uint64_t n;

		if (!e->key || !has_stack(e->key)) {
			no_stack++;
			continue;
		}
		if (!weight(&e->value, &n)) {
			no_amount++;
			continue;
		}
		for (enum part part = 0; part < NPARTS; part++)
			put_parts(e->key, part, &line);
		if (!line.len)
			put_frame("", 0, &line);
		sb_printf(&line, " %" PRIu64 "\n", n);
		record_write(&line, out);
	}
	tell_left_out(m, no_stack, "there is no stack in the key");
	tell_left_out(m, no_amount, "the value is not an amount");
}

static void folded_lost(FILE *out, uint64_t events)
{
	sink_text.lost(out, events);
}

static void folded_problem(FILE *out, const struct runtime_problem *p)
{
	sink_text.problem(out, p);
}

static void folded_message(FILE *out, bool is_error, const struct runtime_problem *where)
{
	sink_text.message(out, is_error, where);
}

static void folded_account(FILE *out, const struct account *a)
{
	sink_text.account(out, a);
}

static void folded_end(FILE *out)
{
	(void)out;
}

const struct sink sink_folded = {
	.name = "folded",
	.doc = "maps keyed by stacks as lines for flame graphs",
	.notices_apart = true,
	.attached = folded_attached,
	.text = folded_text,
	.value = folded_value,
	.map = folded_map,
	.lost = folded_lost,
	.problem = folded_problem,
	.message = folded_message,
	.test = tests_text_test,
	.bench = tests_text_bench,
	.account = folded_account,
	.end = folded_end,
};
