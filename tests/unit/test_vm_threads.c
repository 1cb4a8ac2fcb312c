/*
 * Programs of many threads on the same maps: nothing is lost, counted twice, or taken from
 * another's place.  Half of the threads run compiled code.
 */
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

enum { THREADS = 4, TURNS = 4000, RESULTS = 4 };

struct worker {
	struct scry_vm *vm;
	int prog;
	uint32_t number;
	uint64_t failed, other, results[RESULTS]; /* how often r0 was 0, 1, ... */
	pthread_t thread;
};

static int load(struct scry_vm *vm, const char *text)
{
	return vm_load_text(vm, text, NULL, 0);
}

/* Runs the program with its thread's and its turn's number in memory. */
static void *run(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < TURNS; i++) {
		uint64_t mem[2] = { w->number, i };
		struct scry_vm_input in = { .mem = mem,
					    .mem_size = sizeof(mem),
					    .cpu = w->number,
					    .flags = w->number & 1 ? SCRY_VM_INTERPRET : 0 };
		struct scry_vm_result out;

		if (scry_vm_run(w->vm, w->prog, &in, &out))
			w->failed++;
		else if (out.r0 < RESULTS)
			w->results[out.r0]++;
		else
			w->other++;
	}
	return NULL;
}

static void start(struct worker *workers, struct scry_vm *vm, int prog)
{
	for (uint32_t t = 0; t < THREADS; t++) {
		workers[t] = (struct worker){ .vm = vm, .prog = prog, .number = t };
		assert_int_equal(pthread_create(&workers[t].thread, NULL, run, &workers[t]), 0);
	}
}

/* What all threads counted together; nothing failed, and r0 was never anything else. */
static struct worker finish(struct worker *workers)
{
	struct worker all = { 0 };

	for (uint32_t t = 0; t < THREADS; t++) {
		pthread_join(workers[t].thread, NULL);
		assert_int_equal(workers[t].failed, 0);
		assert_int_equal(workers[t].other, 0);
		for (unsigned r = 0; r < RESULTS; r++)
			all.results[r] += workers[t].results[r];
	}
	return all;
}

static uint64_t value_of(struct scry_vm *vm, int map, uint32_t key)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(scry_vm_map_lookup(vm, map, &key, &value), 0);
	return value;
}

/* Atomic additions to the elements of an array. */
static void arrays(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_ARRAY, 4, 8, 3 };
	struct worker workers[THREADS];
	uint64_t sum = 0;
	int map = scry_vm_map_add(vm, &def);

	start(workers, vm,
	      load(vm,
		   "r2 = *(u64 *)(r1 +8); r2 %= 3; *(u32 *)(r10 -4) = r2; r2 = r10; r2 += -4;"
		   "r1 = map[id:1]; call bpf_map_lookup_elem; if r0 == 0 goto out; r1 = 2;"
		   "lock *(u64 *)(r0 +0) += r1; r0 = 1; out: exit"));
	assert_int_equal(finish(workers).results[1], THREADS * TURNS);
	for (uint32_t key = 0; key < 3; key++) {
		uint64_t turns = TURNS / 3 + (key < TURNS % 3);

		assert_int_equal(value_of(vm, map, key), THREADS * 2 * turns);
		sum += value_of(vm, map, key);
	}
	assert_int_equal(sum, THREADS * TURNS * 2);
	scry_vm_free(vm);
}

/* Every CPU has a copy of its own, which needs no atomic additions. */
static void per_cpu_maps(void **state)
{
	(void)state;
	static const uint32_t TYPES[] = { BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH };

	for (unsigned i = 0; i < 2; i++) {
		struct scry_vm *vm = scry_vm_new();
		struct scry_vm_map def = { TYPES[i], 4, 8, 1 };
		struct worker workers[THREADS];
		uint64_t copies[THREADS] = { 0 };
		uint32_t key = 0;

		assert_int_equal(scry_vm_cpus(vm, THREADS), 0);
		int map = scry_vm_map_add(vm, &def);
		assert_int_equal(scry_vm_map_update(vm, map, &key, copies, BPF_ANY), 0);
		start(workers, vm,
		      load(vm,
			   "*(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = map[id:1];"
			   "call bpf_map_lookup_elem; if r0 == 0 goto out;"
			   "r1 = *(u64 *)(r0 +0); r1 += 1; *(u64 *)(r0 +0) = r1; r0 = 1; out: exit"));
		assert_int_equal(finish(workers).results[1], THREADS * TURNS);
		assert_int_equal(scry_vm_map_lookup(vm, map, &key, copies), 0);
		for (unsigned cpu = 0; cpu < THREADS; cpu++)
			assert_int_equal(copies[cpu], TURNS);
		scry_vm_free(vm);
	}
}

/* Programs are put into the array and taken out while they are called. */
static void prog_arrays(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2 };
	struct worker workers[THREADS];
	uint32_t key = 1, ids[2];
	int map = scry_vm_map_add(vm, &def);

	ids[0] = (uint32_t)load(vm, "r0 = 1; exit");
	ids[1] = (uint32_t)load(vm, "r0 = 2; exit");
	start(workers, vm,
	      load(vm, "r2 = map[id:1]; r3 = 1; call bpf_tail_call; r0 = 3; exit"));
	for (unsigned i = 0; i < TURNS; i++) {
		assert_int_equal(scry_vm_map_update(vm, map, &key, &ids[i & 1], BPF_ANY), 0);
		if (i % 3 == 0)
			assert_int_equal(scry_vm_map_delete(vm, map, &key), 0);
	}
	struct worker all = finish(workers);
	assert_int_equal(all.results[0], 0);
	assert_int_equal(all.results[1] + all.results[2] + all.results[3], THREADS * TURNS);
	scry_vm_free(vm);
}

/* Adds 1 to element 0 of the map that is at key 1 of the map of maps; r0: whether there was
 * one. */
static const char ADD_TO_INNER[] =
	"*(u32 *)(r10 -8) = 1; *(u32 *)(r10 -4) = 0; r2 = r10; r2 += -8; r1 = map[id:3];"
	"call bpf_map_lookup_elem; if r0 == 0 goto out; r1 = r0; r2 = r10; r2 += -4;"
	"call bpf_map_lookup_elem; if r0 == 0 goto out; r1 = 1; lock *(u64 *)(r0 +0) += r1;"
	"r0 = 1; out: exit";

/* Maps are exchanged and taken out while programs add to them. */
static void maps_in_maps(void **state)
{
	(void)state;
	static const uint32_t TYPES[] = { BPF_MAP_TYPE_ARRAY_OF_MAPS,
					  BPF_MAP_TYPE_HASH_OF_MAPS };

	for (unsigned i = 0; i < 2; i++) {
		struct scry_vm *vm = scry_vm_new();
		struct scry_vm_map inner = { BPF_MAP_TYPE_ARRAY, 4, 8, 1 };
		struct worker workers[THREADS];
		uint32_t ids[2], key = 1;

		for (unsigned k = 0; k < 2; k++)
			ids[k] = (uint32_t)scry_vm_map_add(vm, &inner);
		struct scry_vm_map outer = { TYPES[i], 4, 4, 2, .inner = (int)ids[0] };
		int map = scry_vm_map_add(vm, &outer);
		start(workers, vm, load(vm, ADD_TO_INNER));
		for (unsigned k = 0; k < TURNS; k++) {
			assert_int_equal(
				scry_vm_map_update(vm, map, &key, &ids[k & 1], BPF_ANY), 0);
			if (k % 3 == 0)
				assert_int_equal(scry_vm_map_delete(vm, map, &key), 0);
		}
		struct worker all = finish(workers);
		assert_int_equal(all.results[0] + all.results[1], THREADS * TURNS);
		assert_int_equal(value_of(vm, (int)ids[0], 0) + value_of(vm, (int)ids[1], 0),
				 all.results[1]);
		scry_vm_free(vm);
	}
}

/* The place of a map that was taken out is another key's at once: nobody may find that one. */
static void places_that_are_used_again(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map inner = { BPF_MAP_TYPE_ARRAY, 4, 8, 1 };
	struct worker workers[THREADS];
	uint32_t own = (uint32_t)scry_vm_map_add(vm, &inner), keys[2] = { 1, 2 };
	uint32_t foreign = (uint32_t)scry_vm_map_add(vm, &inner);
	struct scry_vm_map outer = { BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 1, .inner = (int)own };
	int map = scry_vm_map_add(vm, &outer);

	start(workers, vm, load(vm, ADD_TO_INNER));
	for (unsigned k = 0; k < TURNS; k++) {
		assert_int_equal(scry_vm_map_update(vm, map, &keys[0], &own, BPF_NOEXIST), 0);
		assert_int_equal(scry_vm_map_delete(vm, map, &keys[0]), 0);
		assert_int_equal(scry_vm_map_update(vm, map, &keys[1], &foreign, BPF_NOEXIST),
				 0);
		assert_int_equal(scry_vm_map_delete(vm, map, &keys[1]), 0);
	}
	assert_int_equal(value_of(vm, (int)own, 0), finish(workers).results[1]);
	assert_int_equal(value_of(vm, (int)foreign, 0), 0);
	scry_vm_free(vm);
}

/* --- ring buffers --- */

struct reader {
	uint64_t next[THREADS]; /* turns of each writer below this were seen or are gone */
	uint64_t seen[THREADS], wrong;
};

/* A record: the writer's number and its turn, which only grows. */
static void take_record(void *user, const void *data, size_t size)
{
	struct reader *r = user;
	uint64_t record[2];

	memcpy(record, data, sizeof(record));
	if (size != sizeof(record) || record[0] >= THREADS || record[1] < r->next[record[0]] ||
	    record[1] >= TURNS) {
		r->wrong++;
		return;
	}
	r->next[record[0]] = record[1] + 1;
	r->seen[record[0]]++;
}

/* Reads in both ways by turns. */
static void read_some(struct scry_vm *vm, int map, unsigned turn, struct reader *r)
{
	const void *record;
	size_t size;

	if (turn & 1) {
		scry_vm_ring_read(vm, map, take_record, r);
	} else if ((record = scry_vm_ring_peek(vm, map, &size))) {
		take_record(r, record, size);
		scry_vm_ring_consume(vm, map);
	}
}

/* r0: 0 no room, 1 written, 2 discarded. */
static const char RESERVE[] =
	"r6 = *(u64 *)(r1 +0); r7 = *(u64 *)(r1 +8); r1 = map[id:1]; r2 = 16; r3 = 0;"
	"call bpf_ringbuf_reserve; if r0 == 0 goto full; *(u64 *)(r0 +0) = r6;"
	"*(u64 *)(r0 +8) = r7; r1 = r0; r2 = 0; r7 &= 3; if r7 == 3 goto drop;"
	"call bpf_ringbuf_submit; r0 = 1; exit;"
	"drop: call bpf_ringbuf_discard; r0 = 2; exit; full: r0 = 0; exit";
static const char OUTPUT[] =
	"r2 = r1; r1 = map[id:1]; r3 = 16; r4 = 0; call bpf_ringbuf_output;"
	"if r0 == -11 goto full; if r0 != 0 goto wrong; r0 = 1; exit; full: r0 = 0; exit;"
	"wrong: r0 = 3; exit";

/* Each record that was written is read once, each writer's in order; the others had no room. */
static void ring_buffers(void **state)
{
	(void)state;
	static const char *const WRITERS[] = { RESERVE, OUTPUT };

	for (unsigned i = 0; i < 2; i++) {
		struct scry_vm *vm = scry_vm_new();
		struct scry_vm_map def = { BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 };
		struct worker workers[THREADS];
		struct reader r = { 0 };
		uint64_t total = 0;
		int map = scry_vm_map_add(vm, &def);

		start(workers, vm, load(vm, WRITERS[i]));
		for (unsigned turn = 0; turn < 2 * TURNS; turn++)
			read_some(vm, map, turn, &r);
		struct worker all = finish(workers);
		scry_vm_ring_read(vm, map, take_record, &r);
		assert_int_equal(r.wrong, 0);
		for (unsigned t = 0; t < THREADS; t++) {
			assert_int_equal(r.seen[t], workers[t].results[1]);
			total += r.seen[t];
		}
		assert_int_equal(total + all.results[0] + all.results[2], THREADS * TURNS);
		assert_int_equal(all.results[3], 0);
		assert_int_equal(scry_vm_ring_read(vm, map, take_record, &r), 0);
		scry_vm_free(vm);
	}
}

/* A ring that nobody reads holds as many as have room, whoever writes them. */
static void full_ring_buffers(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 };
	const uint64_t room = (4096 - 1) / (16 + BPF_RINGBUF_HDR_SZ);
	struct worker workers[THREADS];
	struct reader r = { 0 };
	int map = scry_vm_map_add(vm, &def);

	start(workers, vm, load(vm, OUTPUT));
	struct worker all = finish(workers);
	assert_int_equal(all.results[1], room);
	assert_int_equal(all.results[0], THREADS * TURNS - room);
	assert_int_equal(scry_vm_ring_read(vm, map, take_record, &r), room);
	assert_int_equal(r.wrong, 0);
	scry_vm_free(vm);
}

struct echo {
	struct scry_vm *vm;
	int prog;
	unsigned n;
};

static void write_again(void *user, const void *data, size_t size)
{
	struct echo *e = user;
	struct scry_vm_result out;
	uint64_t mem[2];

	memcpy(mem, data, size);
	struct scry_vm_input in = { .mem = mem, .mem_size = size };
	assert_int_equal(scry_vm_run(e->vm, e->prog, &in, &out), 0);
	assert_int_equal(out.r0, 1);
	e->n++;
}

/* Who reads may write: the new record is for the next time. */
static void readers_may_write(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 };
	int map = scry_vm_map_add(vm, &def);
	struct echo e = { .vm = vm, .prog = load(vm, OUTPUT) };
	const uint64_t record[2] = { 0 };

	write_again(&e, record, sizeof(record));
	write_again(&e, record, sizeof(record));
	assert_int_equal(scry_vm_ring_read(vm, map, write_again, &e), 2);
	assert_int_equal(scry_vm_ring_read(vm, map, write_again, &e), 2);
	assert_int_equal(e.n, 6);
	scry_vm_free(vm);
}

/* There is no stack to take, for any of them. */
static void stack_traces(void **state)
{
	(void)state;
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_map def = { BPF_MAP_TYPE_STACK_TRACE, 4, 64, 4 };
	struct worker workers[THREADS];
	uint32_t key;
	int map = scry_vm_map_add(vm, &def);

	start(workers, vm,
	      load(vm, "r2 = map[id:1]; r3 = 0; call bpf_get_stackid; if r0 == -14 goto none;"
		       "r0 = 2; exit; none: r0 = 1; exit"));
	assert_int_equal(finish(workers).results[1], THREADS * TURNS);
	assert_int_equal(scry_vm_map_next_key(vm, map, NULL, &key), -ENOENT);
	scry_vm_free(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays),
		cmocka_unit_test(per_cpu_maps),
		cmocka_unit_test(prog_arrays),
		cmocka_unit_test(maps_in_maps),
		cmocka_unit_test(places_that_are_used_again),
		cmocka_unit_test(ring_buffers),
		cmocka_unit_test(full_ring_buffers),
		cmocka_unit_test(readers_may_write),
		cmocka_unit_test(stack_traces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
