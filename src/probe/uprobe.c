/*
 * uprobe, uretprobe: where functions of programs and libraries are entered, or at an
 * instruction, and where they return.
 *
 * A wildcard names places, not names: of a function with several names the best one is taken,
 * so that each call counts once.
 */
#include "base/strmap.h"
#include "probe/arch.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "probe/providers.h"
#include "probe/user_attach.h"
#include "probe/user_debug.h"
#include "probe/user_file.h"
#include "probe/user_returns.h"
#include "symbol/demangle.h"
#include "symbol/elf_debug.h"
#include "symbol/elf_versions.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* An attach point's words behind the file. */
struct where {
	const char *symbol;
	uint64_t offset; /* behind the symbol */
	bool is_encoded; /* symbol is what a C++ or Rust programmer wrote: cpp:"ns::f(int)" */
	struct user_line line; /* of the source, if it has a file, instead of a symbol */
};

static bool is_ret(const struct provider *p)
{
	return p->flags & PV_RETVAL;
}

static bool bad_point(struct probe_env *env, const struct attach_text *at, const char *why)
{
	diag(env->dx, E0208_ATTACH_POINT, at->span, why);
	return false;
}

/* Takes "+OFFSET" off the symbol. */
static bool split_offset(struct probe_env *env, const struct attach_text *at, struct where *w)
{
	const char *plus = w->is_encoded ? NULL : strrchr(w->symbol, '+');

	if (!plus)
		return true;
	if (is_ret(provider_find(at->parts[0], NULL)))
		return bad_point(env, at,
				 "uretprobes can not be attached to a function offset");
	if (wildcard_has(w->symbol))
		return bad_point(env, at, "an offset needs the name of one function");
	if (!expand_number(plus + 1, &w->offset))
		return bad_point(env, at,
				 arena_printf(env->arena, "'%s' is no offset", plus + 1));
	w->symbol = arena_strndup(env->arena, w->symbol, (size_t)(plus - w->symbol));
	return true;
}

/* "@" cut the name of a versioned symbol: "memcpy", "@", "GLIBC_2.2.5". */
static const char *join_version(struct probe_env *env, const struct attach_text *at)
{
	const char *symbol = at->parts[2];

	for (unsigned i = 3; i < at->nparts; i++)
		symbol = arena_printf(env->arena, "%s%s", symbol, at->parts[i]);
	return symbol;
}

static bool parse_where(struct probe_env *env, const struct attach_text *at, struct where *w)
{
	if (at->nparts > 2 && !strcmp(at->parts[2], "@")) {
		*w = (struct where){ .symbol = "" };
		return user_line_parse(env, at, &w->line);
	}
	if (at->nparts > 4 && !strcmp(at->parts[3], "@")) {
		*w = (struct where){ .symbol = join_version(env, at) };
		return split_offset(env, at, w);
	}
	if (!expand_arity(env, at, 2, 3))
		return false;
	*w = (struct where){ .symbol = at->parts[at->nparts - 1],
			     .is_encoded = at->nparts == 4 };
	if (w->is_encoded && strcmp(at->parts[2], "cpp") != 0 &&
	    strcmp(at->parts[2], "rust") != 0)
		return bad_point(env, at,
				 arena_printf(env->arena,
					      "no names of the language '%s' are known; there "
					      "are cpp and rust",
					      at->parts[2]));
	if (!*w->symbol)
		return bad_point(env, at,
				 "uprobes should be attached to a function or an address");
	return split_offset(env, at, w);
}

/*
 * "f.cold", where GCC put what f rarely does: f jumps there. It is no function to who writes
 * C++, and what lies on its stack is no return address.
 */
static bool is_cold_part(const char *name)
{
	const char *at = strstr(name, ".cold");

	return at && (!at[5] || at[5] == '.');
}

static bool matches(const struct where *w, const char *name)
{
	char *text;
	bool is_match;

	if (!w->is_encoded)
		return wildcard_match(w->symbol, name);
	if (is_cold_part(name))
		return false;
	text = demangle(name);
	if (!text)
		return false;
	if (!w->symbol[demangled_params(w->symbol)])
		text[demangled_params(text)] = '\0';
	is_match = wildcard_match(w->symbol, text) ||
		   wildcard_match(w->symbol, text + demangled_name(text));
	free(text);
	return is_match;
}

/* "/bin/bash:readline", "/bin/x:cpp:ns::f(int)" */
static const char *place_name(struct arena *a, const struct provider *p, const char *file,
			      const char *symbol, const struct where *w)
{
	char *text = w->is_encoded ? demangle(symbol) : NULL;
	const char *name =
		text	    ? arena_printf(a, "%s:%s:cpp:%s", p->name, file, text)
		: w->offset ? arena_printf(a, "%s:%s:%s+%lu", p->name, file, symbol, w->offset)
			    : arena_printf(a, "%s:%s:%s", p->name, file, symbol);

	free(text);
	return name;
}

static struct target *add_code(struct probe_env *env, const struct attach_text *at,
			       const struct user_file *file, uint64_t addr, const char *symbol,
			       struct targets *out)
{
	struct target *t;
	uint64_t offset;

	if (!elf_is_code(&file->elf, addr) || !elf_offset_of(&file->elf, addr, &offset))
		return NULL;
	t = expand_add(env, provider_find(at->parts[0], NULL), at, out);
	t->symbol = symbol;
	t->file = file->path;
	t->file_offset = offset;
	t->pc = addr;
	t->is_32bit = elf_word_size(&file->elf) == 4;
	return t;
}

static struct target *add_target(struct probe_env *env, const struct attach_text *at,
				 const struct user_file *file, uint64_t addr,
				 const char *symbol, const struct where *w, struct targets *out)
{
	struct target *t = add_code(env, at, file, addr, symbol, out);

	if (t)
		t->name = place_name(env->arena, t->provider, file->name, symbol, w);
	return t;
}

/* Each function, and each inlined copy of one, that has the line. */
static bool add_line(struct probe_env *env, const struct attach_text *at,
		     struct user_file *file, const struct where *w, struct targets *out)
{
	struct user_addrs addrs = {};

	if (!user_line_find(env, at, file, &w->line, &addrs))
		return false;
	vec_each(addr, &addrs) {
		struct target *t = add_code(env, at, file, *addr, w->line.text, out);

		if (!t)
			continue;
		t->name = arena_printf(env->arena, "%s:%s@%s", t->provider->name, file->name,
				       w->line.text);
		t->by_line = true;
	}
	return true;
}

static bool add_address(struct probe_env *env, const struct attach_text *at,
			struct user_file *file, const struct where *w, struct targets *out)
{
	uint64_t addr;

	if (!expand_number(w->symbol, &addr))
		return bad_point(env, at,
				 arena_printf(env->arena, "'%s' is no address", w->symbol));
	if (add_target(env, at, file, addr, w->symbol, w, out))
		return true;
	return bad_point(
		env, at,
		arena_printf(env->arena, "%s has no code at %s", file->name, w->symbol));
}

/* Targets for what was inlined; how many copies of the function remain unseen. */
static unsigned add_inlined(struct probe_env *env, const struct attach_text *at,
			    const struct user_file *file, const struct where *w,
			    const struct debug_inlined *copies, struct targets *out)
{
	if (!env->probe_inline || w->offset || is_ret(provider_find(at->parts[0], NULL)))
		return copies->copies;
	vec_each(addr, &copies->entries) {
		struct target *t = add_target(env, at, file, *addr, w->symbol, w, out);

		if (t)
			t->is_inlined = true;
	}
	return copies->entries.len ? 0 : copies->copies;
}

/* A function that has code of its own may have been inlined besides. */
static void follow_inlined(struct probe_env *env, const struct attach_text *at,
			   struct user_file *file, const struct where *w,
			   const struct elf_func *fn, struct targets *out)
{
	struct debug_inlined copies;
	unsigned unseen;

	if (w->offset || !user_debug_inlined(env, file, w->symbol, fn->addr, &copies))
		return;
	unseen = add_inlined(env, at, file, w, &copies, out);
	if (unseen)
		user_debug_warn_inlined(env, at, w->symbol, &copies, unseen);
	vec_free(&copies.entries);
}

/* GCC's copies for some callers; of ".part.N" and ".cold" the function itself makes use. */
static void warn_of_clones(struct probe_env *env, const struct attach_text *at,
			   const struct elf_funcs *funcs, const char *name)
{
	size_t n = strlen(name);

	vec_each(fn, &funcs->list) {
		const char *clone = elf_func_name(funcs, fn);

		if (strncmp(clone, name, n) != 0 ||
		    (strncmp(clone + n, ".constprop.", 11) != 0 &&
		     strncmp(clone + n, ".isra.", 6) != 0))
			continue;
		diag(env->dx, W0213_CLONES, at->span, name, clone);
		return;
	}
}

/* Is that why there is no such function? Then *ok says if its copies do instead. */
static bool only_inlined(struct probe_env *env, const struct attach_text *at,
			 struct user_file *file, const struct where *w, struct targets *out,
			 bool *ok)
{
	struct debug_inlined copies;

	if (!user_debug_inlined(env, file, w->symbol, 0, &copies))
		return false;
	*ok = !add_inlined(env, at, file, w, &copies, out);
	if (!*ok)
		user_debug_only_inlined(env, at, file, w->symbol, &copies);
	vec_free(&copies.entries);
	return true;
}

/* Of its own symbols, and there is no debug file that has them. */
static bool is_stripped(struct probe_env *env, const struct user_file *file)
{
	struct elf debug;

	if (elf_has_symtab(&file->elf))
		return false;
	if (!elf_debug_open(&debug, &file->elf, env->debug_dirs))
		return true;
	elf_close(&debug);
	return false;
}

/* A nearest name is looked for among functions of every file, so only after a miss. */
static bool not_found(struct probe_env *env, const struct attach_text *at,
		      struct user_file *file, const struct where *w, struct targets *out)
{
	const struct elf_funcs *funcs = user_file_funcs(env, file);
	const char *nearest = NULL;
	unsigned dist = 0;
	bool ok;

	if (only_inlined(env, at, file, w, out, &ok))
		return ok;

	if (!funcs->list.len && elf_is_cut(&file->elf))
		return bad_point(
			env, at,
			arena_printf(env->arena,
				     "%s is damaged: it ends before its table of sections",
				     file->name));
	if (!funcs->list.len)
		return bad_point(
			env, at,
			arena_printf(env->arena,
				     "%s has no symbols; give an address instead: %s:%s:0x...",
				     file->name, at->parts[0], file->name));
	vec_each(fn, &funcs->list)
		diag_nearer(w->symbol, elf_func_name(funcs, fn), &nearest, &dist);
	if (!nearest && is_stripped(env, file))
		return expand_missing(
			env, at,
			arena_printf(
				env->arena,
				"%s is stripped: only the functions it exports have names; "
				"give an address instead: %s:%s:0x...",
				file->name, at->parts[0], file->name));
	return expand_no_match(env, at, nearest);
}

static bool refuse_indirect(struct probe_env *env, const struct attach_text *at,
			    const struct user_file *file, const struct where *w)
{
	struct diag *d =
		diag(env->dx, E0208_ATTACH_POINT, at->span,
		     arena_printf(env->arena,
				  "%s in %s is an indirect function: it is called once, "
				  "to choose the real one",
				  w->symbol, file->name));

	diag_hint(d, "name the real function, or its address");
	return false;
}

static bool is_uretprobe(const struct attach_text *at)
{
	return is_ret(provider_find(at->parts[0], NULL));
}

/*
 * Go moves its stacks, and the kernel's hook of a return would be taken for an address there:
 * the program would crash. Its functions are probed where they return instead.
 */
static bool returns_by_insn(const struct attach_text *at, const struct user_file *file)
{
	return file->is_go && is_uretprobe(at);
}

/* False: where it returns cannot be told. */
static bool add_returns(struct probe_env *env, const struct attach_text *at,
			const struct user_file *file, const struct elf_func *fn,
			const char *symbol, const struct where *w, struct targets *out)
{
	struct insn_offsets returns = {};

	if (!user_returns(env, file, fn, &returns))
		return false;
	vec_each(offset, &returns) {
		struct target *t =
			add_target(env, at, file, fn->addr + *offset, symbol, w, out);

		if (t)
			t->by_insn = true;
	}
	return true;
}

static bool refuse_go(struct probe_env *env, const struct attach_text *at,
		      const struct user_file *file)
{
	diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
		       arena_printf(env->arena,
				    "%s is a Go program, where a uretprobe must be at a return "
				    "instruction, and none can be found here",
				    file->name)),
		  "name a function, or probe an instruction: uprobe:%s:FUNCTION+OFFSET",
		  file->name);
	return false;
}

static bool check_offset(struct probe_env *env, const struct attach_text *at,
			 const struct user_file *file, const struct elf_func *fn,
			 const struct where *w)
{
	if (w->offset && fn->size && w->offset >= fn->size)
		return bad_point(env, at,
				 arena_printf(env->arena, "%s is only %u bytes long", w->symbol,
					      fn->size));
	if (env->unsafe || user_insn_begins(file, fn, w->offset))
		return true;
	diag_hint(diag(env->dx, E0208_ATTACH_POINT, at->span,
		       arena_printf(env->arena,
				    "%s+%llu is in the middle of an instruction: a probe there "
				    "would break the program",
				    w->symbol, (unsigned long long)w->offset)),
		  "--unsafe allows it");
	return false;
}

static bool add_place(struct probe_env *env, const struct attach_text *at,
		      struct user_file *file, const struct elf_func *fn, const struct where *w,
		      struct targets *out)
{
	if (returns_by_insn(at, file))
		return add_returns(env, at, file, fn, w->symbol, w, out) ||
		       refuse_go(env, at, file);
	if (is_uretprobe(at) && is_cold_part(w->symbol))
		return bad_point(env, at,
				 arena_printf(env->arena,
					      "%s is a part of a function that is jumped to, "
					      "and does not return by itself",
					      w->symbol));
	if (!check_offset(env, at, file, fn, w))
		return false;
	if (add_target(env, at, file, fn->addr + w->offset, w->symbol, w, out))
		return true;
	return bad_point(env, at, arena_printf(env->arena, "%s is no code", w->symbol));
}

/* Collects functions of one name by their versions. */
struct versions {
	struct arena *arena;
	const char *version; /* wanted */
	bool only_default;
	VEC(struct elf_func) found;
	const char *known; /* for a message */
};

static void take_version(void *arg, const struct elf_version *v)
{
	struct versions *s = arg;

	if (v->symbol.type != STT_FUNC && v->symbol.type != STT_GNU_IFUNC)
		return;
	s->known = arena_printf(s->arena, "%s%s%s@%s%s", s->known ? s->known : "",
				s->known ? ", " : "", v->symbol.name, v->is_default ? "@" : "",
				v->version);
	if (!strcmp(s->version, v->version) && (v->is_default || !s->only_default))
		vec_push(s->arena, &s->found,
			 (struct elf_func){ .addr = v->symbol.addr,
					    .size = (uint32_t)v->symbol.size,
					    .is_indirect = v->symbol.type == STT_GNU_IFUNC });
}

/* "foo@VERSION" is any function of that version, "foo@@VERSION" the one linked today. */
static bool add_versioned(struct probe_env *env, const struct attach_text *at,
			  struct user_file *file, const struct where *w, struct targets *out)
{
	const char *sign = strchr(w->symbol, '@');
	const char *name = arena_strndup(env->arena, w->symbol, (size_t)(sign - w->symbol));
	struct versions s = { .arena = env->arena,
			      .only_default = sign[1] == '@',
			      .version = sign + 1 + (sign[1] == '@') };

	elf_each_version(&file->elf, name, take_version, &s);
	vec_each(fn, &s.found) {
		if (fn->is_indirect)
			return refuse_indirect(env, at, file, w);
		if (!add_place(env, at, file, fn, w, out))
			return false;
	}
	if (s.found.len || !s.known)
		return s.found.len || expand_no_match(env, at, NULL);
	diag_hint(diag(env->dx, E0203_NO_MATCH, at->span, at->parts[0],
		       attach_rest(env->arena, at)),
		  "there are %s", s.known);
	return false;
}

/* A name may stand for several functions: versions of a library's, static ones of a program. */
static bool add_function(struct probe_env *env, const struct attach_text *at,
			 struct user_file *file, const struct where *w, struct targets *out)
{
	const struct elf_funcs *funcs = user_file_funcs(env, file);
	const struct elf_func *fn = elf_funcs_find(funcs, w->symbol);

	if (strchr(w->symbol, '@'))
		return add_versioned(env, at, file, w, out);
	if (!fn)
		return not_found(env, at, file, w, out);
	if (fn->is_indirect)
		return refuse_indirect(env, at, file, w);
	vec_each(namesake, &funcs->list) {
		if (strcmp(elf_func_name(funcs, namesake), w->symbol) != 0)
			continue;
		if (!add_place(env, at, file, namesake, w, out))
			return false;
		follow_inlined(env, at, file, w, namesake, out);
	}
	warn_of_clones(env, at, funcs, w->symbol);
	return true;
}

/* As names in attach points are written, with or without quotes. */
static const char *unquoted(struct arena *a, const char *s)
{
	size_t len = strlen(s);

	return len > 1 && *s == '"' && s[len - 1] == '"' ? arena_strndup(a, s + 1, len - 2) : s;
}

/* Each place once, under the first of its names that matches. */
static void add_matching(struct probe_env *env, const struct attach_text *at,
			 struct user_file *file, const struct where *w, struct targets *out)
{
	const struct elf_funcs *funcs = user_file_funcs(env, file);
	uint64_t last = 0;

	vec_each(fn, &funcs->list) {
		const char *name = elf_func_name(funcs, fn);

		if (fn->addr == last || fn->is_indirect || strstr(name, ".part.") ||
		    (is_uretprobe(at) && is_cold_part(name)) || !matches(w, name))
			continue;
		size_t before = out->len;
		if (!returns_by_insn(at, file))
			add_target(env, at, file, fn->addr, name, w, out);
		else
			add_returns(env, at, file, fn, name, w, out);
		for (size_t i = before; i < out->len; i++) {
			out->data[i]->from_wildcard = true;
			last = fn->addr;
		}
	}
}

/*
 * Since version 2.34 libc has the functions of these libraries, and what is left of them is
 * empty. Who asks for one of their functions means libc's.
 */
static void follow_to_libc(struct probe_env *env, const char *word, const struct where *w,
			   struct user_files *files)
{
	static const char *const MOVED[] = { "libpthread", "libpthread.so.0", "libdl",
					     "libdl.so.2", "librt",	      "librt.so.1" };
	struct user_files libc = {};
	struct err e = {};

	if (files->len != 1 || elf_funcs_find(user_file_funcs(env, files->data[0]), w->symbol))
		return;
	for (size_t i = 0; i < sizeof(MOVED) / sizeof(*MOVED); i++)
		if (!strcmp(word, MOVED[i]) && !user_files_find(env, "libc", &libc, &e) &&
		    elf_funcs_find(user_file_funcs(env, libc.data[0]), w->symbol))
			*files = libc;
}

/* Of a C++ name that was not found: functions of that name with other parameters, as written.
 */
static const char *other_overloads(struct probe_env *env, const struct user_files *files,
				   const struct where *w)
{
	enum { MAX_NAMES = 4 };
	size_t params = demangled_params(w->symbol);
	struct where bare = *w;
	const char *names = "";
	unsigned n = 0;

	if (!w->is_encoded || !w->symbol[params])
		return NULL;
	bare.symbol = arena_strndup(env->arena, w->symbol, params);
	vec_each(f, files) {
		const struct elf_funcs *funcs = user_file_funcs(env, *f);

		vec_each(fn, &funcs->list) {
			const char *name = elf_func_name(funcs, fn);
			char *text;

			if (n == MAX_NAMES || !matches(&bare, name))
				continue;
			text = demangle(name);
			names = arena_printf(env->arena, "%s%s%s", names, n++ ? "; " : "",
					     text);
			free(text);
		}
	}
	return n ? arena_printf(env->arena, "there are %s", names) : NULL;
}

static bool expand_uprobe(struct probe_env *env, const struct attach_text *at,
			  struct targets *out)
{
	struct user_files files = {};
	size_t before = out->len;
	struct where w;
	struct err e = {};

	if (!parse_where(env, at, &w))
		return false;
	if (user_files_find(env, at->parts[1], &files, &e))
		return user_files_report(env, at, &e);
	if (!w.line.file)
		follow_to_libc(env, at->parts[1], &w, &files);
	bool many = wildcard_has(w.symbol) || w.is_encoded || files.len > 1;
	bool is_addr = w.symbol[0] == '0' && (w.symbol[1] | 32) == 'x';
	vec_each(f, &files) {
		if (returns_by_insn(at, *f) && (is_addr || w.line.file))
			return refuse_go(env, at, *f);
		if (w.line.file) {
			if (!add_line(env, at, *f, &w, out))
				return false;
			continue;
		}
		if (is_addr && !add_address(env, at, *f, &w, out))
			return false;
		if (!is_addr && !many && !add_function(env, at, *f, &w, out))
			return false;
		if (!is_addr && many)
			add_matching(env, at, *f, &w, out);
	}
	return !many || out->len > before ||
	       expand_missing(env, at, other_overloads(env, &files, &w));
}

/*
 * Where a copy begins that was inlined, registers hold whatever the code around had in them; in
 * a file of 32 bits arguments lie on the stack.
 */
enum { MAX_REGS = 8 };
#define ALL_REGS(reason)                                                                    \
	{                                                                                   \
		{ .why = reason }, { .why = reason }, { .why = reason }, { .why = reason }, \
			{ .why = reason }, { .why = reason }, { .why = reason },            \
			{ .why = reason },                                                  \
	}
static const struct argloc inlined_regs[MAX_REGS] =
	ALL_REGS("is not in its register: the function was inlined here, ask for args.NAME");
static const struct argloc other_regs[MAX_REGS] =
	ALL_REGS("is not in its register: arguments of 32-bit programs are not read");

static void shape_regs(const struct target *t, struct shape *out)
{
	bool is_plain = !t->is_inlined && !t->is_32bit;

	out->regs = is_plain ? arch_host.args : t->is_32bit ? other_regs : inlined_regs;
	out->nregs = is_plain ? arch_host.nargs : MAX_REGS;
}

static int shape_uprobe(struct probe_env *env, const struct target *t, const struct group *g,
			struct shape *out, struct err *e)
{
	user_shape(env, out);
	if (!is_ret(t->provider)) {
		shape_regs(t, out);
		return g && g->named_args ? user_debug_args(env, t, out, e) : 0;
	}
	out->retval = arch_host.retval;
	out->retval_type = type_int(env->types, 8, true);
	if (t->by_insn)
		return 0;
	/* get_func_ip knows uprobes since the version that brought uprobe.multi, 6.6. */
	out->func_ip = (struct argloc){};
	out->has_func = lists_has_feature(env, FEATURE_UPROBE_MULTI);
	return 0;
}

/* Copies that were inlined, and files of 32 bits, have no arguments in registers. */
static bool alike(const struct target *a, const struct target *b)
{
	return a->is_inlined == b->is_inlined && a->is_32bit == b->is_32bit;
}

/* Arguments by name lie elsewhere in each function. */
static bool never(const struct target *a, const struct target *b)
{
	(void)a, (void)b;
	return false;
}

static int group_uprobes(struct probe_env *env, const struct targets *targets,
			 const struct group_wants *wants, struct groups *out, struct err *e)
{
	size_t first = out->len;

	(void)e;
	user_group(env, targets, wants, wants->one_each ? never : alike, out);
	for (size_t i = first; i < out->len; i++)
		out->data[i]->named_args = wants->one_each;
	return 0;
}

static const char *const languages[] = { "cpp", "rust" };

static int list_functions(struct probe_env *env, const struct provider *p, const char *pattern,
			  void (*fn)(void *arg, const struct target *t), void *arg,
			  struct err *e)
{
	struct user_files files = {};
	struct where w = {};
	const char *word = user_files_split(env->arena, pattern, &w.symbol);

	int err = user_files_find(env, word, &files, e);
	if (err)
		return err;
	for (unsigned i = 0; i < 2 && !w.is_encoded; i++) {
		size_t len = strlen(languages[i]);

		w.is_encoded = !strncmp(w.symbol, languages[i], len) && w.symbol[len] == ':';
		w.symbol += w.is_encoded ? len + 1 : 0;
	}
	w.symbol = unquoted(env->arena, w.symbol);
	vec_each(file, &files) {
		const struct elf_funcs *funcs = user_file_funcs(env, *file);

		vec_each(f, &funcs->list) {
			const char *name = elf_func_name(funcs, f);
			struct target t = { .provider = p,
					    .symbol = name,
					    .file = (*file)->path,
					    .pc = f->addr };

			if (f->is_indirect || !matches(&w, name))
				continue;
			t.name = place_name(env->arena, p, (*file)->name, name, &w);
			fn(arg, &t);
		}
	}
	return 0;
}

static int list_uprobes(struct probe_env *env, const char *pattern,
			void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	return list_functions(env, &provider_uprobe, pattern, fn, arg, e);
}

static int list_uretprobes(struct probe_env *env, const char *pattern,
			   void (*fn)(void *arg, const struct target *t), void *arg,
			   struct err *e)
{
	return list_functions(env, &provider_uretprobe, pattern, fn, arg, e);
}

const struct provider provider_uprobe = {
	.name = "uprobe",
	.aliases = (const char *const[]){ "u", NULL },
	.flags = PV_ENTRY_ARGS | PV_NAMED_ARGS | PV_LAST_FIRST | PV_USER | PV_NO_COUNT_LIST,
	.doc = "A function in user space is entered, or an instruction of it reached.",
	.usage =
		"uprobe:FILE:FUNCTION[+OFFSET], uprobe:FILE:0xADDRESS, uprobe:FILE:cpp:\"NAME\" or uprobe:FILE@SOURCE:LINE",
	.expand = expand_uprobe,
	.shape = shape_uprobe,
	.group = group_uprobes,
	.attach = user_attach,
	.list = list_uprobes,
	.params = user_debug_params,
};

const struct provider provider_uretprobe = {
	.name = "uretprobe",
	.aliases = (const char *const[]){ "ur", NULL },
	.flags = PV_RETVAL | PV_LAST_FIRST | PV_USER | PV_NO_COUNT_LIST,
	.doc = "A function in user space returns.",
	.usage = "uretprobe:FILE:FUNCTION or uretprobe:FILE:cpp:\"NAME\"",
	.expand = expand_uprobe,
	.shape = shape_uprobe,
	.group = group_uprobes,
	.attach = user_attach,
	.list = list_uretprobes,
};
