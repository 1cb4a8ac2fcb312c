#include "base/auto.h"
#include "bpf/asm.h"
#include "scry_vm.h"

#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "vm_text.h"

static int new_map(struct scry_vm *vm, uint32_t type, uint32_t key, uint32_t value, uint32_t n)
{
	struct scry_vm_map def = { type, key, value, n };

	if (type == BPF_MAP_TYPE_LPM_TRIE)
		def.flags = BPF_F_NO_PREALLOC;
	return scry_vm_map_add(vm, &def);
}

static int set(struct scry_vm *vm, int map, uint32_t key, uint64_t value, uint64_t flags)
{
	return scry_vm_map_update(vm, map, &key, &value, flags);
}

static uint64_t get(struct scry_vm *vm, int map, uint32_t key)
{
	uint64_t value = UINT64_MAX;

	return scry_vm_map_lookup(vm, map, &key, &value) ? UINT64_MAX : value;
}

static void arrays(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_ARRAY, 4, 8, 3);
	uint32_t key = 2, next;

	assert_int_equal(get(vm, m, 2), 0);
	assert_int_equal(set(vm, m, 2, 7, BPF_ANY), 0);
	assert_int_equal(get(vm, m, 2), 7);
	assert_int_equal(set(vm, m, 3, 7, BPF_ANY), -E2BIG);
	assert_int_equal(set(vm, m, 1, 7, BPF_NOEXIST), -EEXIST);
	assert_int_equal(set(vm, m, 1, 7, 99), -EINVAL);
	assert_int_equal(scry_vm_map_delete(vm, m, &key), -EINVAL);
	assert_int_equal(scry_vm_map_next_key(vm, m, NULL, &next), 0);
	assert_int_equal(next, 0);
	assert_int_equal(scry_vm_map_next_key(vm, m, &key, &next), -ENOENT);
	scry_vm_free(vm);
}

static void hashes(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_HASH, 4, 8, 100);
	uint32_t key = 5, count = 0;

	assert_int_equal(set(vm, m, 5, 1, BPF_EXIST), -ENOENT);
	for (uint32_t k = 0; k < 100; k++)
		assert_int_equal(set(vm, m, k, k * 3, BPF_NOEXIST), 0);
	assert_int_equal(set(vm, m, 100, 1, BPF_ANY), -E2BIG);
	assert_int_equal(set(vm, m, 5, 1, BPF_NOEXIST), -EEXIST);
	assert_int_equal(set(vm, m, 5, 99, BPF_EXIST), 0);
	assert_int_equal(get(vm, m, 5), 99);
	assert_int_equal(scry_vm_map_delete(vm, m, &key), 0);
	assert_int_equal(scry_vm_map_delete(vm, m, &key), -ENOENT);
	assert_int_equal(set(vm, m, 100, 1, BPF_ANY), 0);
	for (const void *from = NULL; !scry_vm_map_next_key(vm, m, from, &key); from = &key)
		count++;
	assert_int_equal(count, 100);
	scry_vm_free(vm);
}

static void lru_forgets_the_oldest(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_LRU_HASH, 4, 8, 3);

	for (uint32_t k = 1; k <= 3; k++)
		assert_int_equal(set(vm, m, k, k, BPF_ANY), 0);
	assert_int_equal(get(vm, m, 1), 1);
	assert_int_equal(set(vm, m, 4, 4, BPF_ANY), 0);
	assert_int_equal(get(vm, m, 2), UINT64_MAX);
	assert_int_equal(get(vm, m, 1), 1);
	assert_int_equal(get(vm, m, 4), 4);
	scry_vm_free(vm);
}

struct prefix {
	uint32_t bits;
	uint8_t data[4];
};

static uint64_t match(struct scry_vm *vm, int m, struct prefix p)
{
	uint64_t value;

	return scry_vm_map_lookup(vm, m, &p, &value) ? 0 : value;
}

static void the_longest_prefix_wins(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 10);
	struct prefix ten = { 8, { 10, 1, 2, 3 } }, part = { 20, { 10, 9, 0xf0, 0 } };
	struct prefix bad = { 33, { 0 } };
	uint64_t a = 1, b = 2;

	assert_int_equal(scry_vm_map_update(vm, m, &ten, &a, BPF_ANY), 0);
	assert_int_equal(scry_vm_map_update(vm, m, &part, &b, BPF_ANY), 0);
	assert_int_equal(scry_vm_map_update(vm, m, &bad, &b, BPF_ANY), -EINVAL);
	assert_int_equal(match(vm, m, (struct prefix){ 32, { 10, 9, 0xff, 7 } }), 2);
	assert_int_equal(match(vm, m, (struct prefix){ 32, { 10, 9, 0xe0, 7 } }), 1);
	assert_int_equal(match(vm, m, (struct prefix){ 19, { 10, 9, 0xf0, 7 } }), 1);
	assert_int_equal(match(vm, m, (struct prefix){ 32, { 11, 9, 0xff, 7 } }), 0);
	assert_int_equal(scry_vm_map_delete(vm, m, &part), 0);
	assert_int_equal(match(vm, m, (struct prefix){ 32, { 10, 9, 0xff, 7 } }), 1);
	scry_vm_free(vm);
}

static void queues_and_stacks(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int queue = new_map(vm, BPF_MAP_TYPE_QUEUE, 0, 8, 2);
	int stack = new_map(vm, BPF_MAP_TYPE_STACK, 0, 8, 2);
	uint64_t v;

	for (v = 1; v <= 2; v++) {
		assert_int_equal(scry_vm_map_update(vm, queue, NULL, &v, BPF_ANY), 0);
		assert_int_equal(scry_vm_map_update(vm, stack, NULL, &v, BPF_ANY), 0);
	}
	v = 3;
	assert_int_equal(scry_vm_map_update(vm, queue, NULL, &v, BPF_ANY), -E2BIG);
	assert_int_equal(scry_vm_map_update(vm, queue, NULL, &v, BPF_EXIST), 0);
	assert_int_equal(scry_vm_map_pop(vm, queue, &v), 0);
	assert_int_equal(v, 2);
	assert_int_equal(scry_vm_map_pop(vm, stack, &v), 0);
	assert_int_equal(v, 2);
	assert_int_equal(scry_vm_map_pop(vm, stack, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(scry_vm_map_pop(vm, stack, &v), -ENOENT);
	scry_vm_free(vm);
}

static void per_cpu_values_are_apart(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	assert_int_equal(scry_vm_cpus(vm, 3), 0);
	int m = new_map(vm, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 1);
	const struct bpf_insn count[] = {
		{ BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4 },
		{ BPF_LD | BPF_IMM | BPF_DW, 1, 1, 0, m },
		{ 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1 },
		{ BPF_STX | BPF_ATOMIC | BPF_W, 0, 1, 0, BPF_ADD },
		{ BPF_JMP | BPF_EXIT },
	};
	int prog = scry_vm_load(vm, count, 9, NULL);
	uint32_t key = 0;
	uint64_t copies[3];
	struct scry_vm_result out;

	assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
	for (uint32_t cpu = 0; cpu < 3; cpu++) {
		for (uint32_t n = 0; n <= cpu; n++) {
			struct scry_vm_input in = { .cpu = cpu,
						    .flags = n & 1 ? SCRY_VM_INTERPRET : 0 };
			assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		}
	}
	assert_int_equal(scry_vm_map_value_bytes(vm, m), 24);
	assert_int_equal(scry_vm_map_lookup(vm, m, &key, copies), 0);
	for (uint32_t cpu = 0; cpu < 3; cpu++)
		assert_int_equal(copies[cpu], cpu + 1);
	scry_vm_free(vm);
}

static void take(void *user, const void *data, size_t size)
{
	uint64_t *sum = user, v;

	assert_int_equal(size, 8);
	memcpy(&v, data, 8);
	*sum = *sum * 10 + v;
}

/* A reserved record that is not finished holds back those behind it. */
static void rings_keep_the_order(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	const struct bpf_insn output[] = {
		{ BPF_LDX | BPF_MEM | BPF_DW, 3, 1, 0, 0 },
		{ BPF_STX | BPF_MEM | BPF_DW, 10, 3, -8, 0 },
		{ BPF_LD | BPF_IMM | BPF_DW, 1, 1, 0, m },
		{ 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 8 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output },
		{ BPF_JMP | BPF_EXIT },
	};
	int prog = scry_vm_load(vm, output, 10, NULL);
	struct scry_vm_result out;
	unsigned stored = 0;
	uint64_t sum = 0;

	for (uint64_t v = 1; v <= 3; v++) {
		struct scry_vm_input in = { .mem = &v, .mem_size = 8 };
		assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		assert_int_equal(out.r0, 0);
	}
	assert_int_equal(scry_vm_ring_read(vm, m, take, &sum), 3);
	assert_int_equal(sum, 123);

	for (uint64_t v = 0; v < 1000; v++) {
		struct scry_vm_input in = { .mem = &v, .mem_size = 8 };
		assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		stored += !out.r0;
	}
	assert_int_equal((int64_t)out.r0, -EAGAIN);
	assert_int_equal(stored, 4096 / 16 - 1);
	assert_int_equal(scry_vm_ring_read(vm, m, take, &sum), stored);
	scry_vm_free(vm);
}

static void bad_maps_are_refused(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();

	assert_int_equal(new_map(vm, BPF_MAP_TYPE_ARRAY, 8, 8, 1), -EINVAL);
	assert_int_equal(new_map(vm, BPF_MAP_TYPE_HASH, 0, 8, 1), -EINVAL);
	assert_int_equal(new_map(vm, BPF_MAP_TYPE_HASH, 8, 8, 0), -EINVAL);
	assert_int_equal(new_map(vm, BPF_MAP_TYPE_RINGBUF, 0, 0, 1000), -EINVAL);
	assert_int_equal(new_map(vm, 1000, 4, 4, 1), -ENOTSUP);
	assert_int_equal(new_map(vm, BPF_MAP_TYPE_ARRAY, 4, 1u << 30, UINT32_MAX), -ENOMEM);
	assert_non_null(strstr(scry_vm_error(vm), "no memory"));
	scry_vm_free(vm);
}

/* A program that tail-calls itself ends after the limit. */
static void tail_calls(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2);
	const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1 },
		{ BPF_STX | BPF_MEM | BPF_DW, 1, 0, 0, 0 },
		{ BPF_LD | BPF_IMM | BPF_DW, 2, 1, 0, m },
		{ 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 1 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 9 },
		{ BPF_JMP | BPF_EXIT },
	};
	int prog = scry_vm_load(vm, insns, 9, NULL);
	uint32_t key = 1, id = (uint32_t)prog, nonsense = 77;
	struct scry_vm_result out;

	assert_int_equal(scry_vm_map_update(vm, m, &key, &nonsense, 0), -EBADF);
	assert_int_equal(scry_vm_map_update(vm, m, &key, &id, 0), 0);
	assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
	for (unsigned flags = 0; flags <= SCRY_VM_INTERPRET; flags++) {
		uint64_t count = 0;
		struct scry_vm_input in = { .mem = &count, .mem_size = 8, .flags = flags };

		assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		assert_int_equal(out.r0, 9);
		assert_int_equal(count, 34);
	}
	scry_vm_free(vm);
}

/* Compiled without checks, but run by someone who wants them. */
static void checks_are_not_lost(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 8, 0 },
		{ BPF_JMP | BPF_EXIT },
	};
	uint64_t mem[2] = { 1, 2 };
	struct scry_vm_input in = { .mem = mem, .mem_size = 8 };
	struct scry_vm_result out;
	int prog = scry_vm_load(vm, insns, 2, NULL);

	assert_int_equal(scry_vm_jit(vm, prog, SCRY_VM_UNSAFE), 0);
	assert_int_equal(scry_vm_run(vm, prog, &in, &out), -EFAULT);
	in.flags = SCRY_VM_UNSAFE;
	assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
	assert_int_equal(out.r0, 2);
	scry_vm_free(vm);
}

static void keep_text(void *user, const char *text, size_t len)
{
	strncat(user, text, len);
}

static void helpers_format_text(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	static char fmt[] = "%d %5x|%-4u|%lld %s%%";
	char name[] = "abc", text[128] = "";
	const struct bpf_insn insns[] = {
		{ BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, (int32_t)(uintptr_t)fmt },
		{ .imm = (int32_t)((uintptr_t)fmt >> 32) },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, sizeof(fmt) },
		{ BPF_LD | BPF_IMM | BPF_DW, 3, 0, 0, (int32_t)(uintptr_t)name },
		{ .imm = (int32_t)((uintptr_t)name >> 32) },
		{ BPF_STX | BPF_MEM | BPF_DW, 10, 3, -8, 0 },
		{ BPF_ST | BPF_MEM | BPF_DW, 10, 0, -16, -5 },
		{ BPF_ST | BPF_MEM | BPF_DW, 10, 0, -24, 42 },
		{ BPF_ST | BPF_MEM | BPF_DW, 10, 0, -32, 0xab },
		{ BPF_ST | BPF_MEM | BPF_DW, 10, 0, -40, -7 },
		{ BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -40 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 40 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_trace_vprintk },
		{ BPF_JMP | BPF_EXIT },
	};
	struct scry_vm_input in = { .print = keep_text, .user = text };
	struct scry_vm_result out;

	scry_vm_memory_add(vm, fmt, sizeof(fmt), false);
	scry_vm_memory_add(vm, name, sizeof(name), false);
	int prog = scry_vm_load(vm, insns, 15, NULL);
	assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
	assert_string_equal(text, "-7    ab|42  |-5 abc%");
	assert_int_equal(out.r0, strlen(text) + 1);
	scry_vm_free(vm);
}

/* Adds up keys and values, and deletes each entry under the walk. */
static void walks_call_back(void **state)
{
	(void)state;
	static const char TEXT[] =
		"*(u64 *)(r10 -8) = 0; r1 = map[id:1]; r2 = subprog[+10]; r3 = r10; r3 += -8;"
		"r4 = 0; call bpf_for_each_map_elem; r6 = r0; r0 = *(u64 *)(r10 -8); r0 <<= 8; r0 += r6; exit;"
		"r5 = *(u32 *)(r2 +0); r0 = *(u64 *)(r3 +0); r5 += r0; r0 = *(u64 *)(r4 +0); r0 += r5;"
		"*(u64 *)(r4 +0) = r0; call bpf_map_delete_elem; r0 = 0; exit";

	for (unsigned flags = 0; flags <= SCRY_VM_INTERPRET; flags += SCRY_VM_INTERPRET) {
		struct scry_vm *vm = scry_vm_new();
		struct scry_vm_input in = { .flags = flags };
		struct scry_vm_result out;
		uint32_t key;
		uint64_t value;

		scry_vm_map_add(vm, &(struct scry_vm_map){ BPF_MAP_TYPE_HASH, 4, 8, 100 });
		for (key = 1; key <= 50; key++) {
			value = 10 * key;
			assert_int_equal(scry_vm_map_update(vm, 1, &key, &value, BPF_ANY), 0);
		}
		int prog = vm_load_text(vm, TEXT, NULL, 0);
		assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		assert_int_equal(out.r0, (11 * 50 * 51 / 2) << 8 | 50);
		assert_int_equal(scry_vm_map_next_key(vm, 1, NULL, &key), -ENOENT);
		scry_vm_free(vm);
	}
}

struct seen {
	unsigned n;
	uint64_t sum;
};

static void take_record(void *user, const void *data, size_t size)
{
	struct seen *seen = user;
	uint64_t word = 0;

	memcpy(&word, data, size < 8 ? size : 8);
	seen->n++;
	seen->sum += word;
}

/* Writes the 8 bytes of `word` to element `flags` of map 1. */
static int64_t perf_output(struct scry_vm *vm, uint64_t flags, uint32_t word, uint32_t cpu,
			   unsigned how)
{
	struct scry_vm_program info = { "perf", SCRY_VM_TRACEPOINT, 64 };
	struct scry_vm_input in = { .cpu = cpu, .flags = how };
	struct scry_vm_verdict verdict;
	struct scry_vm_result out;
	char text[256];

	snprintf(text, sizeof(text),
		 "*(u64 *)(r10 -8) = %u; r2 = map[id:1]; r3 = 0x%llx ll; r4 = r10; r4 += -8;"
		 "r5 = 8; call bpf_perf_event_output; exit",
		 word, (unsigned long long)flags);
	int prog = vm_load_text(vm, text, &info, 0);
	if (scry_vm_verify(vm, prog, &verdict))
		fail_msg("%s", verdict.words);
	assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
	return (int64_t)out.r0;
}

static void perf_buffers_are_open_or_full(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4);
	uint32_t key = 2, room = 3 * 12;
	struct seen seen = { 0 };
	uint64_t lost;

	assert_int_equal(m, 1);
	assert_int_equal(perf_output(vm, 2, 1, 0, 0), -ENOENT);
	assert_int_equal(perf_output(vm, 4, 1, 0, 0), -E2BIG);
	assert_int_equal(perf_output(vm, 1ull << 40, 1, 0, 0), -EINVAL);
	assert_int_equal(scry_vm_perf_read(vm, m, 2, take_record, &seen, NULL), -ENOENT);

	assert_int_equal(scry_vm_map_update(vm, m, &key, &room, BPF_NOEXIST), -EINVAL);
	assert_int_equal(scry_vm_map_update(vm, m, &key, &room, BPF_ANY), 0);
	assert_int_equal(perf_output(vm, 2, 1, 0, 0), 0);
	assert_int_equal(perf_output(vm, 2, 10, 0, SCRY_VM_INTERPRET), 0);
	assert_int_equal(perf_output(vm, BPF_F_CURRENT_CPU, 100, 2, 0), 0);
	assert_int_equal(perf_output(vm, BPF_F_CURRENT_CPU, 1, 1, 0), -ENOENT);
	assert_int_equal(perf_output(vm, 2, 1000, 0, 0), -ENOSPC);
	assert_int_equal(scry_vm_perf_read(vm, m, 2, take_record, &seen, &lost), 3);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.sum, 111);
	assert_int_equal(lost, 1);
	assert_int_equal(perf_output(vm, 2, 1, 0, 0), 0);
	assert_int_equal(scry_vm_perf_read(vm, m, 2, take_record, &seen, NULL), 1);

	assert_int_equal(scry_vm_map_lookup(vm, m, &key, &room), -ENOTSUP);
	assert_int_equal(scry_vm_map_delete(vm, m, &key), 0);
	assert_int_equal(scry_vm_map_delete(vm, m, &key), -ENOENT);
	assert_int_equal(perf_output(vm, 2, 1, 0, 0), -ENOENT);
	scry_vm_free(vm);
}

enum { WRITERS = 4, RECORDS = 5000 };

struct writer {
	struct scry_vm *vm;
	int prog;
};

static void *write_records(void *arg)
{
	struct writer *w = arg;
	struct scry_vm_input in = { .cpu = 0 };
	struct scry_vm_result out;

	for (unsigned i = 0; i < RECORDS; i++)
		scry_vm_run(w->vm, w->prog, &in, &out);
	return NULL;
}

/* What many threads write is read or counted as lost, each record once and whole. */
static void perf_buffers_are_shared_by_threads(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	int m = new_map(vm, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 1);
	uint32_t key = 0, room = 1200;
	struct seen seen = { 0 };
	uint64_t lost = 0;
	pthread_t threads[WRITERS];
	const char *text = "*(u64 *)(r10 -8) = 3; r2 = map[id:1]; r3 = 0; r4 = r10; r4 += -8;"
			   "r5 = 8; call bpf_perf_event_output; exit";

	struct writer w = { vm, vm_load_text(vm, text, NULL, 0) };

	assert_int_equal(scry_vm_map_update(vm, m, &key, &room, BPF_ANY), 0);
	for (unsigned t = 0; t < WRITERS; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, write_records, &w), 0);
	for (unsigned i = 0; i < 1000; i++)
		scry_vm_perf_read(vm, m, 0, take_record, &seen, &lost);
	for (unsigned t = 0; t < WRITERS; t++)
		pthread_join(threads[t], NULL);
	scry_vm_perf_read(vm, m, 0, take_record, &seen, &lost);
	assert_int_equal(seen.n + lost, WRITERS * RECORDS);
	assert_int_equal(seen.sum, 3 * (uint64_t)seen.n);
	scry_vm_free(vm);
}

static void there_are_no_stacks(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_input in = { 0 };
	struct scry_vm_result out;
	uint32_t key = 0, past = 8;
	uint64_t frames[127];
	int m = new_map(vm, BPF_MAP_TYPE_STACK_TRACE, 4, sizeof(frames), 8);
	const char *text =
		"r6 = r1; r2 = map[id:1]; r3 = 0; call bpf_get_stackid; r7 = r0; r1 = r6;"
		"r2 = map[id:1]; r3 = 0x10000; call bpf_get_stackid; r0 -= r7; exit";

	assert_int_equal(m, 1);
	assert_true(new_map(vm, BPF_MAP_TYPE_STACK_TRACE, 4, 128 * 8, 8) < 0);
	assert_true(new_map(vm, BPF_MAP_TYPE_STACK_TRACE, 8, 64, 8) < 0);
	int prog = vm_load_text(vm, text, NULL, 0);
	assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
	assert_int_equal((int64_t)out.r0, -EINVAL + EFAULT);
	assert_int_equal(scry_vm_map_lookup(vm, m, &key, frames), -ENOENT);
	assert_int_equal(scry_vm_map_update(vm, m, &key, frames, BPF_ANY), -EINVAL);
	assert_int_equal(scry_vm_map_delete(vm, m, &key), -ENOENT);
	assert_int_equal(scry_vm_map_delete(vm, m, &past), -E2BIG);
	assert_int_equal(scry_vm_map_next_key(vm, m, NULL, &key), -ENOENT);
	scry_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays),
		cmocka_unit_test(hashes),
		cmocka_unit_test(lru_forgets_the_oldest),
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(queues_and_stacks),
		cmocka_unit_test(per_cpu_values_are_apart),
		cmocka_unit_test(rings_keep_the_order),
		cmocka_unit_test(bad_maps_are_refused),
		cmocka_unit_test(tail_calls),
		cmocka_unit_test(checks_are_not_lost),
		cmocka_unit_test(helpers_format_text),
		cmocka_unit_test(walks_call_back),
		cmocka_unit_test(perf_buffers_are_open_or_full),
		cmocka_unit_test(perf_buffers_are_shared_by_threads),
		cmocka_unit_test(there_are_no_stacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
