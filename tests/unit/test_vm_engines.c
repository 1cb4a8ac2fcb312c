/*
 * Any instructions at all, in random order: interpreter and JIT end alike, whatever the program
 * does.
 */
#include "scry_vm.h"
#include "vm_random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A random encoding of any row that needs nothing of its surroundings but a jump's distance. */
static void put_any(struct program *p)
{
	enum insn_id id = (enum insn_id)pick(INSN_COUNT);
	const struct insn_row *row = insn_row(id);
	unsigned class = BPF_CLASS(row->code);
	struct bpf_insn i = { .code = row->code, .imm = number() };

	if (strchr(row->text[0], '{') || class == BPF_LD || id == INSN_CALL ||
	    id == INSN_CALLX || id == INSN_CALL_BTF || id == INSN_MAY_GOTO ||
	    id == INSN_CAST_SPACE || id == INSN_CAST_PERCPU || id == INSN_CALL_LOCAL)
		return;
	i.dst_reg = pick(10) & 0xf;
	i.src_reg = pick(11) & 0xf;
	if (class == BPF_LDX || class == BPF_STX || class == BPF_ST) {
		/* Mostly at places that exist: r10 and r9, a pointer into the context. */
		unsigned base = pick(4) ? (pick(2) ? 10 : 9) : pick(11);
		i.off = (int16_t)(base == 10 ? -8 * (int)(1 + pick(66)) : (int)pick(70) - 2);
		if (class == BPF_LDX) {
			i.src_reg = base & 0xf;
			i.dst_reg = pick(9) & 0xf;
		} else {
			i.dst_reg = base & 0xf;
			i.src_reg = pick(10) & 0xf;
		}
		if (row->value == INSN_LOAD_ACQ) {
			i.dst_reg = pick(9) & 0xf;
			i.src_reg = base & 0xf;
		}
	}
	if (row->select == SEL_OFF)
		i.off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		i.imm = row->value;
	if (class == BPF_JMP || class == BPF_JMP32)
		i.off = (int16_t)(pick(12) - 3);
	if (id == INSN_JA32)
		i.imm = (int32_t)pick(12) - 3, i.off = 0;
	p->insns[p->n++] = i;
}

/* Clears the fields that the instruction must leave 0. */
static void make_canonical(struct program *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		static const struct bpf_insn KEEP;
		struct bpf_insn *q = &p->insns[i];

		for (unsigned k = 0; k < 4 && insn_find(q, 1) == INSN_COUNT; k++) {
			if (k == 0)
				q->imm = KEEP.imm;
			else if (k == 1)
				q->src_reg = 0;
			else if (k == 2)
				q->off = 0;
			else
				q->dst_reg = 0;
		}
		if (insn_find(q, 1) == INSN_COUNT)
			*q = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	}
}

static void any_program(struct program *p)
{
	p->n = 0;
	for (unsigned r = 0; r < 9; r++)
		if (r != 1 && r != 2)
			put(p, BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, number());
	put(p, BPF_ALU64 | BPF_MOV | BPF_X, 9, 1, 0, 0);
	for (unsigned n = 10 + pick(60); n; n--)
		put_any(p);
	put(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	make_canonical(p);
	for (uint32_t i = 0; i < p->n; i++) {
		struct bpf_insn *q = &p->insns[i];
		unsigned class = BPF_CLASS(q->code);
		int last = (int)p->n - 1 - (int)i - 1;

		if ((class != BPF_JMP && class != BPF_JMP32) || q->code == (BPF_JMP | BPF_EXIT))
			continue;
		int32_t d = q->code == (BPF_JMP32 | BPF_JA) ? q->imm : q->off;
		d = d > last ? last : d;
		d = d < -(int)i - 1 ? 0 : d;
		if (q->code == (BPF_JMP32 | BPF_JA))
			q->imm = d;
		else
			q->off = (int16_t)d;
	}
}

struct outcome {
	int ret;
	struct scry_vm_result out;
	uint8_t mem[64];
};

static void run_with(struct scry_vm *vm, int prog, unsigned flags, uint8_t *mem,
		     struct outcome *o)
{
	struct scry_vm_input in = { .mem = mem, .mem_size = 64, .flags = flags, .steps = 2000 };

	for (unsigned i = 0; i < 64; i++)
		mem[i] = (uint8_t)(i * 37);
	o->ret = scry_vm_run(vm, prog, &in, &o->out);
	memcpy(o->mem, mem, 64);
}

static void interpreter_and_jit_agree_on_anything(void **state)
{
	(void)state;
	unsigned ends[2] = { 0, 0 };

	start_random();
	for (unsigned n = rounds(4000); n; n--) {
		struct scry_vm *vm = scry_vm_new();
		struct outcome a, b;
		struct program p;
		uint8_t mem[64];

		any_program(&p);
		int prog = scry_vm_load(vm, p.insns, p.n, NULL);
		if (prog < 0) {
			print_program(&p);
			fail_msg("%s", scry_vm_error(vm));
		}
		assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
		run_with(vm, prog, SCRY_VM_INTERPRET, mem, &a);
		run_with(vm, prog, 0, mem, &b);
		ends[a.ret != 0]++;
		if (a.ret != b.ret || (!a.ret && a.out.r0 != b.out.r0) ||
		    a.out.insn != b.out.insn || a.out.steps_left != b.out.steps_left ||
		    memcmp(a.mem, b.mem, 64)) {
			print_program(&p);
			fail_msg("interpreter %d %s 0x%llx, JIT %d %s 0x%llx", a.ret,
				 a.out.words, (unsigned long long)a.out.r0, b.ret, b.out.words,
				 (unsigned long long)b.out.r0);
		}
		scry_vm_free(vm);
	}
	print_message("%u programs ended well, %u by a fault\n", ends[0], ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interpreter_and_jit_agree_on_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
