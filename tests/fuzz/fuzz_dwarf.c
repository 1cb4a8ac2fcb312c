/*
 * Debug information: any bytes as a program with DWARF, asked for its functions, lines, inlined
 * copies, frames, arguments and types.
 *
 * libdw's own reading is in it, which cannot be told apart: what it does not check itself
 * (strings without an end, trees that never end) is refused in types/die.c and
 * symbol/debug_info.c.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "symbol/debug_line.h"
#include "types/dwarf_class.h"
#include "types/dwarf_func.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RANGES_MOST = 4, ADDRS_MOST = 24, DEPTH_MOST = 4, FIELDS_MOST = 64 };

struct asked {
	struct arena arena;
	struct debug_info di;
	struct typetab types;
	struct dwarf_types dwarf;
	size_t sum;
};

/* Members must lie inside their struct, whatever the file says. */
static void look_at(struct asked *q, const struct type *t, int depth)
{
	uint32_t n = 0;
	const struct field *f;

	if (depth > DEPTH_MOST)
		return;
	if (t->kind == T_PTR || t->kind == T_ARRAY)
		look_at(q, t->elem, depth + 1);
	if (t->kind == T_ENUM)
		type_enum_consts(&q->types, t, &n);
	q->sum += n + strlen(type_str(&q->arena, t));
	f = t->kind == T_STRUCT ? type_fields(&q->types, t, &n) : NULL;
	for (uint32_t i = 0; f && i < n && i < FIELDS_MOST; i++) {
		uint64_t bits = f[i].bit_size ? f[i].bit_size : f[i].type->size * 8ull;

		if (f[i].bit_off + bits > t->size * 8ull)
			abort();
		look_at(q, f[i].type, depth + 1);
	}
}

static void add_length(void *arg, const char *text)
{
	*(size_t *)arg += strlen(text);
}

static void ask_params(struct asked *q, Dwarf_Die *func, Dwarf_Die *inner, uint64_t pc)
{
	struct dwarf_scope at = { *func, *inner, pc, { .has_cfa = true } };
	struct dwarf_param *params;
	unsigned n;

	at.frame.has_cfa = debug_info_cfa(&q->di, pc, &at.frame.cfa_reg, &at.frame.cfa_off);
	at.frame.is_entry = pc % 2;
	n = dwarf_params(&q->types, &q->dwarf, &at, &params);
	for (unsigned i = 0; i < n; i++) {
		q->sum += strlen(params[i].name) + dwarf_passed_by_ref(&params[i].die);
		look_at(q, params[i].type, 0);
	}
	dwarf_print_params(inner, add_length, &q->sum);
	look_at(q, dwarf_type_of(&q->types, &q->dwarf, func), 0);
}

static void ask_inlined(struct asked *q, Dwarf_Die *func, uint64_t pc)
{
	struct debug_inlined copies;
	Dwarf_Die copy;

	debug_info_inlined(&q->di, func, NULL, &copies);
	for (size_t i = 0; i < copies.entries.len && i < ADDRS_MOST; i++)
		q->sum += debug_info_inlined_at(func, copies.entries.data[i], "inner", &copy);
	q->sum += debug_info_inlined_at(func, pc, "inner", &copy) + copies.copies;
	q->sum += copies.file ? strlen(copies.file) : 0;
	vec_free(&copies.entries);
}

static void ask_address(struct asked *q, uint64_t pc)
{
	Dwarf_Die func, inlined[DEBUG_INLINED_MAX];
	const char *file;
	int line;
	unsigned n;

	if (debug_line_at(&q->di, pc, &file, &line))
		q->sum += strlen(file) + (size_t)line;
	n = debug_line_inlined(&q->di, pc, inlined);
	for (unsigned i = 0; i < n; i++)
		if (debug_line_call(&inlined[i], &file, &line))
			q->sum += strlen(file);
	if (!debug_info_func(&q->di, pc, &func))
		return;
	ask_inlined(q, &func, pc);
	ask_params(q, &func, n ? &inlined[n - 1] : &func, pc);
}

static void ask_names(struct asked *q)
{
	static const char *const names[] = { "list", "kind", "list_t", "space::box", "" };
	struct debug_line_search lines;
	struct debug_inlined copies;
	Dwarf_Die die;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (int what = 0; what < DWARF_WHATS; what++)
			if (dwarf_find(&q->dwarf, NULL, (enum dwarf_what)what, names[i], &die))
				look_at(q, dwarf_type(&q->types, &q->dwarf, &die), 0);
	q->sum += dwarf_find_const(&q->dwarf, "LESS") != NULL;
	for (int line = 1; line < 12; line += 3) {
		debug_line_find(&q->di, "dwarf.c", line, line % 2, &lines);
		q->sum += lines.places.len;
		vec_free(&lines.places);
	}
	debug_info_inlined(&q->di, NULL, "inner", &copies);
	vec_free(&copies.entries);
}

static void ask_all(struct asked *q, const struct elf *f)
{
	struct err e = { 0 };
	Dwarf_Die unit;

	if (debug_info_open(&q->di, f, "/nowhere", &e))
		return;
	typetab_init(&q->types, &q->arena);
	dwarf_types_init(&q->dwarf, &q->arena, &q->di.dies);
	debug_info_unit(&q->di, 0, &unit); /* fills ranges */
	for (size_t i = 0; i < q->di.ranges.len && i < RANGES_MOST; i++) {
		struct debug_range r = q->di.ranges.data[i];
		uint64_t step = (r.high - r.low) / ADDRS_MOST + 1;

		for (uint64_t at = 0; at < r.high - r.low && at / step < ADDRS_MOST; at += step)
			ask_address(q, r.low + at);
	}
	ask_names(q);
	debug_info_close(&q->di);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct asked q = { 0 };
	struct err e = { 0 };
	struct elf f;
	char path[32];
	int fd = memfd_create("dwarf", MFD_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size && !elf_open(&f, path, &e)) {
		ask_all(&q, &f);
		elf_close(&f);
	}
	close(fd);
	arena_free(&q.arena);
	return 0;
}
