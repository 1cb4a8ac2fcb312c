/*
 * Builtins about the kernel's symbols.
 */
#include "builtin/symbol.h"

#include "builtin/builtin.h"
#include "kernel/kallsyms.h"

#include <string.h>

struct sought {
	const char *name;
	uint64_t addr;
	bool found;
};

static bool consider(void *arg, const struct kallsym *s)
{
	struct sought *k = arg;

	if (strcmp(s->name, k->name) != 0)
		return true;
	k->addr = s->addr;
	k->found = true;
	return false;
}

bool symbol_find(struct unit *u, struct span span, const char *name, uint64_t *addr)
{
	struct compiler *c = u->c;
	struct sought k = { .name = name };
	struct err e = {};

	*addr = 0;
	if (!c->final) /* the list is long: it is read once */
		return true;
	if (kallsyms_each(NULL, consider, &k, &e)) {
		diag_hint(diag(c->dx, E0302_ARG_TYPE, span, e.msg), "%s", e.hint);
		return false;
	}
	*addr = k.addr;
	if (k.found)
		return true;
	diag_hint(
		diag(c->dx, E0302_ARG_TYPE, span,
		     arena_printf(c->arena, "the kernel has no symbol named %s", name)),
		"%s does not list variables when the kernel is built without CONFIG_KALLSYMS_ALL",
		"/proc/kallsyms");
	return false;
}

static const char offsets_name[] = "__per_cpu_offset";

bool percpu_find(struct unit *u, struct span span, struct percpu *p)
{
	return symbol_find(u, span, offsets_name, &p->offsets);
}

bool percpu_is_known(struct percpu *p)
{
	struct sought k = { .name = offsets_name };
	struct err e = {};
	int failed = kallsyms_each(NULL, consider, &k, &e);

	p->offsets = k.addr;
	return !failed && k.addr;
}

ref percpu_address(struct unit *u, const struct percpu *p, ref variable, ref cpu)
{
	struct irb *b = &u->b;
	ref entry = ir_bin(b, OP_ADD, ir_const(b, (int64_t)p->offsets),
			   ir_bin(b, OP_SHL, cpu, ir_const(b, 3)));
	struct place at = place_of_pointer(u, entry, AS_KERNEL);
	ref off = read_scalar(u, &at, type_int(u->c->tt, 8, false), NULL, b->span);

	return ir_bin(b, OP_ADD, variable, off);
}

static bool check_kaddr(struct unit *u, struct expr *e)
{
	const char *name;
	size_t len;
	uint64_t addr;

	literal_text(u, e->args[0], &name, &len);
	if (!symbol_find(u, e->args[0]->span, name, &addr))
		return false;
	set_const(u->c, e, (int64_t)addr, addr > INT64_MAX);
	e->type = type_int(u->c->tt, 8, false);
	return true;
}

struct percpu_use {
	struct percpu percpu;
	uint64_t variable;
};

static bool check_percpu_kaddr(struct unit *u, struct expr *e)
{
	struct typetab *tt = u->c->tt;
	struct percpu_use *use = arena_new(u->c->arena, struct percpu_use);
	const char *name;
	size_t len;

	literal_text(u, e->args[0], &name, &len);
	e->data = use;
	e->type = type_ptr(tt, type_int(tt, 8, false), AS_KERNEL);
	return symbol_find(u, e->args[0]->span, name, &use->variable) &&
	       percpu_find(u, e->span, &use->percpu);
}

static ref lower_percpu_kaddr(struct unit *u, struct expr *e)
{
	const struct percpu_use *use = e->data;
	struct irb *b = &u->b;
	ref variable = ir_const(b, (int64_t)use->variable);

	if (e->nargs < 2)
		return percpu_address(u, &use->percpu, variable,
				      ir_call(b, BPF_FUNC_get_smp_processor_id, 0));

	/* A CPU that cannot exist has no copy: a null pointer. */
	ref cpu = lower_scalar(u, e->args[1]);
	blkid ok = ir_block(b), bad = ir_block(b), done = ir_block(b);
	ir_br(b, ir_bin(b, OP_ULT, cpu, ir_const(b, u->c->opt->ncpus)), ok, bad);
	ir_start(b, ok);
	ref at = percpu_address(u, &use->percpu, variable, cpu);
	ir_jmp(b, done);
	ir_start(b, bad);
	ref null = ir_const(b, 0);
	ir_jmp(b, done);
	ir_start(b, done);
	return ir_phi(b, 2, (ref[]){ at, null });
}

BUILTINS(symbol) = {
	{ "kaddr", "? kaddr(lit)", 0, check_kaddr, .doc = "The address of a kernel symbol." },
	{ "percpu_kaddr", "? percpu_kaddr(lit, [int])", 0, check_percpu_kaddr,
	  .lower = lower_percpu_kaddr,
	  .doc = "The address of a CPU's copy of a per-CPU variable, a uint64 *." },
	{ 0 },
};
