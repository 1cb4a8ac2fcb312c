#include "script/foreign.h"

#include "base/auto.h"
#include "script/core.h"
#include "script/lower.h"
#include "types/kernel_types.h"

#include <ctype.h>
#include <string.h>

/* An imported file. */
struct foreign_object {
	struct compiler *c;
	const char *name;
	struct bpf_object content;
	struct bpf_object_file *file;
	const struct btf *btf; /* or NULL */
	VEC(uint32_t) kmaps;   /* by number of the map: its index in the plan, 0 = none yet */
};

enum { STACK_ALL = 512, STACK_UNIT = 32, STACK_FOR_SCRIPT = 128, LINES_MAX = 1 << 16 };

/* --- reading ------------------------------------------------------------------------------ */

static uint32_t kernel_function(void *arg, const char *name)
{
	struct foreign_object *o = arg;
	const struct btf *btf = kernel_btf(o->c->tt, NULL);

	o->c->plan->calls_kernel = true;
	return btf ? btf_find(btf, BTF_FUNCS, name) : 0;
}

static const struct type *find_kernel_type(void *arg, enum c_tag tag, const char *name)
{
	return kernel_type(arg, tag, name);
}

static int kernel_fact(void *arg, const struct bpf_object_core *what,
		       struct bpf_object_fact *out, struct err *e)
{
	struct foreign_object *o = arg;
	const struct core_world w = { o->c->arena, o->c->tt, o->btf, find_kernel_type, o->c };

	return core_resolve(&w, what, out, e);
}

/* Bytes that are aligned as all readers want it. */
static const void *aligned(struct arena *a, const void *bytes, size_t size)
{
	return memcpy(arena_alloc(a, size + 1), bytes, size);
}

static const struct btf *open_types(struct foreign_object *o)
{
	size_t size;
	const void *bytes = bpf_object_section(o->file, ".BTF", &size);
	struct err e = {};

	return bytes ? btf_in_arena(o->c->arena, aligned(o->c->arena, bytes, size), size, &e)
		     : NULL;
}

static void add_function(struct foreign_object *o, const char *name, struct span span)
{
	struct compiler *c = o->c;
	struct foreign *f = arena_new(c->arena, struct foreign);
	const struct unit u = { .c = c };

	if (foreign_find(&u, name)) {
		diag(c->dx, E0010_TWICE, span,
		     arena_printf(c->arena, "function '%s' of %s", name, o->name));
		return;
	}
	f->row.name = name;
	f->object = o;
	f->span = span;
	f->btf_id = o->btf ? btf_find(o->btf, BTF_FUNCS, name) : 0;
	f->next = c->foreigns;
	c->foreigns = f;
}

void foreign_import(struct compiler *c, const struct import_file *file, struct span span)
{
	struct foreign_object *o = arena_new(c->arena, struct foreign_object);
	struct bpf_object_outside *outside = arena_new(c->arena, struct bpf_object_outside);
	struct err e = {};
	const char *name;
	uint32_t at = 0;

	o->c = c;
	o->name = file->name;
	*outside = (struct bpf_object_outside){ .function = kernel_function,
						.core = kernel_fact,
						.arg = o };
	o->file = bpf_object_open(c->arena, aligned(c->arena, file->text, file->len), file->len,
				  &o->content, outside, &e);
	if (!o->file) {
		diag(c->dx, E0149_IMPORT, span,
		     arena_printf(c->arena, "cannot import '%s': %s", file->name, e.msg));
		return;
	}
	o->btf = open_types(o);
	while ((name = bpf_object_next_function(o->file, &at)))
		add_function(o, name, span);
}

/* --- types -------------------------------------------------------------------------------- */

static bool is_word(const struct type *t)
{
	return type_is_integral(t) || t->kind == T_PTR;
}

/* What a pointer of the object points to, as the running kernel has it. */
static const struct type *kernel_result(struct compiler *c, const struct type *t)
{
	const struct type *to = t->kind == T_PTR ? t->elem : &type_none;

	if (to->kind == T_STRUCT && *to->name) {
		const struct type *known = kernel_type(c, C_STRUCT, to->name);

		if (known)
			to = known;
	}
	return t->kind == T_PTR ? type_ptr(c->tt, to, AS_KERNEL) : t;
}

/* Why no script can call it, in words, or NULL. */
static const char *refusal(struct compiler *c, const struct foreign *f)
{
	if (f->nparams > FOREIGN_ARGS)
		return "it has more than five parameters";
	for (int i = 0; i < f->nparams; i++)
		if (!is_word(f->params[i].type))
			return arena_printf(c->arena, "its parameter %s is of type %s",
					    *f->params[i].name ? f->params[i].name : "",
					    type_text(c, f->params[i].type));
	if (f->ret->kind != T_NONE && !is_word(f->ret))
		return arena_printf(c->arena, "it returns %s", type_text(c, f->ret));
	return NULL;
}

static void give_types(struct compiler *c, struct foreign *f, const struct btf *btf)
{
	f->typed = true;
	f->nparams = f->btf_id ? btf_func_params(c->tt, btf, f->btf_id, f->params,
						 FOREIGN_ARGS + 1, &f->ret)
			       : -1;
	if (f->nparams < 0) {
		f->why = "the file does not say its types (compile it with -g)";
		return;
	}
	if (f->ret->kind == T_NONE)
		f->row.flags |= BI_STMT;
	f->why = refusal(c, f);
	f->ret = kernel_result(c, f->ret);
}

/* --- linking ------------------------------------------------------------------------------ */

/* Bytes below r10 that one function uses: what it accesses, and what it makes pointers to. */
static uint32_t frame_size(const struct bpf_insn *insns, uint32_t n)
{
	bool frame[MAX_BPF_REG] = { [BPF_REG_10] = true };
	int32_t low = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct bpf_insn *p = &insns[i];
		unsigned class = BPF_CLASS(p->code);
		unsigned address = class == BPF_LDX ? p->src_reg : p->dst_reg;

		if ((class == BPF_LDX || class == BPF_ST || class == BPF_STX) &&
		    address == BPF_REG_10 && p->off < low)
			low = p->off;
		if (p->code == (BPF_ALU64 | BPF_MOV | BPF_X) && p->src_reg == BPF_REG_10)
			frame[p->dst_reg] = true;
		if (p->code == (BPF_ALU64 | BPF_ADD | BPF_K) && frame[p->dst_reg] &&
		    p->imm < low)
			low = p->imm;
	}
	return low < -STACK_ALL ? STACK_ALL : (uint32_t)-low;
}

/*
 * All frames of an image at once: an upper bound of what calls within it can come to.  What is
 * less than that fits beside more of the script.
 */
static uint32_t stack_bound(const struct image *img)
{
	uint32_t sum = 0;

	for (uint32_t k = 0; k < img->nfuncs; k++) {
		uint32_t end = k + 1 < img->nfuncs ? img->funcs[k + 1] : img->ninsns;
		uint32_t size = frame_size(img->insns + img->funcs[k], end - img->funcs[k]);

		sum += (size ? size + STACK_UNIT - 1 : STACK_UNIT) / STACK_UNIT * STACK_UNIT;
	}
	return sum < STACK_ALL - STACK_FOR_SCRIPT ? sum : STACK_ALL - STACK_FOR_SCRIPT;
}

/* Addresses of maps become relocations. */
static void find_relocs(struct arena *a, struct image *img)
{
	img->relocs = arena_array(a, struct reloc, img->ninsns);
	for (uint32_t i = 0; i + 1 < img->ninsns; i++) {
		const struct bpf_insn *p = &img->insns[i];

		if (!insn_is_wide(p))
			continue;
		if (p->src_reg == BPF_PSEUDO_MAP_FD || p->src_reg == BPF_PSEUDO_MAP_VALUE)
			img->relocs[img->nrelocs++] = (struct reloc){
				.insn = i,
				.map = (uint32_t)p->imm,
				.off = (uint32_t)p[1].imm,
				.kind = p->src_reg == BPF_PSEUDO_MAP_FD ? RELOC_MAP
									: RELOC_VALUE,
			};
		i++;
	}
}

/* A file of C as messages quote it: the lines that the object has the text of. */
struct quoted {
	const char *file;
	uint32_t base;	  /* its place among all sources */
	uint32_t *starts; /* of its lines */
};

static bool is_quotable(const struct bpf_object_line *l, const char *file)
{
	return l->line && l->line <= LINES_MAX && !strcmp(l->file, file);
}

static void quote_file(struct compiler *c, const struct bpf_object_prog *prog, struct quoted *q)
{
	auto_sb struct sb all = {};
	uint32_t last = 0;

	vec_each(l, &prog->lines)
		if (is_quotable(l, q->file) && l->line > last)
			last = l->line;
	if (!last)
		return;
	const char **texts = arena_array(c->arena, const char *, last + 1);
	vec_each(l, &prog->lines)
		if (is_quotable(l, q->file))
			texts[l->line] = l->text;
	q->starts = arena_array(c->arena, uint32_t, last + 1);
	for (uint32_t i = 1; i <= last; i++) {
		q->starts[i] = (uint32_t)all.len;
		sb_printf(&all, "%s\n", texts[i] ? texts[i] : "");
	}
	q->base = sources_add(c->sources, q->file, sb_str(&all), all.len)->base;
}

/* What the verifier says of an instruction is said of its line in C, where that is known. */
static void find_places(struct compiler *c, const struct bpf_object_prog *prog,
			struct image *img)
{
	VEC(struct quoted) files = {};

	for (uint32_t i = 0; i < img->ninsns; i++) {
		const struct bpf_object_line *l = bpf_object_line_of(prog, i);
		size_t k = 0;

		if (!l || !is_quotable(l, l->file) || !*l->text)
			continue;
		while (k < files.len && strcmp(files.data[k].file, l->file) != 0)
			k++;
		if (k == files.len) {
			vec_push(c->arena, &files, (struct quoted){ .file = l->file });
			quote_file(c, prog, &files.data[k]);
		}
		const struct quoted *q = &files.data[k];
		uint32_t from = q->base + q->starts[l->line];
		img->spans[i] = (struct span){ from, from + (uint32_t)strlen(l->text) };
	}
}

static void link_function(struct compiler *c, struct foreign *f)
{
	struct bpf_object_prog prog;
	struct image *img = &f->image;
	struct err e = {};

	f->linked = true;
	if (bpf_object_link(f->object->file, f->row.name, &prog, &e)) {
		f->why = arena_strdup(c->arena, e.msg);
		return;
	}
	*img = (struct image){ .name = f->row.name,
			       .insns = prog.insns,
			       .ninsns = prog.n,
			       .spans = arena_array(c->arena, struct span, prog.n),
			       .funcs = prog.funcs,
			       .nfuncs = prog.nfuncs };
	for (uint32_t i = 0; i < prog.n; i++)
		img->spans[i] = f->span;
	find_places(c, &prog, img);
	find_relocs(c->arena, img);
	img->stack_size = stack_bound(img);
	for (uint32_t i = 0; i < img->nrelocs; i++) {
		const struct bpf_object_map *m =
			&f->object->content.maps.data[img->relocs[i].map - 1];

		if (m->inner)
			f->why = arena_printf(c->arena, "its map %s holds maps", m->name);
	}
}

/* The kernel takes letters, digits, '_' and '.'. */
static const char *map_name(struct arena *a, const char *name)
{
	enum { LENGTH = 15 };
	char *s = arena_strndup(a, name, strnlen(name, LENGTH));

	for (char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.')
			*p = '_';
	return s;
}

static uint32_t place_map(struct foreign_object *o, uint32_t number)
{
	struct compiler *c = o->c;
	const struct bpf_object_map *m = &o->content.maps.data[number - 1];
	bool constant = m->data && !strncmp(m->name, ".rodata", 7);

	while (o->kmaps.len < number)
		vec_push(c->arena, &o->kmaps, 0);
	if (!o->kmaps.data[number - 1]) {
		o->kmaps.data[number - 1] = (uint32_t)c->plan->kmaps.len;
		vec_push(c->arena, &c->plan->kmaps,
			 (struct plan_kmap){
				 .name = map_name(c->arena, m->name),
				 .type = m->type,
				 .key_size = m->key_size,
				 .value_size = m->value_size,
				 .max_entries = m->max_entries,
				 .flags = m->flags | (constant ? BPF_F_RDONLY_PROG : 0),
				 .init = m->data,
			 });
	}
	return o->kmaps.data[number - 1];
}

void foreign_place(struct compiler *c, struct foreign *f)
{
	(void)c;
	for (uint32_t i = 0; i < f->image.nrelocs && !f->placed; i++)
		f->image.relocs[i].map = place_map(f->object, f->image.relocs[i].map);
	f->placed = true;
}

/* --- calls -------------------------------------------------------------------------------- */

struct foreign *foreign_find(const struct unit *u, const char *name)
{
	for (struct foreign *f = u->c->foreigns; f; f = f->next)
		if (f->object && !strcmp(f->row.name, name))
			return f;
	return NULL;
}

bool foreign_is_allowed(const struct unit *u, uint32_t btf_id)
{
	const struct group *g = u->when == PROG_ATTACHED ? u->group : NULL;

	return u->unplaced || probe_kernel_call(u->c->opt->env, g, btf_id) != 0;
}

static struct foreign *add_of_kernel(struct compiler *c, const char *name, uint32_t id)
{
	struct foreign *f = arena_new(c->arena, struct foreign);

	f->row.name = name;
	f->btf_id = id;
	f->next = c->foreigns;
	c->foreigns = f;
	return f;
}

struct foreign *foreign_of_kernel(const struct unit *u, const char *name)
{
	struct compiler *c = u->c;
	const struct btf *btf = kernel_btf(c->tt, NULL);
	uint32_t id;

	for (struct foreign *f = c->foreigns; f; f = f->next)
		if (!f->object && !strcmp(f->row.name, name))
			return f;
	id = btf ? btf_find(btf, BTF_FUNCS, name) : 0;
	if (!id || (strncmp(name, "bpf_", 4) != 0 && !foreign_is_allowed(u, id)))
		return NULL;
	return add_of_kernel(c, name, id);
}

/* Why this program cannot call it, in words, or NULL. */
static const char *why_not(struct unit *u, const struct foreign *f)
{
	if (f->why || f->object || foreign_is_allowed(u, f->btf_id))
		return f->why;
	if (u->c->opt->env->no_kernel)
		return "the machine in user space has no functions of the kernel";
	return arena_printf(u->c->arena, "the kernel does not let programs of %s call it",
			    u->group->provider->name);
}

/* May the value at that address be what the pointer says? Of bytes it is always. */
static bool is_such_memory(const struct type *to, const struct type *t)
{
	return to->size <= 1 || t->size >= to->size;
}

/* Pointers take anything that is one, or lies in memory; integers what is a number. */
static bool check_arg(struct unit *u, const struct foreign *f, int i, struct expr *arg)
{
	const struct type *want = f->params[i].type, *t = check_value(u, arg);
	struct compiler *c = u->c;

	if (type_is_error(t))
		return false;
	if (want->kind == T_PTR && !type_is_scalar(t) ? is_such_memory(want->elem, t)
	    : want->kind == T_PTR		      ? is_word(t)
						      : type_is_integral(t))
		return true;
	diag(c->dx, E0302_ARG_TYPE, arg->span,
	     arena_printf(c->arena, "%s() expects %s for its parameter %s (%s provided)",
			  f->row.name, type_text(c, want), f->params[i].name, type_text(c, t)));
	return false;
}

static bool check_args(struct unit *u, struct expr *e, const struct foreign *f)
{
	bool ok = true;

	if (e->nargs != (unsigned)f->nparams) {
		diag(u->c->dx, E0301_ARITY, e->span,
		     arena_printf(u->c->arena, "%s() requires %d argument%s (%u provided)",
				  f->row.name, f->nparams, f->nparams == 1 ? "" : "s",
				  e->nargs));
		return false;
	}
	for (int i = 0; i < f->nparams; i++)
		ok &= check_arg(u, f, i, e->args[i]);
	return ok;
}

static uint32_t number_of(struct unit *u, struct foreign *f)
{
	for (size_t i = 0; i < u->foreigns.len; i++)
		if (u->foreigns.data[i] == f)
			return (uint32_t)i;
	vec_push(u->c->arena, &u->foreigns, f);
	return (uint32_t)u->foreigns.len - 1;
}

static ref as_type(struct irb *b, const struct type *t, ref v)
{
	if (type_is_integral(t) && t->size < 8)
		return ir_ext(b, t->is_signed && t->kind != T_BOOL, t->size, v);
	return v;
}

static ref lower_arg(struct unit *u, const struct type *want, struct expr *arg)
{
	if (!type_is_scalar(arg->type))
		return lower_addr(u, arg);
	if (arg->kind == E_UNARY && arg->op == UN_ADDR)
		return lower_address_kept(u, arg);
	return as_type(&u->b, want, lower_scalar(u, arg));
}

static ref lower_foreign(struct unit *u, struct expr *e)
{
	struct foreign *f = e->data;
	struct irb *b = &u->b;
	ref args[FOREIGN_ARGS];

	for (int i = 0; i < f->nparams; i++)
		args[i] = lower_arg(u, f->params[i].type, e->args[i]);
	u->c->plan->calls_kernel |= !f->object;
	int64_t callee = f->object ? CALL_FOREIGN + number_of(u, f) : CALL_KERNEL + f->btf_id;
	ref r = ir_call_other(b, callee, (unsigned)f->nparams, args);
	return f->ret->kind == T_NONE ? 0 : as_type(b, f->ret, r);
}

const struct type *foreign_check_call(struct unit *u, struct expr *e, struct foreign *f)
{
	if (!f->typed)
		give_types(u->c, f, f->object ? f->object->btf : kernel_btf(u->c->tt, NULL));
	if (!f->why && f->object && !f->linked)
		link_function(u->c, f);
	const char *why = why_not(u, f);
	if (why) {
		diag(u->c->dx, E0158_FOREIGN, e->span, f->row.name, why);
		return &type_error;
	}
	f->row.lower = lower_foreign;
	e->builtin = &f->row;
	e->data = f;
	return check_args(u, e, f) ? f->ret : &type_error;
}
