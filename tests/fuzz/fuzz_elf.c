/*
 * ELF files: any bytes as a file of symbols, sections, versions, unwind tables and packed
 * symbols, and as an object file of BPF, whose own types stand for the kernel's.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "bpf/object.h"
#include "script/core.h"
#include "symbol/cfi.h"
#include "symbol/elf_debug.h"
#include "symbol/elf_funcs.h"
#include "symbol/elf_versions.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool count_name(void *arg, const struct elf_symbol *s)
{
	*(size_t *)arg += strlen(s->name) + (size_t)s->addr;
	return true;
}

static void count_version(void *arg, const struct elf_version *v)
{
	*(size_t *)arg += strlen(v->version) + strlen(v->symbol.name) + v->is_default;
}

static void count_note(void *arg, const struct elf_note *n)
{
	*(size_t *)arg += strlen(n->owner) + (n->size ? n->desc[n->size - 1] : 0);
}

/* Functions must be found where the table has them. */
static size_t read_funcs(const struct elf *f)
{
	struct elf_funcs funcs = { 0 };
	size_t sum = 0;

	elf_funcs_load(&funcs, f, "/nowhere");
	vec_each(fn, &funcs.list) {
		const char *name = elf_func_name(&funcs, fn);

		if (!elf_funcs_find(&funcs, name))
			abort();
		sum += strlen(name) + (elf_funcs_at(&funcs, fn->addr) != NULL);
	}
	elf_funcs_fini(&funcs);
	return sum;
}

static size_t read_unwind(const struct elf *f)
{
	struct cfi_table t = { 0 };
	size_t sum = 0;

	if (!cfi_load(&t, f)) {
		for (size_t i = 1; i < t.rows.len; i++)
			if (t.rows.data[i - 1] > t.rows.data[i])
				abort();
		sum = cfi_row_at(&t, 0x1000) & 1;
	}
	cfi_fini(&t);
	return sum;
}

static void read_file(const void *image, size_t size)
{
	struct elf_segment segment;
	struct elf_section section;
	struct err e = { 0 };
	uint64_t addr, offset;
	size_t sum = 0, i = 0;
	struct elf f;

	if (elf_open_image(&f, image, size, &e))
		return;
	elf_each_symbol(&f, count_name, &sum);
	while (elf_next_segment(&f, &i, &segment)) {
		sum += elf_offset_of(&f, segment.addr, &offset);
		sum += elf_addr_of(&f, segment.offset, &addr) + elf_is_code(&f, segment.addr);
	}
	if (elf_find_section(&f, ".text", &section) && section.size)
		sum += (size_t)section.bytes[section.size - 1];
	sum += elf_section_addr(&f, ".data", &addr) + elf_has_symtab(&f);
	sum += elf_sections_size(&f, ".debug_") + elf_is_go(&f);
	elf_each_version(&f, "versioned", count_version, &sum);
	elf_each_note(&f, ".note.gnu.build-id", count_note, &sum);
	sum += read_funcs(&f) + read_unwind(&f);
	elf_close(&f);
}

static void begin(void *arg, const void *btf, size_t size)
{
	struct core_world *w = arg;
	struct err e = { 0 };

	if (size)
		w->here = btf_in_arena(w->arena, memcpy(arena_alloc(w->arena, size), btf, size),
				       size, &e);
}

static const struct type *find(void *arg, enum c_tag tag, const char *name)
{
	struct core_world *w = arg;
	uint32_t id = btf_find_type(w->here, name);

	(void)tag;
	return id ? btf_type(w->tt, w->here, id) : NULL;
}

static int resolve(void *arg, const struct bpf_object_core *what, struct bpf_object_fact *out,
		   struct err *e)
{
	return core_resolve(arg, what, out, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct bpf_object object = { 0 };
	struct typetab tt = { .arena = &a, .btf_failed = true };
	struct core_world w = { .arena = &a, .tt = &tt, .find = find, .arg = &w };
	const struct bpf_object_outside outside = { .core = resolve,
						    .begin = begin,
						    .arg = &w };
	struct err e = { 0 };
	uint8_t *copy = xrealloc(NULL, size ? size : 1);

	memcpy(copy, data, size);
	read_file(copy, size);
	bpf_object_read(&a, copy, size, NULL, &outside, &object, &e);
	free(copy);
	return 0;
}
