#include "types/tracefs.h"

#include "base/vec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than a record of the ring buffer or of perf can be. */
enum { RECORD_MAX = 1 << 20 };

struct text {
	const char *s;
	size_t len;
};

static bool starts_with(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.len >= n && !memcmp(t.s, prefix, n);
}

/* Takes the first line off the rest, without its leading blanks. */
static struct text next_line(struct text *rest)
{
	const char *nl = memchr(rest->s, '\n', rest->len);
	struct text line = { rest->s, nl ? (size_t)(nl - rest->s) : rest->len };
	size_t taken = line.len + (nl != NULL);

	rest->s += taken;
	rest->len -= taken;
	while (line.len && (*line.s == ' ' || *line.s == '\t')) {
		line.s++;
		line.len--;
	}
	return line;
}

/* The number behind "key:" in a line. */
static bool find_number(struct text line, const char *key, uint32_t *out)
{
	const char *p = memmem(line.s, line.len, key, strlen(key)), *end = line.s + line.len;
	uint32_t v = 0;

	if (!p)
		return false;
	p += strlen(key);
	if (p == end || !isdigit((unsigned char)*p))
		return false;
	for (; p < end && isdigit((unsigned char)*p) && v <= RECORD_MAX; p++)
		v = v * 10 + (uint32_t)(*p - '0');
	*out = v;
	return v <= RECORD_MAX;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t trim(const char *s, size_t len)
{
	while (len && s[len - 1] == ' ')
		len--;
	return len;
}

/* Takes the word that marks a dynamic field off the declaration. */
static enum tp_kind take_kind(const char **decl)
{
	static const char data_loc[] = "__data_loc ", rel_loc[] = "__rel_loc ";

	if (!strncmp(*decl, data_loc, sizeof(data_loc) - 1)) {
		*decl += sizeof(data_loc) - 1;
		return TP_DATA_LOC;
	}
	if (!strncmp(*decl, rel_loc, sizeof(rel_loc) - 1)) {
		*decl += sizeof(rel_loc) - 1;
		return TP_REL_LOC;
	}
	return TP_PLAIN;
}

/* Splits "TYPE NAME", "TYPE NAME[N]" or "__data_loc TYPE[] NAME". */
static bool split_decl(struct arena *a, struct tp_field *f)
{
	const char *decl = f->decl;
	f->kind = take_kind(&decl);

	size_t end = trim(decl, strlen(decl));
	if (f->kind == TP_PLAIN && end && decl[end - 1] == ']') {
		const char *open = memrchr(decl, '[', end);

		if (!open)
			return false;
		f->kind = TP_ARRAY;
		f->nelems = (uint32_t)strtoul(open + 1, NULL, 10);
		end = trim(decl, (size_t)(open - decl));
	}

	size_t name = end;
	while (name && is_word(decl[name - 1]))
		name--;
	f->name = arena_strndup(a, decl + name, end - name);

	end = trim(decl, name);
	if (f->kind != TP_ARRAY && end >= 2 && !memcmp(decl + end - 2, "[]", 2))
		end = trim(decl, end - 2);
	f->type = arena_strndup(a, decl, end);
	return f->name[0] && f->type[0];
}

static bool parse_field(struct arena *a, struct text line, struct tp_field *f)
{
	const char *semicolon = memchr(line.s, ';', line.len);
	uint32_t is_signed = 0;

	*f = (struct tp_field){};
	if (!semicolon)
		return false;

	struct text rest = { semicolon, line.len - (size_t)(semicolon - line.s) };
	if (!find_number(rest, "offset:", &f->offset) || !find_number(rest, "size:", &f->size))
		return false;
	/* Kernels before 2.6.34 do not say. */
	find_number(rest, "signed:", &is_signed);
	f->is_signed = is_signed;

	f->decl = arena_strndup(a, line.s, (size_t)(semicolon - line.s));
	if (!split_decl(a, f))
		return false;
	f->is_common = !strncmp(f->name, "common_", 7);
	f->is_user = strstr(f->type, "__user") || strstr(f->type, "btf_type_tag(\"user\")");
	return true;
}

int tp_format_parse(struct arena *a, const char *text, size_t len, struct tp_format *out,
		    struct err *e)
{
	static const char key[] = "field:";
	struct text rest = { text, len };
	VEC(struct tp_field) fields = {};

	*out = (struct tp_format){};
	while (rest.len) {
		struct text line = next_line(&rest);

		if (starts_with(line, "print fmt:"))
			break;
		if (!starts_with(line, key))
			continue;
		line.s += sizeof(key) - 1;
		line.len -= sizeof(key) - 1;

		struct tp_field *f = vec_add(a, &fields);
		if (!parse_field(a, line, f))
			return err_set(e, -EINVAL,
				       "tracepoint format: cannot read field \"%.*s\"",
				       (int)(line.len < 80 ? line.len : 80), line.s);
		if (f->offset + f->size > out->size)
			out->size = f->offset + f->size;
	}
	if (!fields.len)
		return err_set(e, -EINVAL, "tracepoint format: no fields");
	out->fields = fields.data;
	out->nfields = (uint32_t)fields.len;
	return 0;
}
