#include "vm/jit.h"

#include <errno.h>

#ifdef __x86_64__

/* What a leaf keeps for C, in the order it was pushed. */
static void leaf_save(struct jit *j)
{
	for (unsigned k = 0; k < j->leaf->nsaved; k++)
		x86_push(&j->c, j->leaf->saved[k]);
}

static void leaf_restore(struct jit *j)
{
	for (unsigned k = j->leaf->nsaved; k-- > 0;)
		x86_pop(&j->c, j->leaf->saved[k]);
}

static bool jit_check(struct scry_vm_run *run, uint64_t addr, size_t size, bool write)
{
	return vm_check(run, addr, size, write);
}

/* Are size bytes at r11 in a range of the run's? pos: jumps to be taken when not. */
void jit_range_check(struct jit *j, int32_t start, int32_t len, unsigned size, size_t pos[2])
{
	struct x86_code *c = &j->c;

	x86_rr(c, true, X86_MOV, R10, R11);
	x86_rm(c, X86_SUB, R10, R12, start);
	x86_ri(c, true, X86_ADD, R10, (int32_t)size);
	pos[0] = x86_jcc(c, CC_B); /* the sum wrapped around: below the range */
	x86_rm(c, X86_CMP, R10, R12, len);
	pos[1] = x86_jcc(c, CC_A);
}

/* What the program's end leaves of the budget that a register held. */
static void put_steps(struct jit *j)
{
	if (j->steps)
		x86_mr(&j->c, 8, X86_MOV, R12, RUN(steps), j->steps);
}

void jit_exit(struct jit *j)
{
	if (j->leaf)
		leaf_restore(j);
	put_steps(j); /* with functions of its own no register holds it */
	x86_ret(&j->c);
}

/*
 * void entry(struct scry_vm_run *run, uint64_t r1, uint64_t r2): keeps what C wants back of the
 * registers that the program names, and an even number of them so that rsp stays aligned.
 */
static void emit_entry(struct jit *j)
{
	static const uint8_t KEPT[] = { RBX, R13, R14, R15 }; /* r6 ... r9 */
	static const uint8_t CLEAR[] = { RAX, RDX, RCX, R8, RBX, R13, R14, R15 };
	struct x86_code *c = &j->c;
	uint8_t kept[6] = { R12, RBP };
	unsigned n = 2;

	for (unsigned k = 0; k < 4; k++) {
		if (j->used >> (BPF_REG_6 + k) & 1)
			kept[n++] = KEPT[k];
	}
	if (n % 2)
		kept[n++] = R15;
	for (unsigned k = 0; k < n; k++)
		x86_push(c, kept[k]);
	x86_rr(c, true, X86_MOV, R12, RDI);
	x86_rr(c, true, X86_MOV, RDI, RSI);
	x86_rr(c, true, X86_MOV, RSI, RDX);
	for (unsigned k = 0; k < sizeof(CLEAR) && j->checked; k++) {
		if (k < 4 || j->used >> (BPF_REG_6 + k - 4) & 1)
			x86_rr(c, false, X86_XOR, CLEAR[k], CLEAR[k]);
	}
	x86_lea(c, RBP, R12, RUN(stack) + VM_STACK_BYTES);
	x86_mr(c, 8, X86_MOV, R12, RUN(native_sp), RSP);
	j->entry_call = x86_call(c);
	x86_mr(c, 8, X86_MOV, R12, RUN(result), RAX);
	while (n--)
		x86_pop(c, kept[n]);
	x86_ret(c);
}

/*
 * From anywhere to behind the call of the entry or callback that is the innermost: its return
 * address is just below the stack pointer that it noted.
 */
static void emit_end(struct jit *j)
{
	struct x86_code *c = &j->c;

	j->end = c->len;
	put_steps(j);
	x86_load(c, 8, false, RSP, R12, RUN(native_sp));
	x86_ri(c, true, X86_SUB, RSP, 8);
	x86_ret(c);
}

/* A function of the program for C; the stack pointer of who runs the program is kept. */
static void emit_callback(struct jit *j)
{
	static const uint8_t KEPT[] = { RBX, RBP, R12, R13, R14, R15 };
	static const uint8_t CLEAR[] = { RAX, R8, RBX, R13, R14, R15 };
	struct x86_code *c = &j->c;

	j->callback = c->len;
	for (unsigned k = 0; k < sizeof(KEPT); k++)
		x86_push(c, KEPT[k]);
	x86_rr(c, true, X86_MOV, R12, RDI);
	x86_rr(c, true, X86_MOV, R10, RSI);
	x86_rr(c, true, X86_MOV, RBP, RCX);
	x86_load(c, 8, false, RAX, R12, RUN(native_sp));
	x86_push(c, RAX);
	x86_push(c, RAX); /* C functions need the stack to be even */
	x86_mr(c, 8, X86_MOV, R12, RUN(native_sp), RSP);
	x86_load(c, 8, false, RDI, RDX, 0);
	x86_load(c, 8, false, RSI, RDX, 8);
	x86_load(c, 8, false, RCX, RDX, 24);
	x86_load(c, 8, false, RDX, RDX, 16);
	for (unsigned k = 0; k < sizeof(CLEAR); k++)
		x86_rr(c, false, X86_XOR, CLEAR[k], CLEAR[k]);
	x86_call_reg(c, R10);
	x86_pop(c, RCX);
	x86_pop(c, RCX);
	x86_mr(c, 8, X86_MOV, R12, RUN(native_sp), RCX);
	for (unsigned k = sizeof(KEPT); k-- > 0;)
		x86_pop(c, KEPT[k]);
	x86_ret(c);
}

/* Asks jit_check() about r11 with r10 = size | write << 8; leaves the flags of the answer. */
static void emit_slow_check(struct jit *j)
{
	static const uint8_t LIVE[] = { RAX, RDI, RSI, RDX, RCX, R8, R11 };
	struct x86_code *c = &j->c;

	j->slow_check = c->len;
	for (unsigned k = 0; k < sizeof(LIVE); k++)
		x86_push(c, LIVE[k]);
	x86_rr(c, true, X86_MOV, RDI, R12);
	x86_rr(c, true, X86_MOV, RSI, R11);
	x86_extend(c, false, 1, false, RDX, R10);
	x86_rr(c, false, X86_MOV, RCX, R10);
	x86_shift(c, false, X86_SHR, RCX, 8);
	jit_call_c(j, jit_check);
	x86_extend(c, false, 1, false, R10, RAX);
	for (unsigned k = sizeof(LIVE); k-- > 0;)
		x86_pop(c, LIVE[k]);
	x86_rr(c, false, X86_TEST, R10, R10);
	x86_ret(c);
}

static void emit_checks(struct jit *j)
{
	struct x86_code *c = &j->c;
	size_t pos[2];

	/* Not the window: the stack, or another memory. */
	vec_each(k, &j->checks) {
		x86_patch(c, k->pos[0], c->len);
		x86_patch(c, k->pos[1], c->len);
		jit_range_check(j, RUN(stack_start), RUN(stack_size), k->size, pos);
		x86_patch(c, x86_jmp(c), k->back);
		x86_patch(c, pos[0], c->len);
		x86_patch(c, pos[1], c->len);
		if (k->to_twin) {
			x86_patch(c, x86_jmp(c), j->twin_starts[k->insn]);
			continue;
		}
		x86_mov_imm(c, R10, k->size | (unsigned)k->write << 8);
		x86_patch(c, x86_call(c), j->slow_check);
		j->i = k->insn;
		jit_fault_at(j, x86_jcc(c, CC_E), -EFAULT);
		x86_patch(c, x86_jmp(c), k->back);
	}
}

/* Ends: what happened and where, then the entry's way out. */
static void emit_faults(struct jit *j)
{
	struct x86_code *c = &j->c;

	vec_each(f, &j->faults) {
		x86_patch(c, f->pos, c->len);
		if (f->error)
			x86_store_imm(c, 4, R12, RUN(fault), f->error);
		x86_store_imm(c, 4, R12, RUN(fault_insn), (int32_t)f->insn);
		x86_mov_imm(c, R11, (uintptr_t)j->prog);
		x86_mr(c, 8, X86_MOV, R12, RUN(prog), R11);
		x86_patch(c, x86_jmp(c), j->end);
	}
}

static void emit_ends(struct jit *j)
{
	struct x86_code *c = &j->c;

	vec_each(pos, &j->zeros)
		x86_patch(c, *pos, c->len);
	x86_rr(c, false, X86_XOR, RAX, RAX);
	if (j->leaf)
		jit_exit(j);
	else
		x86_patch(c, x86_jmp(c), j->end);
	vec_each(pos, &j->ends)
		x86_patch(c, *pos, j->end);
	vec_each(t, &j->targets)
		x86_patch(c, t->pos, (t->in_twin ? j->twin_starts : j->starts)[t->insn]);
}

/* Where tail calls enter a leaf: what C would have handed over is in the run. */
static void emit_leaf_body(struct jit *j)
{
	struct x86_code *c = &j->c;

	j->body = c->len;
	if (j->leaf->reads_packet) {
		x86_load(c, 8, false, LEAF_PACKET, R12, RUN(packet));
		x86_load(c, 8, false, LEAF_SIZE, R12, RUN(packet_size));
	}
	x86_patch(c, x86_jmp(c), 0);
}

/* Aligned, as the instructions that read them want. */
static void emit_constants(struct jit *j)
{
	struct x86_code *c = &j->c;

	while (j->constants.len && c->len % sizeof(j->constants.data->bytes))
		x86_byte(c, 0xcc);
	vec_each(k, &j->constants) {
		x86_patch(c, k->pos, c->len);
		for (unsigned i = 0; i < sizeof(k->bytes); i++)
			x86_byte(c, k->bytes[i]);
	}
}

void jit_begin(struct jit *j)
{
	if (j->leaf) {
		jit_select(j);
		leaf_save(j);
		return;
	}
	emit_entry(j);
	emit_end(j);
	if (j->prog->takes_address)
		emit_callback(j);
	emit_slow_check(j);
	j->body = j->c.len;
	x86_patch(&j->c, j->entry_call, j->body);
	if (j->steps)
		x86_load(&j->c, 8, false, j->steps, R12, RUN(steps));
}

void jit_finish(struct jit *j)
{
	emit_checks(j);
	emit_faults(j);
	emit_ends(j);
	if (j->leaf)
		emit_leaf_body(j);
	emit_constants(j);
}

#endif
