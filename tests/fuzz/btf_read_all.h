/*
 * btf_read_all.h - asks a BTF for everything it has, as the fuzzer and the damage tests do.
 */
#ifndef SCRY_TESTS_BTF_READ_ALL_H
#define SCRY_TESTS_BTF_READ_ALL_H

#include "types/btf_list.h"
#include "types/btf_value.h"

#include "base/sb.h"

#include <string.h>

static bool btf_count_name(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	(void)b;
	(void)id;
	*(size_t *)arg += strlen(name);
	return true;
}

/* Reads one type in every way; returns a number that depends on what was read. */
static size_t btf_read_one(struct typetab *tt, const struct btf *b, uint32_t id,
			   struct sb *text, FILE *nowhere)
{
	const struct type *t = btf_type(tt, b, id), *ret;
	struct btf_param params[8];
	struct field member;
	uint32_t nfields, nconsts;
	const struct field *fields = type_fields(tt, t, &nfields);
	const struct enum_const *consts = type_enum_consts(tt, t, &nconsts);
	size_t sum = strlen(btf_name(b, id)) + t->size;

	for (uint32_t i = 0; i < nfields; i++)
		sum += strlen(fields[i].name) + fields[i].type->size + fields[i].bit_off;
	for (uint32_t i = 0; i < nconsts; i++)
		sum += strlen(consts[i].name) + (size_t)consts[i].value;
	sum += type_member(tt, t, "there_is_no_such_member", &member);
	sum += (size_t)btf_func_params(tt, b, id, params, 8, &ret);
	sum += strlen(type_str(tt->arena, t));

	sb_clear(text);
	btf_print_type_name(b, id, text);
	btf_print_c(b, id, text);

	uint8_t bytes[100];
	struct jw w;

	jw_init(&w, nowhere, false);
	memset(bytes, (int)id, sizeof(bytes));
	btf_value(&w, NULL, b, id, bytes, sizeof(bytes), id % 2);
	btf_list(b, id, text, NULL);
	btf_prototype(b, id, text);
	return sum + text->len + btf_value_size(b, id);
}

/* Every step'th type, all lists and a few lookups by name. */
static size_t btf_read_all(const struct btf *b, uint32_t step)
{
	struct arena arena = {};
	struct typetab tt;
	struct sb text = {};
	FILE *nowhere = fopen("/dev/null", "w");
	size_t sum = 0;
	int64_t value;
	uint32_t id;

	typetab_init(&tt, &arena);
	for (id = 0; id <= btf_ntypes(b); id += step)
		sum += btf_read_one(&tt, b, id, &text, nowhere);
	for (int what = 0; what < BTF_WHATS; what++) {
		btf_each(b, (enum btf_what)what, btf_count_name, &sum);
		/* Often enough that the tables are built. */
		for (int i = 0; i < 5; i++)
			sum += btf_find(b, (enum btf_what)what, i & 1 ? "task_struct" : "a");
	}
	for (int i = 0; i < 5; i++)
		sum += btf_find_const(b, i & 1 ? "TCP_LISTEN" : "A", &value, &id);
	fclose(nowhere);
	sb_free(&text);
	arena_free(&arena);
	return sum;
}

#endif
