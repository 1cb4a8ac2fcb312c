#include "probe/functions.h"

#include "base/auto.h"
#include "kernel/kallsyms.h"
#include "probe/lists.h"
#include "types/kernel_types.h"

#include <stdlib.h>
#include <string.h>

static bool is_vmlinux(const char *module)
{
	return !strcmp(module, "vmlinux");
}

static bool in_module(const struct kallsym *s, const char *module)
{
	if (!module)
		return true;
	return s->module ? !strcmp(s->module, module) : is_vmlinux(module);
}

struct search {
	struct arena *arena;
	const char *module, *name;
	size_t name_len;
	bool found;
	const char *nearest, *continued;
	unsigned dist;
	struct addrs *addrs;
};

/*
 * The function under the name that compilers and newer kernels gave it:
 * finish_task_switch.isra.0, kmem_cache_alloc_noprof.
 */
static bool is_continued(const char *name, size_t len, const char *longer)
{
	enum { LONGEST_END = 8 };

	if (strncmp(longer, name, len))
		return false;
	return longer[len] == '.' ||
	       (longer[len] == '_' && strlen(longer + len) <= LONGEST_END);
}

static void note_near(struct search *s, const char *name)
{
	enum { MOST_EDITS = 3 };
	const char *best = s->nearest;
	size_t len = strlen(name);

	if (is_continued(s->name, s->name_len, name)) {
		if (!s->continued || len < strlen(s->continued))
			s->continued = arena_strdup(s->arena, name);
		return;
	}
	/* Most names are told apart by their length alone. */
	if (len > s->name_len + MOST_EDITS || len + MOST_EDITS < s->name_len)
		return;
	diag_nearer(s->name, name, &best, &s->dist);
	if (best != s->nearest)
		s->nearest = arena_strdup(s->arena, best);
}

static bool find_name(void *arg, const struct kallsym *sym)
{
	struct search *s = arg;

	s->found = kallsym_is_function(sym) && in_module(sym, s->module) &&
		   !strcmp(sym->name, s->name);
	return !s->found;
}

static bool find_nearest(void *arg, const struct kallsym *sym)
{
	struct search *s = arg;

	if (kallsym_is_function(sym) && in_module(sym, s->module))
		note_near(s, sym->name);
	return true;
}

bool function_exists(struct probe_env *env, const char *module, const char *name,
		     const char **nearest)
{
	struct search s = {
		.arena = env->arena, .module = module, .name = name, .name_len = strlen(name)
	};
	const struct btf *btf;
	struct err e;

	*nearest = NULL;
	/* BTF has most of the kernel's own functions, and is there in a millisecond. */
	btf = !module || is_vmlinux(module) ? kernel_btf(env->types, NULL) : NULL;
	if (btf && btf_find(btf, BTF_FUNCS, name))
		return true;
	if (kallsyms_each(NULL, find_name, &s, &e) || s.found)
		return true;
	kallsyms_each(NULL, find_nearest, &s, &e);
	*nearest = s.continued ? s.continued : s.nearest;
	return false;
}

static bool type_in(struct probe_env *env, const char *module, const char *name,
		    struct function_type *out)
{
	const struct btf *btf = lists_btf(env, module, NULL);
	uint32_t id = btf ? btf_find(btf, BTF_FUNCS, name) : 0;

	/* What a module's BTF finds may be in its base. */
	if (!id || (module && id < btf_ntypes(lists_btf(env, NULL, NULL))))
		return false;
	*out = (struct function_type){ module, btf, id };
	return true;
}

struct owner {
	struct arena *arena;
	const char *name, *module;
};

static bool find_owner(void *arg, const struct kallsym *sym)
{
	struct owner *o = arg;

	if (sym->module && kallsym_is_function(sym) && !strcmp(sym->name, o->name))
		o->module = arena_strdup(o->arena, sym->module);
	return !o->module;
}

bool function_find_type(struct probe_env *env, const char *module, const char *name,
			struct function_type *out)
{
	struct owner owner = { .arena = env->arena, .name = name };
	struct err e;

	if (module)
		return type_in(env, is_vmlinux(module) ? NULL : module, name, out);
	if (type_in(env, NULL, name, out))
		return true;
	kallsyms_each(NULL, find_owner, &owner, &e);
	return owner.module && type_in(env, owner.module, name, out);
}

static bool take_addr(void *arg, const struct kallsym *sym)
{
	struct search *s = arg;

	if (sym->addr && kallsym_is_function(sym) && in_module(sym, s->module) &&
	    !strcmp(sym->name, s->name))
		vec_push(s->arena, s->addrs, sym->addr);
	return true;
}

void function_addrs(struct probe_env *env, const char *module, const char *name,
		    struct addrs *out)
{
	struct search s = { .arena = env->arena, .module = module, .name = name, .addrs = out };
	struct err e;

	kallsyms_each(NULL, take_addr, &s, &e);
}

struct entries {
	struct target **by_addr;
	size_t n, found;
};

static int compare_addr(const void *a, const void *b)
{
	const struct target *x = *(struct target *const *)a, *y = *(struct target *const *)b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Takes the symbol as the entry of the target at its address or the next one behind it. */
static bool take_entry(void *arg, const struct kallsym *sym)
{
	enum { PREFIX = 16 }; /* bytes an ENDBR and the like may take */
	struct entries *e = arg;
	size_t lo = 0, hi = e->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (e->by_addr[mid]->addr < sym->addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == e->n || e->by_addr[lo]->entry || e->by_addr[lo]->addr - sym->addr > PREFIX ||
	    !kallsym_is_function(sym) || strcmp(e->by_addr[lo]->symbol, sym->name) != 0)
		return true;
	e->by_addr[lo]->entry = sym->addr;
	return ++e->found < e->n;
}

bool function_entries(struct probe_env *env, const struct targets *targets)
{
	size_t n = targets->len;
	struct entries entries = { arena_array(env->arena, struct target *, n), n, 0 };
	struct err e;

	memcpy(entries.by_addr, targets->data, n * sizeof(*entries.by_addr));
	qsort(entries.by_addr, n, sizeof(*entries.by_addr), compare_addr);
	if (n && !entries.by_addr[0]->addr)
		return false;
	return !kallsyms_each(NULL, take_entry, &entries, &e) && entries.found == n;
}

struct gap {
	uint64_t from, to;
};

static bool take_next(void *arg, const struct kallsym *sym)
{
	struct gap *gap = arg;

	if (sym->addr > gap->from && sym->addr < gap->to)
		gap->to = sym->addr;
	return true;
}

uint64_t function_size(struct probe_env *env, const char *module, const char *name)
{
	struct addrs addrs = {};
	struct gap gap = { .to = UINT64_MAX };
	struct err e;

	function_addrs(env, module, name, &addrs);
	if (addrs.len != 1)
		return 0;
	gap.from = addrs.data[0];
	if (kallsyms_each(NULL, take_next, &gap, &e) || gap.to == UINT64_MAX)
		return 0;
	return gap.to - gap.from;
}

void function_print_params(const struct btf *btf, const struct btf_param *params, int n,
			   void (*fn)(void *arg, const char *text), void *arg)
{
	for (int i = 0; i < n; i++) {
		auto_sb struct sb text = {};

		btf_print_type_name(btf, params[i].id, &text);
		sb_putc(&text, ' ');
		if (*params[i].name)
			sb_puts(&text, params[i].name);
		else
			sb_printf(&text, "arg%d", i);
		fn(arg, text.s);
	}
}

void function_print_type(struct probe_env *env, const struct function_type *f, bool with_result,
			 void (*fn)(void *arg, const char *text), void *arg)
{
	enum { PARAMS_MAX = 32 };
	struct btf_param params[PARAMS_MAX + 1];
	int n = btf_func_params(env->types, f->btf, f->id, params, PARAMS_MAX, NULL);
	uint32_t result = btf_func_result(f->btf, f->id);

	if (n < 0)
		return;
	if (with_result && result)
		params[n++] = (struct btf_param){ .name = "retval", .id = result };
	function_print_params(f->btf, params, n, fn, arg);
}

const char *function_home(const struct function *f)
{
	return *f->module ? f->module : "vmlinux";
}

bool function_matches(const struct function *f, const char *module, const char *name)
{
	return wildcard_match(name, f->name) &&
	       (!module || wildcard_match(module, function_home(f)));
}

int functions_list(struct probe_env *env, const struct function_listing *how,
		   const char *pattern, void (*fn)(void *arg, const struct target *t),
		   void *arg, struct err *e)
{
	const struct functions *list = lists_functions(env, e);
	bool with_module = how->with_module || strchr(pattern, ':');
	size_t head = strlen(how->provider->name) + 1;
	auto_sb struct sb name = {};

	if (!list)
		return e->code;
	sb_printf(&name, "%s:", how->provider->name);
	vec_each(f, list) {
		struct target t = { .provider = how->provider,
				    .symbol = f->name,
				    .module = function_home(f) };

		name.len = head;
		if (with_module) {
			sb_puts(&name, t.module);
			sb_putc(&name, ':');
		}
		sb_puts(&name, f->name);
		t.name = name.s;
		if (!wildcard_match(pattern, name.s + head) &&
		    !(how->with_module && wildcard_match(pattern, f->name)))
			continue;
		if (!how->accepts || how->accepts(env, f))
			fn(arg, &t);
	}
	return 0;
}
