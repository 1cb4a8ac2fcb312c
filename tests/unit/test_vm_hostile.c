/*
 * Hostile input: random bytes and damaged programs into assembler, loader, verifier,
 * interpreter and JIT; many threads on one map. Nothing crashes, hangs or disagrees.
 */
#include "base/auto.h"
#include "bpf/asm.h"
#include "bpf/disasm.h"
#include "scry_vm.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "vm_text.h"

static uint64_t seed = 0xfeedbeefcafe1234ull;

static uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

/* A correct program that uses most of the machine, to be damaged. */
static const char VICTIM[] =
	"r6 = r1; *(u64 *)(r10 -8) = 0; r2 = r10; r2 += -8; r1 = map[id:1]\n"
	"call bpf_map_lookup_elem; if r0 == 0 goto out\n"
	"r7 = r0; r1 = *(u64 *)(r7 +0); r1 &= 7; r7 += r1; r8 = *(u8 *)(r7 +8)\n"
	"r9 = 0; loop: r9 += r8; r8 += 1; if r8 < 300 goto loop\n"
	"r1 = r9; r2 = r10; r2 += -8; call f; lock *(u64 *)(r10 -8) += r0\n"
	"r1 = map[id:2]; r2 = 16; r3 = 0; call bpf_ringbuf_reserve; if r0 == 0 goto out\n"
	"*(u64 *)(r0 +8) = r9; r1 = r0; r2 = 0; call bpf_ringbuf_submit\n"
	"out: r0 = 0; exit\n"
	"f: r0 = *(u64 *)(r2 +0); r0 += r1; r0 s/= 3; exit\n";

static struct scry_vm *new_machine(void)
{
	struct scry_vm_map hash = { BPF_MAP_TYPE_HASH, 8, 16, 8 };
	struct scry_vm_map ring = { BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 };
	struct scry_vm *vm = scry_vm_new();
	uint64_t key = 0, value[2] = { 5, 0x0102030405060708 };

	int id = scry_vm_map_add(vm, &hash);
	scry_vm_map_add(vm, &ring);
	scry_vm_map_update(vm, id, &key, value, 0);
	return vm;
}

/* Verifies and runs whatever loads; verified programs must not fault. */
static void try_program(const struct bpf_insn *insns, uint32_t n, unsigned *ran, unsigned *safe)
{
	struct scry_vm *vm = new_machine();
	struct scry_vm_program info = { .context = SCRY_VM_MEMORY, .context_size = 32 };
	struct scry_vm_verdict verdict;
	struct scry_vm_result a, b;
	auto_sb struct sb text = { 0 };
	uint8_t mem[32] = { 1, 2, 3 };
	struct scry_vm_input in = { .mem = mem, .mem_size = 32, .steps = 5000 };

	for (uint32_t i = 0; i < n;)
		i += bpf_disasm(&text, insns, n, i, NULL);
	int prog = scry_vm_load(vm, insns, n, &info);
	if (prog > 0) {
		bool accepted = !scry_vm_verify(vm, prog, &verdict);
		assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
		in.flags = SCRY_VM_INTERPRET;
		int by_interpreter = scry_vm_run(vm, prog, &in, &a);
		in.flags = 0;
		int by_jit = scry_vm_run(vm, prog, &in, &b);
		if (accepted && (by_interpreter || by_jit) && by_interpreter != -ELOOP)
			fail_msg("accepted, but %s %s", a.words, b.words);
		++*ran;
		*safe += accepted;
	}
	scry_vm_free(vm);
}

static void damaged_programs_do_no_harm(void **state)
{
	(void)state;
	auto_arena struct arena arena = { 0 };
	struct err e = { 0 };
	struct bpf_insn *good, bad[128];
	unsigned ran = 0, safe = 0;
	uint32_t n;

	assert_int_equal(bpf_asm(&arena, VICTIM, strlen(VICTIM), &good, &n, &e), 0);
	try_program(good, n, &ran, &safe);
	assert_int_equal(safe, 1);
	for (unsigned round = 0; round < 700; round++) {
		memcpy(bad, good, n * sizeof(*bad));
		for (unsigned k = 1 + pick(3); k; k--) {
			uint8_t *byte = (uint8_t *)&bad[pick(n)] + pick(8);
			*byte = pick(2) ? *byte ^ (uint8_t)(1u << pick(8)) : (uint8_t)pick(256);
		}
		try_program(bad, pick(10) ? n : 1 + pick(n), &ran, &safe);
	}
	print_message("%u damaged programs ran, %u were still safe\n", ran, safe);
	assert_true(ran > 50);
}

static void random_bytes_are_no_program(void **state)
{
	(void)state;
	unsigned ran = 0, safe = 0;

	for (unsigned round = 0; round < 3000; round++) {
		struct bpf_insn insns[8];

		for (unsigned i = 0; i < sizeof(insns); i++)
			((uint8_t *)insns)[i] = (uint8_t)pick(256);
		try_program(insns, 1 + pick(8), &ran, &safe);
	}
}

static void the_assembler_survives_any_text(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		auto_arena struct arena a = { 0 };
		char text[sizeof(VICTIM)];
		struct bpf_insn *insns;
		struct err e = { 0 };
		uint32_t n;

		memcpy(text, VICTIM, sizeof(text));
		for (unsigned k = 1 + pick(6); k; k--)
			text[pick(sizeof(text) - 1)] =
				(char)(pick(3) ? 32 + pick(96) : pick(256));
		if (bpf_asm(&a, text, pick(sizeof(text)), &insns, &n, &e))
			assert_true(e.msg[0] >= '1' && e.msg[0] <= '9');
	}
}

/* --- threads --- */

enum { THREADS = 4, RUNS = 5000 };

struct worker {
	struct scry_vm *vm;
	int prog;
	unsigned failed;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct scry_vm_result out;

	for (uint64_t i = 0; i < RUNS; i++) {
		uint64_t key = i % 8;
		struct scry_vm_input in = { .mem = &key,
					    .mem_size = 8,
					    .flags = i & 1 ? SCRY_VM_INTERPRET : 0 };
		w->failed += scry_vm_run(w->vm, w->prog, &in, &out) != 0;
	}
	return NULL;
}

static void threads_share_a_map(void **state)
{
	(void)state;
	static const char COUNT[] =
		"r7 = r1; r2 = r1; r1 = map[id:1]; call bpf_map_lookup_elem; if r0 != 0 goto add\n"
		"*(u64 *)(r10 -16) = 0; *(u64 *)(r10 -8) = 0; r2 = r7; r3 = r10; r3 += -16; r4 = 1\n"
		"r1 = map[id:1]; call bpf_map_update_elem\n"
		"r2 = r7; r1 = map[id:1]; call bpf_map_lookup_elem; if r0 == 0 goto out\n"
		"add: r1 = 1; lock *(u64 *)(r0 +0) += r1\n"
		"out: r0 = 0; exit\n";
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	uint64_t sum = 0, value[2];

	struct scry_vm *vm = new_machine();
	int prog = vm_load_text(vm, COUNT, NULL, 0);

	for (unsigned t = 0; t < THREADS; t++) {
		workers[t] = (struct worker){ vm, prog, 0 };
		assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
	}
	for (unsigned t = 0; t < THREADS; t++) {
		pthread_join(threads[t], NULL);
		assert_int_equal(workers[t].failed, 0);
	}
	for (uint64_t key = 0; key < 8; key++) {
		assert_int_equal(scry_vm_map_lookup(vm, 1, &key, value), 0);
		sum += value[0];
	}
	assert_int_equal(sum, THREADS * RUNS + 5);
	scry_vm_free(vm);
}

/* Constants of any width, in every kind of instruction, are not in blinded code. */
static void blinded_code_has_no_constants(void **state)
{
	(void)state;
	static const char TEXT[] =
		"r0 = 0x1234abcd; w0 += 0x1234abcd; r0 ^= 0x1234abcd; r0 *= 0x1234abcd;"
		"r0 /= 0x1234abcd; *(u32 *)(r10 -8) = 0x1234abcd; if r0 == 0x1234abcd goto +1;"
		"if r0 & 0x1234abcd goto +0; r1 = 0x1234abcd1234abcd ll; exit";
	static const uint8_t BYTES[] = { 0xcd, 0xab, 0x34, 0x12 };

	for (unsigned blind = 0; blind <= SCRY_VM_BLIND; blind += SCRY_VM_BLIND) {
		struct scry_vm *vm = scry_vm_new();
		unsigned found = 0;
		size_t size;

		int prog = vm_load_text(vm, TEXT, NULL, blind);
		const uint8_t *code = scry_vm_jit_code(vm, prog, &size);
		for (size_t i = 0; i + sizeof(BYTES) <= size; i++)
			found += !memcmp(code + i, BYTES, sizeof(BYTES));
		assert_int_equal(found, blind ? 0 : 10);
		scry_vm_free(vm);
	}
}

/* How often a program that never ends goes round within so many steps; it counts in its memory.
 */
static uint64_t rounds_within(struct scry_vm *vm, const char *text, uint64_t steps)
{
	static const unsigned ENGINES[] = { SCRY_VM_INTERPRET, 0 };
	uint64_t counted[2];

	int prog = vm_load_text(vm, text, NULL, 0);

	for (unsigned i = 0; i < 2; i++) {
		counted[i] = 0;
		struct scry_vm_input in = {
			.mem = &counted[i], .mem_size = 8, .flags = ENGINES[i], .steps = steps
		};
		struct scry_vm_result out;

		assert_int_equal(scry_vm_run(vm, prog, &in, &out), -ELOOP);
		assert_int_equal(out.r0, 0);
	}
	assert_int_equal(counted[0], counted[1]);
	return counted[0];
}

/* Different keys of 8 bytes that the hash maps put into one bucket. */
static uint64_t colliding_key(uint32_t i)
{
	const uint64_t k1 = 0xff51afd7ed558ccdull, k2 = 0xc4ceb9fe1a85ec53ull;
	uint64_t inv1 = k1, inv2 = k2;

	for (unsigned round = 0; round < 6; round++) {
		inv1 *= 2 - k1 * inv1;
		inv2 *= 2 - k2 * inv2;
	}
	uint32_t low = i << 3;
	uint64_t end = (uint64_t)i << 32 | low | low >> 29, mixed = end * inv2;
	return (mixed ^ mixed >> 32) * inv1 ^ (0x9e3779b97f4a7c15ull ^ 8);
}

static void work_of_helpers_counts_as_steps(void **state)
{
	(void)state;
	enum { KEYS = 4096, BYTES = 1 << 20 };
	struct scry_vm_map hash = { BPF_MAP_TYPE_HASH, 8, 8, 2 * KEYS };
	struct scry_vm_map large = { BPF_MAP_TYPE_ARRAY, 4, BYTES, 2 };
	struct scry_vm *vm = scry_vm_new();
	uint64_t one = 1;

	int id = scry_vm_map_add(vm, &hash);
	scry_vm_map_add(vm, &large);
	for (uint64_t key = 0; key < KEYS; key++)
		assert_int_equal(scry_vm_map_update(vm, id, &key, &one, 0), 0);
	/* A walk that ends at its first key lists them all. */
	assert_in_range(
		rounds_within(
			vm,
			"r6 = r1; r9 = 1; again: lock *(u64 *)(r6 +0) += r9; r1 = map[id:1]\n"
			"lddw r2, func[f]; r3 = 0; r4 = 0\n"
			"call bpf_for_each_map_elem; goto again\n"
			"f: r0 = 1; exit",
			1000000),
		1000000 / KEYS - 5, 1000000 / KEYS + 1);
	/* A megabyte at a time. */
	assert_in_range(rounds_within(vm,
				      "r6 = r1; r9 = 1; again: lock *(u64 *)(r6 +0) += r9\n"
				      "r1 = map[id:2][0]+0; r2 = 1048576; r3 = r1\n"
				      "call bpf_probe_read_kernel; goto again",
				      1000000),
			20, 65);
	/* A bucket with very many keys. */
	static const char LOOKUPS[] =
		"r6 = r1; *(u64 *)(r10 -8) = 5; r9 = 1; again: lock *(u64 *)(r6 +0) += r9; r1 = map[id:1]\n"
		"r2 = r10; r2 += -8; call bpf_map_lookup_elem; goto again";
	uint64_t before = rounds_within(vm, LOOKUPS, 100000);
	for (uint32_t i = 0; i < KEYS; i++) {
		uint64_t key = colliding_key(i);

		assert_int_equal(scry_vm_map_update(vm, id, &key, &one, 0), 0);
	}
	assert_int_equal(before, 100000 / 7 + 1);
	assert_in_range(rounds_within(vm, LOOKUPS, 100000), 100, 100000 / (KEYS / 16));
	scry_vm_free(vm);
}

/* The JIT keeps the budget in a register where one is free and nothing is called. */
static void the_budget_is_exact_wherever_it_is_kept(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int ret;
		uint64_t left, r0;
	} CASES[] = {
		{ "r1 = 10; l: r1 += -1; if r1 != 0 goto l; r0 = 7; exit", 0, 1000 - 9 * 2, 7 },
		/* No register is free. */
		{ "r1 = 10; r2 = 1; r3 = 1; r4 = 1; r5 = 1; r6 = 1; r7 = 1; r8 = 1; r9 = 1;"
		  "l: r1 += -1; if r1 != 0 goto l; r0 = 8; exit",
		  0, 1000 - 9 * 2, 8 },
		{ "l: r1 += 1; goto l", -ELOOP, 0, 0 },
		{ "r1 = 5; l: r1 += -1; if r1 s> -3 goto l; r0 = *(u8 *)(r1 +0); exit", -EFAULT,
		  1000 - 7 * 2, 0 },
		/* Behind the packet's end: 0. */
		{ "r6 = r1; r1 = 5; l: r1 += -1; if r1 != 0 goto l; r0 = *(u8 *)skb[9]; exit",
		  0, 1000 - 4 * 2, 0 },
		/* To program 1, which counts as its 5 slots. */
		{ "r2 = map[id:1]; r3 = 0; call bpf_tail_call; r0 = 1; exit", 0,
		  1000 - 5 - 9 * 2, 7 },
		/* To program 4, which faults. */
		{ "r2 = map[id:1]; r3 = 1; call bpf_tail_call; r0 = 1; exit", -EFAULT,
		  1000 - 5 - 7 * 2, 0 },
	};
	static const unsigned ENGINES[] = { SCRY_VM_INTERPRET, 0 };
	struct scry_vm_map programs = { BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2 };
	struct scry_vm *vm = scry_vm_new();
	uint64_t mem = 0;

	scry_vm_map_add(vm, &programs);
	for (unsigned i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {

		int prog = vm_load_text(vm, CASES[i].text, NULL, 0);

		assert_int_equal(prog, i + 1);
		if (prog == 1 || prog == 4)
			scry_vm_map_update(vm, 1, &(uint32_t){ prog == 4 },
					   &(uint32_t){ (uint32_t)prog }, 0);
		for (unsigned k = 0; k < 2; k++) {
			struct scry_vm_input in = {
				.mem = &mem, .mem_size = 8, .flags = ENGINES[k], .steps = 1000
			};
			struct scry_vm_result out;

			assert_int_equal(scry_vm_run(vm, prog, &in, &out), CASES[i].ret);
			assert_int_equal(out.r0, CASES[i].r0);
			assert_int_equal(out.steps_left, CASES[i].left);
		}
	}
	scry_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blinded_code_has_no_constants),
		cmocka_unit_test(damaged_programs_do_no_harm),
		cmocka_unit_test(random_bytes_are_no_program),
		cmocka_unit_test(the_assembler_survives_any_text),
		cmocka_unit_test(threads_share_a_map),
		cmocka_unit_test(work_of_helpers_counts_as_steps),
		cmocka_unit_test(the_budget_is_exact_wherever_it_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
