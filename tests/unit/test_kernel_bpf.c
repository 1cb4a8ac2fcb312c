/* Maps, programs and the ring buffer, on the running kernel; skipped where it does not let us.
 */
#include "kernel/bpf.h"
#include "kernel/proc.h"
#include "kernel/ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int new_map(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t n,
		   uint32_t flags)
{
	struct kbpf_map m = { type, key, value, n, flags, "@test map" };
	int fd = kbpf_map_create(&m);

	if (fd == -EPERM)
		skip();
	return fd;
}

static void hash_keeps_what_was_put(void **state)
{
	int fd = new_map(BPF_MAP_TYPE_HASH, 4, 8, 8, 0);
	uint32_t key = 7, next;
	uint64_t value = 70, got = 0;
	struct bpf_map_info info;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(kbpf_map_lookup(fd, &key, &got), -ENOENT);
	assert_int_equal(kbpf_map_update(fd, &key, &value, BPF_ANY), 0);
	assert_int_equal(kbpf_map_lookup(fd, &key, &got), 0);
	assert_int_equal(got, 70);
	assert_int_equal(kbpf_map_next_key(fd, NULL, &next), 0);
	assert_int_equal(next, 7);
	assert_int_equal(kbpf_map_next_key(fd, &next, &next), -ENOENT);
	assert_int_equal(kbpf_map_info(fd, &info), 0);
	assert_string_equal(info.name, "_test_map");
	assert_int_equal(kbpf_map_delete(fd, &key), 0);
	assert_int_equal(kbpf_map_delete(fd, &key), -ENOENT);
	close(fd);
}

static void batch_reads_every_key_once(void **state)
{
	enum { KEYS = 100, PIECE = 32 };
	int fd = new_map(BPF_MAP_TYPE_HASH, 4, 8, KEYS, 0);
	uint32_t keys[PIECE], batch = 0, n, total = 0;
	uint64_t values[PIECE], sum = 0;
	bool first = true;
	int r;

	(void)state;
	for (uint32_t k = 0; k < KEYS; k++) {
		uint64_t v = k + 1;

		assert_int_equal(kbpf_map_update(fd, &k, &v, 0), 0);
	}
	do {
		n = PIECE;
		r = kbpf_map_lookup_batch(fd, first ? NULL : &batch, &batch, keys, values, &n);
		first = false;
		for (uint32_t i = 0; i < n; i++)
			sum += values[i];
		total += n;
	} while (!r);
	assert_int_equal(r, -ENOENT);
	assert_int_equal(total, KEYS);
	assert_int_equal(sum, KEYS * (KEYS + 1) / 2);
	close(fd);
}

static void percpu_values_have_one_slot_per_possible_cpu(void **state)
{
	int fd = new_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 1, 0);
	size_t size = kbpf_percpu_size(12);
	unsigned char *value = malloc(size), *got = malloc(size);
	uint32_t key = 0;

	(void)state;
	assert_int_equal(size, 16 * cpus_possible());
	for (size_t i = 0; i < size; i++)
		value[i] = i % 16 < 12 ? (unsigned char)(i / 16 + 1) : 0;
	assert_int_equal(kbpf_map_update(fd, &key, value, 0), 0);
	assert_int_equal(kbpf_map_lookup(fd, &key, got), 0);
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++)
		assert_memory_equal(got + cpu * 16, value + cpu * 16, 12);
	free(value);
	free(got);
	close(fd);
}

static void mapped_array_shows_updates_at_once(void **state)
{
	int fd = new_map(BPF_MAP_TYPE_ARRAY, 4, 4096, 1, BPF_F_MMAPABLE);
	static uint64_t value[512];
	uint32_t key = 0;
	void *p;

	(void)state;
	value[511] = 42;
	assert_int_equal(kbpf_map_mmap(fd, 4096, &p), 0);
	assert_int_equal(kbpf_map_update(fd, &key, value, 0), 0);
	assert_int_equal(((uint64_t *)p)[511], 42);
	munmap(p, 4096);
	close(fd);
}

static const struct bpf_insn ret_7[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 7 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static void program_runs_and_shows_its_instructions(void **state)
{
	struct kbpf_prog p = { .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
			       .name = "BEGIN",
			       .insns = ret_7,
			       .ninsns = 2 };
	struct bpf_insn *insns;
	uint32_t n = 0, ret = 0;
	int fd = kbpf_prog_load(&p, NULL);

	(void)state;
	if (fd == -EPERM)
		skip();
	assert_true(fd >= 0);
	assert_int_equal(kbpf_prog_run(fd, &ret), 0);
	assert_int_equal(ret, 7);
	assert_int_equal(kbpf_prog_xlated(fd, &insns, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(insns[0].imm, 7);
	free(insns);
	close(fd);
}

static void rejection_comes_with_the_verifiers_words(void **state)
{
	struct kbpf_prog p = { .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
			       .insns = &ret_7[1],
			       .ninsns = 1 };
	struct sb log = {};
	int fd = kbpf_prog_load(&p, &log);

	(void)state;
	if (fd == -EPERM)
		skip();
	assert_int_equal(fd, -EACCES);
	assert_non_null(strstr(sb_str(&log), "R0 !read_ok"));
	sb_free(&log);
}

/* A program that writes its count as a record of len bytes, and counts when there was room. */
struct writer {
	int ring, count, prog;
};

static bool writer_open(struct writer *w, uint32_t ring_size, int32_t len)
{
	w->ring = new_map(BPF_MAP_TYPE_RINGBUF, 0, 0, ring_size, 0);
	w->count = new_map(BPF_MAP_TYPE_ARRAY, 4, 256, 1, 0);

	struct bpf_insn prog[] = {
		/* r6 = &count[0] */
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 6,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = w->count },
		{ 0 },
		/* r1 = ring; r2 = r6; r3 = len; r4 = 0; ringbuf_output */
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = w->ring },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 6 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = len },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output },
		/* count[0]++ when it was written */
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 1 },
		{ .code = BPF_STX | BPF_DW | BPF_ATOMIC,
		  .dst_reg = 6,
		  .src_reg = 2,
		  .imm = BPF_ADD },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct kbpf_prog p = { .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
			       .name = "writer",
			       .insns = prog,
			       .ninsns = sizeof(prog) / sizeof(*prog) };
	struct sb log = {};

	w->prog = kbpf_prog_load(&p, &log);
	if (w->prog < 0)
		print_message("%s\n", sb_str(&log));
	sb_free(&log);
	return w->prog >= 0;
}

static void writer_close(struct writer *w)
{
	close(w->prog);
	close(w->count);
	close(w->ring);
}

struct expect {
	uint64_t next;
	uint32_t len;
	size_t stop_after;
};

static bool in_order(void *arg, const void *data, uint32_t len)
{
	struct expect *x = arg;
	uint64_t n;

	memcpy(&n, data, sizeof(n));
	assert_int_equal(n, x->next);
	assert_int_equal(len, x->len);
	x->next++;
	return !x->stop_after || --x->stop_after;
}

static void ring_gives_every_record_once_over_many_turns(void **state)
{
	enum { SIZE = 4096, LEN = 104, ROUNDS = 500 };
	struct expect x = { .len = LEN };
	struct writer w;
	struct ring r;
	uint64_t written = 0;

	(void)state;
	assert_true(writer_open(&w, SIZE, LEN));
	assert_int_equal(ring_open(&r, w.ring, SIZE), 0);
	for (int round = 0; round < ROUNDS; round++) {
		int burst = round % 30 + 1;
		size_t got;

		for (int i = 0; i < burst; i++)
			assert_int_equal(kbpf_prog_run(w.prog, NULL), 0);
		written += (uint64_t)burst;
		got = ring_read(&r, in_order, &x);
		assert_int_equal(got, burst);
	}
	assert_int_equal(x.next, written);
	assert_int_equal(ring_pending(&r), 0);
	ring_close(&r);
	writer_close(&w);
}

static void full_ring_refuses_and_goes_on_after_reading(void **state)
{
	enum { SIZE = 4096, LEN = 248, FIT = SIZE / (LEN + 8) };
	struct expect x = { .len = LEN };
	struct writer w;
	struct ring r;
	uint32_t ret;

	(void)state;
	assert_true(writer_open(&w, SIZE, LEN));
	assert_int_equal(ring_open(&r, w.ring, SIZE), 0);
	for (int i = 0; i < 2 * FIT; i++)
		kbpf_prog_run(w.prog, &ret);
	assert_int_equal(ret, (uint32_t)-EAGAIN);
	assert_true(ring_pending(&r) > SIZE / 2);
	assert_true(ring_read(&r, in_order, &x) >= FIT - 1);
	assert_int_equal(kbpf_prog_run(w.prog, &ret), 0);
	assert_int_equal(ret, 0);
	assert_int_equal(ring_read(&r, in_order, &x), 1);
	ring_close(&r);
	writer_close(&w);
}

/* Commits that woke a waiter since the last look, if any: the edges of epoll. */
static int woken(int poll)
{
	struct epoll_event ev;

	return epoll_wait(poll, &ev, 1, 20);
}

static void reader_that_is_awake_is_not_woken(void **state)
{
	struct epoll_event edges = { .events = EPOLLIN | EPOLLET };
	struct expect x = { .len = 16 };
	struct writer w;
	struct ring r;

	(void)state;
	assert_true(writer_open(&w, 4096, 16));
	assert_int_equal(ring_open(&r, w.ring, 4096), 0);
	int poll = epoll_create1(EPOLL_CLOEXEC);

	assert_int_equal(epoll_ctl(poll, EPOLL_CTL_ADD, w.ring, &edges), 0);
	assert_int_equal(woken(poll), 0);
	kbpf_prog_run(w.prog, NULL);
	assert_int_equal(woken(poll), 1);
	r.awake = true;
	assert_int_equal(ring_read(&r, in_order, &x), 1);
	woken(poll); /* whatever comes of the map's being readable */
	for (int i = 0; i < 10; i++) {
		kbpf_prog_run(w.prog, NULL);
		assert_int_equal(woken(poll), 0);
		assert_int_equal(ring_read(&r, in_order, &x), 1);
	}
	r.awake = false;
	assert_int_equal(ring_read(&r, in_order, &x), 0);
	woken(poll);
	kbpf_prog_run(w.prog, NULL);
	assert_int_equal(woken(poll), 1);
	assert_int_equal(ring_read(&r, in_order, &x), 1);
	assert_int_equal(x.next, 12);
	close(poll);
	ring_close(&r);
	writer_close(&w);
}

static void awake_reader_gives_the_room_of_large_records_back(void **state)
{
	enum { SIZE = 4096, LEN = SIZE / 16 }; /* and the header */
	struct expect x = { .len = LEN };
	struct writer w;
	struct ring r;
	uint32_t ret;

	(void)state;
	assert_true(writer_open(&w, SIZE, LEN));
	assert_int_equal(ring_open(&r, w.ring, SIZE), 0);
	r.awake = true;
	for (int i = 0; i < 10; i++) {
		kbpf_prog_run(w.prog, &ret);
		assert_int_equal(ret, 0);
		assert_int_equal(ring_read(&r, in_order, &x), 1);
		assert_int_equal(*r.consumer, *r.producer);
	}
	ring_close(&r);
	writer_close(&w);
}

static void reader_that_stops_finds_the_rest_later(void **state)
{
	struct expect x = { .len = 16, .stop_after = 3 };
	struct writer w;
	struct ring r;

	(void)state;
	assert_true(writer_open(&w, 4096, 16));
	assert_int_equal(ring_open(&r, w.ring, 4096), 0);
	for (int i = 0; i < 10; i++)
		kbpf_prog_run(w.prog, NULL);
	assert_int_equal(ring_read(&r, in_order, &x), 3);
	assert_int_equal(ring_read(&r, in_order, &x), 7);
	ring_close(&r);
	writer_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_keeps_what_was_put),
		cmocka_unit_test(batch_reads_every_key_once),
		cmocka_unit_test(percpu_values_have_one_slot_per_possible_cpu),
		cmocka_unit_test(mapped_array_shows_updates_at_once),
		cmocka_unit_test(program_runs_and_shows_its_instructions),
		cmocka_unit_test(rejection_comes_with_the_verifiers_words),
		cmocka_unit_test(ring_gives_every_record_once_over_many_turns),
		cmocka_unit_test(full_ring_refuses_and_goes_on_after_reading),
		cmocka_unit_test(reader_that_stops_finds_the_rest_later),
		cmocka_unit_test(reader_that_is_awake_is_not_woken),
		cmocka_unit_test(awake_reader_gives_the_room_of_large_records_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
