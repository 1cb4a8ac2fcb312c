/*
 * The form of a program: what can be told without running or proving anything.
 */
#include "vm/vm.h"

#include <errno.h>
#include <stdlib.h>

static int bad(const struct vm_prog *prog, uint32_t i, struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "%s: instruction %u: %s", prog->name, i, what);
}

static int check_target(const struct vm_prog *prog, uint32_t i, int64_t distance, struct err *e)
{
	int64_t target = (int64_t)i + 1 + distance;

	if (target < 0 || target >= prog->n)
		return bad(prog, i, e, "jumps out of the program");
	if (target > 0 && insn_is_wide(&prog->insns[target - 1]) &&
	    prog->ops[target].id == VM_OP_NONE)
		return bad(prog, i, e, "jumps into the middle of a 64-bit immediate");
	return 0;
}

/* What a 64-bit immediate means here. */
static int decode_wide(struct vm_prog *prog, uint32_t i, struct err *e)
{
	const struct bpf_insn *p = &prog->insns[i];
	struct vm_op *op = &prog->ops[i];
	uint32_t id = (uint32_t)p->imm;

	op[1].id = VM_OP_NONE;
	if (op->id == INSN_LDDW) {
		op->imm = (int64_t)insn_imm64(p);
		return 0;
	}
	if (op->id == INSN_LDDW_VAR)
		return bad(prog, i, e, "kernel variables are not supported");
	if (op->id == INSN_LDDW_FUNC) {
		prog->takes_address = prog->uses_stack = true;
		op->jump = p->imm; /* until targets are checked */
		return 0;
	}

	bool by_index = op->id == INSN_LDDW_IDX || op->id == INSN_LDDW_IDXVAL;
	struct vm_map *m = vm_map(prog->vm, by_index ? id + 1ull : id);
	if (!m)
		return err_set(e, -ENOENT, "%s: instruction %u: there is no map %u", prog->name,
			       i, id);
	op->imm = (int64_t)(uintptr_t)m;
	if (op->id == INSN_LDDW_MAP || op->id == INSN_LDDW_IDX)
		return 0;
	if (m->def.type != BPF_MAP_TYPE_ARRAY || (uint32_t)p[1].imm >= m->def.value_size)
		return bad(prog, i, e, "points outside of a value of an array");
	op->imm = (int64_t)(uintptr_t)(m->mem + (uint32_t)p[1].imm);
	return 0;
}

static int decode_call(struct vm_prog *prog, uint32_t i, struct err *e)
{
	struct vm_op *op = &prog->ops[i];
	uint32_t id = (uint32_t)prog->insns[i].imm;
	const struct vm_helper *h = vm_helper(prog->vm, id);

	if (op->id == INSN_CALL_BTF)
		return bad(prog, i, e, "calls a kernel function, which is not supported");
	if (!h) {
		const struct helper *known = helper_by_id(id);

		return err_set(e, -ENOENT, "%s: instruction %u: helper %u%s%s is not there",
			       prog->name, i, id, known ? " bpf_" : "",
			       known ? known->name : "");
	}
	if (!h->fn) {
		op->id = VM_OP_TAIL;
		prog->uses_stack = true; /* the program it goes to may */
	}
	op->imm = (int64_t)(uintptr_t)h->fn;
	op->jump = (int32_t)h->flags;
	return 0;
}

static bool writes_frame(const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code);

	if (class == BPF_STX && BPF_MODE(p->code) == BPF_ATOMIC) {
		bool fetches = p->imm & BPF_FETCH && p->imm != BPF_CMPXCHG;

		return p->imm == INSN_LOAD_ACQ ? p->dst_reg == BPF_REG_10
					       : fetches && p->src_reg == BPF_REG_10;
	}
	return p->dst_reg == BPF_REG_10 &&
	       (class == BPF_ALU || class == BPF_ALU64 || class == BPF_LDX || class == BPF_LD);
}

static int decode_one(struct vm_prog *prog, uint32_t i, struct err *e)
{
	const struct bpf_insn *p = &prog->insns[i];
	struct vm_op *op = &prog->ops[i];
	enum insn_id id = insn_find(p, prog->n - i);

	if (id == INSN_COUNT)
		return err_set(e, -EINVAL,
			       "%s: instruction %u: unknown opcode 0x%02x or a reserved "
			       "field that is not 0",
			       prog->name, i, p->code);
	if (id == INSN_MAY_GOTO)
		return bad(prog, i, e, "may_goto is not supported");
	if (id == INSN_CAST_SPACE || id == INSN_CAST_PERCPU)
		return bad(prog, i, e, "casts between address spaces are not supported");
	if (writes_frame(p))
		return bad(prog, i, e, "writes to r10, which is read only");
	*op = (struct vm_op){ .id = (uint8_t)id,
			      .dst = p->dst_reg,
			      .src = p->src_reg,
			      .jump = p->off,
			      .imm = p->imm };
	prog->uses_stack |= p->dst_reg == BPF_REG_10 || p->src_reg == BPF_REG_10;
	if (insn_is_wide(p))
		return decode_wide(prog, i, e);
	if (id == INSN_CALL || id == INSN_CALL_BTF)
		return decode_call(prog, i, e);
	if (id == INSN_JA32 || id == INSN_CALL_LOCAL)
		op->jump = p->imm;
	return 0;
}

static bool is_jump(const struct bpf_insn *p)
{
	unsigned class = BPF_CLASS(p->code), what = BPF_OP(p->code);

	return (class == BPF_JMP || class == BPF_JMP32) && what != BPF_EXIT &&
	       (what != BPF_CALL || p->code == (BPF_JMP | BPF_CALL));
}

/* Targets, once all slots are decoded; marks where functions start. */
static int check_targets(struct vm_prog *prog, struct err *e)
{
	prog->is_entry[0] = true;
	for (uint32_t i = 0; i < prog->n; i++) {
		struct vm_op *op = &prog->ops[i];

		if (op->id == VM_OP_NONE || op->id == INSN_CALL || op->id == VM_OP_TAIL ||
		    (op->id != INSN_LDDW_FUNC && !is_jump(&prog->insns[i])))
			continue;
		int ret = check_target(prog, i, op->jump, e);
		if (ret)
			return ret;
		if (op->id == INSN_CALL_LOCAL || op->id == INSN_LDDW_FUNC)
			prog->is_entry[i + 1 + op->jump] = true;
		if (op->id == INSN_LDDW_FUNC)
			op->imm = (int64_t)(uintptr_t)&prog->ops[i + 1 + op->jump];
	}
	return 0;
}

bool *vm_jump_targets(const struct vm_prog *prog)
{
	bool *is_target = xcalloc(prog->n + 1u, sizeof(*is_target));

	for (uint32_t i = 0; i < prog->n; i++) {
		const struct vm_op *op = &prog->ops[i];

		if (op->id != VM_OP_NONE && is_jump(&prog->insns[i]) && op->id != INSN_CALL &&
		    op->id != VM_OP_TAIL && op->id != INSN_CALL_LOCAL)
			is_target[(int64_t)i + 1 + op->jump] = true;
	}
	return is_target;
}

/*
 * A call takes as many steps as its function has slots: what it may execute without a jump
 * back, so that the budget bounds the run however functions call each other.
 */
static void price_calls(struct vm_prog *prog)
{
	for (uint32_t i = 0; i < prog->n; i++) {
		struct vm_op *op = &prog->ops[i];

		if (op->id == INSN_CALL_LOCAL)
			op->imm = vm_function_slots(prog, i + 1 + (uint32_t)op->jump);
	}
}

/* --- several at once --- */

enum { FUSED_MAX = 4 };

static const struct {
	uint8_t run, n, ids[FUSED_MAX];
} FUSED[] = {
#define SEQUENCE(name, n, ...) { VM_FUSED_##name, n, { __VA_ARGS__ } },
#include "vm/fused.def"
};

/* What the interpreter does at i: all but the first of several must work on r0. */
static uint8_t run_at(const struct vm_prog *prog, uint32_t i)
{
	const struct vm_op *op = &prog->ops[i];

	for (unsigned k = 0; k < sizeof(FUSED) / sizeof(*FUSED); k++) {
		unsigned n = FUSED[k].n, fits = op->id == FUSED[k].ids[0];

		while (fits && fits < n && i + fits < prog->n &&
		       op[fits].id == FUSED[k].ids[fits] &&
		       !(op[fits].id == INSN_MOV32_X ? op[fits].src : op[fits].dst))
			fits++;
		if (fits == n)
			return FUSED[k].run;
	}
	return op->id;
}

int vm_decode(struct vm_prog *prog, struct err *e)
{
	for (uint32_t i = 0; i < prog->n; i += insn_is_wide(&prog->insns[i]) ? 2 : 1) {
		int ret = decode_one(prog, i, e);
		if (ret)
			return ret;
	}

	unsigned last = prog->ops[prog->n - 1].id;
	if (last != INSN_EXIT && last != INSN_JA && last != INSN_JA32)
		return bad(prog, prog->n - 1, e, "the last one must be exit or a jump");
	int ret = check_targets(prog, e);
	if (!ret)
		price_calls(prog);
	for (uint32_t i = 0; i < prog->n; i++)
		prog->ops[i].run = run_at(prog, i);
	return ret;
}
