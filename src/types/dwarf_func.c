/*
 * Locations are programs of a stack machine (DWARF 5, section 2.5 and 2.6).  Those of
 * parameters come in few shapes, and a probe can follow only these: they are kept as data, not
 * run.
 */
#include "types/dwarf_func.h"

#include "base/auto.h"
#include "types/dwarf_class.h"

#include <string.h>

enum { PARAMS_MAX = 64, LISTS_MAX = 4 };

struct param_reader {
	struct typetab *tt;
	struct dwarf_types *types;
	const struct dwarf_scope *at;
	VEC(struct dwarf_param) params;
};

static struct dwarf_place nowhere(const char *why)
{
	return (struct dwarf_place){ .kind = DWARF_NOWHERE, .why = why };
}

/* "DW_OP_reg5", "DW_OP_regx 5"; false: something else. */
static bool is_reg(const Dwarf_Op *op, unsigned *reg)
{
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31)
		*reg = op->atom - DW_OP_reg0;
	else if (op->atom == DW_OP_regx)
		*reg = (unsigned)op->number;
	else
		return false;
	return true;
}

static bool is_breg(const Dwarf_Op *op, unsigned *reg, int64_t *off)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		*reg = op->atom - DW_OP_breg0;
		*off = (int64_t)op->number;
		return true;
	}
	*reg = (unsigned)op->number;
	*off = (int64_t)op->number2;
	return op->atom == DW_OP_bregx;
}

static bool is_number(const Dwarf_Op *op, int64_t *n)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		*n = op->atom - DW_OP_lit0;
	else if (op->atom >= DW_OP_const1u && op->atom <= DW_OP_consts)
		*n = (int64_t)op->number;
	else
		return false;
	return true;
}

static bool has_cfa(const struct param_reader *r, struct dwarf_place *p)
{
	if (!r->at->frame.has_cfa)
		return false;
	p->reg = r->at->frame.cfa_reg;
	p->off = r->at->frame.cfa_off;
	return true;
}

/* The frame base as a register and an offset from it. */
static bool frame_base(const struct param_reader *r, struct dwarf_place *p)
{
	Dwarf_Die func = r->at->func;
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	size_t n;

	if (!dwarf_attr_integrate(&func, DW_AT_frame_base, &a) ||
	    dwarf_getlocation_addr(&a, r->at->pc, &ops, &n, 1) != 1 || n != 1)
		return false;
	p->off = 0;
	if (ops->atom == DW_OP_call_frame_cfa)
		return has_cfa(r, p);
	return is_reg(ops, &p->reg) || is_breg(ops, &p->reg, &p->off);
}

/* Addresses wrap around, and a damaged file may make them. */
static void add(struct dwarf_place *p, uint64_t n)
{
	p->off = (int64_t)((uint64_t)p->off + n);
}

/* The first operation, which puts an address or a number on the stack. */
static bool start(const struct param_reader *r, const Dwarf_Op *op, struct dwarf_place *p)
{
	int64_t n;

	p->kind = DWARF_MEMORY;
	if (op->atom == DW_OP_fbreg) {
		if (!frame_base(r, p))
			return false;
		add(p, op->number);
		return true;
	}
	if (op->atom == DW_OP_call_frame_cfa)
		return has_cfa(r, p);
	if (is_breg(op, &p->reg, &p->off))
		return true;
	if (!is_number(op, &n))
		return false;
	p->kind = DWARF_CONST;
	p->off = n;
	return true;
}

/* The operations behind it. Returns false at one that is not understood. */
static bool go_on(const Dwarf_Op *ops, size_t n, struct dwarf_place *p)
{
	int64_t x;

	for (size_t i = 1; i < n; i++) {
		bool is_pair = i + 1 < n && is_number(&ops[i], &x);

		if (ops[i].atom == DW_OP_plus_uconst && !p->is_ref) {
			add(p, ops[i].number);
		} else if (is_pair && !p->is_ref && ops[i + 1].atom == DW_OP_plus) {
			add(p, (uint64_t)x);
			i++;
		} else if (is_pair && !p->is_ref && ops[i + 1].atom == DW_OP_minus) {
			add(p, -(uint64_t)x);
			i++;
		} else if (ops[i].atom == DW_OP_deref && p->kind == DWARF_MEMORY &&
			   !p->is_ref) {
			p->is_ref = true;
		} else if (ops[i].atom == DW_OP_stack_value && i + 1 == n) {
			/* What was fetched from there is the value itself. */
			if (p->kind == DWARF_MEMORY && !p->is_ref)
				p->kind = DWARF_SUM;
			p->is_ref = false;
			return true;
		} else {
			return false;
		}
	}
	return p->kind == DWARF_MEMORY;
}

/* The word of a register as it was when the function was entered. */
static bool is_entry_value(const Dwarf_Op *op, unsigned *reg, Dwarf_Attribute *a)
{
	Dwarf_Op *inner;
	Dwarf_Attribute block;
	size_t n;

	return (op->atom == DW_OP_entry_value || op->atom == DW_OP_GNU_entry_value) &&
	       !dwarf_getlocation_attr(a, op, &block) &&
	       !dwarf_getlocation(&block, &inner, &n) && n == 1 && is_reg(inner, reg);
}

/* Whole words in registers, of which the last one may be a part. */
static struct dwarf_place read_pieces(const Dwarf_Op *ops, size_t n)
{
	static const enum dwarf_place_kind kinds[] = { DWARF_NOWHERE, DWARF_REG, DWARF_PAIR,
						       DWARF_TRIPLE };
	struct dwarf_place p = {};
	unsigned *const regs[] = { &p.reg, &p.reg2, &p.reg3 };
	size_t words = n / 2;
	bool is_it = n % 2 == 0 && words <= 3;

	for (size_t i = 0; is_it && i < words; i++) {
		const Dwarf_Op *op = &ops[2 * i];

		is_it = is_reg(&op[0], regs[i]) && op[1].atom == DW_OP_piece &&
			(i + 1 == words ? op[1].number <= 8 : op[1].number == 8);
	}
	if (!is_it)
		return nowhere("it was taken to pieces by the optimiser");
	p.kind = kinds[words];
	return p;
}

static bool has_piece(const Dwarf_Op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ops[i].atom == DW_OP_piece || ops[i].atom == DW_OP_bit_piece)
			return true;
	return false;
}

static struct dwarf_place read_place(const struct param_reader *r, Dwarf_Attribute *a,
				     const Dwarf_Op *ops, size_t n)
{
	struct dwarf_place p = {};
	Dwarf_Block block;

	if (!n)
		return nowhere("it was optimised out");
	if (has_piece(ops, n))
		return read_pieces(ops, n);
	if (n == 1 && is_reg(ops, &p.reg)) {
		p.kind = DWARF_REG;
		return p;
	}
	if (ops->atom == DW_OP_implicit_value && n == 1) {
		p.kind = DWARF_CONST;
		if (dwarf_getlocation_implicit_value(a, ops, &block) || block.length > 8)
			return nowhere("it is a constant that does not fit a register");
		memcpy(&p.off, block.data, block.length);
		return p;
	}
	if (is_entry_value(ops, &p.reg, a)) {
		p.kind = DWARF_REG;
		return r->at->frame.is_entry ? p : nowhere("its value was not kept up to here");
	}
	if (ops->atom == DW_OP_implicit_pointer || ops->atom == DW_OP_GNU_implicit_pointer)
		return nowhere("what it points to was optimised out");
	if (ops->atom == DW_OP_fbreg && !frame_base(r, &p))
		return nowhere("it lies in a frame whose place is not known here");
	if (start(r, ops, &p) && go_on(ops, n, &p))
		return p;
	return nowhere("it is computed in a way that a probe cannot follow");
}

/*
 * Is the frame counted from a register as it will be behind the prologue? LLVM says so of the
 * stack pointer, for a whole function.
 */
static bool has_late_base(const struct param_reader *r)
{
	Dwarf_Die func = r->at->func;
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	size_t n;

	return dwarf_attr_integrate(&func, DW_AT_frame_base, &a) &&
	       !dwarf_getlocation(&a, &ops, &n) && n && ops->atom != DW_OP_call_frame_cfa;
}

/* Does the place lie in the frame that the function has yet to make? */
static bool is_future(const struct param_reader *r, const Dwarf_Op *first,
		      const struct dwarf_place *p)
{
	const struct dwarf_frame *f = &r->at->frame;

	if (!f->is_entry || p->kind != DWARF_MEMORY ||
	    (first->atom != DW_OP_fbreg && first->atom != DW_OP_call_frame_cfa))
		return false;
	if (first->atom == DW_OP_fbreg && has_late_base(r))
		return true;
	return !(f->has_cfa && p->reg == f->cfa_reg && p->off >= f->cfa_off);
}

enum dwarf_abi dwarf_abi_of(Dwarf_Die *func)
{
	static const char *const compilers[] = { "clang", "LLVM", "zig" };
	Dwarf_Attribute a;
	Dwarf_Die unit;
	const char *maker;

	if (!dwarf_diecu(func, &unit, NULL, NULL))
		return DWARF_ABI_UNSURE;
	if (die_number(&unit, DW_AT_language, 0) == DW_LANG_Go)
		return DWARF_ABI_NONE;
	maker = dwarf_formstring(dwarf_attr(&unit, DW_AT_producer, &a));
	for (size_t i = 0; maker && i < sizeof(compilers) / sizeof(*compilers); i++)
		if (strstr(maker, compilers[i]))
			return DWARF_ABI_UNSURE;
	return DWARF_ABI_KEPT;
}

static struct dwarf_place find_place(const struct param_reader *r, Dwarf_Die *param)
{
	struct dwarf_place p = nowhere("it was optimised out");
	Dwarf_Die func = r->at->func;
	Dwarf_Attribute a;
	Dwarf_Op *ops[LISTS_MAX];
	size_t lens[LISTS_MAX];

	/* A function that others can call gets all its arguments, used or not. */
	if (r->at->frame.is_entry && r->at->abi != DWARF_ABI_NONE &&
	    die_flag(&func, DW_AT_external))
		p = (struct dwarf_place){ .kind = DWARF_AT_ENTRY,
					  .is_unsure = r->at->abi == DWARF_ABI_UNSURE };
	if (dwarf_attr(param, DW_AT_const_value, &a)) {
		Dwarf_Sword v;

		return dwarf_formsdata(&a, &v)
			       ? nowhere("it is a constant that does not fit a register")
			       : (struct dwarf_place){ .kind = DWARF_CONST, .off = v };
	}
	if (!dwarf_attr(param, DW_AT_location, &a))
		return p;
	int n = dwarf_getlocation_addr(&a, r->at->pc, ops, lens, LISTS_MAX);
	if (n <= 0)
		return p;

	struct dwarf_place found = read_place(r, &a, ops[0], lens[0]);
	if (is_future(r, ops[0], &found))
		return r->at->abi == DWARF_ABI_NONE
			       ? nowhere("it lies in a frame that is yet to be made")
			       : (struct dwarf_place){ .kind = DWARF_AT_ENTRY };
	return found.kind == DWARF_NOWHERE && p.kind == DWARF_AT_ENTRY ? p : found;
}

static void add_param(struct param_reader *r, Dwarf_Die *die, struct dwarf_place place)
{
	const char *name = die_name(die);

	if (r->params.len >= PARAMS_MAX)
		return;
	vec_push(r->tt->arena, &r->params,
		 (struct dwarf_param){
			 .name = name ? arena_strdup(r->tt->arena, name) : "",
			 .type = dwarf_type_of(r->tt, r->types, die),
			 .die = *die,
			 .place = place,
			 .is_by_ref = dwarf_passed_by_ref(die),
		 });
}

/* Is it, or is it an instance of, the parameter of the abstract function? */
static bool is_instance(Dwarf_Die *die, Dwarf_Die *abstract)
{
	Dwarf_Die origin;

	return die->addr == abstract->addr ||
	       (die_ref(die, DW_AT_abstract_origin, &origin) && origin.addr == abstract->addr);
}

static bool find_instance(Dwarf_Die *func, Dwarf_Die *abstract, Dwarf_Die *out)
{
	if (!die_first(func, out))
		return false;
	do {
		if (is_instance(out, abstract))
			return true;
	} while (die_next(out));
	return false;
}

/*
 * A function of which copies were inlined is described twice: as written, and as it was
 * compiled, which may leave parameters out.
 */
static Dwarf_Die as_written(Dwarf_Die *func)
{
	Dwarf_Die abstract;

	return die_ref(func, DW_AT_abstract_origin, &abstract) ? abstract : *func;
}

unsigned dwarf_params(struct typetab *tt, struct dwarf_types *d, const struct dwarf_scope *at,
		      struct dwarf_param **out)
{
	struct param_reader r = { tt, d, at };
	Dwarf_Die inner = at->inner, whole = as_written(&inner), die, own;

	if (die_first(&whole, &die)) {
		do {
			if (dwarf_tag(&die) != DW_TAG_formal_parameter)
				continue;
			bool found = find_instance(&inner, &die, &own);
			add_param(&r, found ? &own : &die,
				  found ? find_place(&r, &own)
					: nowhere("it was optimised out"));
		} while (die_next(&die));
	}
	*out = r.params.data;
	return (unsigned)r.params.len;
}

void dwarf_print_params(Dwarf_Die *func, void (*fn)(void *arg, const char *text), void *arg)
{
	Dwarf_Die whole = as_written(func), die;

	if (!die_first(&whole, &die))
		return;
	do {
		const char *name = die_name(&die);
		auto_sb struct sb text = {};

		if (dwarf_tag(&die) != DW_TAG_formal_parameter || !name)
			continue;
		dwarf_print_type_of(&die, &text);
		sb_printf(&text, " %s", name);
		fn(arg, sb_str(&text));
	} while (die_next(&die));
}
