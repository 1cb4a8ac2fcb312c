#include "types/btf_value.h"

#include "types/btf_raw.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { ENCODING_SIGNED = 1, ENCODING_CHAR = 2, ENCODING_BOOL = 4, NESTING_MAX = 32 };

/*
 * What is being written. Types may nest in circles, and unions of unions make more and more of
 * few bytes: depth and the number of values are bounded.
 */
struct shown {
	struct jw *w;
	const struct btf *b;
	bool plain;
	int depth;
	size_t left; /* values */
};

struct bytes {
	const uint8_t *p;
	size_t n;
};

static size_t size_of(const struct btf *b, uint32_t id, int depth)
{
	const struct raw_type *t = btf_at(b, btf_strip(b, id));

	switch (raw_kind(t)) {
	case BTF_INT:
	case BTF_FLOAT:
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_DATASEC: return t->size;
	case BTF_PTR: return 8;
	case BTF_VAR: return depth < NESTING_MAX ? size_of(b, t->type, depth + 1) : 0;
	case BTF_ARRAY: {
		const struct raw_array *a = raw_items(t);
		size_t total, one = depth < NESTING_MAX ? size_of(b, a->type, depth + 1) : 0;

		return __builtin_mul_overflow(one, a->nelems, &total) ? 0 : total;
	}
	}
	return 0;
}

size_t btf_value_size(const struct btf *b, uint32_t id)
{
	return size_of(b, id, 0);
}

static void put(struct shown *s, const char *name, uint32_t id, struct bytes v);

/* A number of up to 8 bytes; what lies above is zero, or its sign. */
static uint64_t number(struct bytes v, size_t size, bool is_signed)
{
	uint64_t x = 0;
	unsigned up = size < 8 ? 64 - 8 * (unsigned)size : 0;

	memcpy(&x, v.p, size < 8 ? size : 8);
	return is_signed && size ? (uint64_t)((int64_t)(x << up) >> up) : x;
}

/* Hexadecimal is no JSON: quoted for machines. */
static void put_hex(struct shown *s, const char *name, uint64_t high, uint64_t low)
{
	const char *quote = s->plain ? "" : "\"";

	if (high)
		jw_raw(s->w, name, "%s0x%" PRIx64 "%016" PRIx64 "%s", quote, high, low, quote);
	else
		jw_raw(s->w, name, "%s0x%" PRIx64 "%s", quote, low, quote);
}

static void put_char(struct shown *s, const char *name, char c)
{
	if (isprint((unsigned char)c) || !s->plain)
		jw_text_n(s->w, name, &c, 1);
	else
		put_hex(s, name, 0, (uint8_t)c);
}

static void put_int(struct shown *s, const char *name, const struct raw_type *t, struct bytes v)
{
	uint32_t data = *(const uint32_t *)raw_items(t);
	uint32_t encoding = data >> 24 & 0xf, nr_bits = data & 0xff;

	if (t->size == 16)
		put_hex(s, name, number((struct bytes){ v.p + 8, 8 }, 8, false),
			number(v, 8, false));
	else if (nr_bits != t->size * 8 || t->size > 8)
		put_hex(s, name, 0, number(v, t->size, false));
	else if (encoding == ENCODING_BOOL)
		jw_bool(s->w, name, v.p[0]);
	else if (encoding == ENCODING_CHAR)
		put_char(s, name, (char)v.p[0]);
	else if (encoding == ENCODING_SIGNED)
		jw_raw(s->w, name, "%" PRId64, (int64_t)number(v, t->size, true));
	else
		jw_number(s->w, name, number(v, t->size, false));
}

static void put_float(struct shown *s, const char *name, const struct raw_type *t,
		      struct bytes v)
{
	double d = 0;
	float f;

	if (t->size == sizeof(d)) {
		memcpy(&d, v.p, sizeof(d));
	} else if (t->size == sizeof(f)) {
		memcpy(&f, v.p, sizeof(f));
		d = (double)f;
	}
	/* Neither infinity nor NaN is JSON. */
	if (t->size > sizeof(d) || !(d - d == 0))
		jw_text(s->w, name, NULL);
	else
		jw_raw(s->w, name, t->size == sizeof(f) ? "%.9g" : "%.17g", d);
}

static void put_enum(struct shown *s, const char *name, const struct raw_type *t,
		     struct bytes v)
{
	uint64_t is = number(v, t->size, true);

	for (uint32_t i = 0; i < raw_vlen(t); i++) {
		struct enum_const c = btf_enum_at(s->b, t, i);
		/* Of small enums the sign is not always told. */
		uint64_t low = t->size < 8 ? ((uint64_t)1 << (8 * t->size)) - 1 : UINT64_MAX;

		if (((uint64_t)c.value & low) == (is & low)) {
			jw_text(s->w, name, c.name);
			return;
		}
	}
	jw_raw(s->w, name, "%" PRId64, (int64_t)is);
}

static void put_pointer(struct shown *s, const char *name, struct bytes v)
{
	uint64_t p = number(v, 8, false);

	if (!s->plain)
		jw_number(s->w, name, p);
	else if (p)
		jw_raw(s->w, name, "0x%" PRIx64, p);
	else
		jw_raw(s->w, name, "(nil)");
}

/* Of type char, printable, and with a zero at its end? */
static bool is_text(const struct shown *s, const struct raw_array *a, struct bytes v)
{
	const struct raw_type *of = btf_at(s->b, btf_strip(s->b, a->type));

	if (raw_kind(of) != BTF_INT || of->size != 1 ||
	    strcmp(btf_str(s->b, of->name_off), "char") != 0)
		return false;

	size_t n = strnlen((const char *)v.p, a->nelems);
	if (n == a->nelems)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isprint(v.p[i]))
			return false;
	return true;
}

static void put_array(struct shown *s, const char *name, const struct raw_type *t,
		      struct bytes v)
{
	const struct raw_array *a = raw_items(t);
	size_t size = size_of(s->b, a->type, 0);

	if (is_text(s, a, v)) {
		jw_text(s->w, name, (const char *)v.p);
		return;
	}
	jw_list(s->w, name);
	for (uint32_t i = 0; size && i < a->nelems; i++)
		put(s, NULL, a->type, (struct bytes){ v.p + i * size, size });
	jw_close(s->w);
}

static void put_bits(struct shown *s, const struct btf_member *m, struct bytes v)
{
	uint64_t x = 0;

	for (unsigned i = 0; i < m->bit_size && i < 64; i++) {
		size_t at = m->bit_off + i;

		if (at / 8 < v.n)
			x |= (uint64_t)(v.p[at / 8] >> at % 8 & 1) << i;
	}
	put_hex(s, m->name, 0, x);
}

static void put_members(struct shown *s, const char *name, const struct raw_type *t,
			struct bytes v)
{
	jw_object(s->w, name);
	for (uint32_t i = 0; s->left && i < raw_vlen(t); i++) {
		struct btf_member m = btf_member_at(s->b, t, i);
		size_t off = m.bit_off / 8;

		if (m.bit_size)
			put_bits(s, &m, v);
		else
			put(s, m.name, m.type,
			    (struct bytes){ v.p + (off < v.n ? off : v.n),
					    off < v.n ? v.n - off : 0 });
	}
	jw_close(s->w);
}

static void put_section(struct shown *s, const char *name, const struct raw_type *t,
			struct bytes v)
{
	const uint32_t *var = raw_items(t); /* type, offset, size */

	jw_object(s->w, name);
	jw_list(s->w, btf_str(s->b, t->name_off));
	for (uint32_t i = 0; s->left && i < raw_vlen(t); i++, var += 3) {
		const struct raw_type *of = btf_at(s->b, var[0]);
		size_t off = var[1] < v.n ? var[1] : v.n;

		jw_object(s->w, NULL);
		put(s, btf_str(s->b, of->name_off), var[0],
		    (struct bytes){ v.p + off, v.n - off });
		jw_close(s->w);
	}
	jw_close(s->w);
	jw_close(s->w);
}

static void put_kind(struct shown *s, const char *name, const struct raw_type *t,
		     struct bytes v)
{
	switch (raw_kind(t)) {
	case BTF_INT: put_int(s, name, t, v); break;
	case BTF_FLOAT: put_float(s, name, t, v); break;
	case BTF_ENUM:
	case BTF_ENUM64: put_enum(s, name, t, v); break;
	case BTF_PTR: put_pointer(s, name, v); break;
	case BTF_ARRAY: put_array(s, name, t, v); break;
	case BTF_STRUCT:
	case BTF_UNION: put_members(s, name, t, v); break;
	case BTF_DATASEC: put_section(s, name, t, v); break;
	case BTF_VAR: put(s, name, t->type, v); break;
	default: jw_text(s->w, name, NULL);
	}
}

static void put(struct shown *s, const char *name, uint32_t id, struct bytes v)
{
	const struct raw_type *t = btf_at(s->b, btf_strip(s->b, id));

	if (!s->left || size_of(s->b, id, 0) > v.n || s->depth >= NESTING_MAX) {
		jw_text(s->w, name, NULL);
		return;
	}
	s->left--;
	s->depth++;
	put_kind(s, name, t, v);
	s->depth--;
}

void btf_value(struct jw *w, const char *name, const struct btf *b, uint32_t id,
	       const void *bytes, size_t size, bool plain)
{
	struct shown s = { .w = w, .b = b, .plain = plain, .left = 4096 + 64 * size };

	put(&s, name, id, (struct bytes){ bytes, size });
}
