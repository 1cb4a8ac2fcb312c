#include "object/btf_out.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>

static const char *const INT_NAMES[2][4] = {
	{ "unsigned char", "unsigned short", "unsigned int", "unsigned long" },
	{ "signed char", "short", "int", "long" },
};

void btf_out_init(struct btf_out *b, struct arena *a)
{
	*b = (struct btf_out){ .arena = a };
	sb_putc(&b->names, '\0');
}

void btf_out_fini(struct btf_out *b)
{
	vec_each(s, &b->sections) {
		sb_free(&s->funcs);
		sb_free(&s->lines);
	}
	sb_free(&b->types);
	sb_free(&b->names);
}

uint32_t btf_out_text(struct btf_out *b, const char *s, size_t len)
{
	uint32_t at = (uint32_t)b->names.len;

	if (!len)
		return 0;
	sb_write(&b->names, s, len);
	sb_putc(&b->names, '\0');
	return at;
}

static uint32_t name_of(struct btf_out *b, const char *s)
{
	return btf_out_text(b, s, strlen(s));
}

static void put(struct btf_out *b, const void *data, size_t size)
{
	sb_write(&b->types, data, size);
}

/* size_or_type: which of the two, the kind says. */
static uint32_t put_type(struct btf_out *b, const char *name, unsigned kind, unsigned vlen,
			 uint32_t size_or_type)
{
	struct btf_type t = { .name_off = name_of(b, name),
			      .info = kind << 24 | vlen,
			      .size = size_or_type };

	put(b, &t, sizeof(t));
	return ++b->n;
}

static uint32_t put_int(struct btf_out *b, const char *name, unsigned size, uint32_t encoding)
{
	uint32_t id = put_type(b, name, BTF_KIND_INT, 0, size);
	uint32_t data = encoding << 24 | size * 8;

	put(b, &data, sizeof(data));
	return id;
}

uint32_t btf_out_int(struct btf_out *b, unsigned size, bool is_signed)
{
	unsigned log2 = (unsigned)__builtin_ctz(size);
	uint32_t *id = &b->ints[is_signed][log2];

	if (!*id)
		*id = put_int(b, INT_NAMES[is_signed][log2], size,
			      is_signed ? BTF_INT_SIGNED : 0);
	return *id;
}

uint32_t btf_out_char(struct btf_out *b)
{
	return put_int(b, "char", 1, BTF_INT_SIGNED);
}

uint32_t btf_out_ptr(struct btf_out *b, uint32_t to)
{
	return put_type(b, "", BTF_KIND_PTR, 0, to);
}

uint32_t btf_out_array(struct btf_out *b, uint32_t of, uint32_t n)
{
	struct btf_array a = { of, btf_out_int(b, 4, false), n };
	uint32_t id = put_type(b, "", BTF_KIND_ARRAY, 0, 0);

	put(b, &a, sizeof(a));
	return id;
}

uint32_t btf_out_number(struct btf_out *b, uint32_t n)
{
	return btf_out_ptr(b, btf_out_array(b, btf_out_int(b, 4, true), n));
}

uint32_t btf_out_struct(struct btf_out *b, const char *name, uint32_t size, unsigned nmembers)
{
	return put_type(b, name, BTF_KIND_STRUCT, nmembers, size);
}

void btf_out_member(struct btf_out *b, const char *name, uint32_t type, uint32_t off)
{
	struct btf_member m = { name_of(b, name), type, off * 8 };

	put(b, &m, sizeof(m));
}

uint32_t btf_out_var(struct btf_out *b, const char *name, uint32_t type)
{
	uint32_t id = put_type(b, name, BTF_KIND_VAR, 0, type);
	uint32_t linkage = BTF_VAR_GLOBAL_ALLOCATED;

	put(b, &linkage, sizeof(linkage));
	return id;
}

uint32_t btf_out_datasec(struct btf_out *b, const char *name, uint32_t size, unsigned nvars)
{
	return put_type(b, name, BTF_KIND_DATASEC, nvars, size);
}

void btf_out_secvar(struct btf_out *b, uint32_t var, uint32_t off, uint32_t size)
{
	struct btf_var_secinfo v = { var, off, size };

	put(b, &v, sizeof(v));
}

uint32_t btf_out_func(struct btf_out *b, const char *name, bool is_static)
{
	uint32_t ret = btf_out_int(b, 4, true);
	uint32_t proto = put_type(b, "", BTF_KIND_FUNC_PROTO, 0, ret);

	return put_type(b, name, BTF_KIND_FUNC, is_static ? BTF_FUNC_STATIC : BTF_FUNC_GLOBAL,
			proto);
}

struct btf_out_section *btf_out_infos(struct btf_out *b, const char *section)
{
	vec_each(s, &b->sections)
		if (!strcmp(b->names.s + s->name, section))
			return s;
	uint32_t name = name_of(b, section);
	struct btf_out_section *s = vec_add(b->arena, &b->sections);

	s->name = name;
	return s;
}

void btf_out_func_info(struct btf_out_section *s, uint32_t at, uint32_t func)
{
	struct bpf_func_info info = { at, func };

	sb_write(&s->funcs, &info, sizeof(info));
}

void btf_out_line_info(struct btf_out_section *s, uint32_t at, uint32_t file, uint32_t text,
		       uint32_t line, uint32_t col)
{
	struct bpf_line_info info = { at, file, text, line << 10 | (col < 1024 ? col : 0) };

	sb_write(&s->lines, &info, sizeof(info));
}

/* A table of BTF.ext: the size of its records, then those of each section. */
static void put_infos(struct btf_out *b, bool lines, struct sb *out)
{
	uint32_t size = lines ? sizeof(struct bpf_line_info) : sizeof(struct bpf_func_info);

	sb_write(out, &size, sizeof(size));
	vec_each(s, &b->sections) {
		const struct sb *data = lines ? &s->lines : &s->funcs;
		uint32_t head[2] = { s->name, (uint32_t)data->len / size };

		if (!data->len)
			continue;
		sb_write(out, head, sizeof(head));
		sb_write(out, data->s, data->len);
	}
}

void btf_out_finish(struct btf_out *b, struct sb *btf, struct sb *ext)
{
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(h),
				.type_len = (uint32_t)b->types.len,
				.str_off = (uint32_t)b->types.len,
				.str_len = (uint32_t)b->names.len };
	/* struct btf_ext_header of libbpf, without CO-RE relocations */
	struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t hdr_len, func_off, func_len, line_off, line_len;
	} x = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(x) };
	struct sb funcs = {}, lines = {};

	sb_write(btf, &h, sizeof(h));
	sb_write(btf, b->types.s, b->types.len);
	sb_write(btf, b->names.s, b->names.len);
	put_infos(b, false, &funcs);
	put_infos(b, true, &lines);
	x.func_len = x.line_off = (uint32_t)funcs.len;
	x.line_len = (uint32_t)lines.len;
	sb_write(ext, &x, sizeof(x));
	sb_write(ext, funcs.s, funcs.len);
	sb_write(ext, lines.s, lines.len);
	sb_free(&funcs);
	sb_free(&lines);
}
