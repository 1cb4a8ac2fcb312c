#include "symbol/elf_funcs.h"

#include "symbol/elf_debug.h"
#include "symbol/elf_go.h"

#include <elf.h>
#include <string.h>

/* Names are put in the table up to this much; no file has so many. */
enum { NAMES_MAX = 1 << 30 };

static uint8_t rank_of(const struct elf_symbol *s)
{
	switch (s->bind) {
	case STB_GLOBAL: return 0;
	case STB_WEAK: return 1;
	default: return 2;
	}
}

static bool add_func(void *arg, const struct elf_symbol *s)
{
	struct elf_funcs *funcs = arg;
	size_t len = strcspn(s->name, "@");

	if ((s->type != STT_FUNC && s->type != STT_GNU_IFUNC) || !s->addr || !len)
		return true;
	if (funcs->names.len + len > NAMES_MAX)
		return false;
	vec_push(NULL, &funcs->list,
		 (struct elf_func){
			 .addr = s->addr,
			 .size = s->size < UINT32_MAX ? (uint32_t)s->size : UINT32_MAX,
			 .name = (uint32_t)funcs->names.len,
			 .rank = rank_of(s),
			 .is_indirect = s->type == STT_GNU_IFUNC,
		 });
	sb_write(&funcs->names, s->name, len);
	sb_putc(&funcs->names, '\0');
	return true;
}

/* How far a name is from what a person would call the function: _ and __ come later. */
static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

static int compare_funcs(const void *a, const void *b, void *names)
{
	const struct elf_func *x = a, *y = b;
	const char *p = (char *)names + x->name, *q = (char *)names + y->name;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (underscores(p) != underscores(q))
		return underscores(p) < underscores(q) ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return strcmp(p, q);
}

/* Both tables of a file may have the same symbol. */
static void drop_repeated(struct elf_funcs *funcs)
{
	size_t kept = 0;

	vec_each(fn, &funcs->list) {
		const struct elf_func *last = kept ? &funcs->list.data[kept - 1] : NULL;

		if (!last || last->addr != fn->addr ||
		    strcmp(elf_func_name(funcs, last), elf_func_name(funcs, fn)) != 0)
			funcs->list.data[kept++] = *fn;
	}
	funcs->list.len = kept;
}

void elf_funcs_load(struct elf_funcs *funcs, const struct elf *f, const char *dirs)
{
	struct elf debug;
	void *image;

	*funcs = (struct elf_funcs){};
	elf_each_symbol(f, add_func, funcs);
	if (!elf_has_symtab(f) && elf_debug_open(&debug, f, dirs)) {
		elf_each_symbol(&debug, add_func, funcs);
		elf_close(&debug);
	} else if (!elf_has_symtab(f) && elf_debug_open_packed(&debug, f, &image)) {
		elf_each_symbol(&debug, add_func, funcs);
		elf_close(&debug);
		free(image);
	} else if (!elf_has_symtab(f)) {
		elf_go_each_func(f, add_func, funcs);
	}
	if (!funcs->list.len)
		return;
	qsort_r(funcs->list.data, funcs->list.len, sizeof(*funcs->list.data), compare_funcs,
		funcs->names.s);
	drop_repeated(funcs);
}

void elf_funcs_fini(struct elf_funcs *funcs)
{
	vec_free(&funcs->list);
	sb_free(&funcs->names);
}

/* The number of functions that begin at or before addr. */
static size_t count_to(const struct elf_funcs *funcs, uint64_t addr)
{
	size_t low = 0, high = funcs->list.len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (funcs->list.data[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct elf_func *elf_funcs_at(const struct elf_funcs *funcs, uint64_t addr)
{
	enum { LOOK_BACK = 16 }; /* past smaller functions inside a larger one */
	const struct elf_func *found = NULL;
	size_t n = count_to(funcs, addr);

	for (size_t i = n; i-- > 0 && n - i <= LOOK_BACK;) {
		const struct elf_func *fn = &funcs->list.data[i];

		if (found && fn->addr != found->addr)
			break;
		if (addr - fn->addr < fn->size || (!fn->size && (found || i + 1 == n)))
			found = fn;
	}
	return found;
}

const struct elf_func *elf_funcs_find(const struct elf_funcs *funcs, const char *name)
{
	const struct elf_func *found = NULL;

	vec_each(fn, &funcs->list)
		if (!strcmp(elf_func_name(funcs, fn), name) &&
		    (!found || fn->rank < found->rank))
			found = fn;
	return found;
}
