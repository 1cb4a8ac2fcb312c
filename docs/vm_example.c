/*
 * Counts the bytes of a message by their value, in a BPF program, without a kernel.
 *
 *	cc -o vm_example docs/vm_example.c -lscry
 */
#include "scry_vm.h"

#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

/* r1 points to one byte of the message: map[byte] += 1. */
static const struct bpf_insn PROGRAM[] = {
	{ BPF_LDX | BPF_MEM | BPF_B, 3, 1, 0, 0 },    /* r3 = *(u8 *)(r1 +0) */
	{ BPF_STX | BPF_MEM | BPF_W, 10, 3, -4, 0 },  /* *(u32 *)(r10 -4) = r3 */
	{ BPF_LD | BPF_IMM | BPF_DW, 1, 1, 0, 1 },    /* r1 = map 1 */
	{ 0 },					      /* (its second half) */
	{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0 }, /* r2 = r10 */
	{ BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4 }, /* r2 += -4 */
	{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
	{ BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 0 },   /* if r0 == 0 goto +2 */
	{ BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1 }, /* r1 = 1 */
	{ BPF_STX | BPF_ATOMIC | BPF_DW, 0, 1, 0, BPF_ADD },
	{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 }, /* r0 = 0 */
	{ BPF_JMP | BPF_EXIT },
};

static int count(struct scry_vm *vm, int prog, char *message)
{
	struct scry_vm_result result;

	for (char *c = message; *c; c++) {
		struct scry_vm_input in = { .mem = c, .mem_size = 1 };

		if (scry_vm_run(vm, prog, &in, &result)) {
			fprintf(stderr, "%s\n", result.words);
			return 1;
		}
	}
	return 0;
}

int main(void)
{
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_ARRAY, 4, 8, 256, .name = "bytes" };
	struct scry_vm_program info = { "count", SCRY_VM_MEMORY, 1 };
	struct scry_vm_verdict verdict;
	char message[] = "hello, world";
	unsigned long long n;

	int map = scry_vm_map_add(vm, &def);
	int prog = map < 0 ? map : scry_vm_load(vm, PROGRAM, sizeof(PROGRAM) / 8, &info);
	if (prog < 0) {
		fprintf(stderr, "%s\n", scry_vm_error(vm));
		return 1;
	}
	if (scry_vm_verify(vm, prog, &verdict)) {
		fprintf(stderr, "%s\n", verdict.words);
		return 1;
	}
	if (scry_vm_jit(vm, prog, 0)) /* without a JIT the program is interpreted */
		fprintf(stderr, "%s\n", scry_vm_error(vm));
	int failed = count(vm, prog, message);
	for (unsigned key = 0; !failed && key < 256; key++) {
		if (!scry_vm_map_lookup(vm, map, &key, &n) && n)
			printf("%c %llu\n", key, n);
	}
	scry_vm_free(vm);
	return failed;
}
