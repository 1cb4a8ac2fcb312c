/*
 * The format is that of linux/btf.h (Documentation/bpf/btf.rst).
 */
#include "kernel/func_info.h"

#include "base/auto.h"

#include <ctype.h>
#include <linux/btf.h>

enum { TYPE_INT = 1, TYPE_PROTO, TYPE_FIRST_FUNC };

/* Its offset in the string section, which starts with the empty name. */
enum { NAME_INT = 1 };

static void put(struct sb *out, const void *data, size_t size)
{
	sb_write(out, data, size);
}

static uint32_t type_info(unsigned kind, unsigned vlen)
{
	return kind << 24 | vlen;
}

static void put_int(struct sb *out)
{
	const struct btf_type t = { .name_off = NAME_INT,
				    .info = type_info(BTF_KIND_INT, 0),
				    .size = sizeof(int32_t) };
	const uint32_t encoding = BTF_INT_SIGNED << 24 | 8 * sizeof(int32_t);

	put(out, &t, sizeof(t));
	put(out, &encoding, sizeof(encoding));
}

static void put_proto(struct sb *out)
{
	const struct btf_type t = { .info = type_info(BTF_KIND_FUNC_PROTO, 0),
				    .type = TYPE_INT };

	put(out, &t, sizeof(t));
}

static void put_func(struct sb *out, uint32_t name, enum btf_func_linkage linkage)
{
	const struct btf_type t = { .name_off = name,
				    .info = type_info(BTF_KIND_FUNC, linkage),
				    .type = TYPE_PROTO };

	put(out, &t, sizeof(t));
}

/* BTF takes C identifiers only. */
static void put_name(const char *name, uint32_t k, struct sb *names)
{
	if (!isalpha((unsigned char)*name))
		sb_putc(names, 'f');
	for (; *name; name++)
		sb_putc(names, isalnum((unsigned char)*name) ? *name : '_');
	if (k)
		sb_printf(names, "_%u", k);
	sb_putc(names, '\0');
}

static void put_types(const char *name, uint32_t n, struct sb *types, struct sb *names)
{
	sb_putc(names, '\0');
	sb_puts(names, "int");
	sb_putc(names, '\0');
	put_int(types);
	put_proto(types);
	for (uint32_t k = 0; k < n; k++) {
		put_func(types, (uint32_t)names->len, k ? BTF_FUNC_STATIC : BTF_FUNC_GLOBAL);
		put_name(name, k, names);
	}
}

void func_info_make(const char *name, const uint32_t *funcs, uint32_t n, struct sb *btf,
		    struct sb *info)
{
	auto_sb struct sb types = {}, names = {};

	put_types(name, n, &types, &names);
	const struct btf_header head = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(head),
		.type_len = (uint32_t)types.len,
		.str_off = (uint32_t)types.len,
		.str_len = (uint32_t)names.len,
	};
	put(btf, &head, sizeof(head));
	put(btf, types.s, types.len);
	put(btf, names.s, names.len);
	for (uint32_t k = 0; k < n; k++) {
		const struct bpf_func_info f = { funcs[k], TYPE_FIRST_FUNC + k };

		put(info, &f, sizeof(f));
	}
}
