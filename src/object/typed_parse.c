/*
 * Keys and values as text, into bytes.
 */
#include "object/typed.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct input {
	struct typed *t;
	const char *at;
	struct err *e;
	int depth;
};

enum { DEPTH_MAX = 16 };

static int put(struct input *in, const struct type *t, uint8_t *out);

static void skip_blanks(struct input *in)
{
	while (isspace((unsigned char)*in->at))
		in->at++;
}

static int wrong(struct input *in, const char *what)
{
	return err_set(in->e, -EINVAL, "'%.20s' is no %s", in->at, what);
}

static int find_name(struct input *in, const struct type *t, size_t len, int64_t *v)
{
	uint32_t n;
	const struct enum_const *c = type_enum_consts(&in->t->types, t, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (strlen(c[i].name) == len && !memcmp(c[i].name, in->at, len)) {
			*v = c[i].value;
			return 0;
		}
	}
	return wrong(in, "constant of this enum");
}

static int put_number(struct input *in, const struct type *t, uint8_t *out)
{
	bool negative = *in->at == '-';
	char *end;
	int64_t v = 0;

	if (t->kind == T_ENUM && (isalpha((unsigned char)*in->at) || *in->at == '_')) {
		size_t len = strcspn(in->at, " ,}");
		int err = find_name(in, t, len, &v);

		if (err)
			return err;
		end = (char *)(uintptr_t)in->at + len;
	} else {
		errno = 0;
		v = negative ? strtoll(in->at, &end, 0) : (int64_t)strtoull(in->at, &end, 0);
		if (end == in->at || errno)
			return wrong(in, "number");
	}
	unsigned gap = 64 - 8 * t->size;
	bool fits = (int64_t)((uint64_t)v << gap) >> gap == v && (negative || v >= 0);
	if (!fits && (negative || (uint64_t)v << gap >> gap != (uint64_t)v))
		return err_set(in->e, -EINVAL, "'%.20s' does not fit %u bytes", in->at,
			       t->size);
	memcpy(out, &v, t->size);
	in->at = end;
	return 0;
}

static int put_text(struct input *in, uint32_t size, uint8_t *out)
{
	const char *end = strchr(in->at + 1, '"');
	size_t len = end ? (size_t)(end - in->at - 1) : 0;

	if (!end)
		return wrong(in, "text: a second \" is missing");
	if (len > size)
		return err_set(in->e, -EINVAL, "text of %zu bytes does not fit %u", len, size);
	memcpy(out, in->at + 1, len);
	in->at = end + 1;
	return 0;
}

/* "{", then n parts with commas between them; fewer leave the rest zero. */
static int put_parts(struct input *in, const struct type *t, uint32_t n, uint8_t *out)
{
	uint32_t nfields;
	const struct field *f =
		t->kind == T_ARRAY ? NULL : type_fields(&in->t->types, t, &nfields);
	int err = 0;

	if (*in->at != '{')
		return wrong(in, "{list of members}");
	in->at++;
	for (uint32_t i = 0;; i++) {
		skip_blanks(in);
		if (*in->at == '}')
			break;
		if (i == n)
			return wrong(in, "end of the list: it has too many parts");
		if (f && f[i].bit_size)
			return err_set(in->e, -EINVAL,
				       "member %s is a bit-field: give bytes as hex ...",
				       f[i].name);
		err = put(in, f ? f[i].type : t->elem,
			  out + (f ? f[i].bit_off / 8 : i * t->elem->size));
		if (err)
			return err;
		skip_blanks(in);
		if (*in->at == ',')
			in->at++;
		else if (*in->at != '}')
			return wrong(in, "',' or '}'");
	}
	in->at++;
	return 0;
}

static int put(struct input *in, const struct type *t, uint8_t *out)
{
	uint32_t n;
	int err;

	if (++in->depth > DEPTH_MAX)
		return wrong(in, "type that can be written this deep");
	skip_blanks(in);
	switch (t->kind) {
	case T_BOOL:
	case T_INT:
	case T_ENUM:
	case T_PTR: err = put_number(in, t, out); break;
	case T_ARRAY:
		err = t->elem->is_char && *in->at == '"' ? put_text(in, t->size, out)
							 : put_parts(in, t, t->nelems, out);
		break;
	case T_STRUCT:
	case T_RECORD:
		type_fields(&in->t->types, t, &n);
		err = put_parts(in, t, n, out);
		break;
	default: err = err_set(in->e, -EINVAL, "give bytes as hex ..."); break;
	}
	in->depth--;
	return err;
}

static int put_hex(struct input *in, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (skip_blanks(in); *in->at; skip_blanks(in), n++) {
		char two[3] = { in->at[0], in->at[1], 0 };

		if (!isxdigit((unsigned char)two[0]) || !isxdigit((unsigned char)two[1]))
			return wrong(in, "row of hex digits");
		if (n < size)
			out[n] = (uint8_t)strtoul(two, NULL, 16);
		in->at += 2;
	}
	return n == size ? 0
			 : err_set(in->e, -EINVAL, "%zu bytes are wanted, not %zu", size, n);
}

int typed_parse(struct typed *t, const struct type *type, const char *text, uint8_t *out,
		size_t size, struct err *e)
{
	struct input in = { .t = t, .at = text, .e = e };
	bool is_hex = !strncmp(text, "hex", 3) && isspace((unsigned char)text[3]);

	memset(out, 0, size);
	in.at += is_hex ? 4 : 0;
	if (is_hex || !type)
		return put_hex(&in, out, size);
	int err = put(&in, type, out);
	skip_blanks(&in);
	return !err && *in.at ? wrong(&in, "end of the value") : err;
}
