/*
 * Bytes to values, and aggregates folded over CPUs.
 */
#include "session/aggregate.h"
#include "session/clock.h"
#include "session/decode.h"

#include "output/sink.h"
#include "output/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct bench {
	struct arena arena;
	struct typetab types;
	struct plan plan;
	struct decoder d;
	struct sb text;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	typetab_init(&b->types, &b->arena);
	b->plan.types = &b->types;
	decoder_init(&b->d, &b->plan);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	decoder_fini(&b->d);
	arena_free(&b->arena);
	sb_free(&b->text);
	free(b);
	return 0;
}

static const char *text_of(struct bench *b, const struct type *t, const void *bytes)
{
	struct value v;

	decode(&b->d, &b->arena, t, bytes, &v);
	sb_clear(&b->text);
	value_text(&v, &b->text);
	return sb_str(&b->text);
}

static void integers_have_their_width_and_sign(void **state)
{
	struct bench *b = *state;
	const uint8_t bytes[8] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	assert_string_equal(text_of(b, type_int(&b->types, 1, true), bytes), "-2");
	assert_string_equal(text_of(b, type_int(&b->types, 1, false), bytes), "254");
	assert_string_equal(text_of(b, type_int(&b->types, 4, false), bytes), "4294967294");
	assert_string_equal(text_of(b, type_int(&b->types, 8, true), bytes), "-2");
}

static void a_full_string_was_cut(void **state)
{
	struct bench *b = *state;

	assert_string_equal(text_of(b, type_string(&b->types, 4), "abc"), "abc");
	assert_string_equal(text_of(b, type_string(&b->types, 4), "abcd"), "abcd..");
}

static void a_buffer_shows_its_length_only(void **state)
{
	struct bench *b = *state;
	uint8_t bytes[4 + 8] = { 2, 0, 0, 0, 'a', '\n', 'x' };

	assert_string_equal(text_of(b, type_buffer(&b->types, 8), bytes), "a\\x0a");
	bytes[1] = 0xff; /* a length beyond its room */
	assert_string_equal(text_of(b, type_buffer(&b->types, 2), bytes), "a\\x0a");
}

static void tuples_are_laid_out_like_structs(void **state)
{
	struct bench *b = *state;
	const struct type *parts[] = { type_int(&b->types, 1, false),
				       type_int(&b->types, 8, true),
				       type_string(&b->types, 4) };
	const uint8_t bytes[24] = { 7, [8] = 9, [16] = 'h', 'i' };

	assert_string_equal(text_of(b, type_tuple(&b->types, parts, 3), bytes), "(7, 9, hi)");
}

/* A struct with bit-fields and an anonymous union. */
static void members_are_found_by_bits(void **state)
{
	struct bench *b = *state;
	const struct type *u32 = type_int(&b->types, 4, false),
			  *i32 = type_int(&b->types, 4, true);
	struct field inner[] = { { .name = "u", .type = u32 }, { .name = "s", .type = i32 } };
	const struct type un = { .kind = T_STRUCT,
				 .name = "",
				 .is_union = true,
				 .size = 4,
				 .align = 4,
				 .fields = inner,
				 .nfields = 2 };
	struct field fields[] = {
		{ .name = "low", .type = u32, .bit_off = 0, .bit_size = 3 },
		{ .name = "mid", .type = i32, .bit_off = 3, .bit_size = 7 },
		{ .name = "", .type = &un, .bit_off = 32 },
	};
	const struct type st = { .kind = T_STRUCT,
				 .name = "s",
				 .size = 8,
				 .align = 4,
				 .fields = fields,
				 .nfields = 3 };
	const uint8_t bytes[8] = { 0xfd, 0x03, 0, 0, 0xff, 0xff, 0xff, 0xff };

	assert_string_equal(text_of(b, &st, bytes),
			    "{ .low = 5, .mid = -1, .u = 4294967295, .s = -1 }");
}

static void a_stack_is_cut_at_its_depth(void **state)
{
	struct bench *b = *state;
	const struct type *t = type_stack(&b->types, T_KSTACK, STACK_RAW, 2);
	const uint64_t bytes[] = { 5, 0x10, 0x20, 0x30 };

	assert_string_equal(text_of(b, t, bytes), "\n10\n20\n");
}

static void stacks_are_told_apart_by_the_first_frame_that_differs(void **state)
{
	struct bench *b = *state;
	const struct type *t = type_stack(&b->types, T_KSTACK, STACK_RAW, 3);
	const uint64_t x[] = { 3, 0x10, 0x20, 0x30 }, y[] = { 3, 0x10, 0x21, 0x2f };
	const uint64_t start[] = { 2, 0x10, 0x20, 0 },
		       other[] = { 3ull | 7ull << 32, 0x11, 0, 0 };
	struct value vx, vy;

	assert_true(decode_stacks_apart(&b->d, &b->arena, t, x, y, &vx, &vy));
	assert_int_equal(vx.nitems, 1);
	assert_string_equal(vx.items[0].text, "20");
	assert_string_equal(vy.items[0].text, "21");
	assert_false(decode_stacks_apart(&b->d, &b->arena, t, x, start, &vx, &vy));
	assert_false(decode_stacks_apart(&b->d, &b->arena, t, x, other, &vx, &vy));
	assert_false(decode_stacks_apart(&b->d, &b->arena, type_int(&b->types, 8, false), x, y,
					 &vx, &vy));
}

static void stacks_in_tuples_are_told_apart_too(void **state)
{
	struct bench *b = *state;
	const struct type *st = type_stack(&b->types, T_KSTACK, STACK_RAW, 3);
	const struct type *parts[] = { type_int(&b->types, 8, false), st };
	const struct type *t = type_tuple(&b->types, parts, 2);
	const uint64_t x[] = { 1, 3, 0x10, 0x20, 0x30 }, y[] = { 1, 3, 0x10, 0x21, 0x2f };
	const uint64_t same[] = { 2, 3, 0x10, 0x20, 0x30 }, start[] = { 1, 2, 0x10, 0x20, 0 };
	struct value vx, vy;

	assert_true(decode_stacks_apart(&b->d, &b->arena, t, x, y, &vx, &vy));
	assert_int_equal(vx.nitems, 2);
	assert_int_equal(vx.items[0].u, 1);
	assert_int_equal(vx.items[1].nitems, 1);
	assert_string_equal(vx.items[1].items[0].text, "20");
	assert_true(map_compare_keys(&vx, &vy) < 0);
	assert_true(decode_stacks_apart(&b->d, &b->arena, t, x, same, &vx, &vy));
	assert_int_equal(vx.items[1].nitems, 0);
	assert_true(map_compare_keys(&vx, &vy) < 0);
	assert_false(decode_stacks_apart(&b->d, &b->arena, t, x, start, &vx, &vy));
}

static void fractions_of_a_second(void **state)
{
	struct bench *b = *state;
	struct timespec t = { .tv_sec = 0, .tv_nsec = 12345678 };

	assert_string_equal(clock_format(&b->arena, "%f %k %l %%f", t),
			    "012345 012345678 012 %f");
	assert_string_equal(clock_format(&b->arena, "", t), "");
}

static void users_have_names(void **state)
{
	char path[] = "/tmp/test_users.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct users users;

	(void)state;
	fputs("root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken\n:x:\nann:x:1000:1000::/:\n",
	      f);
	fclose(f);
	users_load(&users, path);
	unlink(path);
	assert_string_equal(users_find(&users, 0), "root");
	assert_string_equal(users_find(&users, 1000), "ann");
	assert_null(users_find(&users, 7));
	users_fini(&users);

	users_load(&users, "/no/such/file");
	assert_null(users_find(&users, 0));
	users_fini(&users);
}

static const char *agg_text(struct bench *b, const struct type *t, const uint64_t *cpu0,
			    const uint64_t *cpu1)
{
	uint64_t sum[80] = {};
	struct value v;

	agg_fold(t, sum, cpu0);
	agg_fold(t, sum, cpu1);
	assert_true(agg_exists(t, sum));
	agg_value(&b->arena, t, sum, &v);
	sb_clear(&b->text);
	value_text(&v, &b->text);
	return sb_str(&b->text);
}

static const uint64_t sign = 1ull << 63;

static void aggregates_of_two_cpus(void **state)
{
	struct bench *b = *state;
	struct typetab *tt = &b->types;

	assert_string_equal(agg_text(b, type_agg(tt, T_COUNT, false), (uint64_t[]){ 2, 0 },
				     (uint64_t[]){ 3, 0 }),
			    "5");
	assert_string_equal(agg_text(b, type_agg(tt, T_SUM, true), (uint64_t[]){ -9ull, 1 },
				     (uint64_t[]){ 2, 1 }),
			    "-7");
	assert_string_equal(agg_text(b, type_agg(tt, T_AVG, true), (uint64_t[]){ -7ull, 1, 0 },
				     (uint64_t[]){ 0, 1, 0 }),
			    "-3");
	assert_string_equal(agg_text(b, type_agg(tt, T_MAX, true),
				     (uint64_t[]){ -5ull ^ sign, 1 }, (uint64_t[]){ 0, 0 }),
			    "-5");
	assert_string_equal(agg_text(b, type_agg(tt, T_MIN, false), (uint64_t[]){ ~4ull, 1 },
				     (uint64_t[]){ ~9ull, 1 }),
			    "4");
}

static void nothing_stored_does_not_exist(void **state)
{
	struct bench *b = *state;
	uint64_t words[80] = {};

	assert_false(agg_exists(type_agg(&b->types, T_MAX, true), words));
	assert_false(agg_exists(type_hist(&b->types, false, 0), words));
}

/* zero() leaves a key that shows 0, not the least number there is. */
static void zeroed_minimum_shows_zero(void **state)
{
	struct bench *b = *state;
	const uint64_t zeroed[] = { 0, AGG_ZEROED }, empty[2] = {};

	assert_string_equal(agg_text(b, type_agg(&b->types, T_MIN, true), zeroed, empty), "0");
}

static void histogram_runs_from_first_to_last(void **state)
{
	struct bench *b = *state;
	const struct type *t = type_lhist(&b->types, false, 0, 10, 5);
	const uint64_t words[] = { 0, 2, 0, 1, 0 };
	struct value v;

	agg_value(&b->arena, t, words, &v);
	assert_int_equal(v.nitems, 3);
	assert_int_equal(v.buckets[0].lo, 0);
	assert_int_equal(v.buckets[0].n, 2);
	assert_int_equal(v.buckets[1].n, 0);
	assert_false(v.buckets[2].has_hi);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(integers_have_their_width_and_sign),
		TEST(a_full_string_was_cut),
		TEST(a_buffer_shows_its_length_only),
		TEST(tuples_are_laid_out_like_structs),
		TEST(members_are_found_by_bits),
		TEST(a_stack_is_cut_at_its_depth),
		TEST(stacks_are_told_apart_by_the_first_frame_that_differs),
		TEST(stacks_in_tuples_are_told_apart_too),
		TEST(fractions_of_a_second),
		TEST(users_have_names),
		TEST(aggregates_of_two_cpus),
		TEST(nothing_stored_does_not_exist),
		TEST(zeroed_minimum_shows_zero),
		TEST(histogram_runs_from_first_to_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
