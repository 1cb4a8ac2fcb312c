#include "probe/user_debug.h"

#include "probe/arch.h"
#include "probe/user_abi.h"
#include "types/dwarf_class.h"
#include "types/dwarf_func.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of larger ones inlined copies are not looked for unless they are open already. */
enum { SMALL_DEBUG = 32 << 20 };

struct user_debug {
	struct debug_info info;
	struct dwarf_types types;
	struct err err; /* why it is not open, if code is set */
};

static struct user_debug *get(struct probe_env *env, struct user_file *file, struct err *e)
{
	struct user_debug *d = file->debug;

	if (!d) {
		d = file->debug = xcalloc(1, sizeof(*d));
		if (debug_info_open(&d->info, &file->elf, env->debug_dirs, &d->err))
			err_hint(&d->err, "compile it with -g, or install its debug symbols");
		else
			dwarf_types_init(&d->types, env->arena, &d->info.dies);
	}
	if (!d->err.code)
		return d;
	*e = d->err;
	if (d->err.code == -EOPNOTSUPP) {
		err_set(e, d->err.code, "%s: %s", file->name, d->err.msg);
		err_hint(e, "objcopy --decompress-debug-sections %s", file->name);
		return NULL;
	}
	if (d->err.code == -EINVAL) /* a file that it names */
		return err_set(e, -EINVAL, "%s: %s", file->name, d->err.msg), NULL;
	err_set(e, d->err.code, "%s has no debug information", file->name);
	err_hint(e, "compile it with -g, or install its debug symbols");
	return NULL;
}

struct debug_info *user_debug_open(struct probe_env *env, struct user_file *file, struct err *e)
{
	struct user_debug *d = get(env, file, e);

	return d ? &d->info : NULL;
}

void user_debug_close(struct user_file *file)
{
	if (!file->debug)
		return;
	debug_info_close(&file->debug->info);
	free(file->debug);
	file->debug = NULL;
}

static struct user_file *file_of(struct probe_env *env, const struct target *t)
{
	struct user_file *file = t->file ? env->user_files : NULL;

	while (file && strcmp(file->path, t->file) != 0)
		file = file->next;
	return file;
}

/* The register of that DWARF number in the context. */
static bool find_reg(unsigned number, uint32_t *off)
{
	if (number >= arch_host.ndwarf_regs || arch_host.dwarf_regs[number] == LOC_NO_REG)
		return false;
	*off = arch_host.dwarf_regs[number];
	return true;
}

static const char *in_reg(const struct dwarf_place *p, struct argloc *loc)
{
	static const char why[] =
		"it is in a floating-point register, which probes cannot read";

	bool is_triple = p->kind == DWARF_TRIPLE, is_pair = is_triple || p->kind == DWARF_PAIR;
	uint32_t third = 0;

	if (!find_reg(p->reg, &loc->off) || (is_pair && !find_reg(p->reg2, &loc->off2)) ||
	    (is_triple && !find_reg(p->reg3, &third)))
		return why;
	loc->kind = is_triple ? LOC_TRIPLE : is_pair ? LOC_PAIR : LOC_CTX;
	if (is_triple)
		loc->imm = third;
	return NULL;
}

/* A place as the compiler of scripts wants it. Returns NULL, or why it has none. */
static const char *make_loc(const struct dwarf_place *p, const struct type *t,
			    struct argloc *loc)
{
	bool is_whole = t->kind == T_STRUCT || t->kind == T_ARRAY;

	if (t->kind == T_FLOAT)
		return "floating-point arguments cannot be read by probes";
	*loc = (struct argloc){ .size = is_whole ? 8 : (uint8_t)t->size,
				.is_signed = t->is_signed,
				.imm = p->off };
	if (!is_whole && !type_is_int_size(t->size))
		return "its type is not known";
	switch (p->kind) {
	case DWARF_REG:
		return is_whole && t->size > 8 ? "only a part of it was kept" : in_reg(p, loc);
	case DWARF_PAIR:
	case DWARF_TRIPLE: return in_reg(p, loc);
	case DWARF_MEMORY:
		loc->kind = LOC_USER;
		loc->is_ref = p->is_ref;
		break;
	case DWARF_SUM: loc->kind = LOC_SUM; break;
	case DWARF_CONST:
		loc->kind = LOC_CONST;
		return is_whole ? "it was optimised out" : NULL;
	default: return p->why;
	}
	return find_reg(p->reg, &loc->off) ? NULL : "it is counted from an unknown register";
}

static bool returns_by_ref(struct typetab *tt, struct user_debug *d, Dwarf_Die *func,
			   const struct type **result)
{
	*result = dwarf_type_of(tt, &d->types, func);
	return dwarf_passed_by_ref(func);
}

/* The function that arguments are asked of, or the copy of it that was inlined. */
static bool scope_of(struct user_debug *d, const struct target *t, Dwarf_Die *func,
		     Dwarf_Die *scope)
{
	Dwarf_Die inlined[DEBUG_INLINED_MAX];
	unsigned n;

	if (!debug_info_func(&d->info, t->pc, func))
		return false;
	if (t->is_inlined)
		return debug_info_inlined_at(func, t->pc, t->symbol, scope);
	*scope = *func;
	n = t->by_line ? debug_line_inlined(&d->info, t->pc, inlined) : 0;
	if (n)
		*scope = inlined[n - 1];
	return true;
}

static void read_args(struct probe_env *env, struct user_debug *d, const struct target *t,
		      Dwarf_Die *func, Dwarf_Die *scope, struct shape *out)
{
	struct dwarf_frame frame = { .has_cfa = true };
	struct dwarf_param *params;
	const struct type *result;
	Dwarf_Addr entry;
	unsigned n;

	frame.is_entry =
		func->addr == scope->addr && !dwarf_entrypc(func, &entry) && entry == t->pc;
	frame.cfa_reg = arch_host.sp_dwarf;
	frame.cfa_off = arch_host.entry_cfa;
	if (!frame.is_entry)
		frame.has_cfa = debug_info_cfa(&d->info, t->pc, &frame.cfa_reg, &frame.cfa_off);
	/* GCC's copies of a function may have fewer parameters. */
	enum dwarf_abi kind = dwarf_abi_of(func);
	if (kind == DWARF_ABI_KEPT && t->symbol &&
	    (strstr(t->symbol, ".isra.") || strstr(t->symbol, ".constprop.")))
		kind = DWARF_ABI_UNSURE;
	n = dwarf_params(env->types, &d->types,
			 &(struct dwarf_scope){ *func, *scope, t->pc, frame, kind }, &params);

	struct dwarf_place *abi = arena_array(env->arena, struct dwarf_place, n);
	bool by_ref = returns_by_ref(env->types, d, func, &result);
	struct probe_arg *args = arena_array(env->arena, struct probe_arg, n);
	user_abi_place(env->types, params, n, result, by_ref, abi);
	for (unsigned i = 0; i < n; i++) {
		const struct dwarf_param *p = &params[i];
		bool at_entry = p->place.kind == DWARF_AT_ENTRY;

		args[i].name = p->name;
		args[i].type = p->type;
		args[i].is_unsure = p->place.is_unsure;
		args[i].missing = t->is_32bit ? "arguments of 32-bit programs are not read"
					      : make_loc(at_entry ? &abi[i] : &p->place,
							 p->type, &args[i].loc);
	}
	out->args = args;
	out->nargs = n;
}

static int hint_args(struct err *e, struct user_debug *d, uint64_t pc, const char *name)
{
	const char *file;
	Dwarf_Die unit;

	if (debug_info_unit(&d->info, pc, &unit) && die_is_skeleton(&unit, &file))
		return err_hint(e, "it is in %s, which is not there, nor is it in %s.dwp", file,
				name);
	return err_hint(e, "use arg0, arg1, ...");
}

int user_debug_args(struct probe_env *env, const struct target *t, struct shape *out,
		    struct err *e)
{
	struct user_file *file = file_of(env, t);
	struct user_debug *d = file ? get(env, file, e) : NULL;
	Dwarf_Die func, scope;

	if (!d)
		return file ? e->code : err_set(e, -ENOENT, "%s has no file", t->name);
	if (!scope_of(d, t, &func, &scope)) {
		err_set(e, -ENODATA, "the debug information of %s does not know %s", file->name,
			t->symbol);
		return hint_args(e, d, t->pc, file->name);
	}
	read_args(env, d, t, &func, &scope, out);
	return 0;
}

int user_debug_params(struct probe_env *env, const struct target *t,
		      void (*fn)(void *arg, const char *text), void *arg, struct err *e)
{
	struct user_file *file = file_of(env, t);
	struct user_debug *d = file ? get(env, file, e) : NULL;
	Dwarf_Die func;

	if (!d)
		return -ENODATA;
	if (debug_info_func(&d->info, t->pc, &func))
		dwarf_print_params(&func, fn, arg);
	return 0;
}

/* The program to look for types in. */
static struct user_debug *program_of(struct probe_env *env, const struct target *t)
{
	struct user_files files = {};
	struct err e = {};

	if (t->file)
		return file_of(env, t) ? get(env, file_of(env, t), &e) : NULL;
	if (!env->program || user_files_find(env, env->program, &files, &e))
		return NULL;
	return get(env, files.data[0], &e);
}

const struct type *probe_user_type(struct probe_env *env, const struct target *t,
				   enum type_word word, const char *name)
{
	static const enum dwarf_what plain[] = { DWARF_TYPEDEFS, DWARF_STRUCTS, DWARF_ENUMS };
	struct user_debug *d = program_of(env, t);
	enum dwarf_what what = word == WORD_ENUM ? DWARF_ENUMS : DWARF_STRUCTS;
	Dwarf_Die func, die, *near = NULL;

	if (!d)
		return NULL;
	if (t->file && debug_info_func(&d->info, t->pc, &func))
		near = &func;
	if (word != WORD_PLAIN)
		return dwarf_find(&d->types, near, what, name, &die)
			       ? dwarf_type(env->types, &d->types, &die)
			       : NULL;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (dwarf_find(&d->types, near, plain[i], name, &die))
			return dwarf_type(env->types, &d->types, &die);
	return NULL;
}

bool probe_user_const(struct probe_env *env, const struct target *t, const char *name,
		      int64_t *value, const struct type **type)
{
	struct user_debug *d = program_of(env, t);
	const struct dwarf_const *c = d ? dwarf_find_const(&d->types, name) : NULL;
	Dwarf_Die whole;

	if (!c)
		return false;
	whole = c->whole;
	*value = c->value;
	*type = dwarf_type(env->types, &d->types, &whole);
	return true;
}

/* "2 inlined copies", the first of which is at ... */
static void add_note(struct diag *d, const struct debug_inlined *copies)
{
	const char *base = copies->file ? strrchr(copies->file, '/') : NULL;

	if (copies->file && copies->line)
		diag_hint(d,
			  "the first of them is at %s:%d; a probe of a source line sees it, "
			  "config = { probe_inline = true } all of them",
			  base ? base + 1 : copies->file, copies->line);
}

void user_debug_warn_inlined(struct probe_env *env, const struct attach_text *at,
			     const char *name, const struct debug_inlined *copies, unsigned n)
{
	add_note(diag(env->dx, W0204_INLINED, at->span, name, n, n == 1 ? "copy" : "copies"),
		 copies);
}

bool user_debug_inlined(struct probe_env *env, struct user_file *file, const char *name,
			uint64_t addr, struct debug_inlined *out)
{
	bool is_large = elf_sections_size(&file->elf, ".debug_") - 1 >= SMALL_DEBUG;
	struct user_debug *d;
	struct err e = {};
	Dwarf_Die func;

	*out = (struct debug_inlined){};
	if (addr && is_large && !file->debug && !env->probe_inline)
		return false;
	d = get(env, file, &e);
	if (!d || (addr && !debug_info_func(&d->info, addr, &func)))
		return false;
	debug_info_inlined(&d->info, addr ? &func : NULL, name, out);
	return out->copies > 0;
}

void user_debug_only_inlined(struct probe_env *env, const struct attach_text *at,
			     const struct user_file *file, const char *name,
			     const struct debug_inlined *copies)
{
	const char *why = arena_printf(
		env->arena, "%s has no code of its own in %s: it was inlined, %u %s", name,
		file->name, copies->copies, copies->copies == 1 ? "time" : "times");

	add_note(diag(env->dx, E0208_ATTACH_POINT, at->span, why), copies);
}
