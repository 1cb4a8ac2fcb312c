#include "vm/verify.h"

#include "bpf/disasm.h"

#include "base/auto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT_PER_INSN = 32, KEEP_DISTANCE = 8 };

const char *v_type_name(enum vtype t)
{
	static const char *const NAMES[] = {
		[V_NONE] = "nothing",
		[V_SCALAR] = "a number",
		[V_CTX] = "the context",
		[V_STACK] = "a pointer to the stack",
		[V_MAP] = "a map",
		[V_FUNC] = "the address of a function",
		[V_MAP_OR_NULL] = "a map or null",
		[V_VALUE] = "a map value",
		[V_VALUE_OR_NULL] = "a map value or null",
		[V_KEY] = "a key of a map",
		[V_PACKET] = "a pointer into the packet",
		[V_PACKET_END] = "the end of the packet",
		[V_MEM] = "memory",
		[V_RECORD] = "a ring buffer record",
		[V_RECORD_OR_NULL] = "a ring buffer record or null",
	};
	return NAMES[t];
}

int v_reject(struct verifier *v, const char *fmt, ...)
{
	struct scry_vm_verdict *out = v->verdict;
	auto_sb struct sb words = { 0 };
	va_list ap;

	out->insn = v->cur->insn;
	sb_printf(&words, "instruction %u (", out->insn);
	bpf_disasm(&words, v->prog->insns, v->prog->n, out->insn, NULL);
	sb_puts(&words, "): ");
	va_start(ap, fmt);
	sb_vprintf(&words, fmt, ap);
	va_end(ap);
	snprintf(out->words, sizeof(out->words), "%s", sb_str(&words));
	return -EACCES;
}

/* --- where paths meet --- */

/* A way from a kept state was walked to its end. */
static void end_of_way(struct vseen *s)
{
	while (s && --s->branches == 0)
		s = s->parent;
}

/* Keeps few states per instruction: the oldest goes, but still counts the ways from it. */
static void drop_oldest(struct vseen **list)
{
	struct vseen **oldest = list;
	unsigned n = 0;

	for (struct vseen **s = list; *s; s = &(*s)->next, n++)
		oldest = s;
	if (n <= KEPT_PER_INSN)
		return;
	vstate_free((*oldest)->state);
	(*oldest)->state = NULL;
	*oldest = NULL;
}

static void keep(struct verifier *v)
{
	struct vseen *s = arena_new(&v->arena, struct vseen), **list = &v->seen[v->cur->insn];

	s->state = vstate_copy(v->cur);
	s->branches = 1;
	s->parent = v->cur->parent;
	s->next = *list;
	*list = s;
	v->cur->parent = s;
	v->verdict->states++;
	v->since_kept = 0;
	drop_oldest(list);
}

/* Looks for an earlier state that answers for this one: 1 when there is, -EACCES for a loop. */
static int meet(struct verifier *v)
{
	struct vstate *cur = v->cur;
	bool calls_back = v_calls_back(&v->prog->insns[cur->insn]);

	for (struct vseen *s = v->seen[cur->insn]; s; s = s->next) {
		/* Turns of a callback end by themselves, so one like an earlier one adds
		 * nothing. */
		if (s->branches && !calls_back) {
			if (vstate_within(v, cur, s->state, true))
				return v_reject(
					v, "the loop comes back here without any change: it "
					   "would never end");
		} else if (vstate_within(v, cur, s->state, false)) {
			return 1;
		}
	}
	if (calls_back || v->since_kept >= KEEP_DISTANCE || !v->seen[cur->insn])
		keep(v);
	return 0;
}

/* --- instructions --- */

static int step_wide(struct verifier *v, const struct bpf_insn *p)
{
	const struct vm_op *op = &v->prog->ops[v->cur->insn];
	struct vreg *dst = v_reg(v, p->dst_reg);

	v->cur->insn++;
	if (op->id == INSN_LDDW) {
		vreg_scalar(dst, range_const((uint64_t)op->imm));
		return 0;
	}
	if (op->id == INSN_LDDW_FUNC) {
		*dst = (struct vreg){ .type = V_FUNC,
				      .size = v->cur->insn + (uint32_t)op->jump,
				      .range = range_const(0) };
		return 0;
	}
	bool index = op->id == INSN_LDDW_IDX || op->id == INSN_LDDW_IDXVAL;
	bool value = op->id == INSN_LDDW_VALUE || op->id == INSN_LDDW_IDXVAL;
	*dst = (struct vreg){ .type = value ? V_VALUE : V_MAP,
			      .off = value ? p[1].imm : 0,
			      .map = vm_map(v->prog->vm, (uint32_t)p->imm + (uint64_t)index),
			      .range = range_const(0) };
	return 0;
}

/* Legacy packet access: r6 is the context, r0 the result; a packet too short ends the program.
 */
static int step_packet(struct verifier *v, const struct bpf_insn *p)
{
	unsigned context = v->prog->info.context;

	if (context != SCRY_VM_SOCKET && context != SCRY_VM_CLASSIFIER)
		return v_reject(v, "packets are accessed like this by socket filters only");
	if (v->cur->nframes > 1 || v->cur->nrefs)
		return v_reject(v,
				"packets cannot be accessed like this in functions, or while "
				"records are not given back");
	if (v_reg(v, BPF_REG_6)->type != V_CTX || v_reg(v, BPF_REG_6)->off)
		return v_reject(v, "r6 must be the context");
	if (BPF_MODE(p->code) == BPF_IND) {
		int ret = v_need(v, p->src_reg);
		if (ret)
			return ret;
		if (v_is_pointer(v_reg(v, p->src_reg)))
			return v_reject(v, "r%u is not a number", p->src_reg);
	}
	for (unsigned r = BPF_REG_1; r <= BPF_REG_5; r++)
		vreg_none(v_reg(v, r));
	vreg_scalar(v_reg(v, BPF_REG_0), range_up_to(UINT32_MAX));
	return 0;
}

static int step_call_local(struct verifier *v, const struct vm_op *op)
{
	struct vstate *s = v->cur;

	if (s->nframes == BPF_CALL_DEPTH)
		return v_reject(v, "more than %d functions on the stack", BPF_CALL_DEPTH);
	uint32_t entry = s->insn + 1 + (uint32_t)op->jump;
	struct vframe *f = vframe_new(entry, s->nframes);
	f->ret = s->insn + 1;
	for (unsigned r = BPF_REG_1; r <= BPF_REG_5; r++) {
		f->regs[r] = *v_reg(v, r);
		vreg_none(v_reg(v, r));
	}
	vreg_none(v_reg(v, BPF_REG_0));
	s->frames[s->nframes++] = f;
	s->insn = entry - 1;
	return 0;
}

/* Returns 1 at the end of the program. */
static int step_exit(struct verifier *v)
{
	struct vstate *s = v->cur;
	struct vframe *f = v_frame(v);
	struct vreg r0 = f->regs[BPF_REG_0];

	if (f->called_back)
		return v_callback_exit(v);
	if (s->nframes > 1) {
		/* One to the caller's own would be valid; the kernel takes none. */
		if (r0.type == V_STACK)
			return v_reject(v, "gives a pointer to the stack to its caller");
		s->insn = f->ret - 1;
		free(f);
		s->nframes--;
		*v_reg(v, BPF_REG_0) = r0;
		return 0;
	}
	int ret = v_need(v, BPF_REG_0);
	if (ret)
		return ret;
	if (v_is_pointer(&r0))
		return v_reject(v, "r0, the result, is %s", v_type_name(r0.type));
	if (s->nrefs)
		return v_reject(v, "ends while %u records are not given back", s->nrefs);
	return 1;
}

/* The way that learns less goes first: what it allows then covers the other one. */
static bool taken_learns_less(const struct bpf_insn *p)
{
	return BPF_OP(p->code) == BPF_JSET || BPF_OP(p->code) == BPF_JNE;
}

static void walk_later(struct verifier *v, struct vstate *s)
{
	if (s->parent)
		s->parent->branches++;
	vec_push(NULL, &v->pending, s);
}

static int step_branch(struct verifier *v, const struct bpf_insn *p, const struct vm_op *op)
{
	struct vstate *taken = NULL, *later;
	uint32_t here = v->cur->insn;
	int way, ret = v_branch(v, p, &way, &taken);

	if (ret)
		return ret;
	if (way == 1)
		v->cur->insn += (uint32_t)op->jump;
	if (!taken)
		return 0;

	taken->insn = here + 1 + (uint32_t)op->jump;
	later = taken;
	if (taken_learns_less(p)) {
		later = v->cur;
		later->insn = here + 1;
		v->cur = taken;
		vstate_pack(later);
		vstate_unpack(taken);
		v->cur->insn--; /* the walk steps over this instruction */
	}
	walk_later(v, later);
	return 0;
}

static int step_helper(struct verifier *v, const struct bpf_insn *p, const struct vm_op *op)
{
	struct vstate *done = NULL;
	int ret = v_call(v, op, (uint32_t)p->imm);

	if (!ret && v_calls_back(p))
		ret = v_callback_enter(v, helper_by_id((uint32_t)p->imm), &done);
	if (done)
		walk_later(v, done);
	return ret;
}

static int step_jump(struct verifier *v, const struct bpf_insn *p, const struct vm_op *op)
{
	switch (op->id) {
	case INSN_JA:
	case INSN_JA32: v->cur->insn += (uint32_t)op->jump; return 0;
	case INSN_EXIT: return step_exit(v);
	case INSN_CALL_LOCAL: return step_call_local(v, op);
	case INSN_CALL:
	case INSN_CALLX:
	case VM_OP_TAIL: return step_helper(v, p, op);
	default: return step_branch(v, p, op);
	}
}

/* One instruction; insn is left at the next one. Returns 1 when the path ends well. */
static int step(struct verifier *v)
{
	const struct bpf_insn *p = &v->prog->insns[v->cur->insn];
	const struct vm_op *op = &v->prog->ops[v->cur->insn];
	int ret = 0;

	switch (BPF_CLASS(p->code)) {
	case BPF_ALU:
	case BPF_ALU64: ret = v_alu(v, p); break;
	case BPF_JMP:
	case BPF_JMP32: ret = step_jump(v, p, op); break;
	case BPF_LDX: ret = v_load(v, p); break;
	case BPF_ST: ret = v_store(v, p); break;
	case BPF_STX:
		ret = BPF_MODE(p->code) == BPF_ATOMIC ? v_atomic(v, p) : v_store(v, p);
		break;
	case BPF_LD: ret = insn_is_wide(p) ? step_wide(v, p) : step_packet(v, p); break;
	}
	v->cur->insn++;
	return ret;
}

/* --- the walk --- */

static int walk_path(struct verifier *v)
{
	for (;;) {
		if (v->verdict->visited++ >= V_MAX_VISITS)
			return v_reject(
				v,
				"the program is too complex: %d instructions were looked "
				"at, all paths together",
				V_MAX_VISITS);
		v->since_kept++;
		if (v->is_join[v->cur->insn]) {
			int ret = meet(v);
			if (ret)
				return ret;
		}
		int ret = step(v);
		if (ret)
			return ret;
	}
}

static int walk(struct verifier *v)
{
	for (;;) {
		int ret = walk_path(v);

		if (ret < 0)
			return ret;
		end_of_way(v->cur->parent);
		if (!v->pending.len)
			return 0;
		vstate_free(v->cur);
		v->cur = v->pending.data[--v->pending.len];
		vstate_unpack(v->cur);
		v->since_kept = 0;
	}
}

static void set_arguments(struct verifier *v)
{
	const struct scry_vm_program *info = &v->prog->info;
	struct vreg *r1 = v_reg(v, BPF_REG_1);

	if (info->context != SCRY_VM_MEMORY) {
		*r1 = (struct vreg){ .type = V_CTX, .range = range_const(0) };
		return;
	}
	vreg_scalar(r1, range_const(0));
	if (info->context_size)
		*r1 = (struct vreg){ .type = V_MEM,
				     .size = info->context_size,
				     .range = range_const(0) };
	vreg_scalar(v_reg(v, BPF_REG_2), range_const(info->context_size));
}

static void verifier_init(struct verifier *v, const struct vm_prog *prog,
			  struct scry_vm_verdict *verdict)
{
	*v = (struct verifier){ .prog = prog, .verdict = verdict };
	v->seen = arena_array(&v->arena, struct vseen *, prog->n);
	v->live = arena_array(&v->arena, uint16_t, prog->n);
	v->needed = arena_array(&v->arena, uint16_t, prog->n);
	v->function = arena_array(&v->arena, uint32_t, prog->n);
	v->depth = arena_array(&v->arena, uint32_t, prog->n);
	v->is_join = arena_array(&v->arena, bool, prog->n);
	v->cur = xcalloc(1, sizeof(*v->cur));
	v->cur->frames[0] = vframe_new(0, 0);
	v->cur->nframes = 1;
	set_arguments(v);
}

static void verifier_fini(struct verifier *v)
{
	vstate_free(v->cur);
	vec_each(s, &v->pending)
		vstate_free(*s);
	vec_free(&v->pending);
	for (uint32_t i = 0; i < v->prog->n; i++) {
		for (struct vseen *s = v->seen[i]; s; s = s->next)
			vstate_free(s->state);
	}
	arena_free(&v->arena);
}

int scry_vm_verify(struct scry_vm *vm, int prog, struct scry_vm_verdict *verdict)
{
	const struct vm_prog *p = vm_prog(vm, (uint64_t)prog);
	struct verifier v;

	*verdict = (struct scry_vm_verdict){ 0 };
	if (!p) {
		snprintf(verdict->words, sizeof(verdict->words), "there is no program %d",
			 prog);
		return err_set(&vm->err, -ENOENT, "%s", verdict->words);
	}
	verifier_init(&v, p, verdict);
	int ret = v_flow(&v);
	if (!ret)
		ret = walk(&v);
	if (!ret) {
		uint32_t counted = v_stack_depth(&v, true);

		verdict->stack = v_stack_depth(&v, false);
		if (counted > BPF_STACK_SIZE) {
			v.cur->insn = 0;
			ret = v_reject(
				&v,
				"functions that call each other take %u bytes of stack, each "
				"a multiple of 32, and %d are allowed",
				counted, BPF_STACK_SIZE);
		}
	}
	verifier_fini(&v);
	verdict->accepted = !ret;
	return ret;
}
