/*
 * What the public header promises to those who embed the machine: many runs and packets in one
 * call, maps shared by threads, and code that is never writable and executable at once.
 */
#include "base/auto.h"
#include "bpf/asm.h"
#include "scry_vm.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vm_text.h"

static int load(struct scry_vm *vm, const char *text, enum scry_vm_context context)
{
	struct scry_vm_program info = { "test", context, 0 };

	return vm_load_text(vm, text, &info, 0);
}

/* Adds one to its memory each time; the fourth time it is a fault. */
static void many_runs_stop_at_the_first_error(void **state)
{
	(void)state;
	static const unsigned ENGINES[] = { SCRY_VM_INTERPRET, 0 };
	struct scry_vm *vm = scry_vm_new();
	int prog = load(
		vm,
		"r0 = *(u64 *)(r1 +0); r0 += 1; if r0 == 4 goto bad; *(u64 *)(r1 +0) = r0\n"
		"exit; bad: r2 = 0; r0 = *(u64 *)(r2 +0); exit",
		SCRY_VM_MEMORY);

	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = 0;
		struct scry_vm_input in = { .mem = &n, .mem_size = 8, .flags = ENGINES[i] };
		struct scry_vm_result out;

		assert_int_equal(scry_vm_run_many(vm, prog, &in, 3, &out), 0);
		assert_int_equal(out.r0, 3);
		assert_int_equal(n, 3);
		assert_int_equal(scry_vm_run_many(vm, prog, &in, 5, &out), -EFAULT);
		assert_int_equal(n, 3);
		assert_int_equal(out.insn, 6);
	}
	scry_vm_free(vm);
}

static void many_packets_have_a_result_each(void **state)
{
	(void)state;
	static const unsigned ENGINES[] = { SCRY_VM_INTERPRET, 0 };
	static const uint8_t DATA[][3] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } };
	struct scry_vm *vm = scry_vm_new();
	int prog = load(vm, "r6 = r1; r0 = *(u8 *)skb[2]; exit", SCRY_VM_SOCKET);

	for (unsigned i = 0; i < 2; i++) {
		uint32_t skb[48] = { 3 };
		struct scry_vm_input in = { .flags = ENGINES[i] };
		struct scry_vm_packet packets[4];
		struct scry_vm_result out;

		for (unsigned k = 0; k < 4; k++)
			packets[k] = (struct scry_vm_packet){ skb, sizeof(skb), DATA[k % 3],
							      k < 3 ? 3 : 2, 77 };
		assert_int_equal(scry_vm_run_packets(vm, prog, &in, packets, 4, &out), 0);
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(packets[k].r0, DATA[k][2]);
		/* As in the kernel: what reads behind its packet returns 0. */
		assert_int_equal(packets[3].r0, 0);
	}
	scry_vm_free(vm);
}

/* Of the mappings of this process, none is both; the compiled code's can be executed. */
static void code_is_never_writable_and_executable(void **state)
{
	(void)state;
	static const unsigned FLAGS[] = { 0, SCRY_VM_UNSAFE, SCRY_VM_BLIND };
	struct scry_vm *vm = scry_vm_new();
	int prog = load(vm, "r0 = 7; exit", SCRY_VM_MEMORY);

	for (unsigned i = 0; i < sizeof(FLAGS) / sizeof(*FLAGS); i++) {
		size_t size;
		unsigned found = 0;
		char line[512];

		assert_int_equal(scry_vm_jit(vm, prog, FLAGS[i]), 0);
		uintptr_t code = (uintptr_t)scry_vm_jit_code(vm, prog, &size);
		auto_fclose FILE *maps = fopen("/proc/self/maps", "re");

		assert_non_null(maps);
		while (fgets(line, sizeof(line), maps)) {
			unsigned long start, end;
			char r, w, x;

			if (sscanf(line, "%lx-%lx %c%c%c", &start, &end, &r, &w, &x) != 5)
				continue;
			if (w == 'w' && x == 'x')
				fail_msg("%s", line);
			if (code >= start && code + size <= end) {
				assert_int_equal(w, '-');
				assert_int_equal(x, 'x');
				found++;
			}
		}
		assert_int_equal(found, 1);
	}
	scry_vm_free(vm);
}

/* Adds a run's own number to the sum of the bytes. */
static uint64_t sum_bytes(uint64_t at, uint64_t n, uint64_t c, uint64_t d, uint64_t e,
			  struct scry_vm_run *run)
{
	const uint8_t *p = scry_vm_helper_memory(run, at, n, false);
	uint64_t sum = *(const uint64_t *)scry_vm_helper_user(run);

	(void)c, (void)d, (void)e;
	for (uint64_t i = 0; p && i < n; i++)
		sum += p[i];
	return sum;
}

/* Helpers of one's own know whose run it is; what they may not touch ends the run. */
static void helpers_of_ones_own(void **state)
{
	(void)state;
	static const unsigned ENGINES[] = { SCRY_VM_INTERPRET, 0, SCRY_VM_UNSAFE };
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_verdict verdict;
	struct scry_vm_result out;
	uint8_t bytes[] = { 1, 2, 3 };

	assert_int_equal(scry_vm_helper_add(vm, 1000, "sum", NULL, 0), -EINVAL);
	assert_string_equal(scry_vm_error(vm), "helper 1000: there is no function");
	assert_int_equal(scry_vm_helper_add(vm, 1000, "sum", sum_bytes, 0), 0);
	int prog = load(vm, "call 1000; exit", SCRY_VM_MEMORY);
	assert_int_equal(scry_vm_verify(vm, prog, &verdict), 0);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t number = 100 * i;
		struct scry_vm_input in = { bytes, 3, .flags = ENGINES[i], .user = &number };

		assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		assert_int_equal(out.r0, number + 6);
	}
	int wild = load(vm, "r2 += 1; call 1000; exit", SCRY_VM_MEMORY);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t number = 0;
		struct scry_vm_input in = { bytes, 3, .flags = ENGINES[i], .user = &number };

		assert_int_equal(scry_vm_run(vm, wild, &in, &out), -EFAULT);
		assert_string_equal(out.words,
				    "test: instruction 1: touches memory it may not");
	}
	scry_vm_free(vm);
}

static void what_is_not_there_is_said(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_ARRAY, 4, 8, 1 };
	struct scry_vm_verdict verdict;
	struct scry_vm_result out;

	assert_int_equal(scry_vm_verify(vm, 7, &verdict), -ENOENT);
	assert_string_equal(verdict.words, "there is no program 7");
	assert_int_equal(scry_vm_run(vm, 7, &(struct scry_vm_input){ 0 }, &out), -ENOENT);
	assert_string_equal(out.words, "there is no program 7");
	assert_int_equal(scry_vm_jit(vm, 7, 0), -ENOENT);
	assert_int_equal(scry_vm_cpus(vm, 0), -EINVAL);
	assert_int_equal(scry_vm_cpus(vm, 2), 0);
	assert_int_equal(scry_vm_map_add(vm, &def), 1);
	assert_int_equal(scry_vm_cpus(vm, 4), -EBUSY);
	assert_string_equal(scry_vm_error(vm), "there are maps already");
	scry_vm_free(vm);
}

/* --- threads --- */

enum { THREADS = 4, TURNS = 4000, KEYS = 16 };

struct worker {
	struct scry_vm *vm;
	int map;
	bool prefixes; /* keys of an LPM trie: the length in bits is in front */
	uint64_t number, wrong, moved, sum;
};

/* Keys of its own come, are right, and go, while others' do beside them. */
static void *own_keys(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < TURNS; i++) {
		uint64_t own = w->number << 8 | i % KEYS;
		uint64_t key = w->prefixes ? own << 32 | 32 : own, value[2] = { key, ~key };

		w->wrong += scry_vm_map_update(w->vm, w->map, &key, value, BPF_NOEXIST) != 0;
		memset(value, 0, sizeof(value));
		w->wrong += scry_vm_map_lookup(w->vm, w->map, &key, value) != 0;
		w->wrong += value[0] != key || value[1] != ~key;
		w->wrong += scry_vm_map_delete(w->vm, w->map, &key) != 0;
	}
	return NULL;
}

/* Puts numbers in and takes as many out as it gets. */
static void *push_and_pop(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 1; i <= TURNS; i++) {
		uint64_t value = w->number * TURNS + i;

		w->wrong += scry_vm_map_update(w->vm, w->map, NULL, &value, BPF_ANY) != 0;
		if (scry_vm_map_pop(w->vm, w->map, &value))
			continue;
		w->moved++;
		w->sum += value;
	}
	return NULL;
}

static struct worker share(struct scry_vm *vm, int map, bool prefixes, void *(*fn)(void *))
{
	struct worker workers[THREADS], all = { 0 };
	pthread_t threads[THREADS];

	for (unsigned t = 0; t < THREADS; t++) {
		workers[t] = (struct worker){
			.vm = vm, .map = map, .prefixes = prefixes, .number = t
		};
		assert_int_equal(pthread_create(&threads[t], NULL, fn, &workers[t]), 0);
	}
	for (unsigned t = 0; t < THREADS; t++) {
		pthread_join(threads[t], NULL);
		all.wrong += workers[t].wrong;
		all.moved += workers[t].moved;
		all.sum += workers[t].sum;
	}
	return all;
}

static void threads_share_keyed_maps(void **state)
{
	(void)state;
	static const struct scry_vm_map MAPS[] = {
		{ BPF_MAP_TYPE_HASH, 8, 16, THREADS },
		{ BPF_MAP_TYPE_PERCPU_HASH, 8, 16, THREADS },
		{ BPF_MAP_TYPE_LRU_HASH, 8, 16, 2 * THREADS },
		{ BPF_MAP_TYPE_LPM_TRIE, 8, 16, THREADS, .flags = BPF_F_NO_PREALLOC },
	};

	for (unsigned i = 0; i < sizeof(MAPS) / sizeof(*MAPS); i++) {
		struct scry_vm *vm = scry_vm_new();
		int map = scry_vm_map_add(vm, &MAPS[i]);
		uint64_t key;

		assert_int_equal(
			share(vm, map, MAPS[i].type == BPF_MAP_TYPE_LPM_TRIE, own_keys).wrong,
			0);
		assert_int_equal(scry_vm_map_next_key(vm, map, NULL, &key), -ENOENT);
		scry_vm_free(vm);
	}
}

static void threads_share_queues_and_stacks(void **state)
{
	(void)state;
	static const uint32_t TYPES[] = { BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK };
	const uint64_t all = THREADS * TURNS;

	for (unsigned i = 0; i < 2; i++) {
		struct scry_vm_map def = { TYPES[i], 0, 8, THREADS };
		struct scry_vm *vm = scry_vm_new();
		int map = scry_vm_map_add(vm, &def);
		struct worker sum = share(vm, map, false, push_and_pop);

		assert_int_equal(sum.wrong, 0);
		assert_int_equal(sum.moved, all);
		assert_int_equal(sum.sum, all * (all + 1) / 2);
		scry_vm_free(vm);
	}
}

struct traced {
	uint32_t insns[16];
	unsigned n;
};

static void note_insn(void *user, int prog, uint32_t insn, const uint64_t *regs)
{
	struct traced *t = user;

	(void)prog, (void)regs;
	t->insns[t->n++] = insn;
}

/* Those too that the interpreter does at once when nobody looks. */
static void a_trace_shows_each_instruction(void **state)
{
	(void)state;
	static const char TEXT[] =
		"r0 = *(u8 *)skb[0]; w0 &= 15; w0 <<= 2; w7 = w0; r0 = *(u16 *)skb[r7 + 0]\n"
		"if w0 != 0x506 goto +2; w0 = 3; exit; w0 = 4; exit";
	static const uint32_t WANT[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const uint8_t PACKET[] = { 0x41, 2, 3, 4, 5, 6 };
	struct traced t = { 0 };
	struct scry_vm_input in = {
		.packet = PACKET, .packet_size = sizeof(PACKET), .trace = note_insn, .user = &t
	};
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_result out;
	int prog = vm_load_text(vm, TEXT, NULL, 0);

	assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
	assert_int_equal(out.r0, 3);
	assert_int_equal(t.n, 8);
	assert_memory_equal(t.insns, WANT, sizeof(WANT));
	scry_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_runs_stop_at_the_first_error),
		cmocka_unit_test(many_packets_have_a_result_each),
		cmocka_unit_test(a_trace_shows_each_instruction),
		cmocka_unit_test(code_is_never_writable_and_executable),
		cmocka_unit_test(helpers_of_ones_own),
		cmocka_unit_test(what_is_not_there_is_said),
		cmocka_unit_test(threads_share_keyed_maps),
		cmocka_unit_test(threads_share_queues_and_stacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
