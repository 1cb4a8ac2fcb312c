#include "output/hist.h"
#include "output/number.h"
#include "output/sink.h"
#include "output/tseries.h"

/* Marks a string that was cut by its size limit. */
static const char trunc_trailer[] = "..";

static void put_items(const struct value *v, const char *separator, struct sb *out)
{
	for (size_t i = 0; i < v->nitems; i++) {
		if (i)
			sb_puts(out, separator);
		value_text(&v->items[i], out);
	}
}

static void put_tuple(const struct value *v, struct sb *out)
{
	sb_putc(out, '(');
	put_items(v, ", ", out);
	sb_putc(out, ')');
}

static void put_array(const struct value *v, struct sb *out)
{
	sb_putc(out, '[');
	put_items(v, ",", out);
	sb_putc(out, ']');
}

static void put_member(const char *name, const struct value *v, struct sb *out)
{
	sb_putc(out, '.');
	sb_puts(out, name);
	sb_puts(out, " = ");
	value_text(v, out);
}

static void put_record(const struct value *v, struct sb *out)
{
	if (!v->nitems) {
		sb_puts(out, "{}");
		return;
	}
	for (size_t i = 0; i < v->nitems; i++) {
		sb_puts(out, i ? ", " : "{ ");
		put_member(v->names[i], &v->items[i], out);
	}
	sb_puts(out, " }");
}

static void put_stats(const struct value *v, struct sb *out)
{
	struct value items[3], record = stats_record(v, items);

	put_record(&record, out);
}

/* Starts with a newline, so that every frame has a line of its own wherever it is shown. */
static void put_stack(const struct value *v, struct sb *out)
{
	sb_putc(out, '\n');
	for (size_t i = 0; i < v->nitems; i++) {
		sb_fill(out, ' ', v->indent);
		value_text(&v->items[i], out);
		sb_putc(out, '\n');
	}
}

static void put_string(const struct value *v, struct sb *out)
{
	sb_write(out, v->text, v->len);
	if (v->truncated)
		sb_puts(out, trunc_trailer);
}

static void put_float(const struct value *v, struct sb *out)
{
	if (v->rounded)
		sb_printf(out, "%g", v->f);
	else
		number_double(v->f, out);
}

static void put_enum(const struct value *v, struct sb *out)
{
	if (v->text)
		sb_puts(out, v->text);
	else
		number_signed(v->i, out);
}

void value_text(const struct value *v, struct sb *out)
{
	switch (v->kind) {
	case V_NONE: break;
	case V_INT: number_signed(v->i, out); break;
	case V_UINT: number_unsigned(v->u, out); break;
	case V_BOOL: sb_puts(out, v->u ? "true" : "false"); break;
	case V_FLOAT: put_float(v, out); break;
	case V_PTR: number_pointer(v->u, out); break;
	case V_ENUM: put_enum(v, out); break;
	case V_STRING: put_string(v, out); break;
	case V_BUFFER: bytes_text(v->text, v->len, 0, out); break;
	case V_TEXT: sb_write(out, v->text, v->len); break;
	case V_STACK: put_stack(v, out); break;
	case V_TUPLE: put_tuple(v, out); break;
	case V_ARRAY: put_array(v, out); break;
	case V_RECORD: put_record(v, out); break;
	case V_STATS: put_stats(v, out); break;
	case V_HIST: hist_text(v, out); break;
	case V_TSERIES: tseries_text(v, out); break;
	}
}

void value_key_text(const struct value *v, struct sb *out)
{
	if (v->kind == V_TUPLE)
		put_items(v, ", ", out);
	else
		value_text(v, out);
}
