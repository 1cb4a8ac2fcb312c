/*
 * The machine on arbitrary programs: the loader refuses them or they run, by interpreter and by
 * JIT alike; what the verifier accepts touches no memory that it may not.
 *
 * The first byte says what the bytes are: instructions as they are, or numbers from which
 * instructions are made that have a chance to be loaded.
 */
#include "bpf/insn.h"
#include "scry_vm.h"

#include "base/arena.h"
#include "base/err.h"

#include <errno.h>
#include <string.h>

enum { MAX = 64, MEMORY = 32, STEPS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A field that must be 0 is made 0; jumps stay inside. */
static struct bpf_insn make_insn(const uint8_t *p, uint32_t i, uint32_t n)
{
	const struct insn_row *row = insn_row((enum insn_id)(p[0] % INSN_COUNT));
	struct bpf_insn q = { row->code, p[1] % 11 & 0xf, p[2] % 11 & 0xf,
			      (int16_t)(int8_t)p[3], (int8_t)p[4] };
	unsigned class = BPF_CLASS(row->code);

	if (row->select == SEL_OFF)
		q.off = (int16_t)row->value;
	if (row->select == SEL_IMM)
		q.imm = row->value;
	if (row->select == SEL_SRC)
		q.src_reg = row->value & 0xf;
	if (class == BPF_JMP || class == BPF_JMP32)
		q.off = (int16_t)(p[3] % (n - i) - (p[3] & 0x80 ? i / 2 : 0));
	for (unsigned k = 0; k < 4 && insn_find(&q, 1) == INSN_COUNT; k++) {
		if (k == 0)
			q.imm = 0;
		else if (k == 1)
			q.src_reg = 0;
		else if (k == 2)
			q.off = 0;
		else
			q.dst_reg = 0;
	}
	if (insn_find(&q, 1) == INSN_COUNT)
		q = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				       .dst_reg = p[1] % 10 };
	return q;
}

static uint32_t make_program(const uint8_t *data, size_t size, struct bpf_insn *insns)
{
	uint32_t n = 0, count = (uint32_t)(size / 5);

	if (count > MAX - 2)
		count = MAX - 2;
	insns[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	for (uint32_t i = 0; i < count; i++)
		insns[n++] = make_insn(data + 5 * (size_t)i, i, count);
	insns[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return n;
}

/*
 * Both engines meet the same memory and stack at the same addresses: what was not verified may
 * decide by them where to go.
 */
static __attribute__((noinline)) int run(struct scry_vm *vm, int prog, unsigned flags,
					 struct scry_vm_result *out, uint8_t after[MEMORY])
{
	static uint8_t mem[MEMORY];
	struct scry_vm_input in = {
		.mem = mem, .mem_size = MEMORY, .flags = flags, .steps = STEPS
	};

	for (unsigned i = 0; i < MEMORY; i++)
		mem[i] = (uint8_t)(i * 37);
	int ret = scry_vm_run(vm, prog, &in, out);
	memcpy(after, mem, MEMORY);
	return ret;
}

/* What differs from run to run: time, chance, and what a helper leaves in r1 ... r5. */
static bool repeats(const struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg != 1)
			return false;
		if (insns[i].code == (BPF_JMP | BPF_CALL | BPF_X))
			return false;
	}
	return true;
}

static void compare(struct scry_vm *vm, int prog, bool accepted, bool exact)
{
	struct scry_vm_result a = { 0 }, b = { 0 };
	uint8_t mem_a[MEMORY], mem_b[MEMORY];
	int ret_a = run(vm, prog, SCRY_VM_INTERPRET, &a, mem_a);

	if (accepted && ret_a && ret_a != -ELOOP)
		BUG("verified, and yet: %s", a.words);
	if (scry_vm_jit(vm, prog, 0))
		return;
	int ret_b = run(vm, prog, 0, &b, mem_b);
	if (!exact)
		return;
	if (ret_a != ret_b || a.insn != b.insn || a.steps_left != b.steps_left)
		BUG("interpreter: %d at %u, JIT: %d at %u", ret_a, a.insn, ret_b, b.insn);
	if (!ret_a && (a.r0 != b.r0 || memcmp(mem_a, mem_b, MEMORY) != 0))
		BUG("interpreter: %llx, JIT: %llx", (unsigned long long)a.r0,
		    (unsigned long long)b.r0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scry_vm_program info = { "fuzz", SCRY_VM_MEMORY, MEMORY };
	struct scry_vm_verdict verdict;
	struct bpf_insn insns[MAX] = { 0 };
	uint32_t n;

	if (size < 2)
		return 0;
	if (data[0] & 1) {
		n = make_program(data + 1, size - 1, insns);
	} else {
		n = (uint32_t)((size - 1) / sizeof(*insns));
		n = n < MAX ? n : MAX;
		memcpy(insns, data + 1, n * sizeof(*insns));
	}

	struct scry_vm *vm = scry_vm_new();
	scry_vm_map_add(vm, &(struct scry_vm_map){ BPF_MAP_TYPE_ARRAY, 4, 16, 4 });
	scry_vm_map_add(vm, &(struct scry_vm_map){ BPF_MAP_TYPE_HASH, 4, 16, 4 });
	int prog = scry_vm_load(vm, insns, n, &info);
	if (prog > 0)
		compare(vm, prog, !scry_vm_verify(vm, prog, &verdict), repeats(insns, n));
	scry_vm_free(vm);
	return 0;
}
