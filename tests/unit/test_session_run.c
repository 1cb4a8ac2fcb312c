/*
 * A session from load to exit on plans made by hand: begin programs that write events, counters
 * and maps, run by the real kernel. Skipped where BPF may not be used.
 */
#include "session/session.h"

#include "kernel/bpf.h"
#include "output/format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_INSNS = 128, GLOBALS_SIZE = 4096, SLOTS = 64, STRIPES = 256, STRIPE_SIZE = 64 };

/* A plan under construction; programs are assembled by the emit functions below. */
struct bench {
	struct arena arena;
	struct sources sources;
	struct typetab types;
	struct diags dx;
	struct plan plan;
	struct bpf_insn insns[MAX_INSNS];
	struct reloc relocs[MAX_INSNS];
	struct span spans[MAX_INSNS];
	struct image img;
	char *text; /* what the session wrote */
	size_t text_len;
	struct session s;
};

static void emit(struct bench *b, uint8_t code, int dst, int src, int off, int64_t imm)
{
	b->insns[b->img.ninsns++] = (struct bpf_insn){ .code = code,
						       .dst_reg = (uint8_t)dst & 15,
						       .src_reg = (uint8_t)src & 15,
						       .off = (int16_t)off,
						       .imm = (int32_t)imm };
}

static void emit_map(struct bench *b, int dst, uint32_t map, int value_off)
{
	b->relocs[b->img.nrelocs++] =
		(struct reloc){ .insn = b->img.ninsns,
				.map = map,
				.off = value_off < 0 ? 0 : (uint32_t)value_off,
				.kind = value_off < 0 ? RELOC_MAP : RELOC_VALUE };
	emit(b, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, 0);
	emit(b, 0, 0, 0, 0, 0);
}

static void emit_call(struct bench *b, int helper)
{
	emit(b, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

/* An event of the given size with one u64 argument at offset 8. */
static void emit_event(struct bench *b, uint32_t event, uint32_t size, int64_t arg)
{
	emit_map(b, 1, KMAP_RING, -1);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, size);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	emit_call(b, BPF_FUNC_ringbuf_reserve);
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, size > 8 ? 6 : 5, 0);
	emit(b, BPF_ST | BPF_MEM | BPF_W, 0, 0, 0, event);
	emit(b, BPF_ST | BPF_MEM | BPF_W, 0, 0, 4, 0);
	if (size > 8)
		emit(b, BPF_ST | BPF_MEM | BPF_DW, 0, 0, 8, arg);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
	emit_call(b, BPF_FUNC_ringbuf_submit);
}

/* A u64 at that offset of the globals. */
static void emit_global(struct bench *b, int off, int64_t value)
{
	emit_map(b, 1, KMAP_GLOBALS, off);
	emit(b, BPF_ST | BPF_MEM | BPF_DW, 1, 0, 0, value);
}

static uint32_t add_event(struct bench *b, struct plan_event ev, const char *format)
{
	format_parse(&b->arena, format, strlen(format), &ev.format);
	vec_push(&b->arena, &b->plan.events, ev);
	return (uint32_t)b->plan.events.len - 1;
}

/* What exit(status) does: the request in the globals, and its event. */
static void emit_leave(struct bench *b, int32_t status)
{
	struct plan_event ev = { .kind = EV_EXIT, .size = EVENT_HEADER };

	emit_map(b, 1, KMAP_GLOBALS, EXIT_REQUEST_OFF);
	emit(b, BPF_LD | BPF_DW | BPF_IMM, 2, 0, 0, status);
	emit(b, 0, 0, 0, 0, (int64_t)(EXIT_REQUEST >> 32));
	emit(b, BPF_STX | BPF_MEM | BPF_DW, 1, 2, 0, 0);
	emit_event(b, add_event(b, ev, ""), EVENT_HEADER, 0);
}

static void emit_exit(struct bench *b)
{
	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(b, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void *copy(struct bench *b, const void *p, size_t size)
{
	return memcpy(arena_alloc(&b->arena, size), p, size);
}

/* What was emitted becomes a program; the next one can be emitted then. */
static void add_prog(struct bench *b, enum prog_when when)
{
	struct plan_prog p = { .name = when == PROG_BEGIN ? "begin" : "end", .when = when };

	p.image = b->img;
	p.image.insns = copy(b, b->insns, sizeof(b->insns));
	p.image.relocs = copy(b, b->relocs, sizeof(b->relocs));
	p.image.spans = copy(b, b->spans, sizeof(b->spans));
	b->img = (struct image){};
	vec_push(&b->arena, &b->plan.progs, p);
}

static const struct event_arg *one_arg(struct bench *b)
{
	struct event_arg *arg = arena_new(&b->arena, struct event_arg);

	*arg = (struct event_arg){ .type = type_int(&b->types, 8, true), .off = 8 };
	return arg;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	*state = b;
	sources_init(&b->sources, &b->arena);
	sources_add(&b->sources, "test.bt", "BEGIN { one; }\nEND { two; }\n", 28);
	typetab_init(&b->types, &b->arena);
	diags_init(&b->dx, &b->arena, &b->sources);
	b->plan = (struct plan){ .arena = &b->arena,
				 .sources = &b->sources,
				 .types = &b->types,
				 .slots_off = SLOTS,
				 .stripes_off = STRIPES,
				 .stripe_size = STRIPE_SIZE,
				 .ncpus_pow2 = 2,
				 .nattached = 1,
				 .uses_ring = true };
	vec_push(&b->arena, &b->plan.kmaps,
		 (struct plan_kmap){ .name = "globals",
				     .type = BPF_MAP_TYPE_ARRAY,
				     .key_size = 4,
				     .value_size = GLOBALS_SIZE,
				     .max_entries = 1,
				     .flags = BPF_F_MMAPABLE });
	vec_push(&b->arena, &b->plan.kmaps,
		 (struct plan_kmap){ .name = "ring", .type = BPF_MAP_TYPE_RINGBUF });
	b->s = (struct session){ .plan = &b->plan,
				 .dx = &b->dx,
				 .opt = { .quiet = true, .print_maps = true },
				 .sink = sink_find("text") };
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	arena_free(&b->arena);
	free(b->text);
	free(b);
	return 0;
}

/* Runs the plan; what was written is then in b->text. */
static int run(struct bench *b, struct err *e)
{
	struct child none = CHILD_NONE;
	int err;

	b->s.child = &none;
	b->s.out = open_memstream(&b->text, &b->text_len);
	err = session_run(&b->s, e);
	fclose(b->s.out);
	if (err == -EPERM)
		skip();
	return err;
}

static void prints_and_exits_with_status(void **state)
{
	struct bench *b = *state;
	struct err e;
	uint32_t print = add_event(
		b,
		(struct plan_event){
			.kind = EV_PRINTF, .size = 16, .args = one_arg(b), .nargs = 1 },
		"n=%d\n");

	emit_event(b, print, 16, -7);
	emit_leave(b, 3);
	emit_event(b, print, 16, 8); /* behind exit(): must not be seen */
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	assert_int_equal(run(b, &e), 0);
	assert_string_equal(b->text, "n=-7\n\n\n");
	assert_int_equal(b->s.status, 3);
}

static void end_runs_after_exit(void **state)
{
	struct bench *b = *state;
	struct err e;
	uint32_t print = add_event(
		b,
		(struct plan_event){
			.kind = EV_PRINTF, .size = 16, .args = one_arg(b), .nargs = 1 },
		"end %d\n");

	emit_leave(b, 0);
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	emit_event(b, print, 16, 5);
	emit_exit(b);
	add_prog(b, PROG_END);
	assert_int_equal(run(b, &e), 0);
	assert_string_equal(b->text, "end 5\n\n\n");
}

static void shows_scalars_at_the_end(void **state)
{
	struct bench *b = *state;
	struct err e;

	emit_global(b, SLOTS, -3);
	emit_global(b, SLOTS + 8, 1);
	emit_global(b, STRIPES, 4);		  /* stripe 0: 4 of count() */
	emit_global(b, STRIPES + STRIPE_SIZE, 6); /* stripe 1: 6 more */
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	vec_push(&b->arena, &b->plan.maps,
		 (struct plan_map){ .name = "@a",
				    .value = type_int(&b->types, 8, true),
				    .store = STORE_SLOT,
				    .off = SLOTS });
	vec_push(&b->arena, &b->plan.maps,
		 (struct plan_map){ .name = "@c",
				    .value = type_agg(&b->types, T_COUNT, false),
				    .store = STORE_STRIPE });
	vec_push(&b->arena, &b->plan.maps,
		 (struct plan_map){ .name = "@never",
				    .value = type_int(&b->types, 8, true),
				    .store = STORE_SLOT,
				    .off = SLOTS + 16 });
	assert_int_equal(run(b, &e), 0);
	assert_string_equal(b->text, "\n\n@a: -3\n@c: 10\n");
}

/* @h[key] = value, through the map_update_elem helper. */
static void emit_update(struct bench *b, uint32_t map, int64_t key, int64_t value)
{
	emit(b, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, key);
	emit(b, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -16, value);
	emit_map(b, 1, map, -1);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	emit(b, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0);
	emit(b, BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -16);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
	emit_call(b, BPF_FUNC_map_update_elem);
}

static void add_hash(struct bench *b)
{
	vec_push(&b->arena, &b->plan.kmaps,
		 (struct plan_kmap){ .name = "h",
				     .type = BPF_MAP_TYPE_HASH,
				     .key_size = 8,
				     .value_size = 8,
				     .max_entries = 16 });
	vec_push(&b->arena, &b->plan.maps,
		 (struct plan_map){ .name = "@h",
				    .key = type_int(&b->types, 8, true),
				    .value = type_int(&b->types, 8, true),
				    .store = STORE_HASH,
				    .kmap = KMAP_FIRST_FREE });
}

static void shows_a_hash_by_value(void **state)
{
	struct bench *b = *state;
	struct err e;

	add_hash(b);
	emit_update(b, KMAP_FIRST_FREE, 1, 30);
	emit_update(b, KMAP_FIRST_FREE, 2, 10);
	emit_update(b, KMAP_FIRST_FREE, 3, 20);
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	assert_int_equal(run(b, &e), 0);
	assert_string_equal(b->text, "\n\n@h[2]: 10\n@h[3]: 20\n@h[1]: 30\n");
}

/* clear() and zero() act when they are read, that is behind both updates. */
static void clears_and_zeroes(void **state)
{
	struct bench *b = *state;
	struct err e;
	uint32_t zero =
		add_event(b, (struct plan_event){ .kind = EV_ZERO, .size = EVENT_HEADER }, "");
	uint32_t show = add_event(
		b, (struct plan_event){ .kind = EV_PRINT_MAP, .size = EVENT_HEADER }, "");
	uint32_t clear =
		add_event(b, (struct plan_event){ .kind = EV_CLEAR, .size = EVENT_HEADER }, "");

	add_hash(b);
	emit_update(b, KMAP_FIRST_FREE, 5, 50);
	emit_update(b, KMAP_FIRST_FREE, 6, 60);
	emit_event(b, zero, EVENT_HEADER, 0);
	emit_event(b, show, EVENT_HEADER, 0);
	emit_event(b, clear, EVENT_HEADER, 0);
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	assert_int_equal(run(b, &e), 0);
	assert_string_equal(b->text, "@h[5]: 0\n@h[6]: 0\n\n\n");
}

/* A load through an unchecked map value: the verifier's words come out at the span's place. */
static void verifier_rejection_has_a_place(void **state)
{
	struct bench *b = *state;
	char *text = NULL;
	size_t len = 0;
	struct err e;

	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 0);
	emit(b, BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 0, 0);
	emit(b, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	b->spans[1] = (struct span){ 9, 12 }; /* "one" */
	add_prog(b, PROG_BEGIN);
	assert_int_not_equal(run(b, &e), 0);
	assert_int_equal(e.code, 0);
	assert_true(diag_failed(&b->dx));

	FILE *f = open_memstream(&text, &len);
	diags_print(&b->dx, f, false);
	fclose(f);
	assert_non_null(strstr(
		text, "test.bt:1:9: error[E0410]: the kernel's verifier rejected begin"));
	assert_non_null(strstr(text, "mem access"));
	free(text);
}

static void full_disk_is_an_error(void **state)
{
	struct bench *b = *state;
	struct child none = CHILD_NONE;
	struct err e;
	uint32_t print = add_event(
		b, (struct plan_event){ .kind = EV_PRINTF, .size = EVENT_HEADER }, "text\n");

	emit_event(b, print, EVENT_HEADER, 0);
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	b->s.child = &none;
	b->s.opt.out_name = "/dev/full";
	b->s.out = fopen("/dev/full", "we");
	int err = session_run(&b->s, &e);
	fclose(b->s.out);
	if (err == -EPERM)
		skip();
	assert_int_equal(err, -ENOSPC);
	assert_string_equal(e.msg, "write /dev/full: No space left on device");
}

static void strict_turns_a_count_into_a_status(void **state)
{
	struct bench *b = *state;
	struct err e;

	vec_push(&b->arena, &b->plan.counters,
		 (struct plan_counter){ .kind = COUNT_READ, .off = 16, .quiet = true });
	emit_global(b, 16, 2);
	emit_exit(b);
	add_prog(b, PROG_BEGIN);
	b->s.opt.strict = true;
	assert_int_equal(run(b, &e), 0);
	assert_int_equal(b->s.status, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prints_and_exits_with_status),
		TEST(end_runs_after_exit),
		TEST(shows_scalars_at_the_end),
		TEST(shows_a_hash_by_value),
		TEST(clears_and_zeroes),
		TEST(verifier_rejection_has_a_place),
		TEST(full_disk_is_an_error),
		TEST(strict_turns_a_count_into_a_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
