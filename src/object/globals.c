#include "object/globals.h"

#include "base/auto.h"
#include "object/typed.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* The variables of a section, or NULL. */
static const struct type *variables(struct typed *t, struct bpf_map *m, size_t *size)
{
	uint32_t id = t->btf ? bpf_map__btf_value_type_id(m) : 0;

	if (!bpf_map__is_internal(m) || !bpf_map__initial_value(m, size))
		return NULL;
	return id ? btf_section(&t->types, t->btf, id, (uint32_t)*size) : NULL;
}

static const struct field *find_variable(struct typed *t, const struct type *section,
					 const char *name)
{
	uint32_t n = 0;
	const struct field *f = section ? type_fields(&t->types, section, &n) : NULL;

	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(f[i].name, name))
			return &f[i];
	return NULL;
}

/* A text needs no quotes when it is for an array of characters. */
static int write_value(struct typed *t, const struct field *f, const char *text, pid_t pid,
		       uint8_t *out, struct err *e)
{
	auto_sb struct sb value = {};
	bool is_text = f->type->kind == T_ARRAY && f->type->elem->is_char;

	if (pid && !strcmp(text, "pid"))
		sb_printf(&value, "%d", (int)pid);
	else if (!strcmp(text, "true") || !strcmp(text, "false"))
		sb_puts(&value, *text == 't' ? "1" : "0");
	else if ((is_text || f->type->kind == T_STRING) && *text != '"')
		sb_printf(&value, "\"%s\"", text);
	else
		sb_puts(&value, text);
	struct err why = {};
	int err = typed_parse(t, f->type, sb_str(&value), out, f->type->size, &why);

	return err ? err_set(e, err, "--set %s: %s", f->name, why.msg) : 0;
}

int object_set(struct object *o, const char *text, pid_t pid, struct err *e)
{
	const char *equals = strchr(text, '=');
	struct typed t;
	struct bpf_map *m;
	uint32_t bytes = 0;
	size_t size;
	int err;

	if (!equals || equals == text)
		return err_set(e, -EINVAL, "--set: '%s' is not VARIABLE=VALUE", text);
	const char *name = arena_strndup(&o->arena, text, (size_t)(equals - text));
	const void *btf = object_btf(o, &bytes);

	err = err_set(e, -ENOENT, "%s: there is no variable '%s' in it%s", o->path, name,
		      btf ? "" : ", nor BTF that would name them");
	typed_init_bytes(&t, btf, bytes);
	bpf_object__for_each_map(m, o->bpf)
	{
		const struct field *f = find_variable(&t, variables(&t, m, &size), name);

		if (!f || f->bit_off / 8 + (size_t)f->type->size > size)
			continue;
		auto_free uint8_t *data = xcalloc(1, size);
		memcpy(data, bpf_map__initial_value(m, &size), size);
		*e = (struct err){};
		err = write_value(&t, f, equals + 1, pid, data + f->bit_off / 8, e);
		if (!err)
			err = bpf_map__set_initial_value(m, data, size);
		break;
	}
	typed_fini(&t);
	return err;
}

/* --- records --- */

static const char *struct_name(const struct type *t)
{
	if (t && t->kind == T_PTR)
		t = t->elem;
	return t && t->kind == T_STRUCT && t->name && *t->name ? t->name : NULL;
}

/* "const struct event *unused", in any section of data. */
static const char *find_idiom(struct object *o, struct typed *t)
{
	struct bpf_map *m;
	size_t size;

	bpf_object__for_each_map(m, o->bpf)
	{
		const struct type *section = variables(t, m, &size);
		uint32_t n = 0;
		const struct field *f = section ? type_fields(&t->types, section, &n) : NULL;

		for (uint32_t i = 0; i < n; i++)
			if (!strncmp(f[i].name, "unused", 6) && f[i].type->kind == T_PTR &&
			    struct_name(f[i].type))
				return struct_name(f[i].type);
	}
	return NULL;
}

void records_find(struct object *o)
{
	struct typed t;
	struct bpf_map *m;
	uint32_t size = 0;
	const void *btf = object_btf(o, &size);

	typed_init_bytes(&t, btf, size);
	const char *idiom = t.btf ? find_idiom(o, &t) : NULL;
	bpf_object__for_each_map(m, o->bpf)
	{
		uint32_t id = bpf_map__btf_value_type_id(m);
		const char *name =
			t.btf && id ? struct_name(btf_type(&t.types, t.btf, id)) : NULL;

		if (bpf_map__type(m) != BPF_MAP_TYPE_RINGBUF &&
		    bpf_map__type(m) != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			continue;
		name = name ? name : idiom;
		if (name)
			vec_push(&o->arena, &o->records,
				 ((struct object_record){ bpf_map__name(m),
							  arena_strdup(&o->arena, name) }));
	}
	typed_fini(&t);
}
